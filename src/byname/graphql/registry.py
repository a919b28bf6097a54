"""Making, changing and deleting projects and registries, and searching in an entity's registries."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain import names
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import Unprocessable, missing
from byname.domain.project import Project
from byname.graphql import loaders
from byname.graphql.collection import expect_collections, expect_memberships
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info
from byname.graphql.ids import from_id
from byname.graphql.project import INTERNAL, PROJECT
from byname.operations import entity as entity_operations
from byname.operations import project as project_operations
from byname.operations import registry as operations
from byname.operations import search

mutation = MutationType()
entity_type = ObjectType("Entity")

_RESTRICTED = {"PRIVATE": False, "RESTRICTED": True}


@entity_type.field("artifactCollections")
def resolve_collections(
    source: Entity,
    info: Info,
    project_filters: str | None = None,
    filters: str | None = None,
    collection_types: list[str] | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> Connection:
    """The collections in the registries (or projects) that the caller may see."""
    page = search.collections(
        info.context.ctx,
        source,
        project_filters=project_filters,
        filters=filters,
        kinds=None if collection_types is None else [word.lower() for word in collection_types],
        order=order,
        after=after,
        first=first,
    )
    expect_collections(info.context, list(page.items))
    return connection(page)


@entity_type.field("artifactMemberships")
def resolve_memberships(
    source: Entity,
    info: Info,
    project_filters: str | None = None,
    collection_filters: str | None = None,
    filters: str | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> Connection:
    """The versions in the registries (or projects) that the caller may see, each once (R124)."""
    page = search.memberships(
        info.context.ctx,
        source,
        project_filters=project_filters,
        collection_filters=collection_filters,
        filters=filters,
        order=order,
        after=after,
        first=first,
    )
    expect_memberships(info.context, list(page.items))
    return connection(page)


# ---- making and changing -----------------------------------------------------------------------


@mutation.field("upsertModel")
def upsert(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The project or registry is as given; what is absent or null stays as it is."""
    if input.get("id") is None and not input.get("name"):
        raise Unprocessable("Say which project: its id, or its name", field="name")
    ctx = info.context.ctx
    found = _find(info, input)
    name = input["name"] if found is None else found.name
    if found is not None and found.is_registry:
        project, inserted = operations.edit(ctx, found.id, _edit_of(input)), False
    elif found is None and names.is_registry(name) and _is_organization(info, input):
        project, inserted = operations.create(ctx, _new(info, input, name)), True
    else:
        entity = found.entity_name if found is not None else input.get("entity_name")
        project, inserted = _upsert_ordinary(info, entity, name, input)
    wanted = input.get("name")
    if input.get("id") is not None and wanted and wanted != project.name:
        project = _rename(info, project, wanted)
    return _answer(info, project, inserted=inserted)


def _find(info: Info, input: dict[str, Any]) -> Project | None:  # noqa: A002
    if input.get("id") is not None:
        project_id = from_id(input["id"], PROJECT, INTERNAL)
        return project_operations.get(info.context.ctx, project_id)
    return project_operations.find(info.context.ctx, input.get("entity_name"), input["name"])


def _is_organization(info: Info, input: dict[str, Any]) -> bool:  # noqa: A002
    ctx = info.context.ctx
    name = input.get("entity_name") or ctx.who.entity_name
    entity = entity_operations.find(ctx, name)
    if entity is None:
        raise missing(f"Organization {name[:80]!r}")
    return entity.kind is EntityKind.ORGANIZATION


def _restricted(input: dict[str, Any]) -> bool | None:  # noqa: A002
    access = input.get("access")
    if access is None:
        return None
    if access not in _RESTRICTED:
        raise Unprocessable(
            f"Invalid visibility {access[:80]!r}: PRIVATE (visible to the organization) or "
            "RESTRICTED are allowed",
            field="access",
        )
    return _RESTRICTED[access]


def _types(input: dict[str, Any]) -> list[str]:  # noqa: A002
    return [each["name"] for each in input.get("artifact_types") or []]


def _new(info: Info, input: dict[str, Any], name: str) -> operations.NewRegistry:  # noqa: A002
    return operations.NewRegistry(
        organization=input.get("entity_name") or info.context.ctx.who.entity_name,
        name=name,
        description=input.get("description"),
        restricted=bool(_restricted(input)),
        all_types=input.get("allow_all_artifact_types_in_registry"),
        types=_types(input),
    )


def _edit_of(input: dict[str, Any]) -> operations.RegistryEdit:  # noqa: A002
    return operations.RegistryEdit(
        description=input.get("description"),
        restricted=_restricted(input),
        all_types=input.get("allow_all_artifact_types_in_registry"),
        add_types=_types(input),
        owner_id=None if input.get("owner") is None else from_id(input["owner"], "User"),
        # The client has no way to ask back: who saves a visibility there means it.
        confirm=True,
    )


def _upsert_ordinary(
    info: Info,
    entity: str | None,
    name: str,
    input: dict[str, Any],  # noqa: A002
) -> tuple[Project, bool]:
    if _restricted(input) or input.get("artifact_types") or input.get("owner"):
        raise Unprocessable(
            f"{name} is no registry: who may see a project is decided in its team, it takes all "
            "artifact types, and it has no owner",
            field="access",
        )
    return project_operations.upsert(
        info.context.ctx, entity, name, description=input.get("description")
    )


def _rename(info: Info, project: Project, name: str) -> Project:
    if project.is_registry:
        return operations.rename(info.context.ctx, project.id, name)
    return project_operations.rename(info.context.ctx, project.id, name)


def _answer(info: Info, project: Project, *, inserted: bool) -> dict[str, Any]:
    info.context.loaders.clear()
    loaders.projects(info.context).put(project.id, project)
    return {"project": project, "model": project, "inserted": inserted}


@mutation.field("renameProject")
def rename(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The project or registry has the new name."""
    entity, name = input["entity_name"], input["old_project_name"]
    found = project_operations.find(info.context.ctx, entity, name)
    if found is None:
        raise missing(f"Project {entity[:80]}/{name[:128]}")
    project = _rename(info, found, input["new_project_name"])
    return _answer(info, project, inserted=False)


@mutation.field("deleteModel")
def delete(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The project or registry is deleted with all it holds; linked versions stay (R170)."""
    ctx = info.context.ctx
    found = project_operations.get(ctx, from_id(input["id"], PROJECT, INTERNAL))
    if found.is_registry:
        operations.delete(ctx, found.id)
    else:
        project_operations.delete(ctx, found.id)
    info.context.loaders.clear()
    return {"success": True, "client_mutation_id": input.get("client_mutation_id")}


bindables = [mutation, entity_type]
