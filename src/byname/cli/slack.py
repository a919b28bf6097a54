"""`byname slack`: the Slack channels that automations of a team may write to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Url, call, gather, path
from byname.cli.execution import try_out
from byname.cli.output import AsJson, in_columns, tell, telling
from byname.cli.secret import read_value
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Slack channels of a team, for its automations."
)

Team = Annotated[str, typer.Argument(help="The team.")]
Name = Annotated[str, typer.Argument(help="The channel's name here.")]
ADDRESS = "The address of the incoming webhook"


@app.command()
def add(
    team: Team, name: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Make a channel. The address of its incoming webhook is read from standard input: a secret.

    For admins of the team.
    """
    with telling(as_json):
        body = {"name": name, "url": read_value(ADDRESS)}
        made = call(url, api_key, "POST", path("teams", team, "slack-channels"), body)
        tell(as_json, made, f"{team} has the Slack channel {made['name']}.")


@app.command()
def edit(
    team: Team,
    name: Name,
    rename: Annotated[str | None, typer.Option("--rename", help="A new name.")] = None,
    address: Annotated[
        bool, typer.Option("--address", help="Read another address from standard input.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change what is given of a channel. For admins of the team."""
    with telling(as_json):
        body: dict[str, Any] = {} if rename is None else {"name": rename}
        if address:
            body["url"] = read_value(ADDRESS)
        made = call(url, api_key, "PATCH", path("teams", team, "slack-channels", name), body)
        tell(as_json, made, f"{made['name']} is changed.")


@app.command("ls")
def list_all(
    team: Team,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List a team's Slack channels. For its members."""
    with telling(as_json):
        where = path("teams", team, "slack-channels")
        found = gather(url, api_key, where, "slack_channels", limit)
        rows = [[each["name"], each["created_at"]] for each in found]
        answer = {"slack_channels": found}
        tell(as_json, answer, in_columns(rows, f"{team} has no Slack channel."))


@app.command("rm")
def remove(
    team: Team, name: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a channel; the automations that use it are disabled. For admins of the team."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("teams", team, "slack-channels", name))
        tell(as_json, {"deleted": name}, f"{name} is gone.")


@app.command("test")
def try_it(
    team: Team,
    name: Name,
    message: Annotated[str | None, typer.Option("--message", help="The message's text.")] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Send a test to a channel, and show what it answers. For admins of the team."""
    with telling(as_json):
        where = path("teams", team, "slack-channels", name, "test")
        try_out(url, api_key, where, message, name, as_json=as_json)
