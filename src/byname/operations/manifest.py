"""Bringing a version's files and manifest, and committing it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from byname.blobs.store import StoredBlob
from byname.domain import manifest as rules
from byname.domain import names
from byname.domain.errors import Conflict, Unprocessable, missing
from byname.domain.ids import find_number, to_id
from byname.domain.manifest import Entry, Manifest, ManifestKind
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version, VersionState
from byname.operations import access, alias, history
from byname.operations import version as version_operations
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import lineage as lineage_rows
from byname.store import manifest as manifest_rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

MANIFEST_BYTES_MAX = 100 * 1024 * 1024
"""The largest manifest file that a version may have: it is read whole at the commit (L3)."""
PARTS_MAX = 10_000
ENTRIES_AT_ONCE = 5_000
"""How many entries one transaction adds, so that other writers need not wait long."""
MISSING_SHOWN = 10


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a client wants to bring for a pending version."""

    version_id: int
    name: str
    md5: str
    """Base64."""
    part_md5s: Sequence[str] = ()
    """For a file that comes in parts: their MD5s in hex, by part number."""


@dataclass(frozen=True, slots=True)
class FileOffer:
    """What the client is to do with a file: nothing (`present`), or bring it."""

    version_id: int
    name: str
    md5: str
    present: bool
    multipart_key: str | None = None


def add(
    ctx: Context,
    version_id: int,
    *,
    kind: ManifestKind,
    name: str,
    digest: str,
    base_version_id: int | None,
) -> Manifest:
    """The pending version has a further manifest, whose bytes are still to come (protocol 9.4).

    Raises:
        NotFound: the version (or base) is absent or hidden.
        Forbidden: the role is below Member.
        Conflict: the version is committed.
    """
    if digest:
        rules.check_md5(digest, name)
    rules.check_path(name)
    with ctx.database.write() as tx:
        version_operations.find_pending(ctx, tx, version_id)
        base_id = _base(ctx, tx, base_version_id)
        manifest_id = manifest_rows.add(
            tx,
            version_id=version_id,
            kind=kind,
            name=name,
            digest=digest,
            base_version_id=base_id,
            at=ctx.now(),
        )
        return _found(tx, manifest_id)


def edit(
    ctx: Context, manifest_id: int, *, digest: str | None, base_version_id: int | None
) -> Manifest:
    """The manifest will be brought (anew), with this digest, upon this base.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Conflict: the version is committed.
    """
    if digest:
        rules.check_md5(digest, "the manifest")
    with ctx.database.write() as tx:
        manifest = _found(tx, manifest_id)
        version_operations.find_pending(ctx, tx, manifest.version_id)
        base_id = _base(ctx, tx, base_version_id)
        manifest_rows.edit(
            tx,
            manifest_id,
            digest=manifest.digest if digest is None else digest,
            base_version_id=manifest.base_version_id if base_id is None else base_id,
        )
        return _found(tx, manifest_id)


def _found(tx: Transaction, manifest_id: int) -> Manifest:
    manifest = manifest_rows.find(tx, manifest_id)
    if manifest is None:
        raise missing("This manifest")
    return manifest


def _base(ctx: Context, tx: Transaction, version_id: int | None) -> int | None:
    if version_id is None:
        return None
    base = version_rows.find(tx, version_id)
    if base is None or not version_operations.visible(ctx, tx, base, Permission.DOWNLOAD):
        raise missing("The base version")
    return base.id


def get_full(ctx: Context, version: Version) -> Manifest | None:
    """The manifest that lists all of a committed version; None while it is pending."""
    if version.manifest_id is None:
        return None
    with ctx.database.read() as tx:
        return manifest_rows.find(tx, version.manifest_id)


