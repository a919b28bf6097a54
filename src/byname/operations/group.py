"""Organizations and teams as their people see them: members, teams and bytes, a page at a time.

Changing them is in `organization.py` and `team.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.entity import Entity, EntityKind, GroupMember
from byname.domain.errors import missing
from byname.domain.names import fold
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import GroupRole
from byname.domain.project import Project
from byname.operations import access, search
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.operations.organization import get_organization, get_own_organization
from byname.operations.team import get_team
from byname.store import entity as entity_rows
from byname.store import group as rows
from byname.store.database import Transaction

READ_SECONDS = 5.0


def why_not_administer(ctx: Context, group: Entity) -> str | None:
    """Why the actor may not change members of that organization or team; None when they may."""
    actor = ctx.who
    if actor.administers(group.organization_id) or (
        group.kind is EntityKind.TEAM and actor.teams.get(group.id) is GroupRole.ADMIN
    ):
        return None
    if group.kind is EntityKind.USER:
        return "This is somebody's own place, which has no members."
    roles = actor.teams if group.kind is EntityKind.TEAM else actor.organizations
    role = roles.get(group.id)
    yours = "none" if role is None else role.value
    return f"To change this you need the role admin in {group.name}; yours is {yours}."


def get_home(ctx: Context, name: str) -> Entity:
    """The team or personal entity of that name, in whose projects the actor may look.

    Everyone in an organization may know of its teams.

    Raises:
        NotFound: absent, hidden, or an organization.
    """
    with ctx.database.read() as tx:
        found = entity_rows.find_by_name(tx, name)
        if found is not None and found.kind is not EntityKind.ORGANIZATION:
            known = ctx.who.belongs_to(found.organization_id)
            if known or ctx.who.server_admin or access.may_read_entity(ctx, found):
                return found
    raise missing(f"Team {name[:80]!r}")


def members(
    ctx: Context,
    group: Entity,
    *,
    text: str = "",
    service: bool | None = None,
    away: bool = False,
    after: str | None = None,
    first: int | None = None,
) -> Page[GroupMember]:
    """Who is in an organization or team, by name, for everyone in the organization.

    `service` asks for service accounts only, or for people only; `away` also for those who are
    deactivated in the organization, of whom only its admins are told.

    Raises:
        NotFound: no such group, or the actor is not in its organization.
        Unprocessable: the cursor is not of this list.
    """
    limit = parse_first(first, 50)
    with ctx.database.read() as tx:
        found = _known(ctx, tx, group)
        listed = rows.list_members(
            tx,
            found,
            text=text,
            service=service,
            away=away and ctx.who.administers(found.id),
            after=decode_text("members", after),
            limit=limit + 1,
        )
        total = rows.count_members(tx, found, text=text, service=service)
    return page_of(
        listed,
        limit,
        lambda each: encode_cursor("members", fold(each.user.username)),
        total=total,
    )


def _known(ctx: Context, tx: Transaction, group: Entity) -> Entity:
    if group.kind is EntityKind.TEAM:
        return get_team(ctx, tx, group.name)
    return get_organization(ctx, tx, group.name)


@dataclass(frozen=True, slots=True)
class TeamCard:
    """A team in a list."""

    team: Entity
    organization: str
    members: int
    projects: int
    role: GroupRole | None
    """What the actor is there; None when they are not in it."""


def teams(
    ctx: Context, organization: str, *, after: str | None = None, first: int | None = None
) -> Page[TeamCard]:
    """The teams of the organization by name, for everyone in it.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Unprocessable: the cursor is not of this list.
    """
    limit = parse_first(first, 50)
    with ctx.database.read() as tx:
        found = get_organization(ctx, tx, organization)
        listed = rows.list_teams(tx, found.id, after=decode_text("teams", after), limit=limit + 1)
        cards = _team_cards(ctx, tx, found, listed)
        total = rows.count_teams(tx, found.id)
    return page_of(
        cards, limit, lambda each: encode_cursor("teams", fold(each.team.name)), total=total
    )


def team_card(ctx: Context, name: str) -> TeamCard:
    """The team of that name, for everyone in its organization.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
    """
    with ctx.database.read() as tx:
        team = get_team(ctx, tx, name)
        home = entity_rows.find_many(tx, [team.organization_id or 0])
        return _team_cards(ctx, tx, next(iter(home.values())), [team])[0]


def _team_cards(
    ctx: Context, tx: Transaction, home: Entity, listed: Sequence[Entity]
) -> list[TeamCard]:
    ids = [team.id for team in listed]
    people = rows.members_of_many(tx, EntityKind.TEAM, ids)
    projects = rows.projects_of_many(tx, ids)
    return [
        TeamCard(team, home.name, people[team.id], projects[team.id], ctx.who.teams.get(team.id))
        for team in listed
    ]


@dataclass(frozen=True, slots=True)
class Storage:
    """What an organization keeps: in all, and by team and registry, one page of each."""

    size_bytes: int
    teams: Page[tuple[Entity, int]]
    registries: Page[Project]
    linked: dict[int, tuple[int, int]]
    """How many links a registry shows and the bytes behind them, by the registry's id."""


