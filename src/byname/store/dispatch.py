"""How far the outbox was looked through, and what of an event's surroundings payloads tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.history import Cursor
from byname.store.database import Transaction


def position(tx: Transaction) -> Cursor | None:
    """The last rows of ledger and history that were dispatched; None when none ever was."""
    row = tx.one("SELECT ledger_id, history_id FROM dispatch")
    return None if row is None else Cursor(row["ledger_id"], row["history_id"])


def advance(tx: Transaction, start: Cursor | None, end: Cursor) -> bool:
    """The position goes from one place to the next; False when somebody else has moved it."""
    if start is None:
        return bool(
            tx.run(
                "INSERT INTO dispatch (id, ledger_id, history_id) VALUES (1, :ledger, :history)"
                " ON CONFLICT (id) DO NOTHING",
                {"ledger": end.ledger_id, "history": end.id},
            )
        )
    return bool(
        tx.run(
            "UPDATE dispatch SET ledger_id = :ledger, history_id = :history"
            " WHERE ledger_id = :old_ledger AND history_id = :old_history",
            {
                "ledger": end.ledger_id,
                "history": end.id,
                "old_ledger": start.ledger_id,
                "old_history": start.id,
            },
        )
    )


def earliest(tx: Transaction) -> Cursor | None:
    """Before this place nothing fires any automation; None when none is on."""
    row = tx.one(
        "SELECT min(since_ledger_id) AS ledger_id, min(since_history_id) AS history_id"
        " FROM automation WHERE enabled = 1 AND deleted_at IS NULL"
    )
    if row is None or row["ledger_id"] is None:
        return None
    return Cursor(row["ledger_id"], row["history_id"])


@dataclass(frozen=True, slots=True)
class Told:
    """A version as payloads tell it, also when it is deleted by now."""

    id: int
    digest: str
    metadata: str | None


def versions_by_number(
    tx: Transaction, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Told]:
    """The versions that have, or had, these numbers in these collections."""
    found: dict[tuple[int, int], Told] = {}
    for start in range(0, len(places), 200):
        portion = places[start : start + 200]
        marks = ",".join(["(?,?)"] * len(portion))
        for row in tx.all(
            "SELECT m.collection_id, m.number, v.id, v.digest, v.metadata FROM membership m"
            " JOIN version v ON v.id = m.version_id"
            f" WHERE (m.collection_id, m.number) IN (VALUES {marks})",
            [value for place in portion for value in place],
        ):
            found[row["collection_id"], row["number"]] = Told(
                row["id"], row["digest"], row["metadata"]
            )
    return found
