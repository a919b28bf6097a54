"""Manifests, their entries, and the bytes brought for them, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.manifest import Blob, Entry, Manifest, ManifestKind, Multipart
from byname.store.database import Row, Transaction

LAST = "\U0010ffff"
"""Behind every path that begins in the same way."""
CHUNK = 500
"""How many values one IN (...) carries at the most."""


def from_row(row: Row) -> Manifest:
    """The manifest of a row."""
    return Manifest(
        id=row["id"],
        version_id=row["version_id"],
        kind=ManifestKind(row["kind"]),
        name=row["name"],
        digest=row["digest"],
        base_version_id=row["base_version_id"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
    )


def find(tx: Transaction, manifest_id: int) -> Manifest | None:
    """The manifest of that id."""
    row = tx.one("SELECT * FROM manifest WHERE id = :id", {"id": manifest_id})
    return None if row is None else from_row(row)


def list_of_version(tx: Transaction, version_id: int) -> list[Manifest]:
    """The version's manifests, in the order in which they were made."""
    rows = tx.all(
        "SELECT * FROM manifest WHERE version_id = :version ORDER BY id", {"version": version_id}
    )
    return [from_row(row) for row in rows]


def add(
    tx: Transaction,
    *,
    version_id: int,
    kind: ManifestKind,
    name: str,
    digest: str,
    base_version_id: int | None,
    at: int,
    sha256: str | None = None,
    size_bytes: int | None = None,
) -> int:
    """A new manifest; its id."""
    return tx.insert(
        "INSERT INTO manifest (version_id, kind, name, digest, base_version_id, sha256,"
        " size_bytes, created_at) VALUES (:version, :kind, :name, :digest, :base, :sha256, :size,"
        " :at) RETURNING id",
        {
            "version": version_id,
            "kind": kind.value,
            "name": name,
            "digest": digest,
            "base": base_version_id,
            "sha256": sha256,
            "size": size_bytes,
            "at": at,
        },
    )


def edit(tx: Transaction, manifest_id: int, *, digest: str, base_version_id: int | None) -> None:
    """The manifest will be brought anew, with this digest, upon this base."""
    tx.run(
        "UPDATE manifest SET digest = :digest, base_version_id = :base, sha256 = NULL,"
        " size_bytes = NULL WHERE id = :id",
        {"id": manifest_id, "digest": digest, "base": base_version_id},
    )


def set_bytes(tx: Transaction, manifest_id: int, sha256: str, size_bytes: int) -> None:
    """The manifest's bytes are here."""
    tx.run(
        "UPDATE manifest SET sha256 = :sha256, size_bytes = :size WHERE id = :id",
        {"id": manifest_id, "sha256": sha256, "size": size_bytes},
    )


# ---- entries -----------------------------------------------------------------------------------


def entry_from_row(row: Row) -> tuple[Entry, int | None]:
    """The entry of a row, and the id of the version its file came with."""
    entry = Entry(
        path=row["path"],
        digest=row["digest"],
        size_bytes=row["size_bytes"],
        ref=row["ref"],
        extra=row["extra"],
        sha256=row["sha256"],
    )
    return entry, row["birth_version_id"]


def clear_entries(tx: Transaction, version_id: int) -> None:
    """The version has no entries: what an interrupted commit left is gone."""
    tx.run("DELETE FROM entry WHERE version_id = :version", {"version": version_id})


def add_entries(
    tx: Transaction, version_id: int, entries: Sequence[tuple[Entry, int | None]]
) -> None:
    """The version has these entries, each with the version its file came with."""
    tx.run_many(
        "INSERT INTO entry (version_id, path, digest, size_bytes, sha256, ref, birth_version_id,"
        " extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                version_id,
                entry.path,
                entry.digest,
                entry.size_bytes,
                entry.sha256,
                entry.ref,
                birth,
                entry.extra,
            )
            for entry, birth in entries
        ],
    )


