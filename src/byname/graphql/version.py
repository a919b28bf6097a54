"""Versions (`Artifact` in the SDK's words): making, reading, editing, deleting."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from byname.domain.collection import Collection
from byname.domain.errors import Unprocessable
from byname.domain.expiry import NO_TTL
from byname.domain.page import WHOLE_MAX, Page, decode_id, encode_cursor, parse_first
from byname.domain.version import Version
from byname.graphql import loaders
from byname.graphql.alias import AliasNode
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info
from byname.graphql.ids import from_id, to_id
from byname.graphql.tag import tag_nodes
from byname.operations import listing, manifest
from byname.operations import version as operations

query = QueryType()
mutation = MutationType()
artifact = ObjectType("Artifact")
artifact_type = ObjectType("ArtifactType")
mapping = ObjectType("ClientIDMapping")

ARTIFACT = "Artifact"


@dataclass(frozen=True, slots=True)
class TypeNode:
    """The artifact type of a version or collection; the rest of it is loaded when asked for."""

    type_id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVersion(Version):
    """A version to which the way led through one of the collections that it is in."""

    through: int
    """The id of that collection."""


_VALUES = tuple(each.name for each in fields(Version))


def seen(version: Version | None, collection_id: int) -> Version | None:
    """The version as one of that collection: of its aliases there are those here and at home.

    The client that came this way looks for no others, and a version may be in thousands of places.
    """
    if version is None:
        return None
    values = {name: getattr(version, name) for name in _VALUES}
    return SeenVersion(**values, through=collection_id)


@query.field("artifact")
def resolve_artifact(_source: Any, info: Info, id: str) -> Version | None:  # noqa: A002
    """The version of that id, or null."""
    return operations.get(info.context.ctx, from_id(id, ARTIFACT))


@query.field("clientIDMapping")
def resolve_client_id(_source: Any, info: Info, client_id: str) -> dict[str, str] | None:
    """The server's id for the client's own word, or null."""
    found = operations.find_by_client_id(info.context.ctx, client_id)
    return None if found is None else {"server_id": to_id(ARTIFACT, found)}


# ---- fields ------------------------------------------------------------------------------------


@artifact.field("id")
def resolve_id(version: Version, _info: Info) -> str:
    """The opaque id."""
    return to_id(ARTIFACT, version.id)


@artifact.field("artifactSequence")
def resolve_sequence(version: Version, info: Info) -> Collection | None:
    """The sequence where it was logged; its project may be hidden (R55)."""
    return loaders.collections(info.context).get(version.collection_id)


@artifact.field("versionIndex")
def resolve_index(version: Version, _info: Info) -> int | None:
    """The number in its sequence."""
    return version.number


@artifact.field("artifactType")
def resolve_type(version: Version, _info: Info) -> TypeNode:
    """The type."""
    return TypeNode(version.type_id, version.type_name)


@artifact.field("ttlDurationSeconds")
def resolve_ttl(version: Version, _info: Info) -> int:
    """The time to live; -2 for none."""
    return NO_TTL if version.ttl_seconds is None else version.ttl_seconds


@artifact.field("ttlIsInherited")
def resolve_ttl_inherited(version: Version, _info: Info) -> bool:
    """Whether it has no setting of its own."""
    return not version.ttl.own


@artifact.field("tags")
def resolve_tags(version: Version, info: Info) -> list[dict[str, str]]:
    """The version's tags."""
    return tag_nodes(ARTIFACT, version.id, loaders.version_tags(info.context).get(version.id))


@artifact.field("state")
def resolve_state(version: Version, _info: Info) -> str:
    """PENDING, COMMITTED or DELETED."""
    return version.state.name


@artifact.field("size")
def resolve_size(version: Version, _info: Info) -> int:
    """Bytes."""
    return version.size_bytes


@artifact.field("digestAlgorithm")
def resolve_algorithm(_version: Version, _info: Info) -> str:
    """Always MD5; the client's other algorithm is turned off (protocol 10.3)."""
    return "MANIFEST_MD5"


@artifact.field("commitHash")
def resolve_commit_hash(version: Version, _info: Info) -> str | None:
    """The digest that committing answered with; the client takes null for a fault of its own."""
    return version.digest if version.state.name == "COMMITTED" else None


@artifact.field("aliases")
def resolve_aliases(version: Version, info: Info) -> list[AliasNode]:
    """Its number and aliases in every collection whose project the caller may see (R63).

    Of a version that was found in a collection: those of this collection and of its own sequence.
    """
    request = info.context
    if isinstance(version, SeenVersion):
        pairs = loaders.version_aliases_in(request).get((version.id, version.through))
    else:
        pairs = loaders.version_aliases(request).get(version.id)
    collections = loaders.collections(request)
    collections.expect(each for each, _ in pairs)
    places = {each: collections.get(each) for each, _ in pairs}
    projects = loaders.projects(request)
    projects.expect(place.project_id for place in places.values() if place is not None)
    shown = []
    for collection_id, name in pairs:
        place = places[collection_id]
        if place is not None and projects.get(place.project_id) is not None:
            shown.append(AliasNode(collection_id, name))
    return shown


