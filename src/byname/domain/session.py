"""Sessions: how a browser stays logged in, and for how long (A8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_BYTES = 32
"""256 random bits."""

BROWSER_LENGTH_MAX = 200
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=14)
BETWEEN_NOTES = timedelta(minutes=10)
"""A session's last use is written down this often, so that looking at pages hardly writes."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that somebody is logged in with."""

    id: int
    user_id: int
    key_id: int | None
    """The API key it was opened with: the session ends when the key is deleted."""
    created_at: datetime
    last_used_at: datetime
    browser: str = ""
    """What the browser says it is; it may say anything."""

    def is_live(self, now: datetime) -> bool:
        """Whether it is neither too old nor unused for too long."""
        return now < self.created_at + ABSOLUTE and now < self.last_used_at + IDLE

    def is_due(self, now: datetime) -> bool:
        """Whether its use is to be written down."""
        return now >= self.last_used_at + BETWEEN_NOTES


def clean_browser(text: str) -> str:
    """What a browser says it is, fit to be kept: printable ASCII, at most 200 characters."""
    return "".join(sign for sign in text[:BROWSER_LENGTH_MAX] if " " <= sign <= "~")


def fingerprint(token: str) -> str:
    """The SHA-256 of a token, in hex: the only form in which it is kept."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
