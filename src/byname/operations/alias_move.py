"""Names by address: what one is on, moving several at once with expectations, and undoing (R70, R88)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from byname.domain import alias as rules
from byname.domain import names
from byname.domain.alias import Change, Holder
from byname.domain.collection import Collection, Membership
from byname.domain.errors import (
    Conflict,
    HolderChanged,
    NotFound,
    PreconditionFailed,
    Unprocessable,
    missing,
)
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version
from byname.operations import access, alias
from byname.operations.collection import resolve_in
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import ledger as ledger_rows
from byname.store import project as project_rows
from byname.store import protected_alias as protected_rows
from byname.store import version as version_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds

MOVES_MAX = 1_000


class _Any(Enum):
    HOLDER = "whoever"


ANY_HOLDER: Final = _Any.HOLDER
"""Expect nothing: the move is made whoever holds the alias."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be so just before a move."""

    version: str | _Any | None = ANY_HOLDER
    """The number that holds it, such as `v3`; None for nobody."""
    revision: int | None = None
    """The alias's revision, while somebody holds it."""
    held: bool | None = None
    """Somebody must hold it, or nobody may."""


@dataclass(frozen=True, slots=True)
class Move:
    """An alias of a collection is to go to a version, by number or alias; None takes it off."""

    collection: str
    alias: str
    version: str | None
    expected: Expected = Expected()


@dataclass(frozen=True, slots=True)
class Standing:
    """An alias as it is."""

    collection: str
    alias: str
    number: int | None
    digest: str | None
    revision: int
    protected: bool
    previous: int | None = None
    """The number it was on before the move that this answers."""


def get(
    ctx: Context, project: Project, collection: Collection, name: str, at: datetime | None = None
) -> Standing:
    """What the alias is on, or was on at a time (R189).

    Raises:
        NotFound: nobody holds it, or nobody did then; or the project is hidden from the actor.
    """
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        what = f"Alias {name[:200]!r} of {project.place}/{collection.name}"
        if entity_rows.lookup_key(name) is None:
            raise missing(what)
        if at is None:
            found = _standing(tx, collection, name)
            if found is None or found.number is None:
                raise missing(what)
            return found
        row = ledger_rows.at_time(tx, collection.id, name, microseconds(at))
        if row is None or row.to_number is None:
            raise NotFound(f"{what} was held by nobody at that time")
        membership = collection_rows.membership_by_number(tx, collection.id, row.to_number)
        version = None if membership is None else version_rows.find(tx, membership.version_id)
        return Standing(
            collection.name,
            name,
            row.to_number,
            None if version is None else version.digest,
            row.revision,
            protected_rows.find(tx, collection.project_id, name) == name,
        )


def _standing(
    tx: Transaction, collection: Collection, name: str, previous: int | None = None
) -> Standing | None:
    found = alias_rows.find(tx, collection.id, name)
    if found is None:
        return None
    version: Version | None = None
    if found.number is not None:
        membership = collection_rows.membership_by_number(tx, collection.id, found.number)
        version = None if membership is None else version_rows.find(tx, membership.version_id)
    return Standing(
        collection.name,
        name,
        found.number,
        None if version is None else version.digest,
        found.revision,
        protected_rows.find(tx, collection.project_id, name) == name,
        previous,
    )


def move(ctx: Context, project_id: int, moves: Sequence[Move]) -> list[Standing]:
    """Every alias is where its move says: all of them, or nothing is changed (R70, R77, R88).

    The answers stand in the order of the moves. A move to where the alias is already changes
    nothing and writes nothing (R71).

    Raises:
        NotFound: the registry, a collection or a version is absent or hidden; or an alias is to be
            taken off that nobody holds.
        Forbidden: the role is below Member, or for a protected alias below Admin (R80).
        Conflict: a new alias looks like a protected one (R90).
        HolderChanged: it is on another version than was expected; `current` is the present holder.
        PreconditionFailed: its revision is another, or it is (not) held; `current` as above.
        Unprocessable: a name is not allowed, an alias is moved twice, or there are over 1,000.
    """
    if not 1 <= len(moves) <= MOVES_MAX:
        raise Unprocessable(f"A request has 1 to {MOVES_MAX} moves", field="moves")
    checked = [(each, names.check_alias(each.alias)) for each in moves]
    if len({(each.collection, name) for each, name in checked}) < len(checked):
        raise Unprocessable("The same alias of a collection is to be moved twice", field="moves")
    with ctx.database.write() as tx:
        project = project_rows.find(tx, project_id)
        if project is None:
            raise missing("This registry")
        access.require(ctx, tx, project, Permission.ALIAS, "This registry")
        # All are looked at before any is moved: a version may be named by an alias that moves too.
        planned = [_plan(tx, project, each, name) for each, name in checked]
        for collection, changes in _by_collection(planned):
            for target in {change.after for change in changes if change.after is not None}:
                present = alias_rows.count_held_by(tx, target.membership_id)
                rules.check_count(present, changes, target)
            alias.write(ctx, tx, collection.id, changes)
        found = [_standing(tx, each.collection, each.name, each.previous) for each in planned]
        return [each for each in found if each is not None]


