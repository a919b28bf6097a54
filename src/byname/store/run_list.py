"""A project's runs as rows, in the orders and with the filters that people look through them by."""

from __future__ import annotations

from typing import Any

from byname.domain.run import Run, RunState
from byname.store.database import Transaction
from byname.store.entity import lookup_key
from byname.store.run import SELECT, from_row

_SEEN = {
    # A run that has been silent counts as another state than the one written down.
    RunState.RUNNING: "(r.state = 'running' AND r.heartbeat_at > :silent)",
    RunState.CRASHED: "(r.state = 'crashed' OR (r.state = 'running' AND r.heartbeat_at <= :silent))",
    RunState.PREEMPTING: "(r.state = 'preempting' AND r.heartbeat_at > :silent)",
    RunState.PREEMPTED: (
        "(r.state = 'preempted' OR (r.state = 'preempting' AND r.heartbeat_at <= :silent))"
    ),
}


def _conditions(text: str, state: RunState | None, silent_since: int) -> tuple[str, dict[str, Any]]:
    where = "r.project_id = :project AND r.deleted_at IS NULL"
    values: dict[str, Any] = {}
    if state is not None:
        where += " AND " + _SEEN.get(state, "r.state = :state")
        values |= {"silent": silent_since, "state": state.value}
    if text:
        # No row has what cannot be looked up.
        values["text"] = lookup_key(text) or "\n"
        where += (
            " AND (instr(byname_fold(r.display_name), :text) > 0"
            " OR instr(byname_fold(r.name), :text) > 0 OR instr(byname_fold(r.tags), :text) > 0)"
        )
    return where, values


def list_of_project(
    tx: Transaction,
    project_id: int,
    *,
    text: str,
    state: RunState | None,
    silent_since: int,
    by_name: bool,
    descending: bool,
    after: tuple[str | int, int] | None,
    limit: int,
) -> list[Run]:
    """Some of the project's live runs, from behind a place (sort value and id)."""
    where, values = _conditions(text, state, silent_since)
    column = "r.display_name" if by_name else "r.created_at"
    sign, direction = ("<", "DESC") if descending else (">", "ASC")
    if after is not None:
        where += f" AND ({column}, r.id) {sign} (:value, :id)"
        values |= {"value": after[0], "id": after[1]}
    rows = tx.all(
        SELECT + f"WHERE {where} ORDER BY {column} {direction}, r.id {direction} LIMIT :limit",
        {**values, "project": project_id, "limit": limit},
    )
    return [from_row(row) for row in rows]


def count_of_project(
    tx: Transaction, project_id: int, *, text: str, state: RunState | None, silent_since: int
) -> int:
    """How many runs `list_of_project` has in all."""
    where, values = _conditions(text, state, silent_since)
    row = tx.one(
        f"SELECT count(*) AS n FROM run r WHERE {where}", {**values, "project": project_id}
    )
    return 0 if row is None else int(row["n"])
