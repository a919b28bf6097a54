"""Organizations: creating and deleting them, and who is in them (R192, R195)."""

from __future__ import annotations

from byname.domain import names
from byname.domain.entity import Entity, EntityKind, GroupMember, User
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.meanwhile import check_had
from byname.domain.policy import GroupRole, Role
from byname.operations import automation_fate, history
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.operations.user import (
    check_active,
    check_another_admin,
    check_free,
    check_unlinked,
)
from byname.store import deactivation as deactivations
from byname.store import entity as entities
from byname.store import member as registry_members
from byname.store import organization as organizations
from byname.store import project as projects
from byname.store import user as users
from byname.store.database import Transaction

STARTER_REGISTRIES = ("Model", "Dataset")


def get_organization(ctx: Context, tx: Transaction, name: str) -> Entity:
    """The organization, which the actor may know of.

    Raises:
        NotFound: there is none of that name, or the actor is not in it.
    """
    actor = ctx.who
    found = entities.find_by_name(tx, name, EntityKind.ORGANIZATION)
    if found is not None:
        ctx.attempt.reach(found.id)
    if found is None or not actor.belongs_to(found.id):
        raise missing(f"Organization {name[:80]!r}")
    return found


def get_own_organization(ctx: Context, tx: Transaction, name: str, wish: str) -> Entity:
    """The organization, of which the actor is an admin.

    Raises:
        NotFound: there is none of that name, or the actor is not in it.
        Forbidden: the actor is in it, but no admin.
    """
    found = get_organization(ctx, tx, name)
    if not ctx.who.administers(found.id):
        raise Forbidden(
            f"You may not {wish} in organization {found.name}: it needs the role admin",
            role="admin",
        )
    return found


def get_person(tx: Transaction, username: str) -> User:
    """The person of that name.

    Raises:
        NotFound: there is none.
        Unprocessable: it is a service account, which has one place.
    """
    user = users.find_by_name(tx, username)
    if user is None:
        raise missing(f"User {username[:80]!r}")
    if user.service:
        raise Unprocessable(
            f"{user.username} is a service account: its place is {user.entity_name}, "
            "and that does not change",
            field="username",
        )
    return user


def add_organization(
    tx: Transaction, *, name: str, owner: User, starter_registries: bool, at: int
) -> Entity:
    """A new organization with its first admin, and starter registries where asked for.

    Runs inside somebody's transaction and with their permission. Starter registries are ordinary
    registries, created by the owner (R26).

    Raises:
        Unprocessable: the name breaks the rules.
        Conflict: the name is taken.
    """
    name = names.check_entity(name)
    check_free(tx, name)
    organization = entities.add(tx, kind=EntityKind.ORGANIZATION, name=name, at=at)
    organizations.put_member(tx, organization.id, owner.id, GroupRole.ADMIN, at=at)
    if starter_registries:
        for registry in STARTER_REGISTRIES:
            project_id = projects.add(
                tx,
                entity_id=organization.id,
                name=names.REGISTRY_PREFIX + registry,
                created_by=owner.id,
                at=at,
            )
            registry_members.put_user(tx, project_id, owner.id, Role.ADMIN, at=at)
    return organization


def create_organization(
    ctx: Context, *, name: str, owner: str, starter_registries: bool = False
) -> Entity:
    """A new organization; the person `owner` is its first admin.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: there is no such person.
        Unprocessable: the name breaks the rules, or the owner is a service account.
        Conflict: the name is taken.
    """
    require_server_admin(ctx, "create organizations")
    with ctx.database.write() as tx:
        made = add_organization(
            tx,
            name=name,
            owner=get_person(tx, owner),
            starter_registries=starter_registries,
            at=ctx.now(),
        )
        history.record(ctx, tx, "organization:create", made.name, organization_id=made.id)
        return made


