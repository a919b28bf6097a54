"""How long lists are handed out in pages: page sizes, and the cursors between pages.

A cursor holds all that is needed to go on, so that it works in a new process and on another server.
It names the list and the order it was made for; anything else is refused.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from byname.domain.errors import Unprocessable

T = TypeVar("T")
U = TypeVar("U")
Key = str | int | None
"""What a cursor may hold: the sort value and the id of the last item."""

PAGE_MAX = 1_000
FILE_PAGE_MAX = 5_000
WHOLE_MAX = 10_000
"""So many items a list has on its first page where the client knows no further pages of it."""
CURSOR_LENGTH_MAX = 8_192
INTEGER_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. A page that is not the last one is never empty (protocol 13)."""

    items: Sequence[T]
    end_cursor: str | None
    """Where the next page goes on; None when there is nothing on this one."""
    has_next: bool
    total: int | Callable[[], int] | None = None
    """How many items the whole list has, or how to find out when somebody asks."""
    cursor_of: Callable[[T], str] | None = None
    """The cursor behind one item, when somebody asks."""

    def count(self) -> int | None:
        """How many items the whole list has; None when nobody counted."""
        return self.total() if callable(self.total) else self.total


def page_of(
    items: Sequence[T],
    first: int,
    cursor_of: Callable[[T], str],
    *,
    total: int | Callable[[], int] | None = None,
) -> Page[T]:
    """The page of the first items, where one item more than `first` was looked for."""
    shown = items[:first]
    return Page(
        items=shown,
        end_cursor=cursor_of(shown[-1]) if shown else None,
        has_next=len(items) > first,
        total=total,
        cursor_of=cursor_of,
    )


def parse_first(first: int | None, default: int = 100, maximum: int = PAGE_MAX) -> int:
    """How many items the page may hold: 1 to `maximum`; more is cut down, none is `default`.

    Raises:
        Unprocessable: a negative number.
    """
    if first is None:
        return default
    if first < 0:
        raise Unprocessable(f"first must not be negative (it is {first})", field="first")
    return min(max(first, 1), maximum)


def encode_cursor(kind: str, *values: Key) -> str:
    """The cursor behind the item with these sort values, in the list and order named `kind`."""
    text = json.dumps([kind, *values], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(kind: str, text: str) -> list[Key]:
    """The values of a cursor that was made for the list and order named `kind`.

    Raises:
        Unprocessable: not a cursor of ours, or one of another list or order.
    """
    broken = Unprocessable("This cursor is not one of ours; start again without it", field="after")
    if len(text) > CURSOR_LENGTH_MAX:
        raise broken
    try:
        value = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise broken from None
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise broken
    if value[0] != kind:
        raise Unprocessable(
            "This cursor belongs to another list, or to another order of it; "
            "start again without it",
            field="after",
        )
    if not all(_is_key(item) for item in value[1:]):
        raise broken
    return value[1:]


def _is_key(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -INTEGER_MAX <= value <= INTEGER_MAX
    if isinstance(value, str):
        return not any("\ud800" <= sign <= "\udfff" for sign in value)
    return value is None


def decode_text(kind: str, text: str | None) -> str:
    """The name in a cursor that holds nothing else; empty without a cursor.

    Raises:
        Unprocessable: as `decode_cursor`.
    """
    if not text:
        return ""
    values = decode_cursor(kind, text)
    if len(values) != 1 or not isinstance(values[0], str) or "\0" in values[0]:
        raise Unprocessable("This cursor is not one of ours; start again without it", field="after")
    return values[0]


def decode_id(kind: str, text: str | None) -> int:
    """The id in a cursor that holds nothing else; 0 without a cursor.

    Raises:
        Unprocessable: as `decode_cursor`.
    """
    if not text:
        return 0
    values = decode_cursor(kind, text)
    if len(values) != 1 or not isinstance(values[0], int):
        raise Unprocessable("This cursor is not one of ours; start again without it", field="after")
    return values[0]
