"""When is a history of reads and writes of one alias linearizable (C1)? Two answers to one question.

`violations` sorts by revision and takes no time to speak of. `is_linearizable` tries every order
(Wing and Gong, with Lowe's memory of what was tried) and is for short histories only: it is there to
check the first.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

Value = int | None
"""The number that holds the alias, or nobody."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered, from its sending to its answer.

    - A write has its revision, and the value it left there.
    - A read has its value, and where the answer says it its revision.
    - A refused compare-and-set is a read of what it was told, which cannot be what it expected.
    """

    start: float
    end: float
    value: Value
    revision: int | None = None
    writes: bool = False
    expected_revision: int | None = None
    """Of a compare-and-set that named a revision, refused or not."""
    expected: tuple[Value, ...] = ()
    """Of a compare-and-set that named a value, refused or not: that value."""
    what: str = ""

    def may_take(self, revision: int) -> bool:
        """Whether a read could have been of that revision, going by the answer alone."""
        said = self.revision is None or self.revision == revision
        return said and revision != self.expected_revision


def violations(calls: Sequence[Call]) -> list[str]:
    """What shows that the history is not linearizable; empty when it is.

    Each call is given the lowest revision that it may have; then one that ended before another
    began has the lower one, strictly where the other writes.
    """
    found: list[str] = []
    values: dict[int, Value] = {0: None}
    for call in calls:
        if call.writes and call.revision is not None:
            if call.revision in values:
                found.append(f"revision {call.revision} was given out twice: {call}")
            values[call.revision] = call.value
    if sorted(values) != list(range(len(values))):
        found.append("the revisions of the writes have gaps")
        return found
    by_value: dict[Value, list[int]] = {}
    for revision in range(len(values)):
        by_value.setdefault(values[revision], []).append(revision)
    ended: list[tuple[float, int]] = []
    lowest = 0
    at: int | None
    for call in sorted(calls, key=lambda each: each.start):
        while ended and ended[0][0] < call.start:
            lowest = max(lowest, heapq.heappop(ended)[1])
        if call.writes:
            at = call.revision
            if at is None:
                found.append(f"a write without a revision: {call}")
                continue
            found += _wrong_write(call, at, values)
            if at <= lowest:
                found.append(f"revision {lowest} was there before this began: {call}")
        else:
            at = _first_from(by_value.get(call.value, []), lowest, call)
            if at is None:
                found.append(f"no revision from {lowest} on fits this read: {call}")
                continue
        if call.expected and not call.writes and call.value == call.expected[0]:
            found.append(f"refused although what it expected was so: {call}")
        heapq.heappush(ended, (call.end, at))
    return found


def _wrong_write(call: Call, revision: int, values: dict[int, Value]) -> list[str]:
    before = values.get(revision - 1)
    if call.expected and call.expected[0] != before:
        return [f"made although {before} was there and not what it expected: {call}"]
    if call.expected_revision is not None and call.expected_revision != revision - 1:
        return [f"made although revision {revision - 1} was there: {call}"]
    return []


def _first_from(revisions: list[int], lowest: int, call: Call) -> int | None:
    for revision in revisions[bisect_left(revisions, lowest) :]:
        if call.may_take(revision):
            return revision
    return None


def is_linearizable(calls: Sequence[Call], revision: int = 0, value: Value = None) -> bool:
    """Whether some order of the calls, kept within their times, is one a register could have had.

    It begins at that revision with that value.
    """
    todo = (1 << len(calls)) - 1
    tried: set[tuple[int, int, Value]] = set()
    stack: list[tuple[int, int, Value]] = [(todo, revision, value)]
    while stack:
        state = stack.pop()
        left, revision, value = state
        if not left:
            return True
        if state in tried:
            continue
        tried.add(state)
        waiting = [index for index in range(len(calls)) if left >> index & 1]
        first_end = min(calls[index].end for index in waiting)
        for index in waiting:
            call = calls[index]
            if call.start > first_end:
                continue
            after = _step(call, revision, value)
            if after is not None:
                stack.append((left & ~(1 << index), *after))
    return False


def _step(call: Call, revision: int, value: Value) -> tuple[int, Value] | None:
    """The register after the call, or None where the call cannot happen in this state."""
    holds = (not call.expected or call.expected[0] == value) and (
        call.expected_revision is None or call.expected_revision == revision
    )
    if call.writes:
        fits = holds and call.revision == revision + 1
        return (revision + 1, call.value) if fits else None
    refused = bool(call.expected) or call.expected_revision is not None
    fits = call.value == value and call.revision in (None, revision) and not (refused and holds)
    return (revision, value) if fits else None
