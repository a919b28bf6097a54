"""The people and teams of an organization as a provider of identities sees them, as rows (R194)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byname.domain import names
from byname.domain.entity import Entity
from byname.domain.policy import GroupRole, Role
from byname.domain.provisioning import (
    Account,
    Comparison,
    Condition,
    Field,
    Group,
    Is,
    Joined,
    Not,
)
from byname.store import entity, user
from byname.store.database import Transaction

_PEOPLE = """SELECT {columns}, {active} AS active, m.role AS member_role, x.value AS external_id
    FROM {table} m JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id
    LEFT JOIN external_id x ON x.organization_id = m.organization_id AND x.sort = 'user'
        AND x.object_id = u.id
    WHERE m.organization_id = :organization AND u.kind = 'person' AND u.deleted_at IS NULL
        AND {where}"""
_EVERYBODY = (("organization_member", 1), ("deactivation", 0))

_OF_PEOPLE = {
    Field.ID: "u.id",
    Field.NAME: "u.username_key",
    Field.FULL_NAME: "byname_fold(u.full_name)",
    Field.EMAIL: "u.email_key",
    Field.EXTERNAL_ID: "x.value",
}
_TEAMS = """FROM entity e LEFT JOIN external_id x ON x.organization_id = e.organization_id
        AND x.sort = 'team' AND x.object_id = e.id
    WHERE e.organization_id = :organization AND e.kind = 'team' AND e.deleted_at IS NULL AND """
_OF_TEAMS = {Field.ID: "e.id", Field.NAME: "e.name_key", Field.EXTERNAL_ID: "x.value"}
_EXACT = (Field.ID, Field.EXTERNAL_ID)


class _Where:
    """A condition as SQL, with its values."""

    def __init__(self, columns: Mapping[Field, str], values: dict[str, Any]) -> None:
        self._columns = columns
        self.values = values

    def of(self, condition: Condition | None) -> str:
        """The condition; none holds always."""
        match condition:
            case None:
                return "1"
            case Not(term):
                return f"NOT ({self.of(term)})"
            case Joined(every, ()):
                return "1" if every else "0"
            case Joined(every, terms):
                joint = " AND " if every else " OR "
                return "(" + joint.join(self.of(term) for term in terms) + ")"
            case Is():
                return self._compared(condition)

    def _compared(self, wanted: Is) -> str:
        value = wanted.value
        if isinstance(value, str) and wanted.field not in _EXACT:
            value = names.fold(value)
        name = f"v{len(self.values)}"
        if wanted.field is Field.MEMBER:
            self.values[name] = value
            return (
                "EXISTS (SELECT 1 FROM team_member t WHERE t.team_id = e.id"
                f" AND t.user_id = :{name})"
            )
        column = self._columns[wanted.field]
        if wanted.comparison is Comparison.PRESENT:
            return f"({column} IS NOT NULL AND {column} <> '')"
        self.values[name] = value
        match wanted.comparison:
            case Comparison.EQUAL:
                return f"{column} IS NOT DISTINCT FROM :{name}"
            case Comparison.DIFFERENT:
                return f"{column} IS DISTINCT FROM :{name}"
            case Comparison.CONTAINS:
                return f"coalesce(instr({column}, :{name}), 0) > 0"
            case Comparison.BEGINS:
                return f"coalesce(instr({column}, :{name}), 0) = 1"
            case _:
                return f"coalesce(substr({column}, -length(:{name})), '') = :{name}"


def _people(organization_id: int, condition: Condition | None) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"organization": organization_id}
    arms = []
    for table, active in _EVERYBODY:
        where = _Where({**_OF_PEOPLE, Field.ACTIVE: str(active)}, values).of(condition)
        arms.append(_PEOPLE.format(columns=user.COLUMNS, active=active, table=table, where=where))
    return " UNION ALL ".join(arms), values


def list_people(
    tx: Transaction, organization_id: int, condition: Condition | None, *, skip: int, limit: int
) -> list[Account]:
    """The people of the organization for whom the condition holds, by id, with all their roles."""
    statement, values = _people(organization_id, condition)
    rows = tx.all(
        f"SELECT * FROM ({statement}) ORDER BY id LIMIT :limit OFFSET :skip",
        {**values, "limit": limit, "skip": skip},
    )
    ids = [row["id"] for row in rows]
    teams = _team_roles(tx, organization_id, ids)
    registries = _registry_roles(tx, organization_id, ids)
    return [
        Account(
            user=user.from_row(row),
            active=bool(row["active"]),
            role=GroupRole(row["member_role"]),
            teams={each.name: each.role for each in teams[row["id"]]},
            team_ids={each.name: each.id for each in teams[row["id"]]},
            registries=registries[row["id"]],
            external_id=row["external_id"],
        )
        for row in rows
    ]


def count_people(tx: Transaction, organization_id: int, condition: Condition | None) -> int:
    """How many `list_people` has in all."""
    statement, values = _people(organization_id, condition)
    row = tx.one(f"SELECT count(*) AS n FROM ({statement})", values)
    return 0 if row is None else int(row["n"])


@dataclass(frozen=True, slots=True)
class _TeamRole:
    id: int
    name: str
    role: GroupRole


def _team_roles(
    tx: Transaction, organization_id: int, user_ids: Sequence[int]
) -> dict[int, list[_TeamRole]]:
    found: dict[int, list[_TeamRole]] = defaultdict(list)
    if not user_ids:
        return found
    marks = ",".join("?" * len(user_ids))
    rows = tx.all(
        "SELECT m.user_id, m.role, e.id, e.name FROM"
        f" (SELECT user_id, team_id, role FROM team_member WHERE user_id IN ({marks})"
        " UNION ALL"
        f" SELECT user_id, team_id, role FROM deactivated_team WHERE user_id IN ({marks})) m"
        " JOIN entity e ON e.id = m.team_id"
        " WHERE e.organization_id = ? AND e.deleted_at IS NULL ORDER BY e.name_key",
        [*user_ids, *user_ids, organization_id],
    )
    for row in rows:
        found[row["user_id"]].append(_TeamRole(row["id"], row["name"], GroupRole(row["role"])))
    return found


def _registry_roles(
    tx: Transaction, organization_id: int, user_ids: Sequence[int]
) -> dict[int, dict[str, Role]]:
    found: dict[int, dict[str, Role]] = defaultdict(dict)
    if not user_ids:
        return found
    marks = ",".join("?" * len(user_ids))
    rows = tx.all(
        "SELECT m.user_id, m.role, p.name FROM"
        f" (SELECT user_id, project_id, role FROM registry_user WHERE user_id IN ({marks})"
        " UNION ALL"
        f" SELECT user_id, project_id, role FROM deactivated_registry WHERE user_id IN ({marks})) m"
        " JOIN project p ON p.id = m.project_id"
        " WHERE p.entity_id = ? AND p.deleted_at IS NULL ORDER BY p.name_key",
        [*user_ids, *user_ids, organization_id],
    )
    for row in rows:
        name = row["name"].removeprefix(names.REGISTRY_PREFIX)
        found[row["user_id"]][name] = Role.parse(row["role"])
    return found


def list_groups(
    tx: Transaction, organization_id: int, condition: Condition | None, *, skip: int, limit: int
) -> list[Group]:
    """The teams of the organization for which the condition holds, by id, with their people."""
    values: dict[str, Any] = {"organization": organization_id, "skip": skip, "limit": limit}
    where = _Where(_OF_TEAMS, values).of(condition)
    rows = tx.all(
        "SELECT e.id, e.kind, e.name, e.organization_id, e.created_at, x.value AS external_id "
        f"{_TEAMS}{where} ORDER BY e.id LIMIT :limit OFFSET :skip",
        values,
    )
    teams = [entity.from_row(row) for row in rows]
    members = _members(tx, teams)
    return [
        Group(team, tuple(members[team.id]), row["external_id"])
        for team, row in zip(teams, rows, strict=True)
    ]


def count_groups(tx: Transaction, organization_id: int, condition: Condition | None) -> int:
    """How many `list_groups` has in all."""
    values: dict[str, Any] = {"organization": organization_id}
    where = _Where(_OF_TEAMS, values).of(condition)
    row = tx.one(f"SELECT count(*) AS n {_TEAMS}{where}", values)
    return 0 if row is None else int(row["n"])


def _members(tx: Transaction, teams: Sequence[Entity]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    if not teams:
        return found
    marks = ",".join("?" * len(teams))
    rows = tx.all(
        "SELECT m.team_id, u.id, u.username FROM team_member m JOIN users u ON u.id = m.user_id"
        f" WHERE m.team_id IN ({marks}) AND u.kind = 'person' AND u.deleted_at IS NULL"
        " ORDER BY u.id",
        [team.id for team in teams],
    )
    for row in rows:
        found[row["team_id"]].append((row["id"], row["username"]))
    return found


def put_external_id(
    tx: Transaction, organization_id: int, sort: str, object_id: int, value: str | None
) -> None:
    """The provider calls the `user` or `team` so; None: by no name of its own."""
    place = {"organization": organization_id, "sort": sort, "object": object_id}
    tx.run(
        "DELETE FROM external_id"
        " WHERE organization_id = :organization AND sort = :sort AND object_id = :object",
        place,
    )
    if value is not None:
        tx.run(
            "INSERT INTO external_id (organization_id, sort, object_id, value)"
            " VALUES (:organization, :sort, :object, :value)",
            {**place, "value": value},
        )


def has_projects(tx: Transaction, team_id: int) -> bool:
    """Whether the team has a project, or had one that may still be restored."""
    return (
        tx.one("SELECT 1 FROM project WHERE entity_id = :team LIMIT 1", {"team": team_id})
        is not None
    )


def list_homes(tx: Transaction, *, limit: int) -> list[Entity]:
    """The first organizations of this server."""
    rows = tx.all(
        entity.SELECT + "WHERE e.kind = 'organization' AND e.deleted_at IS NULL ORDER BY e.id"
        " LIMIT :limit",
        {"limit": limit},
    )
    return [entity.from_row(row) for row in rows]
