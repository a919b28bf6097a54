"""Time to live: versions whose time is over are deleted by the server itself (R165 to R168)."""

from __future__ import annotations

from byname.domain.entity import Entity
from byname.domain.expiry import TtlPolicy, check_seconds, is_expired
from byname.domain.policy import SYSTEM
from byname.domain.version import VersionState
from byname.operations import alias, deletion, history, team
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import expiry as rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds

EXPIRED_MAX = 10_000
"""How many versions one run deletes at the most; the next run goes on."""
AT_ONCE = 50


def get_policy(ctx: Context, team_name: str) -> TtlPolicy:
    """What the team has decided on the time to live of its versions (R165).

    Raises:
        NotFound: no such team, or the actor is not in its organization.
    """
    with ctx.database.read() as tx:
        return rows.find_policy(tx, team.get_team(ctx, tx, team_name).id)


def set_policy(ctx: Context, team_name: str, policy: TtlPolicy) -> tuple[Entity, TtlPolicy]:
    """The team has decided so; versions with a time of their own are as they were (R165).

    The default counts from the creation of a version, for those that are there already too. What is or
    was linked lives for ever (R166).

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no admin of the team or its organization.
        Unprocessable: the time is not positive.
    """
    if policy.default_seconds is not None:
        check_seconds(policy.default_seconds)
    with ctx.database.write() as tx:
        found = team.get_own_team(ctx, tx, team_name, "decide on the time to live of versions")
        before = rows.find_policy(tx, found.id)
        if policy != before:
            rows.put_policy(tx, found.id, policy)
            history.record(
                ctx,
                tx,
                "team:ttl",
                found.name,
                organization_id=found.organization_id,
                before=_told(before),
                after=_told(policy),
            )
        return found, policy


def _told(policy: TtlPolicy) -> dict[str, object]:
    return {"default_seconds": policy.default_seconds, "admins_only": policy.admins_only}


def expire(ctx: Context) -> int:
    """Versions whose time to live is over are deleted, as by `version.delete`; how many (R165).

    - Linked versions never are, and so no protected alias goes (R86, R166).
    - The server itself is the actor in the ledger; for 7 days they can be restored (R164).
    """
    ctx = ctx.acting(SYSTEM, "server")
    count = 0
    while count < EXPIRED_MAX:
        with ctx.database.read() as tx:
            due = rows.list_due(tx, now=ctx.now(), limit=AT_ONCE)
        if not due:
            break
        with ctx.database.write() as tx:
            expired = sum(_expire_one(ctx, tx, version_id) for version_id in due)
        count += expired
        if not expired:
            break
    return count


def _expire_one(ctx: Context, tx: Transaction, version_id: int) -> bool:
    """The version is deleted, if that is still right now that nobody else writes; whether it is."""
    version = version_rows.find(tx, version_id)
    project = None if version is None else project_rows.find(tx, version.project_id)
    if (
        version is None
        or project is None
        or version.state is not VersionState.COMMITTED
        or not is_expired(microseconds(version.created_at), version.ttl_seconds, ctx.now())
        or collection_rows.links_of_version(tx, version.id)
    ):
        return False
    deletion.remember_version(ctx, tx, project, version)
    membership = collection_rows.membership_of(tx, version.collection_id, version.id)
    if membership is not None:
        alias.take_all(ctx, tx, membership, cause="expire")
        collection_rows.remove_membership(tx, membership, ctx.now())
    version_rows.remove(tx, version.id, ctx.now())
    history.record(
        ctx,
        tx,
        "artifact:expire",
        f"{version.collection_name}:v{version.number}",
        project=project,
        collection_id=version.collection_id,
        version_id=version.id,
        number=version.number,
        before=version.digest,
    )
    return True
