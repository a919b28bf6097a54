"""People and service accounts as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byname.domain import names
from byname.domain.entity import User
from byname.store.database import Row, Transaction
from byname.store.entity import lookup_key
from byname.store.moment import moment

COLUMNS = """u.id, u.kind, u.username, u.full_name, u.email, u.server_admin, u.entity_id,
    ue.name AS entity_name, u.created_at """
SELECT = f"SELECT {COLUMNS} FROM users u JOIN entity ue ON ue.id = u.entity_id "


def from_row(row: Row) -> User:
    """The user of a row that holds `COLUMNS`."""
    return User(
        id=row["id"],
        service=row["kind"] == "service",
        username=row["username"],
        full_name=row["full_name"],
        email=row["email"],
        server_admin=bool(row["server_admin"]),
        entity_id=row["entity_id"],
        entity_name=row["entity_name"],
        created_at=moment(row["created_at"]),
    )


def find(tx: Transaction, user_id: int) -> User | None:
    """The live user of that id."""
    row = tx.one(SELECT + "WHERE u.id = :id AND u.deleted_at IS NULL", {"id": user_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: Sequence[int]) -> dict[int, User]:
    """The users of these ids, by id, also those deleted since: history names its makers (R163)."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    return {row["id"]: from_row(row) for row in tx.all(SELECT + f"WHERE u.id IN ({marks})", ids)}


def find_by_name(tx: Transaction, username: str) -> User | None:
    """The live user of that name, without regard to case."""
    key = lookup_key(username)
    if key is None:
        return None
    row = tx.one(SELECT + "WHERE u.username_key = :key AND u.deleted_at IS NULL", {"key": key})
    return None if row is None else from_row(row)


def find_by_names(tx: Transaction, usernames: Sequence[str]) -> dict[str, User]:
    """The live users of these names, by the name asked for."""
    asked = {key: name for name in usernames if (key := lookup_key(name)) is not None}
    found: dict[str, User] = {}
    keys = list(asked)
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        marks = ",".join("?" * len(some))
        rows = tx.all(SELECT + f"WHERE u.username_key IN ({marks}) AND u.deleted_at IS NULL", some)
        for row in rows:
            user = from_row(row)
            found[asked[names.fold(user.username)]] = user
    return found


def find_by_email(tx: Transaction, email: str) -> User | None:
    """The live user of that e-mail address, without regard to case."""
    key = lookup_key(email)
    if key is None:
        return None
    row = tx.one(SELECT + "WHERE u.email_key = :key AND u.deleted_at IS NULL", {"key": key})
    return None if row is None else from_row(row)


def search(
    tx: Transaction, text: str, *, organization_ids: Sequence[int] | None, limit: int
) -> list[User]:
    """Live people whose name or address holds the text, those that equal it first.

    With `organization_ids`, only people in one of these organizations.
    """
    key = lookup_key(text)
    if key is None:
        return []
    where = ""
    if organization_ids is not None:
        marks = ",".join("?" * len(organization_ids))
        where = (
            " AND EXISTS (SELECT 1 FROM organization_member m WHERE m.user_id = u.id"
            f" AND m.organization_id IN ({marks}))"
        )
    escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = tx.all(
        SELECT + "WHERE u.kind = 'person' AND u.deleted_at IS NULL"
        " AND (u.username_key LIKE ? ESCAPE '\\' OR u.email_key LIKE ? ESCAPE '\\')"
        + where
        + " ORDER BY CASE WHEN u.username_key = ? OR u.email_key = ? THEN 0 ELSE 1 END, u.id"
        " LIMIT ?",
        [f"%{escaped}%", f"%{escaped}%", *(organization_ids or ()), key, key, limit],
    )
    return [from_row(row) for row in rows]


def add(
    tx: Transaction,
    *,
    service: bool,
    username: str,
    full_name: str,
    email: str | None,
    password_hash: str | None = None,
    server_admin: bool = False,
    entity_id: int,
    at: int,
) -> User:
    """A new person, or service account of the team or organization `entity_id`."""
    user_id = tx.insert(
        "INSERT INTO users (kind, username, username_key, full_name, email, email_key,"
        " password_hash, server_admin, entity_id, created_at) VALUES (:kind, :username, :key,"
        " :full_name, :email, :email_key, :password_hash, :server_admin, :entity, :at)"
        " RETURNING id",
        {
            "kind": "service" if service else "person",
            "username": username,
            "key": names.fold(username),
            "full_name": full_name,
            "email": email,
            "email_key": None if email is None else names.fold(email),
            "password_hash": password_hash,
            "server_admin": int(server_admin),
            "entity": entity_id,
            "at": at,
        },
    )
    user = find(tx, user_id)
    assert user is not None  # noqa: S101  It was added in this very transaction.
    return user


