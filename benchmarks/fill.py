"""How does a registry come to hold a million versions in minutes? By writing the rows directly.

The rows are those that a million runs of the client's main job would have left: every version was
logged in a team's project with one file and metadata of its own, and linked into one collection of
the registry; `latest` moved to each, and history tells of all of it. Every tenth link carries an
alias of its own. So that filters find as much in a registry of any size, every hundredth part of the
versions has a tag, and fifty in a row have one value in their metadata.

Bytes are not made: nothing here reads them. Nor is the second manifest that the server writes for
itself at a commit; each version has the client's.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from byname.domain.alias import chain
from byname.store import metadata_index
from byname.store.database import FUNCTIONS

ORGANIZATION = "smle-reg"
TEAM = "smle-reg-team-2"
PROJECT = "zoo_experiment"
REGISTRY = "wandb-registry-Model"
COLLECTION = "Zoo_Classifier_Models"
TYPE = "dataset"
ALIAS = "production-us"
LATEST = "latest"
TAG = "candidate"
TAGGED = 100
"""So many versions have the tag, spread over all; or all, where there are fewer."""
BATCH = 50
"""So many versions in a row have the same `batch` in their metadata."""

VERSIONS_MIN = 8
PAST_SECONDS = 60
"""So long ago the first version came: time for as many microseconds as there are versions."""
_NUMBERS = (
    "WITH RECURSIVE n (i) AS (SELECT 0 WHERE :count > 0 UNION ALL SELECT i + 1 FROM n"
    " WHERE i + 1 < :count)"
)
_SCATTERED = "(i * 2654435761) & 4294967295"
"""Digests come in no order, as real ones do, so that their indexes grow everywhere at once."""


_METADATA = (
    f"""'{{"accuracy":' || printf('%.6f', ({_SCATTERED}) / 4294967296.0)"""
    f""" || ',"batch":' || (i / {BATCH}) || '}}'"""
)
"""Accuracies lie between 0 and 1, in each part of that as many as in any other."""


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
        # The tables' triggers and the index of metadata ask for the server's own functions.
        for name, arguments, function in FUNCTIONS:
            connection.create_function(name, arguments, function, deterministic=True)
        connection.create_function("ledger_hash", 8, _Chains().add)
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
        # Each number came a microsecond after the one before; none comes from the future.
        self._at = time.time_ns() // 1000 - PAST_SECONDS * 1_000_000
        self._user, self._username = self._row(
            "SELECT id, username FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 1", {}
        )
        self._organization = self._entity(ORGANIZATION)
        self._team = self._entity(TEAM)

    def fill(self, versions: int, pool: int) -> Filled:
        """Everything that `Filled` says is there."""
        registry = self._project(self._organization, REGISTRY, "registry")
        project = self._project(self._team, PROJECT, "project")
        first = self._logged(project, "zoo_dataset", versions, metadata=_METADATA)
        self._tags(first, versions)
        pool_start = self._logged(project, "zoo_candidates", pool)
        portfolio = self._collection(registry, self._type(registry), "portfolio", COLLECTION)
        links = self._links(portfolio, first, versions)
        given = [
            ("'build-' || i", f"i % 10 = 0 AND i < {versions // 10 * 10}"),
            ("'production-us'", f"i = {versions // 2}"),
            ("'production-eu'", f"i = {versions // 2}"),
            (f"'{LATEST}'", "1"),
        ]
        self._names(portfolio, links, versions, given)
        self._history(portfolio, "link:create", "'\"zoo_dataset:v' || m.number || '\"'")
        self._connection.execute(f"{metadata_index.FILL} ORDER BY 1, 2, 3, 4, 5")
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
            " VALUES (:project, :name, 0, :at) ON CONFLICT DO NOTHING",
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
        self._connection.execute(
            """INSERT INTO history (ledger_id, organization_id, project_id, collection_id, kind,
                subject, after, actor_id, actor_name, face, at)
                VALUES (coalesce((SELECT max(id) FROM ledger), 0), :organization, :project,
                :collection, 'collection:create', :name, :after, :user, :username, 'sdk', :at)""",
            {
                "organization": self._organization,
                "project": project,
                "collection": row[0],
                "name": name,
                "after": json.dumps({"type": TYPE}),
                "user": self._user,
                "username": self._username,
                "at": self._at,
            },
        )
        return int(row[0])

    def _logged(self, project: int, name: str, count: int, *, metadata: str = "NULL") -> int:
        """A new sequence in which so many versions were logged; the first of their ids.

        `metadata` is the SQL text of that of number `i`.
        """
        sequence = self._collection(project, self._type(project), "sequence", name)
        first = self._versions(sequence, count, metadata)
        place = self._links(sequence, first, count)
        self._names(sequence, place, count, [(f"'{LATEST}'", "1")])
        self._history(sequence, "artifact:create", "'\"' || v.digest || '\"'")
        return first

    def _versions(self, sequence: int, count: int, metadata: str) -> int:
        """Committed versions of one file each; the first id."""
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
                file_count, manifest_id, wanted_aliases, created_by, created_at, updated_at)
                {_NUMBERS} SELECT :first + i, :sequence, 'committed',
                printf('%08x%024x', {_SCATTERED}, :first + i),
                {metadata}, 5000, 1, :manifest + i, '["{LATEST}"]', :user, :at + i, :at + i
                FROM n""",
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
        return first

    def _tags(self, first: int, count: int) -> None:
        """The tag is on some of the versions from `first`, spread over all."""
        step = max(1, count // TAGGED)
        self._connection.execute(
            f"""INSERT INTO version_tag (version_id, name, position) {_NUMBERS}
                SELECT :first + i * :step, :tag, 0 FROM n""",
            {"count": min(count, TAGGED), "first": first, "step": step, "tag": TAG},
        )
        self._connection.execute(
            """INSERT INTO history (ledger_id, organization_id, project_id, collection_id,
                version_id, number, kind, subject, before, after, actor_id, actor_name, face, at)
                SELECT (SELECT max(id) FROM ledger), :organization, c.project_id, c.id,
                m.version_id, m.number, 'artifact:tag', c.name || ':v' || m.number, '[]',
                '["' || t.name || '"]', :user, :username, 'sdk', c.updated_at
                FROM version_tag t JOIN membership m ON m.version_id = t.version_id
                JOIN collection c ON c.id = m.collection_id WHERE t.name = :tag
                ORDER BY t.version_id""",
            {
                "organization": self._organization,
                "tag": TAG,
                "user": self._user,
                "username": self._username,
            },
        )

    def _links(self, collection: int, first_version: int, count: int) -> int:
        """The versions are numbers 0 to `count` - 1 of the collection; the first membership."""
        first = self._next_id("membership")
        self._connection.execute(
            f"""INSERT INTO membership (id, collection_id, version_id, number, created_by,
                created_at, size_bytes) {_NUMBERS} SELECT :first + i, :collection, :version + i, i,
                :user, :at + i,
                (SELECT v.size_bytes FROM version v WHERE v.id = :version + i) FROM n""",
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
            "UPDATE collection SET next_number = :count, version_count = :count,"
            " updated_at = :at + max(:count - 1, 0) WHERE id = :id",
            {"count": count, "id": collection, "at": self._at},
        )
        return first

    def _names(self, collection: int, links: int, count: int, given: list[tuple[str, str]]) -> None:
        """Each number took its aliases when it came: the ledger, and who holds each in the end.

        An alias is the SQL text of its name, and of which numbers `i` take it. `links` is the
        membership of number 0.
        """
        values = {
            "collection": collection,
            "count": count,
            "links": links,
            "user": self._user,
            "username": self._username,
            "at": self._at,
        }
        taken = " UNION ALL ".join(
            f"SELECT i, {place} AS place, {name} AS name,"
            f" {'i' if wanted == '1' else '0'} AS earlier FROM n WHERE {wanted}"
            for place, (name, wanted) in enumerate(given)
        )
        # Materialized, so that hashes are made in the order in which the rows are written.
        self._connection.execute(
            f"""INSERT INTO ledger (project_id, collection_id, alias, revision, from_number,
                to_number, cause, actor_id, actor_name, face, at, hash) {_NUMBERS},
                taken AS MATERIALIZED (SELECT * FROM ({taken}) ORDER BY i, place)
                SELECT (SELECT project_id FROM collection WHERE id = :collection), :collection,
                name, earlier + 1, iif(earlier, i - 1, NULL), i, 'link', :user, :username, 'sdk',
                :at + i, ledger_hash(:collection, name, earlier + 1, iif(earlier, i - 1, NULL), i,
                :user, :username, :at + i) FROM taken""",
            values,
        )
        self._connection.execute(
            """INSERT INTO alias (collection_id, name, membership_id, revision, updated_at)
                SELECT :collection, l.alias, :links + l.to_number, l.revision, l.at
                FROM (SELECT alias, min(id) AS born, max(revision) AS newest FROM ledger
                WHERE collection_id = :collection GROUP BY alias) x
                JOIN ledger l ON l.collection_id = :collection AND l.alias = x.alias
                AND l.revision = x.newest ORDER BY x.born""",
            values,
        )

    def _history(self, collection: int, kind: str, after: str) -> None:
        """How each number came, told before its aliases; `after` is the SQL text of a version's."""
        self._connection.execute(
            f"""INSERT INTO history (ledger_id, organization_id, project_id, collection_id,
                version_id, number, kind, subject, after, names, actor_id, actor_name, face, at)
                SELECT x.below, :organization, c.project_id, c.id, m.version_id, m.number, :kind,
                c.name || ':v' || m.number, {after}, x.names, :user, :username, 'sdk', m.created_at
                FROM (SELECT to_number AS number, min(id) - 1 AS below,
                '["' || group_concat(alias, '", "' ORDER BY id) || '"]' AS names FROM ledger
                WHERE collection_id = :collection GROUP BY to_number) x
                CROSS JOIN collection c ON c.id = :collection
                CROSS JOIN membership m ON m.collection_id = c.id AND m.number = x.number
                CROSS JOIN version v ON v.id = m.version_id ORDER BY x.number""",
            {
                "organization": self._organization,
                "collection": collection,
                "kind": kind,
                "user": self._user,
                "username": self._username,
            },
        )


class _Chains:
    """The ends of the ledgers that are being written, by collection."""

    def __init__(self) -> None:
        self._ends: dict[int, str] = {}

    def add(
        self,
        collection: int,
        name: str,
        revision: int,
        before: int | None,
        number: int,
        user: int,
        username: str,
        at: int,
    ) -> str:
        """The hash of the next row, in the order in which the rows are written."""
        self._ends[collection] = chain(
            self._ends.get(collection, ""),
            collection_id=collection,
            change=(name, revision, before, number, "link"),
            actor=(user, username, "sdk"),
            at=at,
        )
        return self._ends[collection]


def _has_statistics(connection: Any) -> bool:
    """Whether the server itself lets SQLite gather statistics; then ours must be true as well."""
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()
    return row is not None