@dataclass(frozen=True, slots=True)
class _Planned:
    collection: Collection
    name: str
    previous: int | None
    changes: list[Change]


def _by_collection(planned: Sequence[_Planned]) -> list[tuple[Collection, list[Change]]]:
    found: dict[int, tuple[Collection, list[Change]]] = {}
    for each in planned:
        found.setdefault(each.collection.id, (each.collection, []))[1].extend(each.changes)
    return list(found.values())


def _plan(tx: Transaction, project: Project, wanted: Move, name: str) -> _Planned:
    known = entity_rows.lookup_key(wanted.collection) is not None
    collection = collection_rows.find_by_name(tx, project.id, wanted.collection) if known else None
    if collection is None:
        raise missing(f"Collection {project.place}/{wanted.collection[:200]}")
    present = alias_rows.holders(tx, collection.id, [name]).get(name)
    _check_expected(tx, project, collection, name, present, wanted.expected)
    if wanted.version is None:
        if present is None:
            raise missing(f"Alias {name!r} of {project.place}/{collection.name}")
        return _Planned(collection, name, present.number, [Change(name, present, None, "remove")])
    target = _target(tx, project, collection, wanted.version)
    holder = Holder(target.id, target.number)
    changes = rules.plan_put(
        {} if present is None else {name: present}, holder, [name], cause="move"
    )
    return _Planned(collection, name, None if present is None else present.number, changes)


def _target(tx: Transaction, project: Project, collection: Collection, ref: str) -> Membership:
    known = entity_rows.lookup_key(ref) is not None
    membership = resolve_in(tx, collection.id, ref) if known else None
    if membership is None:
        raise missing(f"Version {project.place}/{collection.name}:{ref[:200]}")
    return membership


def _check_expected(
    tx: Transaction,
    project: Project,
    collection: Collection,
    name: str,
    present: Holder | None,
    expected: Expected,
) -> None:
    current = None if present is None else f"v{present.number}"
    right_version = isinstance(expected.version, _Any) or expected.version == current
    holds = expected.held is None or expected.held == (present is not None)
    if expected.revision is not None:
        found = alias_rows.find(tx, collection.id, name)
        holds = holds and present is not None and found is not None
        holds = holds and found is not None and found.revision == expected.revision
    if not (holds and right_version):
        raise (PreconditionFailed if right_version else HolderChanged)(
            alias.not_expected(f"{project.place}/{collection.name}", name, current),
            collection=collection.name,
            alias=name,
            current=current,
        )


def undo(ctx: Context, project_id: int, collection_name: str, name: str, revision: int) -> Standing:
    """The alias is where it was before its present revision, which must be this one.

    The ledger keeps both: an undoing is a change like any other, and can be undone itself.

    Raises:
        NotFound: the registry or collection is absent or hidden, or the alias was never given.
        Forbidden: the role is below Member, or for a protected alias below Admin.
        Conflict: the version it was on is gone, so that it cannot be put back.
        HolderChanged: it was changed since; `current` is the present holder.
    """
    with ctx.database.write() as tx:
        project = project_rows.find(tx, project_id)
        if project is None:
            raise missing("This registry")
        access.require(ctx, tx, project, Permission.ALIAS, "This registry")
        known = entity_rows.lookup_key(collection_name) and entity_rows.lookup_key(name)
        collection = (
            collection_rows.find_by_name(tx, project.id, collection_name) if known else None
        )
        if collection is None:
            raise missing(f"Collection {project.place}/{collection_name[:200]}")
        rows = ledger_rows.of_alias(tx, collection.id, name, below=None, limit=1)
        if not rows:
            raise missing(f"Alias {name!r} of {project.place}/{collection.name}")
        last = rows[0]
        if last.revision != revision:
            current = None if last.to_number is None else f"v{last.to_number}"
            raise HolderChanged(
                f"{project.place}/{collection.name}:{name} is at revision {last.revision}, not "
                f"{revision}: it was changed since. Nothing was changed",
                current=current,
                revision=last.revision,
            )
        present = alias_rows.holders(tx, collection.id, [name]).get(name)
        target: Holder | None = None
        if last.from_number is not None:
            membership = collection_rows.membership_by_number(tx, collection.id, last.from_number)
            if membership is None:
                raise Conflict(
                    f"{collection.name}:v{last.from_number}, which held {name!r} before, is not "
                    "there any more; nothing was changed",
                    code="version_gone",
                )
            target = Holder(membership.id, membership.number)
            rules.check_count(
                alias_rows.count_held_by(tx, membership.id),
                [Change(name, present, target, "undo")],
                target,
            )
        alias.write(ctx, tx, collection.id, [Change(name, present, target, "undo")])
        found = _standing(tx, collection, name, None if present is None else present.number)
        if found is None:
            raise missing(f"Alias {name!r}")
        return found
