"""Which rows name which bytes, and the removal of rows that nobody needs.

The conditions here decide what the collector removes: each statement that removes something
carries its condition itself, so that it holds at that very moment (D7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.gc import Reason, Verdict
from byname.store import metadata_index
from byname.store.database import Transaction

_HOME = (
    " JOIN version v ON v.id = x.version_id JOIN collection c ON c.id = v.collection_id"
    " JOIN project p ON p.id = c.project_id AND p.entity_id = b.entity_id"
)
_RUN_FILE = (
    "EXISTS (SELECT 1 FROM run_file x JOIN run r ON r.id = x.run_id"
    " JOIN project p ON p.id = r.project_id AND p.entity_id = b.entity_id"
    " WHERE x.sha256 = b.sha256{and_})"
)


def _named_by(table: str, and_: str = "") -> str:
    return f"EXISTS (SELECT 1 FROM {table} x{_HOME} WHERE x.sha256 = b.sha256{and_})"


NEEDED = (
    "("
    + " OR ".join(
        [_named_by("entry"), _named_by("manifest"), _named_by("upload"), _RUN_FILE.format(and_="")]
    )
    + ")"
)
"""Whether some row of the blob's own entity names it."""

_STALE = (
    "(v.state = 'pending' AND v.created_at < :fresh"
    " AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.version_id = v.id AND u.created_at >= :fresh)"
    " AND NOT EXISTS (SELECT 1 FROM multipart u WHERE u.version_id = v.id"
    "   AND coalesce(u.finished_at, u.created_at) >= :fresh)"
    " AND NOT EXISTS (SELECT 1 FROM manifest u WHERE u.version_id = v.id"
    "   AND u.created_at >= :fresh))"
)
"""A pending version at which nothing happened for a day."""
_LOST = "(v.state = 'deleted' AND (v.manifest_id IS NULL OR v.deleted_at <= :trash))"
"""A deleted version that cannot come back: too long ago, or never committed."""


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob as the collector looks at it."""

    entity_id: int
    sha256: str
    size_bytes: int


# ---- versions ----------------------------------------------------------------------------------


def list_stale(tx: Transaction, *, fresh: int, limit: int) -> list[int]:
    """Pending versions at which nothing happened since `fresh`."""
    rows = tx.all(
        f"SELECT v.id FROM version v WHERE {_STALE} ORDER BY v.created_at LIMIT :limit",
        {"fresh": fresh, "limit": limit},
    )
    return [row["id"] for row in rows]


def give_up(tx: Transaction, version_id: int, *, fresh: int, at: int) -> bool:
    """The upload is given up, when still nothing happened at it; whether it was (L9)."""
    return bool(
        tx.run(
            "UPDATE version AS v SET state = 'deleted', deleted_at = :at, updated_at = :at"
            f" WHERE v.id = :id AND {_STALE}",
            {"id": version_id, "fresh": fresh, "at": at},
        )
    )


def list_lost(tx: Transaction, *, trash: int, limit: int) -> list[int]:
    """Deleted versions that cannot come back, but still name bytes."""
    rows = tx.all(
        f"SELECT v.id FROM version v WHERE v.emptied_at IS NULL AND {_LOST}"
        " ORDER BY v.deleted_at LIMIT :limit",
        {"trash": trash, "limit": limit},
    )
    return [row["id"] for row in rows]


def empty(
    tx: Transaction, version_id: int, *, trash: int, limit: int, at: int
) -> tuple[bool, bool]:
    """Some entries of a version that cannot come back are gone, and at the end its manifests.

    Answers whether this began it, and whether it is done. (False, True) when it may come back.
    """
    began = tx.run(
        f"UPDATE version AS v SET purged_at = :at WHERE v.id = :id AND v.purged_at IS NULL"
        f" AND {_LOST}",
        {"id": version_id, "trash": trash, "at": at},
    )
    row = tx.one(
        "SELECT 1 FROM version WHERE id = :id AND purged_at IS NOT NULL AND emptied_at IS NULL",
        {"id": version_id},
    )
    if row is None:
        return False, True
    removed = tx.run(
        "DELETE FROM entry WHERE version_id = :id AND path IN"
        " (SELECT path FROM entry WHERE version_id = :id ORDER BY path LIMIT :limit)",
        {"id": version_id, "limit": limit},
    )
    if removed == limit:
        return bool(began), False
    for table in ("upload", "multipart", "manifest"):
        tx.run(f"DELETE FROM {table} WHERE version_id = :id", {"id": version_id})
    metadata_index.forget(tx, version_id)
    tx.run("UPDATE version SET emptied_at = :at WHERE id = :id", {"id": version_id, "at": at})
    return bool(began), True


def multipart_keys(tx: Transaction, version_id: int) -> list[str]:
    """The keys of the version's uploads in parts."""
    rows = tx.all("SELECT key FROM multipart WHERE version_id = :id", {"id": version_id})
    return [row["key"] for row in rows]