@artifact.field("currentManifest")
def resolve_manifest(version: Version, info: Info) -> Any:
    """The full manifest; null until the commit."""
    from byname.graphql.manifest import manifest_node

    found = manifest.get_full(info.context.ctx, version)
    return None if found is None else manifest_node(info.context, found, version)


@artifact.field("artifactMemberships")
def resolve_memberships(
    version: Version, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """Where the version is: its own sequence, and the collections it is linked into.

    The client's `linked_artifacts` takes the first page for all there is.
    """
    limit = parse_first(first, WHOLE_MAX)
    found = listing.memberships_of_version(
        info.context.ctx, version.id, after=decode_id("memberships", after), limit=limit + 1
    )
    page = Page(
        items=found[:limit],
        end_cursor=encode_cursor("memberships", found[:limit][-1].id) if found else None,
        has_next=len(found) > limit,
        total=len(found),
        cursor_of=lambda membership: encode_cursor("memberships", membership.id),
    )
    loaders.collections(info.context).expect(m.collection_id for m in page.items)
    loaders.aliases(info.context).expect(m.id for m in page.items)
    return connection(page)


@artifact_type.field("id")
def resolve_type_id(source: Any, _info: Info) -> str:
    """The opaque id."""
    return to_id("ArtifactType", source.type_id if isinstance(source, TypeNode) else source.id)


def _type_field(source: Any, info: Info, field: str) -> Any:
    if isinstance(source, TypeNode):
        source = loaders.types(info.context).get(source.type_id)
    return getattr(source, field)


@artifact_type.field("description")
def resolve_type_description(source: Any, info: Info) -> Any:
    """What the type is for."""
    return _type_field(source, info, "description")


@artifact_type.field("createdAt")
def resolve_type_created(source: Any, info: Info) -> Any:
    """When it was first used."""
    return _type_field(source, info, "created_at")


# ---- mutations ---------------------------------------------------------------------------------


@mutation.field("createArtifact")
def create_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """A version to bring the files of, or the committed one of the same content."""
    named = input.get("artifact_collection_names") or []
    collection = input.get("artifact_collection_name") or (named[0] if len(named) == 1 else None)
    if collection is None:
        raise Unprocessable("Say the one collection to log into", field="artifactCollectionName")
    if input["digest_algorithm"] != "MANIFEST_MD5":
        raise Unprocessable(
            "This server identifies content by MANIFEST_MD5", field="digestAlgorithm"
        )
    version, latest = operations.create(
        info.context.ctx,
        operations.NewVersion(
            entity=input["entity_name"],
            project=input["project_name"],
            collection=collection,
            type_name=input["artifact_type_name"],
            digest=input["digest"],
            run=input.get("run_name"),
            description=input.get("description"),
            metadata=input.get("metadata"),
            aliases=_aliases(collection, input.get("aliases") or []),
            tags=[tag["tag_name"] for tag in input.get("tags") or []],
            ttl_seconds=input.get("ttl_duration_seconds"),
            history_step=input.get("history_step"),
            client_id=input.get("client_id"),
            distributed_id=input.get("distributed_id"),
        ),
    )
    info.context.loaders.clear()
    info.context.latest_before[version.collection_id] = latest
    return {"artifact": version}


def _aliases(collection: str, given: list[dict[str, str]]) -> list[str]:
    elsewhere = sorted({each["artifact_collection_name"] for each in given} - {collection, ""})
    if elsewhere:
        raise Unprocessable(
            f"Aliases were given for {', '.join(elsewhere)}, but the collection is {collection}",
            field="aliases",
        )
    return [each["alias"] for each in given]


@mutation.field("commitArtifact")
def commit_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version is committed."""
    version = manifest.commit(info.context.ctx, from_id(input["artifact_id"], ARTIFACT))
    info.context.loaders.clear()
    return {"artifact": version}


@mutation.field("updateArtifact")
def update_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version has the description, metadata, tags and time to live given."""
    if input.get("aliases") is not None:
        raise Unprocessable(
            "Aliases are changed with addAliases and deleteAliases", field="aliases"
        )
    version = operations.edit(
        info.context.ctx,
        from_id(input["artifact_id"], ARTIFACT),
        operations.VersionEdit(
            description=input.get("description"),
            metadata=input.get("metadata"),
            add_tags=[tag["tag_name"] for tag in input.get("tags_to_add") or []],
            remove_tags=[tag["tag_name"] for tag in input.get("tags_to_delete") or []],
            ttl_seconds=input.get("ttl_duration_seconds"),
        ),
    )
    info.context.loaders.clear()
    return {"artifact": version}


@mutation.field("deleteArtifact")
def delete_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version is deleted."""
    version = operations.delete(
        info.context.ctx,
        from_id(input["artifact_id"], ARTIFACT),
        delete_aliases=bool(input.get("delete_aliases")),
    )
    info.context.loaders.clear()
    return {"artifact": version}


bindables = [query, mutation, artifact, artifact_type, mapping]
