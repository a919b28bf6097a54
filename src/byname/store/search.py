"""Filtered lists of registries, collections and versions, as rows.

Aliases, tags, ids, version numbers and collection names are found through their indexes: a list of a
million versions is not read through for one of them. Which way a list of versions is walked is
therefore decided here and not left to the planner: a `+` before a column keeps its index out of the
plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from byname.domain.collection import Collection, Membership
from byname.domain.filter import Condition, Node, Not, Test, conjuncts
from byname.domain.project import Project
from byname.store import collection as collections
from byname.store import metadata_index
from byname.store import project as projects
from byname.store.condition import (
    COLLECTION_COLUMNS,
    REGISTRY_COLUMNS,
    VERSION_COLUMNS,
    Statement,
)
from byname.store.database import Transaction

FEW = 20_000
"""Up to so many versions are gathered and sorted; of more, the newest are read one by one."""


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


def list_projects_of(
    tx: Transaction, entity_ids: Sequence[int], *, after: int, limit: int
) -> list[Project]:
    """Some of the live projects and registries of these entities, by id from behind an id."""
    statement = Statement(projects.SELECT)
    statement.add_list("WHERE p.deleted_at IS NULL AND p.entity_id IN (", entity_ids)
    statement.add(" AND p.id > ? ORDER BY p.id LIMIT ?", after, limit)
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


_NAMED = {
    "alias": ("alias", "n.membership_id IS NOT NULL AND n.name"),
    "tag": ("version_tag", "n.name"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """What a filter of versions names."""

    narrow: bool = False
    """An id, or an alias or tag that few have: so its versions are found directly."""
    by_row: frozenset[str] = frozenset()
    """The tables with a name that very many have: those are not gathered."""

    @classmethod
    def by(cls, tx: Transaction, wanted: Node | None) -> Named:
        """As the filter says, and the names there are."""
        common = [part for part in _names(wanted) if _very_many_have(tx, part)]
        return cls(
            narrow=any(
                isinstance(part, Condition)
                and part.test in (Test.EQ, Test.IN)
                and part.value is not None
                and (part.field.name == "id" or (part.field.name in _NAMED and part not in common))
                for part in conjuncts(wanted)
            ),
            by_row=frozenset(_NAMED[part.field.name][0] for part in common),
        )


NOTHING_NAMED = Named()


def _names(node: Node | None) -> list[Condition]:
    """The conditions, wherever in the filter, that name aliases or tags."""
    if node is None:
        return []
    if isinstance(node, Condition):
        named = node.field.name in _NAMED and node.test in (Test.EQ, Test.IN)
        return [node] if named and node.value is not None else []
    items = [node.item] if isinstance(node, Not) else node.items
    return [part for item in items for part in _names(item)]


def _very_many_have(tx: Transaction, part: Condition) -> bool:
    table, column = _NAMED[part.field.name]
    statement = Statement(f"SELECT count(*) AS n FROM (SELECT 1 FROM {table} n WHERE ")
    statement.add_list(f"{column} IN (", part.value if part.test is Test.IN else [part.value])
    statement.add(" LIMIT ?)", FEW + 1)
    row = tx.one(statement.text, statement.values)
    return row is not None and int(row["n"]) > FEW


def _names_number(wanted: Node | None) -> bool:
    return any(
        isinstance(part, Condition)
        and part.field.name == "version"
        and part.test in (Test.EQ, Test.IN)
        for part in conjuncts(wanted)
    )


def memberships_statement(
    scope: Scope,
    wanted: Node | None,
    order: Order,
    limit: int,
    *,
    few: bool,
    named: Named = NOTHING_NAMED,
    narrowing: Statement | None = None,
) -> Statement:
    """The statement that `list_memberships` runs.

    - A filter that is narrow or names a rare value in the metadata: from there to the versions.
    - Few versions in the scope, or a version number: from the collections to the versions.
    - Otherwise, newest link first: through the links from the newest on, until the page is full.
    """
    narrow = named.narrow or narrowing is not None
    gather = narrow or few or _names_number(wanted) or order.column != "m.id"
    statement = _memberships(
        collections.SELECT_MEMBERSHIP,
        scope,
        wanted,
        plus="+" if narrow or not gather else "",
        by_row=named.by_row,
        narrowing=narrowing,
    )
    order.add_to(statement, "m.id", limit, plus="+" if gather else "")
    return statement


def _memberships(
    select: str,
    scope: Scope,
    wanted: Node | None,
    *,
    plus: str,
    by_row: frozenset[str],
    narrowing: Statement | None,
) -> Statement:
    statement = Statement(select + "CROSS JOIN version v WHERE v.id = m.version_id")
    statement.add(f" AND m.deleted_at IS NULL AND {plus}m.collection_id IN")
    statement.add(" (SELECT c.id FROM collection c WHERE ")
    scope.add_to(statement)
    statement.add(")")
    statement.by_row = by_row
    if narrowing is not None:
        statement.add(narrowing.text, *narrowing.values)
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
    narrowing = metadata_index.narrowing(tx, wanted)
    named = Named.by(tx, wanted)
    statement = memberships_statement(
        scope, wanted, order, limit, few=few, named=named, narrowing=narrowing
    )
    return [
        collections.membership_from_row(row) for row in tx.all(statement.text, statement.values)
    ]


def count_memberships(tx: Transaction, scope: Scope, wanted: Node | None) -> int:
    """How many live memberships in the scope fulfil the filter."""
    if wanted is None:
        return count_collections(tx, scope)[1]
    if not scope.project_ids or not scope.kinds:
        return 0
    narrowing = metadata_index.narrowing(tx, wanted)
    named = Named.by(tx, wanted)
    statement = _memberships(
        "SELECT count(*) AS n FROM membership m ",
        scope,
        wanted,
        plus="+" if named.narrow or narrowing is not None else "",
        by_row=named.by_row,
        narrowing=narrowing,
    )
    row = tx.one(statement.text, statement.values)
    return 0 if row is None else int(row["n"])


def _of_collection(
    tx: Transaction, select: str, collection_id: int, wanted: Node | None
) -> Statement:
    narrowing = metadata_index.narrowing(tx, wanted)
    named = Named.by(tx, wanted)
    statement = Statement(
        select + "CROSS JOIN version v WHERE v.id = m.version_id", by_row=named.by_row
    )
    plus = "+" if named.narrow or narrowing is not None else ""
    statement.add(f" AND {plus}m.collection_id = ? AND m.deleted_at IS NULL", collection_id)
    if narrowing is not None:
        statement.add(narrowing.text, *narrowing.values)
    if wanted is not None:
        statement.add(" AND (")
        statement.add_node(wanted, VERSION_COLUMNS)
        statement.add(")")
    return statement


def list_of_collection(
    tx: Transaction, collection_id: int, wanted: Node | None, order: Order, limit: int
) -> list[Membership]:
    """The collection's live memberships that fulfil the filter."""
    statement = _of_collection(tx, collections.SELECT_MEMBERSHIP, collection_id, wanted)
    order.add_to(statement, "m.number", limit)
    return [
        collections.membership_from_row(row) for row in tx.all(statement.text, statement.values)
    ]


def count_of_collection(tx: Transaction, collection_id: int, wanted: Node | None) -> int:
    """How many live memberships of the collection fulfil the filter."""
    select = "SELECT count(*) AS n FROM membership m "
    statement = _of_collection(tx, select, collection_id, wanted)
    row = tx.one(statement.text, statement.values)
    return 0 if row is None else int(row["n"])


def sort_values(tx: Transaction, membership_ids: Sequence[int], column: str) -> dict[int, Any]:
    """By membership id, the value of one of the columns by which versions are sorted."""
    statement = Statement(f"SELECT m.id, {column} AS value FROM membership m")
    statement.add_list(" JOIN version v ON v.id = m.version_id WHERE m.id IN (", membership_ids)
    return {row["id"]: row["value"] for row in tx.all(statement.text, statement.values)}
