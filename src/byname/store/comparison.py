"""Which files differ between two versions, as rows. Both lists are walked by path, side by side."""

from __future__ import annotations

from byname.domain.comparison import Content, FileLine
from byname.store.database import Row, Transaction

# Of the newer version what the older has not, or has with another digest; of the older what the
# newer has not. Both halves come by path already, so that a page reads no further than it must.
_DIFFERING = """SELECT n.path, o.digest AS old_digest, o.size_bytes AS old_size, o.ref AS old_ref,
        n.digest AS new_digest, n.size_bytes AS new_size, n.ref AS new_ref
    FROM entry n LEFT JOIN entry o ON o.version_id = :before AND o.path = n.path
    WHERE n.version_id = :after AND n.path > :behind
        AND (o.path IS NULL OR o.digest <> n.digest)
    UNION ALL
    SELECT o.path, o.digest, o.size_bytes, o.ref, NULL, NULL, NULL
    FROM entry o LEFT JOIN entry n ON n.version_id = :after AND n.path = o.path
    WHERE o.version_id = :before AND o.path > :behind AND n.path IS NULL"""


def list_files(
    tx: Transaction, before: int, after: int, *, behind: str, limit: int
) -> list[FileLine]:
    """The paths at which two versions differ, from behind a path."""
    rows = tx.all(
        _DIFFERING + " ORDER BY 1 LIMIT :limit",
        {"before": before, "after": after, "behind": behind, "limit": limit},
    )
    return [FileLine(row["path"], _content(row, "old"), _content(row, "new")) for row in rows]


def _content(row: Row, side: str) -> Content | None:
    digest = row[f"{side}_digest"]
    if digest is None:
        return None
    return Content(digest, row[f"{side}_size"], row[f"{side}_ref"])


def count_files(tx: Transaction, before: int, after: int) -> tuple[int, int, int]:
    """How many files were added, removed and changed."""
    row = tx.one(
        "SELECT count(*) FILTER (WHERE old_digest IS NULL) AS added,"
        " count(*) FILTER (WHERE new_digest IS NULL) AS removed,"
        " count(*) FILTER (WHERE old_digest IS NOT NULL AND new_digest IS NOT NULL) AS changed"
        f" FROM ({_DIFFERING}) AS d",
        {"before": before, "after": after, "behind": ""},
    )
    return (0, 0, 0) if row is None else (row["added"], row["removed"], row["changed"])
