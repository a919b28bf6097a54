"""The page of a version in a collection, and its tabs (R178); its aliases and tags (R73)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from byname.domain.collection import Collection, Membership
from byname.domain.errors import DomainError, Forbidden, Invalid, missing
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version
from byname.operations import alias as aliases
from byname.operations import collection as collections
from byname.operations import content, lineage, listing, overview
from byname.operations import project as projects
from byname.operations import user as users
from byname.operations import version as operations
from byname.web.collection import DESCRIPTION_LENGTH_MAX, protected_names
from byname.web.looks import collection_path, full_name, version_path, why_not, with_query
from byname.web.tree import make_tree
from byname.web.visitor import Answer, Ask, Moved, Shown

TABS = ("version", "metadata", "usage", "files")
FILES = 100
OTHERS = 50
LINK_SECONDS = 900
CONFIRMED = ("remove-alias", "unlink")


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
) -> Shown:
    """The version's page, or the one that asks whether an alias is really to be removed.

    Raises:
        NotFound: there is no such version in that collection.
    """
    collection, membership, version = _find(ask, project, name, ref)
    role = projects.role_in(ask.ctx, project)
    here = ask.root + version_path(
        project, collection.name, membership.number, collection.type_name
    )
    tab = ask.query("tab") or TABS[0]
    values: dict[str, Any] = {
        "project": project,
        "collection": collection,
        "membership": membership,
        "version": version,
        "here": here,
        "up": ask.root + collection_path(project, collection.name, collection.type_name),
        "tab": tab if tab in TABS else TABS[0],
        "tabs": TABS,
        "role": role,
        "aliases": listing.aliases_of_memberships(ask.ctx, [membership.id])[membership.id],
        "protected": protected_names(ask, project),
        "full_name": full_name(project, collection.name, f"v{membership.number}"),
        "others": listing.memberships_of_collection(
            ask.ctx, collection.id, below=None, limit=OTHERS
        ),
        "may_alias": why_not(role, Permission.ALIAS),
        "may_protect": why_not(role, Permission.PROTECTED_ALIAS),
        "may_edit": why_not(role, Permission.EDIT_VERSION),
        "may_unlink": why_not(role, Permission.UNLINK),
        "where": where,
        "given": ask.form,
    }
    confirm = ask.query("confirm")
    if confirm in CONFIRMED:
        return _confirm(ask, values, confirm, error)
    more = {"version": _facts, "metadata": _metadata, "usage": _usage, "files": _files}
    template = f"version_{values['tab']}.html"
    part: Callable[[Ask, dict[str, Any]], dict[str, Any]] = more[values["tab"]]
    return Shown(template, values | part(ask, values), error)


def _confirm(ask: Ask, values: dict[str, Any], wish: str, error: DomainError | None) -> Shown:
    alias = ask.query("alias") or ""
    if wish == "remove-alias" and alias not in values["aliases"] and error is None:
        raise missing(f"Alias {alias[:200]!r} on {values['full_name']}")
    held = [each for each in values["aliases"] if each in values["protected"]]
    typed = wish == "remove-alias" and alias in values["protected"]
    return Shown(
        "confirm.html",
        {**values, "wish": wish, "alias": alias, "typed": typed, "held": held},
        error,
    )


def _facts(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    version: Version = values["version"]
    people = users.load_users(
        ask.ctx,
        [
            each
            for each in {version.created_by, values["membership"].created_by}
            if each is not None
        ],
    )
    runs = lineage.makers_of_many(ask.ctx, [version.run_id] if version.run_id else [])
    run = runs.get(version.run_id) if version.run_id else None
    found = overview.standings(ask.ctx, [version.id])
    places = listing.memberships_of_version(ask.ctx, version.id, after=0, limit=OTHERS)
    homes = listing.collections(ask.ctx, [each.collection_id for each in places])
    shown = overview.visible_projects(ask.ctx, [each.project_id for each in homes.values()])
    source = found.get(version.id)
    return {
        "tags": listing.version_tags(ask.ctx, [version.id])[version.id],
        "author": people.get(version.created_by or 0),
        "linker": people.get(values["membership"].created_by or 0),
        "run": run,
        "run_project": None if run is None else shown.get(run.project_id),
        "source": source if source and source.project.id == version.project_id else None,
        "places": [
            (shown[homes[each.collection_id].project_id], homes[each.collection_id], each)
            for each in places
            # The source has a line of its own.
            if each.id != values["membership"].id and each.collection_id != version.collection_id
        ],
        "editable": len(version.description or "") <= DESCRIPTION_LENGTH_MAX,
    }


def _metadata(_ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    nodes, cut = make_tree(json.loads(values["version"].metadata or "{}"))
    return {"nodes": nodes, "cut": cut}


def _usage(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    project: Project = values["project"]
    ref = next(iter(values["aliases"]), f"v{values['membership'].number}")
    return {
        "ref": full_name(project, values["collection"].name, ref),
        "teams": users.list_own_teams(ask.ctx),
    }


def _files(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    version: Version = values["version"]
    try:
        page = content.list_files(
            ask.ctx,
            version,
            through=values["project"].id,
            after=ask.query("after") or "",
            limit=FILES,
        )
    except Forbidden as refusal:
        return {"refusal": refusal.message, "files": [], "more": None, "later": False}
    expires_at = int(time.time()) + LINK_SECONDS
    files = []
    for entry in page.entries:
        link = None
        if entry.sha256 is not None and entry.ref is None:
            token = ask.site.signer.sign(
                "version-file",
                [
                    ask.ctx.who.user_id,
                    page.project_id,
                    page.namespace,
                    entry.sha256,
                    entry.path.rpartition("/")[2],
                ],
                expires_at,
            )
            link = f"{ask.root}content/version-file/{quote(token)}"
        files.append((entry, link))
    last = page.entries[-1].path if page.entries else ""
    return {
        "refusal": None,
        "files": files,
        "more": with_query(values["here"], tab="files", after=last) if page.has_next else None,
        "later": bool(ask.query("after")),
    }


def change(ask: Ask, project: Project, name: str, ref: str) -> Answer:
    """Change aliases, tags or description, or unlink; the operation decides who may (R92, R179)."""
    collection, membership, version = _find(ask, project, name, ref)
    place = aliases.Place(project.entity_name, project.name, collection.name)
    wish = ask.text("do")
    here = version_path(project, collection.name, membership.number, collection.type_name)
    try:
        if wish == "add-alias":
            aliases.edit(ask.ctx, version.id, add=[(place, ask.text("alias").strip())])
        elif wish == "remove-alias":
            _remove_alias(ask, project, version, place)
        elif wish in ("add-tag", "remove-tag"):
            tags = [ask.text("tag").strip()]
            edit = (
                operations.VersionEdit(add_tags=tags)
                if wish == "add-tag"
                else operations.VersionEdit(remove_tags=tags)
            )
            operations.edit(ask.ctx, version.id, edit)
        elif wish == "describe":
            text = ask.text("description").replace("\r\n", "\n")
            operations.edit(ask.ctx, version.id, operations.VersionEdit(description=text))
        elif wish == "unlink":
            collections.unlink(ask.ctx, version.id, collection.id)
            here = collection_path(project, collection.name, collection.type_name)
        else:
            raise Invalid("This form is not one of this page")
    except DomainError as error:
        return show(ask, project, name, ref, error, wish)
    return Moved(ask.root + here)


def _remove_alias(ask: Ask, project: Project, version: Version, place: aliases.Place) -> None:
    alias = ask.text("alias")
    if alias in protected_names(ask, project) and ask.text("typed").strip() != alias:
        raise Invalid("Type the alias to confirm that it is to be taken off", field="typed")
    aliases.edit(ask.ctx, version.id, remove=[(place, alias)])
