"""Projects of teams and people over REST, with what was logged in them and their runs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.errors import missing
from byname.domain.project import Project as FoundProject
from byname.domain.run import Run as FoundRun
from byname.domain.run import RunState
from byname.operations import collection as collections
from byname.operations import group, run_list, search
from byname.operations import project as operations
from byname.operations import run as runs
from byname.operations import user as users
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.collection import CollectionName, Collections
from byname.rest.collection import show as show_collections
from byname.rest.once import Router
from byname.rest.registry import After, First, Order
from byname.rest.version import Versions
from byname.rest.version import show as show_versions

router = Router(tags=["projects"])

PROJECT = "/projects/{entity}/{project}"
RUN = PROJECT + "/runs/{run}"

EntityName = Annotated[str, Path(description="The team or person whose project it is.")]
ProjectName = Annotated[str, Path(description="The project.")]
RunName = Annotated[str, Path(description="The run's id, as it stands in its address.")]
Filters = Annotated[str | None, Query(description="JSON, as in the lists of registries.")]
SHOWN_DEPTH = 64
"""What lies deeper in a config or summary is told as JSON text, as on the pages."""


class ProjectEdit(BaseModel):
    """What to change of a project; what is absent stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "zoo"}]})

    name: str | None = None
    description: str | None = None


class Project(BaseModel):
    """A project, where runs and versions are logged."""

    name: str
    full_name: str = Field(description="`entity/project`.")
    description: str | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


class Projects(BaseModel):
    """A page of projects, by name."""

    projects: list[Project]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


class Run(BaseModel):
    """A run of a project."""

    run: str = Field(description="Its id, as it stands in its address.")
    name: str = Field(description="What it is called.")
    full_name: str = Field(description="`entity/project/run`.")
    state: RunState
    group: str | None
    job_type: str | None
    tags: list[str]
    notes: str | None
    author: str | None
    created_at: datetime
    heartbeat_at: datetime = Field(description="When it gave a sign of life last.")


class WholeRun(Run):
    """A run with what it was given and what came of it."""

    config: dict[str, Any] = Field(description="What is nested deeper than 64 stands as JSON text.")
    summary: dict[str, Any] = Field(description="As config.")


class Runs(BaseModel):
    """A page of runs."""

    runs: list[Run]
    total: int
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def find_project(ctx: Context, entity: str, project: str) -> FoundProject:
    """The ordinary project that an address names.

    Raises:
        Unauthenticated: nobody is logged in.
        NotFound: absent or hidden.
    """
    ctx.who  # noqa: B018  Raises for an anonymous asker.
    found = operations.find(ctx, entity, project)
    if found is None or found.is_registry:
        raise missing(f"Project {entity[:80]}/{project[:80]}")
    return found


def _show(ctx: Context, found: list[FoundProject]) -> list[Project]:
    makers = users.load_users(ctx, list({each.created_by for each in found if each.created_by}))
    return [
        Project(
            name=each.name,
            full_name=each.place,
            description=each.description,
            created_by=makers[each.created_by].username if each.created_by in makers else None,
            created_at=each.created_at,
            updated_at=each.updated_at,
        )
        for each in found
    ]


@router.get("/projects/{entity}", summary="List projects")
def list_projects(
    ctx: Asking,
    entity: EntityName,
    filters: Filters = None,
    after: After = None,
    first: First = None,
) -> Projects:
    """List the projects of a team or person that you may see, by name."""
    home = group.get_home(ctx, entity)
    page = search.projects(ctx, home, filters=filters, order="+name", after=after, first=first)
    return Projects(
        projects=_show(ctx, list(page.items)), next=page.end_cursor if page.has_next else None
    )


@router.get(PROJECT, summary="Get a project")
def get_project(ctx: Asking, entity: EntityName, project: ProjectName) -> Project:
    """Get a project."""
    return _show(ctx, [find_project(ctx, entity, project)])[0]


@router.patch(PROJECT, summary="Rename or describe a project")
def edit_project(
    ctx: Asking, entity: EntityName, project: ProjectName, body: ProjectEdit
) -> Project:
    """Change a project's name or description; what is in it stays. For members."""
    found = find_project(ctx, entity, project)
    edited = operations.edit(ctx, found.id, name=body.name, description=body.description)
    return _show(ctx, [edited])[0]


@router.delete(PROJECT, status_code=204, summary="Delete a project")
def delete_project(ctx: Asking, entity: EntityName, project: ProjectName) -> None:
    """Delete a project with its runs and versions; for 7 days it can be restored. For its admins.

    Refused while versions of it are linked elsewhere.
    """
    operations.delete(ctx, find_project(ctx, entity, project).id)


# ---- what was logged in it ---------------------------------------------------------------------


