"""The bytes of versions: whether somebody may bring or fetch them, and what is true afterwards.

The faces stream; here is decided. Bytes are on disk before a row names them (D5).
"""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from byname.blobs.store import BlobReader, StoredBlob
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.manifest import Entry
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version
from byname.operations import access, reading
from byname.operations import version as version_operations
from byname.operations.context import Context
from byname.operations.manifest import MANIFEST_BYTES_MAX
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import manifest as manifest_rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Landing:
    """Where bytes on their way in are to be put, and which MD5 (base64) they must have."""

    namespace: int
    md5: str | None
    size_max: int | None = None


def land_file(ctx: Context, version_id: int, md5: str) -> Landing:
    """Where a file of a pending version is to be put.

    Raises:
        NotFound, Forbidden, Conflict: the actor may not bring it (any more).
    """
    with ctx.database.read() as tx:
        _, project = version_operations.find_pending(ctx, tx, version_id)
        return Landing(project.entity_id, md5)


def save_file(ctx: Context, version_id: int, stored: StoredBlob) -> None:
    """The version may name these bytes, which are on disk, in its manifest.

    Raises:
        NotFound, Forbidden, Conflict: the actor may not bring it any more.
    """
    with ctx.database.write() as tx:
        _, project = version_operations.find_pending(ctx, tx, version_id)
        manifest_rows.add_blob(
            tx,
            project.entity_id,
            sha256=stored.sha256,
            md5=stored.md5,
            size_bytes=stored.size,
            at=ctx.now(),
        )
        manifest_rows.add_upload(tx, version_id, md5=stored.md5, sha256=stored.sha256, at=ctx.now())


def land_manifest(ctx: Context, manifest_id: int) -> Landing:
    """Where the bytes of a manifest are to be put.

    Raises:
        NotFound, Forbidden, Conflict: the actor may not bring it (any more).
    """
    with ctx.database.read() as tx:
        manifest = manifest_rows.find(tx, manifest_id)
        if manifest is None:
            raise missing("This manifest")
        _, project = version_operations.find_pending(ctx, tx, manifest.version_id)
        return Landing(project.entity_id, manifest.digest or None, MANIFEST_BYTES_MAX)


def save_manifest(ctx: Context, manifest_id: int, stored: StoredBlob) -> None:
    """The manifest's bytes, which are on disk, are those the commit will read.

    Raises:
        NotFound, Forbidden, Conflict: the actor may not bring it any more.
        Unprocessable: the manifest was announced anew with another digest meanwhile.
    """
    with ctx.database.write() as tx:
        manifest = manifest_rows.find(tx, manifest_id)
        if manifest is None:
            raise missing("This manifest")
        _, project = version_operations.find_pending(ctx, tx, manifest.version_id)
        if manifest.digest and manifest.digest != stored.md5:
            raise Unprocessable("These are not the bytes of this manifest", field="digest")
        manifest_rows.add_blob(
            tx,
            project.entity_id,
            sha256=stored.sha256,
            md5=stored.md5,
            size_bytes=stored.size,
            at=ctx.now(),
        )
        manifest_rows.set_bytes(tx, manifest_id, stored.sha256, stored.size)


def land_part(ctx: Context, key: str, part_number: int) -> Landing:
    """Whether a part of that upload may come.

    Raises:
        NotFound, Forbidden, Conflict: the actor may not bring it (any more).
    """
    with ctx.database.read() as tx:
        upload = manifest_rows.find_multipart(tx, key)
        if upload is None or not 1 <= part_number <= upload.part_count:
            raise missing("This upload")
        _, project = version_operations.find_pending(ctx, tx, upload.version_id)
        return Landing(project.entity_id, None)


def complete_parts(ctx: Context, version_id: int, key: str, part_numbers: list[int]) -> str:
    """The parts are one file of the version; its MD5 in base64. May be repeated.

    Raises:
        NotFound: the upload is absent or another's, or a part has not arrived.
        Conflict: the list of parts is not the one announced.
        Invalid: the joined bytes have another MD5 than was announced.
    """
    with ctx.database.read() as tx:
        upload = manifest_rows.find_multipart(tx, key)
        if upload is None or upload.version_id != version_id:
            raise missing("This upload")
        _, project = version_operations.find_pending(ctx, tx, version_id)
    if upload.finished:
        return upload.md5
    if sorted(part_numbers) != list(range(1, upload.part_count + 1)):
        raise Conflict(
            f"This upload has the parts 1 to {upload.part_count}; complete it with all of them"
        )
    stored = ctx.blobs.assemble(
        project.entity_id, key, sorted(part_numbers), expected_md5=upload.md5
    )
    with ctx.database.write() as tx:
        manifest_rows.finish_multipart(tx, key, ctx.now())
        save_file(ctx, version_id, stored)
    ctx.blobs.drop_parts(key)
    return stored.md5


