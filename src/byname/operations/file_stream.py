"""Taking in what a run sends while it works: its lines, its summary, its end (protocol 9.3)."""

from __future__ import annotations

from collections import Counter

from byname.domain import run as rules
from byname.domain.file_stream import EVENTS, HISTORY, OUTPUT, Chunk, StreamPost
from byname.domain.policy import Permission
from byname.domain.run import Run
from byname.domain.run_line import LoggedKey, flatten, kind_of, parse_object, scalar, step_of
from byname.operations import line_place, run_event
from byname.operations.context import Context
from byname.operations.run import open_by_name, seen
from byname.store import run as run_rows
from byname.store import run_line as line_rows
from byname.store.database import Transaction

_COUNTS = {HISTORY: "history_count", EVENTS: "events_count", OUTPUT: "log_count"}


def accept(
    ctx: Context,
    entity: str,
    project: str,
    name: str,
    post: StreamPost,
    *,
    writer: str | None = None,
) -> bool:
    """The lines, summary and state are as posted, all or nothing; whether the run should stop.

    Lines stand under the numbers they came with, so that a repeated post changes nothing. Where
    another writer of the run holds the number, the line comes behind all others instead
    (`line_place`).

    Raises:
        NotFound: the run is absent or hidden.
        Forbidden: the role in the project is below Member.
        TooLarge: the stream has as many lines as can be counted.
    """
    with ctx.database.write() as tx:
        run, home = open_by_name(ctx, tx, entity, project, name, Permission.LOG)
        run = seen(ctx, run)
        state = rules.state_after_post(
            run.state,
            complete=post.complete,
            exit_code=post.exit_code,
            preempting=post.preempting,
            stop_requested=run.stop_requested,
        )
        columns = {
            "state": state.value,
            "heartbeat_at": ctx.now(),
            "exit_code": (post.exit_code or 0) if post.complete else None,
        }
        counts = {HISTORY: run.history_count, EVENTS: run.events_count, OUTPUT: run.log_count}
        chunks = [
            placed
            for chunk in post.chunks
            for placed in line_place.place(tx, run.id, chunk, counts[chunk.stream], writer)
        ]
        run_event.notice(ctx, tx, home, run, state=state, chunks=chunks)
        for chunk in chunks:
            if chunk.stream == HISTORY:
                _count_keys(tx, run, chunk, counts[HISTORY])
            line_rows.put(tx, run.id, chunk.stream, chunk.offset, chunk.lines)
            end = chunk.offset + len(chunk.lines)
            counts[chunk.stream] = max(counts[chunk.stream], end)
            columns[_COUNTS[chunk.stream]] = counts[chunk.stream]
        if post.summary is not None:
            columns["summary"] = post.summary
        if post.complete:
            columns["stop_requested"] = 0
        run_rows.edit(tx, run.id, columns)
        return run.stop_requested and not post.complete


def _count_keys(tx: Transaction, run: Run, chunk: Chunk, count: int) -> None:
    """The run's keys count the lines of the chunk, and no more those that it replaces."""
    replaced: Counter[str] = Counter()
    if chunk.offset < count:
        end = chunk.offset + len(chunk.lines)
        for _, line in line_rows.between(
            tx, run.id, HISTORY, chunk.offset, end, limit=len(chunk.lines)
        ):
            replaced.update(flatten(parse_object(line) or {}).keys())
    logged: dict[str, LoggedKey] = {}
    known = line_rows.key_names(tx, run.id)
    room = line_rows.KEYS_MAX - (0 if known is None else len(known))
    for index, row in enumerate(chunk.rows):
        step = step_of(row, chunk.offset + index)
        for key, value in flatten(row).items():
            before = logged.get(key)
            if before is None and not (known is not None and key in known):
                if room <= 0:
                    continue
                room -= 1
            logged[key] = LoggedKey(
                name=key,
                kind=kind_of(value),
                line_count=1 if before is None else before.line_count + 1,
                last_value=scalar(value),
                last_step=step,
            )
    if replaced:
        line_rows.subtract_keys(tx, run.id, replaced)
    line_rows.add_keys(tx, run.id, logged.values())
    if replaced:
        line_rows.drop_unused_keys(tx, run.id)
