"""Who people are to providers of log-ins, as rows."""

from __future__ import annotations

from byname.store.database import Transaction


def find_user_id(tx: Transaction, issuer: str, subject: str) -> int | None:
    """Whom the provider's word stands for."""
    row = tx.one(
        "SELECT user_id FROM identity WHERE issuer = :issuer AND subject = :subject",
        {"issuer": issuer, "subject": subject},
    )
    return None if row is None else int(row["user_id"])


def has_one(tx: Transaction, issuer: str, user_id: int) -> bool:
    """Whether the person is known to that provider under some word."""
    row = tx.one(
        "SELECT 1 FROM identity WHERE user_id = :user AND issuer = :issuer LIMIT 1",
        {"user": user_id, "issuer": issuer},
    )
    return row is not None


def add(tx: Transaction, issuer: str, subject: str, user_id: int, *, at: int) -> None:
    """The provider's word stands for that person."""
    tx.run(
        "INSERT INTO identity (issuer, subject, user_id, created_at)"
        " VALUES (:issuer, :subject, :user, :at)",
        {"issuer": issuer, "subject": subject, "user": user_id, "at": at},
    )


def remove_of_user(tx: Transaction, user_id: int) -> int:
    """The person is known to no provider any more; how many knew them."""
    return tx.run("DELETE FROM identity WHERE user_id = :user", {"user": user_id})
