"""`byname version`: versions in a registry's collections."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import (
    DEFAULT_URL,
    LIMIT,
    PAGE_MAX,
    ApiKey,
    Limit,
    Url,
    by_reference,
    call,
    collection_path,
    gather,
    path,
    version_path,
)
from byname.cli.output import AsJson, counted, in_columns, object_of, seconds_of, tell, telling
from byname.cli.words import Group

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="List, show, compare, edit, link, unlink and delete versions.",
)

Place = Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION:VERSION")]
Filter = Annotated[str | None, typer.Option("--filter", help='JSON, such as \'{"tag": "ready"}\'.')]
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
def files(
    place: Place,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the files of a version."""
    with telling(as_json):
        found = gather(url, api_key, version_path(place, "files"), "files", limit)
        rows = [
            [each["path"], counted(each["size_bytes"], "byte"), each["sha256"] or "kept elsewhere"]
            for each in found
        ]
        tell(as_json, {"files": found}, in_columns(rows, "It has no files."))


Reference = Annotated[
    str,
    typer.Argument(
        help="TEAM/PROJECT/NAME:VERSION, or ORGANIZATION/REGISTRY/COLLECTION:VERSION of a link."
    ),
]


@app.command()
def edit(
    version: Reference,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    metadata: Annotated[
        str | None, typer.Option(help="A JSON object, in place of all there is.")
    ] = None,
    ttl: Annotated[
        str | None,
        typer.Option(
            "--ttl",
            metavar="TIME",
            help="How long it lives: 90m, 12h, 30d, never, or team: as its team has it.",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change the description, metadata or time to live of a version, which every link shows."""
    with telling(as_json):
        given = {
            "description": description,
            "metadata": None if metadata is None else object_of(metadata, "--metadata"),
            "ttl": ttl if ttl in (None, "never", "team") else seconds_of(ttl),
        }
        body = {name: value for name, value in given.items() if value is not None}
        edited = by_reference(url, api_key, "PATCH", path("versions"), version, body=body)
        tell(as_json, edited, f"Edited {edited['full_name']}.")


@app.command("rm")
def delete(
    version: Annotated[str, typer.Argument(help="TEAM/PROJECT/NAME:VERSION")],
    with_aliases: Annotated[
        bool, typer.Option("--with-aliases", help="Although it has aliases.")
    ] = False,
    with_links: Annotated[
        bool, typer.Option("--with-links", help="Although it is linked; its links go too.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a version where it was made; for 7 days it can be restored."""
    with telling(as_json):
        words = {"delete_aliases": with_aliases, "unlink": with_links}
        asked = {name: "true" for name, wanted in words.items() if wanted}
        by_reference(url, api_key, "DELETE", path("versions"), version, query=asked)
        tell(as_json, {"deleted": version}, f"Deleted {version}.")


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


@app.command()
def compare(
    collection: Collection,
    before: Annotated[str, typer.Argument(help="A number such as v1, or an alias.")],
    after: Annotated[str, typer.Argument(help="A number such as v2, or an alias.")],
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions of a collection; at most so many files."""
    with telling(as_json):
        where = collection_path(collection, "compare")
        # Aliases as such may be words of any sort, so they go into the query.
        words = {"from": before, "to": after}
        found = _compared(url, api_key, where, words, limit)
        tell(as_json, found, _side_by_side(found))


def _compared(
    url: str, api_key: str, where: str, words: dict[str, str], limit: int
) -> dict[str, Any]:
    """The comparison with the files of as many pages as are wanted."""
    found: dict[str, Any] = {}
    after: str | None = ""
    while after is not None:
        left = limit - len(found.get("files", []))
        if left < 1:
            break
        query = urlencode({**words, "first": min(left, PAGE_MAX), "after": after})
        page = call(url, api_key, "GET", f"{where}?{query}")
        after = page["next"]
        if found:
            found["files"] += page["files"]
            found["next"] = after
        else:
            found = page
    return found


_SIGNS = {"changed": "~", "added": "+", "removed": "-", "same": " "}


def _side_by_side(found: dict[str, Any]) -> str:
    """For people: first what the versions are, then the metadata, then the files that differ."""
    old, new = found["before"], found["after"]
    rows = [["", "", old["version"], new["version"]]]
    for title, key in (
        ("Digest", "digest"),
        ("Files", "file_count"),
        ("Bytes", "size_bytes"),
        ("Run", "run"),
    ):
        sign = " " if old[key] == new[key] else "~"
        rows.append([sign, title, str(old[key] or ""), str(new[key] or "")])
    for title, words in (("Tags", found["tags"]), ("Aliases", found["aliases"])):
        sign = "~" if words["added"] or words["removed"] else " "
        olds, news = (", ".join(words["kept"] + words[side]) for side in ("removed", "added"))
        rows.append([sign, title, olds, news])
    rows += [
        [
            _SIGNS[line["change"]],
            line["key"],
            "" if line["change"] == "added" else json.dumps(line["before"]),
            "" if line["change"] == "removed" else json.dumps(line["after"]),
        ]
        for line in found["metadata"]
    ]
    for each in found["files"]:
        sizes = [
            "" if side is None else f"{side['size_bytes']} bytes"
            for side in (each["before"], each["after"])
        ]
        rows.append([_SIGNS[each["change"]], each["path"], *sizes])
    return in_columns(rows, "")
