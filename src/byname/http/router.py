"""Which handler answers this path? A small router over raw ASGI.

Exact paths are one look-up; patterns such as `/files/{entity}/{project}` are tried by their number
of segments. Segments are split before they are percent-decoded, and decoded once, so that `%2F`
inside a segment stays data and never becomes structure (A12).
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from byname.domain.errors import DomainError, Invalid, NotFound
from byname.http.asked import REFUSED
from byname.http.errors import error_body, send_error, send_internal_error
from byname.http.message import (
    App,
    ClientGone,
    Handler,
    Message,
    Receive,
    Request,
    Scope,
    Send,
    send_json,
)

HOSTS_REMEMBERED_MAX = 1_024
REFUSED_FROM = 400

logger = logging.getLogger("byname.http")

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
OnRefused = Callable[[Request, int], None]


@dataclass(slots=True)
class Route:
    """One pattern with its handlers. `segments` holds text to match, or None for a parameter."""

    segments: tuple[str | None, ...]
    names: tuple[str, ...]
    handlers: dict[str, Handler] = field(default_factory=dict)
    any_host: bool = False

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The parameters if these decoded segments fit. A parameter is never empty."""
        values: list[str] = []
        for want, have in zip(self.segments, segments, strict=True):
            if want is None:
                if not have:
                    return None
                values.append(have)
            elif want != have:
                return None
        return dict(zip(self.names, values, strict=True))


