"""Members, teams and bytes of organizations and teams as rows: a page at a time, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byname.domain.entity import Entity, EntityKind, GroupMember
from byname.domain.policy import GroupRole
from byname.domain.project import Project
from byname.store import entity, project, user
from byname.store.database import Transaction
from byname.store.entity import lookup_key

_TABLES = {
    EntityKind.ORGANIZATION: ("organization_member", "organization_id"),
    EntityKind.TEAM: ("team_member", "team_id"),
}


_WITH_AWAY = """(SELECT organization_id, user_id, role, 0 AS away FROM organization_member
    UNION ALL SELECT organization_id, user_id, role, 1 AS away FROM deactivation)"""


def _members(
    kind: EntityKind, text: str, *, service: bool | None, away: bool = False
) -> tuple[str, dict[str, Any]]:
    """The rows of members whose names or address hold the text; people, service accounts or both."""
    table, column = _TABLES[kind]
    if away:
        table = _WITH_AWAY
    where = (
        f" FROM {table} m JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id"
        f" WHERE m.{column} = :group AND u.deleted_at IS NULL"
    )
    values: dict[str, Any] = {}
    if service is not None:
        where += " AND u.kind = :kind"
        values["kind"] = "service" if service else "person"
    if text:
        # No row has what cannot be looked up.
        values["text"] = lookup_key(text) or "\n"
        where += (
            " AND (instr(u.username_key, :text) > 0 OR instr(coalesce(u.email_key, ''), :text) > 0"
            " OR instr(byname_fold(u.full_name), :text) > 0)"
        )
    return where, values


def list_members(
    tx: Transaction,
    group: Entity,
    *,
    text: str = "",
    service: bool | None = None,
    away: bool = False,
    after: str = "",
    limit: int,
) -> list[GroupMember]:
    """Some members of the organization or team, by folded name from behind one.

    With `away` also those who are deactivated in the organization.
    """
    where, values = _members(group.kind, text, service=service, away=away)
    told = "m.away" if away else "0"
    rows = tx.all(
        f"SELECT {user.COLUMNS}, m.role AS member_role, {told} AS away{where}"
        " AND u.username_key > :after ORDER BY u.username_key LIMIT :limit",
        {**values, "group": group.id, "after": after, "limit": limit},
    )
    return [
        GroupMember(user.from_row(row), GroupRole(row["member_role"]), bool(row["away"]))
        for row in rows
    ]


def count_members(
    tx: Transaction, group: Entity, *, text: str = "", service: bool | None = None
) -> int:
    """How many members `list_members` has in all."""
    where, values = _members(group.kind, text, service=service)
    row = tx.one(f"SELECT count(*) AS n{where}", {**values, "group": group.id})
    return 0 if row is None else int(row["n"])


def list_teams(
    tx: Transaction, organization_id: int, *, after: str = "", limit: int
) -> list[Entity]:
    """Some live teams of the organization, by folded name from behind one."""
    rows = tx.all(
        entity.SELECT + "WHERE e.organization_id = :id AND e.kind = 'team' AND e.deleted_at IS NULL"
        " AND e.name_key > :after ORDER BY e.name_key LIMIT :limit",
        {"id": organization_id, "after": after, "limit": limit},
    )
    return [entity.from_row(row) for row in rows]


def count_teams(tx: Transaction, organization_id: int) -> int:
    """How many live teams the organization has."""
    row = tx.one(
        "SELECT count(*) AS n FROM entity WHERE organization_id = :id AND kind = 'team'"
        " AND deleted_at IS NULL",
        {"id": organization_id},
    )
    return 0 if row is None else int(row["n"])


def list_organizations(
    tx: Transaction, *, of_user: int | None = None, after: str = "", limit: int
) -> list[Entity]:
    """Some live organizations of this server, or of a user, by folded name from behind one."""
    where, values = "", {}
    if of_user is not None:
        where = (
            " AND e.id IN (SELECT organization_id FROM organization_member WHERE user_id = :user)"
        )
        values = {"user": of_user}
    rows = tx.all(
        entity.SELECT + "WHERE e.kind = 'organization' AND e.deleted_at IS NULL"
        f" AND e.name_key > :after{where} ORDER BY e.name_key LIMIT :limit",
        {**values, "after": after, "limit": limit},
    )
    return [entity.from_row(row) for row in rows]


def _counts(tx: Transaction, sql: str, ids: Sequence[int]) -> dict[int, int]:
    found = dict.fromkeys(ids, 0)
    if ids:
        marks = ",".join("?" * len(ids))
        found |= {row["id"]: int(row["n"]) for row in tx.all(sql.format(marks), list(ids))}
    return found


def members_of_many(tx: Transaction, kind: EntityKind, ids: Sequence[int]) -> dict[int, int]:
    """How many members each of these organizations or teams has."""
    table, column = _TABLES[kind]
    return _counts(
        tx,
        f"SELECT {column} AS id, count(*) AS n FROM {table} WHERE {column} IN ({{}}) GROUP BY 1",
        ids,
    )


def projects_of_many(tx: Transaction, ids: Sequence[int]) -> dict[int, int]:
    """How many live projects (or registries) each of these entities has."""
    return _counts(
        tx,
        "SELECT entity_id AS id, count(*) AS n FROM project WHERE entity_id IN ({})"
        " AND deleted_at IS NULL GROUP BY 1",
        ids,
    )


def teams_of_many(tx: Transaction, ids: Sequence[int]) -> dict[int, int]:
    """How many live teams each of these organizations has."""
    return _counts(
        tx,
        "SELECT organization_id AS id, count(*) AS n FROM entity WHERE organization_id IN ({})"
        " AND kind = 'team' AND deleted_at IS NULL GROUP BY 1",
        ids,
    )


def bytes_of_many(tx: Transaction, ids: Sequence[int]) -> dict[int, int]:
    """How many bytes are kept for each of these entities; equal content of one entity once."""
    return _counts(
        tx,
        "SELECT entity_id AS id, sum(size_bytes) AS n FROM blob WHERE entity_id IN ({}) GROUP BY 1",
        ids,
    )


def bytes_of_organization(tx: Transaction, organization_id: int) -> int:
    """How many bytes are kept for the teams of an organization, also for those deleted lately."""
    row = tx.one(
        "SELECT coalesce(sum(b.size_bytes), 0) AS n FROM entity e"
        " JOIN blob b ON b.entity_id = e.id WHERE e.organization_id = :id",
        {"id": organization_id},
    )
    return 0 if row is None else int(row["n"])


def bytes_linked_in(tx: Transaction, project_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many links each of these registries shows, and the bytes of the versions behind them."""
    found = dict.fromkeys(project_ids, (0, 0))
    if project_ids:
        marks = ",".join("?" * len(project_ids))
        for row in tx.all(
            "SELECT c.project_id AS id, count(*) AS n, sum(v.size_bytes) AS size FROM collection c"
            " JOIN membership m ON m.collection_id = c.id AND m.deleted_at IS NULL"
            " JOIN version v ON v.id = m.version_id"
            f" WHERE c.project_id IN ({marks}) AND c.deleted_at IS NULL GROUP BY c.project_id",
            list(project_ids),
        ):
            found[row["id"]] = (int(row["n"]), int(row["size"]))
    return found


