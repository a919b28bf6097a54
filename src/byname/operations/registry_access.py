"""Who has access to a registry, in which role, and who could be given it (R108, P4, P25)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.entity import User
from byname.domain.errors import missing
from byname.domain.page import Page, decode_id, encode_cursor, page_of, parse_first
from byname.domain.policy import Actor, Permission, Role, registry_role
from byname.domain.project import Project
from byname.operations import access
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import project as project_rows
from byname.store import registry_access as rows

CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Person:
    """A user who was added to a registry."""

    user: User
    given: Role
    effective: Role
    """The highest role that applies, which may come from elsewhere (R102)."""


def list_people(
    ctx: Context,
    registry: Project,
    text: str = "",
    *,
    after: str | None = None,
    first: int | None = None,
) -> Page[Person]:
    """A page of the users who were added to a registry that the actor was shown (P4).

    With a text only those whose name or e-mail address holds it.

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    size = parse_first(first, 50)
    start = decode_id("people", after)
    organization_id = registry.organization_id
    if organization_id is None or entity_rows.lookup_key(text) is None:
        return page_of([], size, lambda _: "")
    with ctx.database.read() as tx:
        found = rows.list_given(tx, registry.id, organization_id, text, after=start, limit=size + 1)
    people = [
        Person(each.user, each.role, _effective(registry, organization_id, each)) for each in found
    ]
    return page_of(people, size, lambda person: encode_cursor("people", person.user.id))


def _effective(registry: Project, organization_id: int, given: rows.Given) -> Role:
    organizations = (
        {} if given.organization_role is None else {organization_id: given.organization_role}
    )
    actor = Actor(
        user_id=given.user.id,
        username=given.user.username,
        email=given.user.email,
        entity_id=given.user.entity_id,
        entity_name=given.user.entity_name,
        service=given.user.service,
        server_admin=given.user.server_admin,
        organizations=organizations,
    )
    role = registry_role(
        actor,
        organization_id=organization_id,
        restricted=registry.restricted,
        default_role=registry.default_role,
        direct=given.role,
        of_teams=given.of_teams,
    )
    return given.role if role is None else role


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who could be added: users, and teams by id and name."""

    users: list[User]
    teams: list[tuple[int, str]]


def find_candidates(ctx: Context, project_id: int, text: str) -> Candidates:
    """The first few of the organization who are not in the registry, and whose name fits (R108).

    Raises:
        NotFound: the registry is absent or hidden.
        Forbidden: the actor is no Admin there.
    """
    with ctx.database.read() as tx:
        registry = project_rows.find(tx, project_id)
        if registry is None or registry.organization_id is None:
            raise missing("This registry")
        access.require(ctx, tx, registry, Permission.MANAGE_MEMBERS, "This registry")
        if entity_rows.lookup_key(text) is None:
            return Candidates([], [])
        organization_id = registry.organization_id
        return Candidates(
            rows.list_candidates(tx, registry.id, organization_id, text, limit=CANDIDATES),
            rows.list_candidate_teams(tx, registry.id, organization_id, text, limit=CANDIDATES),
        )
