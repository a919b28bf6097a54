"""`/orgs/{org}/...`: an organization's members, teams, storage, trash and audit log (R190 to R195)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from byname.domain.entity import Entity
from byname.domain.errors import DomainError, Invalid, Unprocessable, missing
from byname.domain.history import (
    AUDIT_LIMIT_MAX,
    DONE,
    Cursor,
    Entry,
    Filter,
    Sort,
    to_csv,
)
from byname.domain.policy import GroupRole
from byname.http.router import Router
from byname.operations import deactivation, group, history, trash
from byname.operations import entity as entities
from byname.operations import organization as operations
from byname.operations import team as teams
from byname.web import service_account
from byname.web.account import number_in
from byname.web.looks import segment, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Sent, Shown, form_for, page_for

PAGE = 50
TABS = ("members", "teams", "service-accounts", "storage", "trash", "audit")
LABELS = {"audit": "Audit log", "service-accounts": "Service accounts"}
KINDS = (
    "alias", "artifact", "automation", "collection", "key", "link", "member", "organization",
    "project", "protected_alias", "registry", "team", "user", "version",
)  # fmt: skip
"""The nouns by which the audit log is filtered (R191)."""
SORTS = {Sort.CHANGED: "changes", Sort.READ: "reads", Sort.REFUSED: "refused"}


def add_pages(router: Router, site: Site) -> None:
    """The pages of organizations; `/orgs/{org}` leads to the first."""
    readers = {
        "members": read_members,
        "teams": read_teams,
        "service-accounts": read_service_accounts,
        "storage": read_storage,
        "trash": read_trash,
        "audit": read_audit,
    }
    router.add("GET", "/orgs/{org}", page_for(site, read))
    for tab, reader in readers.items():
        router.add("GET", f"/orgs/{{org}}/{tab}", page_for(site, reader))
    router.add("GET", "/orgs/{org}/audit.csv", page_for(site, send_audit))
    router.add("POST", "/orgs/{org}/members", form_for(site, change_members))
    router.add("POST", "/orgs/{org}/teams", form_for(site, change_teams))
    router.add("POST", "/orgs/{org}/service-accounts", form_for(site, change_service_accounts))
    router.add("POST", "/orgs/{org}/trash", form_for(site, change_trash))


def find_organization(ask: Ask) -> Entity:
    """The organization that the address names.

    Raises:
        NotFound: absent or hidden, in the same words.
    """
    found = operations.find_organization(ask.ctx, ask.params["org"])
    if found is None:
        raise missing(f"Organization {ask.params['org'][:80]!r}")
    return found


def _place(ask: Ask, organization: Entity, tab: str) -> dict[str, Any]:
    base = f"{ask.root}orgs/{segment(organization.name)}"
    return {
        "organization": organization,
        "here": f"{base}/{tab}",
        "tab": tab,
        "links": [(LABELS.get(each, each.capitalize()), f"{base}/{each}", each) for each in TABS],
        "why_not": group.why_not_administer(ask.ctx, organization),
        "head": "organization_head.html",
        "section": "organization",
    }


def read(ask: Ask) -> Answer:
    """The organization's page leads to its members."""
    return Moved(f"{ask.root}orgs/{segment(find_organization(ask).name)}/members")


# ---- members -----------------------------------------------------------------------------------


def read_members(ask: Ask) -> Answer:
    """Who is in the organization; or the question whether somebody is to leave it."""
    return _members(ask)


def _members(ask: Ask, error: DomainError | None = None, where: str = "") -> Shown:
    organization = find_organization(ask)
    place = _place(ask, organization, "members")
    leaving = ask.query("remove") or (
        ask.text("username") if where in ("remove", "deactivate") else ""
    )
    if leaving:
        return Shown("organization_leave.html", {**place, "username": leaving}, error)
    text = ask.query("q") or ""
    page = group.members(ask.ctx, organization, text=text, after=ask.query("after"), first=PAGE)
    away = None
    if not place["why_not"]:
        later = ask.query("away")
        away = deactivation.list_page(ask.ctx, organization.name, after=later, first=PAGE)
    return Shown(
        "organization_members.html",
        {
            **place,
            "members": page.items,
            "total": page.count(),
            "away": None if away is None else away.items,
            "more_away": with_query(place["here"], away=away.end_cursor)
            if away is not None and away.has_next
            else None,
            "text": text,
            "roles": list(GroupRole),
            "where": where,
            "given": ask.form,
            "pager": pager_of(ask.query, with_query(place["here"], q=text), _next(page)),
        },
        error,
    )


def _next(page: Any) -> str | None:
    return page.end_cursor if page.has_next else None


