"""Writing down what was refused, for the audit log (R190), apart from the registry itself."""

from __future__ import annotations

from byname.domain.refusal import Refusal
from byname.operations.context import Context
from byname.store import refusal as rows


def note(ctx: Context, *, kind: str, call: str, status: int, code: str) -> None:
    """The request was refused; written down with the next batch. Nothing that was sent is kept."""
    if ctx.refusals is None:
        return
    actor, attempt = ctx.actor, ctx.attempt
    refusal = Refusal(
        kind=kind,
        call=call,
        status=status,
        code=code,
        reached=attempt.reached,
        organization_id=attempt.organization_id,
        project_id=attempt.project_id,
        subject=attempt.username,
        user_id=actor.user_id if actor is not None and attempt.user_id is None else attempt.user_id,
        actor_id=None if actor is None else actor.row_id,
        actor_name="" if actor is None else actor.username,
        outside=actor is None
        or ((attempt.organization_id or 0) not in actor.organizations and attempt.reached),
        face=ctx.face,
        address=ctx.origin.address,
        client=ctx.origin.client,
    )
    ctx.refusals.note(refusal, ctx.now())


def save(ctx: Context) -> None:
    """What was noted since the last time is on disk; called every few seconds, and at the end."""
    taken = {} if ctx.refusals is None else ctx.refusals.take()
    if ctx.refusals is None or not taken:
        return
    try:
        with ctx.database.write() as tx:
            rows.add_many(tx, taken)
    except Exception:
        ctx.refusals.give_back(taken)
        raise
