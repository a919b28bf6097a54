"""Executions: what an automation does because of one event, and what came of it (R140)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from byname.domain.delivery import State
from byname.domain.history import Cursor
from byname.domain.payload import Part


@dataclass(frozen=True, slots=True)
class Execution:
    """One of them, as it stands."""

    id: int
    automation_id: int
    automation_name: str
    about_project_id: int | None
    """Where it happened. Whoever may not see that may not see this."""
    delivery_id: str
    event: str
    cursor: Cursor
    """The entry of ledger or history that tells the event."""
    is_replay: bool
    subject: str
    author: str
    event_at: datetime
    action: str
    target: str | None
    """The name of the webhook or Slack channel."""
    body: str
    """The payload as it may be shown, with `***` for secrets (R141)."""
    state: State
    attempt_count: int
    next_at: datetime | None
    """While it is pending: when the next attempt is due."""
    status: int | None
    """What the receiver answered last."""
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that was made for an execution."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    answer: str
    """The first 4 kB."""
    error: str | None


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution to be written down."""

    automation_id: int
    organization_id: int | None
    entity_id: int
    about_project_id: int | None
    about_collection_id: int | None
    integration_id: int | None
    delivery_id: str
    event: str
    cursor: Cursor
    repeat: int
    subject: str
    author: str
    event_at: datetime
    action: str
    target: str | None
    body: list[Part]
    state: State = State.PENDING
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be made now."""

    id: int
    automation_id: int
    integration_id: int
    delivery_id: str
    event: str
    attempt_count: int
    started: bool
    """Whether an attempt was begun before: then it counts no more against the rate (R144)."""
    automation_is_there: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much is still to be delivered."""

    count: int
    oldest_at: datetime | None
    """Since when the oldest of them waits."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which executions are looked for; None is all."""

    automation: str | None = None
    """A part of the automation's name, whatever the case."""
    automation_id: int | None = None
    state: State | None = None
    event: str | None = None
    text: str | None = None
    """A part of what it happened to."""
