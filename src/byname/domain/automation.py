"""Automations: an event, the scope it must happen in, a filter, and an action (R125 to R131).

Pure: which are allowed, and which event fires which. Who may make one stands in `policy.py`, what is
sent in `payload.py`, when it is sent again in `delivery.py`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from byname.domain import filter_text, names, payload, run_event
from byname.domain.errors import Unprocessable
from byname.domain.event import RUN_EVENTS, Event, EventType
from byname.domain.filter import Condition, Every, Field, Fields, Kind, Node, Some, Test
from byname.domain.history import Cursor
from byname.domain.policy import Permission
from byname.domain.run_filter import holds
from byname.domain.slack import TEXT_LENGTH_MAX, TITLE_LENGTH_MAX, Severity

NAME_LENGTH_MAX = 255
DESCRIPTION_LENGTH_MAX = 10_000
PAYLOAD_DEPTH_MAX = 64
EVERYTHING = '{"$or":[{"$and":[]}]}'
"""The filter that lets every event through, as the client writes it (protocol 14.2)."""

ALIAS, TAG = Field("alias", Kind.NAMES), Field("tag", Kind.NAMES)
EVENT_FIELDS = Fields(
    "events", {"alias": ALIAS, "aliases": ALIAS, "tag": TAG, "tags": TAG}, ("alias", "tag")
)


class ScopeKind(StrEnum):
    """The sorts of places that an automation may watch (R125)."""

    COLLECTION = "collection"
    PROJECT = "project"
    """A project, or a registry: all its collections, later ones included."""
    ENTITY = "entity"
    """A team: all its projects. An organization: its registries and all of its teams."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the event must happen. What it lies in is known with it."""

    kind: ScopeKind
    organization_id: int | None
    """None below a personal entity."""
    entity_id: int
    project_id: int | None = None
    collection_id: int | None = None
    name: str = ""
    """How people call the place, for example `acme/wandb-registry-Model/Zoo`."""
    is_registry: bool = False
    """Whether it is a registry, or lies in one."""
    is_sequence: bool = False
    """Of a collection: whether versions are logged there."""
    is_organization: bool = False
    """Of an entity: whether it is an organization."""

    @property
    def id(self) -> int:
        """The id of the collection, project or entity."""
        if self.kind is ScopeKind.COLLECTION and self.collection_id is not None:
            return self.collection_id
        if self.kind is ScopeKind.PROJECT and self.project_id is not None:
            return self.project_id
        return self.entity_id

    @property
    def word(self) -> str:
        """What the place is: collection, registry, project, team or organization."""
        if self.kind is ScopeKind.COLLECTION:
            return "collection"
        if self.kind is ScopeKind.PROJECT:
            return "registry" if self.is_registry else "project"
        return "organization" if self.is_organization else "team"


class ActionKind(StrEnum):
    """What may be done then (R131)."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    NOTHING = "nothing"
    """For trying an automation out: it is recorded, and nothing is sent."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is done when the event happens."""

    kind: ActionKind
    integration_id: int | None = None
    """The webhook or Slack channel; None for `nothing`."""
    payload: str | None = None
    """Of a webhook: the JSON text of an object, as it was given. None is sent as `{}`."""
    title: str | None = None
    message: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Automation:
    """An automation as it stands."""

    id: int
    name: str
    description: str | None
    enabled: bool
    disabled_reason: str | None
    """Why the server itself switched it off (R145); None where a person did."""
    scope: Scope
    event: EventType
    filter: str
    """JSON text, as it was given (protocol 14.2)."""
    action: Action
    created_by: int | None
    created_at: datetime
    updated_at: datetime | None
    since: Cursor
    """It fires for what came after this place of the history."""
    last_run_at: datetime | None = None
    acts_for: int | None = None
    """The person with whose rights it acts."""


# ---- what is allowed ---------------------------------------------------------------------------


