"""Versions and their tags, as rows."""

from __future__ import annotations

from byname.domain.expiry import Ttl
from byname.domain.version import Version, VersionState
from byname.store import metadata_index
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = """SELECT v.id, v.collection_id, c.name AS collection_name, c.project_id, c.type_id,
    t.name AS type_name, v.state, v.digest, m.number, v.description, v.metadata, v.ttl_seconds,
    v.history_step, v.size_bytes, v.file_count, v.manifest_id, v.base_version_id, v.run_id,
    v.created_by, v.created_at, v.updated_at, v.ttl_own, (SELECT d.seconds FROM project p
        JOIN team_ttl d ON d.team_id = p.entity_id WHERE p.id = c.project_id) AS ttl_default
    FROM version v JOIN collection c ON c.id = v.collection_id
    JOIN artifact_type t ON t.id = c.type_id
    LEFT JOIN membership m ON m.version_id = v.id AND m.collection_id = v.collection_id
        AND m.deleted_at IS NULL """


def from_row(row: Row) -> Version:
    """The version of a row that was selected with `SELECT`."""
    ttl = Ttl(row["ttl_seconds"], own=bool(row["ttl_own"]))
    return Version(
        id=row["id"],
        collection_id=row["collection_id"],
        collection_name=row["collection_name"],
        project_id=row["project_id"],
        type_id=row["type_id"],
        type_name=row["type_name"],
        state=VersionState(row["state"]),
        digest=row["digest"],
        number=row["number"],
        description=row["description"],
        metadata=row["metadata"],
        ttl=ttl,
        ttl_seconds=ttl.of_version(row["type_name"], row["ttl_default"]),
        history_step=row["history_step"],
        size_bytes=row["size_bytes"],
        file_count=row["file_count"],
        manifest_id=row["manifest_id"],
        base_version_id=row["base_version_id"],
        run_id=row["run_id"],
        created_by=row["created_by"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
    )


def find(tx: Transaction, version_id: int) -> Version | None:
    """The version of that id, unless it is deleted; the older one of the same content in its place."""
    row = tx.one(
        SELECT + "WHERE v.id = coalesce((SELECT same_as_id FROM version WHERE id = :id), :id)"
        " AND v.state <> 'deleted'",
        {"id": version_id},
    )
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: list[int]) -> dict[int, Version]:
    """The versions of these ids that are not deleted, by id."""
    if not ids:
        return {}
    rows = tx.all(
        SELECT + f"WHERE v.id IN ({','.join('?' * len(ids))}) AND v.state <> 'deleted'", ids
    )
    return {row["id"]: from_row(row) for row in rows}


def find_by_client_id(tx: Transaction, client_id: str) -> int | None:
    """The id of the version the client knows by that word."""
    row = tx.one(
        "SELECT version_id FROM client_id WHERE client_id = :client_id", {"client_id": client_id}
    )
    return None if row is None else int(row["version_id"])


def add_client_id(tx: Transaction, client_id: str, version_id: int) -> None:
    """The client may call the version by that word from now on."""
    tx.run(
        "INSERT INTO client_id (client_id, version_id) VALUES (:client_id, :version)"
        " ON CONFLICT (client_id) DO NOTHING",
        {"client_id": client_id, "version": version_id},
    )


def find_pending_distributed(
    tx: Transaction, collection_id: int, distributed_id: str
) -> Version | None:
    """The pending version that several writers make together."""
    row = tx.one(
        SELECT + "WHERE v.collection_id = :collection AND v.distributed_id = :distributed"
        " AND v.state = 'pending'",
        {"collection": collection_id, "distributed": distributed_id},
    )
    return None if row is None else from_row(row)


def add(
    tx: Transaction,
    *,
    collection_id: int,
    digest: str,
    description: str | None,
    metadata: str | None,
    ttl: Ttl,
    history_step: int | None,
    distributed_id: str | None,
    base_version_id: int | None,
    wanted_aliases: str,
    wanted_tags: str,
    run_id: int | None,
    created_by: int,
    at: int,
) -> int:
    """A new pending version; its id. `wanted_...` are JSON lists, applied at the commit."""
    return tx.insert(
        "INSERT INTO version (collection_id, state, digest, description, metadata, ttl_seconds,"
        " ttl_own, history_step, distributed_id, base_version_id, wanted_aliases, wanted_tags, run_id,"
        " created_by, created_at, updated_at) VALUES (:collection, 'pending', :digest,"
        " :description, :metadata, :ttl, :own, :step, :distributed, :base, :aliases, :tags, :run, :by,"
        " :at, :at) RETURNING id",
        {
            "collection": collection_id,
            "digest": digest,
            "description": description,
            "metadata": metadata,
            "ttl": ttl.seconds,
            "own": int(ttl.own),
            "step": history_step,
            "distributed": distributed_id,
            "base": base_version_id,
            "aliases": wanted_aliases,
            "tags": wanted_tags,
            "run": run_id,
            "by": created_by,
            "at": at,
        },
    )


