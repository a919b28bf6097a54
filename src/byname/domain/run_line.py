"""The lines of a run's streams: which keys and values they hold, and how many of them to show."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

KEYS_IN_LINE_MAX = 10_000
DEPTH_MAX = 16
NESTING_MAX = 100
STEP_MAX = 2**53
KEY_LENGTH_MAX = 1_024
VALUE_LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class LoggedKey:
    """A key of a run's history: how often it was logged, and what came last."""

    name: str
    kind: str
    """The kind of its last value: number, string, boolean, list, nil, or the type of a medium."""
    line_count: int
    last_value: str | None
    """JSON text; None when it is no scalar or a long text."""
    last_step: int | None


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One line of what a run printed."""

    number: int
    timestamp: datetime | None
    level: str
    label: str
    line: str


def parse_object(text: str) -> dict[str, Any] | None:
    """The JSON object a line holds, where NaN and Infinity may stand for numbers; else None.

    None, too, when it is nested deeper than any reader would follow.
    """
    try:
        value = orjson.loads(text)
    except ValueError:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict) or _is_too_deep(text, value):
        return None
    return value


def _is_too_deep(text: str, value: Any) -> bool:
    if text.count("{") + text.count("[") <= NESTING_MAX:
        return False
    level = [value]
    for _ in range(NESTING_MAX):
        inner: list[Any] = []
        for each in level:
            items = each.values() if isinstance(each, dict) else each
            inner += [item for item in items if isinstance(item, dict | list)]
        if not inner:
            return False
        level = inner
    return True


def said_by(stream_line: str, *, is_console: bool) -> str | None:
    """What tells a line from that of another writer; None where it carries no time.

    The client writes down when a line began: a console line by its time and label, a row of
    numbers by its time, step and running time. It keeps them when it says the line anew, be it
    since an answer was lost, be it since a progress bar moved on.
    """
    if is_console:
        line = parse_console(0, stream_line)
        if line.timestamp is None:
            return None
        return json.dumps([line.timestamp.isoformat(), line.label])
    row = parse_object(stream_line) or {}
    if not isinstance(row.get("_timestamp"), int | float):
        return None
    return json.dumps([row.get(name) for name in ("_timestamp", "_step", "_runtime")])


def step_of(row: dict[str, Any], number: int) -> int:
    """The step of a history line; its number where it does not say."""
    step = row.get("_step")
    if isinstance(step, bool) or not isinstance(step, int | float) or not -1 < step < STEP_MAX:
        return number
    return int(step)


def flatten(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the keys of nested objects joined by dots; media stay whole (protocol 9.14)."""
    flat: dict[str, Any] = {}
    for key, value in _walk(row, "", 0):
        if len(key) <= KEY_LENGTH_MAX and is_storable(key):
            flat[key] = value
        if len(flat) >= KEYS_IN_LINE_MAX:
            break
    return flat


def _walk(row: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and value and "_type" not in value and depth < DEPTH_MAX:
            yield from _walk(value, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, value


def kind_of(value: Any) -> str:
    """What kind of value it is, in the words of `LoggedKey.kind`."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        kind = value.get("_type")
        fits = isinstance(kind, str) and len(kind) <= KEY_LENGTH_MAX and is_storable(kind)
        return str(kind) if fits else "object"
    return "nil" if value is None else "list"


def is_storable(text: str) -> bool:
    """Whether every database takes the text: no NUL characters, no lone surrogates."""
    return (text.isascii() and "\0" not in text) or storable(text) == text


def storable(text: str) -> str:
    """The text with a replacement mark for what no database takes."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    clean = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return clean.replace("\0", "\ufffd")


def scalar(value: Any) -> str | None:
    """The value as short JSON text, when it is a number, a truth value or a short text."""
    if isinstance(value, int | float) or (isinstance(value, str) and len(value) < VALUE_LENGTH_MAX):
        return json.dumps(value)
    return None


def pick(flat: dict[str, Any], row: dict[str, Any], keys: list[str]) -> dict[str, Any] | None:
    """The row's values of these keys (nested ones by their dotted name); None if one is missing."""
    picked = {}
    for key in keys:
        if key in row:
            picked[key] = row[key]
        elif key in flat:
            picked[key] = flat[key]
        else:
            return None
    return picked


def evenly(start: int, stop: int, count: int) -> list[int]:
    """At most `count` of the numbers from `start` to before `stop`, the first and last among them.

    They lie at equal distances.
    """
    total = stop - start
    if total <= count:
        return list(range(start, stop))
    if count <= 1:
        return [stop - 1] if count == 1 else []
    return [start + index * (total - 1) // (count - 1) for index in range(count)]


def as_json(value: Any) -> Any:
    """The value with NaN and infinite numbers as words, for real JSON has no signs for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


def parse_console(number: int, text: str) -> ConsoleLine:
    """A console line in either of its forms (protocol 9.3).

    - A JSON object with `ts`, `content` and perhaps `level` and `label`.
    - `[ERROR ]<ISO time> <text>`; what does not look so is text without a time.
    """
    if text.startswith("{"):
        row = parse_object(text)
        if row is not None and isinstance(row.get("content"), str):
            return ConsoleLine(
                number=number,
                timestamp=_time(row.get("ts")),
                level=_word(row.get("level")),
                label=_word(row.get("label")),
                line=row["content"],
            )
    level, rest = "", text
    if text.startswith("ERROR "):
        level, rest = "error", text[6:]
    first, _, content = rest.partition(" ")
    timestamp = _time(first)
    if timestamp is None:
        return ConsoleLine(number, None, "", "", text)
    return ConsoleLine(number, timestamp, level, "", content)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    """The time of a console line, which is UTC where it does not say."""
    if not isinstance(value, str) or not 19 <= len(value) <= 40 or value[4] != "-":
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
