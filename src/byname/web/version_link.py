"""*Link to registry*: from a version in a project into a collection of a registry (R43)."""

from __future__ import annotations

from typing import Any

from byname.domain.errors import DomainError, HolderChanged, NotFound, Unprocessable
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version
from byname.operations import collection as collections
from byname.operations import overview, search
from byname.operations import project as projects
from byname.operations import registry as registries
from byname.operations import user as users
from byname.web import link_moves
from byname.web.looks import segment, version_path, why_not
from byname.web.visitor import Ask, Shown

REGISTRIES = 200
COLLECTIONS = 200
FIELDS = ("registry", "collection", "aliases")


def show(ask: Ask, values: dict[str, Any], error: DomainError | None) -> Shown:
    """First which registry, then which collection and with which aliases."""
    project: Project = values["project"]
    version: Version = values["version"]
    organization = next(
        (
            each
            for each in users.list_own_organizations(ask.ctx)
            if each.id == project.organization_id
        ),
        None,
    )
    values = {**values, "organization": organization, "registry": None}
    if organization is None:
        return Shown("version_link.html", {**values, "cards": []}, error)
    wanted = ask.query("link") or ""
    try:
        home = registries.get_by_name(ask.ctx, organization.name, wanted) if wanted else None
    except NotFound as absent:
        home, error = None, error or absent
    if home is None:
        cards, _ = overview.registries(ask.ctx, organization, first=REGISTRIES)
        return Shown(
            "version_link.html",
            {
                **values,
                "cards": [
                    (each.registry, _why_not(each.registry, each.role, each.types, version))
                    for each in cards
                ],
                "new": f"{ask.root}orgs/{segment(organization.name)}/new-registry",
            },
            error,
        )
    moving = None
    if isinstance(error, HolderChanged):
        error, moving = link_moves.asked_again(ask, home, ask.text("collection").strip(), error)
    page = search.collections_of_project(
        ask.ctx, home.id, type_name=version.type_name, order="+name", first=COLLECTIONS
    )
    return Shown(
        "version_link.html",
        {
            **values,
            "registry": home,
            "may_link": why_not(projects.role_in(ask.ctx, home), Permission.LINK),
            "collections": [each for each in page.items if not each.is_sequence],
            "given": {each: ask.text(each) for each in FIELDS},
            "moving": moving,
        },
        error,
    )


def _why_not(home: Project, role: Any, types: list[str], version: Version) -> str | None:
    reason = why_not(role, Permission.LINK)
    if reason is None and not home.all_types and version.type_name not in types:
        listed = ", ".join(types) or "none yet"
        reason = f"It takes no artifact of type {version.type_name}; accepted: {listed}."
    return reason


def link(ask: Ask, version: Version) -> tuple[str, str]:
    """The version is in the collection; its page there, and what is to be said on it.

    Raises:
        NotFound, Forbidden, Conflict, Unprocessable: as linking does.
    """
    if not ask.text("registry"):
        raise Unprocessable("Choose the registry that is to hold the version", field="registry")
    home = registries.get_by_name(ask.ctx, ask.text("organization"), ask.text("registry"))
    name = ask.text("collection").strip()
    aliases = link_moves.aliases_of(ask)
    collection, membership = collections.link(
        ask.ctx,
        collections.NewLink(
            entity=home.entity_name,
            project=home.name,
            collection=name,
            version_id=version.id,
            aliases=aliases,
            expected=link_moves.expected(ask, home, aliases),
        ),
    )
    to = version_path(home, collection.name, membership.number)
    return to, f"Linked as v{membership.number} of {collection.name}."
