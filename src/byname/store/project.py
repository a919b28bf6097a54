"""Projects, registries and their artifact types as rows."""

from __future__ import annotations

from byname.domain import names
from byname.domain.policy import Role
from byname.domain.project import ArtifactType, Project
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = """SELECT p.id, p.entity_id, e.name AS entity_name, e.organization_id, p.kind, p.name,
    p.description, p.visibility, p.all_types, p.default_role, p.created_by, p.created_at,
    p.updated_at, p.owner_id, p.icon FROM project p JOIN entity e ON e.id = p.entity_id """


def from_row(row: Row) -> Project:
    """The project of a row that was selected with `SELECT`."""
    return Project(
        id=row["id"],
        entity_id=row["entity_id"],
        entity_name=row["entity_name"],
        organization_id=row["organization_id"],
        is_registry=row["kind"] == "registry",
        name=row["name"],
        description=row["description"],
        restricted=row["visibility"] == "restricted",
        all_types=bool(row["all_types"]),
        default_role=Role.parse(row["default_role"]),
        created_by=row["created_by"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        owner_id=row["owner_id"],
        chosen_icon=row["icon"],
    )


def name_key(name: str) -> str:
    """The form in which a project's name is compared: without case for registries only (R15)."""
    return names.fold(name) if names.is_registry(name) else names.composed(name)


def find(tx: Transaction, project_id: int) -> Project | None:
    """The live project of that id."""
    row = tx.one(
        SELECT + "WHERE p.id = :id AND p.deleted_at IS NULL AND e.deleted_at IS NULL",
        {"id": project_id},
    )
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: list[int], *, also_deleted: bool = False) -> dict[int, Project]:
    """The live projects of these ids, by id; on request deleted ones too."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    live = "" if also_deleted else " AND p.deleted_at IS NULL"
    rows = tx.all(SELECT + f"WHERE p.id IN ({marks}){live}", ids)
    return {row["id"]: from_row(row) for row in rows}


def find_by_name(tx: Transaction, entity_name: str, name: str) -> Project | None:
    """The live project of that name under the entity of that name."""
    row = tx.one(
        SELECT + "WHERE e.name_key = :entity AND e.deleted_at IS NULL"
        " AND p.name_key = :name AND p.deleted_at IS NULL",
        {"entity": names.fold(entity_name), "name": name_key(name)},
    )
    return None if row is None else from_row(row)


def add(
    tx: Transaction,
    *,
    entity_id: int,
    name: str,
    description: str | None = None,
    restricted: bool = False,
    all_types: bool = True,
    created_by: int | None,
    at: int,
) -> int:
    """A new project or registry of the entity; its id."""
    return tx.insert(
        "INSERT INTO project (entity_id, kind, name, name_key, description, visibility, all_types,"
        " created_by, owner_id, created_at, updated_at) VALUES (:entity_id, :kind, :name,"
        " :name_key, :description, :visibility, :all_types, :created_by, :created_by, :at, :at)"
        " RETURNING id",
        {
            "entity_id": entity_id,
            "kind": "registry" if names.is_registry(name) else "project",
            "name": name,
            "name_key": name_key(name),
            "description": description,
            "visibility": "restricted" if restricted else "organization",
            "all_types": int(all_types),
            "created_by": created_by,
            "at": at,
        },
    )


def type_from_row(row: Row) -> ArtifactType:
    """The artifact type of a row."""
    return ArtifactType(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        description=row["description"],
        accepted=bool(row["accepted"]),
        created_at=moment(row["created_at"]),
    )


def find_type(tx: Transaction, project_id: int, name: str) -> ArtifactType | None:
    """The project's artifact type of that name, however its signs are composed."""
    row = None
    # As it was written goes first: the client calls a type of artifacts what its user calls it.
    for spelling in dict.fromkeys((name, names.composed(name))):
        row = row or tx.one(
            "SELECT * FROM artifact_type WHERE project_id = :project AND name = :name",
            {"project": project_id, "name": spelling},
        )
    return None if row is None else type_from_row(row)


def add_type(
    tx: Transaction, project_id: int, name: str, *, accepted: bool = False, at: int
) -> int:
    """The project has a type of that name (on its accepted list where asked); its id."""
    return tx.insert(
        "INSERT INTO artifact_type (project_id, name, accepted, created_at)"
        " VALUES (:project, :name, :accepted, :at) ON CONFLICT (project_id, name)"
        " DO UPDATE SET accepted = max(artifact_type.accepted, excluded.accepted) RETURNING id",
        {"project": project_id, "name": name, "accepted": int(accepted), "at": at},
    )


def list_types(tx: Transaction, project_id: int, *, after: int, limit: int) -> list[ArtifactType]:
    """The project's types, oldest first, from behind the id `after`."""
    rows = tx.all(
        "SELECT * FROM artifact_type WHERE project_id = :project AND id > :after"
        " ORDER BY id LIMIT :limit",
        {"project": project_id, "after": after, "limit": limit},
    )
    return [type_from_row(row) for row in rows]


def list_accepted_types(tx: Transaction, project_id: int) -> list[str]:
    """The names on the registry's list of accepted types, oldest first."""
    rows = tx.all(
        "SELECT name FROM artifact_type WHERE project_id = :project AND accepted = 1 ORDER BY id",
        {"project": project_id},
    )
    return [row["name"] for row in rows]


def find_types(tx: Transaction, ids: list[int]) -> dict[int, ArtifactType]:
    """The artifact types of these ids, by id."""
    if not ids:
        return {}
    rows = tx.all(f"SELECT * FROM artifact_type WHERE id IN ({','.join('?' * len(ids))})", ids)
    return {row["id"]: type_from_row(row) for row in rows}
