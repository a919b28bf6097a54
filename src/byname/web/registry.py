"""The page of a registry: its collections, and how to link into it (R175)."""

from __future__ import annotations

from typing import Any

from byname.domain.collection import Collection
from byname.domain.errors import DomainError, Invalid, Unprocessable, missing
from byname.domain.finder import Sort
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import collection as collections
from byname.operations import finder, listing, overview, search, star
from byname.operations import project as projects
from byname.operations import protected_alias as protected_aliases
from byname.operations import registry as registries
from byname.operations import user as users
from byname.web import collection, history, version
from byname.web.looks import project_path, why_not, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.search import Hit, hit_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
QUICK = 8
"""How many versions the quick list of a collection shows."""
FOUND_MAX = 50
PATH = "/orgs/{org}/registry/{name}"


def add_page(router: Router, site: Site) -> None:
    """The address that the client prints for registries, their collections and versions."""
    router.add("GET", PATH, page_for(site, read))
    router.add("POST", PATH, form_for(site, change))


def find(ask: Ask) -> Project:
    """The registry that the address names.

    Raises:
        NotFound: absent or hidden, in the same words.
    """
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
    registry = find(ask)
    path = ask.query("selectionPath")
    if path is None:
        return _shown(ask, registry)
    name = _selected(registry, path)
    ref = ask.query("version")
    if ref:
        return version.show(ask, registry, name, ref)
    return collection.show(ask, registry, name)


def change(ask: Ask) -> Answer:
    """A star; or a form of a collection's or version's page."""
    registry = find(ask)
    path = ask.query("selectionPath")
    if path is None:
        return _star(ask, registry)
    name = _selected(registry, path)
    ref = ask.query("version")
    if ref:
        return version.change(ask, registry, name, ref)
    return collection.change(ask, registry, name)


def _star(ask: Ask, registry: Project) -> Moved:
    wish = ask.text("do")
    if wish not in ("star", "unstar"):
        raise Invalid("This form is not one of this page")
    (star.put if wish == "star" else star.remove)(ask.ctx, registry.id)
    if ask.text("from") == "landing":
        return Moved(ask.root)
    return Moved(ask.root + project_path(registry))


def head(ask: Ask, registry: Project, tab: str) -> dict[str, Any]:
    """What the head of each of the registry's pages shows (`registry_head.html`)."""
    role = projects.role_in(ask.ctx, registry)
    owner = registry.owner_id
    here = ask.root + project_path(registry)
    return {
        "registry": registry,
        "here": here,
        "tabs": [
            ("collections", "Collections", here),
            ("automations", "Automations", f"{here}/automations"),
            ("automations-history", "Automations history", f"{here}/automations-history"),
        ],
        "tab": tab,
        "role": role,
        "sizes": overview.sizes(ask.ctx, registry),
        "starred": registry.id in star.among(ask.ctx, [registry]),
        "owner": users.load_users(ask.ctx, [owner]).get(owner) if owner else None,
        "may_create": why_not(role, Permission.CREATE_COLLECTION),
    }


def _shown(ask: Ask, registry: Project) -> Shown:
    part = ask.query("row") or ask.query("open")
    if ask.part and part:
        chosen = collections.get_in(ask.ctx, registry, part)
        values = rows_of(ask, registry, [chosen])
        return Shown("collection_rows.html", {"registry": registry, **values})
    text = (ask.query("q") or "").strip()
    error: DomainError | None = None
    values = head(ask, registry, "collections")
    here = values["here"]
    if text:
        try:
            listed, hits, cut = _filtered(ask, registry, text)
        except Unprocessable as wrong:
            listed, hits, cut, error = [], {}, False, wrong
        pager = None
    else:
        page = search.collections_of_project(
            ask.ctx, registry.id, order="+name", after=ask.query("after"), first=PAGE
        )
        listed, hits, cut = list(page.items), {}, False
        pager = pager_of(ask.query, here, page.end_cursor if page.has_next else None)
    return Shown(
        "registry.html",
        {
            **values,
            **rows_of(ask, registry, listed),
            "text": text,
            "hits": hits,
            "all": with_query(
                ask.root + "search",
                q=text,
                org=registry.entity_name,
                registry=registry.registry_name,
            )
            if cut
            else None,
            "pager": pager,
            "types": registries.list_accepted_types(ask.ctx, [registry])[registry.id],
            "names": protected_aliases.list_all(ask.ctx, registry.id),
            "teams": [
                team
                for team in users.list_own_teams(ask.ctx)
                if team.organization_id == registry.organization_id
            ],
        },
        error,
    )


def _filtered(
    ask: Ask, registry: Project, text: str
) -> tuple[list[Collection], dict[int, list[Hit]], bool]:
    """The collections in which the text was found, where in each, and whether there are more (R116)."""
    found = finder.find(
        ask.ctx,
        finder.Search(text, registry.entity_name, registry.registry_name, first=FOUND_MAX),
    )
    hits: dict[int, list[Hit]] = {}
    for sort, page in found.pages.items():
        if sort is Sort.REGISTRY:
            continue
        for each in page.items:
            if each.collection_id is not None:
                places = hits.setdefault(each.collection_id, [])
                # The row shows the collection's own name and tags anyway.
                if sort in (Sort.VERSION_TAG, Sort.ALIAS):
                    places.append(hit_of(ask.root, each, registry))
    ids = list(hits)[:FOUND_MAX]
    loaded = listing.collections(ask.ctx, ids)
    more = len(hits) > FOUND_MAX or any(page.has_next for page in found.pages.values())
    return [loaded[each] for each in ids if each in loaded], hits, more


def rows_of(ask: Ask, registry: Project, listed: list[Collection]) -> dict[str, Any]:
    """What the rows of these collections show; of the one that is open, its newest versions too."""
    ids = [each.id for each in listed]
    opened = ask.query("open")
    role = projects.role_in(ask.ctx, registry)
    chosen = next((each for each in listed if each.name == opened), None)
    quick = (
        []
        if chosen is None
        else listing.memberships_of_collection(ask.ctx, chosen.id, below=None, limit=QUICK)
    )
    return {
        "here": ask.root + project_path(registry),
        "hits": {},
        "collections": listed,
        "tags": listing.collection_tags(ask.ctx, ids),
        "holders": overview.protected_holders(ask.ctx, registry, ids),
        "open": chosen,
        "quick": quick,
        "quick_aliases": listing.aliases_of_memberships(ask.ctx, [each.id for each in quick]),
        "protected": collection.protected_names(ask, registry),
        "may_link": why_not(role, Permission.LINK),
        "last_of": listing.last_changes_of_collections(ask.ctx, ids),
        "done_words": history.done_words,
        "executions": listing.executions_of_collections(ask.ctx, ids),
        "may_automate": why_not(role, Permission.AUTOMATE_COLLECTION),
    }
