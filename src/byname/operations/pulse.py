"""Who waits until something is committed? One thread of a process looks for all of them.

SQLite tells nobody that another process has committed; but asking costs a few microseconds. So one
thread asks some fifty times a second while somebody waits, and not at all while nobody does. Whoever
waits is woken by a commit of any process on this database, also by one that does not concern them.

How it is used, from a thread (`wait`) or from an event loop (`wait_async`): take the beat first, then
read, then wait for the next beat. A commit in between is never missed:

    beat = 0
    while not pulse.closed:
        beat = pulse.beat
        ... read what is new ...
        pulse.wait(beat, seconds=60)
"""

from __future__ import annotations

import asyncio
import logging
import threading

from byname.store.database import Database

logger = logging.getLogger("byname.pulse")

LOOK_SECONDS = 0.02
"""How long after a commit those who wait learn of it, at the most and on an idle machine."""
REST_SECONDS = 1.0
"""How long the thread rests when the database could not be asked."""


class Pulse:
    """Beats after each commit, as long as somebody waits for one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Condition()
        self._beat = 0
        self._waiting_threads = 0
        self._futures: dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]] = {}
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def beat(self) -> int:
        """Taken before one reads; given to `wait` afterwards."""
        return self._beat

    @property
    def closed(self) -> bool:
        """Whether the server stops: then waiting ends at once."""
        return self._closed.is_set()

    def wait(self, beat: int, seconds: float) -> bool:
        """Return once something was committed since `beat` was taken; False at the end of the time.

        Returns at once, with True, where the pulse is closed.
        """
        with self._lock:
            self._waiting_threads += 1
            try:
                self._look_out()
                return self._lock.wait_for(lambda: self._beat != beat or self.closed, seconds)
            finally:
                self._waiting_threads -= 1

    async def wait_async(self, beat: int, seconds: float) -> bool:
        """As `wait`, for an event loop; holds no thread."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._beat != beat or self.closed:
                return True
            future: asyncio.Future[None] = loop.create_future()
            self._futures.setdefault(loop, set()).add(future)
            self._look_out()
        try:
            async with asyncio.timeout(seconds):
                await future
            return True
        except TimeoutError:
            return False
        finally:
            self._forget(loop, future)

    def close(self) -> None:
        """Wake everybody for the last time; no thread is left when this returns."""
        with self._lock:
            self._closed.set()
            self._wake()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _forget(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
        with self._lock:
            futures = self._futures.get(loop)
            if futures is not None:
                futures.discard(future)
                if not futures:
                    del self._futures[loop]

    def _look_out(self) -> None:
        """The thread runs and does not sleep. Called with the lock held."""
        if self._thread is None and not self.closed:
            self._thread = threading.Thread(target=self._work, name="pulse", daemon=True)
            self._thread.start()
        self._lock.notify_all()

    def _work(self) -> None:
        seen = -1
        while True:
            with self._lock:
                # Beats are missed here, but none is lost: the revision differs at the next look.
                self._lock.wait_for(lambda: self._waiting_threads or self._futures or self.closed)
            if self.closed:
                return
            pause = LOOK_SECONDS
            try:
                revision = self._database.revision()
            except Exception:
                logger.exception("The database could not be asked for its revision")
                revision, pause = seen - 1, REST_SECONDS
            if revision != seen:
                seen = revision
                with self._lock:
                    self._wake()
            self._closed.wait(pause)

    def _wake(self) -> None:
        """One more beat, for all who wait. Called with the lock held."""
        self._beat += 1
        self._lock.notify_all()
        waiting, self._futures = self._futures, {}
        for loop, futures in waiting.items():
            try:
                loop.call_soon_threadsafe(_settle, futures)
            except RuntimeError:
                # That loop is closed, and with it whoever waited.
                logger.debug("An event loop ended while somebody waited in it")


def _settle(futures: set[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
