"""Sessions as rows."""

from __future__ import annotations

from byname.domain.session import Session
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = "SELECT id, user_id, key_id, created_at, last_used_at, browser FROM session "


def find(tx: Transaction, sha256: str) -> Session | None:
    """The session whose token has that fingerprint, live or not."""
    row = tx.one(SELECT + "WHERE sha256 = :sha256", {"sha256": sha256})
    return None if row is None else from_row(row)


def list_of_user(tx: Transaction, user_id: int, *, limit: int) -> list[Session]:
    """The user's sessions, live or not, the one used last first."""
    rows = tx.all(
        SELECT + "WHERE user_id = :user ORDER BY last_used_at DESC, id DESC LIMIT :limit",
        {"user": user_id, "limit": limit},
    )
    return [from_row(row) for row in rows]


def from_row(row: Row) -> Session:
    """The session of a row that was selected with `SELECT`."""
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        key_id=row["key_id"],
        created_at=moment(row["created_at"]),
        last_used_at=moment(row["last_used_at"]),
        browser=row["browser"],
    )


def add(
    tx: Transaction, *, user_id: int, key_id: int | None, sha256: str, browser: str, at: int
) -> int:
    """A new session of the user; its id."""
    return tx.insert(
        "INSERT INTO session (user_id, key_id, sha256, created_at, last_used_at, browser)"
        " VALUES (:user, :key, :sha256, :at, :at, :browser) RETURNING id",
        {"user": user_id, "key": key_id, "sha256": sha256, "at": at, "browser": browser},
    )


def note_use(tx: Transaction, session_id: int, *, at: int) -> None:
    """The session was used at that time."""
    tx.run("UPDATE session SET last_used_at = :at WHERE id = :id", {"id": session_id, "at": at})


def remove(tx: Transaction, sha256: str) -> None:
    """The token opens nothing any more."""
    tx.run("DELETE FROM session WHERE sha256 = :sha256", {"sha256": sha256})


def end(tx: Transaction, session_id: int) -> None:
    """The session is over."""
    tx.run("DELETE FROM session WHERE id = :id", {"id": session_id})


def end_of_user(tx: Transaction, user_id: int, session_id: int) -> bool:
    """That session of the user's is over; whether there was one."""
    return bool(
        tx.run(
            "DELETE FROM session WHERE id = :id AND user_id = :user",
            {"id": session_id, "user": user_id},
        )
    )


def remove_others(tx: Transaction, user_id: int, *, but: int | None) -> None:
    """The user is logged in nowhere, but in that session."""
    tx.run(
        "DELETE FROM session WHERE user_id = :user AND id <> :but",
        {"user": user_id, "but": 0 if but is None else but},
    )


def remove_old(tx: Transaction, *, before: int) -> None:
    """Sessions begun before that time are forgotten."""
    tx.run("DELETE FROM session WHERE created_at < :before", {"before": before})
