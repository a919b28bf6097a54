"""Collections, their memberships, and linking (`ArtifactSequence`, `ArtifactPortfolio`)."""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, MutationType, ObjectType, QueryType

from byname.domain.collection import Collection, Membership
from byname.domain.errors import Unprocessable, missing
from byname.domain.page import Page, decode_text, encode_cursor, parse_first
from byname.domain.project import ArtifactType, Project
from byname.domain.version import Version
from byname.graphql import loaders
from byname.graphql.alias import AliasNode
from byname.graphql.connection import Connection, Edge, connection, whole
from byname.graphql.context import Info, RequestContext
from byname.graphql.ids import from_id, to_id
from byname.graphql.tag import tag_nodes
from byname.graphql.version import ARTIFACT, TypeNode, seen
from byname.operations import collection as operations
from byname.operations import listing

query = QueryType()
mutation = MutationType()
interface = InterfaceType("ArtifactCollection")
sequence = ObjectType("ArtifactSequence")
portfolio = ObjectType("ArtifactPortfolio")
membership_type = ObjectType("ArtifactCollectionMembership")
project_type = ObjectType("Project")
artifact_type = ObjectType("ArtifactType")

COLLECTION = "ArtifactCollection"


@interface.type_resolver
def resolve_kind(source: Collection, *_: Any) -> str:
    """Which of the two sorts it is."""
    return "ArtifactSequence" if source.is_sequence else "ArtifactPortfolio"


@query.field("artifactCollection")
def resolve_collection(_source: Any, info: Info, id: str) -> Collection | None:  # noqa: A002
    """The collection of that id, or null."""
    return operations.get(info.context.ctx, from_id(id, COLLECTION))


# ---- fields of both sorts ----------------------------------------------------------------------


def resolve_id(source: Collection, _info: Info) -> str:
    """The opaque id."""
    return to_id(COLLECTION, source.id)


def resolve_state(source: Collection, _info: Info) -> str:
    """READY or DELETED."""
    return "DELETED" if source.deleted else "READY"


def resolve_project(source: Collection, info: Info) -> Project | None:
    """The project; null when it is hidden from the caller (R55)."""
    return loaders.projects(info.context).get(source.project_id)


def resolve_default_type(source: Collection, _info: Info) -> TypeNode:
    """The one type of artifacts it holds."""
    return TypeNode(source.type_id, source.type_name)


def resolve_tags(source: Collection, info: Info) -> Connection:
    """The collection's tags."""
    tags = loaders.collection_tags(info.context).get(source.id)
    return whole(tag_nodes("Collection", source.id, tags))


