"""Projects and registries as they are read, and their artifact types."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from byname.domain.entity import Entity, User
from byname.domain.page import decode_id, encode_cursor, page_of, parse_first
from byname.domain.policy import Role
from byname.domain.project import ArtifactType, Project
from byname.graphql import loaders
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info
from byname.graphql.engine import names_below
from byname.graphql.entity import entities, users
from byname.graphql.features import EVENTS_NOT_READ
from byname.graphql.ids import to_id
from byname.operations import automation, search
from byname.operations import entity as entity_operations
from byname.operations import project as operations

query = QueryType()
mutation = MutationType()
project_type = ObjectType("Project")
entity_type = ObjectType("Entity")
user_type = ObjectType("User")

PROJECT = "Project"
INTERNAL = "ProjectInternalId"
TYPES = "types"
MINE = "my projects"


@query.field("project")
@query.field("model")
def resolve_project(
    _source: Any, info: Info, name: str | None = None, entity_name: str | None = None
) -> Project | None:
    """The project or registry of that name; null when it is absent or hidden."""
    found = operations.find(info.context.ctx, entity_name, name)
    if found is not None:
        loaders.projects(info.context).put(found.id, found)
    return found


@query.field("models")
def resolve_projects(
    _source: Any,
    info: Info,
    entity_name: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection | None:
    """The projects of an entity; of an organization, its registries. Null for an unknown entity."""
    ctx = info.context.ctx
    found = entity_operations.find(ctx, entity_name or ctx.who.entity_name)
    return None if found is None else list_projects(info, found, after=after, first=first)


def list_projects(
    info: Info,
    entity: Entity,
    *,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection:
    """A page of the entity's projects (of an organization: registries) without the hidden ones."""
    page = search.projects(
        info.context.ctx,
        entity,
        filters=filters,
        order=order,
        after=after,
        first=first,
        only=_wanted(info),
    )
    entities(info.context).put(entity.id, entity)
    users(info.context).expect(p.created_by for p in page.items if p.created_by is not None)
    return connection(page)


def _wanted(info: Info) -> search.Only:
    """Who walks projects for their automations is shown those that have some (protocol 13, 14.1)."""
    if "triggers" not in names_below(info):
        return list
    ctx = info.context.ctx
    return lambda found: automation.projects_with_any(ctx, found, but=EVENTS_NOT_READ)


@entity_type.field("project")
def resolve_of_entity(source: Entity, info: Info, name: str | None = None) -> Project | None:
    """The entity's project or registry of that name; null when it is absent or hidden."""
    found: Project | None = resolve_project(None, info, name, source.name)
    return found


@entity_type.field("projects")
def resolve_all_of_entity(
    source: Entity,
    info: Info,
    filters: str | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> Connection:
    """Of an organization only registries, and only those the caller may see (protocol 12.5)."""
    return list_projects(info, source, filters=filters, order=order, after=after, first=first)


@user_type.field("projects")
def resolve_of_user(
    source: User, info: Info, after: str | None = None, first: int | None = None
) -> Connection | None:
    """The projects of the user's own entity, as far as the caller may see them.

    To the caller: all projects and registries that are theirs to see, for that is where the client
    looks for automations when it is not told where (protocol 14.1).
    """
    ctx = info.context.ctx
    if ctx.actor is not None and ctx.actor.user_id == source.id:
        size = parse_first(first)
        place = decode_id(MINE, after)
        found = search.all_projects(ctx, after=place, limit=size + 1, only=_wanted(info))
        return connection(page_of(found, size, lambda each: encode_cursor(MINE, each.id)))
    entity = entities(info.context).get(source.entity_id)
    return None if entity is None else list_projects(info, entity, after=after, first=first)


# ---- fields ------------------------------------------------------------------------------------


@project_type.field("id")
def resolve_id(source: Project, _info: Info) -> str:
    """The opaque id."""
    return to_id(PROJECT, source.id)


@project_type.field("internalId")
def resolve_internal_id(source: Project, _info: Info) -> str:
    """The id whose integer the client puts into filters (protocol 6)."""
    return to_id(INTERNAL, source.id)


@project_type.field("entity")
def resolve_entity(source: Project, info: Info) -> Entity | None:
    """The team, user or organization it belongs to."""
    return entities(info.context).get(source.entity_id)


@project_type.field("user")
def resolve_user(source: Project, info: Info) -> User | None:
    """Who made it."""
    return None if source.created_by is None else users(info.context).get(source.created_by)


@project_type.field("access")
def resolve_access(source: Project, _info: Info) -> str:
    """PRIVATE stands for visibility `organization` (protocol 7)."""
    return "RESTRICTED" if source.restricted else "PRIVATE"


@project_type.field("isBenchmark")
def resolve_benchmark(_source: Project, _info: Info) -> bool:
    """No project is one here."""
    return False


@project_type.field("readOnly")
def resolve_read_only(source: Project, info: Info) -> bool:
    """Whether the caller may only read."""
    role = operations.role_in(info.context.ctx, source)
    return role is None or role < Role.MEMBER


@project_type.field("allowAllArtifactTypesInRegistry")
def resolve_all_types(source: Project, _info: Info) -> bool:
    """Whether a registry takes versions of any type; ordinary projects always do."""
    return source.all_types


@project_type.field("artifactType")
def resolve_type(source: Project, info: Info, name: str) -> ArtifactType | None:
    """The type of that name, or null."""
    return operations.find_type(info.context.ctx, source, name)


@project_type.field("artifactTypes")
def resolve_types(
    source: Project,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    include_all: bool | None = None,
) -> Connection:
    """The types in use; with `includeAll` also those that a registry accepts (protocol 9.10)."""
    size = parse_first(first)
    found = operations.list_types(
        info.context.ctx,
        source,
        include_all=bool(include_all),
        after=decode_id(TYPES, after),
        limit=size + 1,
    )
    return connection(page_of(found, size, lambda each: encode_cursor(TYPES, each.id)))


@mutation.field("createArtifactType")
def create_type(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The project has a type of that name."""
    found = operations.create_type(
        info.context.ctx,
        input["entity_name"],
        input["project_name"],
        input["name"],
        description=input.get("description"),
    )
    info.context.loaders.clear()
    return {"artifact_type": found}


bindables = [query, mutation, project_type, entity_type, user_type]
