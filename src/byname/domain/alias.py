"""Aliases: movable names, each for one version of a collection (R60 to R77).

A plan is made from the present holders and says what will change; it touches nothing itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from byname.domain import names
from byname.domain.errors import NotFound, Unprocessable
from byname.domain.names import LATEST


@dataclass(frozen=True, slots=True)
class Alias:
    """A name in a collection and its present holder, by version number; None when nobody holds it."""

    collection_id: int
    name: str
    number: int | None
    revision: int
    """Grows by one at each change of this alias, removals included."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A membership as aliases see it."""

    membership_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Change:
    """One alias goes from one holder to another; None stands for nobody."""

    name: str
    before: Holder | None
    after: Holder | None
    cause: str
    """Why, for the ledger: link, log, move, remove, unlink, delete, restore, undo."""


Holders = Mapping[str, Holder]
"""The present holder of each alias that is looked at."""


def check_names(given: Iterable[str]) -> list[str]:
    """The aliases without repetitions, in the order given, each allowed (R72).

    Raises:
        Unprocessable: one of them is not allowed, or there are more than 100.
    """
    aliases = list(dict.fromkeys(names.check_alias(name) for name in given))
    if len(aliases) > names.ALIASES_MAX:
        raise Unprocessable(
            f"{len(aliases)} aliases were given; a version may carry at most {names.ALIASES_MAX}",
            field="aliases",
        )
    return aliases


def plan_put(
    holders: Holders, target: Holder, wanted: Iterable[str], *, cause: str
) -> list[Change]:
    """An alias is held by one version: putting it on another moves it (R67, R70).

    - What the target holds already is left alone and changes nothing (R71).
    """
    changes = []
    for name in wanted:
        before = holders.get(name)
        if before is None or before.membership_id != target.membership_id:
            changes.append(Change(name, before, target, cause))
    return changes


def plan_new_version(holders: Holders, target: Holder, wanted: Iterable[str]) -> list[Change]:
    """A version that is new in a collection gets the aliases given, and `latest` (R48, R51).

    - `latest` goes to the newest version, whether it was asked for or not.
    """
    return plan_put(holders, target, dict.fromkeys([*wanted, LATEST]), cause="link")


def plan_old_version(holders: Holders, target: Holder, wanted: Iterable[str]) -> list[Change]:
    """Content that is there already keeps its number; the aliases given go to it (R2, R49).

    - `latest` stays where it is, although the client always asks for it when it logs.
    """
    return plan_put(holders, target, (n for n in wanted if n != LATEST), cause="link")


def plan_edit(
    holders: Holders, target: Holder, add: Iterable[str], remove: Iterable[str]
) -> list[Change]:
    """Adds and removes for one version happen together (R70, R71, R77).

    - The same alias in both lists is refused.
    - Removing an alias that the version does not hold is refused.

    Raises:
        Unprocessable: an alias is in both lists.
        NotFound: an alias to be removed is not on this version.
    """
    adding = list(add)
    removing = list(dict.fromkeys(remove))
    both = sorted(set(adding) & set(removing))
    if both:
        raise Unprocessable(f"To be added and removed at once: {', '.join(both)}", field="aliases")
    absent = [name for name in removing if not _holds(holders, target, name)]
    if absent:
        raise NotFound(
            f"v{target.number} does not hold the alias {', '.join(map(repr, absent))}; "
            "nothing was changed"
        )
    changes = plan_put(holders, target, adding, cause="move")
    changes += [Change(name, target, None, "remove") for name in removing]
    return changes


def plan_leave(
    holders: Holders, leaving: Holder, highest_remaining: Holder | None, *, cause: str
) -> list[Change]:
    """Who leaves a collection gives up its aliases (R160); `latest` passes on (R65).

    - `latest` goes to the highest remaining number, if there is one.
    """
    changes = []
    for name, holder in holders.items():
        if holder.membership_id == leaving.membership_id:
            heir = highest_remaining if name == LATEST else None
            changes.append(Change(name, holder, heir, cause))
    return changes


def check_count(present: int, changes: Iterable[Change], target: Holder) -> None:
    """A version carries at most 100 custom aliases (R72).

    Raises:
        Unprocessable: it would carry more.
    """
    grown = present
    for change in changes:
        grown += change.after == target
        grown -= change.before == target
    if grown > names.ALIASES_MAX and grown > present:
        raise Unprocessable(
            f"v{target.number} would carry {grown} aliases; at most {names.ALIASES_MAX} are allowed",
            field="aliases",
        )


def _holds(holders: Holders, target: Holder, name: str) -> bool:
    holder = holders.get(name)
    return holder is not None and holder.membership_id == target.membership_id


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One change of an alias, as it is remembered for ever."""

    id: int
    collection_id: int
    alias: str
    revision: int
    from_number: int | None
    to_number: int | None
    cause: str
    actor_name: str
    face: str
    at: datetime


def chain(
    previous: str,
    *,
    collection_id: int,
    change: tuple[str, int, int | None, int | None, str],
    actor: tuple[int | None, str, str],
    at: int,
) -> str:
    """The hash of a row of the ledger: SHA-256 over the hash before it and all the row says.

    `change` is alias, revision, from, to and cause; `actor` is id, name and face; `at` in
    microseconds. The first row of a collection has the empty text before it. Who changes, takes
    out or puts in a row must change every row of the collection after it.
    """
    text = json.dumps([previous, collection_id, *change, *actor, at], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
