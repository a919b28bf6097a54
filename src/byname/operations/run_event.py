"""Noticing what automations wait for in a run, while it sends: states, and metrics that cross a line.

Asked in the transaction that takes the lines in. Where no automation waits for runs, it is one look
into an index. A metric's last values are kept with each automation and run, so that a restart forgets
nothing; a line that is sent again was judged already and is not judged twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from byname.domain.automation import Automation, parse_filter
from byname.domain.event import RUN_EVENT_KIND, EventType
from byname.domain.file_stream import HISTORY, Chunk
from byname.domain.policy import SYSTEM
from byname.domain.project import Project
from byname.domain.run import SILENCE, Run, RunState, state_at
from byname.domain.run_event import Condition, Metric, Watch
from byname.domain.run_filter import CONFIG, SUMMARY, USERNAME, RunFields, holds, names_in
from byname.domain.run_line import flatten, step_of
from byname.operations import history
from byname.operations.context import Context
from byname.store import automation as automation_rows
from byname.store import project as project_rows
from byname.store import run as run_rows
from byname.store import run_watch as rows
from byname.store import user as user_rows
from byname.store.database import Transaction
from byname.store.moment import moment

AT_ONCE = 100

_WORDS = {
    RunState.RUNNING: "RUNNING",
    RunState.FINISHED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.CRASHED: "FAILED",
    RunState.KILLED: "FAILED",
}
"""The states of protocol 14.2: a run that crashed or was killed has failed."""


def notice(
    ctx: Context,
    tx: Transaction,
    project: Project,
    run: Run,
    *,
    state: RunState,
    is_new: bool = False,
    chunks: Sequence[Chunk] = (),
) -> None:
    """What the run does now stands in the history for each automation that waits for it.

    `run` is what it was before, `state` what it becomes; `chunks` are about to be kept.

    - A state: when it begins, also that of a new run.
    - A metric: when its condition begins to hold, judged at every value that is new.
    """
    waiting = rows.waiting(tx, project.entity_id, project.organization_id, project.id)
    if not waiting:
        return
    judge = _Judge(tx, run)
    wanted = [
        (each, condition)
        for each in waiting
        if isinstance(condition := parse_filter(each.event, each.filter), Condition)
        and judge.lets_through(condition)
    ]
    lines = [each for each in chunks if each.stream == HISTORY]
    for each, condition in wanted:
        if condition.metric is not None and lines:
            _judge_metric(ctx, tx, project, run, each, condition.metric, lines)
    word = _WORDS.get(state)
    if word is None or (not is_new and word == _WORDS.get(run.state)):
        return
    ids = [
        each.id
        for each, condition in wanted
        if each.event is EventType.RUN_STATE and word in condition.states
    ]
    if ids:
        _record(ctx, tx, project, run, EventType.RUN_STATE, ids, {"state": state.value})


def notice_silence(ctx: Context) -> int:
    """Runs that fell silent have crashed, for those who wait for it too; how many there were.

    They were seen so before (see `state_at`); but somebody must say so when nobody asks.
    """
    ctx = ctx.acting(SYSTEM, "server")
    since = ctx.now() - SILENCE // timedelta(microseconds=1)
    count, after = 0, 0
    while True:
        with ctx.database.write() as tx:
            found = run_rows.list_silent(tx, since=since, after=after, limit=AT_ONCE)
            projects = project_rows.find_many(tx, list({run.project_id for run in found}))
            for run in found:
                state = state_at(run.state, run.heartbeat_at, moment(ctx.now()))
                project = projects.get(run.project_id)
                if project is not None:
                    notice(ctx, tx, project, run, state=state)
                run_rows.edit(tx, run.id, {"state": state.value})
        count += len(found)
        if len(found) < AT_ONCE:
            return count
        after = found[-1].id


def look_back(tx: Transaction, run: Run, kept: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """What automations know of the run's metrics is what these lines tell, which come last one first.

    For a run whose history was cut: whether a condition holds follows from the lines that stay.
    """
    watching = automation_rows.find_many(tx, rows.watching(tx, run.id))
    metrics = {
        each.id: condition.metric
        for each in watching.values()
        if isinstance(condition := parse_filter(each.event, each.filter), Condition)
        and condition.metric is not None
    }
    found: dict[int, list[float]] = {each: [] for each in metrics}
    open_ones = set(metrics)
    for _, row in kept:
        if not open_ones:
            break
        for each in list(open_ones):
            value = _value_of(row, metrics[each].name)
            if value is not None:
                found[each].append(value)
                if len(found[each]) == metrics[each].needs:
                    open_ones.remove(each)
    rows.forget_run(tx, run.id)
    for each, values in found.items():
        rows.put(tx, each, run.id, Watch.of(metrics[each], values[::-1]))


class _Judge:
    """Whether an automation's filter lets the run through. What it asks about is loaded once."""

    def __init__(self, tx: Transaction, run: Run) -> None:
        self._tx = tx
        self._run = run
        self._fields: dict[bool, RunFields] = {}

    def lets_through(self, condition: Condition) -> bool:
        asked = names_in(condition.runs)
        if not asked:
            return holds(condition.runs, RunFields(self._run, ("{}", "{}"), None))
        deep = bool(asked & {CONFIG, SUMMARY, USERNAME})
        if deep not in self._fields:
            self._fields[deep] = self._load(deep=deep)
        return holds(condition.runs, self._fields[deep])

    def _load(self, *, deep: bool) -> RunFields:
        if not deep:
            return RunFields(self._run, ("{}", "{}"), None)
        documents = run_rows.documents_of_many(self._tx, [self._run.id])
        maker_id = self._run.created_by
        makers = {} if maker_id is None else user_rows.find_many(self._tx, [maker_id])
        maker = makers.get(maker_id or 0)
        return RunFields(
            self._run, documents[self._run.id], None if maker is None else maker.username
        )


def _judge_metric(
    ctx: Context,
    tx: Transaction,
    project: Project,
    run: Run,
    automation: Automation,
    metric: Metric,
    chunks: Sequence[Chunk],
) -> None:
    before = rows.find(tx, automation.id, run.id)
    watch = before
    for chunk in chunks:
        for index, row in enumerate(chunk.rows):
            number = chunk.offset + index
            value = _value_of(row, metric.name) if number >= run.history_count else None
            if value is None:
                continue
            watch, fires = watch.with_value(metric, value)
            if fires:
                told = {
                    "metric": metric.name,
                    "value": value,
                    "step": step_of(row, number),
                    "state": RunState.RUNNING.value,
                }
                _record(ctx, tx, project, run, automation.event, [automation.id], told)
    if watch != before:
        rows.put(tx, automation.id, run.id, watch)


def _value_of(row: dict[str, Any], name: str) -> float | None:
    """The metric's number in the line; None where it holds none."""
    value = row.get(name)
    if value is None and "." in name:
        value = flatten(row).get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _record(
    ctx: Context,
    tx: Transaction,
    project: Project,
    run: Run,
    event: EventType,
    automation_ids: list[int],
    told: dict[str, Any],
) -> None:
    history.record(
        ctx,
        tx,
        RUN_EVENT_KIND,
        run.name,
        project=project,
        after={
            "event": event.value,
            "automation_ids": automation_ids,
            "run": run.name,
            "display_name": run.display_name,
            **told,
        },
    )
