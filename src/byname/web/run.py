"""The thin page of a run: state, config, summary, files, inputs and outputs (protocol 2)."""

from __future__ import annotations

import json
import time
from typing import Any

from byname.domain.errors import missing
from byname.domain.policy import Permission
from byname.http.router import Router
from byname.operations import lineage, listing, overview, run_file
from byname.operations import project as projects
from byname.operations import run as operations
from byname.operations import user as users
from byname.web.looks import project_path, segment, why_not, with_query
from byname.web.page import Site
from byname.web.project import find_project
from byname.web.tree import Node, make_tree
from byname.web.version import LINK_SECONDS
from byname.web.visitor import Answer, Ask, Shown, page_for

PAGE = 50
TABS = ("overview", "files", "lineage")


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
    after = ask.query("after")
    if tab == "files":
        role = projects.role_in(ask.ctx, project)
        page = run_file.list_page(ask.ctx, run, after=after, first=PAGE)
        expires_at = int(time.time()) + LINK_SECONDS
        values |= {
            "why_not": why_not(role, Permission.DOWNLOAD),
            "files": [
                (
                    file,
                    f"{ask.root}content/run-file-get/"
                    + ask.site.signer.sign(
                        "run-file-get", [ask.ctx.who.user_id, file.id], expires_at
                    ),
                )
                for file in page.items
            ],
            "more": with_query(here, tab=tab, after=page.end_cursor) if page.has_next else None,
            "later": bool(after),
        }
    elif tab == "lineage":
        inputs = lineage.inputs_of(ask.ctx, run, first=PAGE)
        outputs = lineage.outputs_of(ask.ctx, run, first=PAGE)
        ids = [*inputs.items, *outputs.items]
        values |= {
            "sides": [
                ("Inputs", "Versions that this run used", inputs.items, inputs.count()),
                ("Outputs", "Versions that this run made", outputs.items, outputs.count()),
            ],
            "versions": listing.versions(ask.ctx, ids),
            "standings": overview.standings(ask.ctx, ids),
        }
    else:
        config, summary = operations.documents_of_many(ask.ctx, [run.id]).get(run.id, ("{}", "{}"))
        values |= {"config": _config(config), "summary": _tree(summary)}
    return Shown(f"run_{tab}.html", values)


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
