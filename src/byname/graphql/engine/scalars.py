"""How do values that GraphQL itself does not know go over the wire?

`DateTime` leaves as RFC 3339 text in UTC; `JSON` is any value; `JSONString` is text that nobody
opens on the way (protocol 6).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ariadne import ScalarType

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def write_datetime(value: Any) -> str:
    """`2026-01-02T03:04:05.123456Z`. A moment without a zone is taken as UTC.

    Raises:
        TypeError: the value is no `datetime`.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"DateTime cannot represent {type(value).__name__}")
    if value.tzinfo is not None and value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    text: str = value.replace(tzinfo=None).isoformat(timespec="microseconds")
    return text + "Z"


def read_datetime(value: Any) -> datetime:
    """The moment that an RFC 3339 text names, in UTC.

    Raises:
        ValueError: the text is no moment, or names no zone.
        TypeError: the value is no text.
    """
    if not isinstance(value, str):
        raise TypeError("DateTime must be text, as 2026-01-02T03:04:05Z")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("DateTime must name its zone, as 2026-01-02T03:04:05Z")
    return moment.astimezone(UTC)


def check_int64(value: Any) -> int:
    """A whole number of up to 64 bits; `1.0` counts as one.

    Raises:
        TypeError: the value is no whole number.
        ValueError: it has more than 64 bits.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("Int64 must be a whole number")
    if not INT64_MIN <= value <= INT64_MAX:
        raise ValueError("Int64 must fit into 64 bits")
    return value


def check_text(value: Any) -> str:
    """JSON text as it came.

    Raises:
        TypeError: the value is no text.
    """
    if not isinstance(value, str):
        raise TypeError("JSONString must be JSON text inside a string")
    return value


def as_it_is(value: Any) -> Any:
    """The value itself."""
    return value


scalars = [
    ScalarType("DateTime", serializer=write_datetime, value_parser=read_datetime),
    ScalarType("Duration", serializer=as_it_is, value_parser=as_it_is),
    ScalarType("Int64", serializer=check_int64, value_parser=check_int64),
    ScalarType("JSON", serializer=as_it_is, value_parser=as_it_is),
    ScalarType("JSONString", serializer=check_text, value_parser=check_text),
]
