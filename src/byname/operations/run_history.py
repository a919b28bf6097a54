"""Reading what a run sent to its streams: rows by step, thinned-out rows, keys, console lines.

All take a run that the actor was shown already, so nothing here asks for permission.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from byname.domain import chart
from byname.domain import run_line as lines
from byname.domain.errors import TooLarge, Unprocessable
from byname.domain.file_stream import EVENTS, HISTORY, OUTPUT
from byname.domain.page import Page, decode_id, decode_text, encode_cursor, page_of, parse_first
from byname.domain.run import Run
from byname.domain.run_line import ConsoleLine
from byname.operations.context import Context
from byname.operations.line_place import first_at
from byname.store import run_line as line_rows
from byname.store.database import Transaction

SAMPLES_DEFAULT = 500
SAMPLES_MAX = 100_000
ANSWER_BYTES_MAX = 64 * 1024 * 1024
SCANNED_LINES_MAX = 200_000
"""A longer history is thinned out before it is searched for keys."""
LOG_LINES_MAX = 10_000
CHUNK = 500
KEYS_IN_SPEC_MAX = 1_000
SYSTEM_CHARTS_MAX = 60
LARGEST = 1e300
"""Beyond it a chart's own sums would overflow."""


def rows(
    ctx: Context,
    run: Run,
    *,
    min_step: int | None = None,
    max_step: int | None = None,
    samples: int | None = None,
) -> list[str]:
    """Lines of the history as JSON text, in order, `min_step` included and `max_step` not.

    When there are more than `samples` of them, they are thinned out evenly.

    Raises:
        TooLarge: they come to more than 64 MiB.
    """
    with ctx.database.read() as tx:
        numbers = numbers_of(tx, run, min_step, max_step)
        return _thinned(tx, run, HISTORY, numbers, _enough(samples, min_step, max_step))


def event_rows(ctx: Context, run: Run, *, samples: int | None = None) -> list[str]:
    """Lines of the system metrics as JSON text, thinned out. Raises as `rows`."""
    with ctx.database.read() as tx:
        return _thinned(tx, run, EVENTS, range(run.events_count), samples)


def _thinned(
    tx: Transaction, run: Run, stream: str, numbers: Sequence[int], samples: int | None
) -> list[str]:
    wanted = min(SAMPLES_DEFAULT if samples is None else max(samples, 0), SAMPLES_MAX)
    if not numbers or wanted == 0:
        return []
    if isinstance(numbers, range) and len(numbers) <= wanted:
        start, stop = numbers.start, numbers.stop
        _check_size(line_rows.octets(tx, run.id, stream, start, stop))
        found = line_rows.between(tx, run.id, stream, start, stop, limit=wanted)
        return [line for _, line in found]
    picked: list[str] = []
    size = 0
    some = [numbers[index] for index in lines.evenly(0, len(numbers), wanted)]
    for index in range(0, len(some), CHUNK):
        found = line_rows.at_numbers(tx, run.id, stream, some[index : index + CHUNK])
        size += sum(len(line) for _, line in found)
        _check_size(size)
        picked += [line for _, line in found]
    return picked


def _check_size(size: int) -> None:
    if size > ANSWER_BYTES_MAX:
        raise TooLarge(
            f"These rows come to {size} bytes; at most {ANSWER_BYTES_MAX} are sent at once: "
            "ask for fewer steps or samples",
            limit=ANSWER_BYTES_MAX,
        )


def numbers_of(
    tx: Transaction, run: Run, min_step: int | None, max_step: int | None
) -> Sequence[int]:
    """The numbers, in order, of the lines from one step to before another.

    Steps only grow along the lines of one writer. Where a second one comes in, each line has to be
    looked at.
    """
    moved = line_rows.first_moved(tx, run.id, HISTORY)
    end = run.history_count if moved is None else min(moved, run.history_count)
    start = 0 if not min_step or min_step <= 0 else first_at(tx, run.id, min_step, end)
    stop = end
    if max_step is not None and max_step < lines.STEP_MAX:
        stop = first_at(tx, run.id, max_step, end)
    if moved is None:
        return range(start, stop)
    mixed = _looked_at(tx, run, end, min_step, max_step)
    return [*range(start, stop), *mixed]


def _enough(samples: int | None, min_step: int | None, max_step: int | None) -> int | None:
    """So many samples that whoever pages through so few steps misses none of their lines.

    The client takes it that a step has one line; with two writers of a run it has two.
    """
    if samples and max_step is not None and max_step - (min_step or 0) <= samples:
        return SAMPLES_MAX
    return samples


