"""A project's runs as people look through them: by name, state and age, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain import run as rules
from byname.domain.errors import Unprocessable
from byname.domain.page import Page, decode_cursor, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.run import Run, RunState
from byname.operations import access
from byname.operations.context import Context
from byname.operations.run import seen
from byname.store import run_list as rows
from byname.store.moment import microseconds

READ_SECONDS = 5.0
ORDERS = ("-created", "created", "name", "-name")
"""Newest first, oldest first, and by the name that people see, both ways."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which runs are wanted, in which order; empty for all."""

    text: str = ""
    """A part of the name that people see, of the run's id, or of a tag, whatever the case."""
    state: RunState | None = None
    order: str = ORDERS[0]


def parse_wish(*, text: str | None, state: str | None, order: str | None) -> Wish:
    """The wish that an address tells; what it does not know counts as not said."""
    known = {each.value: each for each in RunState}
    return Wish(
        (text or "").strip()[:128],
        known.get(state or ""),
        order if order in ORDERS else ORDERS[0],
    )


def turned(order: str, column: str) -> str:
    """The order after a click on a column's head: by it, and the other way round if it is already."""
    if order.lstrip("-") != column:
        return "-created" if column == "created" else column
    return column if order.startswith("-") else f"-{column}"


def page(
    ctx: Context,
    project: Project,
    wish: Wish,
    *,
    after: str | None = None,
    first: int | None = None,
) -> Page[Run]:
    """The runs of a project that the actor was shown, as wished.

    Raises:
        Unprocessable: the cursor is not of this list, or it takes longer than 5 seconds.
    """
    limit = parse_first(first, 50)
    kind = f"runs by {wish.order}"
    place = None if not after else _place(wish, decode_cursor(kind, after))
    silent = ctx.now() - int(rules.SILENCE.total_seconds() * 1_000_000)
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        with tx.within(READ_SECONDS):
            found = rows.list_of_project(
                tx,
                project.id,
                text=wish.text,
                state=wish.state,
                silent_since=silent,
                by_name="name" in wish.order,
                descending=wish.order.startswith("-"),
                after=place,
                limit=limit + 1,
            )
            total = rows.count_of_project(
                tx, project.id, text=wish.text, state=wish.state, silent_since=silent
            )

    def cursor(run: Run) -> str:
        value = run.display_name if "name" in wish.order else microseconds(run.created_at)
        return encode_cursor(kind, value, run.id)

    return page_of([seen(ctx, run) for run in found], limit, cursor, total=total)


def _place(wish: Wish, values: list[str | int | None]) -> tuple[str | int, int]:
    kind = str if "name" in wish.order else int
    if len(values) != 2 or not isinstance(values[0], kind) or not isinstance(values[1], int):
        raise Unprocessable("This cursor is not one of ours; start again without it", field="after")
    return values[0], values[1]
