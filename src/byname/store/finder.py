"""Finding names by a part of them, as rows: each statement is a walk through one index.

Names that fit exactly or from their start are found through the index of folded names, others
through the index of every three letters in a row. Neither reads through versions. Only what lies in
the projects given is found: that is a condition of the statement, and not a sieve behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byname.domain.finder import Found, Rank, Sort
from byname.store.condition import Statement
from byname.store.database import Transaction

LETTERS_MIN = 3
"""The index of parts knows no fewer letters in a row."""
FEW = 500
"""Of so many names with one start, all are gathered and sorted; of more, the newest are read first."""
_LAST = chr(0x10FFFF)

_COLUMNS = {
    Sort.REGISTRY: "p.id AS project_id, NULL AS collection_id, NULL AS collection_name,"
    " 0 AS membership_id, NULL AS number",
    Sort.COLLECTION: "c.project_id, c.id AS collection_id, c.name AS collection_name,"
    " 0 AS membership_id, NULL AS number",
}
_COLUMNS[Sort.COLLECTION_TAG] = _COLUMNS[Sort.COLLECTION]
_COLUMNS[Sort.VERSION_TAG] = (
    "c.project_id, c.id AS collection_id, c.name AS collection_name,"
    " m.id AS membership_id, m.number"
)
_COLUMNS[Sort.ALIAS] = (
    _COLUMNS[Sort.VERSION_TAG] + ", EXISTS (SELECT 1 FROM protected_alias o"
    " WHERE o.project_id = c.project_id AND o.name_key = f.name_key) AS protected"
)
_COLLECTION = (
    " CROSS JOIN collection c ON c.id = f.object_id AND c.deleted_at IS NULL"
    " AND c.project_id IN ({projects})"
)
_HOLDING = {
    Sort.REGISTRY: " CROSS JOIN project p ON p.id = f.object_id AND p.deleted_at IS NULL"
    " AND p.id IN ({projects})",
    Sort.COLLECTION: _COLLECTION,
    Sort.COLLECTION_TAG: _COLLECTION,
    Sort.VERSION_TAG: " CROSS JOIN membership m ON m.version_id = f.object_id"
    " AND m.deleted_at IS NULL CROSS JOIN collection c ON c.id = m.collection_id"
    " AND c.deleted_at IS NULL AND c.project_id IN ({projects})",
    Sort.ALIAS: _COLLECTION + " CROSS JOIN alias a ON a.collection_id = c.id AND a.name = f.name"
    " CROSS JOIN membership m ON m.id = a.membership_id",
}
"""What must be there for a name still to hold, by sort."""


def statement_for(
    sort: Sort,
    rank: Rank,
    text: str,
    project_ids: Sequence[int],
    *,
    after: tuple[int, int] | None,
    limit: int,
    few: bool = True,
) -> Statement:
    """The statement that finds the names of that rank, newest first.

    `few`: no more than a few names start with the text. Where more do, they are looked for among
    those that hold it anywhere, which the index of parts tells from new to old.
    """
    by_part = rank is Rank.PART or (rank is Rank.PREFIX and not few)
    parts = f"finding_part_{sort.value}"
    start = f"{parts} g CROSS JOIN finding f ON f.id = g.rowid" if by_part else "finding f"
    statement = Statement(f"SELECT f.id, f.name, {_COLUMNS[sort]} FROM {start}")
    before, _, behind = _HOLDING[sort].partition("{projects})")
    statement.add_list(before, list(project_ids))
    statement.add(f"{behind} WHERE f.kind = ?", sort.value)
    if rank is Rank.EXACT:
        statement.add(" AND f.name_key = ?", text)
    elif rank is Rank.PREFIX:
        statement.add(" AND f.name_key > ? AND f.name_key < ?", text, text + _LAST)
    else:
        statement.add(" AND NOT (f.name_key >= ? AND f.name_key < ?)", text, text + _LAST)
    if by_part:
        quoted = text.replace('"', '""')
        statement.add(f" AND {parts} MATCH ?", f'"{quoted}"')
    member = "m.id" if sort in (Sort.VERSION_TAG, Sort.ALIAS) else "0"
    key = "g.rowid" if by_part else "f.id"
    if after is not None:
        statement.add(f" AND ({key} < ? OR ({key} = ? AND {member} < ?))", after[0], *after)
        statement.add(f" AND {key} <= ?", after[0])
    # A name of an alias leads to one version; a second word would have them all sorted.
    second = ", m.id DESC" if sort is Sort.VERSION_TAG else ""
    statement.add(f" ORDER BY {key} DESC{second} LIMIT ?", limit)
    return statement


def list_found(
    tx: Transaction,
    sort: Sort,
    rank: Rank,
    text: str,
    project_ids: Sequence[int],
    *,
    after: tuple[int, int] | None,
    limit: int,
) -> list[Found]:
    """Where names of that sort and rank stand in these projects, newest name first.

    Texts of fewer than three letters are found at the start of names only.
    """
    if not project_ids or limit < 1 or (rank is Rank.PART and len(text) < LETTERS_MIN):
        return []
    few = rank is not Rank.PREFIX or len(text) < LETTERS_MIN or _few_start(tx, sort, text)
    statement = statement_for(sort, rank, text, project_ids, after=after, limit=limit, few=few)
    rows: list[Any] = tx.all(statement.text, statement.values)
    return [
        Found(
            sort=sort,
            rank=rank,
            name=row["name"],
            finding_id=row["id"],
            project_id=row["project_id"],
            collection_id=row["collection_id"],
            collection_name=row["collection_name"],
            membership_id=row["membership_id"] or None,
            number=row["number"],
            protected=sort is Sort.ALIAS and bool(row["protected"]),
        )
        for row in rows
    ]


def _few_start(tx: Transaction, sort: Sort, text: str) -> bool:
    row = tx.one(
        "SELECT count(*) AS n FROM (SELECT 1 FROM finding f WHERE f.kind = ? AND f.name_key > ?"
        " AND f.name_key < ? LIMIT ?)",
        [sort.value, text, text + _LAST, FEW + 1],
    )
    return row is None or int(row["n"]) <= FEW
