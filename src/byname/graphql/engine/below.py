"""Which fields does a document ask for below a field, however deep?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)


def collect(
    nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """The names of all fields below these, of whatever type, in fragments too."""
    found: set[str] = set()
    spread: set[str] = set()

    def look(selections: SelectionSetNode | None) -> None:
        for each in () if selections is None else selections.selections:
            if isinstance(each, FieldNode):
                found.add(each.name.value)
                look(each.selection_set)
            elif isinstance(each, InlineFragmentNode):
                look(each.selection_set)
            elif isinstance(each, FragmentSpreadNode) and each.name.value not in spread:
                spread.add(each.name.value)
                look(fragments[each.name.value].selection_set)

    for node in nodes:
        look(node.selection_set)
    return frozenset(found)


def names_below(info: Any) -> frozenset[str]:
    """The same of the field that a resolver answers, whichever engine asks it."""
    known: frozenset[str] | None = getattr(info, "names_below", None)
    return collect(info.field_nodes, info.fragments) if known is None else known
