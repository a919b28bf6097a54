"""What teams have decided on the time to live, and which versions are past theirs, as rows."""

from __future__ import annotations

from byname.domain.expiry import SYSTEM_PREFIX, SYSTEM_TYPES, TtlPolicy
from byname.store.database import Transaction

_SYSTEM_TYPES = ", ".join(f"'{each}'" for each in sorted(SYSTEM_TYPES))
_UNLINKED = (
    "NOT EXISTS (SELECT 1 FROM membership m JOIN collection x ON x.id = m.collection_id"
    " JOIN project y ON y.id = x.project_id AND y.deleted_at IS NULL"
    " WHERE m.version_id = v.id AND m.deleted_at IS NULL AND x.kind = 'portfolio')"
)


def list_due(tx: Transaction, *, now: int, limit: int) -> list[int]:
    """Committed versions whose time to live is over and that are linked nowhere, longest first.

    First those with a time of their own, then those of teams that have a default.
    """
    own = tx.all(
        "SELECT v.id FROM version v JOIN collection c ON c.id = v.collection_id"
        " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
        " WHERE v.ttl_seconds IS NOT NULL AND v.state = 'committed' AND c.deleted_at IS NULL"
        f" AND v.created_at + v.ttl_seconds * 1000000 <= :now AND {_UNLINKED}"
        " ORDER BY v.created_at + v.ttl_seconds * 1000000 LIMIT :limit",
        {"now": now, "limit": limit},
    )
    inherited = tx.all(
        # From the teams down: versions of teams without a default are not looked at.
        "SELECT v.id FROM team_ttl d CROSS JOIN project p ON p.entity_id = d.team_id"
        " CROSS JOIN collection c ON c.project_id = p.id"
        " CROSS JOIN artifact_type t ON t.id = c.type_id"
        " CROSS JOIN membership i ON i.collection_id = c.id"
        " CROSS JOIN version v ON v.id = i.version_id"
        " WHERE d.seconds IS NOT NULL AND p.kind = 'project' AND p.deleted_at IS NULL"
        " AND c.kind = 'sequence' AND c.deleted_at IS NULL AND i.deleted_at IS NULL"
        f" AND t.name NOT IN ({_SYSTEM_TYPES}) AND t.name NOT LIKE '{SYSTEM_PREFIX}%'"
        " AND v.ttl_own = 0 AND v.state = 'committed'"
        f" AND v.created_at + d.seconds * 1000000 <= :now AND {_UNLINKED}"
        " ORDER BY v.created_at LIMIT :limit",
        {"now": now, "limit": limit - len(own)},
    )
    return [row["id"] for row in own + inherited]


def find_policy(tx: Transaction, team_id: int) -> TtlPolicy:
    """What the team has decided."""
    row = tx.one("SELECT seconds, admins_only FROM team_ttl WHERE team_id = :id", {"id": team_id})
    return TtlPolicy() if row is None else TtlPolicy(row["seconds"], bool(row["admins_only"]))


def put_policy(tx: Transaction, team_id: int, policy: TtlPolicy) -> None:
    """The team has decided so."""
    tx.run(
        "INSERT INTO team_ttl (team_id, seconds, admins_only) VALUES (:id, :seconds, :admins)"
        " ON CONFLICT (team_id) DO UPDATE SET seconds = excluded.seconds,"
        " admins_only = excluded.admins_only",
        {"id": team_id, "seconds": policy.default_seconds, "admins": int(policy.admins_only)},
    )
