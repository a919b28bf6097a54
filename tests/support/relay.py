"""Ways to a server that refuse some requests, as a proxy would, or break, as a bad line does."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})


@dataclass
class Relay:
    """Where it listens, and what it passed on or refused: method and path of each request."""

    url: str
    passed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def relaying(netloc: str, refuses: Callable[[str], bool]) -> Iterator[Relay]:
    """Everything goes to the server, but paths that are refused are answered 403."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            line = f"{self.command} {self.path}"
            if refuses(self.path):
                relay.refused.append(line)
                self.answer(403, [], b"refused on the way")
                return
            relay.passed.append(line)
            connection = http.client.HTTPConnection(netloc, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            found = connection.getresponse()
            self.answer(found.status, found.getheaders(), found.read())
            connection.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = pass_on  # noqa: N815  The names that http.server calls.

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    relay = Relay(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def breaking(address: str, *, after_bytes: int, times: int) -> Iterator[tuple[str, list[int]]]:
    """A way to the server whose first long connections break off after so many bytes of theirs.

    Gives its address, and a list that grows by the bytes that had come at each break.
    """
    host, port = address.rpartition("/")[2].split(":")
    listening = socket.create_server(("127.0.0.1", 0))
    cuts: list[int] = []
    lock = threading.Lock()

    def carry(source: socket.socket, target: socket.socket, *, may_break: bool) -> None:
        came = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(16_384):
                came += len(piece)
                if may_break and came > after_bytes:
                    may_break = False
                    with lock:
                        ends = len(cuts) < times
                        if ends:
                            cuts.append(came)
                    if ends:
                        break
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def join_up(near: socket.socket) -> None:
        with near, socket.create_connection((host, int(port))) as far:
            back = threading.Thread(target=carry, args=(far, near), kwargs={"may_break": False})
            back.start()
            carry(near, far, may_break=True)
            back.join()

    lines: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                lines.append(threading.Thread(target=join_up, args=(near,)))
                lines[-1].start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", cuts
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()
        for each in lines:
            each.join()
