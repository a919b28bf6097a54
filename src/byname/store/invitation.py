"""Invitations as rows: at most one a person."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.invitation import Invitation
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
