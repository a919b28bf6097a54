"""Putting names on versions and taking them off: the one place that writes aliases and the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from byname.domain import alias as rules
from byname.domain import names
from byname.domain.alias import Change, Holder, LedgerRow
from byname.domain.collection import Collection, Membership
from byname.domain.errors import HolderChanged, NotFound, Unprocessable, missing
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import access, protected_alias
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import collection as collection_rows
from byname.store import ledger as ledger_rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """A collection as an address: entity, project, collection."""

    entity: str
    project: str
    collection: str


def find_place(ctx: Context, tx: Transaction, place: Place) -> tuple[Project, Collection]:
    """The collection at that address, when the actor may see it.

    Raises:
        NotFound: absent or hidden, in the same words.
    """
    what = f"Collection {place.entity}/{place.project}/{place.collection}"
    project = project_rows.find_by_name(tx, place.entity, place.project)
    if project is None or not access.may(ctx, tx, project, Permission.SEE):
        raise missing(what)
    collection = collection_rows.find_by_name(tx, project.id, place.collection)
    if collection is None:
        raise missing(what)
    return project, collection


def write(ctx: Context, tx: Transaction, collection_id: int, changes: Sequence[Change]) -> None:
    """The changes hold and stand in the ledger, under the actor's name.

    Every change of an alias, for whatever cause, comes through here: protection is checked here.

    Raises:
        Forbidden: one is of a protected alias, and the actor is no Admin (R80).
        Conflict: one makes an alias that looks like a protected one (R90).
    """
    if not changes:
        return
    head = alias_rows.head(tx, collection_id, [change.name for change in changes])
    protected_alias.check_changes(ctx, tx, head.project_id, head.protected, changes)
    author = alias_rows.Author(
        ctx.who.row_id,
        ctx.who.username,
        ctx.face,
        ctx.now(),
        ctx.origin.address,
        ctx.origin.client,
    )
    alias_rows.apply(tx, head, changes, author)


def check_holders(
    tx: Transaction,
    place: str,
    collection_id: int,
    expected: Mapping[str, str | None],
    *,
    but: int | None = None,
) -> None:
    """Each alias is on the version, such as `v3`, that was expected; None: on none.

    What the membership `but` holds is as good: there it is where it is to go.

    Raises:
        HolderChanged: one is elsewhere; `current` is its present holder.
    """
    found = alias_rows.holders(tx, collection_id, list(expected))
    for name, version in expected.items():
        holder = found.get(name)
        current = None if holder is None else f"v{holder.number}"
        if current != version and (holder is None or holder.membership_id != but):
            raise HolderChanged(
                not_expected(place, name, current),
                collection=place.rpartition("/")[2],
                alias=name,
                current=current,
            )


def not_expected(place: str, name: str, current: str | None) -> str:
    """What is said of an alias that is elsewhere than somebody thought."""
    where = "on no version" if current is None else f"on {current}"
    return f"{place}:{name} is {where}, which is not what was expected; nothing was changed"


def put_on_new(
    ctx: Context, tx: Transaction, membership: Membership, wanted: Sequence[str]
) -> None:
    """A version new in its collection holds the aliases wanted and `latest` (R48, R51)."""
    target = Holder(membership.id, membership.number)
    holders = alias_rows.holders(tx, membership.collection_id, [*wanted, names.LATEST])
    write(ctx, tx, membership.collection_id, rules.plan_new_version(holders, target, wanted))


def put_on_old(
    ctx: Context, tx: Transaction, membership: Membership, wanted: Sequence[str]
) -> None:
    """A version that was there already holds the aliases wanted; `latest` stays (R2, R49)."""
    target = Holder(membership.id, membership.number)
    holders = alias_rows.holders(tx, membership.collection_id, wanted)
    changes = rules.plan_old_version(holders, target, wanted)
    if changes:
        present = alias_rows.count_held_by(tx, membership.id)
        rules.check_count(present, changes, target)
    write(ctx, tx, membership.collection_id, changes)


def take_all(ctx: Context, tx: Transaction, membership: Membership, *, cause: str) -> list[str]:
    """A membership that is about to go holds no alias; those it held.

    `latest` passes to the highest other (R65).
    """
    leaving = Holder(membership.id, membership.number)
    held = dict.fromkeys(alias_rows.held_by(tx, membership.id), leaving)
    heir = collection_rows.highest_membership(tx, membership.collection_id, but=membership.id)
    highest = None if heir is None else Holder(heir.id, heir.number)
    write(ctx, tx, membership.collection_id, rules.plan_leave(held, leaving, highest, cause=cause))
    return list(held)


def edit(
    ctx: Context,
    version_id: int,
    *,
    add: Iterable[tuple[Place, str]] = (),
    remove: Iterable[tuple[Place, str]] = (),
) -> None:
    """The version holds the aliases added and none of those removed, in each collection named.

    One request is all or nothing, over several collections too (R77).

    Raises:
        NotFound: the version is not in the collection, or does not hold an alias to be removed.
        Forbidden: the role in the collection's project is below Member (R69).
        Unprocessable: an alias is not allowed (R72), or is both added and removed.
    """
    by_place: dict[Place, tuple[list[str], list[str]]] = {}
    for place, name in add:
        by_place.setdefault(place, ([], []))[0].append(name)
    for place, name in remove:
        by_place.setdefault(place, ([], []))[1].append(name)
    checked: Mapping[Place, tuple[list[str], list[str]]] = {
        place: (rules.check_names(adding), rules.check_names(removing))
        for place, (adding, removing) in by_place.items()
    }
    with ctx.database.write() as tx:
        for place, (adding, removing) in checked.items():
            _edit_one(ctx, tx, version_id, place, adding, removing)


def _edit_one(
    ctx: Context,
    tx: Transaction,
    version_id: int,
    place: Place,
    adding: list[str],
    removing: list[str],
) -> None:
    project, collection = find_place(ctx, tx, place)
    access.require(ctx, tx, project, Permission.ALIAS)
    membership = collection_rows.membership_of(tx, collection.id, version_id)
    if membership is None:
        version = version_rows.find(tx, version_id)
        if version is not None and version.id != version_id:
            membership = collection_rows.membership_of(tx, collection.id, version.id)
    if membership is None:
        raise NotFound(
            f"This version is not in collection {project.place}/{collection.name}; "
            "link it there first"
        )
    target = Holder(membership.id, membership.number)
    holders = alias_rows.holders(tx, collection.id, [*adding, *removing])
    changes = rules.plan_edit(holders, target, adding, removing)
    if len(changes) > len(removing):
        rules.check_count(alias_rows.count_held_by(tx, membership.id), changes, target)
    write(ctx, tx, collection.id, changes)


def read_ledger(ctx: Context, place: Place, *, after: int = 0, limit: int = 100) -> list[LedgerRow]:
    """The ledger of the collection's aliases, oldest first, from behind the row id `after`.

    Raises:
        NotFound: the collection is absent or hidden.
        Unprocessable: a limit that is not 1 to 1,000.
    """
    if not 1 <= limit <= 1000:
        raise Unprocessable("The limit must be from 1 to 1,000", field="limit")
    with ctx.database.read() as tx:
        _, collection = find_place(ctx, tx, place)
        return ledger_rows.of_collection(tx, collection.id, after=after, limit=limit)


def drop_all(ctx: Context, tx: Transaction, collection_id: int, *, cause: str) -> None:
    """No alias of the collection is held any more: the collection is about to go."""
    while True:
        held = alias_rows.list_held(tx, collection_id, limit=500)
        if not held:
            return
        changes = [Change(name, holder, None, cause) for name, holder in held]
        write(ctx, tx, collection_id, changes)
