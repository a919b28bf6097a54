"""Collections of a registry over REST (R31 to R39, R96)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.collection import Collection as Found
from byname.domain.project import Project
from byname.operations import collection as operations
from byname.operations import listing, search
from byname.operations import registry as registries
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import After, First, Order, OrganizationName, RegistryName

router = Router(tags=["collections"])

COLLECTIONS = "/registries/{organization}/{registry}/collections"
CollectionName = Annotated[str, Path(description="The collection's name.")]


class NewCollection(BaseModel):
    """An empty collection to create."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Zoo", "type": "model"}]}
    )

    name: str = Field(description="At most 128 characters, without `/` and `:`.")
    type: str = Field(description="The one type of artifacts it will hold, fixed for ever.")
    description: str | None = None
    tags: list[str] = Field(default_factory=list)


class CollectionEdit(BaseModel):
    """What to change of a collection; what is absent stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Park"}]})

    name: str | None = None
    description: str | None = None


class Collection(BaseModel):
    """A collection."""

    name: str
    full_name: str = Field(description="`organization/wandb-registry-name/collection`.")
    type: str
    description: str | None
    tags: list[str]
    version_count: int
    executions: int = Field(
        description="How often automations that watch it have run, as far as they are kept; at "
        "most 10,000."
    )
    created_at: datetime
    updated_at: datetime


class Collections(BaseModel):
    """A page of collections."""

    collections: list[Collection]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def show(ctx: Context, project: Project, found: list[Found]) -> list[Collection]:
    """Collections of one registry as this face shows them."""
    ids = [each.id for each in found]
    tags = listing.collection_tags(ctx, ids)
    executions = listing.executions_of_collections(ctx, ids)
    return [
        Collection(
            name=each.name,
            full_name=f"{project.place}/{each.name}",
            type=each.type_name,
            description=each.description,
            tags=tags.get(each.id, []),
            version_count=each.version_count,
            executions=executions.get(each.id, 0),
            created_at=each.created_at,
            updated_at=each.updated_at,
        )
        for each in found
    ]


def find(ctx: Context, organization: str, registry: str, collection: str) -> tuple[Project, Found]:
    """The registry and the collection that an address names.

    Raises:
        Unauthenticated: nobody is logged in.
        NotFound: one of them is absent or hidden.
    """
    project = registries.get_by_name(ctx, organization, registry)
    return project, operations.get_in(ctx, project, collection)


@router.get(COLLECTIONS, summary="List collections")
def list_collections(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    filters: Annotated[
        str | None, Query(description='JSON, for example `{"tag": "vision"}`.')
    ] = None,
    type: Annotated[str | None, Query(description="Of this type only.")] = None,  # noqa: A002
    order: Order = None,
    after: After = None,
    first: First = None,
) -> Collections:
    """List the collections of a registry."""
    project = registries.get_by_name(ctx, organization, registry)
    page = search.collections_of_project(
        ctx,
        project.id,
        type_name=type,
        filters=filters,
        order=order,
        after=after,
        first=first,
    )
    return Collections(
        collections=show(ctx, project, list(page.items)),
        next=page.end_cursor if page.has_next else None,
    )


@router.post(COLLECTIONS, status_code=201, summary="Create an empty collection")
def create_collection(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, body: NewCollection
) -> Collection:
    """Create a collection without versions. For members."""
    project = registries.get_by_name(ctx, organization, registry)
    made = operations.create(
        ctx,
        project.id,
        operations.NewCollection(
            name=body.name, type_name=body.type, description=body.description, tags=body.tags
        ),
    )
    return show(ctx, project, [made])[0]


@router.get(COLLECTIONS + "/{collection}", summary="Get a collection")
def get_collection(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, collection: CollectionName
) -> Collection:
    """Get a collection."""
    project, found = find(ctx, organization, registry, collection)
    return show(ctx, project, [found])[0]


@router.patch(COLLECTIONS + "/{collection}", summary="Edit or rename a collection")
def edit_collection(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    body: CollectionEdit,
) -> Collection:
    """Change a collection's name or description. For members. Names, versions and history stay."""
    project, found = find(ctx, organization, registry, collection)
    edited = operations.edit(
        ctx, found.id, is_sequence=False, name=body.name, description=body.description
    )
    return show(ctx, project, [edited])[0]


@router.delete(COLLECTIONS + "/{collection}", status_code=204, summary="Delete a collection")
def delete_collection(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, collection: CollectionName
) -> None:
    """Delete a collection with its links and names; the versions stay where they were made."""
    _, found = find(ctx, organization, registry, collection)
    operations.delete(ctx, found.id, is_sequence=False)
