"""The automations of a registry: a list, and a page of each: details, on and off, deleting (R130)."""

from __future__ import annotations

from typing import Any

from byname.domain.automation import (
    EVERYTHING,
    ActionKind,
    Automation,
    ScopeKind,
    Simple,
    permission_for,
    simple_of,
)
from byname.domain.errors import DomainError, Invalid, missing
from byname.domain.event import EventType
from byname.domain.integration import Integration
from byname.domain.policy import Permission, Role
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import automation as operations
from byname.operations import integration as integrations
from byname.operations import user as users
from byname.web import registry
from byname.web.looks import project_path, why_not, with_query
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

SHOWN_MAX = 1_000
PATH = registry.PATH + "/automations"
ONE = PATH + "/{automation}"

EVENTS: dict[EventType, str] = {
    EventType.LINK_ARTIFACT: "A new version is linked to a collection",
    EventType.ADD_ARTIFACT_ALIAS: "An artifact alias is added",
    EventType.MOVE_ARTIFACT_ALIAS: "An artifact alias moves from another version",
    EventType.REMOVE_ARTIFACT_ALIAS: "An artifact alias is removed",
    EventType.UNLINK_ARTIFACT: "A version is unlinked from a collection",
    EventType.ADD_ARTIFACT_TAG: "A tag is added to a version",
    EventType.REMOVE_ARTIFACT_TAG: "A tag is removed from a version",
    EventType.ADD_COLLECTION_TAG: "A tag is added to a collection",
    EventType.REMOVE_COLLECTION_TAG: "A tag is removed from a collection",
}
"""What may be watched in a registry, in words, the usual first (R126)."""
ACTIONS: dict[ActionKind, str] = {
    ActionKind.WEBHOOK: "Webhook",
    ActionKind.SLACK: "Slack notification",
    ActionKind.NOTHING: "Do nothing",
}
SORTS = {"name": "Name", "last": "Last execution", "created": "Created"}


def add_page(router: Router, site: Site) -> None:
    """The list at `.../automations`, and a page for each of them."""
    router.add("GET", PATH, page_for(site, read))
    router.add("GET", ONE, page_for(site, read_one))
    router.add("POST", ONE, form_for(site, change))


def event_words(event: EventType) -> str:
    """The event as people call it."""
    return EVENTS.get(event, event.value)


def why_not_change(role: Role | None, automation: Automation) -> str | None:
    """Why somebody of that role may not change the automation (P19, P20)."""
    whole = automation.scope.kind is not ScopeKind.COLLECTION
    return why_not(role, Permission.AUTOMATE_REGISTRY if whole else Permission.AUTOMATE_COLLECTION)


def filter_words(automation: Automation) -> tuple[str, Simple | None]:
    """What the filter asks: a few words, and the name it compares, if it is such a filter."""
    simple = simple_of(automation)
    if simple is not None:
        return ("is exactly" if simple.exact else "matches"), simple
    return ("", None) if automation.filter == EVERYTHING else (automation.filter, None)


def read(ask: Ask) -> Answer:
    """The registry's automations, searched by name and sorted; of one collection, when asked."""
    home = registry.find(ask)
    values = registry.head(ask, home, "automations")
    here = values["here"] + "/automations"
    text = (ask.query("q") or "").strip()
    sort = ask.query("sort") or "created"
    place = (ask.query("collection") or "").strip()
    page = operations.list_within(ask.ctx, "project", home.id, first=SHOWN_MAX)
    found = [
        each
        for each in page.items
        if text.casefold() in each.name.casefold() and (not place or _concerns(each, home, place))
    ]
    if sort == "name":
        found.sort(key=lambda each: each.name.casefold())
    elif sort == "last":
        ran = [each for each in found if each.last_run_at is not None]
        ran.sort(key=lambda each: str(each.last_run_at), reverse=True)
        found = [*ran, *(each for each in found if each.last_run_at is None)]
    ids = [each.action.integration_id for each in found if each.action.integration_id is not None]
    return Shown(
        "automations.html",
        {
            **values,
            "automations_path": here,
            "listed": found,
            "total": len(page.items),
            "cut": page.has_next,
            "integrations": integrations.load(ask.ctx, ids),
            "events": {each.id: event_words(each.event) for each in found},
            "filters": {each.id: filter_words(each) for each in found},
            "actions": ACTIONS,
            "denied": {each.id: why_not_change(values["role"], each) for each in found},
            "may_make": why_not(values["role"], Permission.AUTOMATE_COLLECTION),
            "text": text,
            "sort": sort if sort in SORTS else "created",
            "sorts": SORTS,
            "collection_name": place,
            "confirm_path": lambda each: with_query(f"{here}/{each.id}", confirm="delete"),
        },
    )


