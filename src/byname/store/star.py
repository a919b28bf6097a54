"""Which registries a user starred, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from byname.store.database import Transaction


def add(tx: Transaction, user_id: int, project_id: int, *, at: int) -> None:
    """The user has starred the registry, if they had not before."""
    tx.run(
        "INSERT INTO registry_star (user_id, project_id, created_at) VALUES (:user, :project, :at)"
        " ON CONFLICT (user_id, project_id) DO NOTHING",
        {"user": user_id, "project": project_id, "at": at},
    )


def remove(tx: Transaction, user_id: int, project_id: int) -> None:
    """The user has not starred the registry."""
    tx.run(
        "DELETE FROM registry_star WHERE user_id = :user AND project_id = :project",
        {"user": user_id, "project": project_id},
    )


def of_user(tx: Transaction, user_id: int) -> set[int]:
    """The ids of the registries that the user starred, with those that are hidden or deleted."""
    rows = tx.all("SELECT project_id FROM registry_star WHERE user_id = :user", {"user": user_id})
    return {row["project_id"] for row in rows}


def among(tx: Transaction, user_id: int, project_ids: Sequence[int]) -> set[int]:
    """Of these registries those that the user starred."""
    if not project_ids:
        return set()
    rows = tx.all(
        "SELECT project_id FROM registry_star WHERE user_id = ?"
        f" AND project_id IN ({','.join('?' * len(project_ids))})",
        [user_id, *project_ids],
    )
    return {row["project_id"] for row in rows}
