"""The table of a collection's versions, as rows: sorted by any column, read on in both directions."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.collection import Membership
from byname.domain.filter import Node
from byname.domain.version_table import Place, Sort
from byname.store import collection as collections
from byname.store import metadata_index
from byname.store.condition import VERSION_COLUMNS, Statement
from byname.store.database import Transaction
from byname.store.search import Named

_COLUMNS = {
    "size": "m.size_bytes",
    "by": "(SELECT u.username_key FROM users u WHERE u.id = m.created_by)",
    "at": "m.created_at",
}


@dataclass(frozen=True, slots=True)
class _Key:
    """What the table is sorted by, as an expression with its values."""

    text: str
    values: tuple[str, ...] = ()
    is_indexed: bool = False
    """Every membership has it, and an index has all in this order."""


def _key(sort: Sort) -> _Key | None:
    """The expression; None where the number alone decides."""
    if sort.metric is None:
        column = _COLUMNS.get(sort.column)
        return None if column is None else _Key(column, is_indexed=column.startswith("m."))
    whole = f'$."{sort.metric}"'
    steps = "$" + "".join(f'."{step}"' for step in sort.metric.split("."))
    if whole == steps:
        return _Key("json_extract(v.metadata, ?)", (whole,))
    return _Key(
        "coalesce(json_extract(v.metadata, ?), json_extract(v.metadata, ?))", (whole, steps)
    )


def _from(statement: Statement, collection_id: int, plus: str = "") -> None:
    statement.add(
        " FROM membership m CROSS JOIN version v WHERE v.id = m.version_id"
        f" AND {plus}m.collection_id = ?",
        collection_id,
    )


def read(
    tx: Transaction,
    collection_id: int,
    wanted: Node | None,
    sort: Sort,
    place: Place | None,
    limit: int,
) -> list[Membership] | None:
    """Some live memberships as sorted; None when the place is no version of the collection.

    Read from a place backwards, they come in backward order. What has no value comes last.
    """
    statement = statement_of(tx, collection_id, wanted, sort, place, limit)
    if statement is None:
        return None
    return [
        collections.membership_from_row(row) for row in tx.all(statement.text, statement.values)
    ]


def statement_of(
    tx: Transaction,
    collection_id: int,
    wanted: Node | None,
    sort: Sort,
    place: Place | None,
    limit: int,
) -> Statement | None:
    """The statement that `read` runs."""
    key = _key(sort)
    down = sort.descending != (place is not None and place.before)
    word = " DESC" if down else ""
    sign = "<" if down else ">"
    # In every direction the missing values lie at the end that is the table's last page.
    missing = "IS NOT NULL" if sort.descending else "IS NULL"
    statement = Statement(collections.SELECT_MEMBERSHIP.removesuffix(" FROM membership m "))
    narrowing = metadata_index.narrowing(tx, wanted)
    named = Named.by(tx, wanted)
    narrow = named.narrow or narrowing is not None
    statement.by_row = named.by_row
    _from(statement, collection_id, "+" if narrow else "")
    statement.add(" AND m.deleted_at IS NULL")
    if narrowing is not None:
        statement.add(narrowing.text, *narrowing.values)
    if wanted is not None:
        statement.add(" AND (")
        statement.add_node(wanted, VERSION_COLUMNS)
        statement.add(")")
    if key is None:
        if place is not None:
            statement.add(f" AND m.number {sign} ?", place.number)
        statement.add(f" ORDER BY m.number{word}")
    else:
        if place is not None:
            start = _start(tx, collection_id, key, missing, place)
            if start is None:
                return None
            if key.is_indexed:
                statement.add(f" AND ({key.text}, m.number) {sign} (?, ?)", *start[1:])
            else:
                statement.add(
                    f" AND ({key.text} {missing}, coalesce({key.text}, 0), m.number) {sign} (?, ?, ?)",
                    *key.values,
                    *key.values,
                    *start,
                )
        if key.is_indexed:
            statement.add(f" ORDER BY {key.text}{word}, m.number{word}")
        else:
            statement.add(
                f" ORDER BY {key.text} {missing}{word}, coalesce({key.text}, 0){word},"
                f" m.number{word}",
                *key.values,
                *key.values,
            )
    statement.add(" LIMIT ?", limit)
    return statement


def _start(
    tx: Transaction, collection_id: int, key: _Key, missing: str, place: Place
) -> tuple[int, object, int] | None:
    """Where in the order the version of that number stands, also one that has left since."""
    statement = Statement(
        f"SELECT {key.text} {missing} AS rank, coalesce({key.text}, 0) AS value",
        [*key.values, *key.values],
    )
    _from(statement, collection_id)
    statement.add(" AND m.number = ?", place.number)
    row = tx.one(statement.text, statement.values)
    return None if row is None else (row["rank"], row["value"], place.number)
