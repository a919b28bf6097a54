"""Webhooks and Slack channels of teams, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.integration import Integration, IntegrationKind
from byname.store.database import Row, Transaction
from byname.store.moment import moment

_SELECT = (
    "SELECT i.*, e.name AS team_name, e.organization_id FROM integration i"
    " JOIN entity e ON e.id = i.team_id AND e.deleted_at IS NULL "
)


def from_row(row: Row) -> Integration:
    """The integration of a row that was selected with `_SELECT`, without its secrets."""
    return Integration(
        id=row["id"],
        team_id=row["team_id"],
        team_name=row["team_name"],
        organization_id=row["organization_id"],
        kind=IntegrationKind(row["kind"]),
        name=row["name"],
        url=row["url"],
        access_token_name=row["access_token_name"],
        has_access_token=bool(row["access_token_name"] or row["access_token_sealed"]),
        secret_name=row["secret_name"],
        has_secret=bool(row["secret_name"] or row["secret_sealed"]),
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """The columns of an integration's row that say where it sends, and with which secrets."""

    url: str | None = None
    url_sealed: str | None = None
    access_token_name: str | None = None
    access_token_sealed: str | None = None
    secret_name: str | None = None
    secret_sealed: str | None = None


def find(tx: Transaction, integration_id: int) -> Integration | None:
    """The live integration of that id."""
    row = tx.one(
        _SELECT + "WHERE i.id = :id AND i.deleted_at IS NULL",
        {"id": integration_id},
    )
    return None if row is None else from_row(row)


def find_sealed(tx: Transaction, integration_id: int) -> Sealed | None:
    """How the live integration of that id sends."""
    row = tx.one(
        "SELECT url, url_sealed, access_token_name, access_token_sealed, secret_name,"
        " secret_sealed FROM integration WHERE id = :id AND deleted_at IS NULL",
        {"id": integration_id},
    )
    return None if row is None else Sealed(*row)


def find_many(tx: Transaction, ids: Sequence[int]) -> dict[int, Integration]:
    """The integrations of these ids, by id; deleted ones too, which automations still name."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = tx.all(
        "SELECT i.*, e.name AS team_name, e.organization_id FROM integration i"
        f" JOIN entity e ON e.id = i.team_id WHERE i.id IN ({marks})",
        list(ids),
    )
    return {row["id"]: from_row(row) for row in rows}


def find_by_name(
    tx: Transaction, team_id: int, kind: IntegrationKind, name: str
) -> Integration | None:
    """The team's live integration of that kind and name."""
    row = tx.one(
        _SELECT + "WHERE i.team_id = :team AND i.kind = :kind AND i.name = :name"
        " AND i.deleted_at IS NULL",
        {"team": team_id, "kind": kind.value, "name": name},
    )
    return None if row is None else from_row(row)


def list_of_team(
    tx: Transaction,
    team_id: int,
    kind: IntegrationKind | None = None,
    *,
    after: int = 0,
    limit: int,
) -> list[Integration]:
    """The team's live integrations (of one kind), oldest first, from behind the id `after`."""
    rows = tx.all(
        _SELECT
        + "WHERE i.team_id = :team AND i.deleted_at IS NULL AND i.id > :after"
        + ("" if kind is None else " AND i.kind = :kind")
        + " ORDER BY i.id LIMIT :limit",
        {
            "team": team_id,
            "after": after,
            "limit": limit,
            **({} if kind is None else {"kind": kind.value}),
        },
    )
    return [from_row(row) for row in rows]


def count_of_team(tx: Transaction, team_id: int) -> int:
    """How many live integrations the team has."""
    row = tx.one(
        "SELECT count(*) AS n FROM integration WHERE team_id = :team AND deleted_at IS NULL",
        {"team": team_id},
    )
    return 0 if row is None else int(row["n"])


def using_secret(tx: Transaction, team_id: int, name: str) -> list[str]:
    """The names of the team's live webhooks that use its secret of that name."""
    rows = tx.all(
        "SELECT name FROM integration WHERE team_id = :team AND deleted_at IS NULL"
        " AND (access_token_name = :name OR secret_name = :name) ORDER BY name",
        {"team": team_id, "name": name},
    )
    return [row["name"] for row in rows]


def add(
    tx: Transaction,
    *,
    team_id: int,
    kind: IntegrationKind,
    name: str,
    sealed: Sealed,
    created_by: int | None,
    at: int,
) -> int:
    """A new integration of the team; its id."""
    return tx.insert(
        "INSERT INTO integration (team_id, kind, name, url, url_sealed, access_token_name,"
        " access_token_sealed, secret_name, secret_sealed, created_by, created_at, updated_at)"
        " VALUES (:team, :kind, :name, :url, :url_sealed, :access_token_name,"
        " :access_token_sealed, :secret_name, :secret_sealed, :by, :at, :at) RETURNING id",
        {
            "team": team_id,
            "kind": kind.value,
            "name": name,
            "by": created_by,
            "at": at,
            **_columns(sealed),
        },
    )


def _columns(sealed: Sealed) -> dict[str, str | None]:
    return {name: getattr(sealed, name) for name in Sealed.__slots__}


def edit(tx: Transaction, integration_id: int, *, name: str, sealed: Sealed, at: int) -> None:
    """The integration has this name and sends like this."""
    tx.run(
        "UPDATE integration SET name = :name, url = :url, url_sealed = :url_sealed,"
        " access_token_name = :access_token_name, access_token_sealed = :access_token_sealed,"
        " secret_name = :secret_name, secret_sealed = :secret_sealed, updated_at = :at"
        " WHERE id = :id",
        {"id": integration_id, "name": name, "at": at, **_columns(sealed)},
    )


def remove(tx: Transaction, integration_id: int, *, at: int) -> None:
    """The integration is gone; of its secrets nothing is kept."""
    tx.run(
        "UPDATE integration SET deleted_at = :at, url_sealed = NULL, access_token_sealed = NULL,"
        " secret_sealed = NULL WHERE id = :id",
        {"id": integration_id, "at": at},
    )


def remove_of_teams(tx: Transaction, team_ids: Sequence[int], *, at: int) -> None:
    """These teams have no integrations and no secrets any more."""
    marks = ",".join("?" * len(team_ids))
    tx.run(
        "UPDATE integration SET deleted_at = ?, url_sealed = NULL, access_token_sealed = NULL,"
        f" secret_sealed = NULL WHERE team_id IN ({marks}) AND deleted_at IS NULL",
        [at, *team_ids],
    )
    tx.run(f"DELETE FROM secret WHERE team_id IN ({marks})", list(team_ids))
