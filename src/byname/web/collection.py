"""The page of a collection: its card, its versions, and what happened in it (R177)."""

from __future__ import annotations

from byname.domain.errors import DomainError, Invalid
from byname.domain.history import Cursor
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import alias as aliases
from byname.operations import collection as operations
from byname.operations import history, listing, search
from byname.operations import project as projects
from byname.operations import protected_alias as protected_aliases
from byname.operations import user as users
from byname.web.looks import collection_path, why_not, with_query
from byname.web.visitor import Answer, Ask, Moved, Shown

PAGE = 50
TABS = ("versions", "history")
DESCRIPTION_LENGTH_MAX = 60_000
"""Longer ones are edited by other ways: a form carries no more, once it is encoded."""


def protected_names(ask: Ask, project: Project) -> set[str]:
    """The protected aliases of a registry; other projects have none."""
    if not project.is_registry:
        return set()
    return {each.name for each in protected_aliases.list_all(ask.ctx, project.id)}


def show(
    ask: Ask, project: Project, name: str, error: DomainError | None = None, where: str = ""
) -> Shown:
    """The collection's page, with what was wrong beside the form it was wrong in.

    Raises:
        NotFound: there is no such collection.
    """
    collection = operations.get_in(ask.ctx, project, name)
    role = projects.role_in(ask.ctx, project)
    here = ask.root + collection_path(project, collection.name, collection.type_name)
    tab = ask.query("tab") or "versions"
    values = {
        "project": project,
        "collection": collection,
        "here": here,
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
        "role": role,
        "tags": listing.collection_tags(ask.ctx, [collection.id])[collection.id],
        "protected": protected_names(ask, project),
        "may_edit": why_not(role, Permission.EDIT_COLLECTION),
        "may_tag": why_not(role, Permission.TAG),
        "editable": len(collection.description or "") <= DESCRIPTION_LENGTH_MAX,
        "where": where,
        "given": ask.form,
    }
    if values["tab"] == "history":
        return Shown("history.html", {**values, **_history(ask, project, name, here)}, error)
    page = search.versions_of_collection(
        ask.ctx, collection.id, after=ask.query("after"), first=PAGE
    )
    members = page.items
    versions = listing.versions(ask.ctx, [each.version_id for each in members])
    people = users.load_users(
        ask.ctx, sorted({each.created_by for each in members if each.created_by is not None})
    )
    return Shown(
        "collection.html",
        {
            **values,
            "members": members,
            "versions": versions,
            "people": people,
            "aliases": listing.aliases_of_memberships(ask.ctx, [each.id for each in members]),
            "version_tags": listing.version_tags(ask.ctx, [each.version_id for each in members]),
            "more": with_query(here, after=page.end_cursor) if page.has_next else None,
            "later": bool(ask.query("after")),
        },
        error,
    )


def _history(ask: Ask, project: Project, name: str, here: str) -> dict[str, object]:
    collection = operations.get_in(ask.ctx, project, name)
    below = ask.query("below")
    page = history.read(
        ask.ctx,
        project,
        collection,
        below=Cursor.parse(below) if below else None,
        limit=PAGE,
    )
    more = None if page.next is None else with_query(here, tab="history", below=page.next.text)
    return {"entries": page.entries, "more": more, "later": bool(below)}


def change(ask: Ask, project: Project, name: str) -> Answer:
    """Edit description or tags; the operation decides whether the person may."""
    collection = operations.get_in(ask.ctx, project, name)
    place = aliases.Place(project.entity_name, project.name, collection.name)
    wish = ask.text("do")
    try:
        if wish == "describe":
            operations.edit(
                ask.ctx,
                collection.id,
                is_sequence=collection.is_sequence,
                description=ask.text("description").replace("\r\n", "\n"),
            )
        elif wish == "add-tag":
            operations.edit_tags(ask.ctx, place, add=[ask.text("tag").strip()])
        elif wish == "remove-tag":
            operations.edit_tags(ask.ctx, place, remove=[ask.text("tag")])
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return show(ask, project, name, error, wish)
    return Moved(ask.root + collection_path(project, collection.name, collection.type_name))
