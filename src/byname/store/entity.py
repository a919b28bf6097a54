"""Users, teams and organizations as they stand in a path, as rows. One name space for all."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain import names
from byname.domain.entity import Entity, EntityKind
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = "SELECT e.id, e.kind, e.name, e.organization_id, e.created_at FROM entity e "
LOOKUP_LENGTH_MAX = 512


def from_row(row: Row) -> Entity:
    """The entity of a row that was selected with `SELECT`."""
    return Entity(
        id=row["id"],
        kind=EntityKind(row["kind"]),
        name=row["name"],
        organization_id=row["organization_id"],
        created_at=moment(row["created_at"]),
    )


def lookup_key(text: str) -> str | None:
    """The form in which a name or address is looked up; None when no row can have it.

    People ask for anything. A lone surrogate cannot even be sent to a database.
    """
    if len(text) > LOOKUP_LENGTH_MAX or any("\ud800" <= sign <= "\udfff" for sign in text):
        return None
    return names.fold(text)


def find(tx: Transaction, entity_id: int) -> Entity | None:
    """The live entity of that id."""
    row = tx.one(SELECT + "WHERE e.id = :id AND e.deleted_at IS NULL", {"id": entity_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: Sequence[int]) -> dict[int, Entity]:
    """The live entities of these ids, by id."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = tx.all(SELECT + f"WHERE e.id IN ({marks}) AND e.deleted_at IS NULL", list(ids))
    return {row["id"]: from_row(row) for row in rows}


def find_by_name(tx: Transaction, name: str, kind: EntityKind | None = None) -> Entity | None:
    """The live entity of that name, without regard to case; of that kind, when one is given."""
    key = lookup_key(name)
    if key is None:
        return None
    row = tx.one(SELECT + "WHERE e.name_key = :key AND e.deleted_at IS NULL", {"key": key})
    if row is None or (kind is not None and row["kind"] != kind):
        return None
    return from_row(row)


def holder_of(tx: Transaction, name: str) -> str | None:
    """What has that name already: a user, team, organization or service account; None if free."""
    row = tx.one(
        "SELECT kind FROM entity WHERE name_key = :key AND deleted_at IS NULL"
        " UNION ALL SELECT 'service account' FROM users"
        " WHERE username_key = :key AND kind = 'service' AND deleted_at IS NULL",
        {"key": names.fold(name)},
    )
    return None if row is None else str(row[0])


def add(
    tx: Transaction, *, kind: EntityKind, name: str, organization_id: int | None = None, at: int
) -> Entity:
    """A new entity. Of an organization, `organization_id` becomes its own id."""
    entity_id = tx.insert(
        "INSERT INTO entity (kind, name, name_key, organization_id, created_at)"
        " VALUES (:kind, :name, :key, :organization, :at) RETURNING id",
        {
            "kind": kind.value,
            "name": name,
            "key": names.fold(name),
            "organization": organization_id,
            "at": at,
        },
    )
    if kind is EntityKind.ORGANIZATION:
        organization_id = entity_id
        tx.run("UPDATE entity SET organization_id = id WHERE id = :id", {"id": entity_id})
    return Entity(
        id=entity_id, kind=kind, name=name, organization_id=organization_id, created_at=moment(at)
    )


def remove(tx: Transaction, entity_ids: Sequence[int], *, at: int) -> None:
    """The entities and all projects and registries below them are hidden; their names are free.

    What lies in the projects is reached through them only, so it is hidden too. The rows stay.
    """
    marks = ",".join("?" * len(entity_ids))
    tx.run(
        f"UPDATE project SET deleted_at = ? WHERE entity_id IN ({marks}) AND deleted_at IS NULL",
        [at, *entity_ids],
    )
    tx.run(
        f"UPDATE entity SET deleted_at = ? WHERE id IN ({marks}) AND deleted_at IS NULL",
        [at, *entity_ids],
    )


def list_teams(tx: Transaction, organization_id: int) -> list[Entity]:
    """The live teams of the organization, oldest first."""
    rows = tx.all(
        SELECT + "WHERE e.organization_id = :id AND e.kind = 'team' AND e.deleted_at IS NULL"
        " ORDER BY e.id",
        {"id": organization_id},
    )
    return [from_row(row) for row in rows]


def list_organizations(tx: Transaction) -> list[Entity]:
    """All live organizations of this server, oldest first."""
    rows = tx.all(SELECT + "WHERE e.kind = 'organization' AND e.deleted_at IS NULL ORDER BY e.id")
    return [from_row(row) for row in rows]


def list_links_from(tx: Transaction, entity_ids: Sequence[int], *, limit: int) -> list[str]:
    """Places elsewhere that show versions of these entities: `entity/project/collection:vN`."""
    marks = ",".join("?" * len(entity_ids))
    rows = tx.all(
        "SELECT te.name AS entity, tp.name AS project, tc.name AS collection, m.number"
        " FROM project sp JOIN collection sc ON sc.project_id = sp.id AND sc.kind = 'sequence'"
        " JOIN version v ON v.collection_id = sc.id"
        " JOIN membership m ON m.version_id = v.id AND m.deleted_at IS NULL"
        " JOIN collection tc ON tc.id = m.collection_id AND tc.deleted_at IS NULL"
        " JOIN project tp ON tp.id = tc.project_id AND tp.deleted_at IS NULL"
        " JOIN entity te ON te.id = tp.entity_id AND te.deleted_at IS NULL"
        f" WHERE sp.entity_id IN ({marks}) AND sp.deleted_at IS NULL AND sc.deleted_at IS NULL"
        f" AND v.state = 'committed' AND tp.entity_id NOT IN ({marks}) LIMIT ?",
        [*entity_ids, *entity_ids, limit],
    )
    return [f"{r['entity']}/{r['project']}/{r['collection']}:v{r['number']}" for r in rows]
