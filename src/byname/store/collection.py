"""Collections and the memberships of versions in them, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.collection import Collection, Membership
from byname.domain.names import composed
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = """SELECT c.id, c.project_id, c.type_id, t.name AS type_name, c.kind, c.name,
    c.description, c.next_number, c.version_count, c.created_at, c.updated_at, c.deleted_at
    FROM collection c JOIN artifact_type t ON t.id = c.type_id """


def from_row(row: Row) -> Collection:
    """The collection of a row that was selected with `SELECT`."""
    return Collection(
        id=row["id"],
        project_id=row["project_id"],
        type_id=row["type_id"],
        type_name=row["type_name"],
        is_sequence=row["kind"] == "sequence",
        name=row["name"],
        description=row["description"],
        next_number=row["next_number"],
        version_count=row["version_count"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        deleted=row["deleted_at"] is not None,
    )


def find(tx: Transaction, collection_id: int) -> Collection | None:
    """The live collection of that id."""
    row = tx.one(SELECT + "WHERE c.id = :id AND c.deleted_at IS NULL", {"id": collection_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: list[int]) -> dict[int, Collection]:
    """The collections of these ids, by id; deleted ones too."""
    if not ids:
        return {}
    rows = tx.all(SELECT + f"WHERE c.id IN ({','.join('?' * len(ids))})", ids)
    return {row["id"]: from_row(row) for row in rows}


def find_by_name(tx: Transaction, project_id: int, name: str) -> Collection | None:
    """The project's live collection of that name, however its signs are composed."""
    row = None
    # As it was written goes first: names that older servers kept may not be composed.
    for spelling in dict.fromkeys((name, composed(name))):
        row = row or tx.one(
            SELECT + "WHERE c.project_id = :project AND c.name = :name AND c.deleted_at IS NULL",
            {"project": project_id, "name": spelling},
        )
    return None if row is None else from_row(row)


def list_of_project(
    tx: Transaction, project_id: int, *, type_name: str | None, after: int, limit: int
) -> list[Collection]:
    """The project's live collections (of one type), oldest first, from behind the id `after`."""
    rows = tx.all(
        SELECT + "WHERE c.project_id = :project AND c.deleted_at IS NULL AND c.id > :after"
        " AND (:type IS NULL OR t.name = :type) ORDER BY c.id LIMIT :limit",
        {"project": project_id, "type": type_name, "after": after, "limit": limit},
    )
    return [from_row(row) for row in rows]


def count_of_project(tx: Transaction, project_id: int, *, type_name: str | None) -> int:
    """How many live collections (of one type) the project has."""
    row = tx.one(
        "SELECT count(*) AS n FROM collection c JOIN artifact_type t ON t.id = c.type_id"
        " WHERE c.project_id = :project AND c.deleted_at IS NULL"
        " AND (:type IS NULL OR t.name = :type)",
        {"project": project_id, "type": type_name},
    )
    return int(row["n"]) if row is not None else 0


def add(
    tx: Transaction,
    *,
    project_id: int,
    type_id: int,
    is_sequence: bool,
    name: str,
    created_by: int | None,
    at: int,
) -> int:
    """A new, empty collection; its id."""
    return tx.insert(
        "INSERT INTO collection (project_id, type_id, kind, name, created_by, created_at,"
        " updated_at) VALUES (:project, :type, :kind, :name, :by, :at, :at) RETURNING id",
        {
            "project": project_id,
            "type": type_id,
            "kind": "sequence" if is_sequence else "portfolio",
            "name": name,
            "by": created_by,
            "at": at,
        },
    )


def edit(
    tx: Transaction, collection_id: int, *, name: str, description: str | None, at: int
) -> None:
    """The collection has this name and description."""
    tx.run(
        "UPDATE collection SET name = :name, description = :description, updated_at = :at"
        " WHERE id = :id",
        {"id": collection_id, "name": name, "description": description, "at": at},
    )


def set_type(tx: Transaction, collection_id: int, type_id: int, at: int) -> None:
    """The collection holds artifacts of this type."""
    tx.run(
        "UPDATE collection SET type_id = :type, updated_at = :at WHERE id = :id",
        {"id": collection_id, "type": type_id, "at": at},
    )


def remove(tx: Transaction, collection_id: int, at: int) -> None:
    """The collection is deleted, and its name is free."""
    tx.run(
        "UPDATE collection SET deleted_at = :at, updated_at = :at, version_count = 0"
        " WHERE id = :id",
        {"id": collection_id, "at": at},
    )


# ---- memberships -------------------------------------------------------------------------------

SELECT_MEMBERSHIP = (
    "SELECT m.id, m.collection_id, m.version_id, m.number, m.created_at, m.created_by"
    " FROM membership m "
)


