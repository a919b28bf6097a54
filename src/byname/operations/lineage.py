"""Which runs used which versions, and which made them (R151, R157)."""

from __future__ import annotations

from byname.domain import run as rules
from byname.domain.errors import Conflict, missing
from byname.domain.page import (
    WHOLE_MAX,
    Page,
    decode_id,
    encode_cursor,
    page_of,
    parse_first,
)
from byname.domain.policy import Permission
from byname.domain.run import Run
from byname.domain.version import Version, VersionState
from byname.operations import access, reading
from byname.operations import project as project_operations
from byname.operations import version as version_operations
from byname.operations.context import Context
from byname.operations.run import open_by_name, seen
from byname.store import lineage as lineage_rows
from byname.store import project as project_rows
from byname.store import run as run_rows
from byname.store import version as version_rows
from byname.store.database import Transaction


def use_version(
    ctx: Context,
    *,
    entity: str,
    project: str,
    run_name: str,
    version_id: int,
    used_as: str | None = None,
    through_entity: str | None = None,
    through_project: str | None = None,
) -> Version:
    """It is written down that the run used the version, once however often it is said.

    Use through a registry counts as use of the source version (R151).

    - The run's project: Member.
    - The project through which the version was reached: Viewer, and the version lies or is linked
      there. Where none is named, any project in which the actor may use it.

    Raises:
        NotFound: run, version or project is absent or hidden, or the version is not in the project.
        Forbidden: a role is too low.
        Conflict: the version is not committed yet.
        Unprocessable: the name it is used as cannot be stored.
    """
    rules.check_short_text(used_as, "The name a version is used as")
    with ctx.database.write() as tx:
        run, _ = open_by_name(ctx, tx, entity, project, run_name, Permission.LOG)
        version = version_rows.find(tx, version_id)
        if version is None or not version_operations.visible(ctx, tx, version, Permission.SEE):
            raise missing("This version")
        if version.state is not VersionState.COMMITTED:
            raise Conflict("This version is not committed yet, so it cannot be used")
        through_id = None
        if through_entity and through_project:
            through_id = _through(ctx, tx, version, through_entity, through_project)
        elif not version_operations.visible(ctx, tx, version, Permission.USE):
            source = project_rows.find(tx, version.project_id)
            if source is None:
                raise missing("This version")
            access.require(ctx, tx, source, Permission.USE, "This version")
        lineage_rows.add_input(
            tx,
            run.id,
            version.id,
            used_as=used_as,
            through_project_id=through_id,
            at=ctx.now(),
        )
        reached = project_rows.find(tx, version.project_id if through_id is None else through_id)
        if reached is not None:
            reading.note(ctx, reached, version)
        return version


def _through(
    ctx: Context, tx: Transaction, version: Version, entity: str, project_name: str
) -> int:
    what = f"This version in {entity[:100]}/{project_name[:200]}"
    project = project_operations.find_by_name(tx, entity, project_name)
    if project is None:
        raise missing(what)
    access.require(ctx, tx, project, Permission.USE, what)
    if project.id not in lineage_rows.projects_of_versions(tx, [version.id])[version.id]:
        raise missing(what)
    return project.id


def inputs_of(
    ctx: Context, run: Run, *, after: str | None = None, first: int | None = None
) -> Page[int]:
    """The ids of versions the run used, of those the actor may see somewhere, oldest first."""
    return _versions(ctx, run, "input", after, first)


def outputs_of(
    ctx: Context, run: Run, *, after: str | None = None, first: int | None = None
) -> Page[int]:
    """The ids of versions the run made or logged again, of those the actor may see somewhere."""
    return _versions(ctx, run, "output", after, first)


def _versions(ctx: Context, run: Run, side: str, after: str | None, first: int | None) -> Page[int]:
    limit = parse_first(first, 50)
    start = decode_id(side, after)
    with ctx.database.read() as tx:
        visible = sorted(
            access.visible_projects(ctx, lineage_rows.projects_of_side(tx, run.id, side))
        )
        ids = lineage_rows.version_ids(tx, run.id, side, visible, after=start, limit=limit + 1)
        total = lineage_rows.count_versions(tx, run.id, side, visible)
    return page_of(ids, limit, lambda version_id: encode_cursor(side, version_id), total=total)


def users_of(
    ctx: Context, version_id: int, *, after: str | None = None, first: int | None = None
) -> Page[Run]:
    """The runs that used a version which the actor was shown, of those the actor may see.

    Runs in hidden projects are left out without a trace (R112).
    """
    limit = parse_first(first, 50, WHOLE_MAX)
    start = decode_id("users", after)
    with ctx.database.read() as tx:
        homes = access.visible_projects(ctx, lineage_rows.projects_of_users(tx, version_id))
        runs = lineage_rows.list_users(tx, version_id, sorted(homes), after=start, limit=limit + 1)
    return page_of(
        [seen(ctx, run) for run in runs], limit, lambda run: encode_cursor("users", run.id)
    )


def makers_of_many(ctx: Context, run_ids: list[int]) -> dict[int, Run]:
    """Of the runs that made versions which the actor was shown, those the actor may see."""
    with ctx.database.read() as tx:
        runs = run_rows.find_many(tx, run_ids)
        homes = access.visible_projects(ctx, {run.project_id for run in runs.values()})
    return {run_id: seen(ctx, run) for run_id, run in runs.items() if run.project_id in homes}
