"""`byname secret`: what a team keeps secret, and the key that it is encrypted with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, Refused, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Secrets of a team, for its webhooks.")

Team = Annotated[str, typer.Argument(help="The team.")]
Name = Annotated[str, typer.Argument(help="Letters, digits and _, not beginning with a digit.")]


def read_value(what: str) -> str:
    """A secret from standard input, or typed unseen: never from the command line, which others see.

    Raises:
        Refused: there is none.
    """
    text = typer.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    value = str(text).removesuffix("\n").removesuffix("\r")
    if not value:
        raise Refused("invalid", f"{what}: write it to standard input", 2)
    return value


@app.command()
def add(
    team: Team, name: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Keep a secret, whose value is read from standard input. For admins of the team."""
    with telling(as_json):
        body = {"name": name, "value": read_value("The value")}
        made = call(url, api_key, "POST", path("teams", team, "secrets"), body)
        tell(as_json, made, f"{team} keeps {made['name']}.")


@app.command("set")
def replace(
    team: Team, name: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Replace a secret's value by that on standard input. For admins of the team."""
    with telling(as_json):
        body = {"value": read_value("The value")}
        made = call(url, api_key, "PATCH", path("teams", team, "secrets", name), body)
        tell(as_json, made, f"{made['name']} has another value.")


@app.command("ls")
def list_all(
    team: Team, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List the names of a team's secrets. For its members."""
    with telling(as_json):
        answer = call(url, api_key, "GET", path("teams", team, "secrets"))
        rows = [[each["name"], each["updated_at"]] for each in answer["secrets"]]
        tell(as_json, answer, in_columns(rows, f"{team} keeps no secret."))


@app.command("rm")
def remove(
    team: Team,
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Even if webhooks use it, which then send nothing.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a secret for ever. Refused, with their names, while webhooks use it."""
    with telling(as_json):
        query = "?" + urlencode({"force": "true"}) if force else ""
        call(url, api_key, "DELETE", path("teams", team, "secrets", name) + query)
        tell(as_json, {"deleted": name}, f"{name} is gone.")


@app.command("rotate-key")
def rotate_key(
    data: Annotated[
        Path | None, typer.Option("--data", help="The data folder of the server.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt all secrets with a new key, on the server's own machine.

    Without BYNAME_ENCRYPTION_KEY a new key is made in the file encryption.key; a server that runs
    notices it. With it, its first key is the new one; start the server with both first.
    """
    with telling(as_json):
        from byname import wiring
        from byname.cli.serve import load_settings

        settings = load_settings(data=data)
        if not (settings.data / wiring.DATABASE_FILE).is_file():
            raise Refused("not_found", f"{settings.data} is no data folder of a Byname server", 5)
        count = wiring.rotate_encryption_key(settings)
        tell(as_json, {"resealed": count}, f"{count} values are encrypted with the new key.")
