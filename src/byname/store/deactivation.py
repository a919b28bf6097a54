"""Who is out of an organization until they are let in again, and what they had there, as rows."""

from __future__ import annotations

from byname.domain.entity import GroupMember
from byname.domain.policy import GroupRole
from byname.store import user
from byname.store.database import Transaction

_TEAMS = "SELECT id FROM entity WHERE organization_id = :organization AND kind = 'team'"
_REGISTRIES = "SELECT id FROM project WHERE entity_id = :organization"


def find_role(tx: Transaction, organization_id: int, user_id: int) -> GroupRole | None:
    """The role in which the user comes back; None when they are not deactivated there."""
    row = tx.one(
        "SELECT role FROM deactivation WHERE organization_id = :organization AND user_id = :user",
        {"organization": organization_id, "user": user_id},
    )
    return None if row is None else GroupRole(row["role"])


def put(tx: Transaction, organization_id: int, user_id: int, *, at: int) -> None:
    """What the member has in the organization, its teams and registries is remembered.

    They are still in it: taking them out is the caller's next step.
    """
    ids = {"organization": organization_id, "user": user_id}
    tx.run(
        "INSERT INTO deactivation (organization_id, user_id, role, created_at)"
        " SELECT organization_id, user_id, role, :at FROM organization_member"
        " WHERE organization_id = :organization AND user_id = :user",
        {**ids, "at": at},
    )
    tx.run(
        "INSERT INTO deactivated_team (user_id, team_id, role) SELECT user_id, team_id, role"
        f" FROM team_member WHERE user_id = :user AND team_id IN ({_TEAMS})",
        ids,
    )
    tx.run(
        "INSERT INTO deactivated_registry (user_id, project_id, role)"
        " SELECT user_id, project_id, role FROM registry_user"
        f" WHERE user_id = :user AND project_id IN ({_REGISTRIES})",
        ids,
    )


def restore(tx: Transaction, organization_id: int, user_id: int, *, at: int) -> None:
    """The user is in those teams and registries again that there still are, in the same roles.

    They are a member of the organization already, and still deactivated: the caller ends that.
    """
    ids = {"organization": organization_id, "user": user_id, "at": at}
    tx.run(
        "INSERT INTO team_member (team_id, user_id, role, created_at)"
        " SELECT team_id, user_id, role, :at FROM deactivated_team"
        f" WHERE user_id = :user AND team_id IN ({_TEAMS} AND deleted_at IS NULL)"
        " ON CONFLICT (team_id, user_id) DO NOTHING",
        ids,
    )
    tx.run(
        "INSERT INTO registry_user (project_id, user_id, role, created_at)"
        " SELECT project_id, user_id, role, :at FROM deactivated_registry"
        f" WHERE user_id = :user AND project_id IN ({_REGISTRIES} AND deleted_at IS NULL)"
        " ON CONFLICT (project_id, user_id) DO NOTHING",
        ids,
    )


def remove(tx: Transaction, organization_id: int, user_id: int) -> None:
    """Nothing is remembered of what the user had there; they come back no more by themselves."""
    ids = {"organization": organization_id, "user": user_id}
    tx.run(f"DELETE FROM deactivated_team WHERE user_id = :user AND team_id IN ({_TEAMS})", ids)
    tx.run(
        f"DELETE FROM deactivated_registry WHERE user_id = :user AND project_id IN ({_REGISTRIES})",
        ids,
    )
    tx.run(
        "DELETE FROM deactivation WHERE organization_id = :organization AND user_id = :user", ids
    )


def is_shut_out(tx: Transaction, user_id: int) -> bool:
    """Whether the user is deactivated somewhere and a member of no organization."""
    row = tx.one(
        "SELECT 1 FROM deactivation WHERE user_id = :user AND NOT EXISTS"
        " (SELECT 1 FROM organization_member WHERE user_id = :user) LIMIT 1",
        {"user": user_id},
    )
    return row is not None


def list_page(
    tx: Transaction, organization_id: int, *, after: int, limit: int
) -> list[GroupMember]:
    """The people who are deactivated in the organization, with the role they come back in, by id."""
    rows = tx.all(
        f"SELECT {user.COLUMNS}, d.role AS member_role FROM deactivation d"
        " JOIN users u ON u.id = d.user_id JOIN entity ue ON ue.id = u.entity_id"
        " WHERE d.organization_id = :organization AND d.user_id > :after AND u.deleted_at IS NULL"
        " ORDER BY d.user_id LIMIT :limit",
        {"organization": organization_id, "after": after, "limit": limit},
    )
    return [
        GroupMember(user.from_row(row), GroupRole(row["member_role"]), deactivated=True)
        for row in rows
    ]
