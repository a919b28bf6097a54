"""`byname protect`: the names that only Admins of a registry move."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, registry_path
from byname.cli.output import AsJson, counted, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Protect aliases in all collections of a registry."
)

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY")]
Name = Annotated[str, typer.Argument(help="The alias, for example production.")]


@app.command()
def add(
    place: Place, alias: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Protect an alias; uses that are there already are protected too. For Admins."""
    with telling(as_json):
        where = registry_path(place, "protected-aliases")
        made = call(url, api_key, "POST", where, {"name": alias})
        tell(
            as_json,
            made,
            f"Protected {made['name']}; {counted(made['uses'], 'collection')} with it now.",
        )


@app.command("rm")
def remove(
    place: Place, alias: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """End the protection of an alias; versions keep it. For Admins."""
    with telling(as_json):
        call(url, api_key, "DELETE", registry_path(place, "protected-aliases", alias))
        tell(as_json, {"unprotected": alias}, f"{alias} is an ordinary alias now.")


@app.command("ls")
def list_all(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List the protected aliases."""
    with telling(as_json):
        answer = call(url, api_key, "GET", registry_path(place, "protected-aliases"))
        rows = [
            [each["name"], counted(each["uses"], "collection")]
            for each in answer["protected_aliases"]
        ]
        tell(as_json, answer, in_columns(rows, "No alias is protected."))
