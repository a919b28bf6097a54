"""Which run used and which made which version, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.run import Run
from byname.store import run as run_rows
from byname.store.database import Transaction


def add_input(
    tx: Transaction,
    run_id: int,
    version_id: int,
    *,
    used_as: str | None,
    through_project_id: int | None,
    at: int,
) -> None:
    """The run used the version. Said again, it stays one use, with the first name and time (R151)."""
    tx.run(
        "INSERT INTO run_input (run_id, version_id, used_as, through_project_id, created_at)"
        " VALUES (:run, :version, :used_as, :through, :at)"
        " ON CONFLICT (run_id, version_id) DO NOTHING",
        {
            "run": run_id,
            "version": version_id,
            "used_as": used_as,
            "through": through_project_id,
            "at": at,
        },
    )


def add_output(tx: Transaction, run_id: int, version_id: int, *, at: int) -> None:
    """The run made the version, or logged the same content again."""
    tx.run(
        "INSERT INTO run_output (run_id, version_id, created_at) VALUES (:run, :version, :at)"
        " ON CONFLICT (run_id, version_id) DO NOTHING",
        {"run": run_id, "version": version_id, "at": at},
    )


_TABLES = {"input": "run_input", "output": "run_output"}
_IN_PROJECTS = (
    "EXISTS (SELECT 1 FROM membership m JOIN collection c ON c.id = m.collection_id"
    " WHERE m.version_id = v.id AND m.deleted_at IS NULL AND c.deleted_at IS NULL"
    " AND c.project_id IN"
)


def version_ids(
    tx: Transaction,
    run_id: int,
    side: str,
    project_ids: Sequence[int],
    *,
    after: int,
    limit: int,
) -> list[int]:
    """The ids of versions in these projects that are the run's `input` or `output`, in order.

    From behind the id `after`. Pending and deleted versions are left out.
    """
    if not project_ids:
        return []
    rows = tx.all(
        f"SELECT l.version_id FROM {_TABLES[side]} l JOIN version v ON v.id = l.version_id"
        f" WHERE l.run_id = ? AND l.version_id > ? AND v.state = 'committed' AND {_IN_PROJECTS}"
        f" ({','.join('?' * len(project_ids))})) ORDER BY l.version_id LIMIT ?",
        [run_id, after, *project_ids, limit],
    )
    return [row["version_id"] for row in rows]


def count_versions(tx: Transaction, run_id: int, side: str, project_ids: Sequence[int]) -> int:
    """How many committed versions in these projects are the run's `input` or `output`."""
    if not project_ids:
        return 0
    row = tx.one(
        f"SELECT count(*) AS n FROM {_TABLES[side]} l JOIN version v ON v.id = l.version_id"
        f" WHERE l.run_id = ? AND v.state = 'committed' AND {_IN_PROJECTS}"
        f" ({','.join('?' * len(project_ids))}))",
        [run_id, *project_ids],
    )
    return int(row["n"]) if row is not None else 0


def projects_of_side(tx: Transaction, run_id: int, side: str) -> list[int]:
    """The ids of the projects in which the run's `input` or `output` lies or is linked."""
    rows = tx.all(
        f"SELECT DISTINCT c.project_id FROM {_TABLES[side]} l"
        " JOIN membership m ON m.version_id = l.version_id AND m.deleted_at IS NULL"
        " JOIN collection c ON c.id = m.collection_id AND c.deleted_at IS NULL"
        " WHERE l.run_id = :run",
        {"run": run_id},
    )
    return [row["project_id"] for row in rows]


def projects_of_versions(tx: Transaction, version_ids: Sequence[int]) -> dict[int, list[int]]:
    """The ids of the projects in which each of these versions lies or is linked."""
    found: dict[int, list[int]] = {version_id: [] for version_id in version_ids}
    if version_ids:
        for row in tx.all(
            "SELECT DISTINCT m.version_id, c.project_id FROM membership m"
            " JOIN collection c ON c.id = m.collection_id"
            f" WHERE m.version_id IN ({','.join('?' * len(version_ids))})"
            " AND m.deleted_at IS NULL AND c.deleted_at IS NULL",
            list(version_ids),
        ):
            found[row["version_id"]].append(row["project_id"])
    return found


def projects_of_users(tx: Transaction, version_id: int) -> list[int]:
    """The ids of the projects with live runs that used the version."""
    rows = tx.all(
        "SELECT DISTINCT r.project_id FROM run_input l JOIN run r ON r.id = l.run_id"
        " WHERE l.version_id = :version AND r.deleted_at IS NULL",
        {"version": version_id},
    )
    return [row["project_id"] for row in rows]


def list_users(
    tx: Transaction, version_id: int, project_ids: Sequence[int], *, after: int, limit: int
) -> list[Run]:
    """The live runs in these projects that used the version, oldest first, from behind an id."""
    if not project_ids:
        return []
    rows = tx.all(
        run_rows.SELECT + "JOIN run_input l ON l.run_id = r.id"
        " WHERE l.version_id = ? AND r.id > ? AND r.deleted_at IS NULL"
        f" AND r.project_id IN ({','.join('?' * len(project_ids))}) ORDER BY r.id LIMIT ?",
        [version_id, after, *project_ids, limit],
    )
    return [run_rows.from_row(row) for row in rows]


def made_by(tx: Transaction, run_id: int) -> list[int]:
    """The ids of the committed versions that this run was the first to log."""
    rows = tx.all(
        "SELECT id FROM version WHERE run_id = :run AND state = 'committed' ORDER BY id",
        {"run": run_id},
    )
    return [row["id"] for row in rows]
