"""Which of all that happens somebody wants to hear of (issue 5, point 6). An event is an `Entry`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from byname.domain import names
from byname.domain.errors import Unprocessable
from byname.domain.history import Cursor, Entry

KINDS_MAX = 20
WAIT_SECONDS_MAX = 300

_KIND = re.compile(r"[a-z_]{1,40}(:[a-z_]{1,40})?")
_SECONDS = re.compile(r"(\d{1,6})s?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted; None is all, and no kinds are all kinds. Two who want the same are equal."""

    project_id: int | None = None
    collection_id: int | None = None
    alias: str | None = None
    kinds: tuple[str, ...] = ()

    def matches(self, entry: Entry) -> bool:
        """Whether the event is wanted.

        - It happened in a project: what concerns people and teams alone stands in the audit log.
        - It happened in the registry and collection wanted.
        - An alias wanted: it happened to that alias, or to its protection.
        - Its kind is wanted, or its noun: `alias` is every `alias:...`.
        """
        if entry.project_id is None:
            return False
        if self.project_id is not None and entry.project_id != self.project_id:
            return False
        if self.collection_id is not None and entry.collection_id != self.collection_id:
            return False
        noun = entry.kind.partition(":")[0]
        if self.alias is not None and (
            noun not in ("alias", "protected_alias") or entry.subject != self.alias
        ):
            return False
        return not self.kinds or entry.kind in self.kinds or noun in self.kinds


def parse_kinds(given: list[str]) -> tuple[str, ...]:
    """The kinds that were asked for, each once.

    Raises:
        Unprocessable: one has not the form of a kind, or there are too many.
    """
    if len(given) > KINDS_MAX:
        raise Unprocessable(f"At most {KINDS_MAX} kinds can be asked for", field="kind")
    for kind in given:
        if _KIND.fullmatch(kind) is None:
            raise Unprocessable(
                f"{kind[:80]!r} is no kind of event; one is alias:move, or alias for all of its kind",
                field="kind",
            )
    return tuple(sorted(set(given)))


def parse_place(text: str) -> Cursor:
    """A place to go on from: the id of an event, or 0 for the beginning.

    Raises:
        Unprocessable: no event has such an id.
    """
    try:
        return Cursor.parse("0.0" if text == "0" else text)
    except Unprocessable:
        raise Unprocessable(
            "A place to go on from is the id of an event, such as 17.0, or 0 for the beginning",
            field="after",
        ) from None


def parse_wait(text: str) -> int:
    """How many seconds to wait for a change: `55s` or `55`.

    Raises:
        Unprocessable: it is no such number, or too many.
    """
    found = _SECONDS.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= WAIT_SECONDS_MAX:
        raise Unprocessable(
            f"wait is a number of seconds from 1 to {WAIT_SECONDS_MAX}, such as 55s", field="wait"
        )
    return int(found[1])


def tell(entry: Entry) -> dict[str, Any]:
    """What an event says. Values are as in the history; times are UTC."""
    entity, _, project = (entry.project or "").partition("/")
    registry = project.startswith(names.REGISTRY_PREFIX)
    return {
        "id": entry.cursor.text,
        "kind": entry.kind,
        "at": entry.at,
        "entity": entity,
        "registry": project.removeprefix(names.REGISTRY_PREFIX) if registry else None,
        "project": project,
        "collection": entry.collection,
        "subject": entry.subject,
        "version": None if entry.number is None else f"v{entry.number}",
        "digest": entry.digest,
        "before": entry.before,
        "after": entry.after,
        "revision": entry.revision,
        "actor": entry.actor,
        "face": entry.face,
        "cause": entry.cause,
    }