def permission_for(scope: Scope) -> Permission:
    """What one must be allowed in the scope's project or team to have an automation there.

    - Of a collection: Members (P19). Of a whole registry: its Admins (P20).
    - Of a project or team: Members of the team. (Of an organization, which has no such roles: its
      admins.)
    """
    if scope.kind is ScopeKind.COLLECTION:
        return Permission.AUTOMATE_COLLECTION
    return Permission.AUTOMATE_REGISTRY if scope.is_registry else Permission.AUTOMATE_PROJECT


def check_event_in_scope(event: EventType, scope: Scope) -> None:
    """An automation's event can happen in its scope (protocol 14.4).

    - A new version of an artifact: in one collection only.
    - What runs do: in a project, team or organization; not in a collection or registry.

    Raises:
        Unprocessable: it cannot.
    """
    if event is EventType.CREATE_ARTIFACT and scope.kind is not ScopeKind.COLLECTION:
        raise Unprocessable(
            f"{event} can be watched in one collection only, not in the {scope.word} {scope.name}",
            field="scope",
        )
    if event in RUN_EVENTS and (scope.kind is ScopeKind.COLLECTION or scope.word == "registry"):
        raise Unprocessable(
            f"{event} is about runs, and the {scope.word} {scope.name} has none; "
            "watch a project, team or organization",
            field="scope",
        )


def check_name(name: str) -> str:
    """The automation's name.

    Raises:
        Unprocessable: empty, over 255 characters, or not printable.
    """
    return names.check_title(name, "The automation's name", length_max=NAME_LENGTH_MAX)


def check_description(text: str | None) -> str | None:
    """The automation's description.

    Raises:
        Unprocessable: over 10,000 characters, or no Unicode text.
    """
    return _text(text, "The description", "description", DESCRIPTION_LENGTH_MAX)


def check_filter(event: EventType, text: str | None) -> str:
    """The filter, which can be asked of such events; as it was given.

    Raises:
        Unprocessable: it is not JSON, has an unknown field or operator, a bad regular expression
            or value; the message says where.
    """
    if text is None or not text.strip():
        text = EVERYTHING
    try:
        parse_filter(event, text)
    except Unprocessable as refusal:
        refusal.details["field"] = "filter"
        raise
    return text


def check_action(action: Action, *, secrets: Collection[str] = ()) -> Action:
    """The action, whose parts fit its kind; `secrets` are those its webhook was given.

    Raises:
        Unprocessable: an integration is missing or one too many; the payload is no JSON object or
            names what there is not (the message says where), or a text is too long.
    """
    if (action.kind is ActionKind.NOTHING) is not (action.integration_id is None):
        raise Unprocessable(
            "The action 'nothing' takes no integration"
            if action.kind is ActionKind.NOTHING
            else f"The action {action.kind.value!r} needs an integration: say which",
            field="integration",
        )
    if action.kind is ActionKind.WEBHOOK:
        text = check_payload(action.payload, secrets=secrets)
        return Action(action.kind, action.integration_id, text)
    if action.kind is ActionKind.SLACK:
        return Action(
            action.kind,
            action.integration_id,
            title=_text(action.title, "The title", "title", TITLE_LENGTH_MAX),
            message=_text(action.message, "The message", "message", TEXT_LENGTH_MAX),
            severity=action.severity or Severity.INFO,
        )
    return Action(action.kind)


def check_payload(text: str | None, *, secrets: Collection[str] = ()) -> str | None:
    """The payload: what `payload.py` allows, and an object, for the client reads no other.

    Raises:
        Unprocessable: it is not; the message says where it breaks (R135, R137).
    """
    if text is None or not text.strip():
        return None
    payload.check(text, secrets=secrets)
    value = json.loads(text)
    if not isinstance(value, dict):
        raise Unprocessable("The payload must be a JSON object: { ... }", field="payload")
    if _depth(value) > PAYLOAD_DEPTH_MAX:
        raise Unprocessable(
            f"The payload is nested deeper than {PAYLOAD_DEPTH_MAX} levels", field="payload"
        )
    if any("\ud800" <= sign <= "\udfff" for sign in json.dumps(value, ensure_ascii=False)):
        raise Unprocessable("The payload is not Unicode text", field="payload")
    return text


