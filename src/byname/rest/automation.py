"""Automations over REST: all that the client offers, and aliases removed and moved (R125 to R137)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.automation import (
    Action,
    ActionKind,
    Automation,
    ScopeKind,
    Simple,
    simple_filter,
)
from byname.domain.errors import Unprocessable, missing
from byname.domain.event import RUN_EVENTS, EventType
from byname.domain.integration import IntegrationKind
from byname.domain.page import Page
from byname.domain.payload import CLOUD_EVENT, DEFAULT
from byname.domain.slack import Severity
from byname.operations import automation as operations
from byname.operations import collection as collections
from byname.operations import entity as entities
from byname.operations import integration as integrations
from byname.operations import project as projects
from byname.operations import registry as registries
from byname.operations import user as users
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import After, First, OrganizationName, RegistryName
from byname.rest.team import TeamName

router = Router(tags=["automations"])

AUTOMATION = "/automations/{automation}"
TEMPLATES = {"default": DEFAULT, "cloudevents": CLOUD_EVENT}
_WORDS = {"LINK_MODEL": EventType.LINK_ARTIFACT}  # X20

AutomationId = Annotated[int, Path(ge=1, le=2**62, description="The `id` that the list shows.")]


class Scope(BaseModel):
    """Where the event must happen. One of the five: say what names it, and no more.

    `organization` (all of it), `team` (all its projects), `team` or `entity` and `project`,
    `organization` and `registry`; and a `collection` of one of the latter two.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"organization": "acme", "registry": "Model", "collection": "Zoo"}]
        },
    )

    organization: str | None = Field(default=None, description="The organization's name.")
    registry: str | None = Field(default=None, description="A registry of the organization.")
    team: str | None = Field(default=None, description="A team, for all of its projects.")
    entity: str | None = Field(default=None, description="A team or person, beside `project`.")
    project: str | None = Field(default=None, description="A project of `entity`.")
    collection: str | None = Field(
        default=None, description="A collection of the registry or project."
    )


class ActionBody(BaseModel):
    """What is done then."""

    model_config = ConfigDict(extra="forbid")

    kind: ActionKind = Field(description="`webhook`, `slack` or `nothing`.")
    team: str | None = Field(default=None, description="The team that owns the integration.")
    integration: str | None = Field(
        default=None, description="The name of its webhook or Slack channel."
    )
    payload: dict[str, Any] | str | None = Field(
        default=None,
        description="Of a webhook: the JSON object that is sent, with `${...}` where values go; or "
        "its text. Nothing is sent as `{}`.",
    )
    template: str | None = Field(
        default=None,
        description="Instead of a payload: `default` (all that is known of the event) or "
        "`cloudevents` (the same as a CloudEvents 1.0 event).",
    )
    title: str | None = Field(default=None, description="Of a Slack message.")
    message: str | None = Field(default=None, description="Of a Slack message: its text.")
    severity: Severity | None = Field(default=None, description="Of a Slack message.")


class AutomationChange(BaseModel):
    """What to change of an automation; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    name: str | None = Field(default=None, description="At most 255 characters.")
    description: str | None = None
    enabled: bool | None = None
    scope: Scope | None = None
    event: str | None = Field(
        default=None, description=f"One of {', '.join(EventType)}, or `LINK_MODEL`."
    )
    alias: str | None = Field(default=None, description="This alias, exactly.")
    alias_regex: str | None = Field(
        default=None, description="Aliases in which this regular expression is found (RE2)."
    )
    tag: str | None = Field(default=None, description="This tag, exactly.")
    tag_regex: str | None = Field(default=None, description="Tags in which this is found (RE2).")
    filter: dict[str, Any] | None = Field(
        default=None, description="Instead of the four above: the filter as the client writes it."
    )
    action: ActionBody | None = None


class NewAutomation(AutomationChange):
    """An automation to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "deploy production",
                    "scope": {"organization": "acme", "registry": "Model"},
                    "event": "ADD_ARTIFACT_ALIAS",
                    "alias": "production",
                    "action": {
                        "kind": "webhook",
                        "team": "vision",
                        "integration": "ci",
                        "payload": {"version": "${artifact_version_string}"},
                    },
                }
            ]
        },
    )

    name: str = Field(description="At most 255 characters.")
    scope: Scope
    event: str = Field(description=f"One of {', '.join(EventType)}, or `LINK_MODEL`.")
    action: ActionBody


