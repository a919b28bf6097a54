"""How does a registry come to hold a million versions in a minute? By writing the rows directly.

The rows are those that a million runs of the client's main job would have left: every version was
logged in a team's project with one file, and linked into one collection of the registry. Every
tenth link carries an alias of its own. Bytes are not made: nothing here reads them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from byname.domain.alias import chain

ORGANIZATION = "smle-reg"
TEAM = "smle-reg-team-2"
PROJECT = "zoo_experiment"
REGISTRY = "wandb-registry-Model"
COLLECTION = "Zoo_Classifier_Models"
TYPE = "dataset"
ALIAS = "production-us"

VERSIONS_MIN = 8
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)"
_SCATTERED = "(i * 2654435761) & 4294967295"
"""Digests come in no order, as real ones do, so that their indexes grow everywhere at once."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made, as the database numbers it."""

    versions: int
    """In the registry's collection."""
    held_version_id: int
    """Holds `production-us`: the middle of the collection."""
    other_version_id: int
    """Another one of the collection: the first quarter's last."""
    pool_start: int
    pool_count: int
    """Committed versions in the team's project that are linked nowhere: ids from `pool_start`."""


def database_file(data: Path) -> Path:
    """The SQLite database in a server's data folder.

    Raises:
        FileNotFoundError: there is none.
    """
    for path in sorted(data.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(16) == b"SQLite format 3\0":
                    return path
    raise FileNotFoundError(f"No SQLite database below {data}")


def fill(data: Path, versions: int, pool: int) -> Filled:
    """The registry's collection holds that many versions, and `pool` more wait to be linked.

    The server must not be running, and must have been set up with the organization and the team
    above. Raises FileNotFoundError or LookupError when it was not.
    """
    if versions < VERSIONS_MIN:
        raise ValueError(f"At least {VERSIONS_MIN} versions are needed")
    connection = sqlite.connect(str(database_file(data)), isolation_level=None)
    try:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=OFF",
            "foreign_keys=OFF",
            "temp_store=MEMORY",
            "cache_size=-400000",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        # The tables' triggers keep names for search in the form that this function makes.
        connection.create_function("byname_fold", 1, str.casefold, deterministic=True)
        connection.create_function("ledger_hash", 6, _Chains().add)
        connection.execute("BEGIN IMMEDIATE")
        filled = _Filler(connection).fill(versions, pool)
        connection.execute("COMMIT")
        if versions <= 1000:
            # The statements are the same for every size, so the smallest speaks for all.
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise LookupError(f"The filled rows do not fit the schema: {broken[:5]}")
        if _has_statistics(connection):
            connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return filled


class _Filler:
    """Writes all rows inside one transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._at = time.time_ns() // 1000
        self._user, self._username = self._row(
            "SELECT id, username FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 1", {}
        )
        self._organization = self._entity(ORGANIZATION)
        self._team = self._entity(TEAM)

    def fill(self, versions: int, pool: int) -> Filled:
        """Everything that `Filled` says is there."""
        registry = self._project(self._organization, REGISTRY, "registry")
        project = self._project(self._team, PROJECT, "project")
        source_type = self._type(project)
        portfolio = self._collection(registry, self._type(registry), "portfolio", COLLECTION)
        sequence = self._collection(project, source_type, "sequence", "zoo_dataset")
        waiting = self._collection(project, source_type, "sequence", "zoo_candidates")
        first = self._versions(sequence, versions)
        links = self._links(portfolio, first, versions)
        pool_start = self._versions(waiting, pool)
        self._aliases(sequence, "'latest'", self._membership(sequence, 0), start=versions - 1)
        self._aliases(waiting, "'latest'", self._membership(waiting, 0), start=pool - 1)
        self._aliases(portfolio, "'latest'", links, start=versions - 1)
        self._aliases(portfolio, "'production-us'", links, start=versions // 2)
        self._aliases(portfolio, "'production-eu'", links, start=versions // 2)
        self._aliases(portfolio, "'build-' || i", links, start=0, count=versions // 10, step=10)
        return Filled(
            versions=versions,
            held_version_id=first + versions // 2,
            other_version_id=first + versions // 4,
            pool_start=pool_start,
            pool_count=pool,
        )

    def _row(self, sql: str, values: dict[str, Any]) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        if row is None:
            raise LookupError(f"Nothing found by {sql} with {values}")
        return row

    def _entity(self, name: str) -> int:
        row = self._row(
            "SELECT id FROM entity WHERE name = :name AND deleted_at IS NULL", {"name": name}
        )
        return int(row[0])

    def _next_id(self, table: str) -> int:
        return int(self._row(f"SELECT coalesce(max(id), 0) + 1 FROM {table}", {})[0])

    def _project(self, entity: int, name: str, kind: str) -> int:
        key = name.lower() if kind == "registry" else name
        values = {"entity": entity, "kind": kind, "name": name, "key": key}
        self._connection.execute(
            "INSERT INTO project (entity_id, kind, name, name_key, created_by, owner_id,"
            " created_at, updated_at) VALUES (:entity, :kind, :name, :key, :user, :user, :at, :at)"
            " ON CONFLICT DO NOTHING",
            {**values, "user": self._user, "at": self._at},
        )
        return int(
            self._row(
                "SELECT id FROM project WHERE entity_id = :entity AND name_key = :key"
                " AND deleted_at IS NULL",
                values,
            )[0]
        )

    def _type(self, project: int) -> int:
        values = {"project": project, "name": TYPE, "at": self._at}
        self._connection.execute(
            "INSERT INTO artifact_type (project_id, name, accepted, created_at)"
            " VALUES (:project, :name, 1, :at) ON CONFLICT DO NOTHING",
            values,
        )
        row = self._row(
            "SELECT id FROM artifact_type WHERE project_id = :project AND name = :name", values
        )
        return int(row[0])

    def _collection(self, project: int, type_id: int, kind: str, name: str) -> int:
        row = self._connection.execute(
            "INSERT INTO collection (project_id, type_id, kind, name, created_by, created_at,"
            " updated_at) VALUES (:project, :type, :kind, :name, :user, :at, :at) RETURNING id",
            {
                "project": project,
                "type": type_id,
                "kind": kind,
                "name": name,
                "user": self._user,
                "at": self._at,
            },
        ).fetchone()
        return int(row[0])

    def _versions(self, sequence: int, count: int) -> int:
        """Committed versions of one file each, with their place in the sequence; the first id."""
        first = self._next_id("version")
        manifest = self._next_id("manifest")
        values = {
            "count": count,
            "first": first,
            "manifest": manifest,
            "sequence": sequence,
            "team": self._team,
            "user": self._user,
            "at": self._at,
        }
        for statement in (
            f"""INSERT INTO version (id, collection_id, state, digest, metadata, size_bytes,
                file_count, manifest_id, created_by, created_at, updated_at) {_NUMBERS}
                SELECT :first + i, :sequence, 'committed',
                printf('%08x%024x', {_SCATTERED}, :first + i), '{{"accuracy": 0.97}}', 5000, 1,
                :manifest + i, :user, :at, :at FROM n""",
            f"""INSERT INTO manifest (id, version_id, kind, name, digest, sha256, size_bytes,
                created_at) {_NUMBERS} SELECT :manifest + i, :first + i, 'full',
                'wandb_manifest.json', printf('%021dA==', :first + i),
                printf('%08xaaaaaaaa%048x', {_SCATTERED}, :first + i), 300, :at FROM n""",
            f"""INSERT INTO entry (version_id, path, digest, size_bytes, sha256, birth_version_id)
                {_NUMBERS} SELECT :first + i, 'zoo_dataset', printf('%020dBA==', :first + i),
                5000, printf('%08xbbbbbbbb%048x', {_SCATTERED}, :first + i), :first + i FROM n""",
            f"""INSERT INTO blob (entity_id, sha256, md5, size_bytes, created_at)
                {_NUMBERS} SELECT :team, printf('%08xbbbbbbbb%048x', {_SCATTERED}, :first + i),
                printf('%020dBA==', :first + i), 5000, :at FROM n ORDER BY 2""",
            f"""INSERT INTO client_id (client_id, version_id)
                {_NUMBERS} SELECT printf('%08x%0120d', {_SCATTERED}, :first + i), :first + i
                FROM n ORDER BY 1""",
        ):
            self._connection.execute(statement, values)
        self._links(sequence, first, count)
        return first

    def _links(self, collection: int, first_version: int, count: int) -> int:
        """The versions are numbers 0 to `count` - 1 of the collection; the first membership."""
        first = self._next_id("membership")
        self._connection.execute(
            f"""INSERT INTO membership (id, collection_id, version_id, number, created_by,
                created_at) {_NUMBERS} SELECT :first + i, :collection, :version + i, i, :user, :at
                FROM n""",
            {
                "count": count,
                "first": first,
                "collection": collection,
                "version": first_version,
                "user": self._user,
                "at": self._at,
            },
        )
        self._connection.execute(
            "UPDATE collection SET next_number = :count, version_count = :count WHERE id = :id",
            {"count": count, "id": collection},
        )
        return first

    def _membership(self, collection: int, number: int) -> int:
        row = self._row(
            "SELECT id FROM membership WHERE collection_id = :collection AND number = :number",
            {"collection": collection, "number": number},
        )
        return int(row[0])

    def _aliases(
        self, collection: int, name: str, links: int, *, start: int, count: int = 1, step: int = 1
    ) -> None:
        """Aliases named by the SQL text `name`, one for every `step`-th number from `start`.

        `links` is the membership of number 0.
        """
        values = {
            "collection": collection,
            "count": count,
            "start": start,
            "step": step,
            "links": links,
            "user": self._user,
            "username": self._username,
            "at": self._at,
        }
        self._connection.execute(
            f"""INSERT INTO alias (collection_id, name, membership_id, revision, updated_at)
                {_NUMBERS} SELECT :collection, {name}, :links + :start + :step * i, 1, :at
                FROM n ORDER BY 2""",
            values,
        )
        self._connection.execute(
            f"""INSERT INTO ledger (project_id, collection_id, alias, revision, from_number,
                to_number, cause, actor_id, actor_name, face, at, hash) {_NUMBERS}
                SELECT (SELECT project_id FROM collection WHERE id = :collection), :collection,
                {name}, 1, NULL, :start + :step * i, 'link', :user, :username, 'graphql', :at,
                ledger_hash(:collection, {name}, :start + :step * i, :user, :username, :at)
                FROM n""",
            values,
        )


class _Chains:
    """The ends of the ledgers that are being written, by collection."""

    def __init__(self) -> None:
        self._ends: dict[int, str] = {}

    def add(
        self, collection: int, name: str, number: int, user: int, username: str, at: int
    ) -> str:
        """The hash of the next row, in the order in which the rows are written."""
        self._ends[collection] = chain(
            self._ends.get(collection, ""),
            collection_id=collection,
            change=(name, 1, None, number, "link"),
            actor=(user, username, "graphql"),
            at=at,
        )
        return self._ends[collection]


def _has_statistics(connection: Any) -> bool:
    """Whether the server itself lets SQLite gather statistics; then ours must be true as well."""
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()
    return row is not None
