"""How a filter becomes conditions of a statement, and the filtered lists themselves.

Names come from the tables below, values are always bound. Aliases, tags, ids, version numbers and
collection names are found through their indexes: a list of a million versions is not read through
for one of them. Which way a list of versions is walked is therefore decided here and not left to
the planner: a `+` before a column keeps its index out of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byname.domain.collection import Collection, Membership
from byname.domain.filter import (
    Condition,
    Every,
    Kind,
    Node,
    Not,
    Test,
    conjuncts,
    matches,
)
from byname.domain.project import Project
from byname.store import collection as collections
from byname.store import project as projects
from byname.store.database import FUNCTIONS, Transaction

FUNCTIONS.append(("byname_matches", 2, lambda pattern, text: int(matches(pattern, text))))

_COMPARE = {Test.GT: ">", Test.GTE: ">=", Test.LT: "<", Test.LTE: "<="}
_NUMBERS = "('integer', 'real')"
FEW = 20_000
"""Up to so many versions are gathered and sorted; of more, the newest are read one by one."""


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
        elif node.test in (Test.EQ, Test.IN):
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


# ---- lists -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a list is sorted, and from where on it is wanted."""

    column: str
    descending: bool
    after: tuple[Any, int] | None = None
    """The sort value and the id of the last item that was handed out."""

    def add_to(self, statement: Statement, key: str, limit: int, *, plus: str = "") -> None:
        """The condition, the order and the limit, with `key` as the last word between equals."""
        sign, word = ("<", " DESC") if self.descending else (">", "")
        if self.column == key:
            if self.after is not None:
                statement.add(f" AND {plus}{key} {sign} ?", self.after[1])
            statement.add(f" ORDER BY {plus}{key}{word}")
        else:
            if self.after is not None:
                statement.add(f" AND ({self.column}, {key}) {sign} (?, ?)", *self.after)
            statement.add(f" ORDER BY {self.column}{word}, {key}{word}")
        statement.add(" LIMIT ?", limit)


@dataclass(frozen=True, slots=True)
class Scope:
    """In which collections to look: of these projects, of this sort and type, and as filtered."""

    project_ids: Sequence[int]
    filter: Node | None = None
    kinds: Sequence[str] = ("portfolio", "sequence")
    type_name: str | None = None

    def add_to(self, statement: Statement) -> None:
        """The condition on a collection `c`."""
        statement.add_list("c.deleted_at IS NULL AND c.project_id IN (", self.project_ids)
        if len(set(self.kinds)) == 1:
            statement.add(" AND c.kind = ?", self.kinds[0])
        if self.type_name is not None:
            statement.add(
                " AND c.type_id IN (SELECT t.id FROM artifact_type t WHERE t.name = ?)",
                self.type_name,
            )
        if self.filter is not None:
            statement.add(" AND (")
            statement.add_node(self.filter, COLLECTION_COLUMNS)
            statement.add(")")


def list_projects(
    tx: Transaction, entity_id: int, *, kind: str, wanted: Node | None
) -> list[Project]:
    """The entity's live registries (or projects) that fulfil the filter, oldest first."""
    statement = Statement(projects.SELECT)
    statement.add("WHERE p.entity_id = ? AND p.kind = ? AND p.deleted_at IS NULL", entity_id, kind)
    if wanted is not None:
        statement.add(" AND (")
        statement.add_node(wanted, REGISTRY_COLUMNS)
        statement.add(")")
    statement.add(" ORDER BY p.id")
    return [projects.from_row(row) for row in tx.all(statement.text, statement.values)]


def collections_statement(scope: Scope, order: Order, limit: int) -> Statement:
    """The statement that `list_collections` runs."""
    statement = Statement(collections.SELECT + "WHERE ")
    scope.add_to(statement)
    order.add_to(statement, "c.id", limit)
    return statement


def list_collections(tx: Transaction, scope: Scope, order: Order, limit: int) -> list[Collection]:
    """The live collections in the scope."""
    if not scope.project_ids or not scope.kinds:
        return []
    statement = collections_statement(scope, order, limit)
    return [collections.from_row(row) for row in tx.all(statement.text, statement.values)]


def count_collections(tx: Transaction, scope: Scope) -> tuple[int, int]:
    """How many live collections are in the scope, and how many versions in these."""
    if not scope.project_ids or not scope.kinds:
        return 0, 0
    statement = Statement(
        "SELECT count(*) AS n, coalesce(sum(c.version_count), 0) AS versions FROM collection c"
        " WHERE "
    )
    scope.add_to(statement)
    row = tx.one(statement.text, statement.values)
    return (0, 0) if row is None else (int(row["n"]), int(row["versions"]))