def wanted(tx: Transaction, version_id: int) -> tuple[str, str]:
    """The aliases and tags that a pending version is to get, as JSON lists."""
    row = tx.one(
        "SELECT wanted_aliases, wanted_tags FROM version WHERE id = :id", {"id": version_id}
    )
    return ("[]", "[]") if row is None else (row["wanted_aliases"], row["wanted_tags"])


def commit(
    tx: Transaction,
    version_id: int,
    *,
    digest: str,
    size_bytes: int,
    file_count: int,
    manifest_id: int,
    at: int,
) -> None:
    """The version is committed: from here on its content never changes (I4)."""
    tx.run(
        "UPDATE version SET state = 'committed', digest = :digest, size_bytes = :size,"
        " file_count = :files, manifest_id = :manifest, updated_at = :at"
        " WHERE id = :id AND state = 'pending'",
        {
            "id": version_id,
            "digest": digest,
            "size": size_bytes,
            "files": file_count,
            "manifest": manifest_id,
            "at": at,
        },
    )
    row = tx.one("SELECT metadata FROM version WHERE id = :id", {"id": version_id})
    metadata_index.put(tx, version_id, None, None if row is None else row["metadata"])


def yield_to(tx: Transaction, version_id: int, same_as_id: int, at: int) -> None:
    """The pending version turned out to be the same as another, which answers in its place (R2)."""
    tx.run(
        "UPDATE version SET state = 'deleted', same_as_id = :same, deleted_at = :at,"
        " updated_at = :at WHERE id = :id",
        {"id": version_id, "same": same_as_id, "at": at},
    )


def edit(
    tx: Transaction,
    version_id: int,
    *,
    description: str | None,
    metadata: str | None,
    ttl: Ttl,
    at: int,
) -> None:
    """The version has this description, metadata and time to live."""
    row = tx.one("SELECT metadata, state FROM version WHERE id = :id", {"id": version_id})
    if row is not None and row["state"] == "committed" and row["metadata"] != metadata:
        metadata_index.put(tx, version_id, row["metadata"], metadata)
    tx.run(
        "UPDATE version SET description = :description, metadata = :metadata,"
        " ttl_seconds = :ttl, ttl_own = :own, updated_at = :at WHERE id = :id",
        {
            "id": version_id,
            "description": description,
            "metadata": metadata,
            "ttl": ttl.seconds,
            "own": int(ttl.own),
            "at": at,
        },
    )


def live_for_ever(tx: Transaction, version_id: int, at: int) -> None:
    """The version has no time to live, whatever its team decides (R166)."""
    tx.run(
        "UPDATE version SET ttl_own = 1, ttl_seconds = NULL,"
        " updated_at = CASE WHEN ttl_seconds IS NULL THEN updated_at ELSE :at END WHERE id = :id",
        {"id": version_id, "at": at},
    )


def remove(tx: Transaction, version_id: int, at: int) -> None:
    """The version is deleted: hidden at once, its row kept (R163)."""
    tx.run(
        "UPDATE version SET state = 'deleted', deleted_at = :at, updated_at = :at WHERE id = :id",
        {"id": version_id, "at": at},
    )


# ---- tags --------------------------------------------------------------------------------------


def tags_of_many(tx: Transaction, ids: list[int]) -> dict[int, list[str]]:
    """The tags of these versions, in the order given, by version id."""
    found: dict[int, list[str]] = {each: [] for each in ids}
    if ids:
        for row in tx.all(
            "SELECT version_id, name FROM version_tag"
            f" WHERE version_id IN ({','.join('?' * len(ids))}) ORDER BY position",
            ids,
        ):
            found[row["version_id"]].append(row["name"])
    return found


def set_tags(tx: Transaction, version_id: int, tags: list[str]) -> None:
    """The version has these tags, in this order."""
    tx.run("DELETE FROM version_tag WHERE version_id = :id", {"id": version_id})
    tx.run_many(
        "INSERT INTO version_tag (version_id, name, position) VALUES (?, ?, ?)",
        [(version_id, name, position) for position, name in enumerate(tags)],
    )