class ShownScope(BaseModel):
    """Where the event must happen."""

    kind: str = Field(description="collection, registry, project, team or organization")
    name: str = Field(description="Its full name, for example `acme/wandb-registry-Model/Zoo`.")


class ShownAction(BaseModel):
    """What is done then."""

    kind: ActionKind
    team: str | None
    integration: str | None
    payload: dict[str, Any] | None = Field(description="Of a webhook: what is sent.")
    title: str | None
    message: str | None
    severity: Severity | None


class ShownAutomation(BaseModel):
    """An automation."""

    id: int
    name: str
    description: str | None
    enabled: bool
    disabled_reason: str | None = Field(description="Why the server itself switched it off.")
    scope: ShownScope
    event: EventType
    filter: dict[str, Any]
    action: ShownAction
    created_by: str | None
    created_at: datetime
    updated_at: datetime | None
    last_run_at: datetime | None


class Automations(BaseModel):
    """A page of automations, oldest first."""

    automations: list[ShownAutomation]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


# ---- showing -----------------------------------------------------------------------------------


def _show(ctx: Context, found: list[Automation]) -> list[ShownAutomation]:
    ids = {each.action.integration_id for each in found} - {None}
    used = integrations.load(ctx, [each for each in ids if each is not None])
    makers = users.load_users(ctx, [each.created_by for each in found if each.created_by])
    shown = []
    for each in found:
        action = each.action
        where = None if action.integration_id is None else used.get(action.integration_id)
        maker = None if each.created_by is None else makers.get(each.created_by)
        payload = json.loads(action.payload or "{}") if action.kind is ActionKind.WEBHOOK else None
        shown.append(
            ShownAutomation(
                id=each.id,
                name=each.name,
                description=each.description,
                enabled=each.enabled,
                disabled_reason=each.disabled_reason,
                scope=ShownScope(kind=each.scope.word, name=each.scope.name),
                event=each.event,
                filter=json.loads(each.filter),
                action=ShownAction(
                    kind=action.kind,
                    team=None if where is None else where.team_name,
                    integration=None if where is None else where.name,
                    payload=payload,
                    title=action.title,
                    message=action.message,
                    severity=action.severity,
                ),
                created_by=None if maker is None else maker.username,
                created_at=each.created_at,
                updated_at=each.updated_at,
                last_run_at=each.last_run_at,
            )
        )
    return shown


def _page(ctx: Context, page: Page[Automation]) -> Automations:
    return Automations(
        automations=_show(ctx, list(page.items)),
        next=page.end_cursor if page.has_next else None,
    )


# ---- reading what was asked --------------------------------------------------------------------


def _find_scope(ctx: Context, scope: Scope) -> tuple[ScopeKind, int]:
    """The place that the words name."""
    given = {name for name, value in scope.model_dump().items() if value is not None}
    inside = given - {"collection"}
    if scope.registry is not None and scope.organization is not None and len(inside) == 2:
        project = registries.get_by_name(ctx, scope.organization, scope.registry)
    elif scope.project is not None and len(inside) == 2 and (scope.team or scope.entity):
        found = projects.find(ctx, scope.team or scope.entity, scope.project)
        if found is None:
            raise missing(f"Project {scope.team or scope.entity}/{scope.project}")
        project = found
    elif given in ({"organization"}, {"team"}):
        name = scope.organization or scope.team or ""
        entity = entities.find(ctx, name)
        if entity is None or entity.kind.value not in given:
            raise missing(f"The {next(iter(given))} {name[:80]!r}")
        return ScopeKind.ENTITY, entity.id
    else:
        raise Unprocessable(
            "The scope must be one of: organization; team; team (or entity) and project; "
            "organization and registry; the latter two with a collection",
            field="scope",
        )
    if scope.collection is None:
        return ScopeKind.PROJECT, project.id
    return ScopeKind.COLLECTION, collections.get_in(ctx, project, scope.collection).id


