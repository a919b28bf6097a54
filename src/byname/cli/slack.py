"""`byname slack`: the Slack channels that automations of a team may write to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call
from byname.cli.execution import try_out
from byname.cli.integration import Name, Noun, Rename, Team, add_commands
from byname.cli.output import AsJson, tell, telling
from byname.cli.secret import read_value
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Slack channels of a team, for its automations."
)

NOUN = Noun(
    word="Slack channel",
    place="slack-channels",
    listed="slack_channels",
    columns=lambda each: [each["name"], each["created_at"]],
)
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
        made = call(url, api_key, "POST", NOUN.where(team), body)
        tell(as_json, made, f"{team} has the Slack channel {made['name']}.")


@app.command()
def edit(
    team: Team,
    name: Name,
    rename: Rename = None,
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
        made = call(url, api_key, "PATCH", NOUN.where(team, name), body)
        tell(as_json, made, f"{made['name']} is changed.")


add_commands(app, NOUN)


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
        where = NOUN.where(team, name, "test")
        try_out(url, api_key, where, message, name, as_json=as_json)
