"""Deletions and what went with them, as rows: written with the deletion, read to undo it."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.alias import Holder
from byname.domain.collection import Membership
from byname.domain.project import Project
from byname.domain.trash import DeletedKind, Deletion
from byname.store import collection as collection_rows
from byname.store import project as project_rows
from byname.store.database import Row, Transaction
from byname.store.moment import moment


def from_row(row: Row) -> Deletion:
    """The deletion of a row."""
    return Deletion(
        id=row["id"],
        kind=DeletedKind(row["kind"]),
        project_id=row["project_id"],
        name=row["name"],
        actor_name=row["actor_name"],
        face=row["face"],
        at=moment(row["at"]),
        restored=row["restored_at"] is not None,
    )


# ---- writing -----------------------------------------------------------------------------------


def add(
    tx: Transaction,
    *,
    kind: DeletedKind,
    project_id: int,
    name: str,
    actor_id: int | None,
    actor_name: str,
    face: str,
    at: int,
) -> int:
    """A deletion that is about to be done; its id."""
    return tx.insert(
        "INSERT INTO deletion (kind, project_id, name, actor_id, actor_name, face, at)"
        " VALUES (:kind, :project, :name, :actor, :actor_name, :face, :at) RETURNING id",
        {
            "kind": kind.value,
            "project": project_id,
            "name": name,
            "actor": actor_id,
            "actor_name": actor_name,
            "face": face,
            "at": at,
        },
    )


_ADD = "INSERT INTO deletion_item (deletion_id, kind, item_id, alias) "


def add_collections_of_project(tx: Transaction, deletion_id: int, project_id: int) -> None:
    """The project's live collections, their memberships and aliases go with the deletion."""
    ids = {"deletion": deletion_id, "project": project_id}
    where = "c.project_id = :project AND c.deleted_at IS NULL"
    tx.run(
        _ADD + f"SELECT :deletion, 'collection', c.id, '' FROM collection c WHERE {where}",
        ids,
    )
    _add_memberships(tx, "JOIN collection c ON c.id = m.collection_id", where, ids)


def add_collection(tx: Transaction, deletion_id: int, collection_id: int) -> None:
    """The collection, its memberships and aliases go with the deletion.

    Of a sequence also its committed versions, and their links wherever they are.
    """
    ids = {"deletion": deletion_id, "id": collection_id}
    tx.run(_ADD + "VALUES (:deletion, 'collection', :id, '')", ids)
    _add_memberships(tx, "", "m.collection_id = :id", ids)
    tx.run(
        _ADD + "SELECT :deletion, 'version', v.id, '' FROM membership m"
        " JOIN version v ON v.id = m.version_id AND v.collection_id = m.collection_id"
        " WHERE m.collection_id = :id AND m.deleted_at IS NULL AND v.state = 'committed'",
        ids,
    )
    _add_memberships(
        tx,
        "JOIN version v ON v.id = m.version_id",
        "m.collection_id <> :id AND m.version_id IN (SELECT item_id FROM deletion_item"
        " WHERE deletion_id = :deletion AND kind = 'version')",
        ids,
    )


def add_version(tx: Transaction, deletion_id: int, version_id: int) -> None:
    """The version, all its memberships and their aliases go with the deletion."""
    ids = {"deletion": deletion_id, "id": version_id}
    tx.run(_ADD + "VALUES (:deletion, 'version', :id, '')", ids)
    _add_memberships(tx, "", "m.version_id = :id", ids)


def add_membership(tx: Transaction, deletion_id: int, membership_id: int) -> None:
    """The membership and its aliases go with the deletion."""
    _add_memberships(tx, "", "m.id = :id", {"deletion": deletion_id, "id": membership_id})


def _add_memberships(tx: Transaction, join: str, where: str, values: dict[str, int]) -> None:
    live = f"FROM membership m {join} WHERE {where} AND m.deleted_at IS NULL"
    tx.run(_ADD + f"SELECT :deletion, 'membership', m.id, '' {live}", values)
    tx.run(
        _ADD + "SELECT :deletion, 'alias', a.membership_id, a.name FROM alias a"
        f" WHERE a.membership_id IN (SELECT m.id {live})",
        values,
    )


# ---- reading -----------------------------------------------------------------------------------


def find(tx: Transaction, deletion_id: int) -> Deletion | None:
    """The deletion of that id."""
    row = tx.one("SELECT * FROM deletion WHERE id = :id", {"id": deletion_id})
    return None if row is None else from_row(row)


