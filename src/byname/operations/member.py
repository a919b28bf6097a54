"""Who is in a registry, and in which role: listing, adding, removing, changing roles (P25)."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.entity import Entity, EntityKind, User
from byname.domain.errors import NotFound, missing
from byname.domain.meanwhile import check_had
from byname.domain.member import check_admin_remains, check_role, default_role
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import GroupRole, Permission, Role
from byname.domain.project import Project
from byname.operations import access, automation_fate, history
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import member as rows
from byname.store import organization as organization_rows
from byname.store import project as project_rows
from byname.store import registry as registry_rows
from byname.store import team as team_rows
from byname.store import user as user_rows
from byname.store.database import Transaction

_OF_TEAM = {
    GroupRole.ADMIN: Role.ADMIN,
    GroupRole.MEMBER: Role.MEMBER,
    GroupRole.VIEWER: Role.VIEWER,
}


def list_users(ctx: Context, project: Project) -> list[tuple[User, Role]]:
    """The users in a registry the actor was shown (P4); of a team's project, the team's members."""
    with ctx.database.read() as tx:
        if project.is_registry:
            return rows.list_users(tx, project.id)
        entity = entity_rows.find(tx, project.entity_id)
        if entity is None:
            return []
        if entity.kind is EntityKind.TEAM:
            members = team_rows.list_members(tx, entity.id)
            return [(member.user, _OF_TEAM[member.role]) for member in members]
        owner = user_rows.find_by_name(tx, entity.name)
        return [] if owner is None else [(owner, Role.ADMIN)]


def list_some_teams(
    ctx: Context, project: Project, *, after: str | None = None, first: int | None = None
) -> Page[tuple[Entity, Role]]:
    """A page by name of the teams in a registry the actor was shown (P4).

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    size = parse_first(first, 50)
    start = decode_text("given-teams", after)
    with ctx.database.read() as tx:
        found = rows.list_some_teams(tx, project.id, after=start, limit=size + 1)
    return page_of(found, size, lambda each: encode_cursor("given-teams", each[0].name))


def list_teams(ctx: Context, project: Project) -> list[tuple[Entity, Role]]:
    """The teams in a registry the actor was shown (P4); ordinary projects have none but their own."""
    with ctx.database.read() as tx:
        return rows.list_teams(tx, project.id)


