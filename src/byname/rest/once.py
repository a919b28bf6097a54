"""A write that may be sent again: the same `Idempotency-Key` gets the same answer, done once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from byname.operations import once
from byname.operations.context import Context

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any word of up to 255 characters that you choose for this write. Sent again "
        "with the same word within 24 hours, it is not done again, and answered as before.",
    ),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body (None: no body) and headers."""

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """The request, as far as it tells one write from another."""

    key: str | None
    request: str

    def run(self, ctx: Context, piece: Callable[[], Answer]) -> Response:
        """The answer of the piece, or of the same piece the first time.

        Raises:
            Unprocessable: the key was used for another request, or is not one.
        """

        def told() -> str:
            answer = piece()
            return json.dumps([answer.status, answer.body, dict(answer.headers or {})])

        status, body, headers = json.loads(once.run(ctx, self.key, self.request, told))
        if body is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(body, status, headers=headers)


async def once_of(request: Request, key: Key = None) -> Once:
    """The request as one write."""
    body = await request.body()
    match = [request.headers.get(name, "") for name in ("if-match", "if-none-match")]
    told = [request.method, str(request.url.path), *match, body.decode("utf-8", "replace")]
    return Once(key, json.dumps(told))


AtOnce = Annotated[Once, Depends(once_of)]
