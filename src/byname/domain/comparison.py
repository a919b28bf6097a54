"""How two versions differ: metadata, words, and files by their digest (R59). No I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LINES_MAX = 1_000
"""So many lines of metadata are shown at the most; what differs comes first."""
LEAVES_MAX = 20_000
"""Metadata of more values is compared by its outermost keys only."""


class Change(StrEnum):
    """What became of a thing on the way from one version to the other."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class MetadataLine:
    """One value in the metadata of both versions; `before` or `after` is None where it lacks."""

    key: str
    """The keys on the way to it, joined with dots: `metrics.accuracy`."""
    change: Change
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Words:
    """The tags or aliases of two versions."""

    added: list[str]
    removed: list[str]
    kept: list[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a path holds in one version."""

    digest: str
    size_bytes: int
    ref: str | None = None
    """Of a reference: the address of what is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """A path that differs between two versions; None where a version has no such file."""

    path: str
    before: Content | None
    after: Content | None

    @property
    def change(self) -> Change:
        """What became of the file."""
        if self.before is None:
            return Change.ADDED
        return Change.REMOVED if self.after is None else Change.CHANGED


def compare_metadata(before: str | None, after: str | None) -> list[MetadataLine]:
    """The values of both, changed keys first, then added and removed ones, then equal ones.

    Inside each group they come by key. Objects are looked into, unless there are very many values;
    lists are compared as a whole.
    """
    olds, news = _leaves(before), _leaves(after)
    if len(olds) > LEAVES_MAX or len(news) > LEAVES_MAX:
        olds, news = _top(before), _top(after)
    lines = []
    for key in olds.keys() | news.keys():
        if key not in olds:
            change = Change.ADDED
        elif key not in news:
            change = Change.REMOVED
        else:
            change = Change.SAME if _same(olds[key], news[key]) else Change.CHANGED
        lines.append(MetadataLine(".".join(key), change, olds.get(key), news.get(key)))
    order = list(Change)
    return sorted(lines, key=lambda line: (order.index(line.change), line.key))


def _top(text: str | None) -> dict[tuple[str, ...], Any]:
    """The values of the outermost keys."""
    return {(key,): value for key, value in json.loads(text or "{}").items()}


def _leaves(text: str | None) -> dict[tuple[str, ...], Any]:
    """Each value that is no object, or an empty one, by the keys on the way to it.

    Of very many it gives up after one more than is allowed.
    """
    found: dict[tuple[str, ...], Any] = {}
    waiting = list(_top(text).items())
    while waiting and len(found) <= LEAVES_MAX:
        key, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*key, name), inner) for name, inner in value.items()]
        else:
            found[key] = value
    return found


def _same(old: Any, new: Any) -> bool:
    """Whether both are the same JSON: `true` is not 1, but 1 is 1.0."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    return bool(old == new)


def compare_words(before: Sequence[str], after: Sequence[str]) -> Words:
    """What was added, what removed and what both have, each in its own order."""
    return Words(
        added=[each for each in after if each not in before],
        removed=[each for each in before if each not in after],
        kept=[each for each in after if each in before],
    )
