"""Filtered lists: of registries, collections and linked versions, over what the actor may see.

What is visible is decided before anything is looked for, so that nothing hidden is found, counted
or guessed by a filter (R112, R114).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from byname.domain.collection import Collection, Membership
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import Unprocessable
from byname.domain.filter import (
    COLLECTION_FIELDS,
    REGISTRY_FIELDS,
    VERSION_FIELDS,
    Condition,
    Fields,
    Node,
    Test,
)
from byname.domain.filter_text import parse
from byname.domain.names import fold
from byname.domain.page import Key, Page, decode_cursor, encode_cursor, page_of, parse_first
from byname.domain.project import Project
from byname.operations import access
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import search as rows
from byname.store import star as star_rows
from byname.store.condition import VERSION_COLUMNS
from byname.store.database import Transaction
from byname.store.moment import microseconds

T = TypeVar("T")
SECONDS_MAX = 10.0
AT_ONCE = 5_000
PORTION = 500
"""How many registries one statement about roles carries."""

_SORTED_BY = {"name": "name", "created_at": "created_at", "updated_at": "updated_at"}
_REGISTRIES_SORTED_BY = {**_SORTED_BY, "starred": "starred"}
_VERSIONS_SORTED_BY = {
    "created_at": "created_at",
    "artifact_created_at": "created_at",
    "updated_at": "updated_at",
    "artifact_size": "artifact_size",
    "size": "artifact_size",
    "acm_created_at": "acm_created_at",
    "linked_at": "acm_created_at",
}
_CAMEL_CASE = {"createdAt": "created_at", "updatedAt": "updated_at", "sizeBytes": "size"}


def _order(
    text: str | None, fields: dict[str, str], *, default: str, strict: bool
) -> tuple[str, bool]:
    """Field, and whether from high to low. `+` (or nothing) is from low to high.

    Lists that are not strict ignore what they do not know, for clients send anything (protocol 13).
    """
    given = (text or default).strip()
    descending = given.startswith("-")
    word = given.lstrip("+-")
    word = _CAMEL_CASE.get(word, word)
    if word in fields:
        return fields[word], descending
    if strict and text and text.strip():
        raise Unprocessable(
            f"Unknown order {text[:80]!r}; valid ones: {', '.join(fields)}, each with + or -",
            code="order",
            field="order",
        )
    return default.lstrip("+-"), default.startswith("-")


def _after(kind: str, text: str | None, value_type: type) -> tuple[Key, int] | None:
    """The sort value and the id in a cursor."""
    if not text:
        return None
    values = decode_cursor(kind, text)
    if len(values) != 2 or not isinstance(values[0], value_type) or not isinstance(values[1], int):
        raise Unprocessable("This cursor is not one of ours; start again without it", field="after")
    return values[0], values[1]


def _parse(text: str | None, fields: Fields, argument: str) -> Node | None:
    try:
        return parse(text, fields)
    except Unprocessable as error:
        error.details["field"] = argument
        raise


# ---- registries --------------------------------------------------------------------------------


def visible_registries(
    ctx: Context, tx: Transaction, organization_id: int, wanted: Node | None = None
) -> list[Project]:
    """The organization's registries that the actor may see and that fulfil the filter, by id."""
    if ctx.actor is None or not ctx.actor.belongs_to(organization_id):
        return []
    found = rows.list_projects(tx, organization_id, kind="registry", wanted=wanted)
    shown: list[Project] = []
    for start in range(0, len(found), AT_ONCE):
        portion = found[start : start + AT_ONCE]
        roles = access.roles_in(tx, ctx.actor, portion)
        shown += [project for project in portion if roles[project.id] is not None]
    return shown


def visible_projects(
    ctx: Context, tx: Transaction, entity: Entity, wanted: Node | None = None
) -> list[Project]:
    """Of an organization: its registries; of a team or person: its projects; as the actor may see.

    They come in the order of their ids.
    """
    if entity.kind is EntityKind.ORGANIZATION:
        return visible_registries(ctx, tx, entity.id, wanted)
    if ctx.actor is None:
        return []
    found = rows.list_projects(tx, entity.id, kind="project", wanted=wanted)
    roles = access.roles_in(tx, ctx.actor, found)
    return [project for project in found if roles[project.id] is not None]


