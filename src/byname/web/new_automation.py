"""Making an automation in steps, and editing one on one page (R128, R130, R135).

The steps are forms that carry along what was said before, so that nothing is kept in between and it
works without scripts: event; team and sort of action; webhook or channel, and what it is told; name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from byname.domain import automation as rules
from byname.domain import payload as payloads
from byname.domain.automation import Action, ActionKind, Automation, ScopeKind, Simple
from byname.domain.entity import Entity
from byname.domain.errors import DomainError, Unprocessable
from byname.domain.event import ALIAS_EVENTS, RUN_EVENTS, TAG_EVENTS, EventType
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.slack import Severity
from byname.http.router import Router
from byname.operations import automation as operations
from byname.operations import collection as collections
from byname.operations import integration as integrations
from byname.operations import meanwhile as saving
from byname.operations import search
from byname.operations import user as users
from byname.web import automation, meanwhile, registry
from byname.web.automation import ACTIONS, EVENTS
from byname.web.looks import project_path, why_not
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

NEW = registry.PATH + "/new-automation"
EDIT = automation.ONE + "/edit"
STEPS = ("Event", "Action", "Details", "Name")
FIELDS = (
    ("collection", "event", "text", "exact"),
    ("team", "kind"),
    ("integration", "payload", "title", "message", "severity"),
    ("name", "description"),
)
"""What each step asks for."""
STEP_OF = {
    "scope": 0,
    "event": 0,
    "filter": 0,
    "team": 1,
    "action": 1,
    "integration": 2,
    "payload": 2,
    "title": 2,
    "message": 2,
}
COLLECTIONS_MAX = 200
MESSAGE = "${event_author}: ${artifact_version_string} (${event_type} ${alias})\n${artifact_url}"


def add_page(router: Router, site: Site) -> None:
    """The steps at `.../new-automation`, and the form at `.../automations/ID/edit`."""
    router.add("GET", NEW, page_for(site, read))
    router.add("POST", NEW, form_for(site, step))
    router.add("GET", EDIT, page_for(site, read_edit))
    router.add("POST", EDIT, form_for(site, edit))


def read(ask: Ask) -> Answer:
    """The first step."""
    given = {"collection": ask.query("collection") or "", "event": ask.query("event") or ""}
    return _form(ask, registry.find(ask), 0, given)


def step(ask: Ask) -> Answer:
    """The next step, or the one before; the last one makes the automation."""
    home = registry.find(ask)
    given = {name: ask.text(name) for names in FIELDS for name in names}
    at = _number(ask.text("step"))
    if ask.text("do") == "back":
        return _form(ask, home, max(0, at - 1), given)
    try:
        if at < len(STEPS) - 1:
            _check(ask, home, at, given)
            return _form(ask, home, at + 1, given)
        made = operations.create(ask.ctx, _wanted(ask, home, given))
    except DomainError as error:
        field = str(error.details.get("field", ""))
        return _form(ask, home, min(at, STEP_OF.get(field, at)), given, error)
    here = f"{ask.root}{project_path(home)}/automations"
    return Moved(f"{here}/{made.id}", notice=f"Automation {made.name} was created.")


def read_edit(ask: Ask) -> Answer:
    """All of an automation in one form."""
    home = registry.find(ask)
    found = automation.find_one(ask, home)
    given = automation.values_of(found, _target(ask, found.action))
    return _form(ask, home, None, given, of=found)


def _state(ask: Ask, automation_id: int) -> dict[str, str]:
    """The fields of the form as they are now."""
    now = operations.get(ask.ctx, automation_id)
    return automation.values_of(now, _target(ask, now.action))


def edit(ask: Ask) -> Answer:
    """The automation is as the form says; or the form with what is wrong."""
    home = registry.find(ask)
    found = automation.find_one(ask, home)
    given = {name: ask.text(name) for names in FIELDS for name in names}

    def save(merged: dict[str, str]) -> operations.NewAutomation:
        wanted = _wanted(ask, home, merged)
        now = operations.get(ask.ctx, found.id)
        # A filter that says more than this form can show stays, as long as nothing was written.
        keeps = not merged["text"] and rules.simple_of(now) is None and wanted.event is now.event
        operations.edit(
            ask.ctx,
            found.id,
            operations.AutomationEdit(
                name=wanted.name,
                description=wanted.description or "",
                scope_kind=wanted.scope_kind,
                scope_id=wanted.scope_id,
                event=wanted.event,
                filter=None if keeps else wanted.filter or rules.EVERYTHING,
                action=wanted.action,
            ),
        )
        return wanted

    try:
        wanted = saving.save(ask.ctx, ask.text("was"), lambda: _state(ask, found.id), given, save)
    except DomainError as error:
        return _form(ask, home, None, given, error, found)
    here = f"{ask.root}{project_path(home)}/automations/{found.id}"
    return Moved(here, notice=f"Automation {wanted.name} was changed.")


# ---- what a form says --------------------------------------------------------------------------


def _number(text: str) -> int:
    return int(text) if text in ("0", "1", "2", "3") else 0


def _target(ask: Ask, action: Action) -> Integration | None:
    if action.integration_id is None:
        return None
    return integrations.load(ask.ctx, [action.integration_id]).get(action.integration_id)


def _event(given: Mapping[str, str]) -> EventType:
    found = EventType.__members__.get(given["event"])
    if found is None or found in RUN_EVENTS:
        raise Unprocessable("Choose which event starts it", field="event")
    return found


def _kind(given: Mapping[str, str]) -> ActionKind:
    try:
        return ActionKind(given["kind"])
    except ValueError:
        raise Unprocessable("Choose what is done then", field="action") from None


def _filter(given: Mapping[str, str]) -> str | None:
    """The filter that the form says; aliases and tags only have one (R128)."""
    event = _event(given)
    text = given["text"].strip()
    field = "alias" if event in ALIAS_EVENTS else "tag" if event in TAG_EVENTS else None
    if field is None or not text:
        if event is EventType.ADD_ARTIFACT_ALIAS and not text:
            raise Unprocessable(
                "Say which aliases: a regular expression, such as ^prod, or .* for all",
                field="filter",
            )
        return None
    return rules.simple_filter(Simple(field, text, exact=given["exact"] == "yes"))


def _check(ask: Ask, home: Project, at: int, given: Mapping[str, str]) -> None:
    """What this step asked for is in order.

    Raises:
        DomainError: it is not.
    """
    if at == 0:
        rules.check_filter(_event(given), _filter(given))
        if given["collection"]:
            collections.get_in(ask.ctx, home, given["collection"])
    elif at == 1:
        if _kind(given) is not ActionKind.NOTHING and not _choices(ask, given):
            word = "webhook" if _kind(given) is ActionKind.WEBHOOK else "Slack channel"
            raise Unprocessable(
                f"Team {given['team'] or '(none)'} has no {word} yet: an admin of the team adds one",
                field="team",
            )
    else:
        _action(ask, given)


def _choices(ask: Ask, given: Mapping[str, str]) -> list[Integration]:
    """The team's webhooks or Slack channels."""
    if not given["team"] or given["kind"] not in ("webhook", "slack"):
        return []
    return integrations.list_all(
        ask.ctx, given["team"], IntegrationKind(given["kind"]), limit=COLLECTIONS_MAX
    )


