"""`byname invitation`: links with which people choose a password, for server administrators."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Url, call, gather, path
from byname.cli.output import AsJson, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Invite people to choose a password.")


def _told(url: str, made: dict[str, Any]) -> str:
    link = f"{url.rstrip('/')}{made['path']}"
    return (
        f"{made['username']} may choose a password until {made['expires_at'][:16]} UTC. "
        f"Send them this link; it is not shown again:\n{link}"
    )


@app.command()
def create(
    username: Annotated[str, typer.Argument(help="Letters, digits, _ . and -.")],
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    organization: Annotated[str, typer.Option(help="Where they are to belong.")] = "",
    role: Annotated[str, typer.Option(help="There: admin, member or viewer.")] = "member",
    team: Annotated[str, typer.Option(help="The team they are to be in.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="They administer the server.")] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create a person, and print the link with which they choose a password within 7 days."""
    body = {
        "username": username,
        "email": email,
        "admin": admin,
        "organization": organization,
        "organization_role": role,
        "team": team,
    }
    with telling(as_json):
        made = call(url, api_key, "POST", path("invitations"), body)
        tell(as_json, made, _told(url, made))


@app.command()
def renew(
    username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Print a new link for somebody who is here; an earlier one opens nothing any more."""
    with telling(as_json):
        made = call(url, api_key, "POST", path("invitations", username))
        tell(as_json, made, _told(url, made))


@app.command("ls")
def list_invitations(
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List who has a link that is still good."""
    with telling(as_json):
        found = gather(url, api_key, path("invitations"), "invitations", limit)
        lines = [[each["username"], each["email"] or "", each["expires_at"]] for each in found]
        tell(as_json, {"invitations": found}, in_columns(lines, "Nobody is invited."))


@app.command()
def revoke(
    username: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Let the person's link open nothing any more; the person stays."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("invitations", username))
        tell(as_json, {"revoked": username}, f"The link of {username} opens nothing any more.")
