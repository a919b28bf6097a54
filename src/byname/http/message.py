"""What is one request, and how is it answered? Thin helpers over a raw ASGI call.

A handler is `async def handler(request: Request) -> None` and answers exactly once, by one of the
`send_*` functions. The headers every answer carries, errors included (A13), are added by the
server (`server.py`) and by the router (the request id).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import orjson

from byname.domain.errors import Invalid

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]

JSON_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""JSON answers depend on who asks, so nothing between us and the asker may keep them."""

PAGE_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        (
            b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
            b"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            b"frame-ancestors 'none'"
        ),
    ),
)
"""Pages load their own style, script and pictures, nothing inline and nothing from elsewhere."""


class ClientGone(Exception):
    """The client went away before its request was whole: there is nobody left to answer."""


class Request:
    """One HTTP request. `params` holds the decoded `{name}` segments of the route's pattern."""

    __slots__ = (
        "_query",
        "id",
        "method",
        "params",
        "path",
        "receive",
        "route",
        "scope",
        "send",
        "started",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        request_id: str = "",
        params: dict[str, str] | None = None,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        """Decoded; for matching and messages. `params` is what handlers should use."""
        self.params: dict[str, str] = {} if params is None else params
        self.id = request_id
        """Names this request in answers and in the log."""
        self.started = False
        """Whether the answer's first byte is on its way, so that no other answer can be given."""
        self.route: object = None
        """The router's route that answers; None where another application does."""
        self._query: dict[str, list[str]] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The first header of that lowercase name, as it came; None where there is none."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value  # type: ignore[no-any-return]  # The scope is an untyped mapping.
        return None

    def headers(self, name: bytes) -> list[bytes]:
        """All headers of that lowercase name, in the order in which they came."""
        return [value for key, value in self.scope["headers"] if key == name]

    def query(self, name: str) -> str | None:
        """The first value of a query parameter; None where it is absent.

        Raises:
            Invalid: the query is not percent-encoded UTF-8, or has more than 100 parameters.
        """
        values = self.queries(name)
        return values[0] if values else None

    def queries(self, name: str) -> list[str]:
        """All values of a query parameter, in order. Raises as `query` does."""
        if self._query is None:
            try:
                self._query = parse_qs(
                    self.scope["query_string"].decode("ascii"),
                    keep_blank_values=True,
                    errors="strict",
                    max_num_fields=100,
                )
            except ValueError:
                raise Invalid("The query string cannot be read", code="query_malformed") from None
        return self._query.get(name, [])

    @property
    def client(self) -> str:
        """The address of the other end of the connection; empty where unknown."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    @property
    def content_length(self) -> int | None:
        """The stated length of the body in bytes; None where it comes in chunks or is absent.

        Raises:
            Invalid: it is no number.
        """
        value = self.header(b"content-length")
        if value is None:
            return None
        if not value.isdigit():
            raise Invalid("Content-Length is not a number", code="content_length")
        return int(value)


Handler: TypeAlias = Callable[[Request], Awaitable[None]]


def encode_json(value: Any) -> bytes:
    """JSON as every face writes it."""
    return orjson.dumps(value)


async def send_start(request: Request, status: int, headers: list[Header]) -> None:
    """Send status and headers. The request id goes along."""
    request.started = True
    headers.append((b"x-request-id", request.id.encode("ascii")))
    await request.send({"type": "http.response.start", "status": status, "headers": headers})


async def send_bytes(
    request: Request, status: int, body: bytes, headers: Iterable[Header] = ()
) -> None:
    """Send a whole answer. `headers` should say the type; the length is added."""
    await send_start(
        request, status, [*headers, (b"content-length", str(len(body)).encode("ascii"))]
    )
    await request.send({"type": "http.response.body", "body": body})


async def send_json(
    request: Request, value: Any, status: int = 200, headers: Iterable[Header] = ()
) -> None:
    """Send a value as JSON."""
    await send_bytes(request, status, orjson.dumps(value), (*JSON_HEADERS, *headers))


async def send_json_bytes(
    request: Request, body: bytes, status: int = 200, headers: Iterable[Header] = ()
) -> None:
    """Send JSON which is encoded already."""
    await send_bytes(request, status, body, (*JSON_HEADERS, *headers))


async def send_page(
    request: Request, html: str, status: int = 200, headers: Iterable[Header] = ()
) -> None:
    """Send a page, under a policy which lets nothing inline run."""
    await send_bytes(request, status, html.encode("utf-8"), (*PAGE_HEADERS, *headers))


async def send_empty(request: Request, status: int = 204, headers: Iterable[Header] = ()) -> None:
    """Send an answer without a body."""
    extra = () if status in (204, 304) else ((b"content-length", b"0"),)
    await send_start(request, status, [*headers, *extra])
    await request.send({"type": "http.response.body", "body": b""})
