"""Making, changing, deleting and listing automations (R125, P19, P20)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from byname.domain import automation as rules
from byname.domain.automation import Action, ActionKind, Automation, Scope, ScopeKind
from byname.domain.entity import EntityKind
from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable, missing
from byname.domain.event import EventType
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.page import Page, decode_cursor, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission, check, team_project_role
from byname.domain.project import Project
from byname.domain.slack import Severity
from byname.operations import access, automation_rights, history, integration
from byname.operations.context import Context
from byname.store import automation as rows
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import integration as integration_rows
from byname.store import project as project_rows
from byname.store import run_watch as run_watch_rows
from byname.store import search as search_rows
from byname.store.database import Transaction

OF_ENTITY_MAX = 10_000
LIST = "automations"
ORDERS = ("created_at", "updated_at", "name")
PORTION = 500
_KIND_OF_ACTION = {
    ActionKind.WEBHOOK: IntegrationKind.WEBHOOK,
    ActionKind.SLACK: IntegrationKind.SLACK,
}


@dataclass(frozen=True, slots=True)
class NewAutomation:
    """The automation to make."""

    name: str
    scope_kind: ScopeKind
    scope_id: int
    event: EventType
    action: Action
    filter: str | None = None
    description: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AutomationEdit:
    """What to change of an automation; None leaves a thing as it is (protocol 14.4)."""

    name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    scope_kind: ScopeKind | None = None
    scope_id: int | None = None
    event: EventType | None = None
    filter: str | None = None
    action: Action | None = None


def create(ctx: Context, new: NewAutomation) -> Automation:
    """The automation is there, and fires for what is committed after it.

    Raises:
        NotFound: the scope or the integration is absent or hidden.
        Forbidden: the role in the scope is too low (P19, P20), or in the integration's team.
        Conflict: there is one of that name below the same team, organization or person.
        Unprocessable: the event cannot happen in the scope, or a value is not allowed.
    """
    name = rules.check_name(new.name)
    description = rules.check_description(new.description)
    text = rules.check_filter(new.event, new.filter)
    with ctx.database.write() as tx:
        scope, project = _find_scope(ctx, tx, new.scope_kind, new.scope_id)
        rules.check_event_in_scope(new.event, scope)
        action = _check_action(ctx, tx, new.action, scope)
        _check_free(tx, scope, name)
        if rows.count_of_entity(tx, scope.entity_id) >= OF_ENTITY_MAX:
            raise Unprocessable(f"There are {OF_ENTITY_MAX:,} automations already", field="name")
        wanted = Automation(
            id=0,
            name=name,
            description=description,
            enabled=new.enabled,
            disabled_reason=None,
            scope=scope,
            event=new.event,
            filter=text,
            action=action,
            created_by=ctx.who.row_id,
            created_at=datetime.now(UTC),
            updated_at=None,
            since=rows.now_at(tx),
            acts_for=ctx.who.row_id,
        )
        made = _reread(tx, rows.add(tx, wanted, at=ctx.now()))
        _record(ctx, tx, "create", made, project, after=_told(made))
        return made


def edit(ctx: Context, automation_id: int, change: AutomationEdit) -> Automation:
    """The automation is like this; what is None stays.

    - Who switches it on must be in order with what it needs; it fires for what comes after that.
    - Who changes its scope needs the right in both; who changes its action, in the team.
    - It acts with the rights of who made it, or last changed where it watches or what it does; or
      switched it on after that person had lost them, who then needs these rights as well.

    Raises:
        NotFound: it, its new scope or its integration is absent or hidden.
        Forbidden: the role is too low.
        Conflict: the new name is taken; or it is switched on and its integration is gone.
        Unprocessable: the event cannot happen in the scope, or a value is not allowed.
    """
    with ctx.database.write() as tx:
        present, project = changeable(ctx, tx, automation_id)
        scope = present.scope
        asked = (change.scope_kind or scope.kind, change.scope_id or scope.id)
        if asked != (scope.kind, scope.id):
            scope, project = _find_scope(ctx, tx, *asked)
        event = change.event or present.event
        text = present.filter
        if change.filter is not None or event is not present.event:
            text = rules.check_filter(event, text if change.filter is None else change.filter)
        rules.check_event_in_scope(event, scope)
        action = present.action if change.action is None else _plain(change.action)
        enabled = present.enabled if change.enabled is None else change.enabled
        if action != present.action or scope.organization_id != present.scope.organization_id:
            action = _check_action(ctx, tx, action, scope)
        elif enabled and not present.enabled:
            _check_integration_is_there(tx, action)
        acts_for = present.acts_for
        if (action, scope) != (present.action, present.scope):
            acts_for = ctx.who.row_id
        elif enabled and not present.enabled and automation_rights.lost(tx, [present]):
            _check_action(ctx, tx, action, scope)
            acts_for = ctx.who.row_id
        name = present.name if change.name is None else rules.check_name(change.name)
        if (scope.entity_id, name) != (present.scope.entity_id, present.name):
            _check_free(tx, scope, name, but=present.id)
        wanted = dataclasses.replace(
            present,
            name=name,
            description=present.description
            if change.description is None
            else rules.check_description(change.description),
            enabled=enabled,
            # What the server switched off says why until somebody switches it on.
            disabled_reason=None if enabled or present.enabled else present.disabled_reason,
            scope=scope,
            event=event,
            filter=text,
            action=action,
            since=rows.now_at(tx) if enabled and not present.enabled else present.since,
            acts_for=acts_for,
        )
        if wanted == present:
            return present
        if (event, text) != (present.event, present.filter) or wanted.since != present.since:
            run_watch_rows.forget(tx, present.id)
        rows.edit(tx, wanted, at=ctx.now())
        edited = _reread(tx, present.id)
        before, after = _told(present), _told(edited)
        changed = [key for key in after if before[key] != after[key]]
        _record(
            ctx,
            tx,
            "update",
            edited,
            project,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed},
        )
        return edited


def delete(ctx: Context, automation_id: int) -> None:
    """The automation is gone.

    Raises:
        NotFound: it is absent or hidden.
        Forbidden: the role in its scope is too low.
    """
    with ctx.database.write() as tx:
        present, project = changeable(ctx, tx, automation_id)
        rows.remove(tx, present.id, at=ctx.now())
        run_watch_rows.forget(tx, present.id)
        _record(ctx, tx, "delete", present, project, before=_told(present))


def get(ctx: Context, automation_id: int) -> Automation:
    """The automation; for those who may see its scope.

    Raises:
        NotFound: it is absent or hidden.
    """
    with ctx.database.read() as tx:
        found = rows.find(tx, automation_id)
        if found is None or not visible(ctx, tx, [found]):
            raise missing("This automation")
        return found


def may_change(ctx: Context, automation: Automation) -> bool:
    """Whether the actor may edit and delete the automation."""
    with ctx.database.read() as tx:
        try:
            _find_scope(ctx, tx, automation.scope.kind, automation.scope.id)
        except (Forbidden, NotFound, Unprocessable):
            return False
        return True


def list_within(
    ctx: Context,
    what: str,
    scope_id: int,
    *,
    name: str | None = None,
    but: Sequence[EventType] = (),
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Automation]:
    """Automations of a place and of all in it that the actor may see, oldest first.

    `what` is organization, entity, project or collection; the actor was shown the place. `but`:
    without those that wait for these events. `order`: `created_at`, `updated_at` or `name`, with
    `-` from high to low; another is as none, for clients send anything (protocol 13).

    Raises:
        Unprocessable: a bad page or cursor.
    """
    size = parse_first(first)
    by, descending = _order(order)
    kind = f"{LIST} by {'-' * descending}{by}"
    start = _start(kind, by, after)
    known = name is None or entity_rows.lookup_key(name) is not None
    found: list[Automation] = []
    with ctx.database.read() as tx:
        while known and len(found) <= size:
            portion = rows.list_within(
                tx,
                what,
                scope_id,
                name=name,
                but=but,
                order=by,
                descending=descending,
                after=start,
                limit=PORTION,
            )
            found += visible(ctx, tx, portion)
            if len(portion) < PORTION:
                break
            start = rows.place_in(by, portion[-1])
    return page_of(found, size, lambda each: encode_cursor(kind, *rows.place_in(by, each)))


def _order(text: str | None) -> tuple[str, bool]:
    """What automations are ordered by, and whether from high to low."""
    given = (text or "").strip()
    words = {"createdAt": "created_at", "updatedAt": "updated_at"}
    word = words.get(given.lstrip("+-"), given.lstrip("+-"))
    if word not in ORDERS:
        return ORDERS[0], False
    return word, given.startswith("-")


def _start(kind: str, by: str, after: str | None) -> tuple[str | int, int] | None:
    """Behind which automation the page begins."""
    if not after:
        return None
    match decode_cursor(kind, after):
        case [str() as value, int() as last] if by == "name":
            return value, last
        case [int() as value, int() as last] if by != "name":
            return value, last
    raise Unprocessable("This cursor is not one of ours; start again without it", field="after")


def of_projects(ctx: Context, project_ids: Sequence[int]) -> dict[int, list[Automation]]:
    """Automations of projects that the actor was shown, and of all in them, by project id.

    Clients that walk projects for automations would never see those of whole teams and
    organizations: they are told with the first project, or registry, of theirs (protocol 14.1).
    """
    with ctx.database.read() as tx:
        found = rows.of_projects(tx, project_ids, limit=OF_ENTITY_MAX)
        homes = {each.entity_id for each in project_rows.find_many(tx, list(project_ids)).values()}
        for entity_id, wide in rows.of_entities(tx, sorted(homes), limit=OF_ENTITY_MAX).items():
            first = _first_visible_project(ctx, tx, entity_id)
            if first in found:
                found[first] = visible(ctx, tx, wide) + found[first]
        return found


def projects_with_any(
    ctx: Context, projects: Sequence[Project], *, but: Sequence[EventType] = ()
) -> list[Project]:
    """Those of the projects that `of_projects` tells automations with, other than of these events.

    Clients that walk projects for automations stop at a page that has none (protocol 13).
    """
    shown: list[Project] = []
    for start in range(0, len(projects), PORTION):
        portion = projects[start : start + PORTION]
        found = of_projects(ctx, [each.id for each in portion])
        shown += [each for each in portion if any(one.event not in but for one in found[each.id])]
    return shown


def _first_visible_project(ctx: Context, tx: Transaction, entity_id: int) -> int:
    """The id of the entity's oldest project (or registry) that the actor may see; 0: there is none."""
    after = 0
    while portion := search_rows.list_projects_of(tx, [entity_id], after=after, limit=PORTION):
        roles = access.roles_in(tx, ctx.actor, portion)
        shown = [each.id for each in portion if roles[each.id] is not None]
        if shown:
            return shown[0]
        after = portion[-1].id
    return 0


