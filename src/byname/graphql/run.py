"""Runs: making and changing them, and what a script reported of itself."""

from __future__ import annotations

import json
from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain.entity import User
from byname.domain.errors import Unprocessable
from byname.domain.file_stream import EVENTS, HISTORY
from byname.domain.page import Page
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.run import Run, wandb_config
from byname.domain.run_alert import parse_wait
from byname.graphql import loaders
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.ids import from_id, to_id
from byname.operations import project as project_operations
from byname.operations import run as operations
from byname.operations import run_alert, run_rewind
from byname.operations import run_history as history
from byname.operations.user import load_users

mutation = MutationType()
project_type = ObjectType("Project")
run_type = ObjectType("Run")

RUN = "Run"


# ---- loaders -----------------------------------------------------------------------------------


def documents(request: RequestContext) -> Loader[int, tuple[str, str]]:
    """Config and summary, by run id."""
    return request.loader(
        "run_documents",
        lambda ids: operations.documents_of_many(request.ctx, ids),
        lambda: ("{}", "{}"),
    )


def last_lines(request: RequestContext, stream: str) -> Loader[int, str | None]:
    """The newest line of a stream, by run id."""
    return request.loader(
        f"run_last_{stream}", lambda ids: history.last_line_of_many(request.ctx, ids, stream)
    )


def logged_keys(request: RequestContext) -> Loader[int, Any]:
    """The keys of the history, by run id."""
    return request.loader("run_keys", lambda ids: history.keys_of_many(request.ctx, ids))


def users(request: RequestContext) -> Loader[int, User | None]:
    """Users by id."""
    return request.loader("users", lambda ids: load_users(request.ctx, ids))


def run_connection(request: RequestContext, page: Page[Run]) -> Connection:
    """A page of runs. What is asked of its runs is loaded for all of them at once."""
    runs = page.items
    ids = [run.id for run in runs]
    documents(request).expect(ids)
    logged_keys(request).expect(ids)
    last_lines(request, EVENTS).expect(ids)
    last_lines(request, HISTORY).expect(ids)
    users(request).expect({run.created_by for run in runs if run.created_by is not None})
    loaders.projects(request).expect({run.project_id for run in runs})
    return connection(page)


# ---- in a project ------------------------------------------------------------------------------


@project_type.field("run")
def resolve_run(project: Project, info: Info, name: str, desc: str | None = None) -> Run | None:
    """The project's run of that name, or null."""
    return operations.find(info.context.ctx, project, name)


@project_type.field("bucket")
def resolve_bucket(
    project: Project, info: Info, name: str, missing_ok: bool | None = None
) -> Run | None:
    """As `run`, under its older name."""
    return operations.find(info.context.ctx, project, name)