def storage(
    ctx: Context,
    organization: str,
    *,
    teams_after: str | None = None,
    registries_after: str | None = None,
    first: int | None = None,
) -> Storage:
    """How many bytes an organization keeps, as its rows say. Equal content of a team counts once.

    A registry keeps no bytes of its own: what it links stays with the teams.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Forbidden: the actor is no admin of it.
        Unprocessable: a cursor is not of its list, or it takes longer than 5 seconds.
    """
    limit = parse_first(first, 50)
    with ctx.database.read() as tx:
        found = get_own_organization(ctx, tx, organization, "see the storage used")
        registries = search.projects(ctx, found, order="+name", after=registries_after, first=limit)
        with tx.within(READ_SECONDS):
            listed = rows.list_teams(
                tx, found.id, after=decode_text("teams", teams_after), limit=limit + 1
            )
            sizes = rows.bytes_of_many(tx, [team.id for team in listed])
            total = rows.bytes_of_organization(tx, found.id)
            linked = rows.bytes_linked_in(tx, [each.id for each in registries.items])
        count = rows.count_teams(tx, found.id)
    teams_page = page_of(
        [(team, sizes[team.id]) for team in listed],
        limit,
        lambda each: encode_cursor("teams", fold(each[0].name)),
        total=count,
    )
    return Storage(total, teams_page, registries, linked)


@dataclass(frozen=True, slots=True)
class OrganizationCard:
    """An organization in a list."""

    organization: Entity
    members: int
    teams: int
    registries: int


def organizations(
    ctx: Context, *, after: str | None = None, first: int | None = None
) -> Page[OrganizationCard]:
    """All organizations of this server, by name.

    Raises:
        Forbidden: the actor is no server administrator.
        Unprocessable: the cursor is not of this list.
    """
    require_server_admin(ctx, "see every organization")
    limit = parse_first(first, 50)
    with ctx.database.read() as tx:
        start = decode_text("organizations", after)
        listed = rows.list_organizations(tx, after=start, limit=limit + 1)
        ids = [each.id for each in listed]
        people = rows.members_of_many(tx, EntityKind.ORGANIZATION, ids)
        counted = rows.teams_of_many(tx, ids)
        registries = rows.projects_of_many(tx, ids)
    return page_of(
        [
            OrganizationCard(each, people[each.id], counted[each.id], registries[each.id])
            for each in listed
        ],
        limit,
        lambda each: encode_cursor("organizations", fold(each.organization.name)),
    )


def groups_of_user(ctx: Context, user_id: int) -> list[tuple[Entity, GroupRole]]:
    """The organizations and teams a user is in, with the role there, by name.

    Raises:
        Forbidden: the actor is no server administrator.
    """
    require_server_admin(ctx, "see everybody on this server")
    with ctx.database.read() as tx:
        return rows.list_of_user(tx, user_id)


OWN_PROJECTS_MAX = 200
OWN_ORGANIZATIONS_MAX = 5


def own_organizations(ctx: Context) -> list[str]:
    """The names of the organizations the actor is in, for a menu: the first five.

    Raises:
        Unauthenticated: nobody is logged in.
    """
    wanted = sorted(ctx.who.organizations)[:OWN_ORGANIZATIONS_MAX]
    with ctx.database.read() as tx:
        found = entity_rows.find_many(tx, wanted)
    return [found[each].name for each in wanted if each in found]


def own_homes(ctx: Context) -> list[tuple[Entity, list[Project]]]:
    """The actor's own place and teams, each with its projects changed last; 200 in all at most.

    Raises:
        Unauthenticated: nobody is logged in.
    """
    actor = ctx.who
    with ctx.database.read() as tx:
        own = entity_rows.find(tx, actor.entity_id)
        homes = [] if own is None else [own]
        homes += [each for each, _ in rows.list_of_user(tx, actor.user_id) if _is_home(each)]
        listed = rows.list_projects_of_many(tx, [each.id for each in homes], limit=OWN_PROJECTS_MAX)
    unique = {each.id: each for each in homes}
    return [
        (home, [each for each in listed if each.entity_id == home.id]) for home in unique.values()
    ]


def _is_home(entity: Entity) -> bool:
    return entity.kind is EntityKind.TEAM
