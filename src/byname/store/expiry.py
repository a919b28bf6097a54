"""Which versions are past their time to live, as rows."""

from __future__ import annotations

from byname.store.database import Transaction


def list_due(tx: Transaction, *, now: int, limit: int) -> list[int]:
    """Committed versions whose time to live is over and that are linked nowhere, longest first."""
    rows = tx.all(
        "SELECT v.id FROM version v JOIN collection c ON c.id = v.collection_id"
        " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
        " WHERE v.ttl_seconds IS NOT NULL AND v.state = 'committed' AND c.deleted_at IS NULL"
        " AND v.created_at + v.ttl_seconds * 1000000 <= :now"
        " AND NOT EXISTS (SELECT 1 FROM membership m JOIN collection x ON x.id = m.collection_id"
        "   JOIN project y ON y.id = x.project_id AND y.deleted_at IS NULL"
        "   WHERE m.version_id = v.id AND m.deleted_at IS NULL AND x.kind = 'portfolio')"
        " ORDER BY v.created_at + v.ttl_seconds * 1000000 LIMIT :limit",
        {"now": now, "limit": limit},
    )
    return [row["id"] for row in rows]
