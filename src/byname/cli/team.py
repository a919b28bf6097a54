"""`byname team`: teams and who is in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Text, Url, call, gather, path
from byname.cli.output import AsJson, counted, in_columns, member_lines, seconds_of, tell, telling
from byname.cli.words import Group
from byname.domain.policy import GroupRole

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="List, create and delete teams; their members."
)
member = typer.Typer(cls=Group, no_args_is_help=True, help="Who is in a team.")
app.add_typer(member, name="member")


@app.command("ls")
def list_teams(
    organization: str,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the teams of an organization."""
    where = path("organizations", organization, "teams")
    with telling(as_json):
        found = gather(url, api_key, where, "teams", limit)
        lines = [
            [
                each["name"],
                each["role"] or "",
                counted(each["members"], "member"),
                counted(each["projects"], "project"),
            ]
            for each in found
        ]
        tell(as_json, {"teams": found}, in_columns(lines, "There are no teams."))


@app.command()
def show(name: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """Show a team."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("teams", name))
        rows = [
            ["Name", found["name"]],
            ["Organization", found["organization"]],
            ["Your role", found["role"] or "none"],
            ["Members", str(found["members"])],
            ["Projects", str(found["projects"])],
            ["Created", found["created_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    organization: Annotated[str, typer.Option(help="The organization it belongs to.")],
    admin: Annotated[
        list[str] | None, typer.Option(help="A person who becomes its admin; may be repeated.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a team. For admins of the organization."""
    body = {"name": name, "admins": admin or []}
    with telling(as_json):
        made = call(url, api_key, "POST", path("organizations", organization, "teams"), body)
        tell(as_json, made, f"Created team {made['name']} in {organization}.")


@app.command("rm")
def delete(
    name: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a team with its projects, artifacts and service accounts."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("teams", name))
        tell(as_json, {"deleted": name}, f"Deleted team {name}.")


@app.command()
def ttl(
    name: str,
    default: Annotated[
        str | None,
        typer.Option(help="How long versions live: 90m, 12h, 30d, or never.", metavar="TIME"),
    ] = None,
    admins_only: Annotated[
        bool | None,
        typer.Option("--admins-only/--members", help="Who may set a version's own time."),
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show, or change, how long a team's versions live that have no time of their own."""
    where = path("teams", name, "ttl")
    with telling(as_json):
        found = call(url, api_key, "GET", where)
        wanted = dict(found)
        if default is not None:
            wanted["default_seconds"] = None if default == "never" else seconds_of(default)
        if admins_only is not None:
            wanted["admins_only"] = admins_only
        if wanted != found:
            found = call(url, api_key, "PUT", where, wanted)
        seconds = found["default_seconds"]
        lives = "for ever" if seconds is None else f"{timedelta(seconds=seconds)} from creation"
        who = "its admins" if found["admins_only"] else "its members"
        tell(as_json, found, f"Versions of {name} live {lives}; {who} may set another time.")


@member.command("ls")
def list_members(
    team: str,
    text: Text = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List who is in a team."""
    with telling(as_json):
        found = gather(url, api_key, path("teams", team, "members"), "members", limit, q=text)
        tell(as_json, {"members": found}, in_columns(member_lines(found), "Nobody is in it."))


@member.command("set")
def set_member(
    team: str,
    username: str,
    role: GroupRole,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Put a person into a team in a role, or change their role."""
    where = path("teams", team, "members", username)
    with telling(as_json):
        answer = call(url, api_key, "PUT", where, {"role": role.value})
        tell(as_json, answer, f"{answer['username']} is {answer['role']} in {team}.")


@member.command("rm")
def remove_member(
    team: str, username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Take a person out of a team; a service account is deleted."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("teams", team, "members", username))
        tell(as_json, {"removed": username}, f"{username} is out of {team}.")