# ---- fetching ----------------------------------------------------------------------------------


def open_blob(ctx: Context, project_id: int, namespace: int, sha256: str) -> BlobReader:
    """The bytes, for an actor who was given their address through that project.

    Raises:
        NotFound: the project or the bytes are gone or hidden.
        Forbidden: the role there is too low to download (R107), perhaps since a moment ago (A4).
    """
    with ctx.database.read() as tx:
        project = project_rows.find(tx, project_id)
        if project is None:
            raise missing("This file")
        access.require(ctx, tx, project, Permission.DOWNLOAD, "This file")
    return ctx.blobs.open(namespace, sha256)


def open_manifest(ctx: Context, version_id: int) -> BlobReader:
    """The manifest of a version that the actor may see; a Restricted Viewer too (R107).

    Raises:
        NotFound: absent or hidden, or not committed yet.
    """
    with ctx.database.read() as tx:
        version = version_rows.find(tx, version_id)
        if (
            version is None
            or version.manifest_id is None
            or not version_operations.visible(ctx, tx, version, Permission.SEE)
        ):
            raise missing("This manifest")
        manifest = manifest_rows.find(tx, version.manifest_id)
        project = project_rows.find(tx, version.project_id)
        if manifest is None or manifest.sha256 is None or project is None:
            raise missing("This manifest")
    return ctx.blobs.open(project.entity_id, manifest.sha256)


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A file as `/artifactsV2/...` names it (protocol 2)."""

    entity: str
    project: str
    collection: str
    version_id: int | None
    birth_version_id: int
    md5_hex: str


def open_addressed(ctx: Context, address: FileAddress) -> BlobReader:
    """The bytes of a file of a version that is in the collection named.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role there is too low to download (R107).
    """
    missing_file = missing("This file")
    try:
        digest = b64encode(bytes.fromhex(address.md5_hex)).decode()
    except ValueError:
        raise missing_file from None
    with ctx.database.read() as tx:
        project = project_rows.find_by_name(tx, address.entity, address.project)
        if project is None:
            raise missing_file
        access.require(ctx, tx, project, Permission.DOWNLOAD, "This file")
        collection = collection_rows.find_by_name(tx, project.id, address.collection)
        if collection is None:
            raise missing_file
        version_id = address.version_id
        if version_id is not None:
            version = version_rows.find(tx, version_id)
            version_id = None if version is None else version.id
            if (
                version_id is None
                or collection_rows.membership_of(tx, collection.id, version_id) is None
            ):
                raise missing_file
        source_id = address.birth_version_id if version_id is None else version_id
        entry = manifest_rows.find_entry_by_digest(tx, source_id, digest)
        if entry is None or entry.sha256 is None:
            raise missing_file
        if version_id is None and not manifest_rows.is_in_collection(
            tx, collection.id, entry.sha256
        ):
            raise missing_file
        source = version_rows.find(tx, source_id)
        owner = None if source is None else project_rows.find(tx, source.project_id)
        if owner is None or source is None:
            raise missing_file
        reading.note(ctx, project, source)
    return ctx.blobs.open(owner.entity_id, entry.sha256)


def open_of_entity(ctx: Context, entity_name: str, md5_hex: str) -> BlobReader:
    """The bytes with that MD5 which a team keeps (the old address form `/artifacts/...`).

    Raises:
        NotFound: absent, or the actor is not in the team.
    """
    missing_file = missing("This file")
    try:
        digest = b64encode(bytes.fromhex(md5_hex)).decode()
    except ValueError:
        raise missing_file from None
    with ctx.database.read() as tx:
        entity = entity_rows.find_by_name(tx, entity_name)
        if entity is None or not access.may_read_entity(ctx, entity):
            raise missing_file
        blob = manifest_rows.find_blobs_by_md5(tx, entity.id, [digest]).get(digest)
        if blob is None:
            raise missing_file
    return ctx.blobs.open(entity.id, blob.sha256)


# ---- listing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some of a version's files, by path, and through which project they may be fetched."""

    version: Version
    project_id: int
    namespace: int
    entries: list[Entry]
    has_next: bool
    total: int


