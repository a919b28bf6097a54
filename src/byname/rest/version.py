"""Versions in a registry's collections over REST: listing, linking, unlinking, editing, files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.collection import Collection, Membership
from byname.domain.errors import missing
from byname.domain.expiry import NO_TTL, TTL_INHERIT
from byname.domain.page import parse_first
from byname.domain.project import Project
from byname.domain.version import Version as FoundVersion
from byname.operations import access, content, listing, search
from byname.operations import collection as collections
from byname.operations import registry as registries
from byname.operations import version as operations
from byname.operations.context import Context
from byname.rest.asking import Addressing, Asking
from byname.rest.collection import COLLECTIONS, CollectionName, find
from byname.rest.once import Router
from byname.rest.registry import After, First, OrganizationName, RegistryName

router = Router(tags=["versions"])

VersionName = Annotated[str, Path(description="A number such as `v3`, or an alias.")]
FILES_MAX = 1_000


class NewLink(BaseModel):
    """A version to link."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"version": "team/project/model:v3", "aliases": ["production"]}]
        },
    )

    version: str = Field(description="A reference: `[entity/][project/]collection:version`.")
    aliases: list[str] = Field(default_factory=list)


class VersionEdit(BaseModel):
    """What to change of a version; what is absent stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"description": "Trained on 2026-01"}]}
    )

    description: str | None = None
    metadata: dict[str, Any] | None = Field(
        default=None, description="Replaces all of it; needs the role member where it was made."
    )
    add_tags: list[str] = Field(default_factory=list)
    remove_tags: list[str] = Field(default_factory=list)


class SourceEdit(VersionEdit):
    """What to change of a version wherever it stands; what is absent stays."""

    ttl: Annotated[int, Field(ge=1, strict=True)] | Literal["team", "never"] | None = Field(
        default=None,
        description="How many seconds it lives from its creation; `team`: as its team has it; "
        "`never` ends. For members of the project in which it was made.",
    )


class Version(BaseModel):
    """A version in a collection."""

    version: str = Field(description="Its number there, such as `v3`.")
    full_name: str
    aliases: list[str] = Field(description="Those it has in this collection.")
    tags: list[str]
    type: str
    digest: str
    description: str | None
    metadata: dict[str, Any]
    size_bytes: int
    file_count: int
    source: str | None = Field(
        description="Where it was made, `team/project/name:vN`; null when you may not see that."
    )
    linked_at: datetime
    created_at: datetime


class SourceVersion(Version):
    """A version in a collection of a registry or a project, and how long it lives."""

    ttl_seconds: int | None = Field(description="From its creation; null is for ever.")
    ttl_inherited: bool = Field(description="Whether it is as the team has it.")


class Versions(BaseModel):
    """A page of versions."""

    versions: list[Version]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


class File(BaseModel):
    """A file of a version, or a reference to one that is kept elsewhere."""

    path: str
    size_bytes: int
    digest: str
    sha256: str | None = Field(description="Null of a reference, whose bytes are not kept here.")
    url: str | None = Field(description="Where to fetch it, for some hours, without a key.")


class Files(BaseModel):
    """A page of a version's files."""

    files: list[File]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


@dataclass(frozen=True, slots=True)
class Placed:
    """A version as an address names it."""

    project: Project
    collection: Collection
    membership: Membership
    version: FoundVersion


def find_version(
    ctx: Context, organization: str, registry: str, collection: str, ref: str
) -> Placed:
    """The version that an address names.

    Raises:
        Unauthenticated: nobody is logged in.
        NotFound: a part of the address is absent or hidden.
    """
    project, found = find(ctx, organization, registry, collection)
    membership, version = collections.get_version_in(ctx, project, found, ref)
    return Placed(project, found, membership, version)


def show(
    ctx: Context, project: Project, collection: Collection, found: list[Membership]
) -> list[Version]:
    """Versions of one collection as this face shows them."""
    ids = [each.version_id for each in found]
    versions = listing.versions(ctx, ids)
    tags = listing.version_tags(ctx, ids)
    aliases = listing.aliases_of_memberships(ctx, [each.id for each in found])
    sources = access.visible_projects(ctx, {each.project_id for each in versions.values()})
    shown = []
    for each in found:
        version = versions.get(each.version_id)
        if version is None:
            continue
        source = sources.get(version.project_id)
        full_name = f"{project.place}/{collection.name}:v{each.number}"
        shown.append(
            Version(
                version=f"v{each.number}",
                full_name=full_name,
                aliases=aliases.get(each.id, []),
                tags=tags.get(version.id, []),
                type=version.type_name,
                digest=version.digest,
                description=version.description,
                metadata=json.loads(version.metadata or "{}"),
                size_bytes=version.size_bytes,
                file_count=version.file_count,
                source=None
                if source is None
                else f"{source.place}/{version.collection_name}:v{version.number}",
                linked_at=each.created_at,
                created_at=version.created_at,
            )
        )
    return shown


def _show_one(ctx: Context, placed: Placed) -> Version:
    shown = show(ctx, placed.project, placed.collection, [placed.membership])
    if not shown:
        raise missing("This version")
    return shown[0]


