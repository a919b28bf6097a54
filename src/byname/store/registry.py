"""Changing registries and projects, their accepted types, and what is hidden with them, as rows."""

from __future__ import annotations

from byname.domain.policy import Role
from byname.domain.project import ArtifactType
from byname.store.database import Transaction
from byname.store.project import name_key, type_from_row


def edit(
    tx: Transaction,
    project_id: int,
    *,
    description: str | None,
    restricted: bool,
    all_types: bool,
    default_role: Role,
    at: int,
) -> None:
    """The registry has this description, visibility, rule on types, and default role."""
    tx.run(
        "UPDATE project SET description = :description, visibility = :visibility,"
        " all_types = :all_types, default_role = :role, updated_at = :at WHERE id = :id",
        {
            "id": project_id,
            "description": description,
            "visibility": "restricted" if restricted else "organization",
            "all_types": int(all_types),
            "role": default_role.word,
            "at": at,
        },
    )


def set_icon(tx: Transaction, project_id: int, icon: str | None, *, at: int) -> None:
    """The registry has that icon; None: the one it began with."""
    tx.run(
        "UPDATE project SET icon = :icon, updated_at = :at WHERE id = :id",
        {"id": project_id, "icon": icon, "at": at},
    )


def set_owner(tx: Transaction, project_id: int, user_id: int, *, at: int) -> None:
    """The user is the registry's owner."""
    tx.run(
        "UPDATE project SET owner_id = :user, updated_at = :at WHERE id = :id",
        {"id": project_id, "user": user_id, "at": at},
    )


def rename(tx: Transaction, project_id: int, name: str, *, at: int) -> None:
    """The project or registry has this name; its id, members and collections stay (R25)."""
    tx.run(
        "UPDATE project SET name = :name, name_key = :key, updated_at = :at WHERE id = :id",
        {"id": project_id, "name": name, "key": name_key(name), "at": at},
    )


def remove(tx: Transaction, project_id: int, *, at: int) -> None:
    """The project or registry is deleted with its collections and links; its name is free.

    Rows stay. Aliases and ledger are left as they were at the end, for history's sake.
    """
    ids = {"id": project_id, "at": at}
    tx.run(
        "UPDATE membership SET deleted_at = :at WHERE deleted_at IS NULL AND collection_id IN"
        " (SELECT c.id FROM collection c WHERE c.project_id = :id)",
        ids,
    )
    tx.run(
        "UPDATE collection SET deleted_at = :at, updated_at = :at"
        " WHERE project_id = :id AND deleted_at IS NULL",
        ids,
    )
    tx.run("UPDATE project SET deleted_at = :at, updated_at = :at WHERE id = :id", ids)


def accept_used_types(tx: Transaction, project_id: int) -> None:
    """Every type that a live collection has is on the list of accepted types (R24)."""
    tx.run(
        "UPDATE artifact_type SET accepted = 1 WHERE project_id = :id AND EXISTS"
        " (SELECT 1 FROM collection c WHERE c.type_id = artifact_type.id AND c.deleted_at IS NULL)",
        {"id": project_id},
    )


def describe_type(tx: Transaction, type_id: int, description: str) -> None:
    """The type has this description."""
    tx.run(
        "UPDATE artifact_type SET description = :description WHERE id = :id",
        {"id": type_id, "description": description},
    )


def list_types(
    tx: Transaction, project_id: int, *, accepted: bool, unused: bool, after: int, limit: int
) -> list[ArtifactType]:
    """The project's types that a live collection has, oldest first, from behind the id `after`.

    With `accepted` also those on the list of accepted types; with `unused` all.
    """
    rows = tx.all(
        "SELECT t.* FROM artifact_type t WHERE t.project_id = :id AND t.id > :after"
        " AND (:unused = 1 OR (:accepted = 1 AND t.accepted = 1) OR EXISTS"
        " (SELECT 1 FROM collection c WHERE c.type_id = t.id AND c.deleted_at IS NULL))"
        " ORDER BY t.id LIMIT :limit",
        {
            "id": project_id,
            "after": after,
            "accepted": int(accepted),
            "unused": int(unused),
            "limit": limit,
        },
    )
    return [type_from_row(row) for row in rows]


def list_links_from(tx: Transaction, project_id: int, *, limit: int) -> list[str]:
    """Places in other projects that show versions of this one: `entity/project/collection:vN`."""
    rows = tx.all(
        "SELECT te.name AS entity, tp.name AS project, tc.name AS collection, m.number"
        " FROM collection sc JOIN version v ON v.collection_id = sc.id"
        " JOIN membership m ON m.version_id = v.id AND m.deleted_at IS NULL"
        " JOIN collection tc ON tc.id = m.collection_id AND tc.deleted_at IS NULL"
        " JOIN project tp ON tp.id = tc.project_id AND tp.deleted_at IS NULL"
        " JOIN entity te ON te.id = tp.entity_id"
        " WHERE sc.project_id = :id AND sc.kind = 'sequence' AND sc.deleted_at IS NULL"
        " AND v.state = 'committed' AND tp.id <> :id LIMIT :limit",
        {"id": project_id, "limit": limit},
    )
    return [f"{r['entity']}/{r['project']}/{r['collection']}:v{r['number']}" for r in rows]


def sum_bytes(tx: Transaction, entity_id: int) -> int:
    """How many bytes are kept for the entity; equal content once."""
    row = tx.one(
        "SELECT coalesce(sum(size_bytes), 0) AS n FROM blob WHERE entity_id = :id",
        {"id": entity_id},
    )
    return 0 if row is None else int(row["n"])