# ---- projects and runs -------------------------------------------------------------------------


def list_lost_projects(tx: Transaction, *, trash: int, limit: int) -> list[int]:
    """Projects that were deleted too long ago to come back, and still hold something."""
    rows = tx.all(
        "SELECT id FROM project WHERE deleted_at <= :trash AND purged_at IS NULL"
        " ORDER BY deleted_at LIMIT :limit",
        {"trash": trash, "limit": limit},
    )
    return [row["id"] for row in rows]


def bury(tx: Transaction, project_id: int, *, trash: int, limit: int, at: int) -> bool:
    """Some versions and runs of a lost project are deleted as it is; whether that was all of them."""
    values = {"id": project_id, "trash": trash, "limit": limit, "at": at}
    versions = tx.run(
        "UPDATE version SET state = 'deleted', updated_at = :at, deleted_at ="
        "  (SELECT p.deleted_at FROM project p WHERE p.id = :id)"
        " WHERE id IN (SELECT v.id FROM project p JOIN collection c ON c.project_id = p.id"
        "   JOIN membership m ON m.collection_id = c.id"
        "   JOIN version v ON v.id = m.version_id AND v.collection_id = c.id"
        "   WHERE p.id = :id AND p.deleted_at <= :trash AND v.state <> 'deleted' LIMIT :limit)",
        values,
    )
    runs = tx.run(
        "UPDATE run SET deleted_at = (SELECT p.deleted_at FROM project p WHERE p.id = :id)"
        " WHERE id IN (SELECT r.id FROM run r JOIN project p ON p.id = r.project_id"
        "   WHERE p.id = :id AND p.deleted_at <= :trash AND r.deleted_at IS NULL LIMIT :limit)",
        values,
    )
    if limit in (versions, runs):
        return False
    tx.run(
        "DELETE FROM run_watch WHERE run_id IN (SELECT id FROM run"
        " WHERE project_id = :id AND deleted_at IS NOT NULL)",
        values,
    )
    tx.run(
        "UPDATE project SET purged_at = :at WHERE id = :id AND deleted_at <= :trash",
        {"id": project_id, "trash": trash, "at": at},
    )
    return True


def remove_run_files(tx: Transaction, *, trash: int, limit: int) -> int:
    """Some file rows of runs deleted before `trash` are gone; how many."""
    return tx.run(
        "DELETE FROM run_file WHERE id IN (SELECT f.id FROM run r JOIN run_file f"
        " ON f.run_id = r.id WHERE r.deleted_at <= :trash LIMIT :limit)",
        {"trash": trash, "limit": limit},
    )


# ---- blobs -------------------------------------------------------------------------------------