def _find_action(ctx: Context, body: ActionBody) -> Action:
    """The action, with the integration that the words name."""
    integration_id = None
    if body.kind is not ActionKind.NOTHING and body.team and body.integration:
        kind = IntegrationKind(body.kind.value)
        integration_id = integrations.get(ctx, body.team, kind, body.integration).id
    elif body.team or body.integration:
        raise Unprocessable(
            "A webhook or Slack channel needs team and integration, and 'nothing' neither",
            field="action",
        )
    text = body.payload if isinstance(body.payload, str) else None
    if isinstance(body.payload, dict):
        text = json.dumps(body.payload, ensure_ascii=False, indent=2)
    if body.template is not None:
        if text is not None or body.template not in TEMPLATES:
            raise Unprocessable(
                f"template, without a payload, is one of {', '.join(TEMPLATES)}", field="template"
            )
        text = TEMPLATES[body.template]
    return Action(
        body.kind,
        integration_id,
        payload=text,
        title=body.title,
        message=body.message,
        severity=body.severity,
    )


def _read_event(word: str) -> EventType:
    found = _WORDS.get(word)
    if found is None and word not in EventType.__members__:
        raise Unprocessable(
            f"{word[:80]!r} is no event; there are {', '.join(EventType)}", field="event"
        )
    return found or EventType(word)


def _read_filter(body: AutomationChange, event: EventType | None) -> str | None:
    simple = [
        Simple(name.removesuffix("_regex"), text, exact=not name.endswith("_regex"))
        for name in ("alias", "alias_regex", "tag", "tag_regex")
        if (text := getattr(body, name)) is not None
    ]
    if len(simple) + (body.filter is not None) > 1:
        raise Unprocessable(
            "Of alias, alias_regex, tag, tag_regex and filter only one can be given",
            field="filter",
        )
    if body.filter is not None:
        return json.dumps(body.filter, ensure_ascii=False)
    if simple and event in RUN_EVENTS:
        raise Unprocessable(f"{event} is filtered by `filter` only", field="filter")
    return simple_filter(simple[0]) if simple else None


# ---- routes ------------------------------------------------------------------------------------


@router.post("/automations", status_code=201, summary="Make an automation")
def create_automation(ctx: Asking, body: NewAutomation) -> ShownAutomation:
    """Make an automation. It runs for what happens from now on.

    For Members where it watches a collection, project or team; for Admins of a whole registry; for
    admins of an organization.
    """
    kind, scope_id = _find_scope(ctx, body.scope)
    event = _read_event(body.event)
    made = operations.create(
        ctx,
        operations.NewAutomation(
            name=body.name,
            scope_kind=kind,
            scope_id=scope_id,
            event=event,
            action=_find_action(ctx, body.action),
            filter=_read_filter(body, event),
            description=body.description,
            enabled=body.enabled is not False,
        ),
    )
    return _show(ctx, [made])[0]


@router.get(AUTOMATION, summary="Show an automation")
def get_automation(ctx: Asking, automation: AutomationId) -> ShownAutomation:
    """Show an automation. For everybody who may see what it watches."""
    return _show(ctx, [operations.get(ctx, automation)])[0]


