"""`byname tag`: tags of collections and versions."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, collection_path, version_path
from byname.cli.output import AsJson, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Tag collections and versions.")

Place = Annotated[
    str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION, or that with :VERSION")
]


def _where(place: str, tag: str) -> str:
    find = version_path if ":" in place else collection_path
    return find(place, "tags", tag)


@app.command()
def add(
    place: Place, tag: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Give a collection or version a tag."""
    with telling(as_json):
        answer = call(url, api_key, "PUT", _where(place, tag))
        tell(as_json, answer, f"Tags: {', '.join(answer['tags'])}")


@app.command("rm")
def remove(
    place: Place, tag: str, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Take a tag from a collection or version."""
    with telling(as_json):
        answer = call(url, api_key, "DELETE", _where(place, tag))
        tell(as_json, answer, f"Tags: {', '.join(answer['tags']) or 'none'}")
