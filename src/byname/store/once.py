"""The answers to writes that carried a key of their own, as rows."""

from __future__ import annotations

from byname.store.database import Transaction


def find(tx: Transaction, user_id: int, key: str, *, since: int) -> tuple[str, str] | None:
    """The hash of the request that the user sent with that key since a time, and its answer."""
    row = tx.one(
        "SELECT request_sha256, answer FROM answered WHERE user_id = :user AND key = :key"
        " AND created_at > :since",
        {"user": user_id, "key": key, "since": since},
    )
    return None if row is None else (row["request_sha256"], row["answer"])


def put(
    tx: Transaction, user_id: int, key: str, *, request_sha256: str, answer: str, at: int
) -> None:
    """The answer is kept."""
    tx.run(
        "INSERT INTO answered (user_id, key, request_sha256, answer, created_at)"
        " VALUES (:user, :key, :request, :answer, :at) ON CONFLICT (user_id, key) DO UPDATE SET"
        " request_sha256 = :request, answer = :answer, created_at = :at",
        {"user": user_id, "key": key, "request": request_sha256, "answer": answer, "at": at},
    )


def forget(tx: Transaction, *, until: int) -> None:
    """Answers of up to that time are gone."""
    tx.run("DELETE FROM answered WHERE created_at <= :until", {"until": until})
