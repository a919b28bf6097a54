"""The page of a version in a collection, and its tabs (R178); its aliases and tags (R73)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from byname.domain.collection import Collection, Membership
from byname.domain.errors import (
    Conflict,
    DomainError,
    HolderChanged,
    Invalid,
    NotFound,
    missing,
)
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version
from byname.operations import alias as aliases
from byname.operations import alias_move, lineage, listing, overview
from byname.operations import collection as collections
from byname.operations import meanwhile as saving
from byname.operations import project as projects
from byname.operations import run as runs
from byname.operations import user as users
from byname.operations import version as operations
from byname.operations.alias_move import Expected, Move, Standing
from byname.web import meanwhile, timeline, version_files, version_lineage, version_link
from byname.web.collection import (
    DESCRIPTION_LENGTH_MAX,
    hidden_fields,
    name_now,
    protected_names,
)
from byname.web.looks import collection_path, full_name, version_path, why_not
from byname.web.tree import Node, make_tree
from byname.web.version_files import LINK_SECONDS
from byname.web.visitor import Answer, Ask, Moved, Shown

TABS = ("version", "metadata", "usage", "files", "lineage")
OTHERS = 50
NOT_LOGGED = ("_wandb",)
"""What the client notes for itself in a summary."""
CONFIRMED = ("remove-alias", "unlink", "delete")

Parts = dict[str, Callable[[Ask, dict[str, Any]], dict[str, Any]]]


def _find(
    ask: Ask, project: Project, name: str, ref: str
) -> tuple[Collection, Membership, Version]:
    collection = collections.get_in(ask.ctx, project, name)
    return collection, *collections.get_version_in(ask.ctx, project, collection, ref)


def show(
    ask: Ask,
    project: Project,
    name: str,
    ref: str,
    error: DomainError | None = None,
    where: str = "",
    moving: Standing | None = None,
) -> Shown:
    """The version's page, or the one that asks whether something is really to be done.

    `moving`: beside the aliases it is asked whether this one, which is elsewhere, is to move here.

    Raises:
        NotFound: there is no such version in that collection.
    """
    collection, membership, version = _find(ask, project, name, ref)
    role = projects.role_in(ask.ctx, project)
    held = listing.aliases_of_memberships(ask.ctx, [membership.id])[membership.id]
    protected = protected_names(ask, project)
    locked = any(each in protected for each in held)
    tab = ask.query("tab") or TABS[0]
    values: dict[str, Any] = {
        "project": project,
        "collection": collection,
        "membership": membership,
        "version": version,
        "here": ask.root
        + version_path(project, collection.name, membership.number, collection.type_name),
        "up": ask.root + collection_path(project, collection.name, collection.type_name),
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
        "role": role,
        "aliases": held,
        "protected": protected,
        "full_name": full_name(project, collection.name, f"v{membership.number}"),
        "others": listing.memberships_of_collection(
            ask.ctx, collection.id, below=None, limit=OTHERS
        ),
        "hidden": [
            *hidden_fields(project, collection),
            *([("version", f"v{membership.number}")] if project.is_registry else []),
        ],
        "may_alias": why_not(role, Permission.ALIAS),
        "may_protect": why_not(role, Permission.PROTECTED_ALIAS),
        "may_edit": why_not(role, Permission.EDIT_VERSION)
        or (why_not(role, Permission.EDIT_PROTECTED_VERSION) if locked else None),
        "may_unlink": why_not(role, Permission.UNLINK)
        or (why_not(role, Permission.PROTECTED_ALIAS) if locked else None),
        "may_delete": why_not(role, Permission.DELETE_VERSION),
        "where": where,
        "given": ask.form,
        "moving": moving,
        "meanwhile": meanwhile.told(
            ask,
            error,
            {"description": ("Description", version.description or "")},
            lambda: meanwhile.last_change(
                ask, project, ("artifact:update",), collection, membership.number
            ),
        ),
    }
    confirm = ask.query("confirm")
    if confirm in CONFIRMED:
        return _confirm(ask, values, confirm, error)
    if ask.query("link") is not None and collection.is_sequence:
        return version_link.show(ask, values, error)
    more: Parts = {
        "version": _facts,
        "metadata": _metadata,
        "usage": _usage,
        "files": version_files.values_of,
        "lineage": version_lineage.values_of,
    }
    part = more[values["tab"]](ask, values)
    return Shown(str(part.get("template", f"version_{values['tab']}.html")), values | part, error)


def _confirm(ask: Ask, values: dict[str, Any], wish: str, error: DomainError | None) -> Shown:
    alias = ask.query("alias") or ""
    if wish == "remove-alias" and alias not in values["aliases"] and error is None:
        words = timeline.whereabouts(ask, values["project"], values["collection"], alias)
        if not words:
            raise missing(f"Alias {alias[:200]!r} on {values['full_name']}")
        raise NotFound(f"{alias[:200]} is not on v{values['membership'].number} any more. {words}")
    if wish == "delete" and not values["collection"].is_sequence:
        raise missing(f"{values['full_name']} as a source version")
    held = [each for each in values["aliases"] if each in values["protected"]]
    typed = ""
    if wish == "remove-alias" and alias in values["protected"]:
        typed = alias
    elif wish == "unlink" and held:
        typed = f"v{values['membership'].number}"
    return Shown(
        "confirm.html",
        {
            **values,
            "wish": wish,
            "alias": alias,
            "typed": typed,
            "held": held,
            "places": _places(ask, values) if wish == "delete" else [],
        },
        error,
    )


def _places(ask: Ask, values: dict[str, Any]) -> list[tuple[Project, Collection, Membership]]:
    """Where else the version is, as far as the person may see."""
    version: Version = values["version"]
    places = listing.memberships_of_version(ask.ctx, version.id, after=0, limit=OTHERS)
    homes = listing.collections(ask.ctx, [each.collection_id for each in places])
    shown = overview.visible_projects(ask.ctx, [each.project_id for each in homes.values()])
    return [
        (shown[homes[each.collection_id].project_id], homes[each.collection_id], each)
        for each in places
        # The source has a line of its own.
        if each.id != values["membership"].id and each.collection_id != version.collection_id
    ]


def _facts(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    version: Version = values["version"]
    made_by, linked_by = version.created_by, values["membership"].created_by
    people = users.load_users(ask.ctx, sorted({each for each in (made_by, linked_by) if each}))
    source = overview.standings(ask.ctx, [version.id]).get(version.id)
    return {
        "tags": listing.version_tags(ask.ctx, [version.id])[version.id],
        "author": people.get(made_by or 0),
        "linker": people.get(linked_by or 0),
        **_run_of(ask, version),
        "source": source if source and source.project.id == version.project_id else None,
        "places": _places(ask, values),
        "editable": len(version.description or "") <= DESCRIPTION_LENGTH_MAX,
    }


def _metadata(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    """What the version says of itself, and what the run that made it had logged in the end (R178)."""
    version: Version = values["version"]
    nodes, cut = make_tree(json.loads(version.metadata or "{}"))
    made = _run_of(ask, version)
    logged: tuple[list[Node], bool] = ([], False)
    # Who may not see the project sees nothing of its run (R55).
    if made["run"] is not None and made["run_project"] is not None:
        documents = runs.documents_of_many(ask.ctx, [made["run"].id])
        _, summary = documents.get(made["run"].id, ("{}", "{}"))
        logged = make_tree({k: v for k, v in json.loads(summary).items() if k not in NOT_LOGGED})
    return {**made, "nodes": nodes, "cut": cut, "logged": logged[0], "logged_cut": logged[1]}


def _run_of(ask: Ask, version: Version) -> dict[str, Any]:
    """The run that made the version, and its project where the person may see it."""
    makers = lineage.makers_of_many(ask.ctx, [version.run_id] if version.run_id else [])
    run = makers.get(version.run_id or 0)
    homes = overview.visible_projects(ask.ctx, [] if run is None else [run.project_id])
    return {"run": run, "run_project": None if run is None else homes.get(run.project_id)}


def _usage(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    project: Project = values["project"]
    number = f"v{values['membership'].number}"
    names = [number, *values["aliases"]]
    chosen = ask.query("by") or next(iter(values["aliases"]), number)
    ref = chosen if chosen in names else number
    return {
        "names": names,
        "ref_word": ref,
        "ref": full_name(project, values["collection"].name, ref),
        "teams": users.list_own_teams(ask.ctx),
    }


def change(ask: Ask, project: Project, name: str, ref: str) -> Answer:
    """Change aliases, tags or description, link, unlink or delete.

    The operation decides who may, as roles are when it is done (R92, R179).
    """
    name = name_now(ask, project, name)
    collection, membership, version = _find(ask, project, name, ref)
    place = aliases.Place(project.entity_name, project.name, collection.name)
    wish = ask.text("do")
    to = version_path(project, collection.name, membership.number, collection.type_name)
    up = collection_path(project, collection.name, collection.type_name)
    notice = ""
    try:
        if wish == "add-alias":
            elsewhere = _elsewhere(ask, project, collection, membership)
            if elsewhere is not None:
                return show(ask, project, name, ref, where=wish, moving=elsewhere)
            _put_new(ask, project, collection, membership)
        elif wish == "move-alias":
            _move(ask, project, collection, membership)
        elif wish == "remove-alias":
            _remove_alias(ask, project, collection, membership, place)
        elif wish in ("add-tag", "remove-tag"):
            tags = [ask.text("tag").strip()]
            adding = wish == "add-tag"
            edit = (
                operations.VersionEdit(add_tags=tags)
                if adding
                else operations.VersionEdit(remove_tags=tags)
            )
            operations.edit(ask.ctx, version.id, edit)
        elif wish == "describe":
            _describe(ask, version)
        elif wish == "link":
            to, notice = version_link.link(ask, version)
        elif wish == "unlink":
            _check_seen(ask, membership)
            _check_typed(ask, project, membership)
            collections.unlink(ask.ctx, version.id, collection.id)
            to = up
            notice = f"v{membership.number} is unlinked. For 7 days it can be restored."
        elif wish == "delete":
            _check_seen(ask, membership)
            operations.delete(ask.ctx, version.id, delete_aliases=True, unlink=True)
            to = up
            notice = f"v{membership.number} is deleted. For 7 days it can be restored."
        else:
            raise Invalid("This form is not one of this page")
    except HolderChanged as error:
        if wish == "add-alias":
            found = _elsewhere(ask, project, collection, membership)
            return show(ask, project, name, ref, where=wish, moving=found)
        if wish != "move-alias":
            return show(ask, project, name, ref, error, wish)
        words = timeline.whereabouts(ask, project, collection, ask.text("alias"))
        told = HolderChanged(f"Meanwhile something changed. {words} Nothing was moved.")
        return show(
            ask, project, name, ref, told, wish, _elsewhere(ask, project, collection, membership)
        )
    except DomainError as error:
        return show(ask, project, name, ref, error, wish)
    return Moved(ask.root + to, notice=notice)


def _describe(ask: Ask, version: Version) -> None:
    def present() -> dict[str, str]:
        found = operations.get(ask.ctx, version.id)
        return {} if found is None else {"description": found.description or ""}

    saving.save(
        ask.ctx,
        ask.text("was"),
        present,
        {"description": ask.text("description").replace("\r\n", "\n")},
        lambda merged: operations.edit(
            ask.ctx, version.id, operations.VersionEdit(description=merged["description"])
        ),
    )


def _check_seen(ask: Ask, membership: Membership) -> None:
    """The aliases that go with the version are those of which the person was told."""
    seen = ask.form.get("seen")
    if seen is None:
        return
    held = listing.aliases_of_memberships(ask.ctx, [membership.id])[membership.id]
    if sorted(held) != sorted(each for each in seen.split("/") if each):
        raise Conflict("Meanwhile its aliases changed; those that go with it are shown now")


def _check_typed(ask: Ask, project: Project, membership: Membership) -> None:
    """Who takes protected names away with a version says so by typing its number (R180)."""
    protected = protected_names(ask, project)
    held = listing.aliases_of_memberships(ask.ctx, [membership.id])[membership.id]
    role = projects.role_in(ask.ctx, project)
    if not protected.intersection(held) or why_not(role, Permission.PROTECTED_ALIAS):
        return
    if ask.text("typed").strip() != f"v{membership.number}":
        raise Invalid(f"Type v{membership.number} to confirm that it is to go", field="typed")


def _elsewhere(
    ask: Ask, project: Project, collection: Collection, membership: Membership
) -> Standing | None:
    """The alias's present holder, when that is another version and the person may move it (R70)."""
    name = ask.text("alias").strip()
    role = projects.role_in(ask.ctx, project)
    protected = name in protected_names(ask, project)
    if why_not(role, Permission.PROTECTED_ALIAS if protected else Permission.ALIAS):
        return None
    try:
        found = alias_move.get(ask.ctx, project, collection, name)
    except NotFound:
        return None
    return None if found.number == membership.number else found


