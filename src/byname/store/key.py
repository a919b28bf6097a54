"""API keys as rows, and the one statement that turns a key into the one who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from byname.domain.entity import ApiKey
from byname.domain.policy import Actor, GroupRole
from byname.store.database import Row, Transaction
from byname.store.moment import moment

# One statement, since it runs before every request. Rows of deleted organizations and teams need no
# look: leaving them takes the membership rows away. Who is deactivated wherever they belonged is nobody.
_ACTOR = """SELECT {key}, u.id, u.username, u.email, u.entity_id, e.name, u.kind, u.server_admin,
    (SELECT string_agg(m.organization_id || ' ' || m.role, ' ') FROM organization_member m
        WHERE m.user_id = u.id),
    (SELECT string_agg(m.team_id || ' ' || m.role, ' ') FROM team_member m
        WHERE m.user_id = u.id)
    FROM {source} JOIN entity e ON e.id = u.entity_id
    WHERE {wanted} AND u.deleted_at IS NULL AND e.deleted_at IS NULL
    AND (u.server_admin = 1
        OR NOT EXISTS (SELECT 1 FROM deactivation d WHERE d.user_id = u.id)
        OR EXISTS (SELECT 1 FROM organization_member m WHERE m.user_id = u.id))"""

OF_KEY = _ACTOR.format(
    key="k.id", source="api_key k JOIN users u ON u.id = k.user_id", wanted="k.sha256 = ?"
)
OF_USER = _ACTOR.format(key="NULL", source="users u", wanted="u.id = ?")
OF_USERS = _ACTOR.format(key="NULL", source="users u", wanted="u.id IN ({marks})")

_ROLES = {role.value: role for role in GroupRole}


def _roles(text: str | None) -> dict[int, GroupRole]:
    if not text:
        return {}
    words = text.split(" ")
    return {int(words[i]): _ROLES[words[i + 1]] for i in range(0, len(words), 2)}


def _actor(row: Row) -> Actor:
    (key_id, user_id, username, email, entity_id, entity_name, kind, admin, of_orgs, of_teams) = row
    return Actor(
        user_id=user_id,
        username=username,
        email=email,
        entity_id=entity_id,
        entity_name=entity_name,
        service=kind == "service",
        server_admin=bool(admin),
        organizations=_roles(of_orgs),
        teams=_roles(of_teams),
        key_id=key_id,
    )


def find_actor(tx: Transaction, sha256: str) -> Actor | None:
    """Who holds the key with that fingerprint, with every role; None when nobody does."""
    row = tx.one(OF_KEY, (sha256,))
    return None if row is None else _actor(row)


def find_actor_of_user(tx: Transaction, user_id: int) -> Actor | None:
    """The live user as one who asks, with every role, but without a key."""
    row = tx.one(OF_USER, (user_id,))
    return None if row is None else _actor(row)


def find_actors_of_users(tx: Transaction, user_ids: Sequence[int]) -> dict[int, Actor]:
    """Those of these users who are live, as who they are, by their id."""
    if not user_ids:
        return {}
    marks = ",".join("?" * len(user_ids))
    found = (_actor(row) for row in tx.all(OF_USERS.format(marks=marks), list(user_ids)))
    return {actor.user_id: actor for actor in found}


def from_row(row: Row) -> ApiKey:
    """The key of a row."""
    return ApiKey(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        start=row["start"],
        created_at=moment(row["created_at"]),
        last_used_at=moment(row["last_used_at"]),
    )


def find(tx: Transaction, key_id: int) -> ApiKey | None:
    """The key of that id."""
    row = tx.one("SELECT * FROM api_key WHERE id = :id", {"id": key_id})
    return None if row is None else from_row(row)


def list_of_user(tx: Transaction, user_id: int) -> list[ApiKey]:
    """The user's keys, oldest first."""
    rows = tx.all("SELECT * FROM api_key WHERE user_id = :id ORDER BY id", {"id": user_id})
    return [from_row(row) for row in rows]


def count_of_user(tx: Transaction, user_id: int) -> int:
    """How many keys the user has."""
    row = tx.one("SELECT COUNT(*) FROM api_key WHERE user_id = :id", {"id": user_id})
    return 0 if row is None else int(row[0])


def add(tx: Transaction, *, user_id: int, name: str, start: str, sha256: str, at: int) -> ApiKey:
    """A new key of the user."""
    key_id = tx.insert(
        "INSERT INTO api_key (user_id, name, start, sha256, created_at)"
        " VALUES (:user, :name, :start, :sha256, :at) RETURNING id",
        {"user": user_id, "name": name, "start": start, "sha256": sha256, "at": at},
    )
    return ApiKey(
        id=key_id,
        user_id=user_id,
        name=name,
        start=start,
        created_at=moment(at),
        last_used_at=None,
    )


def rename(tx: Transaction, key_id: int, name: str) -> None:
    """The key has that name."""
    tx.run("UPDATE api_key SET name = :name WHERE id = :id", {"id": key_id, "name": name})


def remove(tx: Transaction, key_id: int) -> None:
    """The key opens nothing any more."""
    tx.run("DELETE FROM api_key WHERE id = :id", {"id": key_id})


def put_uses(tx: Transaction, uses: Mapping[int, int]) -> None:
    """These keys were used at these times, or later. Keys deleted since are passed over."""
    tx.run_many(
        "UPDATE api_key SET last_used_at = ?"
        " WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
        [(at, key_id, at) for key_id, at in uses.items()],
    )
