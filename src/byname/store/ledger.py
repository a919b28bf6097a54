"""Reading the ledger: who held a name when, and whether its chain of hashes is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byname.domain.alias import LedgerRow, chain
from byname.domain.names import composed
from byname.store.database import Row, Transaction
from byname.store.moment import moment

PORTION = 1_000


def from_row(row: Row) -> LedgerRow:
    """The row as a value."""
    return LedgerRow(
        id=row["id"],
        collection_id=row["collection_id"],
        alias=row["alias"],
        revision=row["revision"],
        from_number=row["from_number"],
        to_number=row["to_number"],
        cause=row["cause"],
        actor_name=row["actor_name"],
        face=row["face"],
        at=moment(row["at"]),
    )


def of_collection(
    tx: Transaction, collection_id: int, *, after: int, limit: int
) -> list[LedgerRow]:
    """The collection's ledger, oldest first, from behind the row id `after`."""
    rows = tx.all(
        "SELECT * FROM ledger WHERE collection_id = :collection AND id > :after"
        " ORDER BY id LIMIT :limit",
        {"collection": collection_id, "after": after, "limit": limit},
    )
    return [from_row(row) for row in rows]


def of_alias(
    tx: Transaction, collection_id: int, alias: str, *, below: int | None, limit: int
) -> list[LedgerRow]:
    """The alias's ledger, newest first, from below a revision."""
    rows = tx.all(
        "SELECT * FROM ledger WHERE collection_id = :collection AND alias = :alias"
        " AND revision < :below ORDER BY revision DESC LIMIT :limit",
        {
            "collection": collection_id,
            "alias": composed(alias),
            "below": 2**62 if below is None else below,
            "limit": limit,
        },
    )
    return [from_row(row) for row in rows]


def last_of_each(tx: Transaction, collection_id: int, *, after: str, limit: int) -> list[LedgerRow]:
    """The last change of each alias that was ever given in the collection, by name."""
    rows = tx.all(
        "SELECT l.* FROM alias a JOIN ledger l ON l.collection_id = a.collection_id"
        " AND l.alias = a.name AND l.revision = a.revision"
        " WHERE a.collection_id = :collection AND a.name > :after ORDER BY a.name LIMIT :limit",
        {"collection": collection_id, "after": after, "limit": limit},
    )
    return [from_row(row) for row in rows]


def last_of_memberships(tx: Transaction, ids: Sequence[int]) -> dict[int, LedgerRow]:
    """How the last of the aliases that each of these places holds came there, by its id."""
    marks = ",".join("?" * len(ids))
    rows = tx.all(
        "SELECT a.membership_id, l.* FROM ledger l"
        " JOIN alias a ON a.collection_id = l.collection_id AND a.name = l.alias"
        " WHERE l.id IN (SELECT max(k.id) FROM alias b JOIN ledger k"
        " ON k.collection_id = b.collection_id AND k.alias = b.name AND k.revision = b.revision"
        f" WHERE b.membership_id IN ({marks}) GROUP BY b.membership_id)",
        ids,
    )
    return {row["membership_id"]: from_row(row) for row in rows}


def at_time(tx: Transaction, collection_id: int, alias: str, at: int) -> LedgerRow | None:
    """The last change of the alias that was made at that time, in microseconds, or before."""
    row = tx.one(
        "SELECT * FROM ledger WHERE collection_id = :collection AND alias = :alias AND at <= :at"
        " ORDER BY revision DESC LIMIT 1",
        {"collection": collection_id, "alias": composed(alias), "at": at},
    )
    return None if row is None else from_row(row)


def highest_at_time(tx: Transaction, collection_id: int, at: int) -> int | None:
    """The highest number that had been given out in the collection at that time."""
    row = tx.one(
        "SELECT number FROM membership WHERE collection_id = :collection AND created_at <= :at"
        " AND (deleted_at IS NULL OR deleted_at > :at) ORDER BY number DESC LIMIT 1",
        {"collection": collection_id, "at": at},
    )
    return None if row is None else int(row["number"])


def holder_before(tx: Transaction, collection_id: int, alias: str, steps: int) -> int | None:
    """The number that held the alias so many holders (at least one) before the present one.

    A time without a holder is passed over, and counts as the present when nobody holds it now.
    """
    last: int | None = None
    left = steps
    below: int | None = None
    while True:
        rows = of_alias(tx, collection_id, alias, below=below, limit=PORTION)
        for row in rows:
            if below is None and row is rows[0]:
                last = row.to_number
                continue
            if row.to_number is None or row.to_number == last:
                continue
            last = row.to_number
            left -= 1
            if left == 0:
                return last
        if len(rows) < PORTION:
            return None
        below = rows[-1].revision


def breaks(tx: Transaction, *, limit: int) -> Iterator[str]:
    """Where the chain of hashes does not hold, in each collection at the first such row."""
    found = 0
    collection_id = -1
    while found < limit:
        row = tx.one(
            "SELECT collection_id FROM ledger WHERE collection_id > :after"
            " ORDER BY collection_id LIMIT 1",
            {"after": collection_id},
        )
        if row is None:
            return
        collection_id = row["collection_id"]
        broken = _first_break(tx, collection_id)
        if broken is not None:
            found += 1
            yield (
                f"the ledger of collection {collection_id} was changed: row {broken} is not what "
                "was written after the row before it"
            )


def _first_break(tx: Transaction, collection_id: int) -> int | None:
    previous, after = "", 0
    while True:
        rows = tx.all(
            "SELECT * FROM ledger WHERE collection_id = :collection AND id > :after"
            " ORDER BY id LIMIT :limit",
            {"collection": collection_id, "after": after, "limit": PORTION},
        )
        for row in rows:
            expected = chain(
                previous,
                collection_id=collection_id,
                change=(
                    row["alias"],
                    row["revision"],
                    row["from_number"],
                    row["to_number"],
                    row["cause"],
                ),
                actor=(row["actor_id"], row["actor_name"], row["face"]),
                at=row["at"],
            )
            if row["hash"] != expected:
                return int(row["id"])
            previous, after = expected, row["id"]
        if len(rows) < PORTION:
            return None
