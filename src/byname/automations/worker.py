"""The work that goes on by itself: look through what happened, and deliver what is due.

One worker in each process, in the sender's thread. No receiver delays another's deliveries: every
integration has its own few places, and all of them together have many, of which those that hang can
never take all.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from byname.automations.sender import Sender
from byname.domain.delivery import IN_ORDER_SECONDS, TIMEOUT_SECONDS, Reply
from byname.domain.execution import Due
from byname.operations import delivery
from byname.operations.context import Context, PageOf
from byname.operations.delivery import Taken
from byname.operations.dispatch import Dispatcher
from byname.operations.lease import Watch
from byname.operations.pulse import Pulse

logger = logging.getLogger("byname.automations")

T = TypeVar("T")

PLACES = 128
"""How many requests are out at the same time."""
PLACES_OF_ONE = 4
"""How many of them to one webhook or Slack channel."""
PLACES_FOR_SECONDS = PLACES // 2
"""Only while fewer are taken does a receiver get another one beside its first."""
PLACES_FOR_SLOW = PLACES * 3 // 4
"""Only while fewer are taken does a receiver get one that was slow the last time."""
SLOW_SECONDS = 1.0
IDLE_SECONDS = 1.0
"""How long nothing is looked at when nothing is committed and nothing becomes due."""
UNUSED_SECONDS = 0.2
"""How often one looks whether there is an automation by now, while there is none."""
AFTER_FAILURE_SECONDS = 1.0
STOP_SECONDS = TIMEOUT_SECONDS + 1.0


class Worker:
    """Dispatches and delivers until it is stopped."""

    def __init__(self, ctx: Context, sender: Sender, pulse: Pulse, page_of: PageOf) -> None:
        self._ctx = ctx.acting(None, "server")
        self._sender = sender
        self._pulse = pulse
        self._dispatcher = Dispatcher(page_of)
        self._owner = uuid.uuid4().hex
        self._watch = Watch()
        self._threads = concurrent.futures.ThreadPoolExecutor(2, "automations-rows")
        self._stopping = False
        self._ended = False
        """A delivery came to an end: look at once for the next one."""
        self._waker: asyncio.Task[bool] | None = None
        self._out: dict[asyncio.Task[None], tuple[int, float]] = {}
        """The requests that are out: to which integration, and since when."""
        self._slow: set[int] = set()
        """The integrations that were slow the last time."""
        self._done_with: list[tuple[Due, Reply]] = []
        """What came back and is not written down yet."""
        self._done: concurrent.futures.Future[None] | None = None

    def start(self) -> None:
        """It works from now on."""
        self._done = asyncio.run_coroutine_threadsafe(self._run(), self._sender.loop)

    def stop(self) -> None:
        """It has stopped: requests that are out were waited for, the rest is free for others."""
        if self._done is None:
            return
        self._sender.loop.call_soon_threadsafe(self._stop)
        self._done.result()
        self._done = None
        self._threads.shutdown()

    def _stop(self) -> None:
        self._stopping = True
        self._wake()

    def _wake(self) -> None:
        self._ended = True
        if self._waker is not None:
            self._waker.cancel()

    async def _rows(self, piece: Callable[..., T], *args: object, **more: object) -> T:
        """What a piece of work with the database came to, done in a thread of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: piece(*args, **more))

    async def _run(self) -> None:
        while not (self._stopping or self._pulse.closed):
            beat = self._pulse.beat
            self._ended = False
            try:
                more = await self._look()
            except Exception:
                logger.exception("Automations could not be looked after; it is tried again")
                await self._pause(beat, AFTER_FAILURE_SECONDS, on_commit=False)
                continue
            if not more:
                await self._rest(beat)
        if self._out:
            await asyncio.wait(self._out, timeout=STOP_SECONDS)
        for task in list(self._out):
            task.cancel()
        with contextlib.suppress(Exception):
            await self._rows(
                delivery.turn, self._ctx, self._owner, self._done_with, busy=[], limit=0
            )
        with contextlib.suppress(Exception):
            await self._rows(delivery.release, self._ctx, self._owner)

    async def _look(self) -> bool:
        """Dispatch and take what is there; whether there may be more at once."""
        more = await self._rows(self._dispatcher.run, self._ctx)
        freed = await self._rows(self._watch.look, self._ctx)
        if freed:
            logger.warning("%d deliveries were left by a worker; they are made again", freed)
        done, self._done_with = self._done_with, []
        try:
            taken, lost = await self._rows(
                delivery.turn,
                self._ctx,
                self._owner,
                done,
                busy=self._busy(),
                limit=self._free(),
            )
        except BaseException:
            # Nothing of it was written down, so that it is tried again.
            self._done_with = [*done, *self._done_with]
            raise
        for due in lost:
            logger.warning("Delivery %s took too long; it was made again", due.delivery_id)
        for each in taken:
            task = asyncio.get_running_loop().create_task(self._deliver(each))
            self._out[task] = (each.due.integration_id, time.monotonic())
            task.add_done_callback(self._came_back)
        return more or bool(taken)

    def _busy(self) -> list[int]:
        """The integrations that get nothing more just now."""
        now = time.monotonic()
        counts: dict[int, int] = {}
        waited_for = set()
        for integration_id, since in self._out.values():
            counts[integration_id] = counts.get(integration_id, 0) + 1
            if now - since < IN_ORDER_SECONDS:
                waited_for.add(integration_id)
        busy = {each for each, n in counts.items() if n >= PLACES_OF_ONE or each in waited_for}
        if len(self._out) >= PLACES_FOR_SECONDS:
            busy |= counts.keys()
        if len(self._out) >= PLACES_FOR_SLOW:
            busy |= self._slow
        return list(busy)

    def _free(self) -> int:
        """How many may be taken before it is asked again who gets nothing more."""
        taken = len(self._out)
        return next(
            (end - taken for end in (PLACES_FOR_SECONDS, PLACES_FOR_SLOW, PLACES) if taken < end), 0
        )

    def _came_back(self, task: asyncio.Task[None]) -> None:
        self._out.pop(task, None)
        self._wake()

    async def _rest(self, beat: int) -> None:
        """Wait until there may be something to do."""
        if self._dispatcher.idle and not self._out:
            # No automation is on: commits are of no interest, and cost nothing here.
            await self._pause(beat, UNUSED_SECONDS, on_commit=False)
            return
        seconds = await self._rows(delivery.seconds_until_due, self._ctx, IDLE_SECONDS)
        # A receiver may be given its next delivery before it has answered the one before.
        now = time.monotonic()
        waits = [since + IN_ORDER_SECONDS - now for _, since in self._out.values()]
        await self._pause(beat, min([seconds, *(wait for wait in waits if wait > 0)]))

    async def _pause(self, beat: int, seconds: float, *, on_commit: bool = True) -> None:
        """Return at a commit, when a request came back, or at the end of the time."""
        if self._ended or self._stopping:
            return
        wait = self._pulse.wait_async(beat, seconds) if on_commit else _sleep(seconds)
        self._waker = asyncio.get_running_loop().create_task(wait)
        try:
            await asyncio.wait({self._waker})
        finally:
            self._waker = None

    async def _deliver(self, taken: Taken) -> None:
        """Make the request; what came of it is written down with the next look."""
        if taken.request is None:
            reply = Reply(None, error=taken.error)
        else:
            reply = await self._sender.attempt(taken.request)
            remember = self._slow.add if reply.seconds >= SLOW_SECONDS else self._slow.discard
            remember(taken.due.integration_id)
        self._done_with.append((taken.due, reply))


async def _sleep(seconds: float) -> bool:
    await asyncio.sleep(seconds)
    return False
