"""A run goes back to an earlier step of its own, and goes on from there."""

from __future__ import annotations

import json

from byname.domain import run_line as lines
from byname.domain.errors import missing
from byname.domain.file_stream import HISTORY
from byname.domain.policy import Permission
from byname.domain.run import Run, RunState
from byname.operations import history, run_event
from byname.operations.context import Context
from byname.operations.project import DEFAULT_NAME
from byname.operations.run import open_by_name, seen
from byname.operations.run_branch import Cut, backwards, cut_behind, parse_step, settle_keys
from byname.store import run as run_rows
from byname.store import run_line as line_rows


def rewind(
    ctx: Context,
    entity: str | None,
    project: str | None,
    name: str,
    *,
    metric: str,
    value: float,
) -> Run:
    """The run is alive again and its history ends at the step; lines behind it are gone.

    The run's project remembers that, and how many there were. Automations are told that it runs, and
    judge its metrics from the lines that stay.

    Raises:
        NotFound: the run is absent or hidden.
        Forbidden: the role in the project is below Member.
        Unprocessable: that is no step, or none the run came to.
    """
    step = parse_step(metric, value)
    with ctx.database.write() as tx:
        run, home = open_by_name(
            ctx,
            tx,
            entity or ctx.who.entity_name,
            project or DEFAULT_NAME,
            name,
            Permission.LOG,
        )
        cut = cut_behind(tx, run, step)
        line_rows.remove(tx, run.id, HISTORY, cut.numbers)
        settle_keys(tx, run.id, cut)
        count = cut.kept[-1] + 1 if cut.kept else 0
        run_event.notice(ctx, tx, home, seen(ctx, run), state=RunState.RUNNING)
        run_event.look_back(tx, run, backwards(tx, run, cut.kept))
        run_rows.edit(
            tx,
            run.id,
            {
                "history_count": count,
                "summary": _summary(run_rows.documents_of_many(tx, [run.id])[run.id][1], cut),
                "state": RunState.RUNNING.value,
                "exit_code": None,
                "stop_requested": 0,
                "heartbeat_at": ctx.now(),
            },
        )
        history.record(
            ctx,
            tx,
            "run:rewind",
            f"{home.place}/{run.name}",
            project=home,
            before={"lines": run.history_count},
            after={"lines": count, "step": step},
        )
        changed = run_rows.find(tx, run.id)
        if changed is None:
            raise missing("This run")
        return seen(ctx, changed)


def _summary(text: str, cut: Cut) -> str:
    """The summary as it was at the step: what was logged later has its earlier value, or none."""
    summary = lines.parse_object(text) or {}
    kept = {name: value for name, value in summary.items() if name not in cut.columns}
    earlier = {name: value for name, value in cut.values.items() if name in summary}
    return json.dumps(kept | earlier)
