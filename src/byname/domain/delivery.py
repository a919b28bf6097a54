"""When a delivery is tried, tried again and given up (R142), and how many start at once (R144)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from byname.domain.payload import hide

RETRY_SECONDS = (10, 60, 600, 3_600)
"""How long after the first, second, ... failed attempt the next one is made."""
JITTER = 0.2
"""By what part of it, at the most, a delay is drawn out, so that not all come back at once."""
WAIT_SECONDS_MAX = (0.0, *(each * (1 + JITTER) for each in RETRY_SECONDS))
"""How long, at the most, one waits by itself that had no attempt, one attempt, two attempts, ..."""
RETRY_AFTER_SECONDS_MAX = 24 * 3_600
ATTEMPTS_MAX = len(RETRY_SECONDS) + 1

RATE_MAX = 60
RATE_SECONDS = 60

TIMEOUT_SECONDS = 10.0
IN_ORDER_SECONDS = 0.25
"""So long the next delivery to a receiver waits for the one before it: who answers promptly is told
everything in the order in which it happened."""
LEASE_SECONDS = 15.0
"""How long a delivery is one worker's: well over the timeout, so that only the dead lose it."""

ANSWER_BYTES_MAX = 65_536
ANSWER_KEPT_MAX = 4_096


class State(StrEnum):
    """What became of an execution (R140)."""

    PENDING = "pending"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to be sent. What is secret in it is not shown when it is printed."""

    url: str = field(repr=False)
    body: str = field(repr=False)
    event: str
    delivery_id: str
    access_token: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """What must not be shown when the receiver repeats it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one attempt came to: a status, or the reason why there is none."""

    status: int | None
    text: str = ""
    """The beginning of the answer, fit to be shown."""
    error: str | None = None
    retry_after: str | None = None
    """The header of that name."""
    again: bool = False
    """There is no status, and another attempt may go better."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt."""

    state: State
    error: str | None = None
    delay_seconds: float | None = None
    """While it is pending: when the next attempt is made."""
    disable: str | None = None
    """Why the automation is to be switched off."""


def judge(reply: Reply, attempt_count: int, chance: float, now: datetime) -> Verdict:
    """What follows from the attempt, which was the `attempt_count`-th; `chance` is from 0 to 1.

    - 2xx is success.
    - Network errors, 429 and 5xx are tried again after about 10 s, 1 min, 10 min and 1 h, later
      when the receiver asks for it with `Retry-After` (for a day at most); then it has failed.
    - A redirect is not followed; it and every other status fails at once.
    - 410 says that the receiver is gone for good: the automation is switched off.
    """
    status = reply.status
    if status is not None and 200 <= status < 300:
        return Verdict(State.FINISHED)
    error = reply.error if status is None else _told(status)
    if status == 410:
        return Verdict(State.FAILED, error, disable="The receiver answered 410: it is gone")
    again = reply.again if status is None else status == 429 or 500 <= status < 600
    if not again or attempt_count >= ATTEMPTS_MAX:
        return Verdict(State.FAILED, error)
    delay = RETRY_SECONDS[attempt_count - 1] * (1 + JITTER * chance)
    asked = _retry_after_seconds(reply.retry_after, now)
    if asked is not None:
        delay = max(delay, asked)
    return Verdict(State.PENDING, error, delay)


def _told(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}, a redirect; redirects are not followed"
    return f"The receiver answered {status}"


def _retry_after_seconds(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), float(RETRY_AFTER_SECONDS_MAX))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), float(RETRY_AFTER_SECONDS_MAX))


def readable(answer: bytes, hidden: Iterable[str] = ()) -> str:
    """The beginning of an answer as text: at most 4 kB, without what no page should show (S4).

    Secrets that the receiver repeats are masked before anything is cut off (R141).
    """
    text = hide(answer.decode("utf-8", "replace"), hidden)
    if "\x00" in text or text.count("\ufffd") * 10 > len(text):
        return f"({len(answer)} bytes that are no text)"
    shown = "".join(c for c in text if c in "\n\t" or (c.isprintable() and c != "\ufffd"))
    return shown.encode()[:ANSWER_KEPT_MAX].decode("utf-8", "ignore")