def add(
    ctx: Context,
    project_id: int,
    *,
    user_ids: Sequence[int] = (),
    team_ids: Sequence[int] = (),
    role: Role | None = None,
) -> None:
    """The users and teams are in the registry. Who was there keeps their role (R110).

    Without a role everybody gets the one of R104.

    Raises:
        NotFound: the registry is absent or hidden, or somebody is not in its organization.
        Forbidden: the actor is no Admin there.
        Unprocessable: a service account would become a viewer (R105).
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        for user_id in dict.fromkeys(user_ids):
            user, group_role = _user(tx, registry, organization_id, user_id)
            if rows.role_of_user(tx, registry.id, user.id) is None:
                given = role or default_role(user, organization_admin=group_role == "admin")
                rows.put_user(tx, registry.id, user.id, check_role(user, given), at=ctx.now())
                _record(ctx, tx, registry, user.username, None, given)
        for team_id in dict.fromkeys(team_ids):
            team = _team(tx, registry, organization_id, team_id)
            if rows.role_of_team(tx, registry.id, team.id) is None:
                given = role or default_role(None, organization_admin=False)
                rows.put_team(tx, registry.id, team.id, given, at=ctx.now())
                _record(ctx, tx, registry, f"team {team.name}", None, given)


def remove(
    ctx: Context, project_id: int, *, user_ids: Sequence[int] = (), team_ids: Sequence[int] = ()
) -> None:
    """The users and teams are not in the registry; who was not there is no error (R110).

    Raises:
        NotFound: the registry is absent or hidden.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111); nothing is changed.
    """
    with ctx.database.write() as tx:
        registry, _ = _manage(ctx, tx, project_id)
        before = rows.count_admins(tx, registry.id)
        for user_id in user_ids:
            role = rows.role_of_user(tx, registry.id, user_id)
            user = user_rows.find(tx, user_id)
            rows.remove_user(tx, registry.id, user_id)
            if role is not None:
                name = str(user_id) if user is None else user.username
                _record(ctx, tx, registry, name, role, None)
        for team_id in team_ids:
            role = rows.role_of_team(tx, registry.id, team_id)
            team = entity_rows.find(tx, team_id)
            rows.remove_team(tx, registry.id, team_id)
            if role is not None:
                name = str(team_id) if team is None else team.name
                _record(ctx, tx, registry, f"team {name}", role, None)
        after = rows.count_admins(tx, registry.id)
        check_admin_remains(registry.place, before=before, after=after)
        automation_fate.follow_roles_in(ctx, tx, registry)


def set_user_role(ctx: Context, project_id: int, user_id: int, role: Role) -> None:
    """The user, who is in the registry, has that role there.

    Raises:
        NotFound: the registry is absent or hidden, or the user is not in it.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
        Unprocessable: a service account would become a viewer (R105).
    """
    with ctx.database.write() as tx:
        registry, _ = _manage(ctx, tx, project_id)
        user = user_rows.find(tx, user_id)
        had = None if user is None else rows.role_of_user(tx, registry.id, user_id)
        if user is None or had is None:
            raise NotFound(f"This user is not a member of {registry.place}; add them first")
        before = rows.count_admins(tx, registry.id)
        rows.put_user(tx, registry.id, user.id, check_role(user, role), at=ctx.now())
        _record(ctx, tx, registry, user.username, had, role)
        after = rows.count_admins(tx, registry.id)
        check_admin_remains(registry.place, before=before, after=after)
        automation_fate.follow_roles_in(ctx, tx, registry)


def set_team_role(ctx: Context, project_id: int, team_id: int, role: Role) -> None:
    """The team, which is in the registry, has that role there.

    Raises:
        NotFound: the registry is absent or hidden, or the team is not in it.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
    """
    with ctx.database.write() as tx:
        registry, _ = _manage(ctx, tx, project_id)
        had = rows.role_of_team(tx, registry.id, team_id)
        team = entity_rows.find(tx, team_id)
        if had is None or team is None:
            raise NotFound(f"This team is not a member of {registry.place}; add it first")
        before = rows.count_admins(tx, registry.id)
        rows.put_team(tx, registry.id, team_id, role, at=ctx.now())
        _record(ctx, tx, registry, f"team {team.name}", had, role)
        after = rows.count_admins(tx, registry.id)
        check_admin_remains(registry.place, before=before, after=after)
        automation_fate.follow_roles_in(ctx, tx, registry)


def make_owner(ctx: Context, project_id: int, user_id: int) -> User:
    """The user answers for the registry; it allows them nothing they were not allowed before (R27).

    Anybody who was added may be the owner, by themselves or with a team, a Restricted Viewer too.

    Raises:
        NotFound: the registry is absent or hidden, or the user is not in it.
        Forbidden: the actor is no Admin there.
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        user, _ = _user(tx, registry, organization_id, user_id)
        if not rows.is_member(tx, registry.id, user.id):
            raise NotFound(f"{user.username} is not a member of {registry.place}; add them first")
        if user.id != registry.owner_id:
            had = None if registry.owner_id is None else user_rows.find(tx, registry.owner_id)
            registry_rows.set_owner(tx, registry.id, user.id, at=ctx.now())
            history.record(
                ctx,
                tx,
                "registry:owner",
                registry.name,
                project=registry,
                before=None if had is None else had.username,
                after=user.username,
            )
        return user


def make_named_owner(ctx: Context, project_id: int, username: str) -> User:
    """The user of that name is the registry's owner, as by `make_owner`.

    Raises:
        NotFound, Forbidden: as `make_owner`.
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        user = _named_user(tx, registry, organization_id, username)
        return make_owner(ctx, registry.id, user.id)


def put_named_user(
    ctx: Context,
    project_id: int,
    username: str,
    role: Role | None,
    *,
    expected: Role | None = None,
) -> tuple[User, Role]:
    """The user is in the registry in that role; the user, and the role they have there.

    Without a role, who was there keeps theirs (R110) and who is new gets the one of R104.

    Raises:
        NotFound: the registry is absent or hidden, or the user is not in its organization.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
        EditedMeanwhile: they have neither this role nor the one expected.
        Unprocessable: a service account would become a viewer (R105).
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        user = _named_user(tx, registry, organization_id, username)
        had = rows.role_of_user(tx, registry.id, user.id)
        if role is not None:
            shown = user.username
            check_had(
                None if had is None else had.word,
                None if expected is None else expected.word,
                role.word,
                shown,
            )
        if had is None:
            add(ctx, registry.id, user_ids=[user.id], role=role)
        elif role is not None:
            set_user_role(ctx, registry.id, user.id, role)
        given = rows.role_of_user(tx, registry.id, user.id)
        if given is None:
            raise missing("This member")
        return user, given