def list_entries(
    tx: Transaction, version_id: int, *, after: str, limit: int
) -> list[tuple[Entry, int | None]]:
    """The version's entries by path, from behind the path `after`."""
    rows = tx.all(
        "SELECT * FROM entry WHERE version_id = :version AND path > :after"
        " ORDER BY path LIMIT :limit",
        {"version": version_id, "after": after, "limit": limit},
    )
    return [entry_from_row(row) for row in rows]


def find_entries(
    tx: Transaction, version_id: int, paths: Sequence[str]
) -> list[tuple[Entry, int | None]]:
    """The version's entries of these paths."""
    found: list[tuple[Entry, int | None]] = []
    for start in range(0, len(paths), CHUNK):
        some = paths[start : start + CHUNK]
        rows = tx.all(
            "SELECT * FROM entry WHERE version_id = ?"
            f" AND path IN ({','.join('?' * len(some))}) ORDER BY path",
            [version_id, *some],
        )
        found += [entry_from_row(row) for row in rows]
    return found


def list_folder(
    tx: Transaction, version_id: int, folder: str, *, after: str, limit: int
) -> list[str]:
    """What lies directly in a folder, by path, from behind `after`; a folder ends with a slash.

    `folder` is empty or ends with a slash. Each step jumps over all that lies in one folder, so that
    a million files in it cost no more than one.
    """
    rows = tx.all(
        "WITH RECURSIVE step (at, n) AS ("
        " SELECT (SELECT min(e.path) FROM entry e WHERE e.version_id = :version"
        "   AND e.path > :start AND e.path < :end), 1"
        " UNION ALL SELECT (SELECT min(e.path) FROM entry e WHERE e.version_id = :version"
        "   AND e.path < :end AND e.path > CASE instr(substr(s.at, :skip), '/') WHEN 0 THEN s.at"
        "   ELSE substr(s.at, 1, :skip - 1 + instr(substr(s.at, :skip), '/')) || :last END), n + 1"
        " FROM step s WHERE s.at IS NOT NULL AND n < :limit)"
        " SELECT CASE instr(substr(at, :skip), '/') WHEN 0 THEN at"
        " ELSE substr(at, 1, :skip - 1 + instr(substr(at, :skip), '/')) END AS path"
        " FROM step WHERE at IS NOT NULL ORDER BY n",
        {
            "version": version_id,
            "start": f"{after}{LAST}" if after.endswith("/") else after or folder,
            "end": f"{folder}{LAST}",
            "skip": len(folder) + 1,
            "last": LAST,
            "limit": limit,
        },
    )
    return [row["path"] for row in rows]


def find_entry_by_digest(tx: Transaction, version_id: int, digest: str) -> Entry | None:
    """One of the version's files with that digest."""
    row = tx.one(
        "SELECT * FROM entry WHERE version_id = :version AND digest = :digest"
        " AND sha256 IS NOT NULL LIMIT 1",
        {"version": version_id, "digest": digest},
    )
    return None if row is None else entry_from_row(row)[0]


def is_in_collection(tx: Transaction, collection_id: int, sha256: str) -> bool:
    """Whether a live version of the collection has a file with these bytes."""
    row = tx.one(
        "SELECT 1 FROM entry e JOIN membership m ON m.version_id = e.version_id"
        " WHERE e.sha256 = :sha256 AND m.collection_id = :collection AND m.deleted_at IS NULL"
        " LIMIT 1",
        {"sha256": sha256, "collection": collection_id},
    )
    return row is not None


def digests_of(tx: Transaction, version_id: int, digests: Sequence[str]) -> dict[str, str]:
    """Of these file digests, those the version has, with the SHA-256 of their bytes."""
    found: dict[str, str] = {}
    for start in range(0, len(digests), CHUNK):
        some = digests[start : start + CHUNK]
        for row in tx.all(
            "SELECT digest, sha256 FROM entry WHERE version_id = ? AND sha256 IS NOT NULL"
            f" AND digest IN ({','.join('?' * len(some))})",
            [version_id, *some],
        ):
            found[row["digest"]] = row["sha256"]
    return found


# ---- bytes -------------------------------------------------------------------------------------