def is_narrow(wanted: Node | None) -> bool:
    """Whether the filter names an alias, tag or id, by which its versions are found directly."""
    return any(
        isinstance(part, Condition)
        and part.field.name in ("alias", "tag", "id")
        and part.test in (Test.EQ, Test.IN)
        and part.value is not None
        for part in conjuncts(wanted)
    )


def _names_number(wanted: Node | None) -> bool:
    return any(
        isinstance(part, Condition)
        and part.field.name == "version"
        and part.test in (Test.EQ, Test.IN)
        for part in conjuncts(wanted)
    )


def memberships_statement(
    scope: Scope, wanted: Node | None, order: Order, limit: int, *, few: bool
) -> Statement:
    """The statement that `list_memberships` runs.

    - A filter that names an alias, tag or id: from there to the versions.
    - Few versions in the scope, or a version number: from the collections to the versions.
    - Otherwise, newest link first: through the links from the newest on, until the page is full.
    """
    narrow = is_narrow(wanted)
    gather = narrow or few or _names_number(wanted) or order.column != "m.id"
    statement = _memberships(
        collections.SELECT_MEMBERSHIP, scope, wanted, plus="+" if narrow or not gather else ""
    )
    order.add_to(statement, "m.id", limit, plus="+" if gather else "")
    return statement


def _memberships(select: str, scope: Scope, wanted: Node | None, *, plus: str) -> Statement:
    statement = Statement(select + "CROSS JOIN version v WHERE v.id = m.version_id")
    statement.add(f" AND m.deleted_at IS NULL AND {plus}m.collection_id IN")
    statement.add(" (SELECT c.id FROM collection c WHERE ")
    scope.add_to(statement)
    statement.add(")")
    if wanted is not None:
        statement.add(" AND (")
        statement.add_node(wanted, VERSION_COLUMNS)
        statement.add(")")
    return statement


def list_memberships(
    tx: Transaction, scope: Scope, wanted: Node | None, order: Order, limit: int
) -> list[Membership]:
    """The live memberships in the scope that fulfil the filter; each once (R124)."""
    if not scope.project_ids or not scope.kinds:
        return []
    few = count_collections(tx, scope)[1] <= FEW
    statement = memberships_statement(scope, wanted, order, limit, few=few)
    return [
        collections.membership_from_row(row) for row in tx.all(statement.text, statement.values)
    ]


def count_memberships(tx: Transaction, scope: Scope, wanted: Node | None) -> int:
    """How many live memberships in the scope fulfil the filter."""
    if wanted is None:
        return count_collections(tx, scope)[1]
    if not scope.project_ids or not scope.kinds:
        return 0
    plus = "+" if is_narrow(wanted) else ""
    statement = _memberships("SELECT count(*) AS n FROM membership m ", scope, wanted, plus=plus)
    row = tx.one(statement.text, statement.values)
    return 0 if row is None else int(row["n"])


def _of_collection(select: str, collection_id: int, wanted: Node | None) -> Statement:
    statement = Statement(select + "CROSS JOIN version v WHERE v.id = m.version_id")
    plus = "+" if is_narrow(wanted) else ""
    statement.add(f" AND {plus}m.collection_id = ? AND m.deleted_at IS NULL", collection_id)
    if wanted is not None:
        statement.add(" AND (")
        statement.add_node(wanted, VERSION_COLUMNS)
        statement.add(")")
    return statement


def list_of_collection(
    tx: Transaction, collection_id: int, wanted: Node | None, order: Order, limit: int
) -> list[Membership]:
    """The collection's live memberships that fulfil the filter."""
    statement = _of_collection(collections.SELECT_MEMBERSHIP, collection_id, wanted)
    order.add_to(statement, "m.number", limit)
    return [
        collections.membership_from_row(row) for row in tx.all(statement.text, statement.values)
    ]


def count_of_collection(tx: Transaction, collection_id: int, wanted: Node | None) -> int:
    """How many live memberships of the collection fulfil the filter."""
    statement = _of_collection("SELECT count(*) AS n FROM membership m ", collection_id, wanted)
    row = tx.one(statement.text, statement.values)
    return 0 if row is None else int(row["n"])


def sort_values(tx: Transaction, membership_ids: Sequence[int], column: str) -> dict[int, Any]:
    """By membership id, the value of one of the columns by which versions are sorted."""
    statement = Statement(f"SELECT m.id, {column} AS value FROM membership m")
    statement.add_list(" JOIN version v ON v.id = m.version_id WHERE m.id IN (", membership_ids)
    return {row["id"]: row["value"] for row in tx.all(statement.text, statement.values)}