def list_of_entities(
    tx: Transaction, entity_ids: Sequence[int], *, since: int, before: int | None, limit: int
) -> list[Deletion]:
    """Deletions since a time that were not undone, newest first, from below the id `before`."""
    rows = tx.all(
        "SELECT d.* FROM deletion d JOIN project p ON p.id = d.project_id"
        f" WHERE p.entity_id IN ({','.join('?' * len(entity_ids))}) AND d.at > ?"
        " AND d.restored_at IS NULL AND d.id < ? ORDER BY d.id DESC LIMIT ?",
        [*entity_ids, since, 2**62 if before is None else before, limit],
    )
    return [from_row(row) for row in rows]


def find_projects(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[Project, bool]]:
    """These projects, deleted ones too, and whether each is deleted; of live entities only."""
    found: dict[int, tuple[Project, bool]] = {}
    if ids:
        marks = ",".join("?" * len(ids))
        gone = {
            row["id"]
            for row in tx.all(
                f"SELECT id FROM project WHERE id IN ({marks}) AND deleted_at IS NOT NULL",
                list(ids),
            )
        }
        rows = tx.all(
            project_rows.SELECT + f"WHERE p.id IN ({marks}) AND e.deleted_at IS NULL", list(ids)
        )
        for row in rows:
            found[row["id"]] = (project_rows.from_row(row), row["id"] in gone)
    return found


def items(tx: Transaction, deletion_id: int, kind: str) -> list[int]:
    """The ids of one kind that went with the deletion."""
    rows = tx.all(
        "SELECT DISTINCT item_id FROM deletion_item WHERE deletion_id = :id AND kind = :kind"
        " ORDER BY item_id",
        {"id": deletion_id, "kind": kind},
    )
    return [row["item_id"] for row in rows]


def aliases(tx: Transaction, deletion_id: int) -> dict[int, list[str]]:
    """The aliases that went with the deletion, by the membership that held them."""
    found: dict[int, list[str]] = {}
    for row in tx.all(
        "SELECT item_id, alias FROM deletion_item WHERE deletion_id = :id AND kind = 'alias'"
        " ORDER BY item_id, alias",
        {"id": deletion_id},
    ):
        found.setdefault(row["item_id"], []).append(row["alias"])
    return found


_RETURNING = (
    "FROM deletion_item i JOIN membership m ON m.id = i.item_id"
    " JOIN collection c ON c.id = m.collection_id AND c.deleted_at IS NULL"
    " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
    " JOIN version v ON v.id = m.version_id AND v.state = 'committed'"
    " WHERE i.deletion_id = :id AND i.kind = 'membership' AND m.deleted_at IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM membership o WHERE o.version_id = m.version_id"
    "   AND o.collection_id = m.collection_id AND o.deleted_at IS NULL)"
)
"""Memberships that can come back: collection and version are there, and not linked anew."""


def projects_of_links(tx: Transaction, deletion_id: int) -> list[int]:
    """The projects into which memberships would come back."""
    rows = tx.all(f"SELECT DISTINCT c.project_id {_RETURNING}", {"id": deletion_id})
    return [row["project_id"] for row in rows]


def list_returning(tx: Transaction, deletion_id: int) -> list[Membership]:
    """The memberships that can come back, by collection and number."""
    rows = tx.all(
        "SELECT m.id, m.collection_id, m.version_id, m.number, m.created_at, m.created_by"
        f" {_RETURNING} ORDER BY m.collection_id, m.number",
        {"id": deletion_id},
    )
    return [collection_rows.membership_from_row(row) for row in rows]


def find_membership(tx: Transaction, membership_id: int) -> Membership | None:
    """The membership of that id, deleted or not."""
    row = tx.one(
        collection_rows.SELECT_MEMBERSHIP + "WHERE m.id = :id",
        {"id": membership_id},
    )
    return None if row is None else collection_rows.membership_from_row(row)


def sequences_of(tx: Transaction, version_ids: Sequence[int]) -> list[int]:
    """The ids of the sequences in which these versions were logged."""
    if not version_ids:
        return []
    rows = tx.all(
        "SELECT DISTINCT collection_id FROM version"
        f" WHERE id IN ({','.join('?' * len(version_ids))})",
        list(version_ids),
    )
    return [row["collection_id"] for row in rows]