# ---- who may -----------------------------------------------------------------------------------


def visible(ctx: Context, tx: Transaction, found: Sequence[Automation]) -> list[Automation]:
    """Those of them whose scope the actor may see."""
    if ctx.actor is None:
        return []
    ids = {each.scope.project_id for each in found if each.scope.project_id is not None}
    roles = access.roles_in(tx, ctx.actor, project_rows.find_many(tx, list(ids)).values())
    shown = []
    for each in found:
        scope = each.scope
        if scope.project_id is not None:
            seen = roles.get(scope.project_id) is not None
        elif scope.is_organization:
            seen = ctx.actor.belongs_to(scope.entity_id)
        else:
            seen = (
                team_project_role(
                    ctx.actor, entity_id=scope.entity_id, organization_id=scope.organization_id
                )
                is not None
            )
        if seen:
            shown.append(each)
    return shown


def changeable(
    ctx: Context, tx: Transaction, automation_id: int
) -> tuple[Automation, Project | None]:
    """The automation, which the actor may change, and the project of its scope.

    Raises:
        NotFound: it is absent or hidden.
        Forbidden: the role in its scope is too low.
    """
    present = rows.find(tx, automation_id)
    if present is None or not visible(ctx, tx, [present]):
        raise missing("This automation")
    _, project = _find_scope(ctx, tx, present.scope.kind, present.scope.id)
    return present, project


