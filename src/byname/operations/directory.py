"""Whom and what one may know of, a page at a time: people, organizations and who is in them.

One knows oneself and those one shares an organization with, one's organizations and all teams in
these; server administrators know all. What is not known is answered as if it were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.entity import Entity, EntityKind, GroupMember, User
from byname.domain.errors import missing
from byname.domain.names import fold
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import GroupRole
from byname.operations import group
from byname.operations.context import Context
from byname.operations.organization import get_organization
from byname.operations.team import get_team
from byname.store import entity as entity_rows
from byname.store import group as rows
from byname.store import user as user_rows
from byname.store.database import Transaction


def list_people(
    ctx: Context, *, text: str = "", after: str | None = None, first: int | None = None
) -> Page[User]:
    """The people the actor knows, by user name: all, or those whose names or address hold the text.

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    actor = ctx.who
    limit = parse_first(first, 50)
    known_to = None if actor.server_admin else (actor.user_id, list(actor.organizations))
    with ctx.database.read() as tx:
        found = user_rows.list_people(
            tx,
            text=text,
            after=decode_text("people", after),
            limit=limit + 1,
            known_to=known_to,
        )
    return page_of(found, limit, lambda user: encode_cursor("people", fold(user.username)))


@dataclass(frozen=True, slots=True)
class Belonging:
    """An organization or team that somebody is in."""

    group: Entity
    organization: str
    """The name of the organization that it is, or is of."""
    role: GroupRole


def get_person(ctx: Context, username: str) -> tuple[User, list[Belonging]]:
    """A person or service account, and where they belong, as far as the actor knows of it.

    Raises:
        NotFound: there is none of that name, or the actor does not know them.
    """
    actor = ctx.who
    with ctx.database.read() as tx:
        user = user_rows.find_by_name(tx, username)
        listed = [] if user is None else rows.list_of_user(tx, user.id)
        homes = entity_rows.find_many(
            tx, sorted({group.organization_id or group.id for group, _ in listed})
        )
    oneself = user is not None and user.id == actor.user_id
    found = [
        Belonging(group, homes[home_id].name, role)
        for group, role in listed
        if (home_id := group.organization_id or group.id) in homes
        and (oneself or actor.belongs_to(home_id))
    ]
    if user is None or not (found or oneself or actor.server_admin):
        raise missing(f"User {username[:80]!r}")
    return user, found


@dataclass(frozen=True, slots=True)
class Home:
    """An organization, and what the actor is there."""

    organization: Entity
    members: int
    teams: int
    role: GroupRole | None
    """None for a server administrator who is not in it."""


def list_organizations(
    ctx: Context, *, after: str | None = None, first: int | None = None
) -> Page[Home]:
    """The organizations the actor is in, by name; all of the server, for its administrators.

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    actor = ctx.who
    limit = parse_first(first, 50)
    with ctx.database.read() as tx:
        listed = rows.list_organizations(
            tx,
            of_user=None if actor.server_admin else actor.user_id,
            after=decode_text("organizations", after),
            limit=limit + 1,
        )
        found = _homes(ctx, tx, listed)
    return page_of(
        found, limit, lambda each: encode_cursor("organizations", fold(each.organization.name))
    )


def get_home(ctx: Context, name: str) -> Home:
    """The organization of that name.

    Raises:
        NotFound: there is none, or the actor is not in it.
    """
    with ctx.database.read() as tx:
        return _homes(ctx, tx, [get_organization(ctx, tx, name)])[0]


def _homes(ctx: Context, tx: Transaction, listed: Sequence[Entity]) -> list[Home]:
    ids = [each.id for each in listed]
    people = rows.members_of_many(tx, EntityKind.ORGANIZATION, ids)
    teams = rows.teams_of_many(tx, ids)
    roles = ctx.who.organizations
    return [Home(each, people[each.id], teams[each.id], roles.get(each.id)) for each in listed]


def list_members(
    ctx: Context,
    organization: str,
    *,
    text: str = "",
    after: str | None = None,
    first: int | None = None,
) -> Page[GroupMember]:
    """Who is in the organization, by user name, for everyone in it.

    Its admins are told of those who are deactivated there too.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Unprocessable: the cursor is not of this list.
    """
    with ctx.database.read() as tx:
        found = get_organization(ctx, tx, organization)
        return group.members(ctx, found, text=text, away=True, after=after, first=first)


def list_team_members(
    ctx: Context,
    team: str,
    *,
    text: str = "",
    after: str | None = None,
    first: int | None = None,
) -> Page[GroupMember]:
    """Who is in the team, by user name, for everyone in its organization.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Unprocessable: the cursor is not of this list.
    """
    with ctx.database.read() as tx:
        found = get_team(ctx, tx, team)
        return group.members(ctx, found, text=text, after=after, first=first)
