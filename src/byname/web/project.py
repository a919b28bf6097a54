"""The thin page of a project, and of a version or collection where it was logged (protocol 2)."""

from __future__ import annotations

from byname.domain.errors import missing
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import listing, search
from byname.operations import project as operations
from byname.operations import run as runs
from byname.operations import user as users
from byname.web import collection, version
from byname.web.looks import project_path, with_query
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
TABS = ("artifacts", "runs")
COLLECTION = "/{entity}/{project}/artifacts/{type}/{collection}"


def add_page(router: Router, site: Site) -> None:
    """The addresses that the client prints for projects and for logged versions."""
    router.add("GET", "/{entity}/{project}", page_for(site, read))
    router.add("GET", COLLECTION, page_for(site, read_collection))
    router.add("POST", COLLECTION, form_for(site, change_collection))
    router.add("GET", COLLECTION + "/{version}", page_for(site, read_version))
    router.add("POST", COLLECTION + "/{version}", form_for(site, change_version))


def find_project(ask: Ask) -> Project:
    """The project that the address names.

    Raises:
        NotFound: absent or hidden, in the same words.
    """
    entity, name = ask.params["entity"], ask.params["project"]
    project = operations.find(ask.ctx, entity, name)
    if project is None:
        raise missing(f"Project {entity[:80]}/{name[:200]}")
    return project


def read(ask: Ask) -> Answer:
    """Artifacts or runs of the project; a registry has a page of its own."""
    project = find_project(ask)
    if project.is_registry:
        return Moved(ask.root + project_path(project))
    here = ask.root + project_path(project)
    tab = "runs" if ask.query("tab") == "runs" else "artifacts"
    values = {"project": project, "here": here, "tab": tab, "tabs": TABS}
    after = ask.query("after")
    if tab == "runs":
        found = runs.list_page(ask.ctx, project, order="-created_at", after=after, first=PAGE)
        makers = sorted({each.created_by for each in found.items if each.created_by is not None})
        return Shown(
            "project_runs.html",
            {
                **values,
                "runs": found.items,
                "total": found.count(),
                "people": users.load_users(ask.ctx, makers),
                "more": with_query(here, tab=tab, after=found.end_cursor)
                if found.has_next
                else None,
                "later": bool(after),
            },
        )
    page = search.collections_of_project(
        ask.ctx, project.id, order="-updated_at", after=after, first=PAGE
    )
    return Shown(
        "project.html",
        {
            **values,
            "collections": page.items,
            "total": page.count(),
            "tags": listing.collection_tags(ask.ctx, [each.id for each in page.items]),
            "more": with_query(here, after=page.end_cursor) if page.has_next else None,
            "later": bool(after),
        },
    )


def read_collection(ask: Ask) -> Answer:
    """A collection of the project. The type in the address is for people only."""
    return collection.show(ask, find_project(ask), ask.params["collection"])


def change_collection(ask: Ask) -> Answer:
    """A form of that page."""
    return collection.change(ask, find_project(ask), ask.params["collection"])


def read_version(ask: Ask) -> Answer:
    """A version where it was logged."""
    return version.show(ask, find_project(ask), ask.params["collection"], ask.params["version"])


def change_version(ask: Ask) -> Answer:
    """A form of that page."""
    return version.change(ask, find_project(ask), ask.params["collection"], ask.params["version"])