def offer_files(ctx: Context, files: Sequence[NewFile]) -> list[FileOffer]:
    """For each file, in order, whether to bring it. Content the team has already is not brought twice.

    "Already there" is said only about bytes of the same team, whose versions the caller may read
    (reliability A5); and only once they are safely kept.

    Raises:
        NotFound: a version is absent or hidden.
        Forbidden: the role is below Member.
        Conflict: a version is committed.
        Unprocessable: a name or digest is not right, or there are too many parts.
    """
    for file in files:
        rules.check_path(file.name)
        rules.check_md5(file.md5, file.name)
        if len(file.part_md5s) > PARTS_MAX:
            raise Unprocessable(f"{file.name!r} has over {PARTS_MAX} parts", field="parts")
    with ctx.database.read() as tx:
        namespace: dict[int, int] = {}
        for version_id in {file.version_id for file in files}:
            _, project = version_operations.find_pending(ctx, tx, version_id)
            namespace[version_id] = project.entity_id
        present: dict[tuple[int, str], str] = {}
        for entity_id in set(namespace.values()):
            md5s = list({f.md5 for f in files if namespace[f.version_id] == entity_id})
            for md5, blob in manifest_rows.find_blobs_by_md5(tx, entity_id, md5s).items():
                present[entity_id, md5] = blob.sha256
    if not present and not any(file.part_md5s for file in files):
        return [FileOffer(file.version_id, file.name, file.md5, present=False) for file in files]
    offers = []
    with ctx.database.write() as tx:
        # What was found is looked at again where it is promised: it may have been collected since.
        kept: dict[int, set[str]] = {}
        for entity_id in set(namespace.values()):
            found_there = [sha256 for (owner, _), sha256 in present.items() if owner == entity_id]
            kept[entity_id] = set(manifest_rows.find_blobs(tx, entity_id, found_there))
        for version_id in namespace:
            version_operations.find_pending(ctx, tx, version_id)
        for file in files:
            entity_id = namespace[file.version_id]
            found = present.get((entity_id, file.md5)) in kept[entity_id]
            key = secrets.token_hex(16) if file.part_md5s and not found else None
            offers.append(FileOffer(file.version_id, file.name, file.md5, found, key))
            if found:
                manifest_rows.add_upload(
                    tx,
                    file.version_id,
                    md5=file.md5,
                    sha256=present[entity_id, file.md5],
                    at=ctx.now(),
                )
            elif key is not None:
                manifest_rows.add_multipart(
                    tx,
                    key=key,
                    version_id=file.version_id,
                    md5=file.md5,
                    part_count=len(file.part_md5s),
                    at=ctx.now(),
                )
    return offers


def commit(ctx: Context, version_id: int) -> Version:
    """The version is committed: it has its number, its aliases and tags, and can be used.

    The digest and all sizes are those of the bytes that are here, not those the client believes.
    Incremental and distributed manifests are merged into one full manifest (protocol 10.1). When
    the sequence has a version of the same content already, that one answers instead (R2). May be
    repeated.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Conflict: no manifest was brought yet.
        Unprocessable: the manifest is not right, or names a file that was not brought.
    """
    with ctx.database.read() as tx:
        version = version_rows.find(tx, version_id)
        project = None if version is None else project_rows.find(tx, version.project_id)
        if version is None or project is None:
            raise missing("This version")
        access.require(ctx, tx, project, Permission.LOG, "This version")
        if version.state is VersionState.COMMITTED:
            return version
        manifests = [m for m in manifest_rows.list_of_version(tx, version_id) if m.sha256]
    if not manifests:
        raise Conflict("This version has no manifest yet; bring one before the commit")
    entries = _merged(ctx, project, version, manifests)
    _check_declared(version, manifests[-1].kind, entries)
    full, resolved = _resolve(ctx, project, version, entries)
    kept = _keep_manifest(ctx, project, resolved)
    small = len(resolved) <= ENTRIES_AT_ONCE
    if not small:
        with ctx.database.write() as tx:
            version_operations.find_pending(ctx, tx, version_id)
            manifest_rows.clear_entries(tx, version_id)
        for start in range(0, len(resolved), ENTRIES_AT_ONCE):
            with ctx.database.write() as tx:
                version_operations.find_pending(ctx, tx, version_id)
                manifest_rows.add_entries(tx, version_id, resolved[start : start + ENTRIES_AT_ONCE])
    with ctx.database.write() as tx:
        return _settle(
            ctx,
            tx,
            version_id,
            project,
            digest=rules.digest_of(full),
            entries=resolved,
            add_entries=small,
            kept=kept,
        )


def _merged(
    ctx: Context, project: Project, version: Version, manifests: Sequence[Manifest]
) -> list[Entry]:
    """The entries of the version, from the manifest that counts and what it builds upon.

    - FULL: the last one brought, alone.
    - INCREMENTAL: the base version's entries with the last one's.
    - PATCH: all patches of the distributed writers, in the order in which they were brought.
    """
    last = manifests[-1]
    if last.kind is ManifestKind.FULL:
        return _read(ctx, project, last)
    if last.kind is ManifestKind.PATCH:
        merged: list[Entry] = []
        for manifest in manifests:
            if manifest.kind is ManifestKind.PATCH:
                merged = rules.merge(merged, _read(ctx, project, manifest))
        return merged
    base_id = last.base_version_id or version.base_version_id
    return rules.merge(_entries_of(ctx, base_id), _read(ctx, project, last))


