"""The first page of a logged-in person: the registries they may see, and making one (R174, R13)."""

from __future__ import annotations

from byname.domain.entity import Entity
from byname.domain.errors import DomainError, NotFound
from byname.domain.policy import GroupRole
from byname.http.router import Router
from byname.operations import overview
from byname.operations import registry as registries
from byname.operations import user as users
from byname.web.looks import project_path, segment, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 60


def add_page(router: Router, site: Site) -> None:
    """The form at `/orgs/{org}/new-registry`. `/` itself is in `landing.py`."""
    router.add("GET", "/orgs/{org}/new-registry", page_for(site, read_form))
    router.add("POST", "/orgs/{org}/new-registry", form_for(site, create))


def read(ask: Ask) -> Answer:
    """The registries of one's organizations as cards; of one organization with `?org=`."""
    organizations = users.list_own_organizations(ask.ctx)
    wanted = ask.query("org")
    if wanted is not None:
        organizations = [each for each in organizations if each.name == wanted]
    groups = []
    for organization in organizations:
        after = ask.query("after") if wanted is not None else None
        cards, page = overview.registries(ask.ctx, organization, after=after, first=PAGE)
        here = with_query(ask.root, org=organization.name)
        end = page.end_cursor if page.has_next else None
        groups.append(
            {
                "organization": organization,
                "cards": cards,
                "total": page.count() or 0,
                "more": None if end is None else with_query(here, after=end),
                "pager": pager_of(ask.query, here, end),
                "why_not": _why_not(ask, organization),
                "new": f"{ask.root}orgs/{segment(organization.name)}/new-registry",
            }
        )
    return Shown(
        "home.html", {"groups": groups, "teams": users.list_own_teams(ask.ctx), "only": wanted}
    )


def _why_not(ask: Ask, organization: Entity) -> str | None:
    """Why this person may not create a registry there (R18)."""
    role = ask.ctx.who.organizations.get(organization.id)
    if role is GroupRole.VIEWER and not ask.ctx.who.administers(organization.id):
        return "To create a registry you need the role member in the organization; yours is viewer."
    return None


def _organization(ask: Ask) -> Entity:
    for each in users.list_own_organizations(ask.ctx):
        if each.name == ask.params["org"]:
            return each
    raise NotFound(f"Organization {ask.params['org'][:80]} does not exist or you have no access")


def read_form(ask: Ask) -> Answer:
    """The empty form."""
    return _form(ask)


def _form(ask: Ask, error: DomainError | None = None) -> Shown:
    organization = _organization(ask)
    return Shown(
        "new_registry.html",
        {
            "organization": organization,
            "why_not": _why_not(ask, organization),
            "name": ask.text("name"),
            "description": ask.text("description"),
            "restricted": ask.text("visibility") == "restricted",
            "types": ask.text("types"),
        },
        error,
    )


def create(ask: Ask) -> Answer:
    """The registry exists, and its page is shown; or the form with what is wrong."""
    organization = _organization(ask)
    types = ask.text("types").replace(",", "\n").split("\n")
    try:
        made = registries.create(
            ask.ctx,
            registries.NewRegistry(
                organization=organization.name,
                name=ask.text("name"),
                description=ask.text("description").strip() or None,
                restricted=ask.text("visibility") == "restricted",
                types=[each.strip() for each in types if each.strip()],
            ),
        )
    except DomainError as error:
        return _form(ask, error)
    return Moved(ask.root + project_path(made))