def _looked_at(
    tx: Transaction, run: Run, start: int, min_step: int | None, max_step: int | None
) -> Iterator[int]:
    """The numbers of the lines of these steps from the number `start` on, found one by one."""
    least = min_step or 0
    for begin in range(start, run.history_count, CHUNK):
        for number, line in line_rows.between(
            tx, run.id, HISTORY, begin, min(begin + CHUNK, run.history_count), limit=CHUNK
        ):
            step = lines.step_of(lines.parse_object(line) or {}, number)
            if step >= least and (max_step is None or step < max_step):
                yield number


@dataclass(frozen=True, slots=True)
class Spec:
    """Which rows and values somebody wants: rows that hold all `keys`, at most `samples`."""

    keys: list[str]
    samples: int
    min_step: int | None
    max_step: int | None
    """The last step that counts: the client includes it here, unlike in `history`."""

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read one of `sampledHistory`'s specs.

        Raises:
            Unprocessable: not a JSON object with a list of keys.
        """
        value = lines.parse_object(text)
        keys = None if value is None else value.get("keys")
        if (
            value is None
            or not isinstance(keys, list)
            or not all(isinstance(key, str) for key in keys)
            or len(keys) > KEYS_IN_SPEC_MAX
        ):
            raise Unprocessable(
                f"A spec must be a JSON object with a list of at most {KEYS_IN_SPEC_MAX} keys",
                field="specs",
            )
        samples, least, most = (value.get(key) for key in ("samples", "minStep", "maxStep"))
        for number in (samples, least, most):
            if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
                raise Unprocessable(
                    "A spec's samples, minStep and maxStep are whole numbers", field="specs"
                )
        count = SAMPLES_DEFAULT if samples is None else max(0, min(samples, SAMPLES_MAX))
        return cls(keys, count, least, most)


def sampled(ctx: Context, run: Run, specs: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Per spec the rows that hold all its keys, cut down to these, thinned out evenly.

    Raises:
        Unprocessable: a spec cannot be read.
        TooLarge: the rows come to more than 64 MiB.
    """
    parsed = [Spec.parse(text) for text in specs]
    answer = []
    with ctx.database.read() as tx:
        for spec in parsed:
            found = list(_holding(tx, run, spec))
            wanted = _enough(spec.samples, spec.min_step, spec.max_step) or 0
            answer.append([found[index] for index in lines.evenly(0, len(found), wanted)])
    return answer


def _holding(tx: Transaction, run: Run, spec: Spec) -> Iterator[dict[str, Any]]:
    behind = None if spec.max_step is None else spec.max_step + 1
    every = numbers_of(tx, run, spec.min_step, behind)
    numbers = [every[index] for index in lines.evenly(0, len(every), SCANNED_LINES_MAX)]
    nested = any("." in key for key in spec.keys)
    size = 0
    for index in range(0, len(numbers), CHUNK):
        for _, line in line_rows.at_numbers(tx, run.id, HISTORY, numbers[index : index + CHUNK]):
            row = lines.parse_object(line) or {}
            picked = lines.pick(lines.flatten(row) if nested else {}, row, spec.keys)
            if picked is not None:
                size += len(line)
                _check_size(size)
                yield lines.as_json(picked)


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one key, in order, as far as a chart needs them."""

    key: str
    points: list[chart.Point]
    """Thinned out, so that no peak is lost."""
    last: float | None
    count: int
    """How often it was logged in all."""


def numeric_keys(
    ctx: Context, run: Run, *, text: str = "", after: str | None = None, first: int | None = None
) -> Page[lines.LoggedKey]:
    """The keys of the history whose values are numbers, by name, without the client's own.

    Raises:
        Unprocessable: the cursor is not of this list.
    """
    limit = parse_first(first, 12)
    start = decode_text("charts", after)
    with ctx.database.read() as tx:
        found = line_rows.list_numeric_keys(tx, run.id, text=text, after=start, limit=limit + 1)
        total = line_rows.count_numeric_keys(tx, run.id, text=text)
    return page_of(found, limit, lambda key: encode_cursor("charts", key.name), total=total)


def charts(ctx: Context, run: Run, keys: Sequence[lines.LoggedKey]) -> list[Line]:
    """These keys' values over the steps: of a long history from some thousand of its lines.

    Raises:
        TooLarge: the lines come to more than 64 MiB.
    """
    found: dict[str, list[chart.Point]] = {key.name: [] for key in keys}
    with ctx.database.read() as tx:
        for number, row in _some(tx, run, HISTORY, run.history_count):
            step = float(lines.step_of(row, number))
            for name, points in found.items():
                value = row.get(name)
                if value is None and "." in name:
                    value = _nested(row, name)
                if _is_number(value):
                    points.append(chart.Point(step, float(value)))
    return [Line(key.name, chart.thin(found[key.name]), _last(key), key.line_count) for key in keys]


def system_charts(ctx: Context, run: Run) -> list[Line]:
    """The system metrics over the seconds of the run, by name; at most 60 of them.

    Raises:
        TooLarge: the lines come to more than 64 MiB.
    """
    found: dict[str, list[chart.Point]] = {}
    with ctx.database.read() as tx:
        for number, row in _some(tx, run, EVENTS, run.events_count):
            seconds = row.get("_runtime")
            step = float(seconds) if _is_number(seconds) else float(number)
            for name, value in row.items():
                if name[:1] == "_" or not _is_number(value):
                    continue
                if name in found or len(found) < SYSTEM_CHARTS_MAX:
                    found.setdefault(name, []).append(chart.Point(step, float(value)))
    return [
        Line(name, chart.thin(points), points[-1].value, len(points))
        for name, points in sorted(found.items())
    ]


def _some(
    tx: Transaction, run: Run, stream: str, count: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines of the stream spread over all of it (`chart.blocks`), a range at a time."""
    size = 0
    for start, stop in chart.blocks(count):
        for number, line in line_rows.between(
            tx, run.id, stream, start, stop, limit=chart.WHOLE_LINES_MAX
        ):
            size += len(line)
            _check_size(size)
            row = lines.parse_object(line)
            if row is not None:
                yield number, row


