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


def sum_bytes(tx: Transaction) -> int:
    """How many bytes are kept in all; equal content of one team or person once."""
    row = tx.one("SELECT coalesce(sum(size_bytes), 0) AS n FROM blob")
    return 0 if row is None else int(row["n"])
