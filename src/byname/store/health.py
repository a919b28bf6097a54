"""What the rows say of the server as a whole."""

from __future__ import annotations

from byname.store.database import Transaction


def schema_version(tx: Transaction) -> int:
    """The schema that the database has."""
    row = tx.one("SELECT value FROM meta WHERE key = 'schema_version'")
    return 0 if row is None else int(row["value"])


def count_everybody(tx: Transaction) -> dict[str, int]:
    """How many live people, service accounts, administrators and organizations there are."""
    row = tx.one(
        "SELECT coalesce(sum(kind = 'person'), 0) AS people,"
        " coalesce(sum(kind = 'service'), 0) AS service_accounts,"
        " coalesce(sum(server_admin), 0) AS administrators,"
        " (SELECT count(*) FROM entity WHERE kind = 'organization' AND deleted_at IS NULL)"
        " AS organizations FROM users WHERE deleted_at IS NULL"
    )
    return {} if row is None else {name: int(row[name]) for name in row.keys()}  # noqa: SIM118


def pending_deliveries(tx: Transaction) -> dict[bool, tuple[int, int]]:
    """How many deliveries wait and when the oldest was made, by whether their automation is on."""
    rows = tx.all(
        "SELECT a.enabled = 1 OR a.deleted_at IS NOT NULL AS works, count(*) AS n,"
        " min(x.created_at) AS oldest FROM execution x JOIN automation a ON a.id = x.automation_id"
        " WHERE x.state = 'pending' GROUP BY 1"
    )
    return {bool(row["works"]): (row["n"], row["oldest"]) for row in rows}


def sum_bytes(tx: Transaction) -> int:
    """How many bytes are kept in all; equal content of one team or person once."""
    row = tx.one("SELECT coalesce(sum(size_bytes), 0) AS n FROM blob")
    return 0 if row is None else int(row["n"])
