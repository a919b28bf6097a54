"""What automations may wait for, and which of it an entry of the history tells (R126, R127, R129).

The history is the outbox: an entry was written in the transaction of the change, or not at all, so
that an event follows from it for certain, whenever somebody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from byname.domain.history import Cursor, Entry


class EventType(StrEnum):
    """The events by the names that payloads tell (R127)."""

    LINK_ARTIFACT = "LINK_ARTIFACT"
    UNLINK_ARTIFACT = "UNLINK_ARTIFACT"
    ADD_ARTIFACT_ALIAS = "ADD_ARTIFACT_ALIAS"
    MOVE_ARTIFACT_ALIAS = "MOVE_ARTIFACT_ALIAS"
    REMOVE_ARTIFACT_ALIAS = "REMOVE_ARTIFACT_ALIAS"
    ADD_ARTIFACT_TAG = "ADD_ARTIFACT_TAG"
    REMOVE_ARTIFACT_TAG = "REMOVE_ARTIFACT_TAG"
    ADD_COLLECTION_TAG = "ADD_COLLECTION_TAG"
    REMOVE_COLLECTION_TAG = "REMOVE_COLLECTION_TAG"
    CREATE_ARTIFACT = "CREATE_ARTIFACT"
    RUN_STATE = "RUN_STATE"
    RUN_METRIC = "RUN_METRIC"
    RUN_METRIC_CHANGE = "RUN_METRIC_CHANGE"
    RUN_METRIC_ZSCORE = "RUN_METRIC_ZSCORE"


ALIAS_EVENTS = frozenset(
    {
        EventType.ADD_ARTIFACT_ALIAS,
        EventType.MOVE_ARTIFACT_ALIAS,
        EventType.REMOVE_ARTIFACT_ALIAS,
    }
)
TAG_EVENTS = frozenset(
    {
        EventType.ADD_ARTIFACT_TAG,
        EventType.REMOVE_ARTIFACT_TAG,
        EventType.ADD_COLLECTION_TAG,
        EventType.REMOVE_COLLECTION_TAG,
    }
)
METRIC_EVENTS = frozenset(
    {EventType.RUN_METRIC, EventType.RUN_METRIC_CHANGE, EventType.RUN_METRIC_ZSCORE}
)
RUN_EVENTS = METRIC_EVENTS | {EventType.RUN_STATE}

RUN_EVENT_KIND = "run:event"
"""The kind of the history's entries that tell that a run fulfils an automation's condition."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened and that automations may wait for."""

    type: EventType
    cursor: Cursor
    """The entry of the history that tells it. Of one entry there may be several events."""
    at: datetime
    actor_id: int | None
    actor: str
    project_id: int | None
    collection_id: int | None
    version_id: int | None
    """None where the entry tells a number only."""
    number: int | None
    """The number, in the collection, of the version that it happened to."""
    subject: str
    """What the entry says that it happened to."""
    alias: str | None = None
    aliases: tuple[str, ...] = ()
    """What a filter by `alias` looks at: of a link all aliases that it placed."""
    tags: tuple[str, ...] = ()
    """What a filter by `tag` looks at: the tags added, or removed."""
    before_number: int | None = None
    """Of an alias: the number that held it before."""
    after_number: int | None = None
    """Of an alias: the number that holds it since."""
    revision: int | None = None
    cause: str | None = None
    automation_ids: tuple[int, ...] | None = None
    """Of a run: the automations whose condition was found to hold. None: whoever waits for it."""
    run: Any = None
    """Of a run: what the entry tells of it."""


def events_of(entry: Entry) -> tuple[Event, ...]:
    """The events that the entry tells, in the order in which they are sent (R129).

    - An alias that is moved was added to the new version, removed from the old, and moved.
    - A change of tags that adds some and removes others is two events.
    - An entry of any other kind is none.
    """
    if entry.kind.startswith("alias:"):
        return _of_alias(entry)
    simple = {
        "link:create": EventType.LINK_ARTIFACT,
        "link:delete": EventType.UNLINK_ARTIFACT,
        "artifact:create": EventType.CREATE_ARTIFACT,
    }.get(entry.kind)
    if simple is not None:
        return (_event(entry, simple, aliases=entry.names),)
    if entry.kind == "artifact:tag":
        return _of_tags(entry, EventType.ADD_ARTIFACT_TAG, EventType.REMOVE_ARTIFACT_TAG)
    if entry.kind == "collection:tag":
        return _of_tags(entry, EventType.ADD_COLLECTION_TAG, EventType.REMOVE_COLLECTION_TAG)
    if entry.kind == RUN_EVENT_KIND and isinstance(entry.after, dict):
        told = entry.after
        return (
            _event(
                entry,
                EventType(told["event"]),
                automation_ids=tuple(told["automation_ids"]),
                run=told,
            ),
        )
    return ()


def _event(entry: Entry, kind: EventType, **more: Any) -> Event:
    return Event(
        type=kind,
        cursor=entry.cursor,
        at=entry.at,
        actor_id=entry.actor_id,
        actor=entry.actor,
        project_id=entry.project_id,
        collection_id=entry.collection_id,
        version_id=entry.version_id,
        subject=entry.subject,
        **({"number": entry.number} | more),
    )


def _of_alias(entry: Entry) -> tuple[Event, ...]:
    before, after = _number(entry.before), _number(entry.after)
    more: dict[str, Any] = {
        "alias": entry.subject,
        "aliases": (entry.subject,),
        "before_number": before,
        "after_number": after,
        "revision": entry.revision,
        "cause": entry.cause,
    }
    found = []
    if after is not None:
        found.append(_event(entry, EventType.ADD_ARTIFACT_ALIAS, number=after, **more))
    if before is not None:
        found.append(_event(entry, EventType.REMOVE_ARTIFACT_ALIAS, number=before, **more))
    if before is not None and after is not None:
        found.append(_event(entry, EventType.MOVE_ARTIFACT_ALIAS, number=after, **more))
    return tuple(found)


def _of_tags(entry: Entry, added: EventType, removed: EventType) -> tuple[Event, ...]:
    before, after = entry.before or [], entry.after or []
    found = []
    more = _without(after, before)
    if more:
        found.append(_event(entry, added, tags=more))
    fewer = _without(before, after)
    if fewer:
        found.append(_event(entry, removed, tags=fewer))
    return tuple(found)


def _without(these: Sequence[str], those: Sequence[str]) -> tuple[str, ...]:
    known = set(those)
    return tuple(each for each in these if each not in known)


def _number(version: Any) -> int | None:
    """The number in `v3`."""
    return None if version is None else int(str(version)[1:])