Only = Callable[[list[Project]], list[Project]]
"""Of some projects those that are wanted."""


def all_projects(ctx: Context, *, after: int, limit: int, only: Only = list) -> list[Project]:
    """Some of the projects and registries that the actor has to do with, by id from behind an id.

    Those of their own entity, their teams, their organizations, and all teams that they administer.

    Raises:
        Unprocessable: it would take too long (R123), as where hardly any is wanted of very many.
    """
    actor = ctx.who
    shown: list[Project] = []
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        homes = {actor.entity_id, *actor.teams, *actor.organizations}
        administered = [each for each in actor.organizations if actor.administers(each)]
        for organization_id in administered:
            homes.update(team.id for team in entity_rows.list_teams(tx, organization_id))
        while len(shown) < limit:
            portion = rows.list_projects_of(tx, sorted(homes), after=after, limit=PORTION)
            roles = access.roles_in(tx, actor, portion)
            shown += only([project for project in portion if roles[project.id] is not None])
            if len(portion) < PORTION:
                break
            after = portion[-1].id
    return shown[:limit]


def projects(
    ctx: Context,
    entity: Entity,
    *,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
    only: Only = list,
) -> Page[Project]:
    """A page of the entity's registries (of an organization) or projects, without the hidden ones.

    In the order `starred` those that the actor starred come first; then by name, whatever its case
    (R28).

    Raises:
        Unprocessable: filter, order, cursor or page size cannot be used.
    """
    wanted = _parse(filters, REGISTRY_FIELDS, "filters")
    strict = entity.kind is EntityKind.ORGANIZATION
    fields = _REGISTRIES_SORTED_BY if strict else _SORTED_BY
    name, descending = _order(order, fields, default="+id", strict=strict)
    size = parse_first(first)
    kind = f"projects {entity.id} {'-' if descending else '+'}{name}"
    place = _after(kind, after, str if name in ("name", "starred") else int)
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        found = only(visible_projects(ctx, tx, entity, wanted))
        starred = star_rows.of_user(tx, ctx.who.user_id) if name == "starred" else set()

    def key(project: Project) -> tuple[str | int, int]:
        if name == "starred":
            return ("0" if project.id in starred else "1") + fold(project.name), project.id
        return _sort_value(project, name), project.id

    total = len(found)
    found.sort(key=key, reverse=descending)
    if place is not None:
        found = [p for p in found if (key(p) < place if descending else key(p) > place)]
    return page_of(found, size, lambda p: encode_cursor(kind, *key(p)), total=total)


def _sort_value(item: Project | Collection, name: str) -> str | int:
    if name == "name":
        return item.name
    if name == "id":
        return item.id
    return microseconds(item.created_at if name == "created_at" else item.updated_at)


# ---- collections -------------------------------------------------------------------------------


def collections(
    ctx: Context,
    entity: Entity,
    *,
    project_filters: str | None = None,
    filters: str | None = None,
    kinds: Sequence[str] | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Collection]:
    """A page of the collections in the entity's registries (or projects) that the actor may see.

    `kinds`: portfolio, sequence, or both.

    Raises:
        Unprocessable: a filter, the order, the cursor or the page size cannot be used.
    """
    of_projects = _parse(project_filters, REGISTRY_FIELDS, "projectFilters")
    wanted = _parse(filters, COLLECTION_FIELDS, "filters")
    with ctx.database.read() as tx:
        with tx.within(SECONDS_MAX):
            shown = visible_projects(ctx, tx, entity, of_projects)
        scope = rows.Scope(
            [project.id for project in shown],
            wanted,
            ("portfolio", "sequence") if kinds is None else kinds,
        )
        place = f"collections {entity.id}"
        return _collections(ctx, scope, place, order, after, parse_first(first), strict=True)


def collections_of_project(
    ctx: Context,
    project_id: int,
    *,
    type_name: str | None = None,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Collection]:
    """A page of the collections (of one type) of a project the actor was shown.

    Raises:
        Unprocessable: the filter, the cursor or the page size cannot be used.
    """
    wanted = _parse(filters, COLLECTION_FIELDS, "filters")
    scope = rows.Scope([project_id], wanted, type_name=type_name)
    place = f"collections of {project_id}"
    return _collections(ctx, scope, place, order, after, parse_first(first), strict=False)


