"""`byname user`: the people one knows; creating and deleting them, for server administrators."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Text, Url, call, gather, path
from byname.cli.output import AsJson, in_columns, key_text, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, create, edit and delete people.")


@app.command("ls")
def list_users(
    text: Text = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List people: you, and whom you share an organization with; administrators list all."""
    with telling(as_json):
        found = gather(url, api_key, path("users"), "users", limit, q=text)
        lines = [
            [
                each["username"],
                each["full_name"],
                each["email"] or "",
                "administrator" if each["admin"] else "",
            ]
            for each in found
        ]
        tell(as_json, {"users": found}, in_columns(lines, "Nobody is called that."))


@app.command()
def show(
    username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show a person or service account, and where they belong."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("users", username))
        rows = [
            ["Name", found["username"]],
            ["Full name", found["full_name"]],
            ["E-mail", found["email"] or ""],
            ["Kind", "service account" if found["service_account"] else "person"],
            ["Administers the server", "yes" if found["admin"] else "no"],
            ["Created", found["created_at"]],
        ]
        rows += [
            ["Organization", f"{each['name']} as {each['role']}"] for each in found["organizations"]
        ]
        rows += [["Team", f"{each['name']} as {each['role']}"] for each in found["teams"]]
        tell(as_json, found, in_columns(rows, ""))


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


@app.command()
def edit(
    username: str,
    admin: Annotated[
        bool | None, typer.Option("--admin/--no-admin", help="Whether they administer the server.")
    ] = None,
    full_name: Annotated[
        str | None, typer.Option("--full-name", help="What you are shown as; only your own.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make somebody an administrator of the server, or not; or change your own full name."""
    given = {"admin": admin, "full_name": full_name}
    body = {name: value for name, value in given.items() if value is not None}
    with telling(as_json):
        edited = call(url, api_key, "PATCH", path("users", username), body)
        role = "an administrator of the server" if edited["admin"] else "no administrator"
        tell(as_json, edited, f"{edited['username']} ({edited['full_name']}) is {role}.")


@app.command("rm")
def delete(
    username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a person or service account: their keys are dead, their own projects hidden."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("users", username))
        tell(as_json, {"deleted": username}, f"Deleted user {username}.")
