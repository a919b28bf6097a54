"""How a filter becomes a condition of a statement.

Names of columns come from the tables below; values are always bound.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byname.domain.filter import (
    Condition,
    Every,
    Kind,
    Node,
    Not,
    Test,
    matches,
)
from byname.store.database import FUNCTIONS

FUNCTIONS.append(("byname_matches", 2, lambda pattern, text: int(matches(pattern, text))))

_COMPARE = {Test.GT: ">", Test.GTE: ">=", Test.LT: "<", Test.LTE: "<="}
_NUMBERS = "('integer', 'real')"


@dataclass(frozen=True, slots=True)
class Names:
    """Many names of one thing: the table they are in, and its column that points to the thing."""

    table: str
    key: str
    outer: str


Column = str | Names
Columns = Mapping[str, Column]

REGISTRY_COLUMNS: Columns = {
    "id": "p.id",
    "name": "p.name",
    "entity_id": "p.entity_id",
    "description": "p.description",
    "created_at": "p.created_at",
    "updated_at": "p.updated_at",
}
COLLECTION_COLUMNS: Columns = {
    "id": "c.id",
    "name": "c.name",
    "tag": Names("collection_tag", "collection_id", "c.id"),
    "description": "c.description",
    "created_at": "c.created_at",
    "updated_at": "c.updated_at",
}
VERSION_COLUMNS: Columns = {
    "id": "m.version_id",
    "version": "m.number",
    "tag": Names("version_tag", "version_id", "m.version_id"),
    "alias": Names("alias", "membership_id", "m.id"),
    "metadata": "v.metadata",
    "created_at": "v.created_at",
    "updated_at": "v.updated_at",
    "artifact_size": "v.size_bytes",
    "acm_created_at": "m.created_at",
    "digest": "v.digest",
    "state": "upper(v.state)",
}


@dataclass(slots=True)
class Statement:
    """SQL text that grows together with its values."""

    text: str = ""
    values: list[Any] = field(default_factory=list)
    by_row: frozenset[str] = frozenset()
    """Of these tables each row is asked whether it has a name; of others all that have it are
    gathered first."""

    def add(self, text: str, *values: Any) -> None:
        """More text, with the values of its `?` marks."""
        self.text += text
        self.values += values

    def add_list(self, before: str, values: Sequence[Any], after: str = ")") -> None:
        """A list of values after `before`, which ends with the opening bracket."""
        self.add(before + ",".join("?" * len(values)) + after, *values)

    def add_node(self, node: Node, columns: Columns) -> None:
        """The condition that the filter's tree says."""
        if isinstance(node, Condition):
            column = columns[node.field.name]
            if isinstance(column, Names):
                self._add_names(node, column)
            elif node.field.kind is Kind.METADATA:
                self._add_metadata(node, column)
            else:
                self._add_condition(node, _operand(node, column), node.value)
        elif isinstance(node, Not):
            # What is missing fulfils no condition, so it fulfils every negated one.
            self.add("NOT coalesce((")
            self.add_node(node.item, columns)
            self.add("), FALSE)")
        elif not node.items:
            self.add("TRUE" if isinstance(node, Every) else "FALSE")
        else:
            word = " AND " if isinstance(node, Every) else " OR "
            for number, item in enumerate(node.items):
                self.add(word + "(" if number else "(")
                self.add_node(item, columns)
                self.add(")")

    def _add_condition(self, node: Condition, operand: str, value: Any) -> None:
        """One test of one value that may be NULL."""
        if node.test is Test.EQ:
            if value is None:
                self.add(f"{operand} IS NULL")
            else:
                self.add(f"{operand} = ?", value)
        elif node.test is Test.IN:
            self.add_list(f"{operand} IN (", value)
        elif node.test is Test.EXISTS:
            self.add(f"{operand} IS NOT NULL" if value else f"{operand} IS NULL")
        elif node.test is Test.REGEX:
            self.add(f"byname_matches(?, {operand})", value)
        elif node.test is Test.CONTAINS:
            self.add(f"instr({operand}, ?) > 0", value)
        else:
            self.add(f"{operand} {_COMPARE[node.test]} ?", value)

    def _add_names(self, node: Condition, names: Names) -> None:
        """A condition that holds if one of the names fulfils it."""
        own = f"FROM {names.table} n WHERE n.{names.key} = {names.outer}"
        if node.test is Test.SIZE:
            self.add(f"(SELECT count(*) {own}) = ?", node.value)
        elif node.test is Test.EXISTS:
            self.add(f"{'' if node.value else 'NOT '}EXISTS (SELECT 1 {own})")
        elif node.test is Test.EQ and node.value is None:
            self.add(f"NOT EXISTS (SELECT 1 {own})")
        elif node.test in (Test.EQ, Test.IN) and names.table not in self.by_row:
            # From the name to the things that have it.
            self.add(
                f"{names.outer} IN (SELECT n.{names.key} FROM {names.table} n"
                f" WHERE n.{names.key} IS NOT NULL AND "
            )
            self._add_condition(node, "n.name", node.value)
            self.add(")")
        else:
            self.add(f"EXISTS (SELECT 1 {own} AND ")
            self._add_condition(node, "n.name", node.value)
            self.add(")")

    def _add_metadata(self, node: Condition, column: str) -> None:
        """A condition on what stands at a path of the metadata; of a list, on one of its items."""
        path = "$" + "".join(f'."{key}"' for key in node.path)
        test, value = node.test, node.value
        if test is Test.EXISTS:
            word = "IS NOT NULL" if value else "IS NULL"
            self.add(f"json_type({column}, ?) {word}", path)
        elif test is Test.EQ and value is None:
            self.add(f"coalesce(json_type({column}, ?), 'null') = 'null'", path)
        elif test is Test.SIZE:
            self.add(f"json_type({column}, ?) = 'array'", path)
            self.add(f" AND json_array_length({column}, ?) = ?", path, value)
        elif test is Test.EQ and isinstance(value, list):
            self.add(f"json_extract({column}, ?) = ?", path, _as_stored(value))
        elif test is Test.IN:
            self._add_any_of(node, column, path)
        else:
            self.add(
                f"json_type({column}, ?) <> 'object' AND EXISTS (SELECT 1"
                f" FROM json_each({column}, ?) j WHERE ",
                path,
                path,
            )
            self._add_item(node, value)
            self.add(")")

    def _add_any_of(self, node: Condition, column: str, path: str) -> None:
        self.add(
            f"json_type({column}, ?) <> 'object' AND EXISTS (SELECT 1"
            f" FROM json_each({column}, ?) j WHERE ",
            path,
            path,
        )
        texts = [value for value in node.value if isinstance(value, str)]
        truths = [value for value in node.value if isinstance(value, bool)]
        numbers = [v for v in node.value if not isinstance(v, str | bool)]
        self.add_list("(j.type = 'text' AND j.value IN (", texts, "))")
        self.add_list(f" OR (j.type IN {_NUMBERS} AND j.value IN (", numbers, "))")
        self.add_list(" OR j.type IN (", [_truth(value) for value in truths])
        self.add(")")

    def _add_item(self, node: Condition, value: Any) -> None:
        """One test of one JSON value; values of another type do not fulfil it."""
        if isinstance(value, bool):
            if node.test is Test.EQ:
                self.add("j.type = ?", _truth(value))
            else:
                self.add("j.type IN ('true', 'false') AND ")
                self._add_condition(node, "j.value", int(value))
            return
        self.add("j.type = 'text' AND " if isinstance(value, str) else f"j.type IN {_NUMBERS} AND ")
        self._add_condition(node, "j.value", value)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _as_stored(value: list[Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _operand(node: Condition, column: str) -> str:
    by_text = node.test in (Test.REGEX, Test.CONTAINS)
    if node.field.kind is Kind.VERSION and by_text:
        return f"('v' || {column})"
    if node.field.kind is Kind.FOLDED and not by_text and node.test is not Test.EXISTS:
        return f"{column}_key"
    return column