def add_blob(
    tx: Transaction, entity_id: int, *, sha256: str, md5: str, size_bytes: int, at: int
) -> None:
    """The entity keeps these bytes. They must be on disk already.

    Bytes that come again count as new, so that the collector leaves them until a row names them.
    """
    tx.run(
        "INSERT INTO blob (entity_id, sha256, md5, size_bytes, created_at)"
        " VALUES (:entity, :sha256, :md5, :size, :at)"
        " ON CONFLICT (entity_id, sha256) DO UPDATE SET created_at = excluded.created_at",
        {"entity": entity_id, "sha256": sha256, "md5": md5, "size": size_bytes, "at": at},
    )


def find_blobs(tx: Transaction, entity_id: int, sha256s: Sequence[str]) -> dict[str, Blob]:
    """Of these blobs, those the entity keeps, by SHA-256."""
    found: dict[str, Blob] = {}
    for start in range(0, len(sha256s), CHUNK):
        some = sha256s[start : start + CHUNK]
        for row in tx.all(
            "SELECT sha256, md5, size_bytes FROM blob WHERE entity_id = ?"
            f" AND sha256 IN ({','.join('?' * len(some))})",
            [entity_id, *some],
        ):
            found[row["sha256"]] = Blob(row["sha256"], row["md5"], row["size_bytes"])
    return found


def find_blobs_by_md5(tx: Transaction, entity_id: int, md5s: Sequence[str]) -> dict[str, Blob]:
    """Of these MD5s, those the entity keeps bytes for, by MD5; the oldest bytes of each."""
    found: dict[str, Blob] = {}
    for start in range(0, len(md5s), CHUNK):
        some = md5s[start : start + CHUNK]
        for row in tx.all(
            "SELECT sha256, md5, size_bytes FROM blob WHERE entity_id = ?"
            f" AND md5 IN ({','.join('?' * len(some))}) ORDER BY created_at DESC",
            [entity_id, *some],
        ):
            found[row["md5"]] = Blob(row["sha256"], row["md5"], row["size_bytes"])
    return found


def add_upload(tx: Transaction, version_id: int, *, md5: str, sha256: str, at: int) -> None:
    """The version may name these bytes by their MD5 in its manifest."""
    tx.run(
        "INSERT INTO upload (version_id, md5, sha256, created_at)"
        " VALUES (:version, :md5, :sha256, :at)"
        " ON CONFLICT (version_id, md5) DO UPDATE SET sha256 = excluded.sha256,"
        " created_at = excluded.created_at",
        {"version": version_id, "md5": md5, "sha256": sha256, "at": at},
    )


def uploads_of(tx: Transaction, version_id: int) -> dict[str, str]:
    """What was brought for the version: SHA-256 by MD5."""
    rows = tx.all(
        "SELECT md5, sha256 FROM upload WHERE version_id = :version", {"version": version_id}
    )
    return {row["md5"]: row["sha256"] for row in rows}


def clear_uploads(tx: Transaction, version_id: int) -> None:
    """The version's uploads are done with: its entries name the bytes now."""
    tx.run("DELETE FROM upload WHERE version_id = :version", {"version": version_id})
    tx.run("DELETE FROM multipart WHERE version_id = :version", {"version": version_id})


def add_multipart(
    tx: Transaction, *, key: str, version_id: int, md5: str, part_count: int, at: int
) -> None:
    """A file of the version arrives in parts."""
    tx.run(
        "INSERT INTO multipart (key, version_id, md5, part_count, created_at)"
        " VALUES (:key, :version, :md5, :parts, :at)",
        {"key": key, "version": version_id, "md5": md5, "parts": part_count, "at": at},
    )


def find_multipart(tx: Transaction, key: str) -> Multipart | None:
    """The upload in parts of that key."""
    row = tx.one("SELECT * FROM multipart WHERE key = :key", {"key": key})
    if row is None:
        return None
    return Multipart(
        key=row["key"],
        version_id=row["version_id"],
        md5=row["md5"],
        part_count=row["part_count"],
        finished=row["finished_at"] is not None,
    )


def finish_multipart(tx: Transaction, key: str, at: int) -> None:
    """All parts were joined."""
    tx.run("UPDATE multipart SET finished_at = :at WHERE key = :key", {"key": key, "at": at})
