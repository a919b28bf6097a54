"""`byname webhook`: the addresses that automations of a team may call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call
from byname.cli.execution import try_out
from byname.cli.integration import Name, Noun, Rename, Team, add_commands
from byname.cli.output import AsJson, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Webhooks of a team, for its automations.")

NOUN = Noun(
    word="webhook",
    place="webhooks",
    listed="webhooks",
    columns=lambda each: [
        each["name"],
        each["url"],
        "token" if each["has_access_token"] else "",
        "signed" if each["has_secret"] else "",
    ],
)
Token = Annotated[
    str | None,
    typer.Option(
        "--access-token",
        envvar="BYNAME_WEBHOOK_ACCESS_TOKEN",
        help="A secret of the team by its name (or the value itself): sent as Bearer token. "
        "The empty text takes it off.",
        show_default=False,
    ),
]
Signing = Annotated[
    str | None,
    typer.Option(
        "--secret",
        envvar="BYNAME_WEBHOOK_SECRET",
        help="A secret of the team by its name (or the value itself): signs what is sent. "
        "The empty text takes it off.",
        show_default=False,
    ),
]


def _given(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@app.command()
def add(
    team: Team,
    name: Name,
    address: Annotated[str, typer.Argument(help="https://...")],
    access_token: Token = None,
    secret: Signing = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make a webhook. For admins of the team."""
    with telling(as_json):
        body = _given(name=name, url=address, access_token=access_token, secret=secret)
        made = call(url, api_key, "POST", NOUN.where(team), body)
        tell(as_json, made, f"{team} has the webhook {made['name']}.")


@app.command()
def edit(
    team: Team,
    name: Name,
    rename: Rename = None,
    address: Annotated[str | None, typer.Option("--address", help="Another address.")] = None,
    access_token: Token = None,
    secret: Signing = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change what is given of a webhook. For admins of the team."""
    with telling(as_json):
        body = _given(name=rename, url=address, access_token=access_token, secret=secret)
        made = call(url, api_key, "PATCH", NOUN.where(team, name), body)
        tell(as_json, made, f"{made['name']} calls {made['url']}.")


add_commands(app, NOUN)


@app.command("test")
def try_it(
    team: Team,
    name: Name,
    payload: Annotated[
        str | None, typer.Option("--payload", help="The payload instead of the ready one: JSON.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Send a test to a webhook, and show what it answers. For admins of the team."""
    with telling(as_json):
        where = NOUN.where(team, name, "test")
        try_out(url, api_key, where, payload, name, as_json=as_json)
