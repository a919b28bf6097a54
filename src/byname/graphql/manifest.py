"""Manifests and the files of versions: where to bring them, and where to fetch them."""

from __future__ import annotations

import mimetypes
from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain.collection import Membership
from byname.domain.errors import Unprocessable
from byname.domain.ids import from_id
from byname.domain.manifest import Entry, Manifest, ManifestKind
from byname.domain.page import (
    FILE_PAGE_MAX,
    Page,
    decode_text,
    encode_cursor,
    parse_first,
)
from byname.domain.version import Version
from byname.graphql import loaders
from byname.graphql.connection import Connection, connection, whole
from byname.graphql.context import Info, RequestContext
from byname.graphql.ids import to_id
from byname.graphql.version import ARTIFACT
from byname.operations import content, manifest
from byname.operations import version as versions

mutation = MutationType()
artifact = ObjectType("Artifact")
membership_type = ObjectType("ArtifactCollectionMembership")

MANIFEST = "ArtifactManifest"
BYTES = "application/octet-stream"


def manifest_node(
    request: RequestContext, found: Manifest, version: Version, *, upload: bool = False
) -> dict[str, Any]:
    """A manifest as answers show it: with the address to bring it to, or the one to fetch it from."""
    user_id = request.ctx.who.user_id
    fetch = request.addresses.content("manifest", user_id, version.id)
    headers = [f"Content-Type:{BYTES}"]
    if found.digest:
        headers.append(f"Content-MD5:{found.digest}")
    return {
        "id": to_id(MANIFEST, found.id),
        "digest": found.digest,
        "file": {
            "id": to_id("ManifestFile", found.id),
            "name": found.name,
            "display_name": found.name,
            "direct_url": fetch,
            "url": fetch,
            "upload_url": request.addresses.content("manifest-upload", user_id, found.id)
            if upload
            else None,
            "upload_headers": headers if upload else [],
            "size_bytes": found.size_bytes or 0,
            "mimetype": "application/json",
        },
    }


