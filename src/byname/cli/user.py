"""`byname user`: people, for server administrators."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, key_text, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Create and delete people.")


@app.command()
def create(
    username: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    password_file: Annotated[
        typer.FileText | None,
        typer.Option(
            help="A file whose first line is a password for the web, 12 characters or more; "
            "- reads standard input."
        ),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="They administer the server.")] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a person, in no organization yet, and print their first API key."""
    body = {"username": username, "email": email, "admin": admin}
    if password_file is not None:
        body["password"] = password_file.readline().rstrip("\r\n")
    with telling(as_json):
        made = call(url, api_key, "POST", path("users"), body)
        tell(as_json, made, f"Created user {made['username']}.\n{key_text(made['api_key'])}")


@app.command("rm")
def delete(
    username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a person or service account: their keys are dead, their own projects hidden."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("users", username))
        tell(as_json, {"deleted": username}, f"Deleted user {username}.")
