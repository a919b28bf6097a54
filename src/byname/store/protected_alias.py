"""The protected aliases of registries, as rows, and where they are held."""

from __future__ import annotations

from byname.domain.names import fold
from byname.domain.protected_alias import PROTECTED_MAX, ProtectedAlias, Use
from byname.store.database import Row, Transaction
from byname.store.moment import moment

_USES = (
    "SELECT c.project_id, c.name AS collection, m.number, a.name AS alias FROM membership m"
    " JOIN alias a ON a.membership_id = m.id JOIN collection c ON c.id = m.collection_id"
    " JOIN protected_alias p ON p.project_id = c.project_id AND p.name = a.name"
    " JOIN project r ON r.id = c.project_id AND r.deleted_at IS NULL"
)

_SELECT = (
    "SELECT p.name, p.created_at, (SELECT count(*) FROM alias a"
    " JOIN collection c ON c.id = a.collection_id WHERE a.name = p.name"
    " AND a.membership_id IS NOT NULL AND c.project_id = p.project_id"
    " AND c.deleted_at IS NULL) AS uses"
    " FROM protected_alias p WHERE p.project_id = :project"
)


def _from_row(row: Row) -> ProtectedAlias:
    return ProtectedAlias(row["name"], moment(row["created_at"]), row["uses"])


def list_of_registry(
    tx: Transaction, project_id: int, *, after: str = "", limit: int = PROTECTED_MAX
) -> list[ProtectedAlias]:
    """The registry's protected aliases by name, each with how many collections use it."""
    rows = tx.all(
        _SELECT + " AND p.name > :after ORDER BY p.name LIMIT :limit",
        {"project": project_id, "after": after, "limit": limit},
    )
    return [_from_row(row) for row in rows]


def get(tx: Transaction, project_id: int, name: str) -> ProtectedAlias | None:
    """The registry's protected alias of exactly that name, with how many collections use it."""
    row = tx.one(
        _SELECT + " AND p.name_key = :key AND p.name = :name",
        {"project": project_id, "key": fold(name), "name": name},
    )
    return None if row is None else _from_row(row)


def count_of_registry(tx: Transaction, project_id: int) -> int:
    """How many names the registry protects."""
    row = tx.one(
        "SELECT count(*) AS n FROM protected_alias WHERE project_id = :project",
        {"project": project_id},
    )
    return 0 if row is None else int(row["n"])


def find(tx: Transaction, project_id: int, name: str) -> str | None:
    """The protected name that is this one but for letter case."""
    row = tx.one(
        "SELECT name FROM protected_alias WHERE project_id = :project AND name_key = :key",
        {"project": project_id, "key": fold(name)},
    )
    return None if row is None else str(row["name"])


def count_uses(tx: Transaction, project_id: int, name: str) -> int:
    """In how many of the registry's collections a version holds the alias of that name now."""
    row = tx.one(
        "SELECT count(*) AS n FROM alias a JOIN collection c ON c.id = a.collection_id"
        " WHERE a.name = :name AND a.membership_id IS NOT NULL AND c.project_id = :project"
        " AND c.deleted_at IS NULL",
        {"name": name, "project": project_id},
    )
    return 0 if row is None else int(row["n"])


def add(tx: Transaction, project_id: int, name: str, *, created_by: int, at: int) -> None:
    """The registry protects the name."""
    tx.run(
        "INSERT INTO protected_alias (project_id, name_key, name, created_by, created_at)"
        " VALUES (:project, :key, :name, :by, :at)",
        {"project": project_id, "key": fold(name), "name": name, "by": created_by, "at": at},
    )


def remove(tx: Transaction, project_id: int, name: str) -> None:
    """The registry does not protect the name; who holds it keeps it (R89)."""
    tx.run(
        "DELETE FROM protected_alias WHERE project_id = :project AND name_key = :key"
        " AND name = :name",
        {"project": project_id, "key": fold(name), "name": name},
    )


def uses_of_version(tx: Transaction, version_id: int, *, limit: int) -> list[Use]:
    """Where a link of the version holds a protected alias."""
    rows = tx.all(
        _USES + " WHERE m.version_id = :version AND m.deleted_at IS NULL"
        " AND c.deleted_at IS NULL ORDER BY c.id, a.name LIMIT :limit",
        {"version": version_id, "limit": limit},
    )
    return [Use(*row) for row in rows]


def uses_of_sequence(tx: Transaction, collection_id: int, *, limit: int) -> list[Use]:
    """Where a link of any version that was logged in this sequence holds a protected alias."""
    rows = tx.all(
        _USES + " JOIN version v ON v.id = m.version_id"
        " JOIN membership own ON own.version_id = v.id"
        " WHERE own.collection_id = :collection AND own.deleted_at IS NULL"
        " AND v.collection_id = :collection"
        " AND m.deleted_at IS NULL AND c.deleted_at IS NULL ORDER BY c.id, a.name LIMIT :limit",
        {"collection": collection_id, "limit": limit},
    )
    return [Use(*row) for row in rows]


def uses_of_project(tx: Transaction, project_id: int, *, limit: int) -> list[Use]:
    """Where a link of any version that was logged in this project holds a protected alias."""
    rows = tx.all(
        _USES + " JOIN version v ON v.id = m.version_id"
        " JOIN collection own ON own.id = v.collection_id"
        " WHERE own.project_id = :project AND c.project_id <> :project"
        " AND m.deleted_at IS NULL AND c.deleted_at IS NULL ORDER BY c.id, a.name LIMIT :limit",
        {"project": project_id, "limit": limit},
    )
    return [Use(*row) for row in rows]


def uses_of_collection(tx: Transaction, collection_id: int, *, limit: int) -> list[Use]:
    """The protected aliases that versions of the collection hold there."""
    rows = tx.all(
        _USES + " WHERE m.collection_id = :collection AND m.deleted_at IS NULL"
        " AND c.deleted_at IS NULL ORDER BY a.name LIMIT :limit",
        {"collection": collection_id, "limit": limit},
    )
    return [Use(*row) for row in rows]
