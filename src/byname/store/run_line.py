"""The lines of runs' streams, and the keys that their history has, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from byname.domain.run_line import LoggedKey, storable
from byname.store.database import Transaction

KEYS_MAX = 10_000
"""So many different keys are counted for one run; lines keep them all."""
CHUNK = 500


def put(tx: Transaction, run_id: int, stream: str, offset: int, lines: Sequence[str]) -> None:
    """The stream has these lines from the number `offset` on; lines that were there are replaced."""
    tx.run_many(
        "INSERT INTO run_line (run_id, stream, number, content) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (run_id, stream, number) DO UPDATE SET content = excluded.content",
        [(run_id, stream, offset + index, line) for index, line in enumerate(lines)],
    )


def between(
    tx: Transaction, run_id: int, stream: str, start: int, stop: int, *, limit: int
) -> list[tuple[int, str]]:
    """The numbered lines from `start` to before `stop`, in order, at most `limit` of them."""
    rows = tx.all(
        "SELECT number, content FROM run_line WHERE run_id = :run AND stream = :stream"
        " AND number >= :start AND number < :stop ORDER BY number LIMIT :limit",
        {"run": run_id, "stream": stream, "start": start, "stop": stop, "limit": limit},
    )
    return [(row["number"], row["content"]) for row in rows]


def at_numbers(
    tx: Transaction, run_id: int, stream: str, numbers: Sequence[int]
) -> list[tuple[int, str]]:
    """The lines of these numbers, in order; those that do not exist are left out."""
    found: list[tuple[int, str]] = []
    for index in range(0, len(numbers), CHUNK):
        part = numbers[index : index + CHUNK]
        rows = tx.all(
            "SELECT number, content FROM run_line WHERE run_id = ? AND stream = ?"
            f" AND number IN ({','.join('?' * len(part))}) ORDER BY number",
            [run_id, stream, *part],
        )
        found += [(row["number"], row["content"]) for row in rows]
    return found


def octets(tx: Transaction, run_id: int, stream: str, start: int, stop: int) -> int:
    """The size in bytes of the lines from `start` to before `stop`."""
    row = tx.one(
        "SELECT coalesce(sum(octet_length(content)), 0) AS n FROM run_line"
        " WHERE run_id = :run AND stream = :stream AND number >= :start AND number < :stop",
        {"run": run_id, "stream": stream, "start": start, "stop": stop},
    )
    return int(row["n"]) if row is not None else 0


def places(
    tx: Transaction, run_id: int, stream: str, start: int, stop: int
) -> dict[tuple[int, str], int]:
    """Where lines stand that were said with a number from `start` to before `stop`, and moved."""
    rows = tx.all(
        "SELECT said_number, said, number FROM run_line_place WHERE run_id = :run"
        " AND stream = :stream AND said_number >= :start AND said_number < :stop",
        {"run": run_id, "stream": stream, "start": start, "stop": stop},
    )
    return {(row["said_number"], row["said"]): row["number"] for row in rows}


def places_of(tx: Transaction, run_id: int, stream: str, said: Sequence[str]) -> dict[str, int]:
    """Where lines stand that moved, by who said them."""
    found: dict[str, int] = {}
    for index in range(0, len(said), CHUNK):
        part = said[index : index + CHUNK]
        for row in tx.all(
            "SELECT said, number FROM run_line_place WHERE run_id = ? AND stream = ?"
            f" AND said IN ({','.join('?' * len(part))})",
            [run_id, stream, *part],
        ):
            found[row["said"]] = row["number"]
    return found


def add_places(
    tx: Transaction, run_id: int, stream: str, moved: Iterable[tuple[int, str, int]]
) -> None:
    """These lines, by the number they were said with and who said them, stand under another."""
    tx.run_many(
        "INSERT INTO run_line_place (run_id, stream, said_number, said, number)"
        " VALUES (?, ?, ?, ?, ?)",
        [(run_id, stream, *each) for each in moved],
    )


def remove(tx: Transaction, run_id: int, stream: str, numbers: Sequence[int]) -> None:
    """The stream has no lines of these numbers, and forgets that some had been moved there."""
    if isinstance(numbers, range):
        tx.run(
            "DELETE FROM run_line WHERE run_id = :run AND stream = :stream"
            " AND number >= :start AND number < :stop",
            {"run": run_id, "stream": stream, "start": numbers.start, "stop": numbers.stop},
        )
        return
    what = [(run_id, stream, number) for number in numbers]
    for table in ("run_line", "run_line_place"):
        tx.run_many(f"DELETE FROM {table} WHERE run_id = ? AND stream = ? AND number = ?", what)


def copy(
    tx: Transaction, source_id: int, target_id: int, stream: str, numbers: Sequence[int]
) -> None:
    """The target has the source's lines of these numbers, one behind the other from nought on."""
    if isinstance(numbers, range):
        tx.run(
            "INSERT INTO run_line (run_id, stream, number, content)"
            " SELECT :target, stream, number, content FROM run_line WHERE run_id = :source"
            " AND stream = :stream AND number >= :start AND number < :stop",
            {
                "target": target_id,
                "source": source_id,
                "stream": stream,
                "start": numbers.start,
                "stop": numbers.stop,
            },
        )
        return
    tx.run_many(
        "INSERT INTO run_line (run_id, stream, number, content)"
        " SELECT ?, stream, ?, content FROM run_line WHERE run_id = ? AND stream = ?"
        " AND number = ?",
        [(target_id, index, source_id, stream, number) for index, number in enumerate(numbers)],
    )


def copy_keys(tx: Transaction, source_id: int, target_id: int) -> None:
    """The target has the source's keys, as often as they were logged there."""
    tx.run(
        "INSERT INTO run_key (run_id, name, kind, line_count, last_value, last_step)"
        " SELECT :target, name, kind, line_count, last_value, last_step FROM run_key"
        " WHERE run_id = :source",
        {"target": target_id, "source": source_id},
    )


