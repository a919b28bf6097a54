"""Who is in an organization, and in which role, as rows."""

from __future__ import annotations

from byname.domain.entity import Entity, GroupMember
from byname.domain.policy import GroupRole
from byname.store import entity, user
from byname.store.database import Transaction


def find_role(tx: Transaction, organization_id: int, user_id: int) -> GroupRole | None:
    """The user's role in the organization; None when they are not in it."""
    row = tx.one(
        "SELECT role FROM organization_member WHERE organization_id = :organization"
        " AND user_id = :user",
        {"organization": organization_id, "user": user_id},
    )
    return None if row is None else GroupRole(row["role"])


def put_member(
    tx: Transaction, organization_id: int, user_id: int, role: GroupRole, *, at: int
) -> None:
    """The user is in the organization in that role, whether they were before or not."""
    tx.run(
        "INSERT INTO organization_member (organization_id, user_id, role, created_at)"
        " VALUES (:organization, :user, :role, :at)"
        " ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role",
        {"organization": organization_id, "user": user_id, "role": role.value, "at": at},
    )


def remove_member(tx: Transaction, organization_id: int, user_id: int) -> None:
    """The user is out of the organization, of all its teams, and of all its registries (R109)."""
    ids = {"organization": organization_id, "user": user_id}
    tx.run(
        "DELETE FROM team_member WHERE user_id = :user AND team_id IN"
        " (SELECT id FROM entity WHERE organization_id = :organization AND kind = 'team')",
        ids,
    )
    tx.run(
        "DELETE FROM registry_user WHERE user_id = :user AND project_id IN"
        " (SELECT id FROM project WHERE entity_id = :organization)",
        ids,
    )
    tx.run(
        "DELETE FROM organization_member WHERE organization_id = :organization AND user_id = :user",
        ids,
    )


def remove_everyone(tx: Transaction, organization_id: int) -> None:
    """Nobody is in the organization or in its teams any more, or comes back to them."""
    ids = {"organization": organization_id}
    tx.run(
        "DELETE FROM team_member WHERE team_id IN"
        " (SELECT id FROM entity WHERE organization_id = :organization AND kind = 'team')",
        ids,
    )
    tx.run("DELETE FROM organization_member WHERE organization_id = :organization", ids)
    tx.run(
        "DELETE FROM deactivated_team WHERE team_id IN"
        " (SELECT id FROM entity WHERE organization_id = :organization AND kind = 'team')",
        ids,
    )
    tx.run(
        "DELETE FROM deactivated_registry WHERE project_id IN"
        " (SELECT id FROM project WHERE entity_id = :organization)",
        ids,
    )
    tx.run("DELETE FROM deactivation WHERE organization_id = :organization", ids)


def count_admins(tx: Transaction, organization_id: int) -> int:
    """How many admins the organization has."""
    row = tx.one(
        "SELECT COUNT(*) FROM organization_member WHERE organization_id = :id AND role = 'admin'",
        {"id": organization_id},
    )
    return 0 if row is None else int(row[0])


def list_members(tx: Transaction, organization_id: int) -> list[GroupMember]:
    """Who is in the organization, in the order in which they came."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, m.role AS member_role FROM organization_member m"
        " JOIN users u ON u.id = m.user_id JOIN entity ue ON ue.id = u.entity_id"
        " WHERE m.organization_id = :id AND u.deleted_at IS NULL ORDER BY m.created_at, u.id",
        {"id": organization_id},
    )
    return [GroupMember(user.from_row(row), GroupRole(row["member_role"])) for row in rows]


def list_of_user(tx: Transaction, user_id: int) -> list[Entity]:
    """The live organizations the user is in, in the order in which they joined."""
    rows = tx.all(
        entity.SELECT + "JOIN organization_member m ON m.organization_id = e.id"
        " WHERE m.user_id = :id AND e.deleted_at IS NULL ORDER BY m.created_at, e.id",
        {"id": user_id},
    )
    return [entity.from_row(row) for row in rows]
