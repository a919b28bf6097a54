"""Invitations as rows: at most one a person."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.entity import User
from byname.domain.invitation import Invitation
from byname.store import user
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = "SELECT user_id, created_at, expires_at FROM invitation "


def from_row(row: Row) -> Invitation:
    """The invitation of a row."""
    return Invitation(row["user_id"], moment(row["created_at"]), moment(row["expires_at"]))


def find(tx: Transaction, sha256: str) -> Invitation | None:
    """The invitation whose token has that fingerprint, live or not."""
    row = tx.one(SELECT + "WHERE sha256 = :sha256", {"sha256": sha256})
    return None if row is None else from_row(row)


def find_of_users(tx: Transaction, user_ids: Sequence[int]) -> dict[int, Invitation]:
    """The invitations of these people, live or not, by the person's id."""
    if not user_ids:
        return {}
    marks = ",".join("?" * len(user_ids))
    rows = tx.all(SELECT + f"WHERE user_id IN ({marks})", list(user_ids))
    return {row["user_id"]: from_row(row) for row in rows}


def list_open(
    tx: Transaction, *, since: int, after: str, limit: int
) -> list[tuple[User, Invitation]]:
    """The live people with an invitation that is good beyond a time, from behind a folded name."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, i.expires_at FROM invitation i"
        " JOIN users u ON u.id = i.user_id JOIN entity ue ON ue.id = u.entity_id"
        " WHERE i.expires_at > :since AND u.deleted_at IS NULL AND u.username_key > :after"
        " ORDER BY u.username_key LIMIT :limit",
        {"since": since, "after": after, "limit": limit},
    )
    found = find_of_users(tx, [row["id"] for row in rows])
    return [(user.from_row(row), found[row["id"]]) for row in rows]


def put(
    tx: Transaction, user_id: int, *, sha256: str, created_by: int | None, at: int, until: int
) -> None:
    """The person is invited by this token, and by no earlier one."""
    tx.run(
        "INSERT INTO invitation (user_id, sha256, created_by, created_at, expires_at)"
        " VALUES (:user, :sha256, :by, :at, :until) ON CONFLICT (user_id) DO UPDATE SET"
        " sha256 = excluded.sha256, created_by = excluded.created_by,"
        " created_at = excluded.created_at, expires_at = excluded.expires_at",
        {"user": user_id, "sha256": sha256, "by": created_by, "at": at, "until": until},
    )


def remove(tx: Transaction, user_id: int) -> bool:
    """The person is not invited any more; whether they were."""
    return bool(tx.run("DELETE FROM invitation WHERE user_id = :user", {"user": user_id}))