def all_holders(tx: Transaction, collection_id: int, names: Sequence[str]) -> dict[str, Holder]:
    """The live holders of these aliases; any number of names."""
    found: dict[str, Holder] = {}
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        for row in tx.all(
            "SELECT a.name, a.membership_id, m.number FROM alias a"
            " JOIN membership m ON m.id = a.membership_id"
            f" WHERE a.collection_id = ? AND a.name IN ({','.join('?' * len(some))})",
            [collection_id, *some],
        ):
            found[row["name"]] = Holder(row["membership_id"], row["number"])
    return found


# ---- undoing -----------------------------------------------------------------------------------


def revive_project(tx: Transaction, project_id: int, at: int) -> bool:
    """The project is there again, unless it was purged; whether it is."""
    return bool(
        tx.run(
            "UPDATE project SET deleted_at = NULL, updated_at = :at"
            " WHERE id = :id AND purged_at IS NULL",
            {"id": project_id, "at": at},
        )
    )


def revive_collections(tx: Transaction, deletion_id: int, at: int) -> None:
    """The collections that went with the deletion are there again; they count nothing yet."""
    tx.run(
        "UPDATE collection SET deleted_at = NULL, updated_at = :at, version_count = 0"
        " WHERE id IN (SELECT item_id FROM deletion_item"
        "   WHERE deletion_id = :id AND kind = 'collection')",
        {"id": deletion_id, "at": at},
    )


def revive_versions(tx: Transaction, deletion_id: int, at: int) -> int:
    """The versions that went with the deletion are there again; how many.

    Not those that name no bytes any more. A time to live that is over is switched off, so that
    what was just restored does not expire anew (R164, R165).
    """
    return tx.run(
        "UPDATE version SET state = 'committed', deleted_at = NULL, updated_at = :at,"
        " ttl_seconds = CASE WHEN created_at + ttl_seconds * 1000000 <= :at THEN NULL"
        "   ELSE ttl_seconds END,"
        " ttl_own = max(ttl_own, coalesce((SELECT version.created_at + d.seconds * 1000000 <= :at"
        "   FROM collection c JOIN project p ON p.id = c.project_id"
        "   JOIN team_ttl d ON d.team_id = p.entity_id WHERE c.id = version.collection_id), 0))"
        " WHERE state = 'deleted' AND purged_at IS NULL AND same_as_id IS NULL"
        " AND id IN (SELECT item_id FROM deletion_item WHERE deletion_id = :id AND kind = 'version')",
        {"id": deletion_id, "at": at},
    )


def revive_memberships(tx: Transaction, deletion_id: int, at: int) -> None:
    """The memberships that can come back are there again, under their old numbers.

    A link switches the version's time to live off, as it did at first (R166).
    """
    ids = [row["id"] for row in tx.all(f"SELECT m.id {_RETURNING}", {"id": deletion_id})]
    tx.run_many("UPDATE membership SET deleted_at = NULL WHERE id = ?", [(each,) for each in ids])
    tx.run_many(
        "UPDATE collection SET version_count = version_count + 1, updated_at = ?"
        " WHERE id = (SELECT collection_id FROM membership WHERE id = ?)",
        [(at, each) for each in ids],
    )
    tx.run_many(
        "UPDATE version SET ttl_seconds = NULL, ttl_own = 1"
        " WHERE (ttl_seconds IS NOT NULL OR ttl_own = 0) AND id ="
        " (SELECT m.version_id FROM membership m JOIN collection c ON c.id = m.collection_id"
        "  WHERE m.id = ? AND c.kind = 'portfolio')",
        [(each,) for each in ids],
    )


def close(tx: Transaction, deletion_id: int, at: int) -> None:
    """The deletion is undone."""
    tx.run("UPDATE deletion SET restored_at = :at WHERE id = :id", {"id": deletion_id, "at": at})


def forget(tx: Transaction, *, before: int, limit: int) -> bool:
    """Some of what is kept about deletions before a time is gone; whether that was all."""
    row = tx.one("SELECT id FROM deletion WHERE at <= :at ORDER BY at LIMIT 1", {"at": before})
    if row is None:
        return True
    removed = tx.run(
        "DELETE FROM deletion_item WHERE deletion_id = :id AND (kind, item_id, alias) IN"
        " (SELECT kind, item_id, alias FROM deletion_item WHERE deletion_id = :id LIMIT :limit)",
        {"id": row["id"], "limit": limit},
    )
    if removed < limit:
        tx.run("DELETE FROM deletion WHERE id = :id", {"id": row["id"]})
    return False
