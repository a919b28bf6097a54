"""What may be answered again without asking: answers that hold until the next commit.

The database's revision is looked up at each asking, which costs a few microseconds, so that a change,
whoever made it and in whatever process, is seen by the very next request (A4).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from byname.store.database import Database

T = TypeVar("T")
ANSWERS_MAX = 4_096


class Remembered:
    """Answers by question, for one thread (the event loop's)."""

    __slots__ = ("_answers", "_database", "_revision")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: dict[Hashable, Any] = {}
        self._revision = -1

    def get(self, question: Hashable, find: Callable[[], T]) -> T:
        """The answer as of now. What `find` raises is not remembered."""
        revision = self._database.revision()
        if revision != self._revision or len(self._answers) >= ANSWERS_MAX:
            self._answers.clear()
            self._revision = revision
        answer = self._answers.get(question)
        if answer is None:
            answer = find()
            # What a commit came in between of may be half old: it is not kept.
            if self._database.revision() == revision:
                self._answers[question] = answer
        return answer