def list_files(
    ctx: Context,
    version: Version,
    *,
    through: int | None,
    paths: Sequence[str] | None = None,
    after: str = "",
    limit: int = 50,
) -> FilePage:
    """The version's files by path, from behind the path `after`; only those of `paths`, if given.

    `through` is the project of the collection by which the actor came; without it, the source
    project or any registry where the version is linked will do.

    Raises:
        Forbidden: the actor sees the version, but may not download its files there (R54, R107).
    """
    with ctx.database.read() as tx:
        project = _project_to_read(ctx, tx, version, through)
        source = project_rows.find(tx, version.project_id)
        if source is None:
            raise missing("This version")
        reading.note(ctx, project, version)
        if paths is None:
            rows = manifest_rows.list_entries(tx, version.id, after=after, limit=limit + 1)
        else:
            wanted = sorted({path for path in paths if path > after})[: limit + 1]
            rows = manifest_rows.find_entries(tx, version.id, wanted)
    entries = [entry for entry, _ in rows]
    return FilePage(
        version=version,
        project_id=project.id,
        namespace=source.entity_id,
        entries=entries[:limit],
        has_next=len(entries) > limit,
        total=version.file_count if paths is None else len(entries),
    )


@dataclass(frozen=True, slots=True)
class Folder:
    """Some of what lies directly in a folder of a version."""

    project_id: int
    namespace: int
    lines: list[tuple[str, Entry | None]]
    """Paths with their files; a folder's path ends with a slash, and it has none."""
    has_next: bool


def list_folder(
    ctx: Context,
    version: Version,
    folder: str,
    *,
    through: int,
    after: str = "",
    limit: int = 100,
) -> Folder:
    """What lies directly in a folder, by path; the folder is empty for the outermost.

    Raises:
        NotFound: there is no such folder.
        Forbidden: the actor sees the version, but may not download its files there (R54, R107).
    """
    prefix = f"{folder}/" if folder and not folder.endswith("/") else folder
    with ctx.database.read() as tx:
        project = _project_to_read(ctx, tx, version, through)
        source = project_rows.find(tx, version.project_id)
        if source is None or entity_rows.lookup_key(prefix or "x") is None:
            raise missing("This folder")
        paths = manifest_rows.list_folder(tx, version.id, prefix, after=after, limit=limit + 1)
        if prefix and not after and not paths:
            raise missing(f"Folder {prefix[:300]}")
        shown = paths[:limit]
        files = [path for path in shown if not path.endswith("/")]
        entries = {each.path: each for each, _ in manifest_rows.find_entries(tx, version.id, files)}
    return Folder(
        project.id,
        source.entity_id,
        [(path, entries.get(path)) for path in shown],
        len(paths) > limit,
    )


@dataclass(frozen=True, slots=True)
class Beginning:
    """A file of a version, and its first bytes."""

    project_id: int
    namespace: int
    entry: Entry
    content: bytes
    """Empty for a reference, whose bytes are kept elsewhere."""


def read_beginning(
    ctx: Context, version: Version, path: str, *, through: int, limit: int
) -> Beginning:
    """The first bytes of a file, for the viewer (P7).

    Raises:
        NotFound: there is no such file, or its bytes are gone.
        Forbidden: the actor may not download it there (R54, R107).
    """
    with ctx.database.read() as tx:
        project = _project_to_read(ctx, tx, version, through)
        source = project_rows.find(tx, version.project_id)
        known = entity_rows.lookup_key(path) is not None
        found = manifest_rows.find_entries(tx, version.id, [path]) if known else []
        if source is None or not found:
            raise missing(f"File {path[:300]}")
    entry = found[0][0]
    content = b""
    if entry.sha256 is not None and entry.ref is None:
        with contextlib.closing(ctx.blobs.open(source.entity_id, entry.sha256)) as reader:
            content = reader.pread(min(limit, reader.size), 0)
    return Beginning(project.id, source.entity_id, entry, content)


def _project_to_read(
    ctx: Context, tx: Transaction, version: Version, through: int | None
) -> Project:
    """The project through which the actor may download the version's files."""
    if through is not None:
        project = project_rows.find(tx, through)
        if project is None:
            raise missing("This version")
        access.require(ctx, tx, project, Permission.DOWNLOAD, "This version")
        return project
    source = project_rows.find(tx, version.project_id)
    if source is not None and access.may(ctx, tx, source, Permission.DOWNLOAD):
        return source
    links = collection_rows.links_of_version(tx, version.id)
    collections = collection_rows.find_many(tx, [link.collection_id for link in links])
    projects = project_rows.find_many(tx, list({c.project_id for c in collections.values()}))
    roles = access.roles_in(tx, ctx.actor, projects.values())
    for project in projects.values():
        role = roles[project.id]
        if role is not None and role >= Permission.DOWNLOAD.least:
            return project
    raise Forbidden(
        "You may see this version, but not download its files: it needs the role viewer",
        role=Permission.DOWNLOAD.least.word,
    )
