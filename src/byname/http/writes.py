"""How do many small changes share one commit? They queue for one thread, which commits them together.

While one batch is being synced to disk the next one gathers, so that under load the price of a
durable commit is divided among all who wait; alone, a change is committed at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from byname.domain.errors import Unavailable
from byname.store.database import Database, Outcome

T = TypeVar("T")
BATCH_MAX = 64
"""How many changes one commit carries at the most, so that none waits long for the others."""


@dataclass(slots=True)
class _Waiting:
    piece: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Writes:
    """The queue of changes and the thread that makes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Semaphore(0)
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writes", daemon=True)
        self._thread.start()

    async def run(self, piece: Callable[[], T]) -> T:
        """What the piece returned; when this answers, what it wrote is on disk.

        The piece runs in the writing thread, in a savepoint of its own: if it raises, nothing of it
        is kept, and this raises the same.

        Raises:
            Unavailable: the server is stopping.
        """
        if self._closed:
            raise Unavailable("The server is stopping; please try again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(piece, loop, future))
        self._wake.release()
        return await future

    def close(self) -> None:
        """Make what is waiting, then stop."""
        self._closed = True
        self._wake.release()
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._wake.acquire()
            batch: list[_Waiting] = []
            while self._waiting and len(batch) < BATCH_MAX:
                batch.append(self._waiting.popleft())
            for _ in batch[1:]:
                self._wake.acquire(blocking=False)
            if batch:
                outcomes = self._database.batch([waiting.piece for waiting in batch])
                self._tell(batch, outcomes)
            elif self._closed:
                return

    @staticmethod
    def _tell(batch: list[_Waiting], outcomes: list[Outcome]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Outcome]]] = {}
        for waiting, outcome in zip(batch, outcomes, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting, outcome))
        for loop, told in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, told)


def _settle(told: list[tuple[_Waiting, Outcome]]) -> None:
    for waiting, outcome in told:
        if waiting.future.done():
            continue
        if outcome.error is not None:
            waiting.future.set_exception(outcome.error)
        else:
            waiting.future.set_result(outcome.value)
