"""Who was added to a registry, and in which role, as rows."""

from __future__ import annotations

from byname.domain.entity import Entity, User
from byname.domain.policy import Role
from byname.store import entity, user
from byname.store.database import Transaction


def roles_of(
    tx: Transaction, project_id: int, user_id: int, team_ids: list[int]
) -> tuple[Role | None, list[Role]]:
    """The role given to the user in the registry, and those given to the teams."""
    rows = tx.all(
        "SELECT 1 AS direct, role FROM registry_user WHERE project_id = ? AND user_id = ?",
        [project_id, user_id],
    )
    if team_ids:
        rows += tx.all(
            "SELECT 0 AS direct, role FROM registry_team WHERE project_id = ?"
            f" AND team_id IN ({','.join('?' * len(team_ids))})",
            [project_id, *team_ids],
        )
    direct = None
    of_teams = []
    for row in rows:
        if row["direct"]:
            direct = Role.parse(row["role"])
        else:
            of_teams.append(Role.parse(row["role"]))
    return direct, of_teams


def put_user(tx: Transaction, project_id: int, user_id: int, role: Role, *, at: int) -> None:
    """The user is in the registry in that role, whether they were before or not."""
    tx.run(
        "INSERT INTO registry_user (project_id, user_id, role, created_at)"
        " VALUES (:project, :user, :role, :at)"
        " ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
        {"project": project_id, "user": user_id, "role": role.word, "at": at},
    )


def roles_of_many(
    tx: Transaction, project_ids: list[int], user_id: int, team_ids: list[int]
) -> dict[int, tuple[Role | None, list[Role]]]:
    """Like `roles_of`, for many registries with one statement; a registry without a row is left out."""
    registries = ",".join("?" * len(project_ids))
    rows = tx.all(
        "SELECT project_id, 1 AS direct, role FROM registry_user WHERE user_id = ?"
        f" AND project_id IN ({registries})",
        [user_id, *project_ids],
    )
    if team_ids:
        rows += tx.all(
            "SELECT project_id, 0 AS direct, role FROM registry_team"
            f" WHERE project_id IN ({registries}) AND team_id IN ({','.join('?' * len(team_ids))})",
            [*project_ids, *team_ids],
        )
    found: dict[int, tuple[Role | None, list[Role]]] = {}
    for row in rows:
        _, of_teams = found.setdefault(row["project_id"], (None, []))
        role = Role.parse(row["role"])
        if row["direct"]:
            found[row["project_id"]] = (role, of_teams)
        else:
            of_teams.append(role)
    return found


def list_users(tx: Transaction, project_id: int) -> list[tuple[User, Role]]:
    """The users who were added to the registry, in the order in which they came."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, m.role AS member_role FROM registry_user m"
        " JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id"
        " WHERE m.project_id = :id AND u.deleted_at IS NULL ORDER BY m.created_at, u.id",
        {"id": project_id},
    )
    return [(user.from_row(row), Role.parse(row["member_role"])) for row in rows]


def list_some_teams(
    tx: Transaction, project_id: int, *, after: str, limit: int
) -> list[tuple[Entity, Role]]:
    """The teams that were added to the registry, by name, from behind that one on."""
    rows = tx.all(
        "SELECT e.id, e.kind, e.name, e.organization_id, e.created_at, m.role AS member_role"
        " FROM registry_team m JOIN entity e ON e.id = m.team_id"
        " WHERE m.project_id = :id AND e.deleted_at IS NULL AND e.name > :after"
        " ORDER BY e.name LIMIT :limit",
        {"id": project_id, "after": after, "limit": limit},
    )
    return [(entity.from_row(row), Role.parse(row["member_role"])) for row in rows]


def list_teams(tx: Transaction, project_id: int) -> list[tuple[Entity, Role]]:
    """The teams that were added to the registry, in the order in which they came."""
    rows = tx.all(
        "SELECT e.id, e.kind, e.name, e.organization_id, e.created_at, m.role AS member_role"
        " FROM registry_team m JOIN entity e ON e.id = m.team_id"
        " WHERE m.project_id = :id AND e.deleted_at IS NULL ORDER BY m.created_at, e.id",
        {"id": project_id},
    )
    return [(entity.from_row(row), Role.parse(row["member_role"])) for row in rows]


def put_team(tx: Transaction, project_id: int, team_id: int, role: Role, *, at: int) -> None:
    """The team is in the registry in that role, whether it was before or not."""
    tx.run(
        "INSERT INTO registry_team (project_id, team_id, role, created_at)"
        " VALUES (:project, :team, :role, :at)"
        " ON CONFLICT (project_id, team_id) DO UPDATE SET role = excluded.role",
        {"project": project_id, "team": team_id, "role": role.word, "at": at},
    )


def remove_user(tx: Transaction, project_id: int, user_id: int) -> None:
    """The user is not in the registry by themselves any more."""
    tx.run(
        "DELETE FROM registry_user WHERE project_id = :project AND user_id = :user",
        {"project": project_id, "user": user_id},
    )


def remove_team(tx: Transaction, project_id: int, team_id: int) -> None:
    """The team is not in the registry any more."""
    tx.run(
        "DELETE FROM registry_team WHERE project_id = :project AND team_id = :team",
        {"project": project_id, "team": team_id},
    )


def role_of_user(tx: Transaction, project_id: int, user_id: int) -> Role | None:
    """The role given to the user in the registry."""
    return roles_of(tx, project_id, user_id, [])[0]


def role_of_team(tx: Transaction, project_id: int, team_id: int) -> Role | None:
    """The role given to the team in the registry."""
    row = tx.one(
        "SELECT role FROM registry_team WHERE project_id = :project AND team_id = :team",
        {"project": project_id, "team": team_id},
    )
    return None if row is None else Role.parse(row["role"])


def is_member(tx: Transaction, project_id: int, user_id: int) -> bool:
    """Whether the user was added to the registry, by themselves or with a team of theirs."""
    row = tx.one(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM registry_user m WHERE m.project_id = :project"
        " AND m.user_id = :user) OR EXISTS (SELECT 1 FROM registry_team m JOIN team_member t"
        " ON t.team_id = m.team_id WHERE m.project_id = :project AND t.user_id = :user)",
        {"project": project_id, "user": user_id},
    )
    return row is not None


def count_admins(tx: Transaction, project_id: int) -> int:
    """How many users and teams were added to the registry as Admin."""
    row = tx.one(
        "SELECT (SELECT count(*) FROM registry_user m JOIN users u ON u.id = m.user_id"
        " WHERE m.project_id = :id AND m.role = 'admin' AND u.deleted_at IS NULL)"
        " + (SELECT count(*) FROM registry_team m JOIN entity e ON e.id = m.team_id"
        " WHERE m.project_id = :id AND m.role = 'admin' AND e.deleted_at IS NULL) AS n",
        {"id": project_id},
    )
    return 0 if row is None else int(row["n"])
