"""Writing down what happens, in the transaction in which it does, and reading it (R187 to R191)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from byname.domain import history as rules
from byname.domain.alias import LedgerRow
from byname.domain.collection import Collection
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import Forbidden, missing
from byname.domain.history import Cursor, Entry, Filter
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import access
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import history as rows
from byname.store import ledger as ledger_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds

READ_SECONDS = 5.0


def record(
    ctx: Context,
    tx: Transaction,
    kind: str,
    subject: str,
    *,
    project: Project | None = None,
    organization_id: int | None = None,
    collection_id: int | None = None,
    version_id: int | None = None,
    number: int | None = None,
    before: Any = None,
    after: Any = None,
    aliases: Sequence[str] = (),
) -> None:
    """It is in the history, if and only if the transaction is committed (R188, I5).

    `kind` is `noun:verb`; `before` and `after` are JSON values, None for nothing. `aliases` are
    those that came or went with it, for the automations that wait for it (R129).
    """
    actor = ctx.actor
    rows.add(
        tx,
        {
            "organization": project.organization_id if project is not None else organization_id,
            "project": None if project is None else project.id,
            "collection": collection_id,
            "version": version_id,
            "number": number,
            "kind": kind,
            "subject": subject,
            "before": None if before is None else json.dumps(before, ensure_ascii=False),
            "after": None if after is None else json.dumps(after, ensure_ascii=False),
            "names": json.dumps(list(aliases), ensure_ascii=False) if aliases else None,
            "actor": None if actor is None else actor.row_id,
            "actor_name": "server" if actor is None else actor.username,
            "face": ctx.face,
            "at": ctx.now(),
            "address": ctx.origin.address,
            "client": ctx.origin.client,
        },
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and where the next page begins; None on the last one."""

    entries: list[Entry]
    next: Cursor | None


def read(
    ctx: Context,
    project: Project,
    collection: Collection | None = None,
    *,
    wanted: Filter | None = None,
    below: Cursor | None = None,
    limit: int = 100,
) -> Page:
    """What happened in a registry, or one collection of it, newest first (P27, R187, R188).

    Raises:
        NotFound: the registry is hidden from the actor.
        Unprocessable: the limit is not 1 to 1,000, or the filter finds too little in 5 seconds.
    """
    rules.check_limit(limit)
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        with tx.within(READ_SECONDS):
            found = rows.newest(
                tx,
                project_id=project.id,
                collection_id=None if collection is None else collection.id,
                wanted=wanted or Filter(),
                below=below,
                limit=limit + 1,
            )
    return _page(found, limit)


