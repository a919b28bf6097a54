"""What `byname webhook` and `byname slack` have in common: the team's list, and deleting one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, ApiKey, Limit, Url, call, gather, path
from byname.cli.output import AsJson, in_columns, tell, telling

Team = Annotated[str, typer.Argument(help="The team.")]
Name = Annotated[str, typer.Argument(help="Its name.")]
Rename = Annotated[str | None, typer.Option("--rename", help="A new name.")]


@dataclass(frozen=True, slots=True)
class Noun:
    """One of the two sorts."""

    word: str
    place: str
    """Its part of an address, for example `slack-channels`."""
    listed: str
    """Under which name REST answers a list of them."""
    columns: Callable[[dict[str, Any]], list[str]]
    """What a list shows of one."""

    def where(self, team: str, *more: str) -> str:
        """The address of the team's, of one of them, or of what lies below it."""
        return path("teams", team, self.place, *more)


def add_commands(app: typer.Typer, noun: Noun) -> None:
    """The app has the commands `ls` and `rm`."""

    @app.command("ls", help=f"List a team's {noun.word}s. For its members.")
    def list_all(
        team: Team,
        limit: Limit = LIMIT,
        url: Url = DEFAULT_URL,
        api_key: ApiKey = "",
        as_json: AsJson = False,
    ) -> None:
        with telling(as_json):
            found = gather(url, api_key, noun.where(team), noun.listed, limit)
            rows = [noun.columns(each) for each in found]
            tell(as_json, {noun.listed: found}, in_columns(rows, f"{team} has no {noun.word}."))

    @app.command(
        "rm",
        help=f"Delete a {noun.word}; the automations that use it are disabled. "
        "For admins of the team.",
    )
    def remove(
        team: Team,
        name: Name,
        url: Url = DEFAULT_URL,
        api_key: ApiKey = "",
        as_json: AsJson = False,
    ) -> None:
        with telling(as_json):
            call(url, api_key, "DELETE", noun.where(team, name))
            tell(as_json, {"deleted": name}, f"{name} is gone.")