@router.patch(AUTOMATION, summary="Change an automation")
def edit_automation(
    ctx: Asking, automation: AutomationId, body: AutomationChange
) -> ShownAutomation:
    """Change what is given of an automation; also to switch it on and off.

    A new event without a filter keeps the filter, if it fits.
    """
    present = operations.get(ctx, automation)
    event = None if body.event is None else _read_event(body.event)
    kind, scope_id = (None, None) if body.scope is None else _find_scope(ctx, body.scope)
    made = operations.edit(
        ctx,
        automation,
        operations.AutomationEdit(
            name=body.name,
            description=body.description,
            enabled=body.enabled,
            scope_kind=kind,
            scope_id=scope_id,
            event=event,
            filter=_read_filter(body, event or present.event),
            action=None if body.action is None else _find_action(ctx, body.action),
        ),
    )
    return _show(ctx, [made])[0]


@router.delete(AUTOMATION, status_code=204, summary="Delete an automation")
def delete_automation(ctx: Asking, automation: AutomationId) -> None:
    """Delete an automation. For those who may make one like it."""
    operations.delete(ctx, automation)


def _asked_scope(
    organization: Annotated[str | None, Query(description="The organization's name.")] = None,
    registry: Annotated[str | None, Query(description="A registry of it.")] = None,
    team: Annotated[str | None, Query(description="A team, for all of its projects.")] = None,
    entity: Annotated[str | None, Query(description="A team or person.")] = None,
    project: Annotated[str | None, Query(description="A project of `entity`.")] = None,
    collection: Annotated[str | None, Query(description="A collection there.")] = None,
) -> Scope:
    return Scope(
        organization=organization,
        registry=registry,
        team=team,
        entity=entity,
        project=project,
        collection=collection,
    )


AskedScope = Annotated[Scope, Depends(_asked_scope)]


@router.get("/automations", summary="List automations")
def list_automations(
    ctx: Asking,
    scope: AskedScope,
    name: Annotated[str | None, Query(description="Only that of this name.")] = None,
    after: After = None,
    first: First = None,
) -> Automations:
    """List the automations of a place and of all that lies in it, as far as you may see them.

    The place is named as the scope of a new automation is.
    """
    what, scope_id = find_place(ctx, scope)
    page = operations.list_within(ctx, what, scope_id, name=name, after=after, first=first)
    return _page(ctx, page)


def find_place(ctx: Context, scope: Scope) -> tuple[str, int]:
    """What a list is asked of: an organization means all in it, its teams too.

    Raises:
        NotFound: absent or hidden.
        Unprocessable: the words name no place.
    """
    kind, scope_id = _find_scope(ctx, scope)
    if kind is ScopeKind.ENTITY and scope.organization is not None:
        return "organization", scope_id
    return kind.value, scope_id


@router.get("/organizations/{organization}/automations", summary="List an organization's")
def list_of_organization(
    ctx: Asking, organization: OrganizationName, after: After = None, first: First = None
) -> Automations:
    """List all automations in the organization, its registries and teams, that you may see."""
    return list_automations(ctx, Scope(organization=organization), None, after, first)


@router.get("/teams/{team}/automations", summary="List a team's automations")
def list_of_team(
    ctx: Asking, team: TeamName, after: After = None, first: First = None
) -> Automations:
    """List the automations of the team, its projects, and their collections, that you may see."""
    return list_automations(ctx, Scope(team=team), None, after, first)


@router.get(
    "/registries/{organization}/{registry}/automations", summary="List a registry's automations"
)
def list_of_registry(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    after: After = None,
    first: First = None,
) -> Automations:
    """List the automations of the registry and of its collections."""
    scope = Scope(organization=organization, registry=registry)
    return list_automations(ctx, scope, None, after, first)


@router.get(
    "/registries/{organization}/{registry}/collections/{collection}/automations",
    summary="List a collection's automations",
)
def list_of_collection(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: Annotated[str, Path(description="The collection's name.")],
    after: After = None,
    first: First = None,
) -> Automations:
    """List the automations that watch this collection alone."""
    scope = Scope(organization=organization, registry=registry, collection=collection)
    return list_automations(ctx, scope, None, after, first)
