"""Times as rows keep them, microseconds since 1970, and as values carry them, UTC datetimes (R11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def moment(microseconds: int) -> datetime: ...
@overload
def moment(microseconds: None) -> None: ...
def moment(microseconds: int | None) -> datetime | None:
    """The time as a value."""
    if microseconds is None:
        return None
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(time: datetime) -> int:
    """The time as a row keeps it."""
    return (time - EPOCH) // timedelta(microseconds=1)