def _concerns(automation: Automation, home: Project, collection: str) -> bool:
    """Whether what happens in that collection may fire the automation."""
    return automation.scope.kind is not ScopeKind.COLLECTION or (
        automation.scope.name == f"{home.place}/{collection}"
    )


def find_one(ask: Ask, home: Project) -> Automation:
    """The automation that the address names, which lies in this registry.

    Raises:
        NotFound: absent, hidden, or of another place.
    """
    text = ask.params["automation"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise missing("This automation")
    found = operations.get(ask.ctx, int(text))
    if found.scope.project_id != home.id:
        raise missing("This automation")
    return found


def read_one(ask: Ask) -> Answer:
    """The details; or the page that asks whether it is really to be deleted."""
    home = registry.find(ask)
    return _shown_one(ask, home, find_one(ask, home))


def _shown_one(
    ask: Ask, home: Project, automation: Automation, error: DomainError | None = None
) -> Shown:
    values = registry.head(ask, home, "automations")
    ids = [] if automation.action.integration_id is None else [automation.action.integration_id]
    target: Integration | None = next(iter(integrations.load(ask.ctx, ids).values()), None)
    known = {each for each in (automation.created_by, automation.acts_for) if each is not None}
    people = users.load_users(ask.ctx, sorted(known))
    return Shown(
        "automation.html",
        {
            **values,
            "automations_path": values["here"] + "/automations",
            "automation": automation,
            "path": f"{values['here']}/automations/{automation.id}",
            "target": target,
            "event_words": event_words(automation.event),
            "filter": filter_words(automation),
            "actions": ACTIONS,
            "author": people.get(automation.created_by or 0),
            "acts_for": people.get(automation.acts_for or 0),
            "needed": permission_for(automation.scope).least.word.replace("_", " "),
            "denied": why_not_change(values["role"], automation),
            "confirm": ask.query("confirm") == "delete",
        },
        error,
    )


def change(ask: Ask) -> Answer:
    """Switch it on or off, or delete it; the operation decides whether the person may."""
    home = registry.find(ask)
    automation = find_one(ask, home)
    here = f"{ask.root}{project_path(home)}/automations"
    wish = ask.text("do")
    try:
        if wish == "delete":
            operations.delete(ask.ctx, automation.id)
            return Moved(here, notice=f"Automation {automation.name} was deleted.")
        if wish not in ("enable", "disable"):
            raise Invalid("This form is not one of this page")
        edit = operations.AutomationEdit(enabled=wish == "enable")
        operations.edit(ask.ctx, automation.id, edit)
    except DomainError as error:
        return _shown_one(ask, home, automation, error)
    word = "on" if wish == "enable" else "off"
    to = here if ask.text("from") == "list" else f"{here}/{automation.id}"
    return Moved(to, notice=f"Automation {automation.name} is {word}.")


def values_of(automation: Automation, integration: Integration | None) -> dict[str, Any]:
    """What the form for editing it shows at first."""
    simple = simple_of(automation)
    action = automation.action
    scope = automation.scope
    return {
        "collection": scope.name.rpartition("/")[2] if scope.kind is ScopeKind.COLLECTION else "",
        "event": automation.event.value,
        "text": "" if simple is None else simple.text,
        "exact": "yes" if simple is not None and simple.exact else "",
        "team": "" if integration is None else integration.team_name,
        "kind": action.kind.value,
        "integration": "" if integration is None else integration.name,
        "payload": action.payload or "",
        "title": action.title or "",
        "message": action.message or "",
        "severity": "" if action.severity is None else action.severity.value,
        "name": automation.name,
        "description": automation.description or "",
    }
