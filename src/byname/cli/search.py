"""`byname search`: names of registries, collections, tags and aliases by a part of them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, in_columns, tell, telling
from byname.domain.finder import Sort


def search(
    text: Annotated[str, typer.Argument(help="A part of a name, whatever its case.")],
    organization: Annotated[str | None, typer.Option(help="Only there.")] = None,
    registry: Annotated[str | None, typer.Option(help="Only in this registry.")] = None,
    kind: Annotated[Sort | None, typer.Option(help="Only names of this kind.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, help="How many of each kind at most.")
    ] = 10,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Find registries, collections, tags and aliases by a part of their names."""
    query = {"q": text, "first": str(limit)}
    given = {"organization": organization, "registry": registry, "kind": kind}
    query |= {name: str(value) for name, value in given.items() if value is not None}
    with telling(as_json):
        found = call(url, api_key, "GET", f"{path('search')}?{urlencode(query)}")
        rows = [
            [
                group["kind"].replace("_", " "),
                each["name"],
                "/".join(
                    piece
                    for piece in (each["organization"], each["registry"], each["collection"])
                    if piece is not None
                )
                + (f":{each['version']}" if each["version"] else ""),
            ]
            for group in found["results"]
            for each in group["items"]
        ]
        tell(as_json, found, in_columns(rows, "Nothing found."))
