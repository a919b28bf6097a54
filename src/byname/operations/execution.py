"""What automations did: the history of executions, and doing a part of it again (R140, R142)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from byname.domain.delivery import State
from byname.domain.errors import Conflict, missing
from byname.domain.execution import Attempt, Execution, Wanted
from byname.domain.history import Cursor
from byname.domain.page import Page, decode_id, encode_cursor, page_of, parse_first
from byname.domain.project import Project
from byname.operations import access, automation, dispatch, history
from byname.operations.context import Context
from byname.store import automation as automation_rows
from byname.store import execution as rows
from byname.store import history as history_rows
from byname.store import project as project_rows
from byname.store.database import Transaction

LIST = "executions"
PORTION = 500
PORTIONS_MAX = 20
ATTEMPTS_MAX = 100
REPLAYED_AT_ONCE = 500
READ_SECONDS = 5.0
EVERYTHING = Wanted()


def list_within(
    ctx: Context,
    what: str,
    scope_id: int,
    *,
    wanted: Wanted = EVERYTHING,
    after: str | None = None,
    first: int | None = None,
) -> Page[Execution]:
    """Executions of an automation or of a place, newest first, as far as the actor may see them.

    `what` is automation, entity or organization: of its automations. Or project or collection: of
    whatever automations because of what happened there, which R40 counts. The actor was shown it. An
    execution is seen by those who see its automation and the place where it happened.

    Raises:
        Unprocessable: a bad page or cursor, or the filter finds too little in 5 seconds.
    """
    size = parse_first(first)
    below = decode_id(LIST, after) or None
    found: list[Execution] = []
    with ctx.database.read() as tx, tx.within(READ_SECONDS):
        for _ in range(PORTIONS_MAX):
            portion = rows.list_within(
                tx, what, scope_id, wanted=wanted, below=below, limit=PORTION
            )
            found += _visible(ctx, tx, portion)
            if len(portion) < PORTION or len(found) > size:
                break
            below = portion[-1].id
    return page_of(found, size, lambda each: encode_cursor(LIST, each.id))


def _visible(ctx: Context, tx: Transaction, found: list[Execution]) -> list[Execution]:
    """Those of them whose automation, and where it happened, the actor may see."""
    ids = list({each.automation_id for each in found})
    automations = automation_rows.find_many(tx, ids)
    seen = {each.id for each in automation.visible(ctx, tx, list(automations.values()))}
    places = {each.about_project_id for each in found if each.about_project_id is not None}
    roles = access.roles_in(tx, ctx.actor, project_rows.find_many(tx, list(places)).values())
    return [
        each
        for each in found
        if each.automation_id in seen and roles.get(each.about_project_id or 0) is not None
    ]


def last_of(ctx: Context, automation_ids: list[int]) -> dict[int, Execution]:
    """The last execution of each of these automations, which the actor was shown (R140)."""
    with ctx.database.read() as tx:
        found = rows.last_of(tx, automation_ids)
        return {each.automation_id: each for each in _visible(ctx, tx, list(found.values()))}


def get(
    ctx: Context, execution_id: int, *, within: Project | None = None
) -> tuple[Execution, list[Attempt]]:
    """The execution and its attempts, oldest first.

    Raises:
        NotFound: it is absent or hidden, or happened elsewhere than `within`.
    """
    with ctx.database.read() as tx:
        found = _get(ctx, tx, execution_id, within)
        return found, rows.attempts_of(tx, execution_id, limit=ATTEMPTS_MAX)


def _get(
    ctx: Context, tx: Transaction, execution_id: int, within: Project | None = None
) -> Execution:
    found = rows.find(tx, execution_id)
    if found is None or not _visible(ctx, tx, [found]):
        raise missing("This execution")
    if within is not None and found.about_project_id != within.id:
        raise missing("This execution")
    return found


def retry(ctx: Context, execution_id: int, *, within: Project | None = None) -> Execution:
    """The failed or waiting execution is delivered again at once, under the same delivery id.

    Raises:
        NotFound: it is absent or hidden, or happened elsewhere than `within`.
        Forbidden: the actor may not change the automation.
        Conflict: it has succeeded, is being delivered just now, the automation is off, or there
            never was anything that could be sent.
    """
    with ctx.database.write() as tx:
        found = _get(ctx, tx, execution_id, within)
        one, project = automation.changeable(ctx, tx, found.automation_id)
        if found.state is State.FINISHED:
            raise Conflict("It was delivered; replay the automation to send the event once more")
        if not one.enabled:
            raise Conflict(f"The automation {one.name!r} is off; switch it on first")
        if not rows.body_of(tx, found.id):
            raise Conflict(
                f"There is nothing to deliver: {found.error}. Mend that, then replay the automation"
            )
        if not rows.try_again(tx, found.id, now=ctx.now()):
            raise Conflict("It is being delivered just now")
        _record(ctx, tx, "retry", one.name, project, after={"delivery_id": found.delivery_id})
        return _get(ctx, tx, execution_id)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many executions were added, and where the rest begins; None when there is no more."""

    count: int
    next: Cursor | None


def replay(ctx: Context, automation_id: int, after: Cursor) -> Replayed:
    """What happened behind that place of the history fires the automation, also once more.

    Whenever the automation was made; as many entries as are looked at in one go. The executions
    are new ones, with delivery ids of their own.

    Raises:
        NotFound: it is absent or hidden.
        Forbidden: the actor may not change it.
        Conflict: it is off.
    """
    with ctx.database.write() as tx:
        one, project = automation.changeable(ctx, tx, automation_id)
        if not one.enabled:
            raise Conflict(f"The automation {one.name!r} is off; switch it on first")
        # The place may name a row of the ledger alone; then the rest begins with what follows it.
        place = Cursor(after.ledger_id, after.id or history_rows.last_before(tx, after.ledger_id))
        within = (one.scope.kind.value, one.scope.id)
        entries, end = history_rows.newer(tx, place, within=within, limit=REPLAYED_AT_ONCE)
        now = ctx.now()
        anew = dataclasses.replace(one, since=Cursor(0, 0))
        planned = dispatch.plan(tx, entries, ctx.page_of or _no_page, only=anew, repeat=now)
        if planned.lost:
            raise Conflict(f"{planned.lost[one.id]}; switch it off and on again to answer for it")
        new = planned.new
        rows.add_many(tx, new, at=now)
        if new:
            automation_rows.set_last_run(tx, [one.id], at=now)
        told = {"after": after.text, "executions": len(new)}
        _record(ctx, tx, "replay", one.name, project, after=told)
        return Replayed(len(new), end if len(entries) >= REPLAYED_AT_ONCE else None)


def _no_page(*_: object) -> str:
    return ""


def _record(
    ctx: Context,
    tx: Transaction,
    verb: str,
    name: str,
    project: Project | None,
    *,
    after: dict[str, object],
) -> None:
    history.record(ctx, tx, f"automation:{verb}", name, project=project, after=after)
