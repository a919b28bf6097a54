"""`byname member`: who is in a registry, and in which role."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, registry_path
from byname.cli.output import AsJson, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Who is in a registry, and in which role.")

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY")]
Name = Annotated[str, typer.Argument(help="A person or service account; with --team, a team.")]
Team = Annotated[bool, typer.Option("--team", help="The name is that of a team.")]
Role = Annotated[str, typer.Argument(help="restricted_viewer, viewer, member or admin")]


def _where(place: str, name: str, team: bool) -> str:
    return registry_path(place, "teams" if team else "members", name)


@app.command("ls")
def list_members(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List the users and teams of a registry."""
    with telling(as_json):
        found = call(url, api_key, "GET", registry_path(place, "members"))
        rows = [[each["username"], each["role"], "user"] for each in found["users"]]
        rows += [[each["team"], each["role"], "team"] for each in found["teams"]]
        tell(as_json, found, in_columns(rows, "Nobody was added."))


@app.command()
def add(
    place: Place,
    name: Name,
    role: Annotated[str | None, typer.Option(help="Their role, if not the usual one.")] = None,
    team: Team = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Add a user or team. Without a role, who is there keeps theirs."""
    body: dict[str, Any] = {} if role is None else {"role": role}
    with telling(as_json):
        answer = call(url, api_key, "PUT", _where(place, name, team), body)
        tell(as_json, answer, f"{name} is {answer['role']} in {place}.")


@app.command("role")
def set_role(
    place: Place,
    name: Name,
    role: Role,
    team: Team = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change the role of a user or team."""
    with telling(as_json):
        answer = call(url, api_key, "PUT", _where(place, name, team), {"role": role})
        tell(as_json, answer, f"{name} is {answer['role']} in {place}.")


@app.command("rm")
def remove(
    place: Place,
    name: Name,
    team: Team = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Remove a user or team; one that is not there is no error."""
    with telling(as_json):
        call(url, api_key, "DELETE", _where(place, name, team))
        tell(as_json, {"removed": name}, f"{name} is out of {place}.")
