"""`/server/...`: the people and organizations of this server, and how it is; for its admins."""

from __future__ import annotations

from typing import Any

from byname.domain.errors import DomainError, Invalid
from byname.domain.policy import GroupRole
from byname.http.router import Router
from byname.operations import group, health, invitation
from byname.operations import key as keys
from byname.operations import organization as organizations
from byname.operations import user as operations
from byname.operations.invitation import NewInvitation, NewPerson
from byname.web.account import number_in
from byname.web.invitation import address_of
from byname.web.looks import segment, with_query
from byname.web.organization import parse_group_role
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
PERSON = "/server/people/{username}"


def add_pages(router: Router, site: Site) -> None:
    """The pages of who administers the server."""
    router.add("GET", "/server", page_for(site, read_health))
    router.add("GET", "/server/people", page_for(site, read_people))
    router.add("POST", "/server/people", form_for(site, invite))
    router.add("GET", PERSON, page_for(site, read_person))
    router.add("POST", PERSON, form_for(site, change_person))
    router.add("GET", "/server/organizations", page_for(site, read_organizations))
    router.add("POST", "/server/organizations", form_for(site, create_organization))


def _place(ask: Ask, tab: str) -> dict[str, Any]:
    base = f"{ask.root}server"
    return {
        "tab": tab,
        "links": [
            ("Health", base, "health"),
            ("People", f"{base}/people", "people"),
            ("Organizations", f"{base}/organizations", "organizations"),
        ],
    }


# ---- health ------------------------------------------------------------------------------------


def read_health(ask: Ask) -> Answer:
    """Version, room, jobs and settings in force."""
    found = health.read(ask.ctx, ask.site.about)
    return Shown("server_health.html", {**_place(ask, "health"), "health": found})


# ---- people ------------------------------------------------------------------------------------


def read_people(ask: Ask) -> Answer:
    """Everybody on this server, and inviting somebody."""
    return _people(ask)


def _people(ask: Ask, error: DomainError | None = None, made: NewInvitation | None = None) -> Shown:
    text = ask.query("q") or ""
    page = operations.list_people(ask.ctx, text=text, after=ask.query("after"), first=PAGE)
    here = f"{ask.root}server/people"
    following = page.end_cursor if page.has_next else None
    return Shown(
        "server_people.html",
        {
            **_place(ask, "people"),
            "here": here,
            "people": page.items,
            "invited": invitation.of_users(ask.ctx, [each.id for each in page.items]),
            "total": page.count(),
            "text": text,
            "roles": list(GroupRole),
            "given": ask.form,
            "made": made,
            "link": None if made is None else address_of(ask.site, made.token),
            "pager": pager_of(ask.query, with_query(here, q=text), following),
        },
        error,
        once=made is not None,
    )


def invite(ask: Ask) -> Answer:
    """The person exists, and the page shows the link to send to them, this once."""
    try:
        made = invitation.invite(
            ask.ctx,
            NewPerson(
                username=ask.text("username").strip(),
                email=ask.text("email").strip(),
                full_name=ask.text("full_name"),
                server_admin=ask.text("server_admin") == "yes",
                organization=ask.text("organization").strip(),
                organization_role=parse_group_role(ask.text("role") or "member"),
                team=ask.text("team").strip(),
            ),
        )
    except DomainError as error:
        return _people(ask, error)
    return _people(ask, made=made)


def read_person(ask: Ask) -> Answer:
    """One person: where they belong, their keys, and what can be done."""
    return _person(ask)


def _person(
    ask: Ask,
    error: DomainError | None = None,
    where: str = "",
    made: NewInvitation | None = None,
) -> Shown:
    person = operations.get_user(ask.ctx, ask.params["username"])
    asking = ask.query("delete") or where == "delete"
    known = keys.list_keys(ask.ctx, username=person.username)
    here = f"{ask.root}server/people/{segment(person.username)}"
    asked = next((each for each in known if str(each.id) == ask.query("key")), None)
    if asked is not None:
        values = {"key": asked, "owner": person.username, "here": here, "back": here}
        return Shown(
            "key_delete.html", {**values, "wish": "delete-key", "section": "server"}, error
        )
    return Shown(
        "server_person_delete.html" if asking else "server_person.html",
        {
            **_place(ask, "people"),
            "here": here,
            "person": person,
            "groups": group.groups_of_user(ask.ctx, person.id),
            "keys": known,
            "invitation": invitation.of_users(ask.ctx, [person.id]).get(person.id),
            "made": made,
            "link": None if made is None else address_of(ask.site, made.token),
            "where": where,
        },
        error,
        once=made is not None,
    )


def change_person(ask: Ask) -> Answer:
    """A form of that page."""
    person = operations.get_user(ask.ctx, ask.params["username"])
    name, wish = person.username, ask.text("do")
    here = f"{ask.root}server/people/{segment(name)}"
    try:
        if wish == "invite":
            return _person(ask, made=invitation.renew(ask.ctx, name))
        if wish == "withdraw":
            invitation.withdraw(ask.ctx, name)
            notice = "The invitation opens nothing any more."
        elif wish in ("make-admin", "take-admin"):
            admin = wish == "make-admin"
            operations.set_server_admin(ask.ctx, name, admin=admin)
            notice = f"{name} {'administers this server' if admin else 'is no administrator'} now."
        elif wish == "delete-key":
            keys.delete_key(ask.ctx, number_in(ask.text("key")))
            notice = "The key opens nothing any more."
        elif wish == "delete":
            if ask.text("typed") != name:
                raise Invalid(f"Type {name} to confirm")
            operations.delete_user(ask.ctx, name)
            return Moved(f"{ask.root}server/people", notice=f"{name} is deleted.")
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return _person(ask, error, wish)
    # Who is no administrator any more has no page to come back to.
    mine = wish == "take-admin" and person.id == ask.ctx.who.user_id
    return Moved(ask.root if mine else here, notice=notice)


# ---- organizations -----------------------------------------------------------------------------


def read_organizations(ask: Ask) -> Answer:
    """Every organization, and making one."""
    return _organizations(ask)


def _organizations(ask: Ask, error: DomainError | None = None) -> Shown:
    page = group.organizations(ask.ctx, after=ask.query("after"), first=PAGE)
    following = page.end_cursor if page.has_next else None
    return Shown(
        "server_organizations.html",
        {
            **_place(ask, "organizations"),
            "organizations": page.items,
            "given": ask.form,
            "pager": pager_of(ask.query, f"{ask.root}server/organizations", following),
        },
        error,
    )


def create_organization(ask: Ask) -> Answer:
    """The organization exists, and its members are shown."""
    try:
        made = organizations.create_organization(
            ask.ctx,
            name=ask.text("name").strip(),
            owner=ask.text("owner").strip() or ask.ctx.who.username,
            starter_registries=ask.text("starter") == "yes",
        )
    except DomainError as error:
        return _organizations(ask, error)
    return Moved(f"{ask.root}orgs/{segment(made.name)}/members", notice=f"{made.name} is made.")