def _action(ask: Ask, given: Mapping[str, str]) -> Action:
    kind = _kind(given)
    if kind is ActionKind.NOTHING:
        return rules.check_action(Action(kind))
    if not given["team"]:
        raise Unprocessable("Choose the team that owns the webhook or channel", field="team")
    if not given["integration"]:
        raise Unprocessable("Choose the webhook or channel", field="integration")
    found = integrations.get(
        ask.ctx, given["team"], IntegrationKind(kind.value), given["integration"]
    )
    action = Action(kind, found.id)
    if kind is ActionKind.WEBHOOK:
        text = given["payload"].replace("\r\n", "\n")
        return rules.check_action(
            replace(action, payload=text.strip() or None), secrets=found.secrets
        )
    return rules.check_action(
        replace(
            action,
            title=given["title"].strip() or None,
            message=given["message"].replace("\r\n", "\n").strip() or None,
            severity=Severity(given["severity"])
            if given["severity"] in Severity.__members__
            else Severity.INFO,
        )
    )


def _wanted(ask: Ask, home: Project, given: Mapping[str, str]) -> operations.NewAutomation:
    scope_kind, scope_id = ScopeKind.PROJECT, home.id
    if given["collection"]:
        scope_kind = ScopeKind.COLLECTION
        scope_id = collections.get_in(ask.ctx, home, given["collection"]).id
    return operations.NewAutomation(
        name=given["name"].strip(),
        scope_kind=scope_kind,
        scope_id=scope_id,
        event=_event(given),
        action=_action(ask, given),
        filter=_filter(given),
        description=given["description"].replace("\r\n", "\n").strip() or None,
    )


