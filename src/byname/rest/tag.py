"""Tags of collections and versions over REST (R94 to R97)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel

from byname.operations import collection as collections
from byname.operations import listing
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.rest.asking import Asking
from byname.rest.collection import COLLECTIONS, CollectionName, find
from byname.rest.once import Router
from byname.rest.registry import OrganizationName, RegistryName
from byname.rest.version import VersionName, find_version

router = Router(tags=["tags"])

Tag = Annotated[
    str, Path(description="Words of letters, digits, `_` and `-`, separated by spaces.")
]


class Tags(BaseModel):
    """All tags of one thing, in the order in which they were given."""

    tags: list[str]


@router.put(COLLECTIONS + "/{collection}/tags/{tag}", summary="Tag a collection")
def add_collection_tag(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    tag: Tag,
) -> Tags:
    """Give a collection a tag. For members."""
    project, found = find(ctx, organization, registry, collection)
    place = Place(project.entity_name, project.name, found.name)
    return Tags(tags=collections.edit_tags(ctx, place, add=[tag])[1])


@router.delete(COLLECTIONS + "/{collection}/tags/{tag}", summary="Untag a collection")
def remove_collection_tag(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    tag: Tag,
) -> Tags:
    """Take a tag from a collection; one it does not have is no error. For members."""
    project, found = find(ctx, organization, registry, collection)
    place = Place(project.entity_name, project.name, found.name)
    return Tags(tags=collections.edit_tags(ctx, place, remove=[tag])[1])


@router.put(COLLECTIONS + "/{collection}/versions/{version}/tags/{tag}", summary="Tag a version")
def add_version_tag(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
    tag: Tag,
) -> Tags:
    """Give a version a tag, which every link of it shows. For members."""
    place = find_version(ctx, organization, registry, collection, version)
    versions.edit(ctx, place.version.id, versions.VersionEdit(add_tags=[tag]))
    return Tags(tags=listing.version_tags(ctx, [place.version.id])[place.version.id])


@router.delete(
    COLLECTIONS + "/{collection}/versions/{version}/tags/{tag}", summary="Untag a version"
)
def remove_version_tag(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
    tag: Tag,
) -> Tags:
    """Take a tag from a version; one it does not have is no error. For members."""
    place = find_version(ctx, organization, registry, collection, version)
    versions.edit(ctx, place.version.id, versions.VersionEdit(remove_tags=[tag]))
    return Tags(tags=listing.version_tags(ctx, [place.version.id])[place.version.id])
