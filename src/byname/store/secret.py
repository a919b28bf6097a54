"""The secrets of teams, as rows. Values are sealed before they come here."""

from __future__ import annotations

from byname.domain.secret import Secret
from byname.store.database import Row, Transaction
from byname.store.moment import moment

_SELECT = "SELECT id, team_id, name, created_at, updated_at FROM secret "


def from_row(row: Row) -> Secret:
    """The secret of a row, without its value."""
    return Secret(
        id=row["id"],
        team_id=row["team_id"],
        name=row["name"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
    )


def list_of_team(tx: Transaction, team_id: int) -> list[Secret]:
    """The team's secrets, by name."""
    rows = tx.all(_SELECT + "WHERE team_id = :team ORDER BY name", {"team": team_id})
    return [from_row(row) for row in rows]


def count_of_team(tx: Transaction, team_id: int) -> int:
    """How many secrets the team has."""
    row = tx.one("SELECT count(*) AS n FROM secret WHERE team_id = :team", {"team": team_id})
    return 0 if row is None else int(row["n"])


def find(tx: Transaction, team_id: int, name: str) -> Secret | None:
    """The team's secret of that name."""
    row = tx.one(
        _SELECT + "WHERE team_id = :team AND name = :name", {"team": team_id, "name": name}
    )
    return None if row is None else from_row(row)


def find_sealed(tx: Transaction, team_id: int, name: str) -> str | None:
    """The sealed value of the team's secret of that name."""
    row = tx.one(
        "SELECT value_sealed FROM secret WHERE team_id = :team AND name = :name",
        {"team": team_id, "name": name},
    )
    return None if row is None else str(row["value_sealed"])


def put(
    tx: Transaction, team_id: int, name: str, *, sealed: str, created_by: int | None, at: int
) -> None:
    """The team has the secret, with this value."""
    tx.run(
        "INSERT INTO secret (team_id, name, value_sealed, created_by, created_at, updated_at)"
        " VALUES (:team, :name, :sealed, :by, :at, :at) ON CONFLICT (team_id, name)"
        " DO UPDATE SET value_sealed = excluded.value_sealed, updated_at = excluded.updated_at",
        {"team": team_id, "name": name, "sealed": sealed, "by": created_by, "at": at},
    )


def remove(tx: Transaction, team_id: int, name: str) -> None:
    """The team has no secret of that name; its value is gone."""
    tx.run(
        "DELETE FROM secret WHERE team_id = :team AND name = :name",
        {"team": team_id, "name": name},
    )


SEALED = (
    ("secret", "value_sealed"),
    ("integration", "url_sealed"),
    ("integration", "access_token_sealed"),
    ("integration", "secret_sealed"),
)
"""Every column that holds sealed values."""


def list_sealed(tx: Transaction, column: int, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Some rows of one of the `SEALED` columns, from behind an id: pairs of id and value."""
    table, name = SEALED[column]
    rows = tx.all(
        f"SELECT id, {name} AS sealed FROM {table}"
        f" WHERE id > :after AND {name} IS NOT NULL ORDER BY id LIMIT :limit",
        {"after": after, "limit": limit},
    )
    return [(row["id"], row["sealed"]) for row in rows]


def reseal(tx: Transaction, column: int, sealed: list[tuple[str, int]]) -> None:
    """Rows of that column hold these values instead: pairs of value and row id."""
    table, name = SEALED[column]
    tx.run_many(f"UPDATE {table} SET {name} = ? WHERE id = ?", sealed)