def delete_organization(ctx: Context, name: str) -> None:
    """The organization is gone, with its teams, service accounts, registries and artifacts.

    All is hidden at once, and the names are free. People stay.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Forbidden: the actor is no admin of it.
        Conflict: another organization or a person shows versions of its teams.
    """
    with ctx.database.write() as tx:
        organization = get_own_organization(ctx, tx, name, "delete everything")
        teams = entities.list_teams(tx, organization.id)
        team_ids = [team.id for team in teams]
        everything = [organization.id, *team_ids]
        check_unlinked(tx, everything, f"Organization {organization.name!r}")
        accounts = users.list_service_accounts(tx, everything)
        if accounts:
            automation_fate.end_users(ctx, tx, accounts)
            users.remove(tx, [user.id for user in accounts], at=ctx.now())
        automation_fate.end_teams(ctx, tx, [organization, *teams])
        history.record(
            ctx, tx, "organization:delete", organization.name, organization_id=organization.id
        )
        organizations.remove_everyone(tx, organization.id)
        entities.remove(tx, everything, at=ctx.now())


def put_member(
    ctx: Context,
    organization: str,
    username: str,
    role: GroupRole,
    *,
    expected: GroupRole | None = None,
) -> GroupMember:
    """The person is in the organization in that role, whether they were before or not.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such person.
        Forbidden: the actor is no admin of it.
        Conflict: its last admin would become something else (R195); or the person is deactivated.
        EditedMeanwhile: they have neither this role nor the one expected.
        Unprocessable: a service account.
    """
    with ctx.database.write() as tx:
        found = get_own_organization(ctx, tx, organization, "change members")
        user = get_person(tx, username)
        check_had(organizations.find_role(tx, found.id, user.id), expected, role, user.username)
        check_active(tx, found, user)
        if role is not GroupRole.ADMIN:
            check_another_admin(tx, found, user)
        had = organizations.find_role(tx, found.id, user.id)
        organizations.put_member(tx, found.id, user.id, role, at=ctx.now())
        if had != role.value:
            history.record(
                ctx,
                tx,
                "organization:set_member",
                user.username,
                organization_id=found.id,
                before=had,
                after=role.value,
            )
            automation_fate.follow_roles(ctx, tx, user.id)
        return GroupMember(user, role)


def remove_member(ctx: Context, organization: str, username: str) -> None:
    """The person is out of the organization, its teams and its registries (R109).

    Of who is deactivated there nothing is remembered any more.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such member.
        Forbidden: the actor is no admin of it.
        Conflict: its last admin (R195); or a service account, which is deleted instead.
    """
    with ctx.database.write() as tx:
        found = get_own_organization(ctx, tx, organization, "change members")
        user = users.find_by_name(tx, username)
        if user is None or (
            organizations.find_role(tx, found.id, user.id) is None
            and deactivations.find_role(tx, found.id, user.id) is None
        ):
            raise missing(f"Member {username[:80]!r} of organization {found.name}")
        if user.service:
            raise Conflict(
                f"{user.username} is a service account of {user.entity_name}; delete it there"
            )
        check_another_admin(tx, found, user)
        history.record(
            ctx, tx, "organization:remove_member", user.username, organization_id=found.id
        )
        automation_fate.end_membership(ctx, tx, found, user)
        organizations.remove_member(tx, found.id, user.id)
        deactivations.remove(tx, found.id, user.id)


def list_members(ctx: Context, organization: str) -> list[GroupMember]:
    """Who is in the organization, for everyone in it, in the order in which they came.

    Raises:
        NotFound: no such organization, or the actor is not in it.
    """
    with ctx.database.read() as tx:
        return organizations.list_members(tx, get_organization(ctx, tx, organization).id)


def find_organization(ctx: Context, name: str) -> Entity | None:
    """The organization of that name when the actor is in it, or administers the server."""
    if ctx.actor is None:
        return None
    with ctx.database.read() as tx:
        found = entities.find_by_name(tx, name, EntityKind.ORGANIZATION)
    return found if found is not None and ctx.actor.belongs_to(found.id) else None


def load_entities(ctx: Context, ids: list[int]) -> dict[int, Entity]:
    """The live entities of these ids, by id. For the places of things the actor sees."""
    with ctx.database.read() as tx:
        return entities.find_many(tx, ids)