def _read(ctx: Context, project: Project, manifest: Manifest) -> list[Entry]:
    if manifest.sha256 is None:
        return []
    with ctx.blobs.open(project.entity_id, manifest.sha256) as reader:
        return rules.parse(reader.pread(reader.size, 0))


def _entries_of(ctx: Context, version_id: int | None) -> list[Entry]:
    """All entries of a version, with their bytes known."""
    if version_id is None:
        return []
    entries: list[Entry] = []
    with ctx.database.read() as tx:
        after = ""
        while True:
            page = manifest_rows.list_entries(tx, version_id, after=after, limit=ENTRIES_AT_ONCE)
            # A file keeps the version that it was first brought with.
            entries += [
                replace(entry, birth_id=None if birth is None else str(birth))
                for entry, birth in page
            ]
            if len(page) < ENTRIES_AT_ONCE:
                return entries
            after = page[-1][0].path


def _check_declared(version: Version, kind: ManifestKind, entries: Sequence[Entry]) -> None:
    """The digest declared at the beginning is that of the manifest brought (D6)."""
    if kind is ManifestKind.FULL:
        digest = rules.digest_of(entries)
        if digest != version.digest:
            raise Unprocessable(
                f"The manifest has the digest {digest}, but {version.digest} was declared",
                field="digest",
            )


def _resolve(
    ctx: Context, project: Project, version: Version, entries: Sequence[Entry]
) -> tuple[list[Entry], list[tuple[Entry, int | None]]]:
    """Each file with its bytes, looked for where the client may name them.

    - Brought for (or found present for) this version.
    - In the version the entry says it was first brought with, when the caller may download that
      one; bytes of another team are then given to this team too.

    Raises:
        Unprocessable: the bytes of a file are nowhere; the message names up to ten.
    """
    with ctx.database.read() as tx:
        uploads = manifest_rows.uploads_of(tx, version.id)
        born: dict[int, list[Entry]] = {}
        for entry in entries:
            if entry.ref is None and entry.sha256 is None and entry.digest not in uploads:
                birth = birth_number(entry.birth_id)
                if birth is not None:
                    born.setdefault(birth, []).append(entry)
        carried: dict[tuple[int, str], str] = {}
        foreign: list[tuple[int, str]] = []
        for birth, group in born.items():
            source = version_rows.find(tx, birth)
            # Only committed versions are sure to keep their bytes until this one is committed.
            if (
                source is None
                or source.state is not VersionState.COMMITTED
                or not version_operations.visible(ctx, tx, source, Permission.DOWNLOAD)
            ):
                continue
            owner = project_rows.find(tx, source.project_id)
            found = manifest_rows.digests_of(tx, source.id, list({e.digest for e in group}))
            carried.update({(birth, md5): sha256 for md5, sha256 in found.items()})
            if owner is not None and owner.entity_id != project.entity_id:
                foreign += [(owner.entity_id, sha256) for sha256 in found.values()]
    _adopt(ctx, project, foreign)
    resolved: list[tuple[Entry, int | None]] = []
    absent: list[str] = []
    for entry in entries:
        birth = birth_number(entry.birth_id)
        if entry.ref is not None:
            resolved.append((entry, None))
            continue
        sha256 = entry.sha256 or uploads.get(entry.digest)
        if sha256 is None and birth is not None:
            sha256 = carried.get((birth, entry.digest))
        if sha256 is None:
            absent.append(entry.path)
        else:
            resolved.append((replace(entry, sha256=sha256), birth or version.id))
    if absent:
        shown = ", ".join(map(repr, absent[:MISSING_SHOWN]))
        more = len(absent) - MISSING_SHOWN
        raise Unprocessable(
            f"The manifest names files that were not brought: {shown}"
            + (f" and {more} more" if more > 0 else ""),
            field="manifest",
        )
    return _with_sizes(ctx, project, resolved)


def birth_number(birth_id: str | None) -> int | None:
    """The version id behind a `birthArtifactID`, as a number or as the client got it from us."""
    if birth_id is None:
        return None
    if birth_id.isascii() and birth_id.isdigit() and len(birth_id) < 19:
        return int(birth_id)
    return find_number(birth_id, "Artifact")


