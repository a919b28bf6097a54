"""Metadata as a tree that a page can show: bounded, whatever was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

NODES_MAX = 2_000
TEXT_MAX = 2_000
DEPTH_MAX = 64
"""What lies deeper is shown as JSON: each level of a page costs the server several of its own."""


@dataclass(slots=True)
class Node:
    """One key with its value, or with what is below it."""

    key: str
    text: str | None
    """The value as JSON; None where there are nodes below."""
    size: int = 0
    below: list[Node] = field(default_factory=list)


def make_tree(value: dict[str, Any]) -> tuple[list[Node], bool]:
    """The object's nodes in their order, and whether some were left out: over 2,000 are."""
    top: list[Node] = []
    left = NODES_MAX
    waiting: list[tuple[Any, list[Node], int]] = [(value, top, 1)]
    while waiting:
        each, into, depth = waiting.pop(0)
        items = each.items() if isinstance(each, dict) else enumerate(each)
        for key, inner in items:
            if left == 0:
                return top, True
            left -= 1
            if isinstance(inner, dict | list) and inner and depth < DEPTH_MAX:
                node = Node(str(key), None, len(inner))
                waiting.append((inner, node.below, depth + 1))
            else:
                text = _text(inner)
                node = Node(str(key), text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…")
            into.append(node)
    return top, False


def _text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "…"
