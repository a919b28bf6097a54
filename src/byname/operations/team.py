"""Teams and their service accounts: creating and deleting them, and who is in a team (R192)."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain import names
from byname.domain.entity import Entity, EntityKind, GroupMember, User
from byname.domain.errors import Conflict, Forbidden, missing
from byname.domain.meanwhile import check_had
from byname.domain.policy import GroupRole
from byname.operations import automation_fate, history
from byname.operations.context import Context
from byname.operations.organization import get_own_organization, get_person
from byname.operations.user import (
    NewUser,
    add_service_account,
    check_active,
    check_free,
    check_unlinked,
)
from byname.store import entity as entities
from byname.store import organization as organizations
from byname.store import team as teams
from byname.store import user as users
from byname.store.database import Transaction


def get_team(ctx: Context, tx: Transaction, name: str) -> Entity:
    """The team, which the actor may know of: everyone in its organization may.

    Raises:
        NotFound: there is none of that name, or the actor is not in its organization.
    """
    actor = ctx.who
    team = entities.find_by_name(tx, name, EntityKind.TEAM)
    if team is not None:
        ctx.attempt.reach(team.organization_id)
    if team is None or not actor.belongs_to(team.organization_id):
        raise missing(f"Team {name[:80]!r}")
    return team


def get_own_team(ctx: Context, tx: Transaction, name: str, wish: str) -> Entity:
    """The team, of which (or of whose organization) the actor is an admin.

    Raises:
        NotFound: there is none of that name, or the actor is not in its organization.
        Forbidden: the actor may know of it, but is no admin.
    """
    actor = ctx.who
    team = get_team(ctx, tx, name)
    if (
        not actor.administers(team.organization_id)
        and actor.teams.get(team.id) is not GroupRole.ADMIN
    ):
        raise Forbidden(
            f"You may not {wish} in team {team.name}: it needs the role admin", role="admin"
        )
    return team


def add_team(
    tx: Transaction, *, name: str, organization: Entity, admins: Sequence[User], at: int
) -> Entity:
    """A new team of the organization, inside somebody's transaction and with their permission.

    Its admins join the organization as members where they are not in it.

    Raises:
        Unprocessable: the name breaks the rules.
        Conflict: the name is taken.
    """
    name = names.check_entity(name)
    check_free(tx, name)
    team = entities.add(tx, kind=EntityKind.TEAM, name=name, organization_id=organization.id, at=at)
    for user in admins:
        _join(tx, team, user, GroupRole.ADMIN, at=at)
    return team


def _join(tx: Transaction, team: Entity, user: User, role: GroupRole, *, at: int) -> None:
    organization_id = team.organization_id
    assert organization_id is not None  # noqa: S101  Every team has one.
    if organizations.find_role(tx, organization_id, user.id) is None:
        home = entities.find(tx, organization_id)
        assert home is not None  # noqa: S101  A team lives in it.
        check_active(tx, home, user)
        organizations.put_member(tx, organization_id, user.id, GroupRole.MEMBER, at=at)
    teams.put_member(tx, team.id, user.id, role, at=at)


def create_team(
    ctx: Context, *, organization: str, name: str, admins: Sequence[str] = ()
) -> Entity:
    """A new team; the people named are its admins.

    They join the organization as members where they are not in it. With nobody named it is the one
    who asks, if they are in the organization themselves.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such person.
        Forbidden: the actor is no admin of the organization.
        Unprocessable: the name breaks the rules, or an admin is a service account.
        Conflict: the name is taken, or an admin is deactivated in the organization.
    """
    actor = ctx.who
    with ctx.database.write() as tx:
        found = get_own_organization(ctx, tx, organization, "create teams")
        people = [get_person(tx, username) for username in admins]
        if not people and found.id in actor.organizations:
            people = [get_person(tx, actor.username)]
        made = add_team(tx, name=name, organization=found, admins=people, at=ctx.now())
        history.record(ctx, tx, "team:create", made.name, organization_id=found.id)
        return made


def delete_team(ctx: Context, name: str) -> None:
    """The team is gone, with its projects, artifacts and service accounts.

    All is hidden at once, and the name is free. Its people stay in the organization.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no admin of the team or its organization.
        Conflict: versions of its are linked into registries or other teams' projects.
    """
    with ctx.database.write() as tx:
        team = get_own_team(ctx, tx, name, "delete everything")
        check_unlinked(tx, [team.id], f"Team {team.name!r}")
        accounts = users.list_service_accounts(tx, [team.id])
        automation_fate.end_teams(ctx, tx, [team])
        automation_fate.end_users(ctx, tx, accounts)
        if accounts:
            users.remove(tx, [user.id for user in accounts], at=ctx.now())
        history.record(ctx, tx, "team:delete", team.name, organization_id=team.organization_id)
        teams.remove_everyone(tx, team.id)
        entities.remove(tx, [team.id], at=ctx.now())


def put_member(
    ctx: Context, team: str, username: str, role: GroupRole, *, expected: GroupRole | None = None
) -> GroupMember:
    """The person is in the team in that role, whether they were before or not.

    An admin of the organization may add anybody, who then joins the organization as a member. An
    admin of the team alone may add people of the organization only, and learns of no others.

    Its last admin may become something else, or leave: the admins of the organization, of whom one
    always remains (R195), administer each of its teams.

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such person.
        Forbidden: the actor is no admin of the team or its organization.
        Conflict: the person is deactivated in the organization.
        EditedMeanwhile: they have neither this role nor the one expected.
        Unprocessable: a service account.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, "change members")
        user = users.find_by_name(tx, username)
        organization_id = found.organization_id
        if user is None or not (
            ctx.who.administers(organization_id)
            or (
                organization_id is not None
                and organizations.find_role(tx, organization_id, user.id) is not None
            )
        ):
            raise missing(f"User {username[:80]!r} in the organization of team {found.name}")
        had = teams.find_role(tx, found.id, user.id)
        check_had(had, expected, role, user.username)
        _join(tx, found, get_person(tx, user.username), role, at=ctx.now())
        if had != role.value:
            history.record(
                ctx,
                tx,
                "team:set_member",
                f"{found.name}/{user.username}",
                organization_id=organization_id,
                before=had,
                after=role.value,
            )
            automation_fate.follow_roles(ctx, tx, user.id)
        return GroupMember(user, role)


