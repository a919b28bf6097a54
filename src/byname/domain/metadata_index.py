"""What of a version's metadata is kept in an index, and which of it a condition can be found by.

The index narrows a search down; each version it leads to is still asked the whole condition. So it
may lead to too many, but must never miss one:

- A path is kept as a number that is made from its text; two paths may have the same one.
- Of a text only the beginning is kept, of a number what a double holds.
- What has more values than are kept, or cannot be kept as it is, stands under the number of no path,
  and is found by every search.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from byname.domain.filter import Condition, Kind, Test

VALUES_MAX = 256
"""Of one version's metadata so many values are kept."""
TEXT_LENGTH_MAX = 64
NO_PATH = 0


class Sort(IntEnum):
    """What stands at a path."""

    OTHER = 0
    """An object, a list, or null: that it is there is all that is kept."""
    TRUTH = 1
    NUMBER = 2
    TEXT = 3


Kept = tuple[int, int, float, str]
"""Path, sort, number and text: a value as it is kept. Of the last two the one not meant is 0 or ''."""


@dataclass(frozen=True, slots=True)
class Range:
    """Kept values of one path and sort, from and to (both included); None has no end."""

    path: int
    sort: Sort | None = None
    numbers: tuple[float | None, float | None] | None = None
    texts: tuple[str | None, str | None] | None = None


def path_number(keys: Sequence[str]) -> int:
    """The number of a path, positive and below 2^63."""
    text = "".join(f"{len(key)}:{key}" for key in keys)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) % (2**63 - 1) + 1


def kept(metadata: str | None) -> list[Kept]:
    """The values that the index holds for a version with this metadata, each once."""
    if not metadata:
        return []
    found: set[Kept] = set()
    try:
        for each in _walk(json.loads(metadata), ()):
            found.add(each)
            if len(found) > VALUES_MAX:
                break
        else:
            return sorted(found)
    except (ValueError, OverflowError, RecursionError):
        found.clear()
    return [(NO_PATH, Sort.OTHER, 0.0, "")]


def _walk(value: Any, keys: tuple[str, ...]) -> Iterator[Kept]:
    number = path_number(keys)
    if isinstance(value, dict):
        if keys:
            yield (number, Sort.OTHER, 0.0, "")
        for key, item in value.items():
            yield from _walk(item, (*keys, key))
    elif isinstance(value, list):
        # A condition on a list holds if one of its items fulfils it.
        yield (number, Sort.OTHER, 0.0, "")
        for item in value:
            if not isinstance(item, dict | list):
                yield _scalar(number, item)
    else:
        yield _scalar(number, value)


def _scalar(path: int, value: Any) -> Kept:
    if isinstance(value, bool):
        return (path, Sort.TRUTH, float(value), "")
    if isinstance(value, int | float):
        return (path, Sort.NUMBER, float(value), "")
    if isinstance(value, str):
        return (path, Sort.TEXT, 0.0, value[:TEXT_LENGTH_MAX])
    return (path, Sort.OTHER, 0.0, "")


def ranges(condition: Condition) -> list[Range]:
    """Where all that fulfil the condition are kept; empty when the index cannot tell.

    What is missing fulfils no condition but `null` and those that are turned round.
    """
    if condition.field.kind is not Kind.METADATA or not condition.path:
        return []
    path = path_number(condition.path)
    test, value = condition.test, condition.value
    try:
        if test is Test.EXISTS:
            return [Range(path)] if value else []
        if test is Test.IN:
            return [each for item in value for each in _equal(path, item)]
        if test is Test.EQ:
            return [] if value is None else _equal(path, value)
        if test is Test.SIZE:
            return [Range(path, Sort.OTHER)]
        if test in (Test.REGEX, Test.CONTAINS):
            return [Range(path, Sort.TEXT)]
        return _beyond(path, value, up=test in (Test.GT, Test.GTE))
    except OverflowError:
        return []


def _equal(path: int, value: Any) -> list[Range]:
    if isinstance(value, list | tuple):
        return [Range(path)]
    _, sort, number, text = _scalar(path, value)
    if sort == Sort.TEXT:
        return [Range(path, Sort.TEXT, texts=(text, text))]
    return [Range(path, Sort(sort), numbers=(number, number))]


def _beyond(path: int, value: Any, *, up: bool) -> list[Range]:
    _, sort, number, text = _scalar(path, value)
    if sort == Sort.TEXT:
        return [Range(path, Sort.TEXT, texts=(text, None) if up else (None, text))]
    return [Range(path, Sort(sort), numbers=(number, None) if up else (None, number))]
