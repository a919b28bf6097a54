"""`byname service-account`: users that belong to a team and never log in."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, key_text, tell, telling

app = typer.Typer(no_args_is_help=True, help="Create service accounts for machines.")


@app.callback()
def group() -> None:
    """Keeps `create` a command of its own, though it is the only one."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    team: Annotated[str, typer.Option(help="The team it belongs to.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a service account and print its first API key. For admins of the team.

    `byname team member remove TEAM NAME` deletes it.
    """
    with telling(as_json):
        made = call(url, api_key, "POST", path("teams", team, "service-accounts"), {"name": name})
        text = f"Created service account {made['username']} of {team}."
        tell(as_json, made, f"{text}\n{key_text(made['api_key'])}")