def set_last(tx: Transaction, run_id: int, keys: Iterable[LoggedKey]) -> None:
    """What came last under these keys, which the run has."""
    tx.run_many(
        "UPDATE run_key SET kind = ?, last_value = ?, last_step = ? WHERE run_id = ? AND name = ?",
        [(key.kind, key.last_value, key.last_step, run_id, key.name) for key in keys],
    )


def first_moved(tx: Transaction, run_id: int, stream: str) -> int | None:
    """The first number under which a moved line stands: from there on steps may go up and down."""
    row = tx.one(
        "SELECT min(number) AS number FROM run_line_place WHERE run_id = :run AND stream = :stream",
        {"run": run_id, "stream": stream},
    )
    return None if row is None else row["number"]


_COUNT_OF_STREAM = {"history": "history_count", "events": "events_count", "output": "log_count"}


def last_of_many(tx: Transaction, run_ids: Sequence[int], stream: str) -> dict[int, str]:
    """The newest line of the stream, by run id."""
    if not run_ids:
        return {}
    rows = tx.all(
        "SELECT l.run_id, l.content FROM run r JOIN run_line l ON l.run_id = r.id"
        f" AND l.stream = ? AND l.number = r.{_COUNT_OF_STREAM[stream]} - 1"
        f" WHERE r.id IN ({','.join('?' * len(run_ids))})",
        [stream, *run_ids],
    )
    return {row["run_id"]: row["content"] for row in rows}


def keys_of_many(tx: Transaction, run_ids: Sequence[int]) -> dict[int, list[LoggedKey]]:
    """The keys that these runs logged, by run id."""
    found: dict[int, list[LoggedKey]] = {run_id: [] for run_id in run_ids}
    if run_ids:
        for row in tx.all(
            "SELECT run_id, name, kind, line_count, last_value, last_step FROM run_key"
            f" WHERE run_id IN ({','.join('?' * len(run_ids))}) ORDER BY run_id, name",
            list(run_ids),
        ):
            found[row["run_id"]].append(
                LoggedKey(
                    name=row["name"],
                    kind=row["kind"],
                    line_count=row["line_count"],
                    last_value=row["last_value"],
                    last_step=row["last_step"],
                )
            )
    return found


def _numeric(text: str) -> tuple[str, dict[str, str]]:
    where = "run_id = :run AND kind = 'number' AND substr(name, 1, 1) <> '_'"
    if not text:
        return where, {}
    return where + " AND instr(lower(name), lower(:text)) > 0", {"text": storable(text)}


def list_numeric_keys(
    tx: Transaction, run_id: int, *, text: str, after: str, limit: int
) -> list[LoggedKey]:
    """Some keys whose last value was a number, by name; those that the text is part of."""
    where, values = _numeric(text)
    rows = tx.all(
        "SELECT name, kind, line_count, last_value, last_step FROM run_key"
        f" WHERE {where} AND name > :after ORDER BY name LIMIT :limit",
        {**values, "run": run_id, "after": after, "limit": limit},
    )
    return [
        LoggedKey(
            name=row["name"],
            kind=row["kind"],
            line_count=row["line_count"],
            last_value=row["last_value"],
            last_step=row["last_step"],
        )
        for row in rows
    ]


def count_numeric_keys(tx: Transaction, run_id: int, *, text: str) -> int:
    """How many keys `list_numeric_keys` has in all."""
    where, values = _numeric(text)
    row = tx.one(f"SELECT count(*) AS n FROM run_key WHERE {where}", {**values, "run": run_id})
    return 0 if row is None else int(row["n"])


def key_names(tx: Transaction, run_id: int) -> set[str] | None:
    """The names of the run's keys, when it has nearly as many as are counted; else None."""
    row = tx.one("SELECT count(*) AS n FROM run_key WHERE run_id = :run", {"run": run_id})
    if row is None or row["n"] < KEYS_MAX // 2:
        return None
    return {
        each["name"]
        for each in tx.all("SELECT name FROM run_key WHERE run_id = :run", {"run": run_id})
    }


def add_keys(tx: Transaction, run_id: int, keys: Iterable[LoggedKey]) -> None:
    """The keys were logged so many more times; the value of the highest step is the last one."""
    tx.run_many(
        "INSERT INTO run_key (run_id, name, kind, line_count, last_value, last_step)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, name) DO UPDATE SET"
        " line_count = run_key.line_count + excluded.line_count,"
        " kind = CASE WHEN excluded.last_step >= run_key.last_step"
        " THEN excluded.kind ELSE run_key.kind END,"
        " last_value = CASE WHEN excluded.last_step >= run_key.last_step"
        " THEN excluded.last_value ELSE run_key.last_value END,"
        " last_step = CASE WHEN excluded.last_step >= run_key.last_step"
        " THEN excluded.last_step ELSE run_key.last_step END",
        [
            (run_id, key.name, key.kind, key.line_count, key.last_value, key.last_step)
            for key in keys
        ],
    )


def subtract_keys(tx: Transaction, run_id: int, counts: dict[str, int]) -> None:
    """The keys were logged so many fewer times: lines that held them are about to be replaced."""
    tx.run_many(
        "UPDATE run_key SET line_count = line_count - ? WHERE run_id = ? AND name = ?",
        [(count, run_id, name) for name, count in counts.items()],
    )


def drop_unused_keys(tx: Transaction, run_id: int) -> None:
    """Keys that no line holds any more are gone."""
    tx.run("DELETE FROM run_key WHERE run_id = :run AND line_count <= 0", {"run": run_id})
