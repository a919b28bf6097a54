"""The values in the metadata of committed versions, kept so that versions are found by them.

`domain/metadata_index.py` says what is kept.
"""

from __future__ import annotations

import json

from byname.domain import metadata_index as rules
from byname.domain.filter import Condition, Node, conjuncts
from byname.domain.metadata_index import NO_PATH, Range
from byname.store.condition import Statement
from byname.store.database import FUNCTIONS, Transaction

FUNCTIONS.append(("byname_kept", 1, lambda metadata: json.dumps(rules.kept(metadata))))

GATHERED_MAX = 20_000
"""Of more versions than these, the newest are read one by one: a page of them is soon full."""

FILL = (
    "INSERT INTO metadata_value (path, sort, number, text, version_id)"
    " SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'),"
    " json_extract(j.value, '$[2]'), json_extract(j.value, '$[3]'), v.id"
    " FROM version v, json_each(byname_kept(v.metadata)) j"
    " WHERE v.state = 'committed' AND v.metadata IS NOT NULL"
)
"""What brings a database up to date that was made before there was this index."""


def put(tx: Transaction, version_id: int, before: str | None, after: str | None) -> None:
    """The version is found by the values of this metadata, and no more by those of before."""
    old, new = set(rules.kept(before)), set(rules.kept(after))
    gone, come = sorted(old - new), sorted(new - old)
    if gone:
        tx.run_many(
            "DELETE FROM metadata_value WHERE path = ? AND sort = ? AND number = ? AND text = ?"
            " AND version_id = ?",
            [(*each, version_id) for each in gone],
        )
    if come:
        tx.run_many(
            "INSERT INTO metadata_value (path, sort, number, text, version_id)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(*each, version_id) for each in come],
        )


def forget(tx: Transaction, version_id: int) -> None:
    """The version is not found by its metadata any more."""
    row = tx.one("SELECT metadata FROM version WHERE id = :id", {"id": version_id})
    put(tx, version_id, None if row is None else row["metadata"], None)


def narrowing(tx: Transaction, wanted: Node | None) -> Statement | None:
    """A condition on a membership `m` that leads to few versions, and to all that are wanted.

    None where the filter has no such part: then its versions are so many that the newest of them
    are found by looking at one after the other, or they must all be looked at.
    """
    best: tuple[int, list[Range]] | None = None
    for part in conjuncts(wanted):
        found = rules.ranges(part) if isinstance(part, Condition) else []
        if found:
            count = _count(tx, found)
            if count <= GATHERED_MAX and (best is None or count < best[0]):
                best = count, found
    return None if best is None else _statement(best[1])


def _count(tx: Transaction, found: list[Range]) -> int:
    total = 0
    for each in [*found, Range(NO_PATH)]:
        statement = Statement("SELECT count(*) AS n FROM (SELECT 1 FROM metadata_value x WHERE ")
        _add_range(statement, each)
        statement.add(" LIMIT ?)", GATHERED_MAX + 1)
        row = tx.one(statement.text, statement.values)
        total += 0 if row is None else int(row["n"])
        if total > GATHERED_MAX:
            break
    return total


def _statement(found: list[Range]) -> Statement:
    statement = Statement(" AND m.version_id IN (")
    for number, each in enumerate([*found, Range(NO_PATH)]):
        statement.add(" UNION ALL " if number else "")
        statement.add("SELECT x.version_id FROM metadata_value x WHERE ")
        _add_range(statement, each)
    statement.add(")")
    return statement


def _add_range(statement: Statement, wanted: Range) -> None:
    statement.add("x.path = ?", wanted.path)
    if wanted.sort is None:
        return
    statement.add(" AND x.sort = ?", int(wanted.sort))
    if wanted.texts is not None:
        # The number of a text is always 0: said, so that the index goes on to the text.
        statement.add(" AND x.number = 0")
    for column, ends in (("number", wanted.numbers), ("text", wanted.texts)):
        if ends is None:
            continue
        start, end = ends
        if start == end:
            statement.add(f" AND x.{column} = ?", start)
            continue
        if start is not None:
            statement.add(f" AND x.{column} >= ?", start)
        if end is not None:
            statement.add(f" AND x.{column} <= ?", end)