def _page(found: list[Entry], limit: int) -> Page:
    return Page(found[:limit], found[limit - 1].cursor if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class Held:
    """An alias was on this version from a time, until another; None: it still is."""

    number: int
    revision: int
    since: datetime
    until: datetime | None
    actor: str
    cause: str


def holders_of(
    ctx: Context,
    project: Project,
    collection: Collection,
    alias: str,
    *,
    below: int | None = None,
    limit: int = 100,
) -> tuple[list[LedgerRow], list[Held], int | None]:
    """The alias's changes, newest first from below a revision, and who held it when (R189).

    The third value is the revision below which the next page goes on; None on the last page.

    Raises:
        NotFound: the registry is hidden from the actor, or the alias was never given there.
        Unprocessable: the limit is not 1 to 1,000.
    """
    rules.check_limit(limit)
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        known = entity_rows.lookup_key(alias) is not None
        # One more on the newer side says until when the newest of this page held it.
        start = None if below is None else below + 1
        found = (
            ledger_rows.of_alias(tx, collection.id, alias, below=start, limit=limit + 2)
            if known
            else []
        )
    newer = found.pop(0) if found and below is not None and found[0].revision == below else None
    if not found and newer is None:
        raise missing(f"Alias {alias[:200]!r} of {project.place}/{collection.name}")
    page = found[:limit]
    held: list[Held] = []
    until = None if newer is None else newer.at
    for row in page:
        if row.to_number is not None:
            held.append(Held(row.to_number, row.revision, row.at, until, row.actor_name, row.cause))
        until = row.at
    return page, held, page[-1].revision if len(found) > limit else None


def names_of(
    ctx: Context, project: Project, collection: Collection, *, after: str = "", limit: int = 100
) -> tuple[list[LedgerRow], bool]:
    """The last change of each alias ever given in the collection, by name; whether there are more.

    Raises:
        NotFound: the registry is hidden from the actor.
        Unprocessable: the limit is not 1 to 1,000.
    """
    rules.check_limit(limit)
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        known = entity_rows.lookup_key(after) is not None
        found = ledger_rows.last_of_each(
            tx, collection.id, after=after if known else "", limit=limit + 1
        )
    return found[:limit], len(found) > limit


def holder_at(
    ctx: Context, project: Project, collection: Collection, alias: str, at: datetime
) -> LedgerRow | None:
    """The last change of the alias until that time: what it was on then (R189); None before any.

    Raises:
        NotFound: the registry is hidden from the actor.
    """
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        if entity_rows.lookup_key(alias) is None:
            return None
        return ledger_rows.at_time(tx, collection.id, alias, microseconds(at))


def audit(
    ctx: Context,
    organization: str,
    *,
    wanted: Filter | None = None,
    after: Cursor | None = None,
    limit: int = 1_000,
) -> Page:
    """What happened in an organization and its teams, oldest first; for its admins (R190, R191).

    Raises:
        NotFound: there is no such organization, or the actor is not in it.
        Forbidden: the actor is no admin of it.
        Unprocessable: the limit is not 1 to 20,000.
    """
    rules.check_limit(limit, rules.AUDIT_LIMIT_MAX)
    with ctx.database.read() as tx:
        found = _administered(ctx, tx, organization)
        with tx.within(READ_SECONDS):
            entries = rows.of_organization(
                tx,
                found.id,
                wanted=wanted or Filter(),
                place=after,
                newest_first=False,
                limit=limit + 1,
            )
    return _page(entries, limit)


def audit_of_server(
    ctx: Context, *, wanted: Filter | None = None, after: Cursor | None = None, limit: int = 1_000
) -> Page:
    """What was refused without concerning any organization, oldest first.

    Such as log-ins and keys of nobody. Raises as `audit`; Forbidden: the actor is no server
    administrator.
    """
    rules.check_limit(limit, rules.AUDIT_LIMIT_MAX)
    require_server_admin(ctx, "read the audit log of the server")
    with ctx.database.read() as tx, tx.within(READ_SECONDS):
        return _page(
            rows.oldest_refusals_of_nobody(
                tx, wanted=wanted or Filter(), after=after, limit=limit + 1
            ),
            limit,
        )


def audit_newest(
    ctx: Context,
    organization: str,
    *,
    wanted: Filter | None = None,
    below: Cursor | None = None,
    limit: int = 100,
) -> Page:
    """As `audit`, newest first, from below a place: how people read it. Raises as it does."""
    rules.check_limit(limit)
    with ctx.database.read() as tx:
        found = _administered(ctx, tx, organization)
        with tx.within(READ_SECONDS):
            entries = rows.of_organization(
                tx,
                found.id,
                wanted=wanted or Filter(),
                place=below,
                newest_first=True,
                limit=limit + 1,
            )
    return _page(entries, limit)


def _administered(ctx: Context, tx: Transaction, name: str) -> Entity:
    actor = ctx.who
    known = entity_rows.lookup_key(name) is not None
    found = entity_rows.find_by_name(tx, name, EntityKind.ORGANIZATION) if known else None
    if found is not None:
        ctx.attempt.reach(found.id)
    if found is None or not actor.belongs_to(found.id):
        raise missing(f"Organization {name[:80]!r}")
    if not actor.administers(found.id):
        raise Forbidden(
            f"You may not read the audit log of {found.name}: it needs the role admin",
            role="admin",
        )
    return found


def administered(ctx: Context) -> list[str]:
    """The organizations of the actor whose audit log they may read, by name.

    Raises:
        Unauthenticated: nobody is logged in.
        Forbidden: there is none.
    """
    actor = ctx.who
    with ctx.database.read() as tx:
        found = entity_rows.find_many(tx, list(actor.organizations))
    listed = sorted(each.name for each in found.values() if actor.administers(each.id))
    if not listed and not actor.server_admin:
        raise Forbidden(
            "You may not read an audit log: it needs the role admin in an organization",
            role="admin",
        )
    return listed
