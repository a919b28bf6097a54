"""Runs: creating or changing one, its state, deleting it; and finding and listing them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from byname.domain import filter as filters
from byname.domain import filter_text as filter_reader
from byname.domain import run as rules
from byname.domain import run_filter
from byname.domain.entity import User
from byname.domain.errors import Unprocessable, missing
from byname.domain.page import Page, decode_cursor, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.run import Run, RunState
from byname.domain.run_filter import RUN_FIELDS
from byname.domain.run_line import is_storable
from byname.operations import access, run_branch, run_event
from byname.operations import project as project_operations
from byname.operations import version as version_operations
from byname.operations.context import Context
from byname.store import lineage as lineage_rows
from byname.store import project as project_rows
from byname.store import run as run_rows
from byname.store import run_watch as run_watch_rows
from byname.store import user as user_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds, moment

NAME_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
SCAN = 200
"""So many runs are looked at in one go while a filter searches."""


@dataclass(frozen=True, slots=True)
class RunChange:
    """What a client says of a run; None leaves a thing as it is."""

    id: int | None = None
    """The run to change. Without it: by entity, project and name, made when missing."""
    entity: str | None = None
    project: str | None = None
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    notes: str | None = None
    config: str | None = None
    """The whole config as JSON text."""
    summary: str | None = None
    """The whole summary as JSON text."""
    tags: Sequence[str] | None = None
    group: str | None = None
    job_type: str | None = None
    sweep: str | None = None
    commit: str | None = None
    repo: str | None = None
    program: str | None = None
    host: str | None = None
    state: str | None = None


def upsert(ctx: Context, change: RunChange) -> tuple[Run, bool]:
    """The run exists and is as said (protocol 12.2), and whether it is new. Safe to repeat.

    Without an entity it is the actor's own; a missing project is made. A new run whose config says
    from which run it branches off begins with that run's history (`run_branch`).

    Raises:
        NotFound: the entity, or the run of that id, or the run it branches off from, is absent.
        Forbidden: the role there is below Member.
        Unprocessable: a value is not allowed, or runs cannot live there.
    """
    columns = _columns(change)
    state = None if change.state is None else rules.parse_state(change.state)
    if change.name is not None:
        rules.check_run_name(change.name)
    with ctx.database.write() as tx:
        if change.id is not None:
            run, project = open_by_id(ctx, tx, change.id, Permission.LOG)
            inserted = False
        else:
            project = project_operations.ensure(
                ctx, tx, change.entity, change.project, Permission.LOG
            )
            found = (
                None if change.name is None else run_rows.find_by_name(tx, project.id, change.name)
            )
            inserted = found is None
            run = found or _add(ctx, tx, project, change, state)
            if inserted:
                run_branch.copy_branch(tx, run, change.config)
        if state is not None and not inserted:
            columns["state"] = state.value
            columns["heartbeat_at"] = ctx.now()
        run_rows.edit(tx, run.id, columns)
        changed = run_rows.find(tx, run.id)
        if changed is None:
            raise missing("This run")
        if inserted or state is not None:
            # With its new name and config, which automations may ask for.
            before = replace(changed, state=run.state)
            run_event.notice(ctx, tx, project, before, state=changed.state, is_new=inserted)
        return seen(ctx, changed), inserted


def _columns(change: RunChange) -> dict[str, Any]:
    """The columns that change, each value checked."""
    tags = rules.check_run_tags(change.tags)
    wanted = {
        "display_name": rules.check_short_text(change.display_name, "The display name") or None,
        "description": rules.check_long_text(change.description, "The description"),
        "notes": rules.check_long_text(change.notes, "The notes"),
        "config": rules.check_object(change.config, "The config"),
        "summary": rules.check_object(change.summary, "The summary"),
        "tags": None if tags is None else json.dumps(tags),
        "group_name": rules.check_short_text(change.group, "The group"),
        "job_type": rules.check_short_text(change.job_type, "The job type"),
        "sweep_name": rules.check_short_text(change.sweep, "The sweep"),
        "git_commit": rules.check_short_text(change.commit, "The commit"),
        "repo": rules.check_long_text(change.repo, "The repository"),
        "program": rules.check_long_text(change.program, "The program"),
        "host": rules.check_short_text(change.host, "The host"),
    }
    return {column: value for column, value in wanted.items() if value is not None}


def _add(
    ctx: Context, tx: Transaction, project: Project, change: RunChange, state: RunState | None
) -> Run:
    number = run_rows.count_ever(tx, project.id) + 1
    name = change.name or "".join(secrets.choice(NAME_SIGNS) for _ in range(8))
    run_id = run_rows.add(
        tx,
        project_id=project.id,
        name=name,
        display_name=change.display_name or rules.make_display_name(secrets.choice, number),
        state=state or RunState.RUNNING,
        created_by=ctx.who.user_id,
        at=ctx.now(),
    )
    run = run_rows.find(tx, run_id)
    if run is None:
        raise missing("This run")
    return run


def seen(ctx: Context, run: Run) -> Run:
    """The run with the state it has now: silence makes a difference (see `state_at`)."""
    state = rules.state_at(run.state, run.heartbeat_at, moment(ctx.now()))
    return run if state is run.state else replace(run, state=state)


def open_by_id(
    ctx: Context, tx: Transaction, run_id: int, permission: Permission
) -> tuple[Run, Project]:
    """The run, which the actor has the permission for, and its project; for use by operations.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is too low.
    """
    run = run_rows.find(tx, run_id)
    project = None if run is None else project_rows.find(tx, run.project_id)
    if run is None or project is None:
        raise missing("This run")
    access.require(ctx, tx, project, permission, "This run")
    return run, project


def open_by_name(
    ctx: Context, tx: Transaction, entity: str, project: str, name: str, permission: Permission
) -> tuple[Run, Project]:
    """As `open_by_id`, by the run's path."""
    what = f"Run {entity[:100]}/{project[:100]}/{name[:100]}"
    home = project_operations.find_by_name(tx, entity, project)
    run = None if home is None else _find_named(tx, home, name)
    if home is None or run is None:
        raise missing(what)
    access.require(ctx, tx, home, permission, what)
    return run, home