def _form(
    ask: Ask,
    home: Project,
    at: int | None,
    given: Mapping[str, str],
    error: DomainError | None = None,
    of: Automation | None = None,
) -> Shown:
    """One step of the form; all of it, of that automation, where no step is said."""
    values = registry.head(ask, home, "automations")
    role = values["role"]
    filled: dict[str, Any] = {name: given.get(name, "") for names in FIELDS for name in names}
    filled["event"] = filled["event"] or EventType.LINK_ARTIFACT.value
    filled["kind"] = filled["kind"] or ActionKind.WEBHOOK.value
    teams = _teams(ask, home)
    if not filled["team"] and teams:
        filled["team"] = teams[0].name
    if at == 2 and not filled["payload"] and error is None:
        filled["payload"] = payloads.DEFAULT
    if at == 2 and not filled["message"] and error is None:
        filled["message"] = MESSAGE
    page = search.collections_of_project(ask.ctx, home.id, order="+name", first=COLLECTIONS_MAX)
    choices: list[Integration] = []
    if at in (None, 2) and any(team.name == filled["team"] for team in teams):
        choices = _choices(ask, filled)
    chosen = next((each for each in choices if each.name == filled["integration"]), None)
    carried = [
        (name, filled[name])
        for number, names in enumerate(FIELDS)
        if at is not None and number != at
        for name in names
    ]
    return Shown(
        "new_automation.html",
        {
            **values,
            "automations_path": values["here"] + "/automations",
            "at": at,
            "steps": STEPS,
            "given": filled,
            "carried": carried,
            "events": EVENTS,
            "named_events": [each.value for each in (*ALIAS_EVENTS, *TAG_EVENTS)],
            "alias_events": [each.value for each in ALIAS_EVENTS],
            "actions": ACTIONS,
            "teams": teams,
            "collection_names": [each.name for each in page.items],
            "choices": choices,
            "secrets": sorted(chosen.secrets) if chosen is not None else [],
            "variables": payloads.VARIABLES,
            "severities": list(Severity),
            "may_whole": why_not(role, Permission.AUTOMATE_REGISTRY),
            "may_make": why_not(role, Permission.AUTOMATE_COLLECTION),
            "shown": {} if of is None else {**_state(ask, of.id)},
            "meanwhile": None if of is None else _meanwhile(ask, home, of, error),
        },
        error,
    )


def _meanwhile(
    ask: Ask, home: Project, of: Automation, error: DomainError | None
) -> meanwhile.Meanwhile | None:
    fields = {
        name: (name.capitalize() if name != "text" else "Alias or tag", text)
        for name, text in _state(ask, of.id).items()
    }
    kinds = ("automation:update", "automation:create")
    return meanwhile.told(
        ask, error, fields, lambda: meanwhile.last_change(ask, home, kinds, subject=of.name)
    )


def _teams(ask: Ask, home: Project) -> list[Entity]:
    return [
        team
        for team in users.list_own_teams(ask.ctx)
        if team.organization_id == home.organization_id
    ]