def resolve_aliases(
    source: Collection, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """All aliases that are held in the collection, by name."""
    limit = parse_first(first, 100)
    start = decode_text("aliases", after)
    found = listing.aliases_of_collection(info.context.ctx, source.id, after=start, limit=limit + 1)
    page = Page(
        items=found[:limit],
        end_cursor=encode_cursor("aliases", found[:limit][-1]) if found else None,
        has_next=len(found) > limit,
        cursor_of=lambda name: encode_cursor("aliases", name),
    )
    return connection(page, lambda name: AliasNode(source.id, name))


class VersionEdge(Edge):
    """A version in a collection, under its number there."""

    __slots__ = ("version",)

    def __init__(self, page: Page[Any], membership: Membership, node: Version | None) -> None:
        super().__init__(page, membership, node)
        self.version = f"v{membership.number}"


def resolve_artifacts(
    source: Collection,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
    filters: str | None = None,
) -> dict[str, Any]:
    """The versions of the collection; newest first, unless asked otherwise."""
    from byname.operations import search

    request = info.context
    page = search.versions_of_collection(
        request.ctx,
        source.id,
        filters=filters,
        order=order,
        after=after,
        first=parse_first(first, 50),
    )
    found = _versions_of(request, list(page.items))
    shown = connection(page)
    return {
        "edges": [
            VersionEdge(page, membership, seen(found[membership.version_id], source.id))
            for membership in page.items
            if membership.version_id in found
        ],
        "page_info": shown.page_info,
        "total_count": shown.total_count,
    }


def _versions_of(request: RequestContext, memberships: list[Membership]) -> dict[int, Version]:
    """The versions of a page of memberships; what the page will ask for is known to be asked."""
    ids = [membership.version_id for membership in memberships]
    found = loaders.versions(request)
    found.expect(ids)
    loaders.aliases(request).expect(m.id for m in memberships)
    loaders.version_aliases_in(request).expect((m.version_id, m.collection_id) for m in memberships)
    loaders.version_tags(request).expect(ids)
    versions = {each: version for each in ids if (version := found.get(each)) is not None}
    loaders.collections(request).expect(v.collection_id for v in versions.values())
    return versions


def resolve_membership(source: Collection, info: Info, alias_name: str) -> Membership | None:
    """What an alias, version number or digest names here, or null."""
    return listing.membership_by_ref(info.context.ctx, source.id, alias_name)


for _kind in (sequence, portfolio):
    _kind.set_field("id", resolve_id)
    _kind.set_field("state", resolve_state)
    _kind.set_field("project", resolve_project)
    _kind.set_field("defaultArtifactType", resolve_default_type)
    _kind.set_field("tags", resolve_tags)
    _kind.set_field("aliases", resolve_aliases)
    _kind.set_field("artifacts", resolve_artifacts)
    _kind.set_field("artifactMembership", resolve_membership)


@sequence.field("latestArtifact")
def resolve_latest(source: Collection, info: Info) -> Version | None:
    """The newest committed version; in the answer to createArtifact, the one before the new."""
    request = info.context
    if source.id in request.latest_before:
        latest: Version | None = request.latest_before[source.id]
        return latest
    found = listing.memberships_of_collection(request.ctx, source.id, below=None, limit=1)
    return loaders.versions(request).get(found[0].version_id) if found else None


@sequence.field("digestAlgorithm")
def resolve_algorithm(_source: Collection, _info: Info) -> str:
    """Always MD5 (protocol 10.3)."""
    return "MANIFEST_MD5"


# ---- memberships -------------------------------------------------------------------------------


@membership_type.field("id")
def resolve_membership_id(source: Membership, _info: Info) -> str:
    """The opaque id."""
    return to_id("ArtifactCollectionMembership", source.id)


@membership_type.field("versionIndex")
def resolve_index(source: Membership, _info: Info) -> int:
    """The number in this collection."""
    return source.number


@membership_type.field("aliases")
def resolve_membership_aliases(source: Membership, info: Info) -> list[AliasNode]:
    """The names it has here: its number as an alias, which the client takes for `version`, first.

    R60, R63: `vN` is a name like the others, reported as the version and left out of the aliases
    that can be edited. A client that finds none takes the number that the version has where it was
    logged, and then downloads the files of whatever bears that number here.
    """
    held = loaders.aliases(info.context).get(source.id)
    return [AliasNode(source.collection_id, name) for name in (f"v{source.number}", *held)]


@membership_type.field("artifactCollection")
def resolve_membership_collection(source: Membership, info: Info) -> Collection | None:
    """The collection."""
    return loaders.collections(info.context).get(source.collection_id)


@membership_type.field("artifact")
def resolve_membership_version(source: Membership, info: Info) -> Version | None:
    """The version."""
    return seen(loaders.versions(info.context).get(source.version_id), source.collection_id)


def expect_memberships(request: RequestContext, memberships: list[Membership]) -> None:
    """A page of memberships is going to be shown: what it asks for is loaded together."""
    loaders.collections(request).expect(m.collection_id for m in memberships)
    loaders.versions(request).expect(m.version_id for m in memberships)
    loaders.aliases(request).expect(m.id for m in memberships)
    loaders.version_aliases_in(request).expect((m.version_id, m.collection_id) for m in memberships)
    loaders.version_tags(request).expect(m.version_id for m in memberships)


# ---- what a project and a type say of their collections ----------------------------------------


@project_type.field("artifactCollection")
def resolve_of_project(source: Project, info: Info, name: str) -> Collection | None:
    """The project's collection of that name, or null."""
    return operations.find(info.context.ctx, source.id, name)


@project_type.field("artifact")
def resolve_version_of_project(
    source: Project, info: Info, name: str, enable_tracking: bool | None = None
) -> Version | None:
    """The version that `collection:ref` names in the project, or null."""
    found = operations.resolve(info.context.ctx, source.id, name)
    if found is None:
        return None
    return seen(loaders.versions(info.context).get(found[1].version_id), found[0].id)


@project_type.field("artifactCollectionMembership")
def resolve_membership_of_project(source: Project, info: Info, name: str) -> Membership | None:
    """The place that `collection:ref` names in the project, or null."""
    found = operations.resolve(info.context.ctx, source.id, name)
    if found is None:
        return None
    collection, membership = found
    loaders.collections(info.context).put(collection.id, collection)
    loaders.projects(info.context).put(source.id, source)
    return membership


def _page_of_collections(
    request: RequestContext,
    project_id: int,
    type_name: str | None,
    after: str | None,
    first: int | None,
    order: str | None,
    filters: str | None,
) -> Connection:
    from byname.operations import search

    page = search.collections_of_project(
        request.ctx,
        project_id,
        type_name=type_name,
        filters=filters,
        order=order,
        after=after,
        first=parse_first(first, 100),
    )
    expect_collections(request, list(page.items))
    return connection(page)


def expect_collections(request: RequestContext, collections: list[Collection]) -> None:
    """A page of collections is going to be shown: what it asks for is loaded together."""
    loaders.collection_tags(request).expect(c.id for c in collections)
    loaders.projects(request).expect(c.project_id for c in collections)
    loaders.types(request).expect(c.type_id for c in collections)


@project_type.field("artifactCollections")
def resolve_all_of_project(
    source: Project,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> Connection:
    """The project's collections."""
    return _page_of_collections(info.context, source.id, None, after, first, order, filters)


@artifact_type.field("artifactCollections")
def resolve_all_of_type(
    source: ArtifactType | TypeNode,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> Connection | None:
    """The collections of one type."""
    found = _type(info.context, source)
    return _page_of_collections(
        info.context, found.project_id, found.name, after, first, order, filters
    )


@artifact_type.field("artifactCollection")
def resolve_of_type(source: ArtifactType | TypeNode, info: Info, name: str) -> Collection | None:
    """The collection of that name, if it is of this type, or null."""
    found = _type(info.context, source)
    collection = operations.find(info.context.ctx, found.project_id, name)
    return collection if collection is not None and collection.type_id == found.id else None


@artifact_type.field("artifactSequence")
def resolve_sequence_of_type(
    source: ArtifactType | TypeNode, info: Info, name: str
) -> Collection | None:
    """The collection of that name, if it is of this type and no portfolio, or null."""
    found = resolve_of_type(source, info, name)
    return found if found is not None and found.is_sequence else None


@artifact_type.field("artifact")
def resolve_version_of_type(
    source: ArtifactType | TypeNode, info: Info, name: str
) -> Version | None:
    """The version that `collection:ref` names, if it is of this type, or null."""
    artifact_type_found = _type(info.context, source)
    found = operations.resolve(info.context.ctx, artifact_type_found.project_id, name)
    if found is None or found[0].type_id != artifact_type_found.id:
        return None
    return seen(loaders.versions(info.context).get(found[1].version_id), found[0].id)


def _type(request: RequestContext, source: ArtifactType | TypeNode) -> ArtifactType:
    if isinstance(source, ArtifactType):
        return source
    found = loaders.types(request).get(source.type_id)
    if found is None:
        raise missing("This type")
    return found


# ---- mutations ---------------------------------------------------------------------------------


@mutation.field("linkArtifact")
def link_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version is in the collection and holds the aliases there: both or nothing."""
    request = info.context
    entity, project = input.get("entity_name"), input.get("project_name")
    name = input.get("artifact_portfolio_name")
    if input.get("artifact_portfolio_id") is not None:
        collection = operations.get(
            request.ctx, from_id(input["artifact_portfolio_id"], COLLECTION)
        )
        found = None if collection is None else loaders.projects(request).get(collection.project_id)
        if collection is None or found is None:
            raise missing("This collection")
        entity, project, name = found.entity_name, found.name, collection.name
    if not (entity and project and name):
        raise Unprocessable(
            "Say where to link to: entityName, projectName and artifactPortfolioName",
            field="artifactPortfolioName",
        )
    version_id = input.get("artifact_id")
    aliases = input.get("aliases") or []
    elsewhere = sorted({each["artifact_collection_name"] for each in aliases} - {name, ""})
    if elsewhere:
        raise Unprocessable(
            f"Aliases were given for {', '.join(elsewhere)}, but the collection is {name}",
            field="aliases",
        )
    collection, membership = operations.link(
        request.ctx,
        operations.NewLink(
            entity=entity,
            project=project,
            collection=name,
            version_id=None if version_id is None else from_id(version_id, ARTIFACT),
            client_id=input.get("client_id"),
            aliases=[each["alias"] for each in aliases],
        ),
    )
    request.loaders.clear()
    return {"version_index": membership.number, "artifact_membership": membership}


@mutation.field("unlinkArtifact")
def unlink_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The version is not in the collection any more."""
    operations.unlink(
        info.context.ctx,
        from_id(input["artifact_id"], ARTIFACT),
        from_id(input["artifact_portfolio_id"], COLLECTION),
    )
    info.context.loaders.clear()
    return {
        "artifact_id": input["artifact_id"],
        "success": True,
        "client_mutation_id": input.get("client_mutation_id"),
    }


def _edit(info: Info, input: dict[str, Any], key: str, *, is_sequence: bool) -> dict[str, Any]:  # noqa: A002
    collection = operations.edit(
        info.context.ctx,
        from_id(input[key], COLLECTION),
        is_sequence=is_sequence,
        name=input.get("name"),
        description=input.get("description"),
    )
    info.context.loaders.clear()
    return {"artifact_collection": collection}


@mutation.field("updateArtifactSequence")
def update_sequence(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The sequence has this name and description."""
    return _edit(info, input, "artifact_sequence_id", is_sequence=True)


@mutation.field("updateArtifactPortfolio")
def update_portfolio(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The collection of links has this name and description."""
    return _edit(info, input, "artifact_portfolio_id", is_sequence=False)


@mutation.field("moveArtifactSequence")
def move_sequence(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The sequence's versions are of another type."""
    collection = operations.set_type(
        info.context.ctx,
        from_id(input["artifact_sequence_id"], COLLECTION),
        input["destination_artifact_type_name"],
    )
    info.context.loaders.clear()
    return {"artifact_collection": collection}


def _delete(info: Info, text: str, *, is_sequence: bool) -> dict[str, Any]:
    collection = operations.delete(
        info.context.ctx, from_id(text, COLLECTION), is_sequence=is_sequence
    )
    info.context.loaders.clear()
    return {"artifact_collection": collection}


@mutation.field("deleteArtifactSequence")
def delete_sequence(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The sequence, its versions and their links are deleted."""
    return _delete(info, input["artifact_sequence_id"], is_sequence=True)


@mutation.field("deleteArtifactPortfolio")
def delete_portfolio(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The collection and its links are deleted; the versions stay."""
    return _delete(info, input["artifact_portfolio_id"], is_sequence=False)


bindables = [
    query,
    mutation,
    interface,
    sequence,
    portfolio,
    membership_type,
    project_type,
    artifact_type,
]
