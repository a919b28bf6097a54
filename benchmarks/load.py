"""How many requests a second does a server answer over N kept-alive connections, and how soon?

A client of our own on plain sockets and epoll: it shares the processor with the server, so it does
nothing it need not do. A request is bytes made beforehand; of an answer it reads the status and the
length, and looks for the bytes that a right answer contains.
"""

from __future__ import annotations

import re
import select
import socket
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.process import Address

STALLED_SECONDS = 120.0
BUFFER_BYTES = 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class WrongAnswerError(Exception):
    """A server answered something else than it should; such a run has no figure."""


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of one request, in two pieces so that large bodies can be shared."""

    head: bytes
    body: bytes | memoryview = b""


@dataclass(slots=True)
class Timing:
    """What a run came to."""

    count: float
    """Operations, or GB."""
    seconds: float
    latencies: list[float] = field(default_factory=list)
    """Seconds, one for each operation."""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    requests: Iterator[Request]
    unsent: memoryview | None = None
    rest: bytes | memoryview = b""
    started: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    wanted: int = 0
    """Bytes of the whole answer; 0 until its head was read, -1 when it comes in chunks."""


def request(
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | memoryview = b"",
    *,
    prefix: bytes = b"",
    size_bytes: int = 0,
) -> Request:
    """An HTTP/1.1 request for a server on this machine; the body is `prefix` and then `body`.

    With `size_bytes` only its head, for a body of that size which is sent by other hands.
    """
    length = size_bytes or len(prefix) + len(body)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    if length or method not in {"GET", "DELETE"}:
        lines.append(f"Content-Length: {length}")
    return Request("\r\n".join(lines).encode() + b"\r\n\r\n" + prefix, body)


def deal(requests: Sequence[Request], connections: int) -> list[Iterator[Request]]:
    """The requests dealt out evenly, each to be sent once."""
    return [iter(requests[number::connections]) for number in range(connections)]


def run(
    address: Address,
    streams: Sequence[Iterator[Request]],
    *,
    seconds: float = 0.0,
    operations: int = 0,
    expect: bytes = b"",
) -> Timing:
    """Each connection sends its stream, one request after the answer to the one before.

    Ends when `seconds` have passed or `operations` were started (0: no such limit), or when every
    stream is empty; what is under way then is waited for.

    Raises:
        WrongAnswerError: a status other than 2xx, or an answer that does not contain `expect`.
    """
    poll = select.epoll()
    connections: dict[int, _Connection] = {}
    try:
        for stream in streams:
            opened = _open(address)
            connections[opened.fileno()] = _Connection(opened, stream)
            poll.register(opened.fileno(), select.EPOLLIN)
        return _drive(poll, connections, seconds, operations, expect)
    finally:
        poll.close()
        for connection in connections.values():
            connection.socket.close()


def _open(address: Address) -> socket.socket:
    opened = socket.create_connection(address, timeout=10)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    opened.setblocking(False)
    return opened


def _drive(
    poll: select.epoll,
    connections: dict[int, _Connection],
    seconds: float,
    operations: int,
    expect: bytes,
) -> Timing:
    clock = time.perf_counter
    latencies: list[float] = []
    busy = started = 0
    begin = clock()
    end = begin + seconds if seconds else float("inf")
    most = operations or float("inf")
    for number, connection in connections.items():
        if started < most and _send_next(poll, number, connection):
            started += 1
            busy += 1
    while busy:
        events = poll.poll(STALLED_SECONDS)
        if not events:
            raise WrongAnswerError(f"No answer within {STALLED_SECONDS:.0f} s")
        for number, event in events:
            connection = connections[number]
            if event & select.EPOLLOUT:
                _send_rest(poll, number, connection)
            if not event & ~select.EPOLLOUT:
                continue
            if not _receive(connection):
                continue
            now = clock()
            latencies.append(now - connection.started)
            _check(connection.answer, expect)
            busy -= 1
            if now < end and started < most and _send_next(poll, number, connection):
                started += 1
                busy += 1
    return Timing(len(latencies), clock() - begin, latencies)


def _send_next(poll: select.epoll, number: int, connection: _Connection) -> bool:
    following = next(connection.requests, None)
    if following is None:
        return False
    connection.answer = bytearray()
    connection.wanted = 0
    connection.started = time.perf_counter()
    try:
        sent = connection.socket.sendmsg((following.head, following.body))
    except BlockingIOError:
        sent = 0
    if sent < len(following.head) + len(following.body):
        head = memoryview(following.head)[sent:]
        connection.unsent = head if len(head) else None
        connection.rest = memoryview(following.body)[max(0, sent - len(following.head)) :]
        poll.modify(number, select.EPOLLIN | select.EPOLLOUT)
    return True


def _send_rest(poll: select.epoll, number: int, connection: _Connection) -> None:
    try:
        if connection.unsent is not None:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
            if len(connection.unsent):
                return
            connection.unsent = None
        if len(connection.rest):
            connection.rest = connection.rest[connection.socket.send(connection.rest) :]
    except BlockingIOError:
        return
    if not len(connection.rest):
        poll.modify(number, select.EPOLLIN)


def _receive(connection: _Connection) -> bool:
    """Whether the whole answer is here."""
    try:
        piece = connection.socket.recv(BUFFER_BYTES)
    except BlockingIOError:
        return False
    answer = connection.answer
    if not piece:
        raise WrongAnswerError(
            f"The connection was closed in the middle of {bytes(answer[:300])!r}"
        )
    answer += piece
    if connection.wanted == 0:
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = answer[: end + 2]
        length = _LENGTH.search(head)
        if length is not None:
            connection.wanted = end + 4 + int(length[1])
        elif _CHUNKED.search(head):
            connection.wanted = -1
        elif head[9:12] == b"204":
            connection.wanted = end + 4
        else:
            raise WrongAnswerError(f"An answer without a length: {bytes(head)!r}")
    if connection.wanted == -1:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= connection.wanted


def _check(answer: bytearray, expect: bytes) -> None:
    if answer[9:10] == b"2" and (not expect or expect in answer or expect in _plain(answer)):
        return
    raise WrongAnswerError(f"Expected 2xx with {expect!r}, got {bytes(answer[:1500])!r}")


def _plain(answer: bytearray) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"content-encoding: gzip" not in head.lower():
        return b""
    try:
        return zlib.decompress(body, wbits=31)
    except zlib.error:
        return b""
