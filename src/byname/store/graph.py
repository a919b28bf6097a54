"""The graph of runs and versions, as rows: many nodes with one statement, each with few neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.store.database import Transaction

NODES_PER_STATEMENT = 50
COUNTED_MAX = 1_000
"""Neighbours beyond this many are not counted any more."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Some neighbours of one node on one side, and how many there are (at least, at the maximum)."""

    ids: list[int]
    count: int


_LIVE_RUN = (
    "JOIN run r ON r.id = l.run_id AND r.deleted_at IS NULL"
    " JOIN project p ON p.id = r.project_id AND p.deleted_at IS NULL"
)
_LIVE_VERSION = (
    "JOIN version v ON v.id = l.version_id AND v.state = 'committed'"
    " JOIN collection c ON c.id = v.collection_id"
    " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
)


def runs_of_versions(
    tx: Transaction, version_ids: Sequence[int], table: str, *, limit: int
) -> dict[int, Neighbours]:
    """The live runs that made (`run_output`) or used (`run_input`) each of these versions."""
    return _neighbours(tx, version_ids, table, "version_id", "run_id", _LIVE_RUN, limit)


def versions_of_runs(
    tx: Transaction, run_ids: Sequence[int], table: str, *, limit: int
) -> dict[int, Neighbours]:
    """The committed versions that each of these runs made (`run_output`) or used (`run_input`)."""
    return _neighbours(tx, run_ids, table, "run_id", "version_id", _LIVE_VERSION, limit)