@mutation.field("createArtifactManifest")
def create_manifest(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """A pending version has a further manifest, and there is an address to bring it to."""
    request = info.context
    version_id = from_id(input["artifact_id"], ARTIFACT)
    base = input.get("base_artifact_id")
    found = manifest.add(
        request.ctx,
        version_id,
        kind=ManifestKind[input.get("type") or "FULL"],
        name=input["name"],
        digest=input["digest"],
        base_version_id=None if not base else from_id(base, ARTIFACT),
    )
    return {"artifact_manifest": _to_upload(request, found)}


@mutation.field("updateArtifactManifest")
def update_manifest(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The manifest will be brought anew, to the address given."""
    request = info.context
    base = input.get("base_artifact_id")
    found = manifest.edit(
        request.ctx,
        from_id(input["artifact_manifest_id"], MANIFEST),
        digest=input.get("digest"),
        base_version_id=None if not base else from_id(base, ARTIFACT),
    )
    return {"artifact_manifest": _to_upload(request, found)}


def _to_upload(request: RequestContext, found: Manifest) -> dict[str, Any]:
    version = versions.get(request.ctx, found.version_id)
    if version is None:
        raise Unprocessable("This version is gone", field="artifactID")
    return manifest_node(request, found, version, upload=True)


# ---- bringing files ----------------------------------------------------------------------------


@mutation.field("createArtifactFiles")
def create_files(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """For each file, in order: the address to bring it to, or null when it is here already."""
    request = info.context
    files = []
    for spec in input["artifact_files"]:
        md5 = spec.get("md5") or spec.get("digest")
        if not md5:
            raise Unprocessable(f"{spec['name'][:200]!r} has no md5", field="md5")
        parts = sorted(spec.get("upload_parts_input") or [], key=lambda part: part["part_number"])
        if [part["part_number"] for part in parts] != list(range(1, len(parts) + 1)):
            raise Unprocessable("Parts must be numbered from 1 on", field="uploadPartsInput")
        files.append(
            manifest.NewFile(
                version_id=from_id(spec["artifact_id"], ARTIFACT),
                name=spec["name"],
                md5=md5,
                part_md5s=[part["hex_md5"] for part in parts],
            )
        )
    offers = manifest.offer_files(request.ctx, files)
    loaders.versions(request).expect({file.version_id for file in files})
    nodes = [
        _upload_node(request, offer, file.part_md5s)
        for offer, file in zip(offers, files, strict=True)
    ]
    return {"files": whole(nodes)}


def _upload_node(
    request: RequestContext, offer: manifest.FileOffer, part_md5s: Any
) -> dict[str, Any]:
    user_id = request.ctx.who.user_id
    addresses = request.addresses
    url = (
        None
        if offer.present
        else addresses.content("version-file-upload", user_id, offer.version_id, offer.md5)
    )
    parts = None
    if offer.multipart_key is not None:
        parts = {
            "upload_id": offer.multipart_key,
            "upload_url_parts": [
                {
                    "part_number": number,
                    "upload_url": addresses.content(
                        "part-upload", user_id, offer.multipart_key, number, md5
                    ),
                }
                for number, md5 in enumerate(part_md5s, start=1)
            ],
        }
    return {
        "id": f"ArtifactFile:{offer.version_id}:{offer.name}",
        "name": offer.name,
        "display_name": offer.name,
        "storage_path": offer.md5,
        "upload_url": url,
        "upload_headers": [f"Content-MD5:{offer.md5}", f"Content-Type:{BYTES}"] if url else [],
        "upload_multipart_urls": parts,
        "direct_url": "",
        "size_bytes": 0,
        "md5": offer.md5,
        "digest": offer.md5,
        "artifact": loaders.versions(request).get(offer.version_id),
    }


@mutation.field("completeMultipartUploadArtifact")
def complete_multipart(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The parts are one file."""
    digest = content.complete_parts(
        info.context.ctx,
        from_id(input["artifact_id"], ARTIFACT),
        input["upload_id"],
        [part["part_number"] for part in input["completed_parts"]],
    )
    return {"digest": digest}


# ---- fetching files ----------------------------------------------------------------------------


def file_node(request: RequestContext, page: content.FilePage, entry: Entry) -> dict[str, Any]:
    """A file of a version as answers show it. A reference leads to itself (protocol 11.4)."""
    if entry.ref is not None or entry.sha256 is None:
        address = entry.ref or ""
    else:
        address = request.addresses.content(
            "version-file",
            request.ctx.who.user_id,
            page.project_id,
            page.namespace,
            entry.sha256,
            entry.path.rpartition("/")[2],
        )
    return {
        "id": f"ArtifactFile:{page.version.id}:{entry.path}",
        "name": entry.path,
        "display_name": entry.path,
        "direct_url": address,
        "url": address,
        "size_bytes": entry.size_bytes,
        "storage_path": entry.sha256,
        "mimetype": mimetypes.guess_type(entry.path)[0] or BYTES,
        "updated_at": page.version.updated_at,
        "digest": entry.digest,
        "md5": entry.digest if entry.sha256 is not None else None,
        "artifact": page.version,
        "upload_url": None,
        "upload_headers": [],
    }


def _page(
    request: RequestContext,
    version: Version,
    through: int | None,
    names: list[str] | None,
    after: str | None,
    first: int | None,
) -> Connection:
    start = decode_text("files", after)
    found = content.list_files(
        request.ctx,
        version,
        through=through,
        paths=names,
        after=start,
        limit=parse_first(first, 50, FILE_PAGE_MAX),
    )
    entries = found.entries
    page = Page(
        items=entries,
        end_cursor=encode_cursor("files", entries[-1].path) if entries else None,
        has_next=found.has_next,
        total=found.total,
        cursor_of=lambda entry: encode_cursor("files", entry.path),
    )
    return connection(page, lambda entry: file_node(request, found, entry))


@artifact.field("files")
def resolve_files(
    version: Version,
    info: Info,
    names: list[str] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection:
    """The version's files."""
    return _page(info.context, version, None, names, after, first)


@artifact.field("filesByManifestEntries")
def resolve_files_by_entries(
    version: Version,
    info: Info,
    storage_layout: str,
    manifest_version: str,
    entries: list[dict[str, Any]] | None = None,
    storage_region: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection:
    """Those of the version's files that the entries name."""
    names = [entry["name"] for entry in entries or []]
    return _page(info.context, version, None, names, after, first or FILE_PAGE_MAX)


@membership_type.field("files")
def resolve_membership_files(
    source: Membership,
    info: Info,
    names: list[str] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection | None:
    """The files of the version, fetched with the rights of this collection (R54)."""
    request = info.context
    version = loaders.versions(request).get(source.version_id)
    collection = loaders.collections(request).get(source.collection_id)
    if version is None or collection is None:
        return None
    return _page(request, version, collection.project_id, names, after, first)


bindables = [mutation, artifact, membership_type]
