"""What pages show of many things at once, by set queries: a longer list costs no more statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.entity import Entity
from byname.domain.page import Page
from byname.domain.policy import Role
from byname.domain.project import Project
from byname.operations import access, search
from byname.operations.context import Context
from byname.store import overview as rows
from byname.store import star as star_rows


@dataclass(frozen=True, slots=True)
class Card:
    """A registry in a list."""

    registry: Project
    types: list[str]
    """Its list of accepted types; empty where it accepts all."""
    collections: int
    versions: int
    role: Role
    starred: bool = False


def registries(
    ctx: Context, organization: Entity, *, after: str | None = None, first: int = 60
) -> tuple[list[Card], Page[Project]]:
    """A page of the organization's registries that the actor may see: starred first, by name (R28).

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    page = search.projects(ctx, organization, order="+starred", after=after, first=first)
    ids = [project.id for project in page.items]
    with ctx.database.read() as tx:
        sizes = rows.sizes_of_projects(tx, ids)
        types = rows.accepted_types_of_projects(tx, ids)
        roles = access.roles_in(tx, ctx.actor, page.items)
        starred = star_rows.among(tx, ctx.who.user_id, ids)
    cards = []
    for project in page.items:
        role = roles[project.id]
        if role is not None:
            listed = [] if project.all_types else types[project.id]
            cards.append(Card(project, listed, *sizes[project.id], role, project.id in starred))
    return cards, page


@dataclass(frozen=True, slots=True)
class Standing:
    """A place where the actor may see a version."""

    project: Project
    collection: str
    number: int


def standings(ctx: Context, version_ids: Sequence[int]) -> dict[int, Standing]:
    """For each of these versions the first place at which the actor may see it, if there is one.

    Nothing is told of places that are hidden from them (R55, R112).
    """
    with ctx.database.read() as tx:
        places = rows.places_of_versions(tx, version_ids)
        shown = access.visible_projects(ctx, {project_id for _, project_id, _, _ in places})
    found: dict[int, Standing] = {}
    for version_id, project_id, collection, number in places:
        if project_id in shown:
            found.setdefault(version_id, Standing(shown[project_id], collection, number))
    return found


def visible_projects(ctx: Context, ids: Sequence[int]) -> dict[int, Project]:
    """Of these projects those the actor may see, by id."""
    return access.visible_projects(ctx, ids)


def sizes(ctx: Context, registry: Project) -> tuple[int, int]:
    """How many collections and versions a registry holds that the actor was shown."""
    with ctx.database.read() as tx:
        return rows.sizes_of_projects(tx, [registry.id])[registry.id]


def protected_holders(
    ctx: Context, registry: Project, collection_ids: Sequence[int]
) -> dict[int, list[tuple[str, int]]]:
    """Which number holds each protected alias, by collection, of a registry the actor was shown."""
    found: dict[int, list[tuple[str, int]]] = {each: [] for each in collection_ids}
    with ctx.database.read() as tx:
        for collection_id, name, number in rows.protected_holders(tx, registry.id, collection_ids):
            found[collection_id].append((name, number))
    return found
