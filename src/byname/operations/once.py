"""Doing a write once however often it is sent: its answer is kept in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from byname.domain.errors import Unprocessable
from byname.operations.context import Context
from byname.store import once as rows
from byname.store.database import Transaction

KEPT_MICROSECONDS = 24 * 3600 * 1_000_000
KEY_LENGTH_MAX = 255


def run(
    ctx: Context, key: str, request: str, piece: Callable[[], str], *, apart: bool = False
) -> str:
    """The answer of the piece, which is done once for each key of a user within 24 hours.

    What the piece writes and its answer are kept together or not at all, so that a refusal may be
    tried again under the same key. A piece that is done `apart` commits by itself, and its answer is
    kept after it: if the server dies between the two, it may be done again.

    Raises:
        Unprocessable: the key was used for another request, or is not 1 to 255 printable
            characters.
        DomainError: what the piece raises.
    """
    if not (0 < len(key) <= KEY_LENGTH_MAX and key.isprintable()):
        raise Unprocessable(
            f"The Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable characters",
            field="Idempotency-Key",
        )
    sha256 = hashlib.sha256(request.encode()).hexdigest()
    if apart:
        with ctx.database.read() as tx:
            known = _known(ctx, tx, key, sha256)
        if known is not None:
            return known
        answer = piece()
        with ctx.database.write() as tx:
            _keep(ctx, tx, key, sha256, answer)
        return answer
    with ctx.database.write() as tx:
        known = _known(ctx, tx, key, sha256)
        if known is None:
            known = piece()
            _keep(ctx, tx, key, sha256, known)
        return known


def _known(ctx: Context, tx: Transaction, key: str, sha256: str) -> str | None:
    found = rows.find(tx, ctx.who.user_id, key, since=ctx.now() - KEPT_MICROSECONDS)
    if found is not None and found[0] != sha256:
        raise Unprocessable(
            "This Idempotency-Key was used for another request; choose a new one",
            code="idempotency_key_reused",
            field="Idempotency-Key",
        )
    return None if found is None else found[1]


def _keep(ctx: Context, tx: Transaction, key: str, sha256: str, answer: str) -> None:
    rows.forget(tx, until=ctx.now() - KEPT_MICROSECONDS)
    rows.put(tx, ctx.who.user_id, key, request_sha256=sha256, answer=answer, at=ctx.now())