class Router:
    """The ASGI application. Routes are added before it serves."""

    def __init__(
        self,
        *,
        allowed_hosts: Iterable[str] = ("*",),
        lifespan: Lifespan | None = None,
        on_refused: OnRefused | None = None,
    ) -> None:
        """`allowed_hosts` are host names without port; `*` allows any (A13: DNS rebinding).

        `on_refused(request, status)` is told of each answer of 400 and above.
        """
        self._on_refused = on_refused
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._good_hosts: set[bytes] = set()
        self._lifespan = lifespan
        self._exact: dict[str, Route] = {}
        self._patterns: dict[int, list[Route]] = {}
        self._mounts: list[tuple[str, App]] = []
        self._id_prefix = secrets.token_hex(4)
        self._id_numbers = itertools.count(1)

    def add(self, method: str, path: str, handler: Handler, *, any_host: bool = False) -> None:
        """Let `handler` answer `method` (GET answers HEAD too) on a path or pattern.

        `any_host` frees the path from the host check, for probes which ask by address.

        Raises:
            ValueError: the route exists, or the path does not begin with a slash.
        """
        route = self._route(path)
        if method in route.handlers:
            raise ValueError(f"{method} {path} is routed twice")
        route.handlers[method] = handler
        route.any_host = route.any_host or any_host

    def mount(self, prefix: str, app: App) -> None:
        """Hand every path at or below `prefix` which no route answers to another application."""
        self._mounts.append((prefix.rstrip("/"), app))

    def routes(self) -> list[tuple[str, str]]:
        """Every (method, path) routed here, for tests which walk all of them (A2)."""
        every = [*self._exact.values(), *itertools.chain(*self._patterns.values())]
        return sorted((method, spell(route)) for route in every for method in route.handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI call."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"This server speaks HTTP only, not {scope['type']}")
        request = Request(
            scope, receive, send, request_id=f"{self._id_prefix}{next(self._id_numbers):06x}"
        )
        if self._on_refused is not None:
            request.send = _telling_refusals(request, self._on_refused)
        try:
            await self._answer(request)
        except ClientGone:
            return
        except DomainError as error:
            if request.started:
                raise
            await send_error(request, error)
        except Exception as error:
            if request.started:
                raise
            await send_internal_error(request, error)

    async def _answer(self, request: Request) -> None:
        route = self._exact.get(request.scope["raw_path"].decode("latin-1"))
        if route is None:
            route = self._find(request)
        if not (route is not None and route.any_host):
            self._check_host(request)
        if route is not None:
            handler = route.handlers.get(request.method)
            if handler is None and request.method == "HEAD":
                handler = route.handlers.get("GET")
            if handler is not None:
                request.route = route
                await handler(request)
                return
        app = self._mounted(request)
        if app is not None:
            await hand_over(request, app)
        elif route is None:
            raise NotFound("There is nothing at this address", code="no_route")
        else:
            await _send_not_allowed(request, route)

    def _find(self, request: Request) -> Route | None:
        """The route whose pattern fits, after decoding; puts its parameters into the request."""
        raw: bytes = request.scope["raw_path"]
        pieces = raw.split(b"/")[1:]
        routes: Sequence[Route] = self._patterns.get(len(pieces), ())
        if b"%" not in raw and not routes:
            return None
        if self._mounted(request) is not None:
            # What begins with a parameter, such as a page, does not stand before an application.
            routes = [route for route in routes if route.segments[0] is not None]
        try:
            segments = [unquote_to_bytes(piece).decode("utf-8") for piece in pieces]
        except UnicodeDecodeError:
            raise Invalid("The path is not percent-encoded UTF-8", code="path_malformed") from None
        if any("\0" in segment for segment in segments):
            raise Invalid("The path holds a NUL character", code="path_malformed")
        best: Route | None = None
        for route in routes:
            params = route.match(segments)
            if params is None:
                continue
            best = best or route
            if request.method in route.handlers or (
                request.method == "HEAD" and "GET" in route.handlers
            ):
                request.params = params
                return route
        return best

    def _mounted(self, request: Request) -> App | None:
        for prefix, app in self._mounts:
            if request.path == prefix or request.path.startswith(prefix + "/"):
                return app
        return None

    def _route(self, path: str) -> Route:
        if not path.startswith("/"):
            raise ValueError(f"A path begins with a slash: {path}")
        pieces = path.split("/")[1:]
        names = tuple(piece[1:-1] for piece in pieces if piece.startswith("{"))
        segments = tuple(None if piece.startswith("{") else piece for piece in pieces)
        if not names:
            return self._exact.setdefault(path, Route(segments, names))
        routes = self._patterns.setdefault(len(segments), [])
        for route in routes:
            if route.segments == segments and route.names == names:
                return route
        route = Route(segments, names)
        routes.append(route)
        # Text before parameters: the more exact pattern is asked first, whatever the order of add.
        routes.sort(key=lambda each: [segment is None for segment in each.segments])
        return route

    def _check_host(self, request: Request) -> None:
        if "*" in self._allowed_hosts:
            return
        host = request.header(b"host") or b""
        if host in self._good_hosts:
            return
        if _host_name(host) not in self._allowed_hosts:
            raise Invalid(
                "This server does not answer under that host name", code="host_not_allowed"
            )
        if len(self._good_hosts) < HOSTS_REMEMBERED_MAX:
            self._good_hosts.add(host)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Speak the ASGI lifespan protocol around the given context manager."""
        await receive()
        try:
            if self._lifespan is None:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            else:
                async with self._lifespan():
                    await send({"type": "lifespan.startup.complete"})
                    await receive()
        except Exception as error:
            logger.exception("Starting or stopping failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _host_name(host: bytes) -> str:
    """The host header without its port; addresses of version 6 keep no brackets."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def spell(route: Route) -> str:
    """The route's pattern, as it was added."""
    names = iter(route.names)
    return "".join(
        "/" + (f"{{{next(names)}}}" if piece is None else piece) for piece in route.segments
    )


async def hand_over(request: Request, app: App) -> None:
    """Let another application answer this request. The request's id goes along."""
    request.scope["request_id"] = request.id
    await app(request.scope, request.receive, _noting_start(request))


def _telling_refusals(request: Request, tell: OnRefused) -> Send:
    """A `send` that tells when the answer is a refusal."""
    send = request.send

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            status = request.scope.get(REFUSED, message["status"])
            if status >= REFUSED_FROM:
                tell(request, status)
        await send(message)

    return telling


def _noting_start(request: Request) -> Send:
    """A `send` which remembers that the answer began, and adds the request id to it."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            request.started = True
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", request.id.encode("ascii")),
            ]
        await request.send(message)

    return send


async def _send_not_allowed(request: Request, route: Route) -> None:
    allowed = sorted({*route.handlers, *({"HEAD"} if "GET" in route.handlers else ())})
    message = f"{request.method} is not offered here; {', '.join(allowed)} is"
    await send_json(
        request,
        error_body("method_not_allowed", message, request.id),
        405,
        [(b"allow", ", ".join(allowed).encode("ascii"))],
    )
