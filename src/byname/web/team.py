"""`/{entity}`: the page of a team, or of a person's own projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import DomainError, Invalid
from byname.domain.policy import GroupRole
from byname.http.router import Router
from byname.operations import group, search
from byname.operations import organization as organizations
from byname.operations import team as operations
from byname.web import service_account
from byname.web.looks import segment, with_query
from byname.web.organization import (
    parse_group_role,
    parse_had,
    restore_in,
    trash_values,
    username_of,
)
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
LABELS = {"service-accounts": "Service accounts"}


def add_page(router: Router, site: Site) -> None:
    """The address below which a team's projects lie."""
    router.add("GET", "/projects", page_for(site, read_own))
    router.add("GET", "/{entity}", page_for(site, read))
    router.add("POST", "/{entity}", form_for(site, change))


def place_of(ask: Ask, home: Entity, tab: str) -> dict[str, Any]:
    """What every tab of the page shares."""
    here = f"{ask.root}{segment(home.name)}"
    is_team = home.kind is EntityKind.TEAM
    names = TABS if is_team else ("projects", "trash")
    organization = None
    if home.organization_id is not None:
        found = organizations.load_entities(ask.ctx, [home.organization_id])
        organization = found.get(home.organization_id)
    return {
        "home": home,
        "is_team": is_team,
        "organization": organization,
        "here": here if tab == "projects" else with_query(here, tab=tab),
        "tab": tab,
        "links": [
            (
                LABELS.get(each, each.capitalize()),
                here if each == "projects" else with_query(here, tab=each),
                each,
            )
            for each in names
        ],
        "why_not": group.why_not_administer(ask.ctx, home),
        "roles": list(GroupRole),
        "where": "",
        "given": ask.form,
        "head": "team_head.html",
        "section": "projects",
    }


def read_own(ask: Ask) -> Answer:
    """One's own place and teams, and their projects."""
    return Shown("own_projects.html", {"homes": group.own_homes(ask.ctx)})


def read(ask: Ask) -> Answer:
    """One tab of the page."""
    home = group.get_home(ask.ctx, ask.params["entity"])
    tab = ask.query("tab") or "projects"
    known = TABS if home.kind is EntityKind.TEAM else ("projects", "trash")
    if tab not in known:
        tab = "projects"
    return TABS[tab](ask, home)


def change(ask: Ask) -> Answer:
    """A form of one tab of the page."""
    home = group.get_home(ask.ctx, ask.params["entity"])
    wish = ask.text("do")
    if wish not in FORMS:
        raise Invalid("This form is not one of this page")
    return FORMS[wish](ask, home)


# ---- projects ----------------------------------------------------------------------------------


def read_projects(ask: Ask, home: Entity) -> Shown:
    """The projects in which the team's runs log."""
    place = place_of(ask, home, "projects")
    page = search.projects(ask.ctx, home, order="+name", after=ask.query("after"), first=PAGE)
    following = page.end_cursor if page.has_next else None
    return Shown(
        "team_projects.html",
        {
            **place,
            "projects": page.items,
            "total": page.count(),
            "pager": pager_of(ask.query, place["here"], following),
        },
    )


# ---- members -----------------------------------------------------------------------------------


def read_members(ask: Ask, home: Entity) -> Shown:
    """The people of the team; or the question whether somebody is to leave it."""
    return _members(ask, home)


def _members(ask: Ask, home: Entity, error: DomainError | None = None, where: str = "") -> Shown:
    place = place_of(ask, home, "members")
    leaving = ask.query("remove") or (ask.text("username") if where == "remove" else "")
    if leaving:
        return Shown("team_leave.html", {**place, "username": leaving}, error)
    text = ask.query("q") or ""
    page = group.members(
        ask.ctx, home, text=text, service=False, after=ask.query("after"), first=PAGE
    )
    following = page.end_cursor if page.has_next else None
    return Shown(
        "team_members.html",
        {
            **place,
            "members": page.items,
            "total": page.count(),
            "text": text,
            "where": where,
            "pager": pager_of(ask.query, with_query(place["here"], q=text), following),
        },
        error,
    )


def _moved(ask: Ask, home: Entity, tab: str, notice: str) -> Moved:
    return Moved(f"{ask.root}{segment(home.name)}?tab={tab}", notice=notice)


def _set_member(ask: Ask, home: Entity) -> Answer:
    wish = ask.text("do")
    try:
        role = parse_group_role(ask.text("role"))
        who = username_of(ask, ask.text("who")) if wish == "add" else ask.text("username")
        made = operations.put_member(ask.ctx, home.name, who, role, expected=parse_had(ask))
    except DomainError as error:
        return _members(ask, home, error, wish)
    return _moved(ask, home, "members", f"{made.user.username} is {role.value} of {home.name}.")


def _remove_member(ask: Ask, home: Entity) -> Answer:
    name = ask.text("username")
    try:
        operations.remove_member(ask.ctx, home.name, name)
    except DomainError as error:
        return _members(ask, home, error, "remove")
    return _moved(ask, home, "members", f"{name} is not in {home.name} any more.")


# ---- service accounts --------------------------------------------------------------------------


def read_service_accounts(ask: Ask, home: Entity) -> Answer:
    """The team's service accounts."""
    return service_account.read(ask, home, place_of(ask, home, "service-accounts"))


def _change_service_accounts(ask: Ask, home: Entity) -> Answer:
    return service_account.change(ask, home, place_of(ask, home, "service-accounts"))


# ---- trash -------------------------------------------------------------------------------------


def read_trash(ask: Ask, home: Entity) -> Shown:
    """What was deleted within seven days in the team's projects."""
    return _trash(ask, home)


def _trash(ask: Ask, home: Entity, error: DomainError | None = None) -> Shown:
    place = place_of(ask, home, "trash")
    return Shown("team_trash.html", {**place, **trash_values(ask, home.name, place["here"])}, error)


def _restore(ask: Ask, home: Entity) -> Answer:
    try:
        notice = restore_in(ask, home.name)
    except DomainError as error:
        return _trash(ask, home, error)
    return _moved(ask, home, "trash", notice)


Tab = Callable[[Ask, Entity], Answer]
TABS: dict[str, Tab] = {
    "projects": read_projects,
    "members": read_members,
    "service-accounts": read_service_accounts,
    "trash": read_trash,
}
"""The parts of a team's page, in their order. What belongs to a team adds its own here."""

FORMS: dict[str, Tab] = {
    "add": _set_member,
    "set-role": _set_member,
    "remove": _remove_member,
    "make-account": _change_service_accounts,
    "make-account-key": _change_service_accounts,
    "delete-account-key": _change_service_accounts,
    "delete-account": _change_service_accounts,
    "restore": _restore,
}
"""Every form of the page by its name."""
