"""The opaque ids of the SDK's protocol: standard base64 of `Kind:<integer>` (protocol 6)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from byname.domain.errors import Unprocessable

INTEGER_MAX = 2**63 - 1


def to_id(kind: str, number: int) -> str:
    """The id, for example `VXNlcjox` for user 1."""
    return b64encode(f"{kind}:{number}".encode()).decode()


def find_number(text: str, *kinds: str) -> int | None:
    """The integer of an id of one of these kinds, or None when it is no such id."""
    try:
        kind, _, number = b64decode(text, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    if kind not in kinds or not (number.isascii() and number.isdigit() and len(number) < 20):
        return None
    value = int(number)
    return value if value <= INTEGER_MAX else None


def from_id(text: str, *kinds: str) -> int:
    """The integer of an id of one of these kinds.

    Raises:
        Unprocessable: not base64 of `Kind:<integer>`, or of another kind.
    """
    value = find_number(text, *kinds)
    if value is None:
        raise Unprocessable(f"{text[:80]!r} is no id of a {' or '.join(kinds)}", field="id")
    return value
