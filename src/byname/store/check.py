"""What must agree with each other in the rows, looked at as a whole."""

from __future__ import annotations

from byname.store.database import Transaction


def number_problems(tx: Transaction, *, limit: int) -> list[str]:
    """Collections whose numbers, retired ones included, are not 0 ... next-1 (R46, I2)."""
    rows = tx.all(
        "SELECT c.id, c.name, c.next_number, count(m.id) AS given, min(m.number) AS low,"
        " max(m.number) AS high FROM collection c LEFT JOIN membership m ON m.collection_id = c.id"
        " GROUP BY c.id HAVING given <> c.next_number"
        " OR (given > 0 AND (low <> 0 OR high <> c.next_number - 1)) LIMIT :limit",
        {"limit": limit},
    )
    return [
        f"collection {row['id']} ({row['name']!r}) gave out {row['given']} numbers from "
        f"{row['low']} to {row['high']}, but the next one is {row['next_number']}"
        for row in rows
    ]


def count_problems(tx: Transaction, *, limit: int) -> list[str]:
    """Live collections that count other versions than they have (I6)."""
    rows = tx.all(
        "SELECT c.id, c.name, c.version_count, count(m.id) AS present FROM collection c"
        " LEFT JOIN membership m ON m.collection_id = c.id AND m.deleted_at IS NULL"
        " WHERE c.deleted_at IS NULL GROUP BY c.id HAVING present <> c.version_count LIMIT :limit",
        {"limit": limit},
    )
    return [
        f"collection {row['id']} ({row['name']!r}) counts {row['version_count']} versions, "
        f"but has {row['present']}"
        for row in rows
    ]


def blobs(tx: Transaction, *, after: tuple[int, str], limit: int) -> list[tuple[int, str, int]]:
    """The next blobs that must be kept: entity, SHA-256 and size in bytes."""
    rows = tx.all(
        "SELECT entity_id, sha256, size_bytes FROM blob"
        " WHERE (entity_id, sha256) > (:entity, :sha256) ORDER BY entity_id, sha256 LIMIT :limit",
        {"entity": after[0], "sha256": after[1], "limit": limit},
    )
    return [(row["entity_id"], row["sha256"], row["size_bytes"]) for row in rows]


def blob_bytes(tx: Transaction) -> int:
    """How many bytes all blobs that must be kept have together."""
    row = tx.one("SELECT coalesce(sum(size_bytes), 0) AS n FROM blob")
    return 0 if row is None else int(row["n"])


def missing_blobs(tx: Transaction, *, limit: int) -> list[str]:
    """Files of committed versions whose bytes no row promises to keep."""
    rows = tx.all(
        "SELECT e.version_id, e.path, e.sha256, p.entity_id FROM version v"
        " JOIN entry e ON e.version_id = v.id JOIN collection c ON c.id = v.collection_id"
        " JOIN project p ON p.id = c.project_id WHERE v.state = 'committed'"
        " AND v.same_as_id IS NULL AND e.sha256 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob b"
        " WHERE b.entity_id = p.entity_id AND b.sha256 = e.sha256) LIMIT :limit",
        {"limit": limit},
    )
    return [
        f"file {row['path']!r} of version {row['version_id']} needs blob {row['sha256']} of entity "
        f"{row['entity_id']}, which is not known"
        for row in rows
    ]