def _neighbours(
    tx: Transaction,
    ids: Sequence[int],
    table: str,
    key: str,
    other: str,
    live: str,
    limit: int,
) -> dict[int, Neighbours]:
    # A UNION ALL of one limited look-up for each node reads as many rows as it returns; a window
    # function would read every neighbour of a node that a million runs have used.
    found: dict[int, Neighbours] = {each: Neighbours([], 0) for each in ids}
    for start in range(0, len(ids), NODES_PER_STATEMENT):
        some = ids[start : start + NODES_PER_STATEMENT]
        one = (
            f"SELECT * FROM (SELECT l.{key} AS node, l.{other} AS other FROM {table} l {live}"
            f" WHERE l.{key} = ? ORDER BY l.{other} LIMIT ?)"
        )
        values = [value for each in some for value in (each, limit)]
        for row in tx.all(" UNION ALL ".join([one] * len(some)), values):
            found[row["node"]].ids.append(row["other"])
        full = [each for each in some if len(found[each].ids) == limit]
        for each in some:
            found[each] = Neighbours(found[each].ids, len(found[each].ids))
        if full:
            count = (
                f"SELECT ? AS node, (SELECT count(*) FROM (SELECT 1 FROM {table} l {live}"
                f" WHERE l.{key} = ? LIMIT ?)) AS n"
            )
            values = [value for each in full for value in (each, each, COUNTED_MAX)]
            for row in tx.all(" UNION ALL ".join([count] * len(full)), values):
                found[row["node"]] = Neighbours(found[row["node"]].ids, row["n"])
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a version: a collection, and the number there."""

    project_id: int
    collection: str
    number: int
    is_source: bool


def places_of_versions(tx: Transaction, version_ids: Sequence[int]) -> dict[int, list[Place]]:
    """Where each of these versions lies and is linked, where it was logged first."""
    found: dict[int, list[Place]] = {each: [] for each in version_ids}
    for start in range(0, len(version_ids), 500):
        some = version_ids[start : start + 500]
        for row in tx.all(
            "SELECT m.version_id, m.number, c.project_id, c.name, c.kind FROM membership m"
            " JOIN collection c ON c.id = m.collection_id AND c.deleted_at IS NULL"
            " JOIN project p ON p.id = c.project_id AND p.deleted_at IS NULL"
            f" WHERE m.version_id IN ({','.join('?' * len(some))}) AND m.deleted_at IS NULL"
            " ORDER BY m.version_id, c.kind = 'portfolio', m.id",
            list(some),
        ):
            found[row["version_id"]].append(
                Place(row["project_id"], row["name"], row["number"], row["kind"] == "sequence")
            )
    return found


# ---- arrows and neighbours by name -------------------------------------------------------------


def arrows_between(
    tx: Transaction, version_ids: Sequence[int], run_ids: Sequence[int], table: str
) -> list[tuple[int, int]]:
    """Which of these runs made (`run_output`) or used (`run_input`) which of these versions.

    Pairs of version and run.
    """
    found: list[tuple[int, int]] = []
    if not run_ids:
        return found
    runs = ",".join("?" * len(run_ids))
    for start in range(0, len(version_ids), 500):
        some = version_ids[start : start + 500]
        rows = tx.all(
            f"SELECT version_id, run_id FROM {table}"
            f" WHERE version_id IN ({','.join('?' * len(some))}) AND run_id IN ({runs})"
            " ORDER BY version_id, run_id",
            [*some, *run_ids],
        )
        found += [(row["version_id"], row["run_id"]) for row in rows]
    return found


def projects_of_runs(tx: Transaction, version_id: int, table: str) -> dict[int, int]:
    """How many live runs that made or used the version there are in each project."""
    rows = tx.all(
        f"SELECT r.project_id, count(*) AS n FROM {table} l {_LIVE_RUN}"
        " WHERE l.version_id = :version GROUP BY r.project_id",
        {"version": version_id},
    )
    return {row["project_id"]: row["n"] for row in rows}


def list_runs(
    tx: Transaction,
    version_id: int,
    table: str,
    project_ids: Sequence[int],
    text: str,
    *,
    after: int,
    limit: int,
) -> list[int]:
    """The live runs in these projects that made or used the version, and whose name has the text."""
    if not project_ids:
        return []
    rows = tx.all(
        f"SELECT l.run_id AS id FROM {table} l {_LIVE_RUN} WHERE l.version_id = ? AND l.run_id > ?"
        f" AND r.project_id IN ({','.join('?' * len(project_ids))})"
        " AND (instr(byname_fold(r.display_name), ?) > 0 OR instr(byname_fold(r.name), ?) > 0)"
        " ORDER BY l.run_id LIMIT ?",
        [version_id, after, *project_ids, text, text, limit],
    )
    return [row["id"] for row in rows]


_IN_SIGHT = (
    "FROM {table} l {live} JOIN membership m ON m.version_id = v.id AND m.deleted_at IS NULL"
    " JOIN collection h ON h.id = m.collection_id AND h.deleted_at IS NULL WHERE l.run_id = ?"
)


def projects_of_versions(tx: Transaction, run_id: int, table: str) -> list[int]:
    """The projects in which versions that the run made or used lie or are linked."""
    rows = tx.all(
        "SELECT DISTINCT h.project_id " + _IN_SIGHT.format(table=table, live=_LIVE_VERSION),
        [run_id],
    )
    return [row["project_id"] for row in rows]


def count_versions(tx: Transaction, run_id: int, table: str) -> int:
    """How many committed versions the run made or used."""
    row = tx.one(
        f"SELECT count(*) AS n FROM {table} l {_LIVE_VERSION} WHERE l.run_id = :run",
        {"run": run_id},
    )
    return 0 if row is None else int(row["n"])


def list_versions(
    tx: Transaction,
    run_id: int,
    table: str,
    project_ids: Sequence[int],
    text: str,
    *,
    after: int,
    limit: int,
) -> list[int]:
    """The versions the run made or used that these projects know under a name with the text."""
    if not project_ids:
        return []
    rows = tx.all(
        "SELECT DISTINCT l.version_id AS id "
        + _IN_SIGHT.format(table=table, live=_LIVE_VERSION)
        + f" AND l.version_id > ? AND h.project_id IN ({','.join('?' * len(project_ids))})"
        " AND instr(byname_fold(h.name || ':v' || m.number), ?) > 0"
        " ORDER BY l.version_id LIMIT ?",
        [run_id, after, *project_ids, text, limit],
    )
    return [row["id"] for row in rows]


def count_in_projects(tx: Transaction, run_id: int, table: str, project_ids: Sequence[int]) -> int:
    """How many versions the run made or used are known in these projects."""
    if not project_ids:
        return 0
    row = tx.one(
        "SELECT count(DISTINCT l.version_id) AS n "
        + _IN_SIGHT.format(table=table, live=_LIVE_VERSION)
        + f" AND h.project_id IN ({','.join('?' * len(project_ids))})",
        [run_id, *project_ids],
    )
    return 0 if row is None else int(row["n"])
