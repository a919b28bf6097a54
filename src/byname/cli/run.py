"""`byname run`: the runs of a project."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    ApiKey,
    Limit,
    Url,
    call,
    gather,
    project_path,
)
from byname.cli.output import AsJson, Refused, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, show, stop and delete runs.")

Place = Annotated[str, typer.Argument(help="TEAM/PROJECT/RUN")]


def _path(place: str, *more: str) -> str:
    parts = place.split("/")
    if len(parts) != 3 or not all(parts):
        raise Refused("invalid", f"{place!r} is no run: write TEAM/PROJECT/RUN", 2)
    return project_path(parts[0], parts[1], "runs", parts[2], *more)


@app.command("ls")
def list_runs(
    project: Annotated[str, typer.Argument(help="TEAM/PROJECT")],
    text: Annotated[
        str | None, typer.Option("--text", help="Only with this in a name, an id or a tag.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Only running, finished, failed, crashed, ...")
    ] = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the runs of a project, newest first."""
    with telling(as_json):
        team, _, name = project.partition("/")
        if not team or not name or "/" in name:
            raise Refused("invalid", f"{project!r} is no project: write TEAM/PROJECT", 2)
        where = project_path(team, name, "runs")
        found = gather(url, api_key, where, "runs", limit, q=text, state=state)
        rows = [
            [each["run"], each["name"], each["state"], each["created_at"], each["author"] or ""]
            for each in found
        ]
        tell(as_json, {"runs": found}, in_columns(rows, "There are no runs."))


@app.command()
def show(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show a run with its config and summary."""
    with telling(as_json):
        found = call(url, api_key, "GET", _path(place))
        rows = [
            ["Run", found["full_name"]],
            ["Name", found["name"]],
            ["State", found["state"]],
            ["Tags", ", ".join(found["tags"])],
            ["Notes", found["notes"] or ""],
            ["Made by", found["author"] or ""],
            ["Created", found["created_at"]],
            ["Config", json.dumps(found["config"], ensure_ascii=False)],
            ["Summary", json.dumps(found["summary"], ensure_ascii=False)],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def stop(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Tell a run to stop at its next sign of life."""
    with telling(as_json):
        call(url, api_key, "POST", _path(place, "stop"))
        tell(as_json, {"stopped": place}, f"{place} is told to stop.")


@app.command("rm")
def delete(
    place: Place,
    with_versions: Annotated[
        bool, typer.Option("--with-versions", help="The versions that it logged go too.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a run."""
    with telling(as_json):
        where = _path(place) + ("?delete_versions=true" if with_versions else "")
        call(url, api_key, "DELETE", where)
        tell(as_json, {"deleted": place}, f"Deleted run {place}.")


@app.command("alerts")
def list_alerts(
    place: Place,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List what a run's script sent by `run.alert`, newest first."""
    with telling(as_json):
        found = gather(url, api_key, _path(place, "alerts"), "alerts", limit)
        rows = [[each["at"], each["severity"], each["title"], each["text"]] for each in found]
        tell(as_json, {"alerts": found}, in_columns(rows, "It sent no alerts."))
