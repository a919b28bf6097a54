"""Doing a write once however often it is sent: its answer is kept in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from byname.domain.errors import Unprocessable
from byname.operations.context import Context
from byname.store import once as rows

KEPT_MICROSECONDS = 24 * 3600 * 1_000_000
KEY_LENGTH_MAX = 255


def run(ctx: Context, key: str | None, request: str, piece: Callable[[], str]) -> str:
    """The answer of the piece, which is done once for each key of a user within 24 hours.

    What the piece writes and its answer are kept together or not at all, so that a refusal may be
    tried again under the same key. Without a key it is done each time.

    Raises:
        Unprocessable: the key was used for another request, or is not 1 to 255 printable
            characters.
        DomainError: what the piece raises.
    """
    if key is None:
        return piece()
    if not (0 < len(key) <= KEY_LENGTH_MAX and key.isprintable()):
        raise Unprocessable(
            f"The Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable characters",
            field="Idempotency-Key",
        )
    sha256 = hashlib.sha256(request.encode()).hexdigest()
    user_id = ctx.who.user_id
    with ctx.database.write() as tx:
        since = ctx.now() - KEPT_MICROSECONDS
        known = rows.find(tx, user_id, key, since=since)
        if known is not None:
            if known[0] != sha256:
                raise Unprocessable(
                    "This Idempotency-Key was used for another request; choose a new one",
                    code="idempotency_key_reused",
                    field="Idempotency-Key",
                )
            return known[1]
        answer = piece()
        rows.forget(tx, until=since)
        rows.put(tx, user_id, key, request_sha256=sha256, answer=answer, at=ctx.now())
        return answer
