"""Who is in a team, and in which role, as rows."""

from __future__ import annotations

from byname.domain.entity import Entity, GroupMember
from byname.domain.policy import GroupRole
from byname.store import entity, user
from byname.store.database import Transaction


def find_role(tx: Transaction, team_id: int, user_id: int) -> GroupRole | None:
    """The user's role in the team; None when they are not in it."""
    row = tx.one(
        "SELECT role FROM team_member WHERE team_id = :team AND user_id = :user",
        {"team": team_id, "user": user_id},
    )
    return None if row is None else GroupRole(row["role"])


def put_member(tx: Transaction, team_id: int, user_id: int, role: GroupRole, *, at: int) -> None:
    """The user is in the team in that role, whether they were before or not."""
    tx.run(
        "INSERT INTO team_member (team_id, user_id, role, created_at)"
        " VALUES (:team, :user, :role, :at)"
        " ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role",
        {"team": team_id, "user": user_id, "role": role.value, "at": at},
    )


def remove_member(tx: Transaction, team_id: int, user_id: int) -> None:
    """The user is out of the team."""
    tx.run(
        "DELETE FROM team_member WHERE team_id = :team AND user_id = :user",
        {"team": team_id, "user": user_id},
    )


def remove_everyone(tx: Transaction, team_id: int) -> None:
    """Nobody is in the team, and the team is in no registry any more."""
    tx.run("DELETE FROM team_member WHERE team_id = :team", {"team": team_id})
    tx.run("DELETE FROM registry_team WHERE team_id = :team", {"team": team_id})


def list_members(tx: Transaction, team_id: int) -> list[GroupMember]:
    """Who is in the team, in the order in which they came."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, m.role AS member_role FROM team_member m"
        " JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id"
        " WHERE m.team_id = :id AND u.deleted_at IS NULL ORDER BY m.created_at, u.id",
        {"id": team_id},
    )
    return [GroupMember(user.from_row(row), GroupRole(row["member_role"])) for row in rows]


def list_of_user(tx: Transaction, user_id: int) -> list[Entity]:
    """The live teams the user is in, in the order in which they joined."""
    rows = tx.all(
        entity.SELECT + "JOIN team_member m ON m.team_id = e.id"
        " WHERE m.user_id = :id AND e.deleted_at IS NULL ORDER BY m.created_at, e.id",
        {"id": user_id},
    )
    return [entity.from_row(row) for row in rows]
