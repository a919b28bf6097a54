"""Time to live: which versions may have one, and when it is over (R165 to R168)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.errors import Unprocessable

NO_TTL = -2
"""How "never expires" is written on the wire (protocol 9.8)."""
TTL_INHERIT = -1
"""How "as the team has it" is written on the wire."""
SECONDS_MAX = 2**40
SYSTEM_TYPES = frozenset({"job", "run_table", "code"})
SYSTEM_PREFIX = "wandb-"


@dataclass(frozen=True, slots=True)
class Ttl:
    """What was said of one version's time to live, in seconds from its creation (R165).

    - `own` and seconds: that long. `own` without: for ever, whatever its team has.
    - Not `own`: as the team's default is, now and later.
    """

    seconds: int | None = None
    own: bool = False

    def of_version(self, type_name: str, default_seconds: int | None) -> int | None:
        """How long a version of that type lives in a team with that default; None is for ever."""
        if self.own:
            return self.seconds
        return None if is_system_type(type_name) else default_seconds


INHERITED = Ttl()
FOR_EVER = Ttl(own=True)


@dataclass(frozen=True, slots=True)
class TtlPolicy:
    """What a team has decided (R165)."""

    default_seconds: int | None = None
    """Of versions that have no time of their own; None is for ever."""
    admins_only: bool = False
    """Only the team's admins may set the time to live of a version."""


def check_seconds(seconds: int) -> int:
    """The time to live.

    Raises:
        Unprocessable: not positive, or absurdly long.
    """
    if not 0 < seconds < SECONDS_MAX:
        raise Unprocessable(
            f"A time to live is 1 to {SECONDS_MAX - 1} seconds, not {seconds}", field="ttl"
        )
    return seconds


def parse_ttl(seconds: int) -> Ttl:
    """The time to live as the wire writes it: -1 as the team has it, -2 for ever, else seconds.

    Raises:
        Unprocessable: zero, or a negative number the protocol gives no meaning.
    """
    if seconds == TTL_INHERIT:
        return INHERITED
    return FOR_EVER if seconds == NO_TTL else Ttl(check_seconds(seconds), own=True)


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
