"""Delivering: who takes which delivery, what is sent, and what follows from the answer (R142, R144).

Several processes take from one queue. Whoever takes a delivery leases it; a worker that dies loses
the lease, and another takes it. So there may be two requests for one delivery, with the same id, but
one result.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from byname.domain import delivery as rules
from byname.domain import payload
from byname.domain.delivery import Outgoing, Reply
from byname.domain.errors import DomainError
from byname.domain.execution import Due, Waiting
from byname.domain.policy import SYSTEM
from byname.operations import automation_fate, automation_rights, integration, unforeseen
from byname.operations.context import Context
from byname.store import automation as automation_rows
from byname.store import execution as rows
from byname.store.database import Transaction
from byname.store.moment import moment

CANDIDATES_MAX = 200
SECOND = 1_000_000
REMOVED_AT_ONCE = 1_000
UNFORESEEN = "The server failed in this delivery; its log says more"


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is this worker's, and the request to make; or why none can be made."""

    due: Due
    request: Outgoing | None
    error: str = ""


def take(ctx: Context, owner: str, *, busy: Sequence[int], limit: int) -> list[Taken]:
    """Deliveries that are due and now the owner's, one for each integration that is not busy.

    - Nor are they to whom another worker began to send just now: the order is kept over workers.
    - An automation begins 60 executions in a minute at the most; the rest waits (R144).
    - What is left of automations that were deleted has failed.
    - An automation whose person has lost the rights that it acts with is off from now on, and what
      it has not sent waits (A4, R145).
    """
    now = ctx.now()
    until = now + int(rules.LEASE_SECONDS * SECOND)
    just_begun = until - int(rules.IN_ORDER_SECONDS * SECOND)
    with ctx.database.read() as tx:
        if limit < 1 or not rows.list_due(
            tx, owner, now=now, just_begun=just_begun, but=busy, limit=1
        ):
            return []
    with ctx.database.write() as tx:
        found = rows.list_due(
            tx, owner, now=now, just_begun=just_begun, but=busy, limit=CANDIDATES_MAX
        )
        gone = [each.id for each in found if not each.automation_is_there]
        if gone:
            rows.end(tx, gone, "The automation was deleted", at=now)
        fresh = {each.automation_id for each in found if not each.started}
        window = rules.RATE_SECONDS * SECOND
        starts = rows.starts_between(tx, list(fresh), since=now - window, now=now)
        chosen: list[Due] = []
        taken_from: set[int] = set()
        waits: dict[int, int] = {}
        for each in found:
            if len(chosen) == limit:
                break
            if not each.automation_is_there or each.integration_id in taken_from:
                continue
            if not each.started:
                begun = starts[each.automation_id]
                if len(begun) >= rules.RATE_MAX:
                    waits[each.automation_id] = begun[-rules.RATE_MAX] + window + 1
                    continue
                begun.append(now)
            chosen.append(each)
            taken_from.add(each.integration_id)
        lost = _end_lost(ctx, tx, {each.automation_id for each in chosen})
        chosen = [each for each in chosen if each.automation_id not in lost]
        if waits:
            rows.postpone(tx, list(waits.items()))
        rows.lease(tx, [each.id for each in chosen], owner, now=now, until=until)
    return [_prepare(ctx, each) for each in chosen]


def _end_lost(ctx: Context, tx: Transaction, automation_ids: Collection[int]) -> Collection[int]:
    """Of these automations those for whom nobody answers any more; they are off."""
    found = automation_rows.find_many(tx, list(automation_ids))
    lost = automation_rights.lost(tx, list(found.values()))
    automation_fate.end_lost(ctx.acting(SYSTEM, "server"), tx, lost)
    return lost.keys()


def turn(
    ctx: Context,
    owner: str,
    done: Sequence[tuple[Due, Reply]],
    *,
    busy: Sequence[int],
    limit: int,
) -> tuple[list[Taken], list[Due]]:
    """What came back is written down, and the next is taken, in one commit; and what was lost.

    Lost is a delivery whose lease was over: it is somebody else's.
    """
    if not done:
        return take(ctx, owner, busy=busy, limit=limit), []
    with ctx.database.write():
        lost = [due for due, reply in done if not _settle_somehow(ctx, owner, due, reply)]
        taken = take(ctx, owner, busy=busy, limit=limit)
    return taken, lost


def _prepare(ctx: Context, due: Due) -> Taken:
    """The request, with secrets, as they are now."""
    try:
        with ctx.database.read() as tx:
            credentials = integration.open_credentials(ctx, tx, due.integration_id)
            body = rows.body_of(tx, due.id)
        request = Outgoing(
            url=credentials.url,
            body=payload.fill(body, credentials.given),
            event=due.event,
            delivery_id=due.delivery_id,
            access_token=credentials.access_token,
            signing_secret=credentials.secret,
            hidden=credentials.hidden,
        )
    except DomainError as refusal:
        return Taken(due, None, refusal.message)
    except unforeseen.KINDS as fault:
        unforeseen.tell(f"The request of delivery {due.delivery_id} could not be written", fault)
        return Taken(due, None, UNFORESEEN)
    return Taken(due, request)


def settle(ctx: Context, owner: str, due: Due, reply: Reply) -> bool:
    """What came of an attempt is written down, with what follows from it.

    False, with nothing changed, when the lease was lost: then it is somebody else's.
    """
    now = ctx.now()
    chance = random.random()  # noqa: S311  It only spreads attempts over time.
    verdict = rules.judge(reply, due.attempt_count + 1, chance, moment(now))
    next_at = now + int((verdict.delay_seconds or 0) * SECOND)
    with ctx.database.write() as tx:
        if not rows.settle(tx, due, owner, reply, verdict, at=now, next_at=next_at):
            return False
        if verdict.disable is not None:
            server = ctx.acting(SYSTEM, "server")
            automation_fate.end_receiver(server, tx, due.integration_id, verdict.disable)
        return True


def _settle_somehow(ctx: Context, owner: str, due: Due, reply: Reply) -> bool:
    """As `settle`; an answer that cannot be written down is a failed attempt, and holds up no other."""
    try:
        return settle(ctx, owner, due, reply)
    except unforeseen.KINDS as fault:
        unforeseen.tell(
            f"The answer to delivery {due.delivery_id} could not be written down", fault
        )
        return settle(ctx, owner, due, Reply(None, error=UNFORESEEN))


def release(ctx: Context, owner: str) -> int:
    """What the owner had begun is free again, for the next who comes; how much that was."""
    with ctx.database.write() as tx:
        return rows.release(tx, owner, now=ctx.now())


def seconds_until_due(ctx: Context, most: float) -> float:
    """How long nothing becomes due by itself, at the most so long."""
    now = ctx.now()
    with ctx.database.read() as tx:
        at = rows.next_due(tx, after=now)
    return most if at is None else min(most, max(0.0, (at - now) / SECOND))


def waiting(ctx: Context) -> Waiting:
    """How much is still to be delivered; for the server's own health."""
    with ctx.database.read() as tx:
        return rows.waiting(tx)


def forget_old(ctx: Context, days: int) -> int:
    """Executions older than so many days are gone from the history; how many (R140)."""
    before = ctx.now() - days * 86_400 * SECOND
    count = 0
    while True:
        with ctx.database.write() as tx:
            removed = rows.remove_old(tx, before=before, limit=REMOVED_AT_ONCE)
        count += removed
        if removed < REMOVED_AT_ONCE:
            return count
