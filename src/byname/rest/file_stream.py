"""Runs reporting while they work: `POST /files/{entity}/{project}/{run}/file_stream` (protocol 9.3)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.file_stream import StreamPost
from byname.http.asked import acting
from byname.http.authentication import KeyUses, authenticate
from byname.http.body import JSON_BYTES_MAX, parse_json, read_body
from byname.http.message import Request, send_json
from byname.http.router import Router
from byname.http.threads import in_thread
from byname.http.writes import Writes
from byname.operations import file_stream
from byname.operations.context import Context

INLINE_BYTES_MAX = 64 * 1024
"""Up to here reading a body inline is cheaper than the way to a thread and back."""


@dataclass(frozen=True, slots=True)
class FileStream:
    """The handler of runs' streams. A body may be gzipped."""

    ctx: Context
    writes: Writes
    key_uses: KeyUses
    body_bytes_max: int = JSON_BYTES_MAX

    def add_routes(self, router: Router) -> None:
        """The router answers the address of every run's stream."""
        router.add("POST", "/files/{entity}/{project}/{run}/file_stream", self.take)

    async def take(self, request: Request) -> None:
        """What the run sent is on disk when this answers; the answer may tell the run to stop.

        Raises:
            Unauthenticated: no key, or none that is valid.
            Invalid, TooLarge: the body is no post to a stream, or too large.
            NotFound, Forbidden: as `operations.file_stream.accept`.
        """
        actor = authenticate(self.ctx.database, request.header(b"authorization"))
        self.key_uses.note(actor)
        ctx = acting(self.ctx, actor, "sdk", request.scope)
        ctx.who  # noqa: B018  Raises for an anonymous asker, before their body is read.
        body = await read_body(request, self.body_bytes_max)
        if len(body) <= INLINE_BYTES_MAX:
            post = _read(body)
        else:
            post = await in_thread(_read, body)
        params = request.params
        # Clients that share a run say who they are, and each counts its lines for itself.
        writer = request.header(b"x-wandb-async-client-id")
        stop = await self.writes.run(
            lambda: file_stream.accept(
                ctx,
                params["entity"],
                params["project"],
                params["run"],
                post,
                writer=writer.decode("latin-1") if writer else None,
            )
        )
        await send_json(request, {"stopped": True} if stop else {})


def _read(body: bytes) -> StreamPost:
    return StreamPost.parse(parse_json(body))