@project_type.field("runs")
def resolve_runs(
    project: Project,
    info: Info,
    filters: str | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> Connection:
    """The project's runs that the filter lets through."""
    request = info.context
    page = operations.list_page(
        request.ctx, project, filter_text=filters, order=order, after=after, first=first
    )
    return run_connection(request, page)


@project_type.field("runCount")
def resolve_run_count(project: Project, info: Info, filters: str | None = None) -> int:
    """How many runs the filter lets through."""
    return operations.count(info.context.ctx, project, filters)


# ---- fields ------------------------------------------------------------------------------------


@run_type.field("id")
def resolve_id(run: Run, _info: Info) -> str:
    """The opaque id."""
    return to_id(RUN, run.id)


@run_type.field("project")
def resolve_project(run: Run, info: Info) -> Project | None:
    """The run's project."""
    return loaders.projects(info.context).get(run.project_id)


@run_type.field("tags")
def resolve_tags(run: Run, _info: Info) -> list[str]:
    """The tags, in the order in which they were given."""
    return list(run.tags)


@run_type.field("state")
def resolve_state(run: Run, _info: Info) -> str:
    """The state as it is seen now."""
    return run.state.value


@run_type.field("stopped")
def resolve_stopped(run: Run, _info: Info) -> bool:
    """Whether somebody asked the run to stop."""
    return run.stop_requested


@run_type.field("config")
def resolve_config(run: Run, info: Info) -> str:
    """The whole config."""
    return documents(info.context).get(run.id)[0]


@run_type.field("summaryMetrics")
def resolve_summary(run: Run, info: Info) -> str:
    """The whole summary."""
    return documents(info.context).get(run.id)[1]


@run_type.field("systemMetrics")
def resolve_system_metrics(run: Run, info: Info) -> str:
    """The newest system metrics."""
    return history.system_metrics(last_lines(info.context, EVENTS).get(run.id))


@run_type.field("wandbConfig")
def resolve_wandb_config(run: Run, info: Info, keys: list[str] | None = None) -> str:
    """The client's own notes of these keys (protocol 9.5)."""
    return json.dumps(wandb_config(documents(info.context).get(run.id)[0], keys or []))


@run_type.field("readOnly")
def resolve_read_only(run: Run, info: Info) -> bool:
    """Whether the caller may not change the run."""
    request = info.context
    project = loaders.projects(request).get(run.project_id)
    role = None if project is None else project_operations.role_in(request.ctx, project)
    return role is None or role < Permission.LOG.least


@run_type.field("user")
def resolve_user(run: Run, info: Info) -> User | None:
    """Who started the run."""
    return None if run.created_by is None else users(info.context).get(run.created_by)


@run_type.field("historyLineCount")
def resolve_history_count(run: Run, _info: Info) -> int:
    """How many history lines are stored: where a resumed run goes on."""
    return run.history_count


@run_type.field("eventsLineCount")
def resolve_events_count(run: Run, _info: Info) -> int:
    """How many lines of system metrics are stored."""
    return run.events_count


@run_type.field("logLineCount")
def resolve_log_count(run: Run, _info: Info) -> int:
    """How many console lines are stored."""
    return run.log_count


@run_type.field("historyTail")
def resolve_history_tail(run: Run, info: Info) -> str:
    """The newest history line, as JSON text of a list of JSON texts."""
    return _tail(last_lines(info.context, HISTORY).get(run.id))


@run_type.field("eventsTail")
def resolve_events_tail(run: Run, info: Info) -> str:
    """The newest line of system metrics, as JSON text of a list of JSON texts."""
    return _tail(last_lines(info.context, EVENTS).get(run.id))


def _tail(line: str | None) -> str:
    return json.dumps([] if line is None else [line])


@run_type.field("historyKeys")
def resolve_history_keys(run: Run, info: Info) -> Any:
    """Which keys were logged, how often, and what came last."""
    return logged_keys(info.context).get(run.id)


@run_type.field("history")
def resolve_history(
    run: Run,
    info: Info,
    min_step: int | None = None,
    max_step: int | None = None,
    samples: int | None = None,
) -> list[str]:
    """History lines, `min_step` included and `max_step` not."""
    return history.rows(
        info.context.ctx, run, min_step=min_step, max_step=max_step, samples=samples
    )


@run_type.field("events")
def resolve_events(run: Run, info: Info, samples: int | None = None) -> list[str]:
    """Lines of system metrics."""
    return history.event_rows(info.context.ctx, run, samples=samples)


@run_type.field("sampledHistory")
def resolve_sampled_history(run: Run, info: Info, specs: list[str]) -> list[Any]:
    """Per specification the rows that hold all its keys."""
    return list(history.sampled(info.context.ctx, run, specs))


@run_type.field("parquetHistory")
def resolve_parquet_history(run: Run, _info: Info, live_keys: list[str]) -> dict[str, Any]:
    """Nothing is exported to files: the rows that have to be asked for begin with step 0.

    The client takes from the live rows nothing but the step at which they begin. Release 0.27 takes
    it that there are no rows at all when it is told of none; later ones ask for the rows either way.
    """
    begin = dict.fromkeys(live_keys) | {"_step": 0}
    return {"parquet_urls": [], "live_data": [begin] if run.history_count else []}


@run_type.field("logLines")
def resolve_log_lines(
    run: Run,
    info: Info,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    use_improved_pagination: bool | None = None,
) -> Connection:
    """Console lines."""
    return connection(history.console(info.context.ctx, run, first=first, last=last, after=after))


# ---- mutations ---------------------------------------------------------------------------------


@mutation.field("upsertBucket")
def upsert_bucket(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The run exists and is as said; what is null stays."""
    storage_id = input.get("id")
    run, inserted = operations.upsert(
        info.context.ctx,
        operations.RunChange(
            id=None if not storage_id else from_id(storage_id, RUN),
            entity=input.get("entity_name"),
            project=input.get("model_name"),
            name=input.get("name"),
            display_name=input.get("display_name"),
            description=input.get("description"),
            notes=input.get("notes"),
            config=input.get("config"),
            summary=input.get("summary_metrics"),
            tags=input.get("tags"),
            group=input.get("group_name"),
            job_type=input.get("job_type"),
            sweep=input.get("sweep"),
            commit=input.get("commit"),
            repo=input.get("job_repo"),
            program=input.get("job_program"),
            host=input.get("host"),
            state=input.get("state"),
        ),
    )
    info.context.loaders.clear()
    # This server never has anything to print at the start of a run.
    return {"bucket": run, "inserted": inserted, "server_settings": {"server_messages": []}}


@mutation.field("deleteRun")
def delete_run(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The run is gone, on request with the versions it logged."""
    operations.delete(
        info.context.ctx,
        from_id(input["id"], RUN),
        delete_artifacts=bool(input.get("delete_artifacts")),
    )
    info.context.loaders.clear()
    return {"client_mutation_id": input.get("client_mutation_id")}


@mutation.field("stopRun")
def stop_run(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The run is told to stop at its next sign of life."""
    operations.stop(info.context.ctx, from_id(input["id"], RUN))
    info.context.loaders.clear()
    return {"success": True, "client_mutation_id": input.get("client_mutation_id")}


@mutation.field("updateRunState")
def update_run_state(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The run has the state that somebody set by hand."""
    ctx = info.context.ctx
    if not input.get("state"):
        raise Unprocessable("Say which state the run should have", field="state")
    if input.get("id"):
        run_id = from_id(input["id"], RUN)
    else:
        path = [input.get(part) or "" for part in ("entity_name", "project_name", "run_name")]
        run_id = operations.id_of(ctx, *path)
    operations.set_state(ctx, run_id, input["state"])
    info.context.loaders.clear()
    return {"success": True}


@mutation.field("rewindRun")
def rewind_run(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The run's history ends at that step, and goes on behind it."""
    run = run_rewind.rewind(
        info.context.ctx,
        input.get("entity_name"),
        input.get("project_name"),
        input["run_name"],
        metric=input["metric_name"],
        value=input["metric_value"],
    )
    info.context.loaders.clear()
    return {"rewound_run": run}


@mutation.field("notifyScriptableRunAlert")
def notify_alert(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The alert stands with the run, for people to read, unless it said so just before."""
    run_alert.send(
        info.context.ctx,
        input["entity_name"],
        input["project_name"],
        input["run_name"],
        title=input["title"],
        text=input["text"],
        severity=input.get("severity"),
        wait=parse_wait(input.get("wait_duration")),
    )
    return {"success": True}


bindables = [mutation, project_type, run_type]