def _nested(row: dict[str, Any], name: str) -> Any:
    value: Any = row
    for part in name.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _is_number(value: Any) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST and math.isfinite(value)


def _last(key: lines.LoggedKey) -> float | None:
    value = None if key.last_value is None else json.loads(key.last_value)
    return float(value) if _is_number(value) else None


def keys_of_many(ctx: Context, run_ids: list[int]) -> dict[int, dict[str, Any]]:
    """The keys these runs logged, in the shape the client reads (protocol 9.14)."""
    with ctx.database.read() as tx:
        found = line_rows.keys_of_many(tx, run_ids)
    return {run_id: _keys_shape(keys) for run_id, keys in found.items()}


def _keys_shape(keys: list[lines.LoggedKey]) -> dict[str, Any]:
    steps = [key.last_step for key in keys if key.last_step is not None]
    return {
        "keys": {
            key.name: {
                "typeCounts": [{"type": key.kind, "count": key.line_count}],
                "monotonic": key.name == "_step",
                "previousValue": (
                    None if key.last_value is None else lines.as_json(json.loads(key.last_value))
                ),
            }
            for key in keys
        },
        "lastStep": max(steps, default=-1),
        "sets": [],
    }


def last_line_of_many(ctx: Context, run_ids: list[int], stream: str) -> dict[int, str]:
    """The newest line of a stream of these runs, where there is one."""
    with ctx.database.read() as tx:
        return line_rows.last_of_many(tx, run_ids, stream)


def system_metrics(line: str | None) -> str:
    """The newest system metrics as JSON text, without the client's own notes."""
    row = lines.parse_object(line) if line is not None else None
    return json.dumps({key: item for key, item in (row or {}).items() if key[:1] != "_"})


def console(
    ctx: Context,
    run: Run,
    *,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
) -> Page[ConsoleLine]:
    """Console lines in order: the `last` ones, or the `first` ones behind a cursor.

    Raises:
        TooLarge: they come to more than 64 MiB.
        Unprocessable: the cursor is not of this list.
    """
    if last is not None:
        limit = max(0, min(last, LOG_LINES_MAX))
        start = max(0, run.log_count - limit)
    else:
        limit = parse_first(first, 1_000, LOG_LINES_MAX)
        # A cursor holds the number of the line that comes next.
        start = decode_id("log", after)
    with ctx.database.read() as tx:
        _check_size(line_rows.octets(tx, run.id, OUTPUT, start, start + limit))
        found = line_rows.between(tx, run.id, OUTPUT, start, run.log_count, limit=limit + 1)
    page = [lines.parse_console(number, line) for number, line in found]
    return page_of(page, limit, lambda line: encode_cursor("log", line.number + 1))