def invite(ctx: Context, team: str, username: str, role: GroupRole) -> GroupMember:
    """The person joins the team in that role; who is in it keeps the role they have.

    Raises:
        NotFound, Forbidden, Unprocessable: as `put_member`.
        Conflict: they are in the team already, in another role.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, "change members")
        user = users.find_by_name(tx, username)
        had = None if user is None else teams.find_role(tx, found.id, user.id)
        if had is not None and had != role.value:
            raise Conflict(
                f"{username} is in team {found.name} already, as {had}; "
                "an invitation does not change that, `byname team member set` does"
            )
        return put_member(ctx, team, username, role)


def remove_member(ctx: Context, team: str, username: str) -> None:
    """The person is out of the team, and what they had through it ends (R109).

    A service account, which has no other place, is deleted with its keys.

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such member.
        Forbidden: the actor is no admin of the team or its organization.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, "change members")
        user = users.find_by_name(tx, username)
        if user is None or teams.find_role(tx, found.id, user.id) is None:
            raise missing(f"Member {username[:80]!r} of team {found.name}")
        history.record(
            ctx,
            tx,
            "user:delete" if user.service else "team:remove_member",
            f"{found.name}/{user.username}",
            organization_id=found.organization_id,
        )
        if user.service:
            automation_fate.end_users(ctx, tx, [user])
            users.remove(tx, [user.id], at=ctx.now())
        else:
            teams.remove_member(tx, found.id, user.id)
            automation_fate.follow_roles(ctx, tx, user.id)


def create_service_account(ctx: Context, *, team: str, name: str) -> NewUser:
    """A new service account of the team: a member of it and of its organization, with one key.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no admin of the team or its organization.
        Unprocessable: the name breaks the rules.
        Conflict: the name is taken.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, "create service accounts")
        at = ctx.now()
        made = add_service_account(tx, found, name, at=at)
        _join(tx, found, made.user, GroupRole.MEMBER, at=at)
        history.record(
            ctx,
            tx,
            "user:create",
            f"{found.name}/{made.user.username}",
            organization_id=found.organization_id,
        )
        return made


def list_members(ctx: Context, team: str) -> list[GroupMember]:
    """Who is in the team, for everyone in its organization, in the order in which they came.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
    """
    with ctx.database.read() as tx:
        return teams.list_members(tx, get_team(ctx, tx, team).id)


def list_teams(ctx: Context, organization: str) -> list[Entity]:
    """The teams of the organization, for everyone in it, oldest first.

    Raises:
        NotFound: no such organization, or the actor is not in it.
    """
    with ctx.database.read() as tx:
        found = entities.find_by_name(tx, organization, EntityKind.ORGANIZATION)
        if found is None or not ctx.who.belongs_to(found.id):
            raise missing(f"Organization {organization[:80]!r}")
        return entities.list_teams(tx, found.id)
