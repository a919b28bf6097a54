"""The page of a run: state, config, summary, charts, console, files, inputs and outputs (protocol 2)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from byname.domain.chart import WHOLE_LINES_MAX
from byname.domain.errors import missing
from byname.domain.page import encode_cursor
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.run import ALIVE, Run
from byname.http.router import Router
from byname.operations import lineage, listing, overview, run_alert, run_file, run_history
from byname.operations import project as projects
from byname.operations import run as operations
from byname.operations import user as users
from byname.web import chart
from byname.web.account import number_in
from byname.web.looks import project_path, segment, why_not, with_query
from byname.web.page import Site
from byname.web.pager import pager_of
from byname.web.project import find_project
from byname.web.tree import Node, make_tree
from byname.web.version import LINK_SECONDS
from byname.web.visitor import Answer, Ask, Shown, page_for

PAGE = 50
CHARTS = 12
ALERTS = 10
LOG_PAGE = 500
TABS = ("overview", "charts", "system", "logs", "files", "artifacts")


def add_page(router: Router, site: Site) -> None:
    """The address that the client prints for runs."""
    router.add("GET", "/{entity}/{project}/runs/{run}", page_for(site, read))


def read(ask: Ask) -> Answer:
    """One tab of the run's page."""
    project = find_project(ask)
    run = operations.find(ask.ctx, project, ask.params["run"])
    if run is None:
        raise missing(f"Run {project.place}/{ask.params['run'][:100]}")
    here = f"{ask.root}{project_path(project)}/runs/{segment(run.name)}"
    tab = ask.query("tab") or TABS[0]
    # Earlier addresses said `lineage` for what the run used and made.
    tab = {"lineage": "artifacts"}.get(tab, tab)
    tab = tab if tab in TABS else TABS[0]
    people = users.load_users(ask.ctx, [run.created_by] if run.created_by else [])
    values: dict[str, Any] = {
        "project": project,
        "run": run,
        "here": here,
        "tab": tab,
        "tabs": TABS,
        "author": people.get(run.created_by or 0),
    }
    values |= READERS[tab](Looked(ask, project, run, here))
    part = "_part" if tab == "logs" and ask.part else ""
    return Shown(f"run_{tab}{part}.html", values)


@dataclass(frozen=True, slots=True)
class Looked:
    """A run that somebody looks at."""

    ask: Ask
    project: Project
    run: Run
    here: str


def _overview(at: Looked) -> dict[str, Any]:
    config, summary = operations.documents_of_many(at.ask.ctx, [at.run.id]).get(
        at.run.id, ("{}", "{}")
    )
    alerts = run_alert.list_page(at.ask.ctx, at.run.id, after=at.ask.query("after"), first=ALERTS)
    return {
        "config": _config(config),
        "summary": _tree(summary),
        "alerts": alerts.items,
        "alert_count": alerts.count(),
        "pager": pager_of(at.ask.query, at.here, alerts.end_cursor if alerts.has_next else None),
    }


def _charts(at: Looked) -> dict[str, Any]:
    """A page of charts of what the run logged, by key."""
    text = (at.ask.query("q") or "")[:128]
    page = run_history.numeric_keys(
        at.ask.ctx, at.run, text=text, after=at.ask.query("after"), first=CHARTS
    )
    drawn = [
        chart.draw(line, "step") for line in run_history.charts(at.ask.ctx, at.run, page.items)
    ]
    base = with_query(at.here, tab="charts", q=text)
    return {
        "charts": drawn,
        "text": text,
        "total": page.count(),
        "thinned": at.run.history_count > WHOLE_LINES_MAX,
        "pager": pager_of(at.ask.query, base, page.end_cursor if page.has_next else None),
    }


def _system(at: Looked) -> dict[str, Any]:
    """What the machine was busy with."""
    drawn = [chart.draw(line, "second") for line in run_history.system_charts(at.ask.ctx, at.run)]
    return {"charts": drawn, "thinned": at.run.events_count > WHOLE_LINES_MAX}


def _logs(at: Looked) -> dict[str, Any]:
    """A page of what the run printed: its end, unless another part is asked for."""
    base = with_query(at.here, tab="logs")
    wanted = at.ask.query("from")
    last = max(at.run.log_count - LOG_PAGE, 0)
    start = min(number_in(wanted), at.run.log_count) if wanted is not None else last
    page = run_history.console(
        at.ask.ctx, at.run, first=LOG_PAGE, after=encode_cursor("log", start) if start else None
    )
    behind = start + len(page.items)
    return {
        "lines": page.items,
        "start": start,
        "behind": behind,
        "first_page": base + "&from=0" if start else None,
        "previous": f"{base}&from={max(start - LOG_PAGE, 0)}" if start else None,
        "following": f"{base}&from={behind}" if behind < at.run.log_count else None,
        "last_page": base if behind < at.run.log_count else None,
        "more": f"{base}&from={behind}",
        "alive": at.run.state in ALIVE,
    }


def _files(at: Looked) -> dict[str, Any]:
    role = projects.role_in(at.ask.ctx, at.project)
    page = run_file.list_page(at.ask.ctx, at.run, after=at.ask.query("after"), first=PAGE)
    expires_at = int(time.time()) + LINK_SECONDS
    return {
        "why_not": why_not(role, Permission.DOWNLOAD),
        "files": [
            (
                file,
                f"{at.ask.root}content/run-file-get/"
                + at.ask.site.signer.sign(
                    "run-file-get", [at.ask.ctx.who.user_id, file.id], expires_at
                ),
            )
            for file in page.items
        ],
        "pager": pager_of(
            at.ask.query,
            with_query(at.here, tab="files"),
            page.end_cursor if page.has_next else None,
        ),
    }


def _artifacts(at: Looked) -> dict[str, Any]:
    """The versions that the run used and made."""
    inputs = lineage.inputs_of(at.ask.ctx, at.run, first=PAGE)
    outputs = lineage.outputs_of(at.ask.ctx, at.run, first=PAGE)
    ids = [*inputs.items, *outputs.items]
    return {
        "sides": [
            ("Inputs", "Versions that this run used", inputs.items, inputs.count()),
            ("Outputs", "Versions that this run made", outputs.items, outputs.count()),
        ],
        "versions": listing.versions(at.ask.ctx, ids),
        "standings": overview.standings(at.ask.ctx, ids),
    }


READERS = {
    "overview": _overview,
    "charts": _charts,
    "system": _system,
    "logs": _logs,
    "files": _files,
    "artifacts": _artifacts,
}


def _tree(text: str) -> tuple[list[Node], bool]:
    return make_tree(json.loads(text))


def _config(text: str) -> tuple[list[Node], bool]:
    """The config as people set it: each key's value, without the client's own notes."""
    kept = json.loads(text)
    values = {
        key: each["value"] if isinstance(each, dict) and "value" in each else each
        for key, each in kept.items()
        if key != "_wandb"
    }
    return make_tree(values)