def _adopt(ctx: Context, project: Project, foreign: Sequence[tuple[int, str]]) -> None:
    """This team keeps these blobs of other teams too: bytes first, then the rows."""
    if not foreign:
        return
    for owner, sha256 in foreign:
        ctx.blobs.link(owner, project.entity_id, sha256)
    with ctx.database.write() as tx:
        for owner in {owner for owner, _ in foreign}:
            sha256s = [sha256 for each, sha256 in foreign if each == owner]
            for blob in manifest_rows.find_blobs(tx, owner, sha256s).values():
                manifest_rows.add_blob(
                    tx,
                    project.entity_id,
                    sha256=blob.sha256,
                    md5=blob.md5,
                    size_bytes=blob.size_bytes,
                    at=ctx.now(),
                )


def _with_sizes(
    ctx: Context, project: Project, resolved: list[tuple[Entry, int | None]]
) -> tuple[list[Entry], list[tuple[Entry, int | None]]]:
    """The entries with the sizes of the bytes that are here."""
    sha256s = list({entry.sha256 for entry, _ in resolved if entry.sha256 is not None})
    with ctx.database.read() as tx:
        blobs = manifest_rows.find_blobs(tx, project.entity_id, sha256s)
    sized: list[tuple[Entry, int | None]] = []
    for entry, birth in resolved:
        if entry.sha256 is None:
            sized.append((entry, birth))
        elif entry.sha256 in blobs:
            sized.append((replace(entry, size_bytes=blobs[entry.sha256].size_bytes), birth))
        else:
            raise Unprocessable(
                f"The bytes of {entry.path!r} are gone; bring them again", field="manifest"
            )
    return [entry for entry, _ in sized], sized


def _keep_manifest(
    ctx: Context, project: Project, resolved: Sequence[tuple[Entry, int | None]]
) -> StoredBlob:
    """The full manifest as a file of ours, on disk."""
    text = rules.render(
        (entry, None if birth is None else to_id("Artifact", birth)) for entry, birth in resolved
    )
    with ctx.blobs.begin(project.entity_id) as writer:
        writer.write(text)
        return writer.finish()


def _settle(
    ctx: Context,
    tx: Transaction,
    version_id: int,
    project: Project,
    *,
    digest: str,
    entries: Sequence[tuple[Entry, int | None]],
    add_entries: bool,
    kept: StoredBlob,
) -> Version:
    """The last step, in one transaction: number, aliases, tags, lineage; or the older same version."""
    present = version_rows.find(tx, version_id)
    if present is None:
        raise missing("This version")
    if present.state is VersionState.COMMITTED:
        return present
    aliases, tags = (json.loads(text) for text in version_rows.wanted(tx, version_id))
    same = collection_rows.membership_by_digest(tx, present.collection_id, digest)
    if same is not None:
        alias.put_on_old(ctx, tx, same, aliases)
        version_operations.add_tags(ctx, tx, same.version_id, tags)
        manifest_rows.clear_entries(tx, version_id)
        version_rows.yield_to(tx, version_id, same.version_id, ctx.now())
        settled_id = same.version_id
    else:
        if add_entries:
            manifest_rows.clear_entries(tx, version_id)
            manifest_rows.add_entries(tx, version_id, entries)
        manifest_rows.add_blob(
            tx,
            project.entity_id,
            sha256=kept.sha256,
            md5=kept.md5,
            size_bytes=kept.size,
            at=ctx.now(),
        )
        manifest_id = manifest_rows.add(
            tx,
            version_id=version_id,
            kind=ManifestKind.FULL,
            name="wandb_manifest.json",
            digest="",
            base_version_id=None,
            sha256=kept.sha256,
            size_bytes=kept.size,
            at=ctx.now(),
        )
        version_rows.commit(
            tx,
            version_id,
            digest=digest,
            size_bytes=sum(entry.size_bytes for entry, _ in entries),
            file_count=len(entries),
            manifest_id=manifest_id,
            at=ctx.now(),
        )
        membership = collection_rows.add_membership(
            tx,
            collection_id=present.collection_id,
            version_id=version_id,
            created_by=ctx.who.user_id,
            at=ctx.now(),
        )
        history.record(
            ctx,
            tx,
            "artifact:create",
            f"{present.collection_name}:v{membership.number}",
            project=project,
            collection_id=present.collection_id,
            version_id=version_id,
            number=membership.number,
            after=digest,
            aliases=[*dict.fromkeys([*aliases, names.LATEST])],
        )
        alias.put_on_new(ctx, tx, membership, aliases)
        version_operations.add_tags(ctx, tx, version_id, tags)
        settled_id = version_id
    if present.run_id is not None:
        lineage_rows.add_output(tx, present.run_id, settled_id, at=ctx.now())
    manifest_rows.clear_uploads(tx, version_id)
    settled = version_rows.find(tx, settled_id)
    if settled is None:
        raise missing("This version")
    return settled
