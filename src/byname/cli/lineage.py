"""`byname lineage`: where a version comes from, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, by_reference, call, path
from byname.cli.output import AsJson, in_columns, tell, telling

HIDDEN = "(hidden from you)"


def lineage(
    of: Annotated[
        str,
        typer.Argument(
            help="TEAM/PROJECT/NAME:VERSION or ORGANIZATION/REGISTRY/COLLECTION:VERSION; with --run, "
            "TEAM/PROJECT/RUN."
        ),
    ],
    run: Annotated[bool, typer.Option("--run", help="It names a run.")] = False,
    depth: Annotated[
        int | None, typer.Option(min=1, help="How many steps away to look, both ways.")
    ] = None,
    fan_out: Annotated[
        int | None, typer.Option("--fan-out", min=1, help="The most neighbours of a side.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show the runs and versions around a version or run: what made it, and what used it."""
    given = {"depth": depth, "fan_out": fan_out}
    asked = {name: str(value) for name, value in given.items() if value is not None}
    where = path("lineage")
    with telling(as_json):
        if run:
            found = call(url, api_key, "GET", f"{where}?{urlencode({'run': of, **asked})}")
        else:
            found = by_reference(url, api_key, "GET", where, of, query=asked)
        tell(as_json, found, in_columns(_arrows(found), "Nothing made it and nothing used it."))


def _arrows(graph: dict[str, Any]) -> list[list[str]]:
    nodes = {each["id"]: each for each in graph["nodes"]}
    rows = [
        [_told(nodes[edge["source"]]), _VERBS[edge["kind"]], _told(nodes[edge["target"]])]
        for edge in graph["edges"]
    ]
    for each in graph["nodes"]:
        for key, side in (("more_sources", "before"), ("more_results", "behind")):
            if each[key] is not None:
                least = "" if each[key]["exact"] else "at least "
                rows.append([_told(each), f"has {least}{each[key]['count']} more", f"{side} it"])
    return rows


_VERBS = {"made": "made", "used": "was used by"}


def _told(node: dict[str, Any]) -> str:
    return f"{node['kind']} {node['name'] or HIDDEN}"
