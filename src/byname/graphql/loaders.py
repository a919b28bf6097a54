"""What pages of versions ask for again and again, loaded once for a whole page."""

from __future__ import annotations

from byname.domain.collection import Collection
from byname.domain.project import ArtifactType, Project
from byname.domain.version import Version
from byname.graphql.context import Loader, RequestContext
from byname.operations import access, listing


def versions(request: RequestContext) -> Loader[int, Version | None]:
    """Versions by id."""
    return request.loader("versions", lambda ids: listing.versions(request.ctx, ids))


def collections(request: RequestContext) -> Loader[int, Collection | None]:
    """Collections by id."""
    return request.loader("collections", lambda ids: listing.collections(request.ctx, ids))


def projects(request: RequestContext) -> Loader[int, Project | None]:
    """Projects and registries by id; None for those hidden from the caller."""
    return request.loader("projects", lambda ids: access.visible_projects(request.ctx, ids))


def types(request: RequestContext) -> Loader[int, ArtifactType | None]:
    """Artifact types by id."""
    return request.loader("types", lambda ids: listing.types(request.ctx, ids))


def aliases(request: RequestContext) -> Loader[int, list[str]]:
    """The aliases a membership holds, by membership id."""
    return request.loader(
        "aliases", lambda ids: listing.aliases_of_memberships(request.ctx, ids), list
    )


def version_aliases(request: RequestContext) -> Loader[int, list[tuple[int, str]]]:
    """Pairs of collection id and number or alias there, wherever it is, by version id."""
    return request.loader(
        "version_aliases", lambda ids: listing.aliases_of_versions(request.ctx, ids), list
    )


def version_aliases_in(
    request: RequestContext,
) -> Loader[tuple[int, int], list[tuple[int, str]]]:
    """The same in its own sequence and in one collection, by the ids of version and collection."""
    return request.loader(
        "version_aliases_in", lambda ids: listing.aliases_of_versions_in(request.ctx, ids), list
    )


def version_tags(request: RequestContext) -> Loader[int, list[str]]:
    """The tags of a version, by version id."""
    return request.loader("version_tags", lambda ids: listing.version_tags(request.ctx, ids), list)


def collection_tags(request: RequestContext) -> Loader[int, list[str]]:
    """The tags of a collection, by collection id."""
    return request.loader(
        "collection_tags", lambda ids: listing.collection_tags(request.ctx, ids), list
    )