def parse_group_role(word: str) -> GroupRole:
    """The role in an organization or team that a form names.

    Raises:
        Unprocessable: there is none of that name.
    """
    try:
        return GroupRole(word)
    except ValueError:
        listed = ", ".join(GroupRole)
        raise Unprocessable(f"{word[:80]!r} is no role; roles are {listed}", field="role") from None


def parse_had(ask: Ask) -> GroupRole | None:
    """The role that the form showed; None where it showed none."""
    return parse_group_role(ask.text("had")) if ask.text("had") else None


def username_of(ask: Ask, text: str) -> str:
    """The user name of whom a form names by user name or e-mail address."""
    found = entities.find_user(ask.ctx, text.strip())
    return text.strip() if found is None else found.username


def change_members(ask: Ask) -> Answer:
    """Somebody joins, gets another role, leaves for a while or for good, or comes back."""
    organization = find_organization(ask)
    here = f"{ask.root}orgs/{segment(organization.name)}/members"
    wish, name = ask.text("do"), organization.name
    try:
        if wish == "add":
            role = parse_group_role(ask.text("role"))
            made = operations.put_member(ask.ctx, name, username_of(ask, ask.text("who")), role)
            notice = f"{made.user.username} is in {name} as {role.value}."
        elif wish == "set-role":
            role, had = parse_group_role(ask.text("role")), parse_had(ask)
            operations.put_member(ask.ctx, name, ask.text("username"), role, expected=had)
            notice = f"{ask.text('username')} is {role.value} now."
        elif wish == "remove":
            operations.remove_member(ask.ctx, name, ask.text("username"))
            notice = f"{ask.text('username')} is not in {name} any more."
        elif wish == "deactivate":
            deactivation.deactivate(ask.ctx, name, ask.text("username"))
            notice = f"{ask.text('username')} is deactivated, and comes back as they were."
        elif wish == "activate":
            back = deactivation.activate(ask.ctx, name, ask.text("username"))
            notice = f"{back.user.username} is in {name} again, as {back.role.value}."
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return _members(ask, error, wish)
    return Moved(here, notice=notice)


# ---- teams -------------------------------------------------------------------------------------


def read_teams(ask: Ask) -> Answer:
    """The teams of the organization, and making one."""
    return _teams(ask)


def _teams(ask: Ask, error: DomainError | None = None) -> Shown:
    place = _place(ask, find_organization(ask), "teams")
    name = place["organization"].name
    page = group.teams(ask.ctx, name, after=ask.query("after"), first=PAGE)
    return Shown(
        "organization_teams.html",
        {
            **place,
            "teams": page.items,
            "total": page.count(),
            "given": ask.form,
            "pager": pager_of(ask.query, place["here"], _next(page)),
        },
        error,
    )


def change_teams(ask: Ask) -> Answer:
    """A new team, whose page is shown."""
    organization = find_organization(ask)
    try:
        admins = [each.strip() for each in ask.text("admins").replace(",", " ").split()]
        made = teams.create_team(
            ask.ctx, organization=organization.name, name=ask.text("name").strip(), admins=admins
        )
    except DomainError as error:
        return _teams(ask, error)
    return Moved(f"{ask.root}{segment(made.name)}?tab=members", notice=f"Team {made.name} is made.")


# ---- service accounts --------------------------------------------------------------------------


def read_service_accounts(ask: Ask) -> Answer:
    """The service accounts of the organization and of its teams."""
    organization = find_organization(ask)
    place = _place(ask, organization, "service-accounts")
    return service_account.read(ask, organization, place)


def change_service_accounts(ask: Ask) -> Answer:
    """One is made, gets or loses a key, or is deleted."""
    organization = find_organization(ask)
    place = _place(ask, organization, "service-accounts")
    return service_account.change(ask, organization, place)


# ---- storage -----------------------------------------------------------------------------------


def read_storage(ask: Ask) -> Answer:
    """What is kept, by team and by registry; for admins."""
    place = _place(ask, find_organization(ask), "storage")
    if place["why_not"]:
        return Shown("organization_admins_only.html", place)
    found = group.storage(
        ask.ctx,
        place["organization"].name,
        teams_after=ask.query("teams"),
        registries_after=ask.query("registries"),
        first=PAGE,
    )
    here = place["here"]
    more_teams = with_query(here, teams=_next(found.teams)) if found.teams.has_next else None
    more = found.registries.end_cursor if found.registries.has_next else None
    return Shown(
        "organization_storage.html",
        {
            **place,
            "storage": found,
            "more_teams": more_teams,
            "more_registries": with_query(here, registries=more) if more else None,
            "later_teams": bool(ask.query("teams")),
            "later_registries": bool(ask.query("registries")),
        },
    )


# ---- trash -------------------------------------------------------------------------------------


