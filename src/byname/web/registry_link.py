"""Linking a version from a collection's menu, step by step: team, project, artifact, version (R43)."""

from __future__ import annotations

from dataclasses import dataclass, field

from byname.domain.errors import DomainError, HolderChanged, NotFound, Unprocessable
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.http.router import Router
from byname.operations import collection as collections
from byname.operations import listing, search
from byname.operations import project as projects
from byname.operations import user as users
from byname.web import link_moves, registry
from byname.web.collection import protected_names
from byname.web.looks import project_path, version_path, why_not
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for

CHOICES = 200
"""How many projects, artifacts or versions a step offers; the newest of them."""


def add_page(router: Router, site: Site) -> None:
    """The steps at `.../link?collection=`."""
    router.add("GET", registry.PATH + "/link", page_for(site, read))
    router.add("POST", registry.PATH + "/link", form_for(site, link))


@dataclass(slots=True)
class Step:
    """One choice: what it is called, what there is to choose, and what was chosen."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str
    none: str
    cut: bool = False


@dataclass(slots=True)
class Steps:
    """The steps so far; the last one is not chosen yet, unless all are."""

    shown: list[Step] = field(default_factory=list)
    source: str = ""
    """The full name of the version, once all is chosen."""


def read(ask: Ask) -> Answer:
    """The steps, as far as they were chosen."""
    return _shown(ask)


def _shown(
    ask: Ask, error: DomainError | None = None, moving: link_moves.Moving | None = None
) -> Shown:
    home = registry.find(ask)
    target = collections.get_in(ask.ctx, home, ask.query("collection") or "")
    steps = _steps(ask, home, target.type_name)
    return Shown(
        "registry_link.html",
        {
            "registry": home,
            "here": ask.root + project_path(home),
            "collection": target,
            "steps": steps,
            "why_not": why_not(projects.role_in(ask.ctx, home), Permission.LINK),
            "given": ask.form,
            "moving": moving,
            "protected": sorted(protected_names(ask, home)),
        },
        error,
    )


def _steps(ask: Ask, home: Project, type_name: str) -> Steps:
    steps = Steps()
    teams = [
        each
        for each in users.list_own_teams(ask.ctx)
        if each.organization_id == home.organization_id
    ]
    wanted = ask.query("team") or (teams[0].name if len(teams) == 1 else "")
    team = next((each for each in teams if each.name == wanted), None)
    steps.shown.append(
        Step(
            "team",
            "Team",
            [(each.name, each.name) for each in teams],
            team.name if team else "",
            f"You are in no team of {home.entity_name}; what is linked is logged in one.",
        )
    )
    if team is None:
        return steps
    page = search.projects(ask.ctx, team, order="-created_at", first=CHOICES)
    project = next((each for each in page.items if each.name == ask.query("project")), None)
    steps.shown.append(
        Step(
            "project",
            "Project",
            [(each.name, each.name) for each in page.items],
            project.name if project else "",
            f"Team {team.name} has no project yet.",
            page.has_next,
        )
    )
    if project is None:
        return steps
    lines = search.collections_of_project(
        ask.ctx, project.id, type_name=type_name, order="-created_at", first=CHOICES
    )
    sequences = [each for each in lines.items if each.is_sequence]
    artifact = next((each for each in sequences if each.name == ask.query("artifact")), None)
    steps.shown.append(
        Step(
            "artifact",
            "Artifact",
            [(each.name, each.name) for each in sequences],
            artifact.name if artifact else "",
            f"Project {project.name} has no artifact of type {type_name}.",
            lines.has_next,
        )
    )
    if artifact is None:
        return steps
    found = listing.memberships_of_collection(ask.ctx, artifact.id, below=None, limit=CHOICES + 1)
    aliases = listing.aliases_of_memberships(ask.ctx, [each.id for each in found[:CHOICES]])
    number = ask.query("version") or ""
    chosen = next((each for each in found if f"v{each.number}" == number), None)
    steps.shown.append(
        Step(
            "version",
            "Version",
            [
                (f"v{each.number}", ", ".join([f"v{each.number}", *aliases[each.id]]))
                for each in found[:CHOICES]
            ],
            f"v{chosen.number}" if chosen else "",
            f"{artifact.name} has no version.",
            len(found) > CHOICES,
        )
    )
    if chosen is not None:
        steps.source = f"{team.name}/{project.name}/{artifact.name}:v{chosen.number}"
    return steps


def link(ask: Ask) -> Answer:
    """The version is in the collection with the aliases given, and its page there is shown."""
    home = registry.find(ask)
    target = collections.get_in(ask.ctx, home, ask.query("collection") or "")
    source = ask.text("source").strip()
    aliases = link_moves.aliases_of(ask)
    try:
        if not source:
            raise Unprocessable("Say which version is to be linked", field="source")
        found = collections.resolve_reference(ask.ctx, source)
        before = target.version_count
        _, membership = collections.link(
            ask.ctx,
            collections.NewLink(
                entity=home.entity_name,
                project=home.name,
                collection=target.name,
                version_id=found.version.id,
                aliases=aliases,
                expected=link_moves.expected(ask, home, aliases),
            ),
        )
    except HolderChanged as changed:
        return _shown(ask, *link_moves.asked_again(ask, home, target.name, changed))
    except NotFound as missing:
        return _shown(ask, Unprocessable(missing.message, field="source"))
    except DomainError as error:
        return _shown(ask, error)
    after = collections.get_in(ask.ctx, home, target.name).version_count
    said = (
        f"{source} is v{membership.number} here now."
        if after > before
        else f"{source} was here already, as v{membership.number}."
    )
    return Moved(ask.root + version_path(home, target.name, membership.number), notice=said)
