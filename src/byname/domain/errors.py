"""What can go wrong, in words that are safe to show to the person who asked.

Nothing below the faces knows a status code: each face maps kinds in one table of its own (R10).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The few ways in which a request can fail."""

    INVALID = "invalid"  # Wrong in itself: it cannot be read.
    UNAUTHENTICATED = "unauthenticated"  # Unknown asker.
    FORBIDDEN = "forbidden"  # The asker may see the thing, but not do this to it.
    NOT_FOUND = "not_found"  # Absent, or not the asker's to know of.
    CONFLICT = "conflict"  # A right request in the wrong state.
    PRECONDITION = "precondition"  # A stated expectation does not hold (If-Match).
    TOO_LARGE = "too_large"  # Over a limit on size.
    UNPROCESSABLE = "unprocessable"  # A value breaks a rule on names or limits.
    THROTTLED = "throttled"  # Too many attempts; try again later.
    UNSUPPORTED = "unsupported"  # Not offered by this server.
    STORAGE_FULL = "storage_full"  # No room for the bytes.
    UNAVAILABLE = "unavailable"  # A part is down for the moment; try again.


class DomainError(Exception):
    """A refusal. Its message says what was wrong, where, and what would be right.

    `code` is stable and machine-readable; `details` holds JSON values, for example the role needed.
    """

    kind: Kind = Kind.INVALID
    code: str = "invalid"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        if code is not None:
            self.code = code


class Invalid(DomainError):
    """The request cannot be understood as it stands."""


class Unauthenticated(DomainError):
    """The API key, session or signed address is missing, wrong, expired or revoked."""

    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"


class Forbidden(DomainError):
    """The asker may see the object, but their role does not allow this. `role` names the one needed."""

    kind = Kind.FORBIDDEN
    code = "forbidden"


class NotFound(DomainError):
    """The object does not exist, or the asker may not know of it: the same words for both (R10)."""

    kind = Kind.NOT_FOUND
    code = "not_found"


class Conflict(DomainError):
    """The request is right in itself, but the present state does not allow it."""

    kind = Kind.CONFLICT
    code = "conflict"


class HolderChanged(Conflict):
    """A name is not on the version that a request said it is on. `current` says what holds it (R70)."""

    code = "holder_changed"


class EditedMeanwhile(Conflict):
    """Somebody changed meanwhile what this form changes too: `fields`. Nothing was saved."""

    code = "edited_meanwhile"


class PreconditionFailed(DomainError):
    """A header of the request named a state that is not the present one. `current` says what is."""

    kind = Kind.PRECONDITION
    code = "precondition_failed"


class TooLarge(DomainError):
    """More bytes, items or work than one request may carry. `limit` says how much is allowed."""

    kind = Kind.TOO_LARGE
    code = "too_large"


class Unprocessable(DomainError):
    """A value breaks a rule about names or limits. `field` names it."""

    kind = Kind.UNPROCESSABLE
    code = "unprocessable"


class Throttled(DomainError):
    """Too many attempts. `retry_after_seconds` says when to try again."""

    kind = Kind.THROTTLED
    code = "throttled"


class Unsupported(DomainError):
    """This server does not offer that."""

    kind = Kind.UNSUPPORTED
    code = "unsupported"


class StorageFull(DomainError):
    """There is no room for the bytes; nothing of them was kept."""

    kind = Kind.STORAGE_FULL
    code = "storage_full"


class Unavailable(DomainError):
    """A part the request needs does not answer just now."""

    kind = Kind.UNAVAILABLE
    code = "unavailable"


def missing(what: str) -> NotFound:
    """The one answer for what is absent and for what is hidden (R10, R112)."""
    return NotFound(f"{what} does not exist or you have no access to it")
