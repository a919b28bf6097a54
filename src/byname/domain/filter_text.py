"""How a filter is written: the Mongo-like JSON of the SDK's protocol (section 13; R119 to R123)."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import re2

from byname.domain import names
from byname.domain.errors import Unprocessable
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
    compile_pattern,
)
from byname.domain.ids import find_number

TEXT_LENGTH_MAX = 65_536
DEPTH_MAX = 16
CONDITIONS_MAX = 200
VALUES_MAX = 1_000
PATTERN_BYTES_MAX = 1_024
INTEGER_MAX = 2**63 - 1

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TESTS = {
    Kind.ID: {Test.EQ, Test.GT, Test.GTE, Test.LT, Test.LTE, Test.IN, Test.EXISTS},
    Kind.NUMBER: {Test.EQ, Test.GT, Test.GTE, Test.LT, Test.LTE, Test.IN, Test.EXISTS},
    Kind.TIME: {Test.EQ, Test.GT, Test.GTE, Test.LT, Test.LTE, Test.IN, Test.EXISTS},
    Kind.TEXT: set(Test) - {Test.SIZE},
    Kind.FOLDED: set(Test) - {Test.SIZE},
    Kind.VERSION: set(Test) - {Test.SIZE},
    Kind.NAMES: set(Test),
    Kind.METADATA: set(Test),
}
_LOGIC = ("$and", "$or", "$nor", "$not")
_OPERATORS = (*_LOGIC, *(test.value for test in Test), "$ne", "$nin", "$all")


def parse(text: str | None, fields: Fields) -> Node | None:
    """What the filter asks for; None when it asks for nothing.

    Raises:
        Unprocessable: no JSON object, too large or too deep, an unknown field or operator (the
            message lists the valid ones), or a value that does not fit its field.
    """
    if text is None or not text.strip():
        return None
    if len(text) > TEXT_LENGTH_MAX:
        raise _bad(f"It has {len(text)} characters; at most {TEXT_LENGTH_MAX} are allowed", fields)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _bad(f"It is not JSON: {error}", fields) from None
    return None if value in (None, {}) else _Reader(fields).read(value, 0)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")


def _bad(message: str, fields: Fields) -> Unprocessable:
    return Unprocessable(f"Bad filter of {fields.what}. {message}", code="filter", field="filters")


class _Reader:
    """Reads one filter and counts its conditions."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.conditions = 0

    def bad(self, message: str) -> Unprocessable:
        return _bad(message, self.fields)

    def read(self, value: Any, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self.bad(f"It is nested deeper than {DEPTH_MAX} levels")
        if not isinstance(value, dict):
            raise self.bad(f"An object is wanted where {_show(value)} stands")
        return _all([self.entry(key, each, depth) for key, each in value.items()])

    def entry(self, key: str, value: Any, depth: int) -> Node:
        if key in _LOGIC:
            return self.logic(key, value, lambda each: self.read(each, depth + 1))
        if key.startswith("$"):
            raise self.bad(
                f"{_show(key)} is no operator between conditions; valid ones: {', '.join(_LOGIC)}"
            )
        word, _, rest = key.partition(".")
        field = self.fields.by_word.get(key if not rest else word)
        if field is None or (rest and field.kind is not Kind.METADATA):
            raise self.bad(
                f"Unknown field {_show(key)}; valid ones: {', '.join(self.fields.shown)}"
            )
        return self.field(field, tuple(rest.split(".")) if rest else (), value, depth + 1)

    def logic(self, key: str, value: Any, read: Any) -> Node:
        if key == "$not":
            return Not(read(value))
        if not isinstance(value, list):
            raise self.bad(f"{key} wants a list")
        items = tuple(read(each) for each in value)
        if key == "$and":
            return _all(list(items))
        return Some(items) if key == "$or" else Not(Some(items))

    def field(self, field: Field, path: tuple[str, ...], value: Any, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self.bad(f"It is nested deeper than {DEPTH_MAX} levels")
        if len(path) > DEPTH_MAX or any(not _is_plain(key) for key in path):
            raise self.bad(f"{_show('.'.join((field.name, *path)))} is no path to metadata")
        if not isinstance(value, dict):
            return self.test(field, path, "$eq", value)
        if field.kind is Kind.METADATA and value and not any(k.startswith("$") for k in value):
            return _all(
                [self.field(field, (*path, key), each, depth + 1) for key, each in value.items()]
            )
        return _all([self.operator(field, path, key, each, depth) for key, each in value.items()])

    def operator(
        self, field: Field, path: tuple[str, ...], key: str, value: Any, depth: int
    ) -> Node:
        if key in _LOGIC:
            return self.logic(key, value, lambda each: self.field(field, path, each, depth + 1))
        if key not in _OPERATORS:
            raise self.bad(
                f"Unknown operator {_show(key)} on {field.name}; valid ones: "
                f"{', '.join(_OPERATORS)}"
            )
        return self.test(field, path, key, value)

    def test(self, field: Field, path: tuple[str, ...], key: str, value: Any) -> Node:
        self.conditions += len(value) if key == "$all" and isinstance(value, list) else 1
        if self.conditions > CONDITIONS_MAX:
            raise self.bad(f"It has more than {CONDITIONS_MAX} conditions")
        if key == "$ne":
            return Not(self.equal(field, path, value))
        if key == "$eq":
            return self.equal(field, path, value)
        if key in ("$in", "$nin", "$all"):
            values = self.values(field, key, value)
            if key == "$all":
                if field.kind not in (Kind.NAMES, Kind.METADATA):
                    raise self.bad(f"$all cannot be asked of {field.name}, which is one value")
                # Nothing has all of nothing, as in the language this one is modelled on.
                found = [self.equal(field, path, each) for each in values]
                return _all(found) if found else Some(())
            one = self.one_of(field, path, values)
            return Not(one) if key == "$nin" else one
        test = Test(key)
        if test not in _TESTS[field.kind]:
            valid = ", ".join(sorted(each.value for each in _TESTS[field.kind]))
            raise self.bad(f"{key} cannot be asked of {field.name}; valid ones: {valid}")
        return Condition(field, path, test, self.operand(field, test, value))

    def values(self, field: Field, key: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.bad(f"{key} on {field.name} wants a list")
        if len(value) > VALUES_MAX:
            raise self.bad(f"{key} on {field.name} has more than {VALUES_MAX} values")
        return value

    def one_of(self, field: Field, path: tuple[str, ...], values: list[Any]) -> Node:
        present = tuple(self.value(field, each) for each in values if each is not None)
        found: Node = Condition(field, path, Test.IN, present)
        if len(present) < len(values):
            found = Some((found, self.equal(field, path, None)))
        return found

    def equal(self, field: Field, path: tuple[str, ...], value: Any) -> Node:
        if value is None:
            return Condition(field, path, Test.EQ, None)
        if isinstance(value, list):
            if field.kind is not Kind.METADATA:
                raise self.bad(f"{field.name} wants {field.kind.value}, or $in for several")
            return Condition(
                field, path, Test.EQ, [self.value(field, each) for each in value[:VALUES_MAX]]
            )
        return Condition(field, path, Test.EQ, self.value(field, value))

    def operand(self, field: Field, test: Test, value: Any) -> Any:
        if test is Test.EXISTS:
            if not isinstance(value, bool):
                raise self.bad(f"$exists on {field.name} wants true or false")
            return value
        if test is Test.SIZE:
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise self.bad(f"$size on {field.name} wants a number that is not negative")
            return min(value, INTEGER_MAX)
        if test is Test.CONTAINS:
            return self.text(field, value)
        if test is Test.REGEX:
            return self.pattern(field, value)
        return self.value(field, value)

    def value(self, field: Field, value: Any) -> Any:
        """The value in the form of the field's kind."""
        kind = field.kind
        if kind in (Kind.TEXT, Kind.NAMES):
            return self.text(field, value)
        if kind is Kind.FOLDED:
            return names.fold(self.text(field, value))
        if kind is Kind.METADATA:
            if isinstance(value, bool):
                return value
            return self.text(field, value) if isinstance(value, str) else self.number(field, value)
        if kind is Kind.TIME:
            return self.time(field, value)
        if kind is Kind.VERSION and isinstance(value, str):
            if not names.is_number(value) or len(value) > 19:
                raise self.bad(f"{field.name} wants {kind.value}, not {_show(value)}")
            return int(value[1:])
        if kind is Kind.ID and isinstance(value, str):
            number = find_number(value, *field.id_kinds)
            if number is None:
                raise self.bad(f"{field.name} wants {kind.value}, not {_show(value)}")
            return number
        return self.number(field, value)

    def number(self, field: Field, value: Any) -> int | float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if -INTEGER_MAX <= value <= INTEGER_MAX:
                return value
            # Metadata may hold larger ones; the database compares them as doubles.
            if field.kind is Kind.METADATA and -sys.float_info.max <= value <= sys.float_info.max:
                return float(value)
        raise self.bad(f"{field.name} wants {field.kind.value}, not {_show(value)}")

    def text(self, field: Field, value: Any) -> str:
        if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise self.bad(f"{field.name} wants a text, not {_show(value)}")
        is_name = field.kind is Kind.NAMES or field.name == "name"
        return names.composed(value) if is_name else value

    def pattern(self, field: Field, value: Any) -> str:
        text = self.text(field, value)
        if len(text.encode()) > PATTERN_BYTES_MAX:
            raise self.bad(f"A $regex may have at most {PATTERN_BYTES_MAX} bytes (R123)")
        try:
            compile_pattern(text)
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            shown = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
            raise self.bad(f"The $regex on {field.name} cannot be used: {shown}") from None
        return text

    def time(self, field: Field, value: Any) -> int:
        """Microseconds since 1970."""
        try:
            if not isinstance(value, str) or not _TIME.fullmatch(value):
                raise ValueError  # noqa: TRY301  One answer for every reason.
            time = datetime.fromisoformat(value)
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
            return (time - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            raise self.bad(f"{field.name} wants {field.kind.value}, not {_show(value)}") from None


def _all(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Every(tuple(items))


def _is_plain(key: str) -> bool:
    """Whether databases can look the key up: quotes and backslashes cannot stand in their paths."""
    return not any(sign in '"\\\0' or "\ud800" <= sign <= "\udfff" for sign in key)


def _show(value: Any) -> str:
    return repr(value)[:80]