def put_named_team(
    ctx: Context,
    project_id: int,
    name: str,
    role: Role | None,
    *,
    expected: Role | None = None,
) -> tuple[Entity, Role]:
    """The team is in the registry in that role; the team, and the role it has there.

    Without a role, a team that was there keeps its own (R110), a new one gets that of R104.

    Raises:
        NotFound: the registry is absent or hidden, or the team is not of its organization.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
        EditedMeanwhile: it has neither this role nor the one expected.
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        team = _named_team(tx, registry, organization_id, name)
        had = rows.role_of_team(tx, registry.id, team.id)
        if role is not None:
            shown = team.name
            check_had(
                None if had is None else had.word,
                None if expected is None else expected.word,
                role.word,
                shown,
            )
        if had is None:
            add(ctx, registry.id, team_ids=[team.id], role=role)
        elif role is not None:
            set_team_role(ctx, registry.id, team.id, role)
        given = rows.role_of_team(tx, registry.id, team.id)
        if given is None:
            raise missing("This member")
        return team, given


def remove_named_user(ctx: Context, project_id: int, username: str) -> None:
    """The user is not in the registry by themselves; who was not there is no error (R110).

    Raises:
        NotFound: the registry is absent or hidden, or the user is not in its organization.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        user = _named_user(tx, registry, organization_id, username)
        remove(ctx, registry.id, user_ids=[user.id])


def remove_named_team(ctx: Context, project_id: int, name: str) -> None:
    """The team is not in the registry; one that was not there is no error (R110).

    Raises:
        NotFound: the registry is absent or hidden, or the team is not of its organization.
        Forbidden: the actor is no Admin there.
        Conflict: it would be left without an Admin (R111).
    """
    with ctx.database.write() as tx:
        registry, organization_id = _manage(ctx, tx, project_id)
        team = _named_team(tx, registry, organization_id, name)
        remove(ctx, registry.id, team_ids=[team.id])


def _named_user(tx: Transaction, registry: Project, organization_id: int, username: str) -> User:
    """The user of that name, for who may manage members; one of elsewhere is as if absent."""
    known = entity_rows.lookup_key(username) is not None
    user = user_rows.find_by_name(tx, username) if known else None
    if user is None or organization_rows.find_role(tx, organization_id, user.id) is None:
        raise missing(f"User {username[:80]!r} in organization {registry.entity_name}")
    return user


def _named_team(tx: Transaction, registry: Project, organization_id: int, name: str) -> Entity:
    """The organization's team of that name."""
    known = entity_rows.lookup_key(name) is not None
    team = entity_rows.find_by_name(tx, name, EntityKind.TEAM) if known else None
    if team is None or team.organization_id != organization_id:
        raise missing(f"Team {name[:80]!r} in organization {registry.entity_name}")
    return team


def _record(
    ctx: Context,
    tx: Transaction,
    registry: Project,
    who: str,
    before: Role | None,
    after: Role | None,
) -> None:
    """The change of a role is in the registry's history."""
    if before is after:
        return
    history.record(
        ctx,
        tx,
        "member:set" if after is not None else "member:remove",
        who,
        project=registry,
        before=None if before is None else before.word,
        after=None if after is None else after.word,
    )


def _manage(ctx: Context, tx: Transaction, project_id: int) -> tuple[Project, int]:
    """The registry whose members the actor may change, and its organization's id."""
    project = project_rows.find(tx, project_id)
    if project is None:
        raise missing("This registry")
    access.require(ctx, tx, project, Permission.MANAGE_MEMBERS, "This registry")
    if not project.is_registry or project.organization_id is None:
        raise NotFound(
            f"{project.place} is no registry: who works in it is decided in its team's members"
        )
    return project, project.organization_id


def _user(
    tx: Transaction, registry: Project, organization_id: int, user_id: int
) -> tuple[User, GroupRole]:
    user = user_rows.find(tx, user_id)
    role = organization_rows.find_role(tx, organization_id, user_id)
    if user is None or role is None:
        raise missing(f"User {user_id} in organization {registry.entity_name}")
    return user, role


def _team(tx: Transaction, registry: Project, organization_id: int, team_id: int) -> Entity:
    team = entity_rows.find(tx, team_id)
    if team is None or team.kind is not EntityKind.TEAM or team.organization_id != organization_id:
        raise missing(f"Team {team_id} in organization {registry.entity_name}")
    return team