@router.get(PROJECT + "/collections", summary="List what was logged in a project")
def list_collections(
    ctx: Asking,
    entity: EntityName,
    project: ProjectName,
    filters: Filters = None,
    type: Annotated[str | None, Query(description="Of this type only.")] = None,  # noqa: A002
    order: Order = None,
    after: After = None,
    first: First = None,
) -> Collections:
    """List the artifacts of a project, each a line of versions."""
    found = find_project(ctx, entity, project)
    page = search.collections_of_project(
        ctx, found.id, type_name=type, filters=filters, order=order, after=after, first=first
    )
    return Collections(
        collections=show_collections(ctx, found, list(page.items)),
        next=page.end_cursor if page.has_next else None,
    )


@router.get(PROJECT + "/collections/{collection}/versions", summary="List a project's versions")
def list_versions(
    ctx: Asking,
    entity: EntityName,
    project: ProjectName,
    collection: CollectionName,
    filters: Filters = None,
    after: After = None,
    first: First = None,
) -> Versions:
    """List the versions of an artifact of a project, the highest number first."""
    found = find_project(ctx, entity, project)
    place = collections.get_in(ctx, found, collection)
    page = search.versions_of_collection(ctx, place.id, filters=filters, after=after, first=first)
    return Versions(
        versions=show_versions(ctx, found, place, list(page.items)),
        next=page.end_cursor if page.has_next else None,
    )


# ---- its runs ----------------------------------------------------------------------------------


def _shown(ctx: Context, project: FoundProject, found: list[FoundRun]) -> list[dict[str, Any]]:
    makers = users.load_users(ctx, list({each.created_by for each in found if each.created_by}))
    return [
        {
            "run": each.name,
            "name": each.display_name,
            "full_name": f"{project.place}/{each.name}",
            "state": each.state,
            "group": each.group,
            "job_type": each.job_type,
            "tags": list(each.tags),
            "notes": each.notes,
            "author": makers[each.created_by].username if each.created_by in makers else None,
            "created_at": each.created_at,
            "heartbeat_at": each.heartbeat_at,
        }
        for each in found
    ]


@router.get(PROJECT + "/runs", summary="List runs")
def list_runs(
    ctx: Asking,
    entity: EntityName,
    project: ProjectName,
    text: Annotated[
        str, Query(alias="q", max_length=128, description="Part of a name, an id or a tag.")
    ] = "",
    state: Annotated[RunState | None, Query(description="In this state only.")] = None,
    order: Annotated[
        Literal["-created", "created", "name", "-name"],
        Query(description="Newest first, when not said."),
    ] = "-created",
    after: After = None,
    first: First = None,
) -> Runs:
    """List the runs of a project."""
    found = find_project(ctx, entity, project)
    wish = run_list.Wish(text.strip(), state, order)
    page = run_list.page(ctx, found, wish, after=after, first=first)
    return Runs(
        runs=[Run(**each) for each in _shown(ctx, found, list(page.items))],
        total=page.count() or 0,
        next=page.end_cursor if page.has_next else None,
    )


def _find_run(ctx: Context, entity: str, project: str, run: str) -> tuple[FoundProject, FoundRun]:
    home = find_project(ctx, entity, project)
    found = runs.find(ctx, home, run)
    if found is None:
        raise missing(f"Run {run[:80]!r} of {home.place}")
    return home, found


@router.get(RUN, summary="Get a run")
def get_run(ctx: Asking, entity: EntityName, project: ProjectName, run: RunName) -> WholeRun:
    """Get a run with its config and summary."""
    home, found = _find_run(ctx, entity, project, run)
    config, summary = runs.documents_of_many(ctx, [found.id])[found.id]
    (shown,) = _shown(ctx, home, [found])
    return WholeRun(**shown, config=_object(config), summary=_object(summary))


def _object(text: str) -> dict[str, Any]:
    # What the client wrote as NaN or Infinity is no JSON; pages show nothing for it, too.
    value = json.loads(text, parse_constant=lambda _: None)
    return _sendable(value, SHOWN_DEPTH) if isinstance(value, dict) else {}


def _sendable(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        # A lone surrogate, which a script may have written, cannot be sent.
        return value.encode("utf-8", "replace").decode()
    if not isinstance(value, dict | list):
        return value
    if not levels:
        try:
            return json.dumps(value)
        except RecursionError:
            return "…"
    if isinstance(value, list):
        return [_sendable(each, levels - 1) for each in value]
    return {_sendable(key, 0): _sendable(each, levels - 1) for key, each in value.items()}


@router.post(RUN + "/stop", status_code=204, summary="Stop a run")
def stop_run(ctx: Asking, entity: EntityName, project: ProjectName, run: RunName) -> None:
    """Tell a run to stop at its next sign of life; one that has ended is left as it is.

    For members of the project.
    """
    runs.stop(ctx, _find_run(ctx, entity, project, run)[1].id)


@router.delete(RUN, status_code=204, summary="Delete a run")
def delete_run(
    ctx: Asking,
    entity: EntityName,
    project: ProjectName,
    run: RunName,
    delete_versions: Annotated[
        bool, Query(description="The versions that it logged go too, all or none.")
    ] = False,
) -> None:
    """Delete a run. For members of the project. Refused when a version that is to go is linked."""
    runs.delete(ctx, _find_run(ctx, entity, project, run)[1].id, delete_artifacts=delete_versions)
