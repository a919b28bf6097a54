"""Time to live: which versions may have one, and when it is over (R165 to R168)."""

from __future__ import annotations

from byname.domain.errors import Unprocessable

SYSTEM_TYPES = frozenset({"job", "run_table", "code"})
SYSTEM_PREFIX = "wandb-"


def is_system_type(type_name: str) -> bool:
    """Whether the client itself makes artifacts of that type, not its user (R168)."""
    return type_name in SYSTEM_TYPES or type_name.startswith(SYSTEM_PREFIX)


def check_takes_ttl(type_name: str, ttl_seconds: int | None) -> None:
    """Versions of system types live for ever (R168).

    Raises:
        Unprocessable: a time to live for a version of such a type.
    """
    if ttl_seconds is not None and is_system_type(type_name):
        raise Unprocessable(
            f"Artifacts of type {type_name!r} take no time to live: the client itself makes them",
            field="ttl",
        )


def is_expired(created_at: int, ttl_seconds: int | None, now: int) -> bool:
    """Whether the time to live, counted from the creation, is over (R165).

    Times are microseconds since 1970.
    """
    return ttl_seconds is not None and created_at + ttl_seconds * 1_000_000 <= now
