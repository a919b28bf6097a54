"""Runs for tests: one made in the team's project, and posts to its stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from byname.domain.file_stream import StreamPost
from byname.domain.policy import Permission
from byname.domain.run import Run
from byname.operations import file_stream, run, run_file
from byname.operations.context import Context
from tests.support.world import PROJECT, TEAM


def make_run(ctx: Context, name: str = "abcd1234", **change: Any) -> Run:
    """A run in the team's project."""
    values = {"entity": TEAM, "project": PROJECT, "name": name, **change}
    return run.upsert(ctx, run.RunChange(**values))[0]


def get_run(ctx: Context, run_id: int) -> Run:
    """The run as it is seen now."""
    with ctx.database.read() as tx:
        found, _ = run.open_by_id(ctx, tx, run_id, Permission.SEE)
    return run.seen(ctx, found)


def post(ctx: Context, name: str = "abcd1234", *, writer: str | None = None, **body: Any) -> bool:
    """What the run's stream answers: whether the run should stop."""
    return file_stream.accept(ctx, TEAM, PROJECT, name, StreamPost.parse(body), writer=writer)


def log(
    ctx: Context, rows: Sequence[dict[str, Any]], offset: int = 0, *, writer: str | None = None
) -> None:
    """The run's history has these rows, from the number `offset` on."""
    content = [json.dumps(row) for row in rows]
    post(ctx, writer=writer, files={"wandb-history.jsonl": {"offset": offset, "content": content}})


def send_file(ctx: Context, of: Run, name: str, body: bytes) -> int:
    """The run has the file; its id."""
    with run_file.begin(ctx, of.id) as writer:
        writer.write(body)
        return run_file.keep(ctx, of.id, name, writer.finish())


def later(ctx: Context, by: timedelta) -> Context:
    """The same context at a later time."""
    return replace(ctx, now=lambda: ctx.now() + by // timedelta(microseconds=1))