def _put_new(ask: Ask, project: Project, collection: Collection, membership: Membership) -> None:
    """The alias, which was on no version just now, is on this one; it is taken from no other.

    Who may not move one that is elsewhere is refused, and not asked.
    """
    name, number = ask.text("alias").strip(), f"v{membership.number}"
    present = listing.holders_of_aliases(ask.ctx, collection.id, [name]).get(name)
    elsewhere = present is not None and present != membership.number
    if elsewhere and _elsewhere(ask, project, collection, membership) is None:
        expected = Expected()
    else:
        expected = Expected(version=None if present is None else number)
    alias_move.move(ask.ctx, project.id, [Move(collection.name, name, number, expected)])


def _move(ask: Ask, project: Project, collection: Collection, membership: Membership) -> None:
    """The alias moves here, if it is still where the person was told it is (R70, R88)."""
    expected = Expected(version=ask.text("expected") or None)
    move = Move(collection.name, ask.text("alias"), f"v{membership.number}", expected)
    alias_move.move(ask.ctx, project.id, [move])


def _remove_alias(
    ask: Ask,
    project: Project,
    collection: Collection,
    membership: Membership,
    place: aliases.Place,
) -> None:
    alias = ask.text("alias")
    if alias not in listing.aliases_of_memberships(ask.ctx, [membership.id])[membership.id]:
        words = timeline.whereabouts(ask, project, collection, alias)
        if words:
            raise NotFound(f"{alias[:200]} is not on v{membership.number} any more. {words}")
    if alias in protected_names(ask, project) and ask.text("typed").strip() != alias:
        raise Invalid("Type the alias to confirm that it is to be taken off", field="typed")
    aliases.edit(ask.ctx, membership.version_id, remove=[(place, alias)])


__all__ = ["LINK_SECONDS", "change", "show"]
