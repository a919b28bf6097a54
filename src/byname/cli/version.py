"""`byname version`: versions in a registry's collections."""

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
    version_path,
)
from byname.cli.output import AsJson, in_columns, tell, telling

app = typer.Typer(no_args_is_help=True, help="List, show, link and unlink versions.")

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION:VERSION")]
Collection = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION")]


@app.command("ls")
def list_versions(
    collection: Collection,
    filters: Filter = None,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of a collection, the highest number first."""
    with telling(as_json):
        where = collection_path(collection, "versions")
        found = gather(url, api_key, where, "versions", limit, filters=filters)
        rows = [
            [each["version"], each["digest"], each["linked_at"], ", ".join(each["aliases"])]
            for each in found
        ]
        tell(as_json, {"versions": found}, in_columns(rows, "No versions."))


@app.command()
def show(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Show the version that a number or alias names."""
    with telling(as_json):
        found = call(url, api_key, "GET", version_path(place))
        rows = [
            ["Name", found["full_name"]],
            ["Aliases", ", ".join(found["aliases"])],
            ["Tags", ", ".join(found["tags"])],
            ["Type", found["type"]],
            ["Description", found["description"] or ""],
            ["Digest", found["digest"]],
            ["Files", f"{found['file_count']} with {found['size_bytes']} bytes"],
            ["Made in", found["source"] or "a place you may not see"],
            ["Linked", found["linked_at"]],
        ]
        tell(as_json, found, in_columns(rows, ""))


@app.command()
def link(
    version: Annotated[str, typer.Argument(help="TEAM/PROJECT/NAME:VERSION")],
    collection: Collection,
    alias: Annotated[
        list[str] | None, typer.Option(help="A name it gets there; may be repeated.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Link a version into a collection, which is made when missing."""
    with telling(as_json):
        body = {"version": version, "aliases": alias or []}
        made = call(url, api_key, "POST", collection_path(collection, "links"), body)
        tell(as_json, made, f"It is {made['full_name']}.")


@app.command()
def unlink(
    place: Place, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Take a version out of a collection; it stays where it was made."""
    with telling(as_json):
        call(url, api_key, "DELETE", version_path(place))
        tell(as_json, {"unlinked": place}, f"Unlinked {place}.")