def membership_from_row(row: Row) -> Membership:
    """The membership of a row that was selected with `SELECT_MEMBERSHIP`."""
    return Membership(
        id=row["id"],
        collection_id=row["collection_id"],
        version_id=row["version_id"],
        number=row["number"],
        created_at=moment(row["created_at"]),
        created_by=row["created_by"],
    )


def add_membership(
    tx: Transaction, *, collection_id: int, version_id: int, created_by: int | None, at: int
) -> Membership:
    """The version is in the collection, under the collection's next number (R46, R47)."""
    row = tx.one(
        "UPDATE collection SET next_number = next_number + 1, version_count = version_count + 1,"
        " updated_at = :at WHERE id = :id RETURNING next_number - 1 AS number",
        {"id": collection_id, "at": at},
    )
    assert row is not None  # noqa: S101  The caller has just read the collection.
    number = int(row["number"])
    membership_id = tx.insert(
        "INSERT INTO membership (collection_id, version_id, number, created_by, created_at,"
        " size_bytes) VALUES (:collection, :version, :number, :by, :at,"
        " (SELECT v.size_bytes FROM version v WHERE v.id = :version)) RETURNING id",
        {
            "collection": collection_id,
            "version": version_id,
            "number": number,
            "by": created_by,
            "at": at,
        },
    )
    return Membership(
        id=membership_id,
        collection_id=collection_id,
        version_id=version_id,
        number=number,
        created_at=moment(at),
        created_by=created_by,
    )


def remove_membership(tx: Transaction, membership: Membership, at: int) -> None:
    """The version has left the collection; its number there is retired (R160)."""
    tx.run("UPDATE membership SET deleted_at = :at WHERE id = :id", {"id": membership.id, "at": at})
    tx.run(
        "UPDATE collection SET version_count = version_count - 1, updated_at = :at"
        " WHERE id = :collection",
        {"collection": membership.collection_id, "at": at},
    )


def membership_of(tx: Transaction, collection_id: int, version_id: int) -> Membership | None:
    """The version's live membership in the collection."""
    row = tx.one(
        SELECT_MEMBERSHIP + "WHERE m.version_id = :version AND m.collection_id = :collection"
        " AND m.deleted_at IS NULL",
        {"version": version_id, "collection": collection_id},
    )
    return None if row is None else membership_from_row(row)


def membership_by_number(tx: Transaction, collection_id: int, number: int) -> Membership | None:
    """The live membership of that number."""
    row = tx.one(
        SELECT_MEMBERSHIP + "WHERE m.collection_id = :collection AND m.number = :number"
        " AND m.deleted_at IS NULL",
        {"collection": collection_id, "number": number},
    )
    return None if row is None else membership_from_row(row)


def live_numbers(tx: Transaction, collection_id: int, numbers: Sequence[int]) -> set[int]:
    """Of these numbers those of live memberships."""
    if not numbers:
        return set()
    rows = tx.all(
        "SELECT number FROM membership WHERE collection_id = ? AND deleted_at IS NULL"
        f" AND number IN ({','.join('?' * len(numbers))})",
        [collection_id, *numbers],
    )
    return {row["number"] for row in rows}


def membership_by_alias(tx: Transaction, collection_id: int, alias: str) -> Membership | None:
    """The membership that holds the alias."""
    row = tx.one(
        SELECT_MEMBERSHIP + "JOIN alias a ON a.membership_id = m.id"
        " WHERE a.collection_id = :collection AND a.name = :alias",
        {"collection": collection_id, "alias": composed(alias)},
    )
    return None if row is None else membership_from_row(row)


def membership_by_digest(tx: Transaction, collection_id: int, digest: str) -> Membership | None:
    """The newest live membership of a committed version with that digest."""
    row = tx.one(
        # The cross join holds SQLite to the order in which both steps are index searches.
        "SELECT m.id, m.collection_id, m.version_id, m.number, m.created_at, m.created_by"
        " FROM version v CROSS JOIN membership m"
        " WHERE v.digest = :digest AND m.version_id = v.id AND m.collection_id = :collection"
        " AND m.deleted_at IS NULL ORDER BY m.number DESC LIMIT 1",
        {"collection": collection_id, "digest": digest},
    )
    return None if row is None else membership_from_row(row)


def highest_membership(
    tx: Transaction, collection_id: int, *, but: int | None = None
) -> Membership | None:
    """The live membership with the highest number, leaving out one."""
    row = tx.one(
        SELECT_MEMBERSHIP + "WHERE m.collection_id = :collection AND m.deleted_at IS NULL"
        " AND (:but IS NULL OR m.id <> :but) ORDER BY m.number DESC LIMIT 1",
        {"collection": collection_id, "but": but},
    )
    return None if row is None else membership_from_row(row)


