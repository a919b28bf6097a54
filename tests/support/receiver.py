"""Whoever a webhook is sent to: a small server on loopback that answers as a test wants."""

from __future__ import annotations

import bisect
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Delivered:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes
    at: float
    """When its connection was accepted."""
    order: int
    """Which of the accepted connections it came by."""


class Connection(BaseHTTPRequestHandler):
    """One connection; the ways to answer it badly."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        """Take the request, and answer as the receiver does."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Delivered(
            self.path, headers, body, *self.server.accepted[self.client_address[:2]]
        )
        owner = self.server.owner
        with owner.changed:
            bisect.insort(owner.requests, request, key=lambda each: each.order)
            owner.changed.notify_all()
        try:
            owner.answer(self, request)
        except OSError:
            self.close_connection = True

    do_GET = do_POST  # noqa: N815  The name that http.server calls.

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """End without an answer, as after a crash."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def hang(self) -> None:
        """Say nothing until the receiver is closed, or the other side goes."""
        self.connection.settimeout(0.05)
        while not self.server.owner.closed.is_set():
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
        self.close_connection = True

    def endless(self, status: int = 200, *, pause: float = 0.0) -> None:
        """An answer without end: as fast as it goes, or one byte at a time."""
        self.wfile.write(f"HTTP/1.1 {status} OK\r\nConnection: close\r\n\r\n".encode())
        piece = b"x" if pause else b"x" * 65_536
        while not self.server.owner.closed.wait(pause):
            self.wfile.write(piece)
            self.server.owner.sent_bytes += len(piece)
        self.close_connection = True


Answer = Callable[[Connection, Delivered], None]


def accept(connection: Connection, request: Delivered) -> None:
    """Thank you."""
    connection.reply(200, b"thanks")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    owner: Receiver
    accepted: dict[tuple[str, int], tuple[float, int]]
    """When, and as which, the connection from that address was accepted."""
    order: itertools.count[int]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the order here, where there is one thread; those that answer race each other."""
        self.accepted[client_address[:2]] = (time.monotonic(), next(self.order))
        super().process_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no surprise here."""


@dataclass
class Receiver:
    """Use it as a context; `requests` is what came in, in the order in which they were begun."""

    answer: Answer = accept
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Delivered] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    closed: threading.Event = field(default_factory=threading.Event)
    sent_bytes: int = 0

    def __enter__(self) -> Self:
        self._server = _Server((self.host, self.port), Connection)
        self._server.owner = self
        self._server.accepted = {}
        self._server.order = itertools.count()
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def wait_for(self, count: int, seconds: float = 120.0) -> list[Delivered]:
        """The first so many requests, once they are here.

        Raises:
            AssertionError: they are not here in time.
        """
        with self.changed:
            here = self.changed.wait_for(lambda: len(self.requests) >= count, seconds)
            assert here, f"Only {len(self.requests)} of {count} requests came in {seconds} s"
            return self.requests[:count]
