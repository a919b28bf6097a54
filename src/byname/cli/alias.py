"""`byname alias`: putting names on versions and taking them off."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, collection_path, registry_path
from byname.cli.output import AsJson, Refused, in_columns, tell, telling
from byname.cli.words import Group

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Put names on versions, move them and take them off."
)

Name = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION:ALIAS")]
Version = Annotated[str, typer.Argument(help="A number such as v1, or another alias.")]
NOBODY = "none"
Expect = Annotated[
    str | None,
    typer.Option(
        "--expect", help="Only if this version holds it just before; 'none': if nobody does."
    ),
]


def _split(name: str) -> tuple[str, str]:
    place, _, alias = name.partition(":")
    if not alias:
        raise Refused(
            "invalid", f"{name!r} is no alias: write ORGANIZATION/REGISTRY/COLLECTION:ALIAS", 2
        )
    return place, alias


def _path(name: str, *more: str) -> str:
    place, alias = _split(name)
    return collection_path(place, "aliases", alias, *more)


def _group(
    url: str, api_key: str, name: str, version: str | None, expect: str | None
) -> dict[str, Any]:
    """The alias after its move, which is made as a group of one."""
    place, alias = _split(name)
    collection_path(place)  # Refuses what is no collection.
    registry, _, collection = place.rpartition("/")
    move: dict[str, Any] = {"collection": collection, "alias": alias, "version": version}
    if expect is not None:
        move["expect"] = None if expect == NOBODY else expect
    answer = call(url, api_key, "POST", registry_path(registry, "alias-moves"), {"moves": [move]})
    moved: dict[str, Any] = answer["aliases"][0]
    return moved


@app.command("set")
def put(
    name: Name,
    version: Version,
    expect: Expect = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Put a name on a version, from wherever it was, in one step."""
    with telling(as_json):
        moved = _group(url, api_key, name, version, expect)
        was = f" (before: {moved['previous']})" if moved["previous"] else ""
        tell(as_json, moved, f"{name} is on {moved['version']}{was}.")


app.command("move", help="The same as set.")(put)


_MOVE = re.compile(
    r"(?P<collection>[^/:]+):(?P<alias>.+)=(?P<version>[^,]+?)(?:,(?P<expect>v[0-9]+|none))?"
)


@app.command()
def group(
    place: Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY")],
    moves: Annotated[
        list[str],
        typer.Argument(
            metavar="COLLECTION:ALIAS=VERSION[,EXPECTED]...",
            help="Where each name goes, 'none' for off; and which version must hold it just before, "
            "or 'none'.",
        ),
    ],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Move several names of a registry in one step: all, or none."""
    with telling(as_json):
        body = {"moves": [_move(text) for text in moves]}
        answer = call(url, api_key, "POST", registry_path(place, "alias-moves"), body)
        rows = [
            [
                f"{each['collection']}:{each['alias']}",
                each["version"] or "no version",
                f"before: {each['previous'] or 'no version'}",
            ]
            for each in answer["aliases"]
        ]
        tell(as_json, answer, in_columns(rows, "Nothing was moved."))


def _move(text: str) -> dict[str, Any]:
    found = _MOVE.fullmatch(text)
    if found is None:
        raise Refused(
            "invalid", f"{text!r} is no move: write COLLECTION:ALIAS=VERSION[,EXPECTED]", 2
        )
    version, expect = found["version"], found["expect"]
    move: dict[str, Any] = {"collection": found["collection"], "alias": found["alias"]}
    move["version"] = None if version == NOBODY else version
    if expect is not None:
        move["expect"] = None if expect == NOBODY else expect
    return move


@app.command("rm")
def remove(
    name: Name,
    expect: Expect = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Take a name off the version that holds it."""
    with telling(as_json):
        moved = _group(url, api_key, name, None, expect)
        tell(as_json, moved, f"{name} is on no version (before: {moved['previous']}).")


@app.command()
def show(
    name: Name,
    at: Annotated[
        str | None, typer.Option(help="As of this time, such as 2026-01-31T12:00:00Z.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show which version a name is on, or was on at a time."""
    with telling(as_json):
        query = "" if at is None else "?" + urlencode({"at": at})
        found = call(url, api_key, "GET", _path(name) + query)
        locked = ", protected" if found["protected"] else ""
        text = f"{name}: {found['version']} (revision {found['revision']}{locked})"
        tell(as_json, found, text)


@app.command("ls")
def holders(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many changes to look at.")] = 100,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the versions that held a name, newest first, with the times from and until."""
    with telling(as_json):
        found = call(url, api_key, "GET", _path(name, "history") + f"?first={limit}")
        rows = [
            [each["version"], each["since"], each["until"] or "now", each["actor"]]
            for each in found["holders"]
        ]
        tell(as_json, found, in_columns(rows, "No version held it."))


@app.command()
def undo(name: Name, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """Put a name back where it was before its last change."""
    with telling(as_json):
        last = call(url, api_key, "GET", _path(name, "history") + "?first=1")
        body = {"revision": last["history"][0]["revision"]}
        found = call(url, api_key, "POST", _path(name, "undo"), body)
        tell(as_json, found, f"{name} is on {found['version'] or 'no version'} again.")