def _depth(value: Any) -> int:
    level, present = 0, [value]
    while present and level <= PAYLOAD_DEPTH_MAX:
        level += 1
        present = [
            inner
            for each in present
            for inner in (
                each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
            )
            if isinstance(inner, dict | list)
        ]
    return level


def _text(text: str | None, what: str, field: str, length_max: int) -> str | None:
    if text is None:
        return None
    if len(text) > length_max:
        raise Unprocessable(f"{what} may have at most {length_max:,} characters", field=field)
    if any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in text):
        raise Unprocessable(f"{what} is not Unicode text", field=field)
    return text


@dataclass(frozen=True, slots=True)
class Simple:
    """The filter that a form offers: one name, exact or as a regular expression (R128)."""

    field: str
    """`alias` or `tag`."""
    text: str
    exact: bool


def simple_filter(simple: Simple) -> str:
    """The filter in the shape in which the client writes it, so that it can be edited there."""
    test = Test.EQ if simple.exact else Test.REGEX
    condition = {simple.field: {test.value: simple.text}}
    return json.dumps({"$or": [{"$and": [condition]}]}, ensure_ascii=False)


def simple_of(automation: Automation) -> Simple | None:
    """What a form shows of the filter; None where it says more than a form can, or nothing."""
    node: Any = parse_filter(automation.event, automation.filter)
    while isinstance(node, Every | Some) and len(node.items) == 1:
        node = node.items[0]
    if not isinstance(node, Condition) or not isinstance(node.value, str):
        return None
    if node.test not in (Test.EQ, Test.REGEX):
        return None
    return Simple(node.field.name, node.value, exact=node.test is Test.EQ)


# ---- which event fires which -------------------------------------------------------------------


@functools.lru_cache(maxsize=4_096)
def parse_filter(event: EventType, text: str) -> Node | run_event.Condition | None:
    """What the filter asks of such events; None when it asks nothing.

    Raises:
        Unprocessable: it cannot be read.
    """
    if event in RUN_EVENTS:
        return run_event.parse_condition(event, text)
    return filter_text.parse(text, EVENT_FIELDS)


class _Names:
    """What a filter may look at in an event."""

    def __init__(self, event: Event) -> None:
        self._by_field = {"alias": list(event.aliases), "tag": list(event.tags)}

    def values(self, field: Field, _path: Sequence[str]) -> list[Any]:
        return self._by_field[field.name]


@dataclass(frozen=True, slots=True)
class Place:
    """A project with what it lies in, as far as scopes ask for it."""

    project_id: int
    entity_id: int
    organization_id: int | None


def covers(scope: Scope, place: Place, collection_id: int | None) -> bool:
    """Whether what happens there happens in the scope.

    - In a collection, in any collection of a registry or project, in any project of a team.
    - An organization covers its registries and whatever lies in its teams.
    """
    if scope.kind is ScopeKind.COLLECTION:
        return scope.collection_id == collection_id
    if scope.kind is ScopeKind.PROJECT:
        return scope.project_id == place.project_id
    return scope.entity_id in (place.entity_id, place.organization_id)


def fires(automation: Automation, event: Event, place: Place) -> bool:
    """Whether the event starts the automation.

    - It is enabled, and waits for such events.
    - The event came after it was made, or was last switched on.
    - It happened in the scope, and the filter lets it through. Of several names one is enough.
    - What a run did fires those only that were found to wait for it.
    """
    if not automation.enabled or automation.event is not event.type:
        return False
    if not after(event.cursor, automation.since):
        return False
    if not covers(automation.scope, place, event.collection_id):
        return False
    if event.automation_ids is not None:
        return automation.id in event.automation_ids
    node = parse_filter(automation.event, automation.filter)
    if node is None or isinstance(node, run_event.Condition):
        return node is None
    return holds(node, _Names(event))


def after(cursor: Cursor, since: Cursor) -> bool:
    """Whether the place lies behind the other in time. `since` holds the last id of both lists."""
    return cursor.id > since.id if cursor.id else cursor.ledger_id > since.ledger_id
