"""Secrets of a team: how they may be named and what they may hold (R146 to R148).

A value is shown to nobody once it was saved. What carries one does not show it when it is printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from byname.domain.errors import Unprocessable
from byname.domain.names import NAME_LENGTH_MAX

VALUE_BYTES_MAX = 16_384
OF_TEAM_MAX = 1_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret without its value."""

    id: int
    team_id: int
    name: str
    created_at: datetime
    updated_at: datetime


def check_name(name: str) -> str:
    """The name: letters, digits and underscores, not beginning with a digit (R146).

    Raises:
        Unprocessable: it is not, or has over 128 characters.
    """
    if not is_name(name):
        raise Unprocessable(
            "A secret's name must be letters, digits and underscores, must not begin with a digit, "
            f"and may have at most {NAME_LENGTH_MAX} characters",
            field="name",
        )
    return name


def is_name(text: str) -> bool:
    """Whether a secret may be called so (R146)."""
    return len(text) <= NAME_LENGTH_MAX and _NAME.fullmatch(text) is not None


def check_value(value: str, field: str = "value") -> str:
    """The value. The refusal does not repeat it.

    Raises:
        Unprocessable: empty, over 16 KiB, or no Unicode text.
    """
    if not value:
        raise Unprocessable("The secret must not be empty", field=field)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Unprocessable("The secret is not Unicode text", field=field) from None
    if size > VALUE_BYTES_MAX:
        raise Unprocessable(f"The secret may have at most {VALUE_BYTES_MAX:,} bytes", field=field)
    return value


def check_token(value: str, field: str = "access_token") -> str:
    """The value, which can also stand in a header of a request (R134).

    Raises:
        Unprocessable: as `check_value`; or it holds what no header may hold.
    """
    check_value(value, field)
    if not all("!" <= sign <= "~" for sign in value):
        raise Unprocessable(
            "An access token is sent in a header: it may hold visible ASCII characters only, "
            "no spaces and no line ends",
            field=field,
        )
    return value