def _find_scope(
    ctx: Context, tx: Transaction, kind: ScopeKind, scope_id: int
) -> tuple[Scope, Project | None]:
    """The scope, in which the actor may change automations."""
    if kind is ScopeKind.ENTITY:
        return _find_entity(ctx, tx, scope_id), None
    collection = collection_rows.find(tx, scope_id) if kind is ScopeKind.COLLECTION else None
    if kind is ScopeKind.PROJECT:
        project = project_rows.find(tx, scope_id)
    else:
        project = None if collection is None else project_rows.find(tx, collection.project_id)
    what = f"This {'collection' if kind is ScopeKind.COLLECTION else 'project or registry'}"
    if project is None:
        raise missing(what)
    place = project.place if collection is None else f"{project.place}/{collection.name}"
    scope = Scope(
        kind=kind,
        organization_id=project.organization_id,
        entity_id=project.entity_id,
        project_id=project.id,
        collection_id=None if collection is None else collection.id,
        name=place,
        is_registry=project.is_registry,
        is_sequence=collection is not None and collection.is_sequence,
    )
    access.require(ctx, tx, project, rules.permission_for(scope), what)
    return scope, project


def _find_entity(ctx: Context, tx: Transaction, entity_id: int) -> Scope:
    actor = ctx.who
    entity = entity_rows.find(tx, entity_id)
    if entity is None or not (
        actor.belongs_to(entity.organization_id) or actor.entity_id == entity.id
    ):
        raise missing("This team or organization")
    if entity.kind is EntityKind.USER:
        raise Unprocessable(
            "An automation watches a team or organization, not a person; choose a project",
            field="scope",
        )
    is_organization = entity.kind is EntityKind.ORGANIZATION
    if is_organization and not actor.administers(entity.id):
        raise Forbidden(
            f"You may not change automations of the whole organization {entity.name}: "
            "it needs the role admin",
            role="admin",
        )
    if not is_organization:
        role = team_project_role(actor, entity_id=entity.id, organization_id=entity.organization_id)
        if role is None:
            raise Forbidden(
                f"You may not change automations of team {entity.name}: it needs the role member",
                role="member",
            )
        check(role, Permission.AUTOMATE_PROJECT, entity.name)
    return Scope(
        kind=ScopeKind.ENTITY,
        organization_id=entity.organization_id,
        entity_id=entity.id,
        name=entity.name,
        is_organization=is_organization,
    )


