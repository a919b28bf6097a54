"""History as rows: the ledger and all else that happened, read as one list in commit order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from byname.domain.history import Cursor, Entry, Filter, Refused, Sort
from byname.store.database import Row, Transaction
from byname.store.moment import moment

_OF_LEDGER = (
    "l.id AS ledger_id, 0 AS id, l.project_id, l.collection_id, NULL AS version_id,"
    " l.to_number AS number, CASE WHEN l.to_number IS NULL THEN 'alias:remove'"
    " WHEN l.from_number IS NULL THEN 'alias:add' ELSE 'alias:move' END AS kind,"
    " l.alias AS subject, l.from_number, l.to_number, NULL AS before, NULL AS after, NULL AS names,"
    " l.revision, l.cause, l.actor_id, l.actor_name, l.face, l.at"
)
_OF_REST = (
    "h.ledger_id, h.id, h.project_id, h.collection_id, h.version_id, h.number, h.kind,"
    " h.subject, NULL AS from_number, NULL AS to_number, h.before, h.after, h.names,"
    " NULL AS revision, NULL AS cause, h.actor_id, h.actor_name, h.face, h.at"
)
_LEDGER = f"SELECT {_OF_LEDGER} FROM ledger l"
_REST = f"SELECT {_OF_REST} FROM history h"
_LEDGER_IN_PLACE = f"SELECT {_OF_LEDGER}, 0 AS reading, 0 AS refusal FROM ledger l"
_REST_IN_PLACE = f"SELECT {_OF_REST}, 0 AS reading, 0 AS refusal FROM history h"
_NAMED = (
    "SELECT x.*, c.name AS collection, e.name || '/' || p.name AS project FROM ({}) x"
    " LEFT JOIN collection c ON c.id = x.collection_id"
    " LEFT JOIN project p ON p.id = x.project_id LEFT JOIN entity e ON e.id = p.entity_id"
)


_DIGESTED = (
    "SELECT y.*, v.digest FROM ({}) y"
    " LEFT JOIN membership m ON m.collection_id = y.collection_id AND m.number = y.number"
    " LEFT JOIN version v ON v.id = m.version_id ORDER BY y.ledger_id, y.id"
)


_READING = (
    "SELECT r.ledger_id, r.history_id AS id, r.project_id, r.collection_id, r.version_id,"
    " r.number, 'artifact:read' AS kind, '' AS subject, NULL AS from_number,"
    " NULL AS to_number, NULL AS before, NULL AS after, NULL AS names, NULL AS revision,"
    " NULL AS cause, r.actor_id, r.actor_name, r.face, r.at, r.id AS reading, 0 AS refusal"
    " FROM reading r"
)
_REFUSAL = (
    "SELECT f.ledger_id, f.history_id AS id, f.project_id, NULL AS collection_id,"
    " NULL AS version_id, NULL AS number, f.kind, f.subject, NULL AS from_number,"
    " NULL AS to_number, NULL AS before, NULL AS after, NULL AS names, NULL AS revision,"
    " NULL AS cause, nullif(f.actor_id, 0) AS actor_id, f.actor_name, f.face, f.at,"
    " f.reading_id AS reading, f.id AS refusal FROM refusal f"
)
_WITH_ORIGIN = (
    "SELECT y.*, coalesce(o.actor_ip, g.actor_ip, r.actor_ip, f.actor_ip) AS actor_ip,"
    " coalesce(o.client, g.client, r.client, f.client) AS client, f.call, f.status, f.code,"
    " f.count, f.outside FROM ({}) y"
    " LEFT JOIN ledger o ON y.id = 0 AND y.reading = 0 AND y.refusal = 0 AND o.id = y.ledger_id"
    " LEFT JOIN history g ON y.reading = 0 AND y.refusal = 0 AND g.id = y.id"
    " LEFT JOIN reading r ON y.refusal = 0 AND r.id = y.reading"
    " LEFT JOIN refusal f ON y.refusal <> 0 AND f.id = y.refusal"
)


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """The entry is in the history, behind everything that was committed before."""
    tx.run(
        "INSERT INTO history (ledger_id, organization_id, project_id, collection_id, version_id,"
        " number, kind, subject, before, after, names, actor_id, actor_name, face, at, actor_ip,"
        " client) VALUES"
        " (coalesce((SELECT max(id) FROM ledger), 0), :organization, :project, :collection,"
        " :version, :number, :kind, :subject, :before, :after, :names, :actor, :actor_name, :face,"
        " :at, :address, :client)",
        row,
    )


def _entry(row: Row, digest: str | None = None) -> Entry:
    if row["id"] == 0:
        before, after = _version(row["from_number"]), _version(row["to_number"])
    else:
        before, after = _value(row["before"]), _value(row["after"])
    return Entry(
        cursor=Cursor(row["ledger_id"], row["id"]),
        at=moment(row["at"]),
        actor_id=row["actor_id"],
        actor=row["actor_name"],
        face=row["face"],
        kind=row["kind"],
        subject=row["subject"],
        project_id=row["project_id"],
        project=row["project"],
        collection_id=row["collection_id"],
        collection=row["collection"],
        version_id=row["version_id"],
        number=row["number"],
        before=before,
        after=after,
        revision=row["revision"],
        cause=row["cause"],
        names=tuple(_value(row["names"]) or ()),
        digest=digest,
    )


def _version(number: int | None) -> str | None:
    return None if number is None else f"v{number}"


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _conditions(wanted: Filter) -> tuple[list[str], list[str], dict[str, Any]]:
    """What rows of the ledger, and of the rest, must meet."""
    ledger: list[str] = []
    rest: list[str] = []
    values: dict[str, Any] = {}
    if wanted.actor is not None:
        ledger.append("l.actor_name = :actor")
        rest.append("h.actor_name = :actor")
        values["actor"] = wanted.actor
    if wanted.kind is not None:
        noun, _, verb = wanted.kind.partition(":")
        of_ledger = {
            "": "1",
            "add": "l.from_number IS NULL AND l.to_number IS NOT NULL",
            "move": "l.from_number IS NOT NULL AND l.to_number IS NOT NULL",
            "remove": "l.to_number IS NULL",
        }
        ledger.append(of_ledger.get(verb, "0") if noun == "alias" else "0")
        rest.append("h.kind = :kind" if verb else "substr(h.kind, 1, length(:kind)) = :kind")
        values["kind"] = wanted.kind if verb else f"{noun}:"
    if wanted.alias is not None:
        ledger.append("l.alias = :alias")
        rest.append("h.kind LIKE 'protected_alias:%' AND h.subject = :alias")
        values["alias"] = wanted.alias
    if wanted.number is not None:
        ledger.append("(l.from_number = :number OR l.to_number = :number)")
        rest.append("h.number = :number")
        values["number"] = wanted.number
    if wanted.since is not None:
        ledger.append("l.at >= :since")
        rest.append("h.at >= :since")
        values["since"] = wanted.since
    if wanted.until is not None:
        ledger.append("l.at <= :until")
        rest.append("h.at <= :until")
        values["until"] = wanted.until
    return ledger, rest, values


def newest(
    tx: Transaction,
    *,
    project_id: int,
    collection_id: int | None,
    wanted: Filter,
    below: Cursor | None,
    limit: int,
) -> list[Entry]:
    """What happened in the collection, or in the whole project, newest first, from below a place."""
    ledger, rest, values = _conditions(wanted)
    if collection_id is None:
        ledger.append("l.project_id = :project")
        rest.append("h.project_id = :project")
        values["project"] = project_id
    else:
        ledger.append("l.collection_id = :collection")
        rest.append("h.collection_id = :collection")
        values["collection"] = collection_id
    place = Cursor(2**60, 0) if below is None else below
    ledger.append("l.id <= :ledger_most")
    rest.append("(h.ledger_id, h.id) < (:ledger, :id)")
    values |= {
        "ledger_most": place.ledger_id if place.id else place.ledger_id - 1,
        "ledger": place.ledger_id,
        "id": place.id,
        "limit": limit,
    }
    both = (
        f"SELECT * FROM ({_LEDGER} WHERE {' AND '.join(ledger)} ORDER BY l.id DESC LIMIT :limit)"
        f" UNION ALL SELECT * FROM ({_REST} WHERE {' AND '.join(rest)}"
        " ORDER BY h.ledger_id DESC, h.id DESC LIMIT :limit)"
        " ORDER BY ledger_id DESC, id DESC LIMIT :limit"
    )
    rows = tx.all(_NAMED.format(both) + " ORDER BY x.ledger_id DESC, x.id DESC", values)
    return [_entry(row) for row in rows]


def of_organization(
    tx: Transaction,
    organization_id: int,
    *,
    wanted: Filter,
    place: Cursor | None,
    newest_first: bool,
    limit: int,
) -> list[Entry]:
    """What happened in the organization and its teams, what was read there, and what was refused.

    From behind a place, either newest or oldest first.
    """
    ledger, rest, values = _conditions(wanted)
    start = place or (Cursor(2**60, 0) if newest_first else Cursor(0, 0))
    parts = {
        "ledger": start.ledger_id,
        "id": start.id,
        "reading": start.reading,
        "refusal": start.refusal,
    }
    values |= {**parts, "organization": organization_id, "limit": limit}
    down = " DESC" if newest_first else ""

    def behind(*columns: str) -> str:
        # The place of a row ends in zeros that its table has no columns for: those of the same
        # beginning lie before a place that goes on.
        named = list(parts)[: len(columns)]
        goes_on = any(list(parts.values())[len(columns) :])
        sign = ("<=" if goes_on else "<") if newest_first else ">"
        return f"({', '.join(columns)}) {sign} (:{', :'.join(named)})"

    def table(select: str, conditions: Sequence[str], *columns: str) -> str:
        met = " AND ".join([*conditions, behind(*columns)])
        order = ", ".join(f"{each}{down}" for each in columns)
        return f"SELECT * FROM ({select} WHERE {met} ORDER BY {order} LIMIT :limit)"

    theirs = (
        "l.project_id IN (SELECT p.id FROM project p JOIN entity e ON e.id = p.entity_id"
        " WHERE e.id = :organization OR e.organization_id = :organization)"
    )
    read = ["r.organization_id = :organization", *_of_others(wanted, "r", "'artifact:read'")]
    refused = ["f.organization_id = :organization", *_of_others(wanted, "f", "f.kind")]
    tables = {
        Sort.CHANGED: [
            table(_LEDGER_IN_PLACE, [*ledger, theirs], "l.id"),
            table(
                _REST_IN_PLACE,
                [*rest, "h.organization_id = :organization"],
                *("h.ledger_id", "h.id"),
            ),
        ],
        Sort.READ: [table(_READING, read, "r.ledger_id", "r.history_id", "r.id")],
        Sort.REFUSED: [
            table(_REFUSAL, refused, "f.ledger_id", "f.history_id", "f.reading_id", "f.id")
        ],
    }
    every = [
        each for sort, some in tables.items() if wanted.sort in (None, sort) for each in some
    ]  # fmt: skip
    order = f"ledger_id{down}, id{down}, reading{down}, refusal{down}"
    found = f"SELECT * FROM ({' UNION ALL '.join(every)}) ORDER BY {order} LIMIT :limit"
    rows = tx.all(f"{_WITH_ORIGIN.format(_NAMED.format(found))} ORDER BY {_of('y', order)}", values)
    return [_audited(row) for row in rows]


def _of(table: str, order: str) -> str:
    """The order, by columns of that table."""
    return ", ".join(f"{table}.{each}" for each in order.split(", "))


def _audited(row: Row) -> Entry:
    """The entry of a row with its place in the audit log, and where it came from."""
    refused = None
    if row["refusal"]:
        refused = Refused(
            row["call"], row["status"], row["code"], row["count"], outside=bool(row["outside"])
        )
    return replace(
        _entry(row),
        cursor=Cursor(row["ledger_id"], row["id"], row["reading"], row["refusal"]),
        address=row["actor_ip"],
        client=row["client"],
        refused=refused,
    )


def oldest_refusals_of_nobody(
    tx: Transaction, *, wanted: Filter, after: Cursor | None, limit: int
) -> list[Entry]:
    """What was refused in no organization, oldest first, from behind a place."""
    _, _, values = _conditions(wanted)
    place = Cursor(0, 0) if after is None else after
    conditions = [
        "f.organization_id IS NULL",
        "(f.ledger_id, f.history_id, f.reading_id, f.id) > (:ledger, :id, :reading, :refusal)",
        *_of_others(wanted, "f", "f.kind"),
    ]
    values |= {
        "ledger": place.ledger_id,
        "id": place.id,
        "reading": place.reading,
        "refusal": place.refusal,
        "limit": limit,
    }
    found = (
        f"{_REFUSAL} WHERE {' AND '.join(conditions)}"
        " ORDER BY f.ledger_id, f.history_id, f.reading_id, f.id LIMIT :limit"
    )
    rows = tx.all(
        f"{_WITH_ORIGIN.format(_NAMED.format(found))} ORDER BY"
        " y.ledger_id, y.id, y.reading, y.refusal",
        values,
    )
    return [_audited(row) for row in rows]


def _of_others(wanted: Filter, row: str, kind: str) -> list[str]:
    """What readings and refusals must meet, with the values that `_conditions` gives.

    They are not about an alias, nor about a number that was changed. `row` is their table's letter,
    `kind` what they are.
    """
    found = []
    if wanted.actor is not None:
        found.append(f"{row}.actor_name = :actor")
    if wanted.kind is not None:
        whole = wanted.kind.partition(":")[2]
        found.append(f"{kind if whole else f'substr({kind}, 1, length(:kind))'} = :kind")
    if wanted.alias is not None or wanted.number is not None:
        found.append("0")
    if wanted.since is not None:
        found.append(f"{row}.at >= :since")
    if wanted.until is not None:
        found.append(f"{row}.at <= :until")
    return found


def last_of_collections(tx: Transaction, ids: Sequence[int]) -> dict[int, Entry]:
    """What happened last in each of these collections, by its id."""
    these = [json.dumps(list(ids))]
    changes = tx.all(
        f"{_LEDGER} WHERE l.id IN (SELECT (SELECT max(k.id) FROM ledger k"
        " WHERE k.collection_id = json_each.value) FROM json_each(?))",
        these,
    )
    others = tx.all(
        f"{_REST} WHERE h.id IN (SELECT (SELECT k.id FROM history k"
        " WHERE k.collection_id = json_each.value ORDER BY k.ledger_id DESC, k.id DESC LIMIT 1)"
        " FROM json_each(?))",
        these,
    )
    found: dict[int, Entry] = {}
    for row in sorted([*changes, *others], key=lambda row: (row["ledger_id"], row["id"])):
        found[row["collection_id"]] = _entry({**row, "project": None, "collection": None})
    return found


def end(tx: Transaction) -> Cursor:
    """The place behind everything that was committed."""
    ledger = tx.one("SELECT max(id) FROM ledger")
    rest = tx.one("SELECT id, ledger_id FROM history ORDER BY id DESC LIMIT 1")
    last = 0 if ledger is None or ledger[0] is None else int(ledger[0])
    return Cursor(last, 0 if rest is None or rest["ledger_id"] < last else int(rest["id"]))


def oldest(
    tx: Transaction, *, project_id: int | None, collection_id: int | None, after: Cursor, limit: int
) -> list[Entry]:
    """What happened in the collection, in the project, or anywhere, oldest first, behind a place.

    With the digests of versions.
    """
    values = {"ledger": after.ledger_id, "id": after.id, "limit": limit}
    if collection_id is not None:
        ledger, rest = "l.collection_id = :of AND ", "h.collection_id = :of AND "
        values["of"] = collection_id
    elif project_id is not None:
        ledger, rest = "l.project_id = :of AND ", "h.project_id = :of AND "
        values["of"] = project_id
    else:
        ledger, rest = "", "h.id > :history AND "
        values["history"] = after.id or last_before(tx, after.ledger_id)
    ledger += "l.id > :ledger"
    rest += "(h.ledger_id, h.id) > (:ledger, :id)"
    order = "h.id" if "history" in values else "h.ledger_id, h.id"
    both = (
        f"SELECT * FROM ({_LEDGER} WHERE {ledger} ORDER BY l.id LIMIT :limit)"
        f" UNION ALL SELECT * FROM ({_REST} WHERE {rest} ORDER BY {order} LIMIT :limit)"
        " ORDER BY ledger_id, id LIMIT :limit"
    )
    rows = tx.all(_DIGESTED.format(_NAMED.format(both)), values)
    return [_entry(row, row["digest"]) for row in rows]


def last_before(tx: Transaction, ledger_id: int) -> int:
    """The last entry beside the ledger that was written before the ledger's row of that id.

    Both numbers grow together, so that halving finds it in a few looks, without an index that every
    change would have to keep.
    """
    row = tx.one("SELECT max(id) FROM history")
    low, high = 0, 0 if row is None or row[0] is None else int(row[0])
    while low < high:
        middle = (low + high + 1) // 2
        row = tx.one(
            "SELECT ledger_id FROM history WHERE id >= :id ORDER BY id LIMIT 1", {"id": middle}
        )
        if row is not None and row["ledger_id"] < ledger_id:
            low = middle
        else:
            high = middle - 1
    return low


_WITHIN = {
    "collection": ("l.collection_id = :scope", "h.collection_id = :scope"),
    "project": ("l.project_id = :scope", "h.project_id = :scope"),
    "entity": (
        "l.project_id IN (SELECT p.id FROM project p JOIN entity e ON e.id = p.entity_id"
        " WHERE e.id = :scope OR e.organization_id = :scope)",
        "h.project_id IN (SELECT p.id FROM project p JOIN entity e ON e.id = p.entity_id"
        " WHERE e.id = :scope OR e.organization_id = :scope)",
    ),
}


def newer(
    tx: Transaction, after: Cursor, *, within: tuple[str, int] | None = None, limit: int
) -> tuple[list[Entry], Cursor]:
    """What was committed after a place, in the order in which it was; and how far that goes.

    Both ids of such a place are the last ones seen, of the ledger and of the rest. About `limit`
    entries at the most of each; `within` is the sort of a scope, and its id.
    """
    ledger, rest = _WITHIN[within[0]] if within is not None else ("1", "1")
    values = {
        "ledger": after.ledger_id,
        "id": after.id,
        "limit": limit,
        **({} if within is None else {"scope": within[1]}),
    }
    changes = tx.all(
        f"{_LEDGER} WHERE l.id > :ledger AND {ledger} ORDER BY l.id LIMIT :limit", values
    )
    others = tx.all(f"{_REST} WHERE h.id > :id AND {rest} ORDER BY h.id LIMIT :limit", values)
    # Where one list was cut off, the other goes no further.
    if len(changes) == limit:
        last = changes[-1]["ledger_id"]
        others = [row for row in others if row["ledger_id"] <= last]
    if len(others) == limit:
        last = others[-1]["ledger_id"]
        changes = [row for row in changes if row["ledger_id"] <= last]
    end = Cursor(
        changes[-1]["ledger_id"] if changes else after.ledger_id,
        others[-1]["id"] if others else after.id,
    )
    rows = sorted([*changes, *others], key=lambda row: (row["ledger_id"], row["id"]))
    return [_entry({**row, "project": None, "collection": None}) for row in rows], end