def _collections(
    ctx: Context,
    scope: rows.Scope,
    place: str,
    order: str | None,
    after: str | None,
    size: int,
    *,
    strict: bool,
) -> Page[Collection]:
    name, descending = _order(order, _SORTED_BY, default="+id", strict=strict)
    kind = f"{place} {'-' if descending else '+'}{name}"
    ordered = rows.Order(
        f"c.{name}", descending, _after(kind, after, str if name == "name" else int)
    )
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        found = rows.list_collections(tx, scope, ordered, size + 1)
    return page_of(
        found,
        size,
        lambda c: encode_cursor(kind, _sort_value(c, name), c.id),
        total=_later(ctx, lambda tx: rows.count_collections(tx, scope)[0]),
    )


def _later(ctx: Context, count: Callable[[Transaction], int]) -> Callable[[], int]:
    """Count when somebody asks for the number, and not before."""

    def total() -> int:
        with ctx.database.read() as tx, tx.within(SECONDS_MAX):
            return count(tx)

    return total


# ---- versions ----------------------------------------------------------------------------------


def memberships(
    ctx: Context,
    entity: Entity,
    *,
    project_filters: str | None = None,
    collection_filters: str | None = None,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Membership]:
    """A page of the versions in the entity's registries (or projects) that the actor may see.

    Newest link first where no order is asked for.

    Raises:
        Unprocessable: a filter, the order, the cursor or the page size cannot be used.
    """
    of_projects = _parse(project_filters, REGISTRY_FIELDS, "projectFilters")
    of_collections = _parse(collection_filters, COLLECTION_FIELDS, "collectionFilters")
    wanted = _parse(filters, VERSION_FIELDS, "filters")
    size = parse_first(first)
    name, descending = _order(order, _VERSIONS_SORTED_BY, default="-id", strict=True)
    kind = f"memberships {entity.id} {'-' if descending else '+'}{name}"
    column = "m.id" if name == "id" else str(VERSION_COLUMNS[name])
    ordered = rows.Order(column, descending, _after(kind, after, int))
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        shown = visible_projects(ctx, tx, entity, of_projects)
        scope = rows.Scope([project.id for project in shown], of_collections)
        found = rows.list_memberships(tx, scope, wanted, ordered, size + 1)
        values = _values(tx, found, name, column)
    return page_of(
        found,
        size,
        lambda m: encode_cursor(kind, values.get(m.id, m.id), m.id),
        total=_later(ctx, lambda tx: rows.count_memberships(tx, scope, wanted)),
    )


def _values(tx: Transaction, found: list[Membership], name: str, column: str) -> dict[int, int]:
    return {} if name == "id" or not found else rows.sort_values(tx, [m.id for m in found], column)


def versions_of_collection(
    ctx: Context,
    collection_id: int,
    *,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Membership]:
    """A page of the versions in a collection the actor was shown; the highest number first.

    Raises:
        Unprocessable: the filter, the cursor or the page size cannot be used.
    """
    wanted = _parse(filters, VERSION_FIELDS, "filters")
    if isinstance(wanted, Condition) and _says_committed(wanted):
        # All are, and the client always asks.
        wanted = None
    size = parse_first(first)
    name, descending = _order(order, _VERSIONS_SORTED_BY, default="-version", strict=False)
    kind = f"versions of {collection_id} {'-' if descending else '+'}{name}"
    column = str(VERSION_COLUMNS[name])
    ordered = rows.Order(column, descending, _after(kind, after, int))
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        found = rows.list_of_collection(tx, collection_id, wanted, ordered, size + 1)
        values = _values(tx, found, "id" if name == "version" else name, column)
    return page_of(
        found,
        size,
        lambda m: encode_cursor(kind, values.get(m.id, m.number), m.number),
        total=_later(ctx, lambda tx: _count_of_collection(tx, collection_id, wanted)),
    )


def _says_committed(wanted: Condition) -> bool:
    return wanted.field.name == "state" and wanted.test is Test.EQ and wanted.value == "COMMITTED"


def _count_of_collection(tx: Transaction, collection_id: int, wanted: Node | None) -> int:
    if wanted is None:
        collection = collection_rows.find(tx, collection_id)
        return 0 if collection is None else collection.version_count
    return rows.count_of_collection(tx, collection_id, wanted)
