"""A small server over real sockets, with a store behind it, for the tests of this folder."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from byname.blobs.local import LocalBlobStore
from byname.http.body import read_json, receive_into
from byname.http.connection import Deadlines
from byname.http.content import send_blob
from byname.http.message import App, Receive, Request, Scope, Send, send_bytes, send_json
from byname.http.router import Router
from byname.http.server import HttpServer

UPLOAD_BYTES_MAX = 1 << 30
PATIENCE_SECONDS = 90
"""How long anything is waited for that comes sooner on the slowest machine."""


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return str(orjson.loads(self.body)["error"]["code"])


@dataclass(slots=True)
class Site:
    """A running server and how to talk to it."""

    store: LocalBlobStore
    root: Path
    server: HttpServer

    @property
    def netloc(self) -> str:
        return self.server.address.removeprefix("http://")

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A raw connection."""
        host, _, port = self.netloc.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)

    @property
    def at_rest(self) -> bool:
        """Whether every connection that was accepted has ended, and all that it began."""
        state = self.server._server.server_state
        return not state.connections and not state.tasks

    def raw(self, request: bytes) -> bytes:
        """Everything the server sends until it closes, after these bytes."""
        with self.connect() as sock:
            sock.sendall(request)
            return read_to_end(sock)

    def left_behind(self) -> list[str]:
        """All files of the store."""
        return sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()
        )


def read_to_end(sock: socket.socket) -> bytes:
    pieces = []
    try:
        while piece := sock.recv(65_536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def read_answer(sock: socket.socket) -> bytes:
    """One whole answer, in however many pieces it comes; empty where the server has closed."""
    found = b""
    while piece := sock.recv(65_536):
        found += piece
        head, end, body = found.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().split(b"content-length: ")[1].split()[0]):
            break
    return found


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def without_extensions(app: App) -> App:
    """The application as it would run on a server which offers no short cuts."""

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        scope.pop("extensions", None)
        await app(scope, receive, send)

    return plain


def routes(site_store: LocalBlobStore) -> Router:
    async def upload(request: Request) -> None:
        length = request.query("length")
        blob = await receive_into(
            request,
            site_store.begin(1),
            limit=UPLOAD_BYTES_MAX,
            expected_length=None if length is None else int(length),
            expected_md5=request.query("md5"),
        )
        await send_json(request, {"sha256": blob.sha256, "md5": blob.md5, "size": blob.size})

    async def download(request: Request) -> None:
        reader = site_store.open(1, request.params["sha256"])
        await send_blob(request, reader, filename=request.query("name") or "file")

    async def echo(request: Request) -> None:
        await send_json(request, await read_json(request))

    async def refuse(request: Request) -> None:
        await send_bytes(request, 403, b"no", [(b"content-type", b"text/plain")])

    async def crash(request: Request) -> None:
        raise RuntimeError("secret detail")

    router = Router()
    router.add("PUT", "/upload", upload)
    router.add("GET", "/blob/{sha256}", download)
    router.add("POST", "/echo", echo)
    router.add("PUT", "/refuse", refuse)
    router.add("GET", "/crash", crash)
    return router


@contextmanager
def serving(
    root: Path,
    *,
    deadlines: Deadlines | None = None,
    wrap: Callable[[App], App] = lambda app: app,
) -> Iterator[Site]:
    store = LocalBlobStore(root)
    server = HttpServer(wrap(routes(store)), deadlines=deadlines)
    server.start()
    try:
        yield Site(store, root, server)
    finally:
        server.stop()
        store.close()


@pytest.fixture(scope="module", params=["shortcuts", "plain"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    wrap = without_extensions if request.param == "plain" else (lambda app: app)
    with serving(tmp_path_factory.mktemp("site") / "data", wrap=wrap) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    """The server with its short cuts for bytes, and without them; its store is empty."""
    until(lambda: running.at_rest)
    for name in running.left_behind():
        (running.root / name).unlink()
    return running


PATIENT = Deadlines(
    headers_seconds=3_600,
    idle_seconds=3_600,
    window_seconds=3_600,
    window_bytes_min=1_000,
    linger_seconds=3_600,
)
"""Longer than any test takes: who ends a connection all the same does it for another reason."""
