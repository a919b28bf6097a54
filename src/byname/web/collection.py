"""The page of a collection: its card, its versions, its names, and what happened in it (R177)."""

from __future__ import annotations

from typing import Any

from byname.domain.collection import Collection
from byname.domain.errors import DomainError, Invalid
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import alias as aliases
from byname.operations import collection as operations
from byname.operations import listing
from byname.operations import meanwhile as saving
from byname.operations import project as projects
from byname.operations import protected_alias as protected_aliases
from byname.web import comparison, history, meanwhile, timeline
from byname.web.looks import collection_path, project_path, why_not
from byname.web.version_table import metric_values, table_values
from byname.web.visitor import Answer, Ask, Moved, Shown

TABS = ("versions", "aliases", "history")
DESCRIPTION_LENGTH_MAX = 60_000
"""Longer ones are edited by other ways: a form carries no more, once it is encoded."""
HEADINGS = (
    "Summary", "License", "References", "Training data", "Processing", "Storage", "Architecture",
    "Task", "Deserialization", "Deployment",
)  # fmt: skip
"""What a collection's card may tell (R36)."""


def protected_names(ask: Ask, project: Project) -> set[str]:
    """The protected aliases of a registry; other projects have none."""
    if not project.is_registry:
        return set()
    return {each.name for each in protected_aliases.list_all(ask.ctx, project.id)}


def address(ask: Ask, project: Project, collection: Collection) -> str:
    """The path of the collection's page."""
    return ask.root + collection_path(project, collection.name, collection.type_name)


def hidden_fields(project: Project, collection: Collection) -> list[tuple[str, str]]:
    """What of the page's own address a form that is sent as a query must repeat."""
    if not project.is_registry:
        return []
    return [("selectionPath", f"{project.entity_name}/{project.name}/{collection.name}")]


def show(
    ask: Ask, project: Project, name: str, error: DomainError | None = None, where: str = ""
) -> Answer:
    """The collection's page, with what was wrong beside the form it was wrong in.

    Raises:
        NotFound: there is no such collection.
    """
    collection = operations.get_in(ask.ctx, project, name)
    role = projects.role_in(ask.ctx, project)
    here = address(ask, project, collection)
    tab = ask.query("tab") or TABS[0]
    values: dict[str, Any] = {
        "project": project,
        "collection": collection,
        "here": here,
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
        "role": role,
        "tags": listing.collection_tags(ask.ctx, [collection.id])[collection.id],
        "protected": protected_names(ask, project),
        "hidden": hidden_fields(project, collection),
        "may_edit": why_not(role, Permission.EDIT_COLLECTION),
        "may_tag": why_not(role, Permission.TAG),
        "may_link": why_not(role, Permission.LINK),
        "may_automate": why_not(role, Permission.AUTOMATE_COLLECTION),
        "executions": listing.executions_of_collections(ask.ctx, [collection.id])[collection.id],
        "may_delete": why_not(role, Permission.DELETE_COLLECTION),
        "editable": len(collection.description or "") <= DESCRIPTION_LENGTH_MAX,
        "headings": HEADINGS,
        "where": where,
        "given": ask.form,
        "meanwhile": meanwhile.told(
            ask,
            error,
            {"description": ("Description", collection.description or "")},
            lambda: meanwhile.last_change(ask, project, ("collection:update",), collection),
        ),
    }
    confirm = ask.query("confirm")
    if confirm in ("rename", "delete"):
        return _confirm(ask, values, confirm, error)
    if ask.query("choose") == "metrics":
        return Shown("metrics.html", {**values, **metric_values(ask, collection, here)})
    if ask.query("compare") is not None:
        return comparison.show(ask, values)
    if values["tab"] == "history":
        return history.show(ask, values, error)
    if values["tab"] == "aliases":
        return timeline.show(ask, values, error)
    table, problem = table_values(ask, collection, here, values["hidden"])
    if error is None and problem is not None:
        error, values["where"] = problem, "filter"
    return Shown("collection.html", {**values, **table}, error)


def _confirm(ask: Ask, values: dict[str, Any], wish: str, error: DomainError | None) -> Shown:
    collection: Collection = values["collection"]
    held = protected_aliases.held_in(ask.ctx, collection.id) if wish == "delete" else []
    return Shown(
        "collection_confirm.html",
        {**values, "wish": wish, "held": held, "typed": bool(held)},
        error,
    )


def change(ask: Ask, project: Project, name: str) -> Answer:
    """Edit, rename or delete it, or put a name back; the operation decides whether one may."""
    collection = operations.get_in(ask.ctx, project, name_now(ask, project, name))
    place = aliases.Place(project.entity_name, project.name, collection.name)
    wish = ask.text("do")
    here = address(ask, project, collection)
    notice = ""
    try:
        if wish == "describe":
            _describe(ask, project, collection)
        elif wish == "add-tag":
            operations.edit_tags(ask.ctx, place, add=[ask.text("tag").strip()])
        elif wish == "remove-tag":
            operations.edit_tags(ask.ctx, place, remove=[ask.text("tag")])
        elif wish == "rename":
            collection = operations.edit(
                ask.ctx,
                collection.id,
                is_sequence=collection.is_sequence,
                name=ask.text("name").strip(),
            )
            here, notice = address(ask, project, collection), f"It is called {collection.name} now."
        elif wish == "delete":
            _check_typed(ask, collection)
            operations.delete(ask.ctx, collection.id, is_sequence=collection.is_sequence)
            here = ask.root + project_path(project)
            notice = f"{collection.name} is deleted. For 7 days it can be restored."
        elif wish == "restore":
            here, notice = timeline.restore(ask, project, collection)
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return show(ask, project, collection.name, error, wish)
    return Moved(here, notice=notice)


def name_now(ask: Ask, project: Project, name: str) -> str:
    """How the collection is called by now on whose page the form stood, whoever renamed it meanwhile."""
    place = ask.text("place")
    number = int(place) if place.isascii() and place.isdecimal() and len(place) < 19 else 0
    found = operations.get(ask.ctx, number) if number else None
    return found.name if found is not None and found.project_id == project.id else name


def _describe(ask: Ask, project: Project, collection: Collection) -> None:
    def present() -> dict[str, str]:
        found = operations.get_in(ask.ctx, project, collection.name)
        return {"description": found.description or ""}

    saving.save(
        ask.ctx,
        ask.text("was"),
        present,
        {"description": ask.text("description").replace("\r\n", "\n")},
        lambda merged: operations.edit(
            ask.ctx,
            collection.id,
            is_sequence=collection.is_sequence,
            description=merged["description"],
        ),
    )


def _check_typed(ask: Ask, collection: Collection) -> None:
    typed = ask.text("typed").strip() == collection.name
    if not typed and protected_aliases.held_in(ask.ctx, collection.id):
        raise Invalid("Type the name of the collection to confirm that it is to go", field="typed")