def list_unneeded(
    tx: Transaction, *, after: tuple[int, str], fresh: int, limit: int
) -> tuple[list[BlobRow], tuple[int, str] | None]:
    """Of the next `limit` blobs behind `after`, those that nothing names; and where they end.

    Blobs received since `fresh` are left out. The end is None behind the last blob.
    """
    page = tx.all(
        "SELECT entity_id, sha256 FROM blob WHERE (entity_id, sha256) > (:entity, :sha256)"
        " ORDER BY entity_id, sha256 LIMIT 1 OFFSET :skip",
        {"entity": after[0], "sha256": after[1], "skip": limit - 1},
    )
    end = (page[0]["entity_id"], page[0]["sha256"]) if page else None
    last = (2**62, "") if end is None else end
    rows = tx.all(
        "SELECT b.entity_id, b.sha256, b.size_bytes FROM blob b"
        " WHERE (b.entity_id, b.sha256) > (:entity, :sha256)"
        " AND (b.entity_id, b.sha256) <= (:last_entity, :last_sha256)"
        f" AND b.created_at < :fresh AND NOT {NEEDED} ORDER BY b.entity_id, b.sha256",
        {
            "entity": after[0],
            "sha256": after[1],
            "last_entity": last[0],
            "last_sha256": last[1],
            "fresh": fresh,
        },
    )
    return [BlobRow(r["entity_id"], r["sha256"], r["size_bytes"]) for r in rows], end


def remove_unneeded(tx: Transaction, blobs: Sequence[BlobRow], *, fresh: int) -> list[BlobRow]:
    """Those of these blobs that still nothing names have no row any more; which they are."""
    removed = []
    for blob in blobs:
        row = tx.one(
            "DELETE FROM blob AS b WHERE b.entity_id = :entity AND b.sha256 = :sha256"
            f" AND b.created_at < :fresh AND NOT {NEEDED} RETURNING size_bytes",
            {"entity": blob.entity_id, "sha256": blob.sha256, "fresh": fresh},
        )
        if row is not None:
            removed.append(blob)
    return removed


def list_unknown(tx: Transaction, entity_id: int, sha256s: Sequence[str]) -> list[str]:
    """Of these digests, those for which the entity has no blob row."""
    rows = tx.all(
        f"SELECT sha256 FROM blob WHERE entity_id = ? AND sha256 IN ({','.join('?' * len(sha256s))})",
        [entity_id, *sha256s],
    )
    known = {row["sha256"] for row in rows}
    return [sha256 for sha256 in sha256s if sha256 not in known]


_DEAD = f"({_LOST} OR {_STALE} OR coalesce(p.deleted_at, :trash + 1) <= :trash)"
_IN_TRASH = "(v.state = 'deleted' OR p.deleted_at IS NOT NULL)"
_LIVE = f" AND NOT {_DEAD} AND NOT {_IN_TRASH}"


def judge(
    tx: Transaction, *, after: tuple[int, str], fresh: int, trash: int, limit: int
) -> list[Verdict]:
    """What a collection would do with each of the next blobs behind `after`, and why."""
    live_run = (
        " AND NOT (coalesce(r.deleted_at, :trash + 1) <= :trash"
        " OR coalesce(p.deleted_at, :trash + 1) <= :trash)"
    )
    rows = tx.all(
        "SELECT b.entity_id, b.sha256, b.size_bytes, CASE"
        f" WHEN {_named_by('entry', _LIVE)} THEN 'VERSION'"
        f" WHEN {_named_by('manifest', _LIVE)} THEN 'MANIFEST'"
        f" WHEN {_RUN_FILE.format(and_=live_run)} THEN 'RUN_FILE'"
        f" WHEN {_named_by('upload', _LIVE)} THEN 'UPLOAD'"
        f" WHEN {_named_by('entry', f' AND NOT {_DEAD}')} THEN 'TRASH'"
        f" WHEN {_named_by('manifest', f' AND NOT {_DEAD}')} THEN 'TRASH'"
        " WHEN b.created_at >= :fresh THEN 'FRESH' ELSE 'UNNEEDED' END AS reason"
        " FROM blob b WHERE (b.entity_id, b.sha256) > (:entity, :sha256)"
        " ORDER BY b.entity_id, b.sha256 LIMIT :limit",
        {
            "entity": after[0],
            "sha256": after[1],
            "fresh": fresh,
            "trash": trash,
            "limit": limit,
        },
    )
    return [
        Verdict(row["entity_id"], row["sha256"], row["size_bytes"], Reason[row["reason"]])
        for row in rows
    ]