def list_memberships(
    tx: Transaction, collection_id: int, *, below: int | None, limit: int
) -> list[Membership]:
    """The live memberships, newest first, from below the number `below`."""
    rows = tx.all(
        SELECT_MEMBERSHIP + "WHERE m.collection_id = :collection AND m.deleted_at IS NULL"
        " AND m.number < :below ORDER BY m.number DESC LIMIT :limit",
        {
            "collection": collection_id,
            "below": 2**62 if below is None else below,
            "limit": limit,
        },
    )
    return [membership_from_row(row) for row in rows]


def memberships_in_projects(
    tx: Transaction, version_id: int, project_ids: Sequence[int], *, after: int, limit: int
) -> list[Membership]:
    """The version's live memberships in these projects, oldest first, from behind an id."""
    if not project_ids:
        return []
    rows = tx.all(
        SELECT_MEMBERSHIP + "JOIN collection c ON c.id = m.collection_id"
        " WHERE m.version_id = ? AND m.deleted_at IS NULL AND m.id > ?"
        f" AND c.project_id IN ({','.join('?' * len(project_ids))}) ORDER BY m.id LIMIT ?",
        [version_id, after, *project_ids, limit],
    )
    return [membership_from_row(row) for row in rows]


def memberships_of_version(
    tx: Transaction, version_id: int, *, after: int, limit: int
) -> list[Membership]:
    """The version's live memberships, its own sequence's first, from behind the id `after`."""
    rows = tx.all(
        SELECT_MEMBERSHIP + "WHERE m.version_id = :version AND m.deleted_at IS NULL"
        " AND m.id > :after ORDER BY m.id LIMIT :limit",
        {"version": version_id, "after": after, "limit": limit},
    )
    return [membership_from_row(row) for row in rows]


def links_of_version(tx: Transaction, version_id: int) -> list[Membership]:
    """The version's live memberships in portfolios."""
    rows = tx.all(
        SELECT_MEMBERSHIP + "JOIN collection c ON c.id = m.collection_id"
        " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
        " WHERE m.version_id = :version AND m.deleted_at IS NULL AND c.kind = 'portfolio'"
        " ORDER BY m.id",
        {"version": version_id},
    )
    return [membership_from_row(row) for row in rows]


def links_of_sequence(tx: Transaction, collection_id: int) -> list[Membership]:
    """The live memberships in portfolios of the versions that were logged in the sequence."""
    rows = tx.all(
        SELECT_MEMBERSHIP + "JOIN version v ON v.id = m.version_id"
        " JOIN collection c ON c.id = m.collection_id"
        " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
        " WHERE v.collection_id = :collection AND m.collection_id <> :collection"
        " AND m.deleted_at IS NULL ORDER BY m.id",
        {"collection": collection_id},
    )
    return [membership_from_row(row) for row in rows]


def is_linked_anywhere(tx: Transaction, collection_id: int) -> bool:
    """Whether a version that was logged in the sequence is linked in some portfolio."""
    row = tx.one(
        "SELECT 1 FROM version v JOIN membership m ON m.version_id = v.id"
        " JOIN collection c ON c.id = m.collection_id"
        " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
        " WHERE v.collection_id = :collection AND m.collection_id <> :collection"
        " AND m.deleted_at IS NULL LIMIT 1",
        {"collection": collection_id},
    )
    return row is not None


def remove_memberships(tx: Transaction, collection_id: int, at: int) -> None:
    """Nothing is in the collection any more."""
    tx.run(
        "UPDATE membership SET deleted_at = :at"
        " WHERE collection_id = :collection AND deleted_at IS NULL",
        {"collection": collection_id, "at": at},
    )


def remove_versions(tx: Transaction, collection_id: int, at: int) -> None:
    """All versions that were logged in the sequence are deleted."""
    tx.run(
        "UPDATE version SET state = 'deleted', deleted_at = :at, updated_at = :at"
        " WHERE collection_id = :collection AND state <> 'deleted'",
        {"collection": collection_id, "at": at},
    )


# ---- tags --------------------------------------------------------------------------------------


def tags_of_many(tx: Transaction, ids: list[int]) -> dict[int, list[str]]:
    """The tags of these collections, in the order given, by collection id."""
    found: dict[int, list[str]] = {each: [] for each in ids}
    if ids:
        for row in tx.all(
            "SELECT collection_id, name FROM collection_tag"
            f" WHERE collection_id IN ({','.join('?' * len(ids))}) ORDER BY position",
            ids,
        ):
            found[row["collection_id"]].append(row["name"])
    return found


def set_tags(tx: Transaction, collection_id: int, tags: list[str]) -> None:
    """The collection has these tags, in this order."""
    tx.run("DELETE FROM collection_tag WHERE collection_id = :id", {"id": collection_id})
    tx.run_many(
        "INSERT INTO collection_tag (collection_id, name, position) VALUES (?, ?, ?)",
        [(collection_id, name, position) for position, name in enumerate(tags)],
    )
