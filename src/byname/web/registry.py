"""The page of a registry: its collections, and how to link into it (R175)."""

from __future__ import annotations

from byname.domain.errors import missing
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import listing, search
from byname.operations import project as projects
from byname.operations import protected_alias as protected_aliases
from byname.operations import registry as registries
from byname.operations import user as users
from byname.web import collection, version
from byname.web.looks import project_path, why_not, with_query
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Shown, form_for, page_for

PAGE = 50
PATH = "/orgs/{org}/registry/{name}"


def add_page(router: Router, site: Site) -> None:
    """The address that the client prints for registries, their collections and versions."""
    router.add("GET", PATH, page_for(site, read))
    router.add("POST", PATH, form_for(site, change))


def _registry(ask: Ask) -> Project:
    return registries.get_by_name(ask.ctx, ask.params["org"], ask.params["name"])


def _selected(registry: Project, path: str) -> str:
    """The collection that a `selectionPath` names: entity, registry and collection."""
    parts = path.split("/", 2)
    if len(parts) != 3 or (parts[0].casefold(), parts[1].casefold()) != (
        registry.entity_name.casefold(),
        registry.name.casefold(),
    ):
        raise missing(f"Collection {path[:300]}")
    return parts[2]


def read(ask: Ask) -> Answer:
    """The registry; with a selection the collection or version in it."""
    registry = _registry(ask)
    path = ask.query("selectionPath")
    if path is None:
        return _shown(ask, registry)
    name = _selected(registry, path)
    ref = ask.query("version")
    if ref:
        return version.show(ask, registry, name, ref)
    return collection.show(ask, registry, name)


def change(ask: Ask) -> Answer:
    """A form of a collection's or version's page."""
    registry = _registry(ask)
    name = _selected(registry, ask.query("selectionPath") or "")
    ref = ask.query("version")
    if ref:
        return version.change(ask, registry, name, ref)
    return collection.change(ask, registry, name)


def _shown(ask: Ask, registry: Project) -> Shown:
    page = search.collections_of_project(
        ask.ctx, registry.id, order="+name", after=ask.query("after"), first=PAGE
    )
    role = projects.role_in(ask.ctx, registry)
    return Shown(
        "registry.html",
        {
            "registry": registry,
            "role": role,
            "collections": page.items,
            "total": page.count(),
            "tags": listing.collection_tags(ask.ctx, [each.id for each in page.items]),
            "types": registries.list_accepted_types(ask.ctx, [registry])[registry.id],
            "protected": protected_aliases.list_all(ask.ctx, registry.id),
            "may_link": why_not(role, Permission.LINK),
            "teams": [
                team
                for team in users.list_own_teams(ask.ctx)
                if team.organization_id == registry.organization_id
            ],
            "more": with_query(ask.root + project_path(registry), after=page.end_cursor)
            if page.has_next
            else None,
            "later": bool(ask.query("after")),
        },
    )
