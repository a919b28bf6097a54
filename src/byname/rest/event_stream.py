"""`GET /api/v1/events`: what happens, as it happens, as Server-Sent Events (issue 5, point 6)."""

from __future__ import annotations

import asyncio
from typing import Any

from byname.domain.errors import Unauthenticated
from byname.domain.history import Cursor
from byname.domain.watch import Wanted, parse_kinds, parse_place
from byname.http.message import ClientGone, Header, Request, send_start
from byname.http.watchers import Event, Watcher, Watchers, watch_for_the_end
from byname.operations import watch as operations
from byname.rest.hearing import Hearing

HEARTBEAT_SECONDS = 15.0
"""Often enough that no proxy takes a silent stream for a dead one."""
SEND_SECONDS_MAX = 20.0
"""A client who takes longer to fetch what was sent is cut off; they can go on where they were."""
PIECE_BYTES_MAX = 64 << 10
RETRY_MILLISECONDS = 2_000

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would else gather events until its buffer is full.
    (b"x-accel-buffering", b"no"),
)


class Events:
    """The route."""

    def __init__(self, hearing: Hearing, watchers: Watchers) -> None:
        self._hearing = hearing
        self._watchers = watchers

    async def handle(self, request: Request) -> None:
        """Tell all that is wanted and may be seen, until the client goes or the server stops.

        Raises:
            NotFound: the registry or collection is absent or hidden.
            Unauthenticated: there is no key, or none that is valid.
            Unavailable: too many are watching.
            Unprocessable: what is wanted, or the place to go on from, cannot be read; or nothing has
                happened yet at that place.
        """
        ctx = self._hearing.context(request)
        place = _place(request)
        operations.check_place(ctx, place)
        wanted = operations.find_wanted(
            ctx,
            registry_place=request.query("registry"),
            collection_name=request.query("collection"),
            alias=request.query("alias"),
            kinds=parse_kinds(request.queries("kind")),
        )
        with self._watchers.join(wanted, place) as watcher:
            gone = asyncio.create_task(watch_for_the_end(request, watcher))
            try:
                await send_start(request, 200, list(HEADERS))
                await _send(request, b"retry: %d\nid: %s\n\n" % _start(watcher.place))
                await self._tell(request, wanted, watcher)
                await request.send({"type": "http.response.body", "body": b""})
            finally:
                gone.cancel()

    async def _tell(self, request: Request, wanted: Wanted, watcher: Watcher) -> None:
        heard = True
        while not watcher.gone:
            events = await self._watchers.take(watcher) if heard else []
            try:
                text = self._heard(request, wanted, events)
            except Unauthenticated:
                return
            if text is None:
                # To ask again is how they learn why.
                return
            if not heard:
                await _send(request, b": still here\n\n")
            for piece in _pieces(text):
                await _send(request, piece)
            heard = await watcher.wait(HEARTBEAT_SECONDS)

    def _heard(self, request: Request, wanted: Wanted, events: list[Event]) -> list[bytes] | None:
        """Those of the events that may be told now; None when there will be none any more.

        Raises:
            Unauthenticated: the key is not valid any more.
        """
        if wanted.project_id is not None:
            # All are of that one place.
            may = self._hearing.may_hear(request, wanted.project_id)
            return [each.text for each in events] if may else None
        if not events:
            self._hearing.context(request)
        return [each.text for each in events if self._hearing.may_hear(request, each.project_id)]


def _place(request: Request) -> Cursor | None:
    header = request.header(b"last-event-id")
    text = request.query("after") if header is None else header.decode("latin-1")
    return None if not text else parse_place(text)


def _start(place: Cursor) -> tuple[int, bytes]:
    return RETRY_MILLISECONDS, place.text.encode("ascii")


def _pieces(texts: list[bytes]) -> list[bytes]:
    """The texts joined, in pieces that are not much larger than a send buffer."""
    if len(texts) < 2:
        return texts
    pieces: list[bytes] = []
    gathered: list[bytes] = []
    size = 0
    for text in texts:
        gathered.append(text)
        size += len(text)
        if size >= PIECE_BYTES_MAX:
            pieces.append(b"".join(gathered))
            gathered, size = [], 0
    return [*pieces, b"".join(gathered)] if gathered else pieces


async def _send(request: Request, body: bytes) -> None:
    """Send a part of the answer.

    Raises:
        ClientGone: the client does not fetch what was sent before.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await request.send({"type": "http.response.body", "body": body, "more_body": True})
    except TimeoutError:
        raise ClientGone from None


def _query(name: str, description: str, example: str, *, many: bool = False) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "array", "items": text} if many else text,
        "example": [example] if many else example,
    }


EXAMPLE = """\
retry: 2000
id: 41.118

id: 42.0
event: alias:move
data: {"id":"42.0","kind":"alias:move","at":"2026-01-02T15:04:05.123456Z","entity":"acme",\
"registry":"Model","project":"wandb-registry-Model","collection":"Zoo","subject":"production",\
"version":"v4","digest":"6a1f...","before":"v3","after":"v4","revision":7,"actor":"ann",\
"face":"sdk","cause":"edit"}

: still here

"""

DESCRIPTION: dict[str, Any] = {
    "get": {
        "tags": ["events"],
        "summary": "What happens, as it happens",
        "description": "A stream of Server-Sent Events (`text/event-stream`) that goes on until you "
        "leave: every change in the registries and projects that you may see at that moment, in the "
        "order of the commits, each once. `data` is one JSON object:\n\n"
        "- `id`: the event's place; send it as `Last-Event-ID` (or `?after=`) to go on behind it.\n"
        "- `kind`: `alias:add`, `alias:move`, `alias:remove`, `link:create`, `link:delete`, "
        "`version:...`, `collection:...`, `member:...`, `protected_alias:...`; also the name of "
        "the event (`event:`).\n"
        "- `at`, `actor`, `face` (sdk, rest, cli, web, server), `cause`: when, who, through what, "
        "why.\n"
        "- `entity`, `registry` (null in a team's project), `project`, `collection`: where.\n"
        "- `subject`: what it happened to, of aliases the alias; `version` and `digest`: the "
        "version that it is about, of aliases the one that holds it now.\n"
        "- `before`, `after`: what was and what is. `revision`: the alias's.\n\n"
        "A line `: still here` comes every 15 seconds when nothing happens. Without a place the "
        "stream begins now; its first lines say where that is. Losing a role ends or thins the "
        "stream at once. Who fetches too slowly is cut off and can go on from the last id.",
        "operationId": "stream_events",
        "parameters": [
            _query("registry", "In this registry only: `ORGANIZATION/REGISTRY`.", "acme/Model"),
            _query("collection", "In this collection of the registry only.", "Zoo"),
            _query("alias", "About this alias only.", "production"),
            _query(
                "kind",
                "Of these kinds only: `alias:move`, or `alias` for all of them.",
                "alias",
                many=True,
            ),
            _query("after", "Go on behind this event's id; `0`: from the beginning.", "41.118"),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "As `after`; browsers and libraries send it by themselves.",
                "schema": {"type": "string"},
            },
        ],
        "responses": {
            "200": {
                "description": "The stream.",
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}
                },
            },
            **{
                status: {
                    "description": text,
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
                for status, text in (
                    ("401", "No API key, or not a valid one"),
                    ("404", "The registry or collection does not exist, or you have no access"),
                    (
                        "422",
                        "What is wanted, or the place to go on from, cannot be read or is not there yet",
                    ),
                    ("503", "Too many are watching this server already"),
                )
            },
        },
    }
}
"""This route in the OpenAPI document: it is answered before the framework, which cannot know it."""