def trash_values(ask: Ask, entity_name: str, here: str) -> Mapping[str, Any]:
    """What a page of the trash shows: of an organization, a team or a person."""
    page = trash.list_page(ask.ctx, entity_name, after=ask.query("after"), first=PAGE)
    return {"deletions": page.items, "pager": pager_of(ask.query, here, _next(page))}


def restore_in(ask: Ask, entity_name: str) -> str:
    """What a form of the trash names is there again; what to say of it.

    Raises:
        NotFound, Forbidden, Conflict: as `trash.restore`.
    """
    done = trash.restore(ask.ctx, number_in(ask.text("deletion")), of=entity_name)
    return f"The {done.kind} {done.name} is there again."


def read_trash(ask: Ask) -> Answer:
    """What was deleted within seven days, in the organization and its teams."""
    return _trash(ask)


def _trash(ask: Ask, error: DomainError | None = None) -> Shown:
    place = _place(ask, find_organization(ask), "trash")
    shown = trash_values(ask, place["organization"].name, place["here"])
    return Shown("organization_trash.html", {**place, **shown}, error)


def change_trash(ask: Ask) -> Answer:
    """Something is restored."""
    organization = find_organization(ask)
    try:
        notice = restore_in(ask, organization.name)
    except DomainError as error:
        return _trash(ask, error)
    return Moved(f"{ask.root}orgs/{segment(organization.name)}/trash", notice=notice)


# ---- the audit log -----------------------------------------------------------------------------


def _day(text: str | None, what: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Unprocessable(f"{what} must be a day such as 2026-01-31", field=what) from None


def _wanted(ask: Ask) -> Filter:
    since, until = _day(ask.query("since"), "From"), _day(ask.query("until"), "To")
    try:
        end = None if until is None else until + timedelta(days=1)
    except OverflowError:
        raise Unprocessable("This day is out of range", field="To") from None
    return Filter(
        actor=ask.query("actor") or None,
        kind=ask.query("kind") or None,
        since=None if since is None else int(since.timestamp()) * 1_000_000,
        until=None if end is None else int(end.timestamp()) * 1_000_000 - 1,
        sort=_sort(ask.query("status")),
    )


def _sort(text: str | None) -> Sort | None:
    if not text:
        return None
    try:
        return Sort(text)
    except ValueError:
        raise Unprocessable(f"Status is one of {', '.join(Sort)}", field="status") from None


def read_audit(ask: Ask) -> Answer:
    """What happened and was refused in the organization and its teams, newest first; for admins."""
    place = _place(ask, find_organization(ask), "audit")
    if place["why_not"]:
        return Shown("organization_admins_only.html", place)
    asked = {name: ask.query(name) or "" for name in ("actor", "kind", "status", "since", "until")}
    values: dict[str, Any] = {**place, "asked": asked, "kinds": KINDS, "sorts": SORTS}
    values["download"] = with_query(place["here"] + ".csv", **asked)
    try:
        below = ask.query("after")
        page = history.audit_newest(
            ask.ctx,
            place["organization"].name,
            wanted=_wanted(ask),
            below=Cursor.parse(below) if below else None,
            limit=PAGE,
        )
    except Unprocessable as error:
        return Shown("organization_audit.html", {**values, "entries": [], "pager": None}, error)
    following = None if page.next is None else page.next.text
    values["entries"] = page.entries
    values["pager"] = pager_of(ask.query, with_query(place["here"], **asked), following)
    return Shown("organization_audit.html", values)


COLUMNS = ["time", "actor", "face", "action", "subject", "project", "collection", "version",
           "before", "after", "status", "code", "count", "request", "address"]  # fmt: skip


def _line(entry: Entry) -> list[Any]:
    refused = entry.refused
    return [
        entry.at.isoformat().replace("+00:00", "Z"),
        entry.actor,
        entry.face,
        entry.kind,
        entry.subject,
        entry.project,
        entry.collection,
        None if entry.number is None else f"v{entry.number}",
        _cell(entry.before),
        _cell(entry.after),
        DONE if refused is None else refused.status,
        None if refused is None else refused.code,
        1 if refused is None else refused.count,
        None if refused is None else refused.call,
        entry.address,
    ]


def _cell(value: Any) -> Any:
    """What is more than one word is told as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def send_audit(ask: Ask) -> Answer:
    """The same as a table to keep, oldest first: at most 20,000 lines; narrow it down by days."""
    organization = find_organization(ask)
    page = history.audit(ask.ctx, organization.name, wanted=_wanted(ask), limit=AUDIT_LIMIT_MAX)
    text = to_csv(COLUMNS, [_line(entry) for entry in page.entries])
    name = f"audit-{organization.id}.csv"
    return Sent(name, text.encode("utf-8", "replace"), "text/csv; charset=utf-8")
