"""`byname project`: projects of teams and people, and what was logged in them."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    ApiKey,
    Filter,
    Limit,
    Url,
    call,
    gather,
    project_path,
)
from byname.cli.output import AsJson, Refused, counted, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="List, edit and delete projects; what was logged in them."
)

Place = Annotated[str, typer.Argument(help="TEAM/PROJECT")]


@app.command("ls")
def list_projects(
    team: Annotated[str, typer.Argument(help="A team, or a person.")],
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the projects of a team or person."""
    with telling(as_json):
        found = gather(url, api_key, project_path(team), "projects", limit, filters=filters)
        rows = [
            [each["full_name"], each["updated_at"], each["description"] or ""] for each in found
        ]
        tell(as_json, {"projects": found}, in_columns(rows, "There are no projects."))


@app.command()
def show(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show a project."""
    with telling(as_json):
        found = call(url, api_key, "GET", project_path(*_parts(place, 2)))
        rows = [
            ["Name", found["full_name"]],
            ["Description", found["description"] or ""],
            ["Made by", found["created_by"] or ""],
            ["Created", found["created_at"]],
            ["Changed", found["updated_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def edit(
    place: Place,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for, in Markdown.")] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change a project's name or description; what is in it stays."""
    given = {"name": name, "description": description}
    body = {field: value for field, value in given.items() if value is not None}
    with telling(as_json):
        edited = call(url, api_key, "PATCH", project_path(*_parts(place, 2)), body)
        tell(as_json, edited, f"Edited project {edited['full_name']}.")


@app.command("rm")
def delete(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a project with its runs and versions; for 7 days it can be restored."""
    with telling(as_json):
        call(url, api_key, "DELETE", project_path(*_parts(place, 2)))
        tell(as_json, {"deleted": place}, f"Deleted project {place}.")


@app.command("collections")
def list_collections(
    place: Place,
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the artifacts of a project, each a line of versions."""
    with telling(as_json):
        where = project_path(*_parts(place, 2), "collections")
        found = gather(url, api_key, where, "collections", limit, filters=filters, order="name")
        rows = [
            [each["name"], each["type"], counted(each["version_count"], "version")]
            for each in found
        ]
        tell(as_json, {"collections": found}, in_columns(rows, "Nothing was logged."))


@app.command("versions")
def list_versions(
    artifact: Annotated[str, typer.Argument(help="TEAM/PROJECT/NAME")],
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of an artifact of a project, the highest number first."""
    with telling(as_json):
        team, project, name = _parts(artifact, 3)
        where = project_path(team, project, "collections", name, "versions")
        found = gather(url, api_key, where, "versions", limit, filters=filters)
        rows = [
            [each["version"], each["digest"], each["created_at"], ", ".join(each["aliases"])]
            for each in found
        ]
        tell(as_json, {"versions": found}, in_columns(rows, "No versions."))


def _parts(place: str, count: int) -> list[str]:
    parts = place.split("/")
    if len(parts) != count or not all(parts):
        wanted = "/".join(["TEAM", "PROJECT", "NAME"][:count])
        raise Refused("invalid", f"{place!r} is no place: write {wanted}", 2)
    return parts
