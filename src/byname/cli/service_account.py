"""`byname service-account`: users of a team or an organization that never log in."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Url, call, gather, path
from byname.cli.output import AsJson, in_columns, key_text, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Create, list and delete service accounts.")

Team = Annotated[str | None, typer.Option("--team", help="The team it belongs to.")]
Organization = Annotated[
    str | None, typer.Option("--organization", help="The organization it belongs to.")
]


def _place(team: str | None, organization: str | None) -> tuple[str, str]:
    """The part of REST below which they are, and the name of the team or organization."""
    if team and not organization:
        return path("teams", team, "service-accounts"), team
    if organization and not team:
        return path("organizations", organization, "service-accounts"), organization
    raise typer.BadParameter("say either --team or --organization")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    team: Team = None,
    organization: Organization = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a service account and print its first API key. For admins of its place."""
    where, place = _place(team, organization)
    with telling(as_json):
        made = call(url, api_key, "POST", where, {"name": name})
        text = f"Created service account {made['username']} of {place}."
        tell(as_json, made, f"{text}\n{key_text(made['api_key'])}")


@app.command("ls")
def list_accounts(
    team: Team = None,
    organization: Organization = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the service accounts of a team, or of an organization and its teams."""
    where, _ = _place(team, organization)
    with telling(as_json):
        found = gather(url, api_key, where, "service_accounts", limit)
        lines = [[each["username"], each["place"]] for each in found]
        tell(
            as_json,
            {"service_accounts": found},
            in_columns(lines, "There are no service accounts."),
        )


@app.command("rm")
def delete(
    name: str,
    organization: Annotated[
        str, typer.Option("--organization", help="Its organization, or that of its team.")
    ],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a service account with its keys. For admins of the organization."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("organizations", organization, "service-accounts", name))
        tell(as_json, {"deleted": name}, f"Deleted service account {name}.")
