"""Who read which version, as rows."""

from __future__ import annotations

from collections.abc import Mapping

from byname.domain.reading import Reading
from byname.store.database import Transaction

# A version that is read through a project stands there in a collection, under a number.
_READ_AS = (
    "(SELECT n.id FROM membership n JOIN collection k ON k.id = n.collection_id"
    " WHERE n.version_id = ? AND n.deleted_at IS NULL AND k.project_id = ? ORDER BY n.id LIMIT 1)"
)


def add_many(tx: Transaction, readings: Mapping[Reading, int]) -> None:
    """They are written down, behind everything that was committed before."""
    row = tx.one(
        "SELECT coalesce((SELECT max(id) FROM ledger), 0) AS ledger,"
        " coalesce((SELECT max(id) FROM history), 0) AS history"
    )
    place = (0, 0) if row is None else (row["ledger"], row["history"])
    tx.run_many(
        "INSERT INTO reading (ledger_id, history_id, organization_id, project_id, version_id,"
        " actor_id, actor_name, face, at, actor_ip, client, collection_id, number)"
        " SELECT v.*, m.collection_id, m.number FROM"
        " (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) v"
        f" LEFT JOIN membership m ON m.id = {_READ_AS}",
        [
            (
                *place,
                each.organization_id,
                each.project_id,
                each.version_id,
                each.actor_id,
                each.actor_name,
                each.face,
                at,
                each.address,
                each.client,
                each.version_id,
                each.project_id,
            )
            for each, at in sorted(readings.items(), key=lambda pair: pair[1])
        ],
    )
