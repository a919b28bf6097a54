"""Automations as the client sees them, which calls them triggers (protocol 14)."""

from __future__ import annotations

import json
from typing import Any

from ariadne import MutationType, ObjectType, UnionType

from byname.domain import filter_text
from byname.domain.automation import Action, ActionKind, Automation, ScopeKind
from byname.domain.collection import Collection
from byname.domain.entity import Entity, User
from byname.domain.errors import Unprocessable, Unsupported, missing
from byname.domain.event import RUN_EVENTS, EventType
from byname.domain.filter import Condition, Field, Fields, Kind, Test
from byname.domain.page import Page
from byname.domain.project import Project
from byname.domain.slack import Severity
from byname.graphql import loaders
from byname.graphql.collection import COLLECTION
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.entity import ENTITY, entities, users
from byname.graphql.features import EVENTS_NOT_READ
from byname.graphql.ids import find_number, from_id, to_id
from byname.graphql.integration import INTEGRATION, integrations
from byname.graphql.project import PROJECT
from byname.operations import automation as operations

mutation = MutationType()
trigger = ObjectType("Trigger")
scope_type = UnionType("TriggerScope")
entity_type = ObjectType("Entity")
organization_type = ObjectType("Organization")
project_type = ObjectType("Project")

TRIGGER = "Trigger"
FIELDS = Fields("automations", {"name": Field("name", Kind.TEXT)}, ("name",))

_SCOPES = {
    "ARTIFACT_COLLECTION": (ScopeKind.COLLECTION, COLLECTION),
    "PROJECT": (ScopeKind.PROJECT, PROJECT),
    "ENTITY": (ScopeKind.ENTITY, ENTITY),
}
_PLACES = {
    "ARTIFACT_COLLECTION": "a collection",
    "PROJECT": "a project or registry; a whole team or organization is watched with newer clients",
    "ENTITY": "a team or organization",
}
_LEGACY = {"LINK_MODEL": EventType.LINK_ARTIFACT}  # X20


# ---- reading -----------------------------------------------------------------------------------


def automations_of(request: RequestContext) -> Loader[int, list[Automation]]:
    """The automations of projects that the caller sees, by project id."""
    return request.loader("automations", lambda ids: operations.of_projects(request.ctx, ids), list)


@entity_type.field("triggers")
def resolve_of_entity(source: Entity, info: Info, **page: Any) -> Connection:
    """Those that watch the team (or organization), a project (or registry) of it, or what is there."""
    return _list(info, "entity", source.id, **page)


@organization_type.field("triggers")
def resolve_of_organization(source: Entity, info: Info, **page: Any) -> Connection:
    """All in the organization: of itself, its registries and its teams."""
    return _list(info, "organization", source.id, **page)


@project_type.field("triggers")
def resolve_of_project(source: Project, info: Info) -> list[Automation]:
    """Those of the project or registry and of its collections."""
    found = automations_of(info.context).get(source.id)
    shown = [each for each in found if each.event not in EVENTS_NOT_READ]
    _expect(info, shown)
    return shown


