"""Sums and places of many things at once, as pages show them: one statement however many."""

from __future__ import annotations

from collections.abc import Sequence

from byname.store.database import Transaction


def sizes_of_projects(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many live collections and versions each of these projects holds."""
    found = dict.fromkeys(ids, (0, 0))
    if ids:
        for row in tx.all(
            "SELECT project_id, count(*) AS n, sum(version_count) AS versions FROM collection"
            f" WHERE project_id IN ({','.join('?' * len(ids))}) AND deleted_at IS NULL"
            " GROUP BY project_id",
            list(ids),
        ):
            found[row["project_id"]] = (row["n"], row["versions"])
    return found


def accepted_types_of_projects(tx: Transaction, ids: Sequence[int]) -> dict[int, list[str]]:
    """The lists of accepted types of these registries, oldest first."""
    found: dict[int, list[str]] = {each: [] for each in ids}
    if ids:
        for row in tx.all(
            "SELECT project_id, name FROM artifact_type"
            f" WHERE project_id IN ({','.join('?' * len(ids))}) AND accepted = 1 ORDER BY id",
            list(ids),
        ):
            found[row["project_id"]].append(row["name"])
    return found


def places_of_versions(
    tx: Transaction, version_ids: Sequence[int]
) -> list[tuple[int, int, str, int]]:
    """Where these versions stand: version id, project id, collection and number, oldest first."""
    if not version_ids:
        return []
    rows = tx.all(
        "SELECT m.version_id, c.project_id, c.name, m.number FROM membership m"
        " JOIN collection c ON c.id = m.collection_id"
        f" WHERE m.version_id IN ({','.join('?' * len(version_ids))})"
        " AND m.deleted_at IS NULL AND c.deleted_at IS NULL ORDER BY m.id",
        list(version_ids),
    )
    return [(row["version_id"], row["project_id"], row["name"], row["number"]) for row in rows]


def protected_holders(
    tx: Transaction, project_id: int, collection_ids: Sequence[int]
) -> list[tuple[int, str, int]]:
    """Which number holds each protected alias of these collections of a registry, by name."""
    if not collection_ids:
        return []
    rows = tx.all(
        "SELECT a.collection_id, a.name, m.number FROM protected_alias p"
        " CROSS JOIN alias a ON a.name = p.name AND a.membership_id IS NOT NULL"
        f" AND a.collection_id IN ({','.join('?' * len(collection_ids))})"
        " CROSS JOIN membership m ON m.id = a.membership_id"
        " WHERE p.project_id = ? ORDER BY p.name",
        [*collection_ids, project_id],
    )
    return [(row["collection_id"], row["name"], row["number"]) for row in rows]
