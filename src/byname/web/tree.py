"""Metadata as a tree that a page can show: bounded, whatever was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

NODES_MAX = 2_000
TEXT_MAX = 2_000


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
    waiting: list[tuple[Any, list[Node]]] = [(value, top)]
    while waiting:
        each, into = waiting.pop(0)
        items = each.items() if isinstance(each, dict) else enumerate(each)
        for key, inner in items:
            if left == 0:
                return top, True
            left -= 1
            if isinstance(inner, dict | list) and inner:
                node = Node(str(key), None, len(inner))
                waiting.append((inner, node.below))
            else:
                text = json.dumps(inner, ensure_ascii=False)
                node = Node(str(key), text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…")
            into.append(node)
    return top, False
