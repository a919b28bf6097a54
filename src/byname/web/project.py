"""The thin page of a project, and of a version or collection where it was logged (protocol 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byname.domain.chart import number_text
from byname.domain.entity import User
from byname.domain.errors import missing
from byname.domain.project import Project
from byname.domain.run import Run, RunState
from byname.domain.run_line import parse_object
from byname.http.router import Router
from byname.operations import listing, run_list, search
from byname.operations import project as operations
from byname.operations import run as runs
from byname.operations import user as users
from byname.web import collection, version
from byname.web.looks import project_path, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

PAGE = 50
SOME = 6
TYPES_MAX = 50
NUMBERS_SHOWN = 3
TABS = ("overview", "artifacts", "runs")
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
    """Overview, artifacts or runs of the project; a registry has a page of its own."""
    project = find_project(ask)
    if project.is_registry:
        return Moved(ask.root + project_path(project))
    here = ask.root + project_path(project)
    tab = ask.query("tab") or TABS[0]
    values = {
        "project": project,
        "here": here,
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
    }
    if tab == "runs":
        return _runs(ask, project, values)
    if tab == "artifacts":
        return _artifacts(ask, project, values)
    return _overview(ask, project, values)


def _people_of(ask: Ask, found: Sequence[Run]) -> dict[int, User]:
    makers = sorted({each.created_by for each in found if each.created_by is not None})
    return users.load_users(ask.ctx, makers)


def _overview(ask: Ask, project: Project, values: dict[str, Any]) -> Shown:
    """What was logged last, and how much there is."""
    found = run_list.page(ask.ctx, project, run_list.Wish(), first=SOME)
    page = search.collections_of_project(ask.ctx, project.id, order="-updated_at", first=SOME)
    return Shown(
        "project_overview.html",
        {
            **values,
            "runs": found.items,
            "run_count": found.count(),
            "people": _people_of(ask, found.items),
            "collections": page.items,
            "collection_count": page.count(),
            "types": operations.list_types(
                ask.ctx, project, include_all=False, after=0, limit=TYPES_MAX
            ),
        },
    )


def _artifacts(ask: Ask, project: Project, values: dict[str, Any]) -> Shown:
    """The collections of the project, of one type where one is asked for."""
    here = with_query(values["here"], tab="artifacts")
    chosen = ask.query("type") or ""
    page = search.collections_of_project(
        ask.ctx,
        project.id,
        type_name=chosen or None,
        order="-updated_at",
        after=ask.query("after"),
        first=PAGE,
    )
    following = page.end_cursor if page.has_next else None
    return Shown(
        "project.html",
        {
            **values,
            "here_artifacts": here,
            "types": operations.list_types(
                ask.ctx, project, include_all=False, after=0, limit=TYPES_MAX
            ),
            "chosen": chosen,
            "collections": page.items,
            "total": page.count(),
            "tags": listing.collection_tags(ask.ctx, [each.id for each in page.items]),
            "pager": pager_of(ask.query, with_query(here, type=chosen), following),
        },
    )


def _runs(ask: Ask, project: Project, values: dict[str, Any]) -> Shown:
    """The runs of the project: by name, state and age."""
    wish = run_list.parse_wish(
        text=ask.query("q"), state=ask.query("state"), order=ask.query("order")
    )
    found = run_list.page(ask.ctx, project, wish, after=ask.query("after"), first=PAGE)
    here = with_query(values["here"], tab="runs")
    state = "" if wish.state is None else wish.state.value
    asked = {"q": wish.text, "state": state}
    order = "" if wish.order == run_list.ORDERS[0] else wish.order
    following = found.end_cursor if found.has_next else None
    summaries = runs.documents_of_many(ask.ctx, [each.id for each in found.items])
    return Shown(
        "project_runs.html",
        {
            **values,
            "runs": found.items,
            "total": found.count(),
            "wish": wish,
            "states": list(RunState),
            "sorts": {
                name: with_query(here, **asked, order=run_list.turned(wish.order, name))
                for name in ("name", "created")
            },
            "people": _people_of(ask, found.items),
            "numbers": {
                each: summary_numbers(text, NUMBERS_SHOWN) for each, (_, text) in summaries.items()
            },
            "narrowed": bool(wish.text or wish.state),
            "pager": pager_of(ask.query, with_query(here, **asked, order=order), following),
        },
    )


def summary_numbers(text: str, most: int) -> list[tuple[str, str]]:
    """The first numbers of a run's summary, as a list shows them."""
    found = []
    for key, value in (parse_object(text) or {}).items():
        if key[:1] == "_" or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        found.append((key, number_text(float(value))))
        if len(found) == most:
            break
    return found


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