def find(ctx: Context, project: Project, name: str) -> Run | None:
    """The project's run of that name; None where it is absent or hidden."""
    with ctx.database.read() as tx:
        if not access.may(ctx, tx, project, Permission.SEE):
            return None
        run = _find_named(tx, project, name)
        return None if run is None else seen(ctx, run)


def _find_named(tx: Transaction, project: Project, name: str) -> Run | None:
    """The project's run of that name; names that no row can have find nothing."""
    if len(name) > rules.RUN_NAME_LENGTH_MAX or not is_storable(name):
        return None
    return run_rows.find_by_name(tx, project.id, name)


def documents_of_many(ctx: Context, run_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Config and summary of runs that the actor was shown, as JSON text."""
    with ctx.database.read() as tx:
        return run_rows.documents_of_many(tx, run_ids)


def list_page(
    ctx: Context,
    project: Project,
    *,
    filter_text: str | None = None,
    order: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[Run]:
    """The project's runs that the filter lets through, oldest first (`-created_at`: newest first).

    Raises:
        Unprocessable: the filter cannot be read or asks about an unknown field; the cursor is not
            of this list.
    """
    limit = parse_first(first, 50)
    newest_first = order in ("-created_at", "-createdAt")
    kind = "runs-" if newest_first else "runs+"
    place = None if not after else _place(kind, after)
    with ctx.database.read() as tx:
        matching = _matching(
            ctx, tx, project, filter_text, after=place, newest_first=newest_first, limit=limit + 1
        )
        runs = list(islice(matching, limit + 1))
    return page_of(
        runs,
        limit,
        lambda run: encode_cursor(kind, microseconds(run.created_at), run.id),
        total=lambda: count(ctx, project, filter_text),
    )


Place = tuple[int, int]


def _place(kind: str, after: str) -> Place:
    match decode_cursor(kind, after):
        case [int(at), int(run_id)]:
            return at, run_id
    raise Unprocessable("This cursor is not one of ours; start again without it", field="after")


def count(ctx: Context, project: Project, filter_text: str | None = None) -> int:
    """How many of the project's runs the filter lets through. Raises as `list_page`."""
    with ctx.database.read() as tx:
        if filter_reader.parse(filter_text, RUN_FIELDS) is None:
            if not access.may(ctx, tx, project, Permission.SEE):
                return 0
            return run_rows.count_of_project(tx, project.id)
        matching = _matching(
            ctx, tx, project, filter_text, after=None, newest_first=False, limit=SCAN
        )
        return sum(1 for _ in matching)


def _matching(
    ctx: Context,
    tx: Transaction,
    project: Project,
    filter_text: str | None,
    *,
    after: Place | None,
    newest_first: bool,
    limit: int,
) -> Iterator[Run]:
    wanted = filter_reader.parse(filter_text, RUN_FIELDS)
    if not access.may(ctx, tx, project, Permission.SEE):
        return
    chunk = limit if wanted is None else SCAN
    while True:
        rows = run_rows.list_of_project(
            tx, project.id, after=after, newest_first=newest_first, limit=chunk
        )
        runs = [seen(ctx, run) for run in rows]
        yield from runs if wanted is None else _filtered(tx, runs, wanted)
        if len(rows) < chunk:
            return
        after = microseconds(rows[-1].created_at), rows[-1].id


def _filtered(tx: Transaction, runs: list[Run], wanted: filters.Node) -> Iterator[Run]:
    """The runs that the filter lets through; what it asks about is loaded for all at once."""
    asked = run_filter.names_in(wanted)
    documents: dict[int, tuple[str, str]] = {}
    makers: dict[int, User] = {}
    if asked & {run_filter.CONFIG, run_filter.SUMMARY}:
        documents = run_rows.documents_of_many(tx, [run.id for run in runs])
    if run_filter.USERNAME in asked:
        makers = user_rows.find_many(
            tx, sorted({run.created_by for run in runs if run.created_by is not None})
        )
    for run in runs:
        maker = makers.get(run.created_by or 0)
        fields = run_filter.RunFields(
            run, documents.get(run.id, ("{}", "{}")), None if maker is None else maker.username
        )
        if run_filter.holds(wanted, fields):
            yield run


def set_state(ctx: Context, run_id: int, wanted: str) -> None:
    """The run has the state that somebody set by hand.

    Raises:
        NotFound, Forbidden: as `open_by_id`.
        Conflict: there is no way from its present state.
        Unprocessable: there is no such state.
    """
    state = rules.parse_state(wanted)
    with ctx.database.write() as tx:
        run, project = open_by_id(ctx, tx, run_id, Permission.LOG)
        rules.check_update(seen(ctx, run).state, state)
        run_event.notice(ctx, tx, project, seen(ctx, run), state=state)
        run_rows.edit(tx, run.id, {"state": state.value, "heartbeat_at": ctx.now()})


def id_of(ctx: Context, entity: str, project: str, name: str) -> int:
    """The number of the run at a path.

    Raises:
        NotFound: absent or hidden.
    """
    with ctx.database.read() as tx:
        return open_by_name(ctx, tx, entity, project, name, Permission.SEE)[0].id


def stop(ctx: Context, run_id: int) -> None:
    """The run is told to stop at its next sign of life; one that has ended is left as it is.

    Raises:
        NotFound, Forbidden: as `open_by_id`.
    """
    with ctx.database.write() as tx:
        run, _ = open_by_id(ctx, tx, run_id, Permission.LOG)
        if seen(ctx, run).state in rules.ALIVE:
            run_rows.edit(tx, run.id, {"stop_requested": 1})


def delete(ctx: Context, run_id: int, *, delete_artifacts: bool = False) -> None:
    """The run is hidden and its name is free; on request the versions it logged are deleted too.

    Raises:
        NotFound, Forbidden: as `open_by_id`.
        Conflict: a version that should go is linked somewhere; nothing is deleted.
    """
    with ctx.database.write() as tx:
        run, _ = open_by_id(ctx, tx, run_id, Permission.DELETE_RUN)
        if delete_artifacts:
            for version_id in lineage_rows.made_by(tx, run.id):
                version_operations.delete(ctx, version_id, delete_aliases=True)
        run_rows.remove(tx, run.id, ctx.now())
        run_watch_rows.forget_run(tx, run.id)
