"""How soon do a thousand who watch one name learn that it moved?

All of them are connections of this one process, which shares the processor with the server. The time
runs from just before the request that moves the name is sent, until a watcher's bytes are here.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from benchmarks import load
from benchmarks.load import Request, Timing, WrongAnswerError
from benchmarks.process import Address

MOVES = 5
QUIET_SECONDS = 1.0
"""How long after the last of them asked a name is moved: nobody can see when a request waits."""
PATIENCE_SECONDS = 30.0
_ETAG = re.compile(rb"\r\netag: *(\"\d+\")", re.IGNORECASE)


def by_events(address: Address, asked: Request, count: int, moves: Iterator[Request]) -> Timing:
    """Every watcher has a stream of events; each move is told to all of them."""
    with closing(_Crowd(address, count)) as crowd:
        crowd.send(asked.head)
        crowd.receive(lambda text: b"\nid: " in text)
        return crowd.measure(
            lambda: _move(address, moves),
            lambda text: b'"kind":"alias:move"' in text and text.endswith(b"\n\n\r\n"),
            lambda: None,
        )


def by_waiting(
    address: Address,
    known: Callable[[bytes], Request],
    etag: bytes,
    count: int,
    moves: Iterator[Request],
) -> Timing:
    """Every watcher has a request that waits; each move answers all of them, and they ask again."""
    with closing(_Crowd(address, count)) as crowd:
        crowd.send(known(etag).head)

        def ask_again() -> None:
            found = _ETAG.search(crowd.last)
            if found is None:
                raise WrongAnswerError(f"A wait was answered with {crowd.last[:1500]!r}")
            crowd.send(known(found[1]).head)

        return crowd.measure(
            lambda: _move(address, moves),
            lambda text: text.startswith(b"HTTP/1.1 200") and text.endswith(b"}"),
            ask_again,
        )


def first_etag(address: Address, asked: Request) -> bytes:
    """The `ETag` of the alias as it is, of which the asker knows another."""
    with closing(_Crowd(address, 1)) as crowd:
        crowd.send(asked.head)
        crowd.receive(lambda text: text.endswith(b"}"))
        found = _ETAG.search(crowd.last)
    if found is None:
        raise WrongAnswerError(f"The alias was answered with {crowd.last[:1500]!r}")
    return found[1]


def _move(address: Address, moves: Iterator[Request]) -> None:
    load.run(address, [iter([next(moves)])], expect=b'"success":true')


class _Crowd:
    """Many connections, and what came over each."""

    def __init__(self, address: Address, count: int) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._texts: dict[int, bytes] = {}
        self.last = b""
        for _ in range(count):
            opened = socket.create_connection(address, timeout=10)
            self._sockets[opened.fileno()] = opened
            self._poll.register(opened.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """All connections are closed."""
        self._poll.close()
        for each in self._sockets.values():
            each.close()

    def send(self, text: bytes) -> None:
        """Each asks that."""
        for each in self._sockets.values():
            each.sendall(text)

    def receive(self, whole: Callable[[bytes], bool]) -> list[float]:
        """When what each was told was whole."""
        self._texts = dict.fromkeys(self._sockets, b"")
        missing = set(self._sockets)
        at: list[float] = []
        end = time.perf_counter() + PATIENCE_SECONDS
        while missing:
            ready = self._poll.poll(max(0.0, end - time.perf_counter()))
            if not ready:
                raise WrongAnswerError(f"{len(missing)} watchers were told nothing")
            for number, _ in ready:
                piece = self._sockets[number].recv(65536)
                if not piece:
                    raise WrongAnswerError(f"The server ended with {self._texts[number][-1500:]!r}")
                self._texts[number] += piece
                if number in missing and whole(self._texts[number]):
                    missing.discard(number)
                    at.append(time.perf_counter())
                    self.last = self._texts[number]
        return at

    def measure(
        self, move: Callable[[], None], whole: Callable[[bytes], bool], again: Callable[[], None]
    ) -> Timing:
        """How long each was in learning of each of a few moves."""
        latencies: list[float] = []
        seconds = 0.0
        for number in range(MOVES):
            time.sleep(QUIET_SECONDS)
            begin = time.perf_counter()
            move()
            at = self.receive(whole)
            seconds += max(at) - begin
            latencies += [each - begin for each in at]
            if number < MOVES - 1:
                again()
        return Timing(len(latencies), seconds, latencies)
