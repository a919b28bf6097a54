"""Invitations: a link with which a person chooses their password, once (A7, R192)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from byname.domain.errors import Unauthenticated

TOKEN_BYTES = 32
"""256 random bits."""

TOKEN_LENGTH_MAX = 128
LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A person may choose a password until a time. The token is known to who made it, and to them."""

    user_id: int
    created_at: datetime
    expires_at: datetime

    def is_live(self, now: datetime) -> bool:
        """Whether its time is not over."""
        return now < self.expires_at


def spent() -> Unauthenticated:
    """The one answer for a link that was used, replaced, withdrawn, is too old, or never was."""
    return Unauthenticated(
        "This invitation opens nothing: it was used or replaced, or its 7 days are over. "
        "Ask an administrator of this server for a new one",
        code="invitation_spent",
    )
