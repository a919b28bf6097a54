"""The secrets of a team: made, replaced and deleted by its admins, shown to nobody (R146 to R148)."""

from __future__ import annotations

from byname.domain import secret as rules
from byname.domain.entity import Entity
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.policy import Role, team_project_role
from byname.domain.secret import Secret
from byname.operations import history
from byname.operations.context import Context
from byname.operations.team import get_own_team, get_team
from byname.store import integration as integration_rows
from byname.store import secret as rows
from byname.store.database import Transaction

WISH = "manage secrets"
PORTION = 500


def list_all(ctx: Context, team: str) -> list[Secret]:
    """The team's secrets by name, without values: for its members, who name them in payloads.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no member of the team.
    """
    with ctx.database.read() as tx:
        return rows.list_of_team(tx, require_member(ctx, tx, team, "see secrets").id)


def require_member(ctx: Context, tx: Transaction, team: str, wish: str) -> Entity:
    """The team, of which the actor is a member or more.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor may know of it, but is no member of it.
    """
    found = get_team(ctx, tx, team)
    role = team_project_role(ctx.who, entity_id=found.id, organization_id=found.organization_id)
    if role is None or role < Role.MEMBER:
        raise Forbidden(
            f"You may not {wish} in team {found.name}: it needs the role member", role="member"
        )
    return found


def create(ctx: Context, team: str, name: str, value: str) -> Secret:
    """The team has a secret of that name.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no admin of the team.
        Conflict: it has one of that name; replace it.
        Unprocessable: the name or value is not allowed, or the team has 1,000.
    """
    rules.check_name(name)
    rules.check_value(value)
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        if rows.find(tx, found.id, name) is not None:
            raise Conflict(
                f"Team {found.name} already has a secret {name!r}; replace its value instead",
                code="name_taken",
            )
        if rows.count_of_team(tx, found.id) >= rules.OF_TEAM_MAX:
            raise Unprocessable(f"A team has at most {rules.OF_TEAM_MAX:,} secrets", field="name")
        return _put(ctx, tx, found, name, value, "secret:create")


def replace(ctx: Context, team: str, name: str, value: str) -> Secret:
    """The team's secret has this value, from now on and for whatever is sent next (R147).

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such secret.
        Forbidden: the actor is no admin of the team.
        Unprocessable: the value is not allowed.
    """
    rules.check_value(value)
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        if rows.find(tx, found.id, name) is None:
            raise missing(f"Secret {name[:128]!r} of team {found.name}")
        return _put(ctx, tx, found, name, value, "secret:update")


def _put(ctx: Context, tx: Transaction, team: Entity, name: str, value: str, kind: str) -> Secret:
    rows.put(
        tx,
        team.id,
        name,
        sealed=ctx.safe.seal(value),
        created_by=ctx.who.row_id,
        at=ctx.now(),
    )
    history.record(ctx, tx, kind, f"{team.name}/{name}", organization_id=team.organization_id)
    found = rows.find(tx, team.id, name)
    assert found is not None  # noqa: S101  It was written just now.
    return found


def delete(ctx: Context, team: str, name: str, *, force: bool = False) -> list[str]:
    """The secret and its value are gone at once and for ever (R147).

    Webhooks that use it are named first (R148): they send nothing until there is a secret of that
    name again. Their names are the answer.

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such secret.
        Forbidden: the actor is no admin of the team.
        Conflict: webhooks use it, and `force` was not said.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        if rows.find(tx, found.id, name) is None:
            raise missing(f"Secret {name[:128]!r} of team {found.name}")
        users = integration_rows.using_secret(tx, found.id, name)
        if users and not force:
            raise Conflict(
                f"Webhooks use the secret {name}: {', '.join(users)}. Without it they send nothing. "
                "Give them another one first, or force it (force=true, --force)",
                code="secret_in_use",
                webhooks=users,
            )
        rows.remove(tx, found.id, name)
        history.record(
            ctx,
            tx,
            "secret:delete",
            f"{found.name}/{name}",
            organization_id=found.organization_id,
        )
        return users


def reseal(ctx: Context) -> int:
    """Everything that is encrypted is encrypted with the first key; how many values there are.

    For the administrator of the machine, who has the keys.
    """
    vault = ctx.safe
    count = 0
    with ctx.database.write() as tx:
        for column in range(len(rows.SEALED)):
            after = 0
            while found := rows.list_sealed(tx, column, after=after, limit=PORTION):
                rows.reseal(tx, column, [(vault.renew(text), row_id) for row_id, text in found])
                after = found[-1][0]
                count += len(found)
        vault.close(tx)
    return count