def _plain(action: Action) -> Action:
    """The action as its row will hold it, to be compared with one that does."""
    if action.kind is ActionKind.WEBHOOK and not (action.payload or "").strip():
        return dataclasses.replace(action, payload=None)
    if action.kind is ActionKind.SLACK and action.severity is None:
        return dataclasses.replace(action, severity=Severity.INFO)
    return action


def _check_action(ctx: Context, tx: Transaction, action: Action, scope: Scope) -> Action:
    """The action, whose integration is of its kind and the scope's organization, and the actor's to use.

    The payload names no variable that there is not, and no secret that the webhook was not given.
    """
    if action.integration_id is None or action.kind is ActionKind.NOTHING:
        return rules.check_action(action)
    found = integration_rows.find(tx, action.integration_id)
    if found is None or not ctx.who.belongs_to(found.organization_id):
        raise missing("This webhook or Slack channel")
    if not integration.may_use(ctx, found):
        raise Forbidden(
            f"You may not use the integrations of team {found.team_name}: "
            "it needs the role member there",
            role="member",
        )
    if found.kind is not _KIND_OF_ACTION[action.kind]:
        raise Unprocessable(
            f"{found.name!r} is a {integration.WORDS[found.kind]}; the action "
            f"{action.kind.value!r} needs a {integration.WORDS[_KIND_OF_ACTION[action.kind]]}",
            field="integration",
        )
    if scope.organization_id is not None and found.organization_id != scope.organization_id:
        raise Unprocessable(
            f"{found.name!r} belongs to a team of another organization than {scope.name}",
            field="integration",
        )
    return rules.check_action(action, secrets=found.secrets)


def _check_integration_is_there(tx: Transaction, action: Action) -> Integration | None:
    if action.integration_id is None:
        return None
    found = integration_rows.find(tx, action.integration_id)
    if found is None:
        raise Conflict(
            "Its webhook or Slack channel was deleted: choose another before switching it on",
            code="integration_gone",
        )
    return found


def _check_free(tx: Transaction, scope: Scope, name: str, *, but: int = 0) -> None:
    if rows.is_taken(tx, scope.entity_id, name, but=but):
        owner = scope.name.partition("/")[0]
        raise Conflict(
            f"{owner} already has an automation {name!r}; use a different name", code="name_taken"
        )


def _reread(tx: Transaction, automation_id: int) -> Automation:
    found = rows.find(tx, automation_id)
    if found is None:
        raise missing("This automation")
    return found


def _told(automation: Automation) -> dict[str, Any]:
    """What the history tells of it: of the payload only the digest."""
    action = automation.action
    payload = action.payload
    return {
        "name": automation.name,
        "description": automation.description,
        "enabled": automation.enabled,
        "scope": f"{automation.scope.word} {automation.scope.name}",
        "event": automation.event.value,
        "filter": automation.filter,
        "action": action.kind.value,
        "integration_id": action.integration_id,
        "payload_sha256": None if payload is None else hashlib.sha256(payload.encode()).hexdigest(),
        "message": [action.title, action.message, action.severity and action.severity.value],
    }


def _record(
    ctx: Context,
    tx: Transaction,
    verb: str,
    automation: Automation,
    project: Project | None,
    *,
    before: Any = None,
    after: Any = None,
) -> None:
    history.record(
        ctx,
        tx,
        f"automation:{verb}",
        automation.name,
        project=project,
        organization_id=automation.scope.organization_id,
        collection_id=automation.scope.collection_id,
        before=before,
        after=after,
    )
