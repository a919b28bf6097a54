"""A note that a script sent from a run (`run.alert`), for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from byname.domain.errors import Unprocessable
from byname.domain.run_line import storable

TITLE_LENGTH_MAX = 512
TEXT_LENGTH_MAX = 100_000
ALERTS_MAX = 10_000
"""So many alerts are kept of one run."""
WAIT_MAX = timedelta(days=3650)


class Severity(StrEnum):
    """How much it matters, in the client's words."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Alert:
    """One note."""

    id: int
    run_id: int
    title: str
    text: str
    severity: Severity
    author: str
    at: datetime


def parse_severity(value: str | None) -> Severity:
    """The severity, `INFO` where nothing is said.

    Raises:
        Unprocessable: there is no such severity.
    """
    if not value:
        return Severity.INFO
    try:
        return Severity(value.upper())
    except ValueError:
        known = ", ".join(Severity)
        raise Unprocessable(
            f"The severity must be one of {known}, not {value[:80]!r}", field="severity"
        ) from None


def check_text(value: str, what: str, most: int) -> str:
    """The title or text of an alert, without signs that nothing could keep.

    Raises:
        Unprocessable: it is too long.
    """
    if len(value) > most:
        raise Unprocessable(
            f"{what} has {len(value)} characters; at most {most} are allowed", field=what.lower()
        )
    return storable(value)


def parse_wait(value: Any) -> timedelta:
    """How long the script wants to hear nothing more under a title: `wait_duration`, in milliseconds.

    Raises:
        Unprocessable: it is no number of milliseconds from 0 to those of ten years.
    """
    if value is None:
        return timedelta()
    if isinstance(value, int | float) and not isinstance(value, bool):
        most = WAIT_MAX // timedelta(milliseconds=1)
        if 0 <= value <= most:
            return timedelta(milliseconds=value)
    raise Unprocessable(
        "waitDuration must be a number of milliseconds, 0 or more", field="waitDuration"
    )


def is_repeated(before: datetime, now: datetime, wait: timedelta) -> bool:
    """A run says nothing twice under one title before the time is over that its script set.

    The client sends again what it has no answer to, so that this also keeps one alert from
    standing there twice. A clock that was set back holds nothing up.
    """
    return timedelta() <= now - before < wait
