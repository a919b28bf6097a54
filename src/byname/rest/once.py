"""A write that may be sent again: the same `Idempotency-Key` gets the same answer, done once.

Every route that writes takes one: a `Router` sees to it. What a route does and the answer that is kept
go into one transaction, so that neither is there without the other.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar, cast, get_type_hints

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from byname.operations import once
from byname.operations.context import Context

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECRET_FIELDS = frozenset({"password", "secret", "access_token", "api_key", "token", "value"})
"""What a body may hold that must not be guessed from a hash: it does not tell two writes apart."""
KEPT_HEADERS = ("etag", "location")

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any word of up to 255 characters that you choose for this write. Sent again "
        "with the same word within 24 hours, it is not done again, and answered as before, but "
        "for what is shown only once.",
    ),
]


class ShownOnce(BaseModel):
    """An answer with something in it that is nowhere kept, so that it can be given once only."""

    ONCE: ClassVar[frozenset[str]] = frozenset({"api_key"})
    """The fields that are null when the answer is given again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body (None: no body) and headers."""

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] | None = None

    def response(self) -> Response:
        """As it leaves."""
        headers = dict(self.headers or {})
        if self.body is None:
            return Response(status_code=self.status, headers=headers)
        return JSONResponse(self.body, self.status, headers=headers)


@dataclass(frozen=True, slots=True)
class Once:
    """The request, as far as it tells one write from another."""

    key: str | None
    request: str

    def run(self, ctx: Context, piece: Callable[[], Answer]) -> Response:
        """The answer of the piece, or of the same piece the first time; for a route of its own kind.

        Raises:
            Unprocessable: as `answer`.
        """
        found: Response = self.answer(ctx, piece, 200)
        return found

    def answer(
        self, ctx: Context, piece: Callable[[], Any], status: int, *, apart: bool = False
    ) -> Any:
        """What the piece answers, or what it answered the first time; `apart` as in operations.

        Raises:
            Unprocessable: the key was used for another request, or is not one.
        """
        if self.key is None:
            return _leaving(piece())
        made: list[Any] = []

        def told() -> str:
            made.append(_leaving(piece()))
            return _kept(made[0], status)

        text = once.run(ctx, self.key, self.request, told, apart=apart)
        if made:
            return made[0]
        return Answer(*json.loads(text)).response()


def _leaving(made: Any) -> Any:
    return made.response() if isinstance(made, Answer) else made


def _kept(made: Any, status: int) -> str:
    """The answer as it is kept: status, JSON body and headers, without what is shown once."""
    if isinstance(made, Response):
        headers = {key: made.headers[key] for key in KEPT_HEADERS if key in made.headers}
        body = json.loads(bytes(made.body)) if made.body else None
        return json.dumps([made.status_code, body, headers])
    body = made.model_dump(mode="json", by_alias=True) if isinstance(made, BaseModel) else made
    if isinstance(made, ShownOnce):
        body |= dict.fromkeys(made.ONCE)
    return json.dumps([status, body, {}])


async def once_of(request: Request, key: Key = None) -> Once:
    """The request as one write."""
    if key is None:
        return Once(None, "")
    match = [request.headers.get(name, "") for name in ("if-match", "if-none-match")]
    where = [request.method, str(request.url.path), str(request.url.query), *match]
    return Once(key, json.dumps([*where, _told(await request.body())]))


def _told(body: bytes) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict) and value.keys() & SECRET_FIELDS:
        return json.dumps({key: value[key] for key in value.keys() - SECRET_FIELDS}, sort_keys=True)
    return body.decode("utf-8", "replace")


AtOnce = Annotated[Once, Depends(once_of)]


def in_own_transactions(endpoint: Endpoint) -> Endpoint:
    """The route takes long and commits piece by piece, so that it is not put into one transaction.

    Its answer is kept after it; it must be such that doing it twice does no harm.
    """
    cast("Any", endpoint).apart = True
    return endpoint


def repeatable(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """The endpoint, which takes an `Idempotency-Key` too. Its context is its argument `ctx`."""
    hints = get_type_hints(endpoint, include_extras=True)
    if Once in {getattr(each, "__origin__", None) for each in hints.values()}:
        return endpoint  # It takes one by itself.
    signature = inspect.signature(endpoint)
    apart = getattr(endpoint, "apart", False)

    def run(*, once: Once, **given: Any) -> Any:
        return once.answer(given["ctx"], lambda: endpoint(**given), status, apart=apart)

    named = [
        each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for each in signature.parameters.values()
    ]
    asked = inspect.Parameter("once", inspect.Parameter.KEYWORD_ONLY, annotation=AtOnce)
    # `-> None` is no class of answers.
    given_back = None if hints["return"] is type(None) else hints["return"]
    changed = signature.replace(parameters=[*named, asked], return_annotation=given_back)
    cast("Any", run).__signature__ = changed
    run.__name__, run.__qualname__ = endpoint.__name__, endpoint.__qualname__
    run.__module__, run.__doc__ = endpoint.__module__, endpoint.__doc__
    return run


class Router(APIRouter):
    """A router each of whose writing routes takes an `Idempotency-Key`."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """As `APIRouter` does it."""
        if set(more.get("methods") or ()) & WRITING:
            endpoint = repeatable(endpoint, more.get("status_code") or 200)
        super().add_api_route(path, endpoint, **more)
