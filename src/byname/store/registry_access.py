"""Who has access to a registry and who could be given it, as rows for the page that shows it (R108)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.entity import User
from byname.domain.names import fold
from byname.domain.policy import GroupRole, Role
from byname.store import user
from byname.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Given:
    """A user who was added to a registry, with all from which their role there follows."""

    user: User
    role: Role
    organization_role: GroupRole | None
    of_teams: tuple[Role, ...]


def _like(text: str) -> str:
    escaped = fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def list_given(
    tx: Transaction, project_id: int, organization_id: int, text: str, *, after: int, limit: int
) -> list[Given]:
    """Some of the users who were added, by id, whose name or address holds the text."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, m.role AS member_role, o.role AS organization_role"
        " FROM registry_user m JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id"
        " LEFT JOIN organization_member o ON o.user_id = u.id AND o.organization_id = :organization"
        " WHERE m.project_id = :project AND m.user_id > :after AND u.deleted_at IS NULL"
        " AND (u.username_key LIKE :like ESCAPE '\\' OR u.email_key LIKE :like ESCAPE '\\')"
        " ORDER BY m.user_id LIMIT :limit",
        {
            "project": project_id,
            "organization": organization_id,
            "after": after,
            "like": _like(text),
            "limit": limit,
        },
    )
    found = [(user.from_row(row), row["member_role"], row["organization_role"]) for row in rows]
    teams: dict[int, list[Role]] = {one.id: [] for one, _, _ in found}
    if found:
        for row in tx.all(
            "SELECT t.user_id, r.role FROM registry_team r JOIN team_member t ON t.team_id = r.team_id"
            " JOIN entity e ON e.id = r.team_id AND e.deleted_at IS NULL"
            f" WHERE r.project_id = ? AND t.user_id IN ({','.join('?' * len(teams))})",
            [project_id, *teams],
        ):
            teams[row["user_id"]].append(Role.parse(row["role"]))
    return [
        Given(
            one,
            Role.parse(role),
            None if of_organization is None else GroupRole(of_organization),
            tuple(teams[one.id]),
        )
        for one, role, of_organization in found
    ]


def list_candidates(
    tx: Transaction, project_id: int, organization_id: int, text: str, *, limit: int
) -> list[User]:
    """Users of the organization who were not added, whose name or address holds the text."""
    rows = tx.all(
        f"SELECT {user.COLUMNS} FROM organization_member o JOIN users u ON u.id = o.user_id"
        " JOIN entity ue ON ue.id = u.entity_id"
        " WHERE o.organization_id = :organization AND u.deleted_at IS NULL"
        " AND (u.username_key LIKE :like ESCAPE '\\' OR u.email_key LIKE :like ESCAPE '\\')"
        " AND NOT EXISTS (SELECT 1 FROM registry_user m WHERE m.project_id = :project"
        " AND m.user_id = u.id)"
        " ORDER BY CASE WHEN u.username_key = :key OR u.email_key = :key THEN 0 ELSE 1 END,"
        " u.username_key LIMIT :limit",
        {
            "project": project_id,
            "organization": organization_id,
            "like": _like(text),
            "key": fold(text),
            "limit": limit,
        },
    )
    return [user.from_row(row) for row in rows]


def list_candidate_teams(
    tx: Transaction, project_id: int, organization_id: int, text: str, *, limit: int
) -> list[tuple[int, str]]:
    """Teams of the organization that were not added, whose name holds the text: id and name."""
    rows = tx.all(
        "SELECT e.id, e.name FROM entity e WHERE e.kind = 'team' AND e.deleted_at IS NULL"
        " AND e.organization_id = :organization AND e.name_key LIKE :like ESCAPE '\\'"
        " AND NOT EXISTS (SELECT 1 FROM registry_team m WHERE m.project_id = :project"
        " AND m.team_id = e.id) ORDER BY e.name_key LIMIT :limit",
        {
            "project": project_id,
            "organization": organization_id,
            "like": _like(text),
            "limit": limit,
        },
    )
    return [(row["id"], row["name"]) for row in rows]