@router.get(COLLECTIONS + "/{collection}/versions", summary="List versions")
def list_versions(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    filters: Annotated[
        str | None, Query(description='JSON, for example `{"metadata.accuracy": {"$gt": 0.9}}`.')
    ] = None,
    order: Annotated[
        str | None,
        Query(description="`created_at`, `updated_at`, `size` or `linked_at`; `-` reverses."),
    ] = None,
    after: After = None,
    first: First = None,
) -> Versions:
    """List the versions of a collection, the highest number first."""
    project, found = find(ctx, organization, registry, collection)
    page = search.versions_of_collection(
        ctx, found.id, filters=filters, order=order, after=after, first=first
    )
    return Versions(
        versions=show(ctx, project, found, list(page.items)),
        next=page.end_cursor if page.has_next else None,
    )


@router.post(COLLECTIONS + "/{collection}/links", status_code=201, summary="Link a version")
def link_version(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: Annotated[str, Path(description="Created when missing, of the version's type.")],
    body: NewLink,
) -> Version:
    """Link a version under the collection's next number, and give it aliases there: all or nothing.

    A version that is there already keeps its number. For members who may read the version.
    """
    source = collections.resolve_reference(ctx, body.version)
    # Its name as it stands, so that the prefix and the case asked with do not matter.
    project = registries.get_by_name(ctx, organization, registry)
    made, membership = collections.link(
        ctx,
        collections.NewLink(
            entity=project.entity_name,
            project=project.name,
            collection=collection,
            version_id=source.version.id,
            aliases=body.aliases,
        ),
    )
    return _show_one(ctx, Placed(project, made, membership, source.version))


@router.get(COLLECTIONS + "/{collection}/versions/{version}", summary="Get a version")
def get_version(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
) -> Version:
    """Get the version that a number or alias names."""
    return _show_one(ctx, find_version(ctx, organization, registry, collection, version))


@router.patch(COLLECTIONS + "/{collection}/versions/{version}", summary="Edit a version")
def edit_version(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
    body: VersionEdit,
) -> Version:
    """Change a version's description, metadata or tags, which every link of it shows.

    For members; metadata for those of the project in which it was made.
    """
    placed = find_version(ctx, organization, registry, collection, version)
    operations.edit(
        ctx,
        placed.version.id,
        _change(body),
    )
    return _show_one(ctx, placed)


def _change(body: VersionEdit, ttl: int | None = None) -> operations.VersionEdit:
    return operations.VersionEdit(
        description=body.description,
        metadata=None if body.metadata is None else json.dumps(body.metadata),
        add_tags=body.add_tags,
        remove_tags=body.remove_tags,
        ttl_seconds=ttl,
    )


@router.delete(
    COLLECTIONS + "/{collection}/versions/{version}", status_code=204, summary="Unlink a version"
)
def unlink_version(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
) -> None:
    """Take a version out of a collection; it stays where it was made. For members."""
    placed = find_version(ctx, organization, registry, collection, version)
    collections.unlink(ctx, placed.version.id, placed.collection.id)


@router.get(COLLECTIONS + "/{collection}/versions/{version}/files", summary="List files")
def list_files(
    ctx: Asking,
    addresses: Addressing,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    version: VersionName,
    after: Annotated[str, Query(description="Goes on behind this path.")] = "",
    first: First = None,
) -> Files:
    """List the files of a version with addresses to fetch them from. For viewers, not restricted."""
    placed = find_version(ctx, organization, registry, collection, version)
    page = content.list_files(
        ctx,
        placed.version,
        through=placed.project.id,
        after=after,
        limit=parse_first(first, FILES_MAX),
    )
    user_id = ctx.who.user_id
    return Files(
        files=[
            File(
                path=entry.path,
                size_bytes=entry.size_bytes,
                digest=entry.digest,
                sha256=entry.sha256,
                url=entry.ref
                if entry.sha256 is None
                else addresses.content(
                    "version-file",
                    user_id,
                    page.project_id,
                    page.namespace,
                    entry.sha256,
                    entry.path.rpartition("/")[2],
                ),
            )
            for entry in page.entries
        ],
        next=page.entries[-1].path if page.has_next else None,
    )


Reference = Annotated[
    str,
    Query(
        description="`entity/project/name:v3`, or `organization/wandb-registry-name/collection:v3`."
    ),
]
_TTL = {"team": TTL_INHERIT, "never": NO_TTL}


def _of_reference(ctx: Context, ref: str) -> SourceVersion:
    placed = collections.resolve_reference(ctx, ref)
    shown = _show_one(
        ctx, Placed(placed.project, placed.collection, placed.membership, placed.version)
    )
    return SourceVersion(
        **shown.model_dump(),
        ttl_seconds=placed.version.ttl_seconds,
        ttl_inherited=not placed.version.ttl.own,
    )


@router.get("/versions", summary="Get a version by its reference")
def get_by_reference(ctx: Asking, ref: Reference) -> SourceVersion:
    """Get the version that a reference names, in a registry or in the project that made it."""
    return _of_reference(ctx, ref)


@router.patch("/versions", summary="Edit a version by its reference")
def edit_by_reference(ctx: Asking, ref: Reference, body: SourceEdit) -> SourceVersion:
    """Change a version's description, metadata, tags or time to live, which every link shows.

    For members of the project in which it was made; description and tags also for those of a
    registry in which it is linked.
    """
    version = collections.resolve_reference(ctx, ref).version
    ttl = body.ttl if body.ttl is None or isinstance(body.ttl, int) else _TTL[body.ttl]
    operations.edit(ctx, version.id, _change(body, ttl))
    return _of_reference(ctx, ref)
