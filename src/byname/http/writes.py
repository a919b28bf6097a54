"""How do many small changes share one commit? They queue for one thread, which commits them together.

While one batch is being synced to disk the next one gathers, so that under load the price of a
durable commit is divided among all who wait. A change that is alone is made at once by the event
loop's own thread, which saves two changes of thread, as long as commits are quick on this disk.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from byname.domain.errors import Unavailable
from byname.store.database import Database, Outcome

T = TypeVar("T")
BATCH_MAX = 64
"""How many changes one commit carries at the most, so that none waits long for the others."""
INLINE_SECONDS_MAX = 0.003
"""Up to this usual length of a commit the event loop may make one itself."""


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
        self._busy = False
        self._lock = threading.Lock()
        self._usual_seconds = 0.0
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
        waiting = _Waiting(piece, loop, future)
        self._waiting.append(waiting)
        if self._may_go_alone():
            # One turn of the loop lets requests that have arrived already join in.
            await asyncio.sleep(0)
            if self._may_go_alone() and self._go_alone(waiting):
                return await future
        self._wake.release()
        return await future

    def _may_go_alone(self) -> bool:
        return (
            len(self._waiting) == 1 and not self._busy and self._usual_seconds < INLINE_SECONDS_MAX
        )

    def _go_alone(self, waiting: _Waiting) -> bool:
        """Make the one waiting change here and now; False when somebody else is writing."""
        with self._lock:
            if len(self._waiting) != 1 or self._waiting[0] is not waiting:
                return False
            self._waiting.clear()
        outcomes = self._make([waiting], wait=False)
        if outcomes is None:
            self._waiting.appendleft(waiting)
            return False
        _settle([(waiting, outcomes[0])])
        return True

    def _make(self, batch: list[_Waiting], *, wait: bool) -> list[Outcome] | None:
        began = time.monotonic()
        outcomes = self._database.batch([waiting.piece for waiting in batch], wait=wait)
        if outcomes is not None:
            self._usual_seconds += (time.monotonic() - began - self._usual_seconds) / 8
        return outcomes

    def close(self) -> None:
        """Make what is waiting, then stop."""
        self._closed = True
        self._wake.release()
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._wake.acquire()
            batch: list[_Waiting] = []
            with self._lock:
                while self._waiting and len(batch) < BATCH_MAX:
                    batch.append(self._waiting.popleft())
            for _ in batch[1:]:
                self._wake.acquire(blocking=False)
            if batch:
                self._busy = True
                outcomes = self._make(batch, wait=True)
                self._busy = False
                self._tell(batch, outcomes or [])
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
