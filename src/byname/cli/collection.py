"""`byname collection`: collections of a registry."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    ApiKey,
    Filter,
    Limit,
    Url,
    call,
    collection_path,
    gather,
    registry_path,
)
from byname.cli.output import AsJson, Refused, counted, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="List, create, edit and delete collections."
)

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION")]


@app.command("ls")
def list_collections(
    registry: Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY")],
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the collections of a registry."""
    with telling(as_json):
        where = registry_path(registry, "collections")
        found = gather(url, api_key, where, "collections", limit, filters=filters, order="name")
        rows = [
            [
                each["name"],
                each["type"],
                counted(each["version_count"], "version"),
                ", ".join(each["tags"]),
            ]
            for each in found
        ]
        tell(as_json, {"collections": found}, in_columns(rows, "No collections."))


@app.command()
def create(
    place: Place,
    artifact_type: Annotated[str, typer.Option("--type", help="The type it will hold, for ever.")],
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create an empty collection."""
    registry, _, name = place.rpartition("/")
    body = {"name": name, "type": artifact_type, "description": description, "tags": tag or []}
    with telling(as_json):
        if not name:
            raise Refused("invalid", f"{place!r} names no collection", 2)
        made = call(url, api_key, "POST", registry_path(registry, "collections"), body)
        tell(as_json, made, f"Created collection {made['full_name']}.")


@app.command()
def show(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show a collection."""
    with telling(as_json):
        found = call(url, api_key, "GET", collection_path(place))
        rows = [
            ["Name", found["full_name"]],
            ["Type", found["type"]],
            ["Description", found["description"] or ""],
            ["Tags", ", ".join(found["tags"])],
            ["Versions", str(found["version_count"])],
            ["Created", found["created_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def edit(
    place: Place,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for, in Markdown.")] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change a collection's name or description; its versions, aliases and history stay."""
    given = {"name": name, "description": description}
    body = {field: value for field, value in given.items() if value is not None}
    with telling(as_json):
        edited = call(url, api_key, "PATCH", collection_path(place), body)
        tell(as_json, edited, f"Edited collection {edited['full_name']}.")


@app.command()
def rename(
    place: Place,
    name: Annotated[str, typer.Argument(help="Its new name.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Rename a collection; its versions, names and history stay."""
    with telling(as_json):
        renamed = call(url, api_key, "PATCH", collection_path(place), {"name": name})
        tell(as_json, renamed, f"Renamed it to {renamed['full_name']}.")


@app.command("rm")
def remove(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Delete a collection with its links; the versions stay where they were made."""
    with telling(as_json):
        call(url, api_key, "DELETE", collection_path(place))
        tell(as_json, {"deleted": place}, f"Deleted collection {place}.")
