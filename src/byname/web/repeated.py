"""A form that is sent twice is done once: who clicks twice gets the one answer (R33, A9).

Without scripts, and before the log-in where pages have none, a second click sends the form again and the
browser shows the answer to that. Answers are remembered in memory only, since some are secrets.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")

KEPT_SECONDS = 120
KEPT_MAX = 1_000


def name_of(*where: object, fields: Mapping[str, str]) -> str:
    """What tells one form as it was filled in from every other; nothing can be read from it."""
    told = json.dumps([[str(each) for each in where], sorted(fields.items())])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class Repeated:
    """What is being answered, and was moments ago, by the name of the form."""

    clock: Callable[[], float] = time.monotonic
    _tasks: dict[str, tuple[float, asyncio.Task[Any]]] = field(default_factory=dict)

    async def run(
        self,
        name: str,
        piece: Callable[[], Awaitable[Result]],
        keep: Callable[[Result], bool] = lambda _: True,
    ) -> Result:
        """The answer of the piece, which is done once however often that form comes.

        Whoever comes while it is being done waits for it; it goes on when the first one does not
        wait any more. An answer is remembered for two minutes where `keep` says so; a refusal is not.
        """
        self._forget()
        known = self._tasks.get(name)
        if known is None:
            task: asyncio.Task[Result] = asyncio.ensure_future(_made(piece))
            self._tasks[name] = (self.clock() + KEPT_SECONDS, task)
            task.add_done_callback(lambda done: self._end(name, done, keep))
        else:
            task = known[1]
        return await asyncio.shield(task)

    def _end(self, name: str, done: asyncio.Task[Result], keep: Callable[[Result], bool]) -> None:
        # Asking for the exception tells that somebody knows of it, although nobody may wait any more.
        if done.cancelled() or done.exception() is not None or not keep(done.result()):
            self._tasks.pop(name, None)

    def _forget(self) -> None:
        now = self.clock()
        for name, (until, task) in list(self._tasks.items()):
            if not task.done():
                continue
            if until > now and len(self._tasks) <= KEPT_MAX:
                break
            del self._tasks[name]


async def _made(piece: Callable[[], Awaitable[Result]]) -> Result:
    return await piece()
