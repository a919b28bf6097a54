"""Which fields of a run one may filter by, what a run has in them, and whether a filter holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from byname.domain.filter import (
    Condition,
    Every,
    Field,
    Fields,
    Kind,
    Node,
    Not,
    Some,
    Test,
    matches,
)
from byname.domain.run import Run
from byname.domain.run_line import parse_object

CONFIG, SUMMARY, USERNAME = "config", "summary_metrics", "username"
_MISSING = object()
"""What stands at a path that a JSON document does not have."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(time: datetime) -> int:
    """The form in which filters compare times."""
    return (time - _EPOCH) // timedelta(microseconds=1)


_READERS: dict[str, tuple[Kind, str, Callable[[Run], Any]]] = {
    "name": (Kind.TEXT, "", lambda run: run.name),
    "display_name": (Kind.TEXT, "displayName", lambda run: run.display_name),
    "state": (Kind.TEXT, "", lambda run: run.state.value),
    "tags": (Kind.NAMES, "tag", lambda run: list(run.tags)),
    "group": (Kind.TEXT, "", lambda run: run.group),
    "job_type": (Kind.TEXT, "jobType", lambda run: run.job_type),
    "sweep": (Kind.TEXT, "", lambda run: run.sweep_name),
    "host": (Kind.TEXT, "", lambda run: run.host),
    "commit": (Kind.TEXT, "", lambda run: run.commit),
    "description": (Kind.TEXT, "", lambda run: run.description),
    "notes": (Kind.TEXT, "", lambda run: run.notes),
    "created_at": (Kind.TIME, "createdAt", lambda run: _moment(run.created_at)),
    "heartbeat_at": (Kind.TIME, "heartbeatAt", lambda run: _moment(run.heartbeat_at)),
    "duration": (
        Kind.NUMBER,
        "",
        lambda run: (run.heartbeat_at - run.created_at).total_seconds(),
    ),
}
"""Name: what it holds, other words for it, and where it is."""


def _all_fields() -> Fields:
    entries = [(Field(name, kind), words) for name, (kind, words, _) in _READERS.items()]
    entries.append((Field(USERNAME, Kind.TEXT), ""))
    entries.append((Field(CONFIG, Kind.METADATA), ""))
    entries.append((Field(SUMMARY, Kind.METADATA), "summaryMetrics summary"))
    by_word = {word: field for field, words in entries for word in (field.name, *words.split())}
    return Fields("runs", by_word, tuple(field.name for field, _ in entries))


RUN_FIELDS = _all_fields()


def names_in(node: Node) -> set[str]:
    """The names of the fields that the filter asks about."""
    if isinstance(node, Condition):
        return {node.field.name}
    parts = (node.item,) if isinstance(node, Not) else node.items
    return {name for part in parts for name in names_in(part)}


class Values(Protocol):
    """What one thing has in the fields that a filter asks about."""

    def values(self, field: Field, path: Sequence[str]) -> Sequence[Any] | None:
        """The values in the field: a list as it is, else a tuple of one; None where it is unset."""


class RunFields:
    """What one run has in its fields. Config and summary are read when first asked for."""

    def __init__(self, run: Run, documents: tuple[str, str], username: str | None) -> None:
        self._run = run
        self._documents = documents
        self._username = username
        self._config: dict[str, Any] | None = None
        self._summary: dict[str, Any] | None = None

    def values(self, field: Field, path: Sequence[str]) -> Sequence[Any] | None:
        """The values in the field: a list as it is, else a tuple of one; None where it is unset."""
        if field.name == USERNAME:
            value: Any = self._username
        elif field.name == CONFIG:
            if self._config is None:
                self._config = parse_object(self._documents[0]) or {}
            value = _in_config(self._config, ".".join(path))
        elif field.name == SUMMARY:
            if self._summary is None:
                self._summary = parse_object(self._documents[1]) or {}
            value = _dig(self._summary, ".".join(path))
        else:
            value = _READERS[field.name][2](self._run)
        if value is _MISSING or (value is None and field.kind is not Kind.METADATA):
            return None
        return value if isinstance(value, list) else (value,)


def holds(node: Node, fields: Values) -> bool:
    """Whether the filter lets the thing through: a run, or an event.

    Of a field with several values a condition holds if one of them fulfils it.
    """
    if isinstance(node, Every):
        return all(holds(item, fields) for item in node.items)
    if isinstance(node, Some):
        return any(holds(item, fields) for item in node.items)
    if isinstance(node, Not):
        return not holds(node.item, fields)
    found = fields.values(node.field, node.path)
    values = () if found is None else found
    # No name at all is like no field; what stands in a JSON document is there, be it empty or null.
    is_set = found is not None if node.field.kind is Kind.METADATA else bool(values)
    wanted = node.value
    if node.test is Test.EXISTS:
        return is_set is wanted
    if node.test is Test.SIZE:
        return isinstance(values, list) and len(values) == int(wanted)
    if node.test is Test.EQ and wanted is None:
        return not is_set or None in values
    if node.test is Test.EQ and isinstance(wanted, list):
        return values == wanted
    return any(_FULFILS[node.test](value, wanted) for value in values)


def _equal(value: Any, wanted: Any) -> bool:
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Texts are compared with texts, numbers with numbers, and false comes before true."""

    def fulfils(value: Any, wanted: Any) -> bool:
        if isinstance(value, bool) or isinstance(wanted, bool):
            both = isinstance(value, bool) and isinstance(wanted, bool)
            return both and compare(value, wanted)
        both_texts = isinstance(value, str) and isinstance(wanted, str)
        both_numbers = isinstance(value, int | float) and isinstance(wanted, int | float)
        return (both_texts or both_numbers) and compare(value, wanted)

    return fulfils


_FULFILS: dict[Test, Callable[[Any, Any], bool]] = {
    Test.EQ: _equal,
    Test.IN: lambda value, wanted: any(_equal(value, each) for each in wanted),
    Test.GT: _compared(operator.gt),
    Test.GTE: _compared(operator.ge),
    Test.LT: _compared(operator.lt),
    Test.LTE: _compared(operator.le),
    Test.CONTAINS: lambda value, wanted: isinstance(value, str) and wanted in value,
    Test.REGEX: lambda value, wanted: matches(wanted, value),
}


def _in_config(config: dict[str, Any], path: str) -> Any:
    """The value of a config key; the client wraps each as `{"value": ...}` (protocol 9.5)."""
    plain = {
        key: item["value"] if isinstance(item, dict) and "value" in item else item
        for key, item in config.items()
    }
    value = _dig(plain, path)
    return _dig(config, path) if value is _MISSING else value


def _dig(value: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, where keys may hold dots themselves."""
    if path in value:
        return value[path]
    for end in _dots(path):
        inner = value.get(path[:end])
        if isinstance(inner, dict):
            found = _dig(inner, path[end + 1 :])
            if found is not _MISSING:
                return found
    return _MISSING


def _dots(path: str) -> Iterator[int]:
    end = path.find(".")
    while end != -1:
        yield end
        end = path.find(".", end + 1)
