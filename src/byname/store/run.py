"""Runs as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from byname.domain.run import Run, RunState
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = """SELECT r.id, r.project_id, r.name, r.display_name, r.state, r.description, r.notes,
    r.tags, r.group_name, r.job_type, r.sweep_name, r.git_commit, r.repo, r.program, r.host,
    r.exit_code, r.history_count, r.events_count, r.log_count, r.stop_requested, r.created_by,
    r.created_at, r.heartbeat_at FROM run r """
COLUMNS = frozenset(
    {
        "display_name", "state", "config", "summary", "description", "notes", "tags", "group_name",
        "job_type", "sweep_name", "git_commit", "repo", "program", "host", "exit_code",
        "history_count", "events_count", "log_count", "stop_requested", "heartbeat_at",
    }
)  # fmt: skip
"""What `edit` may change."""


def from_row(row: Row) -> Run:
    """The run of a row that was selected with `SELECT`; its state is the stored one."""
    return Run(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        display_name=row["display_name"],
        state=RunState(row["state"]),
        description=row["description"],
        notes=row["notes"],
        tags=tuple(json.loads(row["tags"])),
        group=row["group_name"],
        job_type=row["job_type"],
        sweep_name=row["sweep_name"],
        commit=row["git_commit"],
        repo=row["repo"],
        program=row["program"],
        host=row["host"],
        exit_code=row["exit_code"],
        history_count=row["history_count"],
        events_count=row["events_count"],
        log_count=row["log_count"],
        stop_requested=bool(row["stop_requested"]),
        created_by=row["created_by"],
        created_at=moment(row["created_at"]),
        heartbeat_at=moment(row["heartbeat_at"]),
    )


def find(tx: Transaction, run_id: int) -> Run | None:
    """The live run of that id."""
    row = tx.one(SELECT + "WHERE r.id = :id AND r.deleted_at IS NULL", {"id": run_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: Sequence[int]) -> dict[int, Run]:
    """The live runs of these ids, by id."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = tx.all(SELECT + f"WHERE r.id IN ({marks}) AND r.deleted_at IS NULL", list(ids))
    return {row["id"]: from_row(row) for row in rows}


def find_by_name(tx: Transaction, project_id: int, name: str) -> Run | None:
    """The project's live run of that name."""
    row = tx.one(
        SELECT + "WHERE r.project_id = :project AND r.name = :name AND r.deleted_at IS NULL",
        {"project": project_id, "name": name},
    )
    return None if row is None else from_row(row)


def documents_of_many(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """The config and the summary of these runs, as JSON text, by run id."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = tx.all(f"SELECT id, config, summary FROM run WHERE id IN ({marks})", list(ids))
    return {row["id"]: (row["config"], row["summary"]) for row in rows}


def list_of_project(
    tx: Transaction,
    project_id: int,
    *,
    after: tuple[int, int] | None,
    newest_first: bool,
    limit: int,
) -> list[Run]:
    """The project's live runs by age, from behind a place (creation in microseconds, id)."""
    sign, direction = ("<", "DESC") if newest_first else (">", "ASC")
    behind = "" if after is None else f" AND (r.created_at, r.id) {sign} (:at, :id)"
    at, run_id = after or (0, 0)
    rows = tx.all(
        SELECT + f"WHERE r.project_id = :project AND r.deleted_at IS NULL{behind}"
        f" ORDER BY r.created_at {direction}, r.id {direction} LIMIT :limit",
        {"project": project_id, "at": at, "id": run_id, "limit": limit},
    )
    return [from_row(row) for row in rows]


def list_silent(tx: Transaction, *, since: int, after: int, limit: int) -> list[Run]:
    """Some live runs that say they work, and have given no sign of life since that time, by id."""
    rows = tx.all(
        SELECT + "WHERE r.state IN ('running', 'preempting') AND r.deleted_at IS NULL"
        " AND r.heartbeat_at <= :since AND r.id > :after ORDER BY r.id LIMIT :limit",
        {"since": since, "after": after, "limit": limit},
    )
    return [from_row(row) for row in rows]


def count_of_project(tx: Transaction, project_id: int) -> int:
    """How many live runs the project has."""
    row = tx.one(
        "SELECT count(*) AS n FROM run WHERE project_id = :project AND deleted_at IS NULL",
        {"project": project_id},
    )
    return int(row["n"]) if row is not None else 0


def count_ever(tx: Transaction, project_id: int) -> int:
    """How many runs the project has ever had."""
    row = tx.one(
        "SELECT count(*) AS n FROM run WHERE project_id = :project", {"project": project_id}
    )
    return int(row["n"]) if row is not None else 0


def add(
    tx: Transaction,
    *,
    project_id: int,
    name: str,
    display_name: str,
    state: RunState,
    created_by: int,
    at: int,
) -> int:
    """A new run; its id."""
    return tx.insert(
        "INSERT INTO run (project_id, name, display_name, state, created_by, created_at,"
        " heartbeat_at) VALUES (:project, :name, :display_name, :state, :by, :at, :at)"
        " RETURNING id",
        {
            "project": project_id,
            "name": name,
            "display_name": display_name,
            "state": state.value,
            "by": created_by,
            "at": at,
        },
    )


def edit(tx: Transaction, run_id: int, changes: dict[str, Any]) -> None:
    """The run's columns (of `COLUMNS`) have these values."""
    if not changes:
        return
    if not changes.keys() <= COLUMNS:
        raise ValueError(f"A run has no such columns: {sorted(changes.keys() - COLUMNS)}")
    settings = ", ".join(f"{column} = :{column}" for column in changes)
    tx.run(f"UPDATE run SET {settings} WHERE id = :run_id", {**changes, "run_id": run_id})


def remove(tx: Transaction, run_id: int, at: int) -> None:
    """The run is hidden and its name is free; its rows stay, so that lineage stays readable."""
    tx.run("UPDATE run SET deleted_at = :at WHERE id = :id", {"id": run_id, "at": at})
