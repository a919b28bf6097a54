"""Values in metadata that can be shown beside one another: which there are, and how they are named.

A metric is named by the keys on the way down, joined by dots. Where a key itself holds a dot, the
longest key that is there counts first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

CHOSEN_MAX = 12
OFFERED_MAX = 200
DEPTH_MAX = 4
NAME_LENGTH_MAX = 200

Value = str | int | float | bool | None


def read(metadata: str | None) -> dict[str, Any]:
    """The metadata of a version as an object."""
    value = json.loads(metadata or "{}")
    return value if isinstance(value, dict) else {}


def offered(objects: Iterable[dict[str, Any]]) -> list[str]:
    """The metrics found in these objects: those that hold a number somewhere first, by name."""
    found: dict[str, bool] = {}
    for each in objects:
        _collect(each, "", 1, found)
    ordered = sorted(found, key=lambda name: (not found[name], name))
    return ordered[:OFFERED_MAX]


def _collect(value: dict[str, Any], before: str, depth: int, found: dict[str, bool]) -> None:
    for key, inner in value.items():
        name = f"{before}{key}"
        if len(name) > NAME_LENGTH_MAX or len(found) >= OFFERED_MAX * 10:
            continue
        if isinstance(inner, dict):
            if depth < DEPTH_MAX:
                _collect(inner, f"{name}.", depth + 1, found)
        elif not isinstance(inner, list):
            is_number = isinstance(inner, int | float) and not isinstance(inner, bool)
            found[name] = found.get(name, False) or is_number


def value_of(metadata: dict[str, Any], name: str) -> Value:
    """What stands there; None where nothing does, or something that has parts."""
    if name in metadata:
        found = metadata[name]
        return None if isinstance(found, dict | list) else found
    place = len(name)
    while (place := name.rfind(".", 0, place)) > 0:
        below = metadata.get(name[:place])
        if isinstance(below, dict):
            found = value_of(below, name[place + 1 :])
            if found is not None:
                return found
    return None


def is_sortable(name: str) -> bool:
    """Whether a database can look there: quotes and backslashes cannot stand in its paths."""
    return bool(name) and not any(sign in '"\\\0' or "\ud800" <= sign <= "\udfff" for sign in name)
