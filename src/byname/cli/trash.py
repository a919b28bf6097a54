"""`byname trash`: what was deleted within the last 7 days, and taking it back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="See and restore what was deleted.")

Owner = Annotated[str, typer.Argument(help="An organization; or one team or person.")]


@app.command("ls")
def list_trash(
    organization: Owner,
    after: Annotated[str, typer.Option(help="The `next` of the page before.")] = "",
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List what can be restored, newest first."""
    where = path("organizations", organization, "trash")
    if after:
        where += f"?after={quote(after, safe='')}"
    with telling(as_json):
        answer = call(url, api_key, "GET", where)
        lines = [
            f"{each['id']}\t{each['kind']}\t{each['name']}\t{each['deleted_at']}\t"
            f"{each['deleted_by']}"
            for each in answer["deletions"]
        ]
        if answer["next"]:
            lines.append(f"More: --after {answer['next']}")
        tell(as_json, answer, "\n".join(lines) or "The trash is empty.")


@app.command()
def restore(
    organization: Owner,
    deletion: Annotated[int, typer.Argument(help="The number that `byname trash ls` shows.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Bring something back as it was."""
    where = path("organizations", organization, "trash", str(deletion), "restore")
    with telling(as_json):
        answer = call(url, api_key, "POST", where)
        tell(as_json, answer, f"Restored {answer['kind']} {answer['name']}.")
