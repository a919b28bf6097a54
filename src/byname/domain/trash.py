"""The trash: what was deleted, and how it comes back (R163, R164)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from byname.domain.alias import Change, Holder, Holders
from byname.domain.errors import Conflict
from byname.domain.names import LATEST

TRASH_MICROSECONDS = 7 * 24 * 3600 * 1_000_000
"""How long what was deleted can be restored: 7 days (R164)."""


class DeletedKind(StrEnum):
    """What was deleted."""

    REGISTRY = "registry"
    PROJECT = "project"
    COLLECTION = "collection"
    LINK = "link"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion, which can be undone as a whole."""

    id: int
    kind: DeletedKind
    project_id: int
    name: str
    """The full name at the time: `entity/project`, `.../collection` or `.../collection:vN`."""
    actor_name: str
    face: str
    at: datetime
    restored: bool = False


def is_over(deleted_at: int, now: int) -> bool:
    """Whether a deletion of that time can no longer be undone: after 7 days (R164).

    Times are microseconds since 1970.
    """
    return now - deleted_at >= TRASH_MICROSECONDS


def plan_return(
    returning: Sequence[tuple[Holder, Sequence[str]]],
    holders: Holders,
    highest_other: Holder | None,
    *,
    whole: bool,
) -> list[Change]:
    """Which aliases come back with memberships that come back into a collection (R164).

    `returning` are they with the aliases they held, by number; `highest_other` is the highest
    number that is there already; `whole` says that the collection itself comes back with them.

    - An alias comes back to who held it, unless it was given to another meanwhile.
    - `latest` follows its own rules (R48, R65): it comes back to who held it and is still the
      newest, whoever has it now.
    - Of links that come back into an empty collection the newest gets `latest`.
    """
    after: dict[str, Holder] = {}
    highest = highest_other
    for holder, held in returning:
        newest = highest is None or highest.number < holder.number
        for name in held:
            if name == LATEST:
                if newest:
                    after[name] = holder
            elif name not in holders:
                after.setdefault(name, holder)
        highest = holder if newest else highest
    empty = highest_other is None and LATEST not in holders
    if empty and not whole and highest is not None:
        after.setdefault(LATEST, highest)
    return [
        Change(name, holders.get(name), holder, "restore")
        for name, holder in after.items()
        if (before := holders.get(name)) is None or before.membership_id != holder.membership_id
    ]


def taken(what: str) -> Conflict:
    """The refusal to restore what has lost its name to another meanwhile."""
    return Conflict(
        f"The name {what} was taken meanwhile; rename or delete its present holder, then restore",
        code="name_taken",
    )