def remove(tx: Transaction, user_ids: Sequence[int], *, at: int) -> None:
    """The users are gone: no key, no password, no role anywhere is left of them."""
    marks = ",".join("?" * len(user_ids))
    tables = (
        "session api_key invitation identity organization_member team_member registry_user"
        " deactivation deactivated_team deactivated_registry"
    )
    for table in tables.split():
        tx.run(f"DELETE FROM {table} WHERE user_id IN ({marks})", user_ids)
    tx.run(
        "UPDATE users SET deleted_at = ?, password_hash = NULL, server_admin = 0"
        f" WHERE id IN ({marks}) AND deleted_at IS NULL",
        [at, *user_ids],
    )


def password_hash_of(tx: Transaction, user_id: int) -> str | None:
    """The hash of the user's password; None when they have none."""
    row = tx.one(
        "SELECT password_hash FROM users WHERE id = :id AND deleted_at IS NULL", {"id": user_id}
    )
    return None if row is None else row["password_hash"]


def set_password_hash(tx: Transaction, user_id: int, password_hash: str) -> None:
    """The live user has the password whose hash this is."""
    tx.run(
        "UPDATE users SET password_hash = :hash WHERE id = :id AND deleted_at IS NULL",
        {"id": user_id, "hash": password_hash},
    )


def set_server_admin(tx: Transaction, user_id: int, *, admin: bool) -> None:
    """The live user administers the server, or does not."""
    tx.run(
        "UPDATE users SET server_admin = :admin WHERE id = :id AND deleted_at IS NULL",
        {"id": user_id, "admin": int(admin)},
    )


def set_full_name(tx: Transaction, user_id: int, full_name: str) -> None:
    """The live user is shown by that name."""
    tx.run(
        "UPDATE users SET full_name = :name WHERE id = :id AND deleted_at IS NULL",
        {"id": user_id, "name": full_name},
    )


def _people(text: str) -> tuple[str, dict[str, Any]] | None:
    """The condition on live people whose names or address hold the text; None: nobody can."""
    where = "u.kind = 'person' AND u.deleted_at IS NULL"
    if not text:
        return where, {}
    key = lookup_key(text)
    if key is None:
        return None
    part = " AND (instr(u.username_key, :key) > 0 OR instr(u.email_key, :key) > 0"
    part += " OR instr(byname_fold(u.full_name), :key) > 0)"
    return where + part, {"key": key}


def list_people(
    tx: Transaction,
    *,
    text: str,
    after: str | None,
    limit: int,
    known_to: tuple[int, Sequence[int]] | None = None,
) -> list[User]:
    """Live people by name, from behind a folded name; those that the text is part of.

    With `known_to`, a user's id and the ids of organizations: only that user, if a person, and
    people in one of these organizations.
    """
    found = _people(text)
    if found is None:
        return []
    where, values = found
    if known_to is not None:
        user_id, organization_ids = known_to
        listed = ",".join(str(int(each)) for each in organization_ids)
        where += (
            " AND u.id IN (SELECT user_id FROM organization_member"
            f" WHERE organization_id IN ({listed}) UNION SELECT :own)"
        )
        values = {**values, "own": user_id}
    rows = tx.all(
        SELECT + f"WHERE {where} AND u.username_key > :after ORDER BY u.username_key LIMIT :limit",
        {**values, "after": after or "", "limit": limit},
    )
    return [from_row(row) for row in rows]


def count_people(tx: Transaction, *, text: str) -> int:
    """How many people `list_people` has in all."""
    found = _people(text)
    if found is None:
        return 0
    where, values = found
    row = tx.one(f"SELECT count(*) AS n FROM users u WHERE {where}", values)
    return 0 if row is None else int(row["n"])


def count_administrators(tx: Transaction) -> int:
    """How many live server administrators there are."""
    row = tx.one("SELECT COUNT(*) FROM users WHERE server_admin = 1 AND deleted_at IS NULL")
    return 0 if row is None else int(row[0])


def list_service_accounts(tx: Transaction, entity_ids: Sequence[int]) -> list[User]:
    """The live service accounts of these teams or organizations, oldest first."""
    marks = ",".join("?" * len(entity_ids))
    rows = tx.all(
        SELECT + f"WHERE u.entity_id IN ({marks}) AND u.kind = 'service' AND u.deleted_at IS NULL"
        " ORDER BY u.id",
        entity_ids,
    )
    return [from_row(row) for row in rows]
