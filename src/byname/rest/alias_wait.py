"""`GET .../aliases/NAME?wait=55s`: the answer comes when the alias moves (issue 5, point 6)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from byname.domain.collection import Collection
from byname.domain.errors import NotFound, Unprocessable, missing
from byname.domain.project import Project
from byname.domain.watch import Wanted, parse_wait
from byname.http.message import App, Request, encode_json, send_empty, send_json_bytes
from byname.http.router import hand_over
from byname.http.watchers import Watchers, watch_for_the_end
from byname.operations import alias_move
from byname.rest.alias import Alias, etag_of, matches_etag
from byname.rest.collection import find
from byname.rest.hearing import Hearing

PLACE = ("organization", "registry", "collection")


@dataclass(frozen=True, slots=True)
class _State:
    """The alias as it is, ready to be answered."""

    etag: str
    body: bytes


class AliasWait:
    """The route. Who does not wait is answered by the framework's, below."""

    def __init__(self, hearing: Hearing, watchers: Watchers, api: App) -> None:
        self._hearing = hearing
        self._watchers = watchers
        self._api = api

    async def handle(self, request: Request) -> None:
        """Answer once the alias is not as `If-None-Match` says, or 304 at the end of the time.

        Without `If-None-Match`: once somebody holds it, or 404. The asker's role is looked up again
        just before the answer. No thread is held meanwhile.

        Raises:
            NotFound: the collection is absent or hidden; or nobody holds the alias any more.
            Unauthenticated: there is no key, or none that is valid.
            Unavailable: too many are waiting.
            Unprocessable: the time cannot be read, or a past time was asked for too.
        """
        wait = request.query("wait")
        if wait is None:
            await hand_over(request, self._api)
            return
        seconds = parse_wait(wait)
        if request.query("at") is not None:
            raise Unprocessable("The past does not change: wait and at exclude each other")
        known = _known(request)
        project, collection = self._find(request)
        wanted = Wanted(project.id, collection.id, request.params["alias"])
        end = time.monotonic() + seconds
        with self._watchers.join(wanted) as watcher:
            gone = asyncio.create_task(watch_for_the_end(request, watcher))
            try:
                while True:
                    state = self._state(request)
                    left = end - time.monotonic()
                    if _is_news(state, known) or left <= 0 or watcher.gone:
                        break
                    await watcher.wait(left)
                    watcher.place = watcher.end
            finally:
                gone.cancel()
        if state is None:
            raise missing(
                f"Alias {request.params['alias'][:200]!r} of {project.place}/{collection.name}"
            )
        etag = [(b"etag", state.etag.encode("ascii"))]
        if _is_news(state, known):
            await send_json_bytes(request, state.body, headers=etag)
        else:
            await send_empty(request, 304, etag)

    def _find(self, request: Request) -> tuple[Project, Collection]:
        """The registry and the collection, if whoever asks may see them now."""
        names = [request.params[each] for each in PLACE]
        question = ("place", request.header(b"authorization"), *names)
        return self._hearing.remembered.get(
            question, lambda: find(self._hearing.context(request), *names)
        )

    def _state(self, request: Request) -> _State | None:
        """The alias as it is, read once for all who wait for it; None: nobody holds it.

        Raises:
            NotFound: the collection is absent, or hidden from whoever asks.
        """
        names = (*(request.params[each] for each in PLACE), request.params["alias"])
        # Who waits with the same key is answered by the same look.
        question = ("state", request.header(b"authorization"), *names)
        (state,) = self._hearing.remembered.get(question, lambda: (self._read(request),))
        return state

    def _read(self, request: Request) -> _State | None:
        project, collection = self._find(request)
        name = request.params["alias"]

        def read() -> tuple[_State | None]:
            try:
                found = alias_move.get(self._hearing.context(request), project, collection, name)
            except NotFound:
                return (None,)
            body = encode_json(Alias.of(found).model_dump(mode="json"))
            return (_State(etag_of(found), body),)

        (state,) = self._hearing.remembered.get(("alias", collection.id, name), read)
        return state


def _is_news(state: _State | None, known: str | None) -> bool:
    """Whether there is something to say to one who knows this."""
    if state is None:
        return known is not None
    return known is None or not matches_etag(known, state.etag)


def _known(request: Request) -> str | None:
    header = request.header(b"if-none-match")
    return None if header is None else header.decode("latin-1")