def _list(
    info: Info,
    what: str,
    scope_id: int,
    *,
    filters: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Connection:
    page: Page[Automation] = operations.list_within(
        info.context.ctx,
        what,
        scope_id,
        name=_name_in(filters),
        but=EVENTS_NOT_READ,
        order=order,
        after=after,
        first=first,
    )
    _expect(info, page.items)
    return connection(page)


def _name_in(filters: str | None) -> str | None:
    node = filter_text.parse(filters, FIELDS)
    if node is None:
        return None
    if isinstance(node, Condition) and node.test is Test.EQ and isinstance(node.value, str):
        return node.value
    raise Unprocessable(
        'Automations are filtered by their whole name: {"name": "..."}', field="filters"
    )


def _expect(info: Info, found: Any) -> None:
    """What the automations of a page point to is loaded together."""
    request = info.context
    scopes = [each.scope for each in found]
    loaders.collections(request).expect(s.collection_id for s in scopes if s.collection_id)
    loaders.projects(request).expect(s.project_id for s in scopes if s.project_id)
    entities(request).expect(s.entity_id for s in scopes)
    users(request).expect(each.created_by for each in found if each.created_by)
    integrations(request).expect(
        each.action.integration_id for each in found if each.action.integration_id
    )


@trigger.field("id")
def resolve_id(source: Automation, _info: Info) -> str:
    """The opaque id."""
    return to_id(TRIGGER, source.id)


@scope_type.type_resolver
def resolve_scope_type(source: Any, *_: Any) -> str:
    """Which sort of place it is."""
    if isinstance(source, Collection):
        return "ArtifactSequence" if source.is_sequence else "ArtifactPortfolio"
    return "Project" if isinstance(source, Project) else "Entity"


@trigger.field("scope")
def resolve_scope(source: Automation, info: Info) -> Collection | Project | Entity:
    """The collection, project, registry, team or organization."""
    scope = source.scope
    found: Collection | Project | Entity | None
    if scope.kind is ScopeKind.COLLECTION:
        found = loaders.collections(info.context).get(scope.id)
    elif scope.kind is ScopeKind.PROJECT:
        found = loaders.projects(info.context).get(scope.id)
    else:
        found = entities(info.context).get(scope.id)
    if found is None:
        raise missing("The scope of this automation")
    return found


@trigger.field("triggeringCondition")
def resolve_condition(source: Automation, _info: Info) -> dict[str, str]:
    """The event and its filter, which is wrapped for changes of versions (protocol 14.3)."""
    is_link = source.event is EventType.LINK_ARTIFACT
    return {
        "__typename": "FilterEventTriggeringCondition",
        "event_type": "LINK_MODEL" if is_link else source.event.value,
        "filter": source.filter
        if source.event in RUN_EVENTS
        else json.dumps({"filter": source.filter}),
    }


@trigger.field("triggeredAction")
def resolve_action(source: Automation, info: Info) -> dict[str, Any]:
    """What is done."""
    action = source.action
    if action.integration_id is None:
        return {"__typename": "NoOpTriggeredAction", "no_op": True}
    found = integrations(info.context).get(action.integration_id)
    if action.kind is ActionKind.WEBHOOK:
        return {
            "__typename": "GenericWebhookTriggeredAction",
            "integration": found,
            "request_payload": action.payload,
        }
    return {
        "__typename": "NotificationTriggeredAction",
        "integration": found,
        "title": action.title,
        "message": action.message,
        "severity": None if action.severity is None else action.severity.value,
    }


@trigger.field("createdBy")
def resolve_creator(source: Automation, info: Info) -> User | None:
    """Who made it."""
    return None if source.created_by is None else users(info.context).get(source.created_by)


# ---- writing -----------------------------------------------------------------------------------


@mutation.field("createFilterTrigger")
def create(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The automation is there."""
    kind, scope_id = _scope(input["scope_type"], input["scope_id"])
    made = operations.create(
        info.context.ctx,
        operations.NewAutomation(
            name=input["name"],
            scope_kind=kind,
            scope_id=scope_id,
            event=_event(input["triggering_event_type"]),
            action=_action(input["triggered_action_type"], input["triggered_action_config"]),
            filter=input["event_filter"],
            description=input.get("description"),
            enabled=input["enabled"],
        ),
    )
    return {"trigger": made}


@mutation.field("updateFilterTrigger")
def update(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The automation is changed in what is not null."""
    given = {key: value for key, value in input.items() if value is not None}
    kind, scope_id = None, None
    if "scope_id" in given or "scope_type" in given:
        if not ("scope_id" in given and "scope_type" in given):
            raise Unprocessable("A new scope needs scopeType and scopeID", field="scopeID")
        kind, scope_id = _scope(given["scope_type"], given["scope_id"])
    action = None
    if "triggered_action_config" in given or "triggered_action_type" in given:
        if not ("triggered_action_config" in given and "triggered_action_type" in given):
            raise Unprocessable(
                "A new action needs triggeredActionType and triggeredActionConfig",
                field="triggeredActionConfig",
            )
        action = _action(given["triggered_action_type"], given["triggered_action_config"])
    event = given.get("triggering_event_type")
    edited = operations.edit(
        info.context.ctx,
        _number(given["id"]),
        operations.AutomationEdit(
            name=given.get("name"),
            description=given.get("description"),
            enabled=given.get("enabled"),
            scope_kind=kind,
            scope_id=scope_id,
            event=None if event is None else _event(event),
            filter=given.get("event_filter"),
            action=action,
        ),
    )
    return {"trigger": edited}


@mutation.field("deleteTrigger")
def delete(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The automation is gone."""
    operations.delete(info.context.ctx, _number(input["trigger_id"]))
    return {"success": True}


def _number(text: str) -> int:
    """The number of an automation's id. What is no id names no automation (protocol 14.4)."""
    found = find_number(text, TRIGGER)
    if found is None:
        raise missing("This automation")
    return found


def _scope(word: str, text: str) -> tuple[ScopeKind, int]:
    kind, id_kind = _SCOPES[word]
    number = find_number(text, id_kind)
    if number is None:
        raise Unprocessable(
            f"scopeID {text[:80]!r} does not fit scopeType {word}, "
            f"which takes the id of {_PLACES[word]}",
            field="scopeID",
        )
    return kind, number


def _event(word: str) -> EventType:
    found = _LEGACY.get(word)
    if found is not None:
        return found
    if word == "UPDATE_ARTIFACT_ALIAS":
        raise Unsupported("Use ADD_ARTIFACT_ALIAS instead of UPDATE_ARTIFACT_ALIAS")
    if word not in EventType.__members__:
        raise Unsupported(f"Automations cannot wait for {word} here")
    return EventType(word)


_MEMBERS = {
    "GENERIC_WEBHOOK": "genericWebhookActionInput",
    "NOTIFICATION": "notificationActionInput",
    "NO_OP": "noOpActionInput",
}
_CONFIGS = {
    "GENERIC_WEBHOOK": "generic_webhook_action_input",
    "NOTIFICATION": "notification_action_input",
    "NO_OP": "no_op_action_input",
}


def _action(word: str, config: dict[str, Any]) -> Action:
    """The action, of whose members exactly the one of its type is given (protocol 14.2)."""
    if word not in _CONFIGS:
        raise Unsupported(
            f"The action {word} is not offered here; there are {', '.join(_CONFIGS)}",
            code="no_such_action",
        )
    given = [key for key, value in config.items() if value is not None]
    if given != [_CONFIGS[word]]:
        raise Unprocessable(
            f"triggeredActionConfig must hold {_MEMBERS[word]} and nothing else: the action is {word}",
            field="triggeredActionConfig",
        )
    told = config[_CONFIGS[word]]
    if word == "NO_OP":
        return Action(ActionKind.NOTHING)
    integration_id = from_id(told["integration_id"], INTEGRATION)
    if word == "GENERIC_WEBHOOK":
        return Action(ActionKind.WEBHOOK, integration_id, payload=told.get("request_payload"))
    severity = told.get("severity")
    return Action(
        ActionKind.SLACK,
        integration_id,
        title=told.get("title"),
        message=told.get("message"),
        severity=None if severity is None else Severity(severity),
    )


bindables = [mutation, trigger, scope_type, entity_type, organization_type, project_type]