def list_of_user(tx: Transaction, user_id: int) -> list[tuple[Entity, GroupRole]]:
    """The live organizations, then the teams, that the user is in, and the role there, by name."""
    found: list[tuple[Entity, GroupRole]] = []
    for table, column in _TABLES.values():
        rows = tx.all(
            "SELECT e.id, e.kind, e.name, e.organization_id, e.created_at, m.role AS member_role"
            f" FROM {table} m JOIN entity e ON e.id = m.{column}"
            " WHERE m.user_id = :user AND e.deleted_at IS NULL ORDER BY e.name_key",
            {"user": user_id},
        )
        found += [(entity.from_row(row), GroupRole(row["member_role"])) for row in rows]
    return found


def list_projects_of_many(
    tx: Transaction, entity_ids: Sequence[int], *, limit: int
) -> list[Project]:
    """Live projects of these entities, those changed last first."""
    if not entity_ids:
        return []
    marks = ",".join("?" * len(entity_ids))
    rows = tx.all(
        project.SELECT + f"WHERE p.entity_id IN ({marks}) AND p.deleted_at IS NULL"
        " AND p.kind = 'project' ORDER BY p.updated_at DESC, p.id DESC LIMIT ?",
        [*entity_ids, limit],
    )
    return [project.from_row(row) for row in rows]
