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

KEPT_SECONDS = 20
"""How long an answer is remembered once it is there: longer than a second click takes to arrive, and
too short to go back, fill in the page anew and mean it."""
KEPT_MAX = 1_000
KEPT_LENGTH_MAX = 16_000_000
"""Of all answers together, in characters: a page may show what was typed into it."""


def name_of(*where: object, fields: Mapping[str, str]) -> str:
    """What tells one form as it was filled in from every other; nothing can be read from it."""
    told = json.dumps([[str(each) for each in where], sorted(fields.items())])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class _Known:
    task: asyncio.Task[Any]
    until: float = 0.0
    length: int = 0


@dataclass(slots=True)
class Repeated:
    """What is being answered, and was moments ago, by the name of the form."""

    clock: Callable[[], float] = time.monotonic
    _tasks: dict[str, _Known] = field(default_factory=dict)
    _length: int = 0

    async def run(
        self,
        name: str,
        piece: Callable[[], Awaitable[Result]],
        keep: Callable[[Result], bool] = lambda _: True,
        length: Callable[[Result], int] = lambda _: 0,
    ) -> Result:
        """The answer of the piece, which is done once however often that form comes.

        Whoever comes while it is being done waits for it; it goes on when the first one does not
        wait any more. An answer is remembered for 20 seconds where `keep` says so; a refusal is not.
        """
        known = self._tasks.get(name)
        if known is None or (known.task.done() and known.until <= self.clock()):
            self._drop(name)
            task: asyncio.Task[Result] = asyncio.ensure_future(_made(piece))
            known = self._tasks[name] = _Known(task)
            task.add_done_callback(lambda done: self._end(name, done, keep, length))
        return await asyncio.shield(known.task)

    def _end(
        self,
        name: str,
        done: asyncio.Task[Result],
        keep: Callable[[Result], bool],
        length: Callable[[Result], int],
    ) -> None:
        known = self._tasks.get(name)
        # Asking for the exception tells that somebody knows of it, although nobody may wait any more.
        failed = done.cancelled() or done.exception() is not None
        if known is None or known.task is not done:
            return
        if failed or not keep(done.result()):
            self._drop(name)
            return
        known.until = self.clock() + KEPT_SECONDS
        known.length = length(done.result())
        self._length += known.length
        self._forget()
        # Though no other form may ever come: what is remembered may be a secret.
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget)

    def _drop(self, name: str) -> None:
        known = self._tasks.pop(name, None)
        self._length -= 0 if known is None else known.length

    def _forget(self) -> None:
        now = self.clock()
        for name, known in list(self._tasks.items()):
            is_large = len(self._tasks) > KEPT_MAX or self._length > KEPT_LENGTH_MAX
            if known.task.done() and (known.until <= now or is_large):
                self._drop(name)


async def _made(piece: Callable[[], Awaitable[Result]]) -> Result:
    return await piece()
