"""The search bar on top of every page, and the page of all it finds (R113 to R116)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.errors import DomainError, Unprocessable
from byname.domain.finder import Found, Sort
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import finder
from byname.web.looks import collection_path, project_path, version_path, with_query
from byname.web.page import Site
from byname.web.pager import Pager, pager_of
from byname.web.visitor import Answer, Ask, Shown, page_for

LETTERS_MIN = 2
"""From so many letters on the bar shows what it finds while one types (R115)."""
IN_BAR = 4
AT_FIRST = 10
PAGE = 50
TITLES = {
    Sort.REGISTRY: "Registries",
    Sort.COLLECTION: "Collections",
    Sort.COLLECTION_TAG: "Tags of collections",
    Sort.VERSION_TAG: "Tags of versions",
    Sort.ALIAS: "Aliases",
}


def add_page(router: Router, site: Site) -> None:
    """The page at `/search?q=`; for the bar, the part of it that stands below the bar."""
    router.add("GET", "/search", page_for(site, read))


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found, and where it leads."""

    sort: Sort
    name: str
    href: str
    where: str
    protected: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind."""

    sort: Sort
    title: str
    hits: list[Hit]
    all: str | None
    """Where all of them are shown, when there are more."""


def hit_of(root: str, found: Found, registry: Project) -> Hit:
    """What was found as a link: an alias or tag of a version leads to that version (R115)."""
    path, where = project_path(registry), registry.entity_name
    if found.collection_name is not None:
        path = collection_path(registry, found.collection_name)
        where += f" / {registry.registry_name}"
        if found.sort is not Sort.COLLECTION:
            where += f" / {found.collection_name}"
        if found.number is not None:
            path = version_path(registry, found.collection_name, found.number)
            where += f":v{found.number}"
    return Hit(found.sort, found.name, root + path, where, found.protected)


def read(ask: Ask) -> Answer:
    """The first of every kind, or all of one kind; while one types, the first few."""
    text = (ask.query("q") or "").strip()
    if ask.part:
        return _in_bar(ask, text)
    organization, registry = ask.query("org") or None, ask.query("registry") or None
    here = with_query(ask.root + "search", q=text, org=organization, registry=registry)
    sort: Sort | None = None
    groups: list[Group] = []
    pager: Pager | None = None
    error: DomainError | None = None
    try:
        sort = _sort(ask.query("kind"))
        if text:
            found = finder.find(
                ask.ctx,
                finder.Search(
                    text,
                    organization,
                    registry,
                    sort,
                    ask.query("after") if sort else None,
                    PAGE if sort else AT_FIRST,
                ),
            )
            groups = groups_of(ask.root, found, here)
            if sort is not None:
                page = found.pages[sort]
                there = with_query(here, kind=sort.value)
                pager = pager_of(ask.query, there, page.end_cursor if page.has_next else None)
    except Unprocessable as wrong:
        error = wrong
    return Shown(
        "search.html",
        {
            "text": text,
            "groups": groups,
            "sort": sort,
            "pager": pager,
            "back": here,
            "registry": registry,
            "everywhere": with_query(ask.root + "search", q=text),
        },
        error,
    )


def _sort(kind: str | None) -> Sort | None:
    if not kind:
        return None
    try:
        return Sort(kind)
    except ValueError:
        kinds = ", ".join(Sort)
        raise Unprocessable(f"There is no kind {kind[:80]!r}; it is one of {kinds}") from None


def groups_of(root: str, found: finder.Findings, here: str) -> list[Group]:
    """What was found by kind, without the kinds of which nothing was."""
    return [
        Group(
            sort,
            TITLES[sort],
            [hit_of(root, each, found.registries[each.project_id]) for each in page.items],
            with_query(here, kind=sort.value) if page.has_next else None,
        )
        for sort, page in found.pages.items()
        if page.items
    ]


def _in_bar(ask: Ask, text: str) -> Shown:
    groups: list[Group] = []
    if len(text) >= LETTERS_MIN:
        try:
            found = finder.find(ask.ctx, finder.Search(text, first=IN_BAR))
        except Unprocessable:
            return Shown("search_found.html", {"groups": [], "text": "", "all": ""})
        groups = groups_of(ask.root, found, ask.root)
    return Shown(
        "search_found.html",
        {
            "groups": groups,
            "text": text if len(text) >= LETTERS_MIN else "",
            "all": with_query(ask.root + "search", q=text),
        },
    )
