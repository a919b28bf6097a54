"""`byname history`: what happened to a registry, a collection or an alias."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, collection_path, gather, registry_path
from byname.cli.output import AsJson, in_columns, tell, telling


def history(
    place: Annotated[
        str, typer.Argument(help="ORGANIZATION/REGISTRY, with /COLLECTION, or that with :ALIAS")
    ],
    actor: Annotated[str | None, typer.Option(help="Done by this user only.")] = None,
    kind: Annotated[str | None, typer.Option(help="For example alias, or alias:move.")] = None,
    version: Annotated[str | None, typer.Option(help="About this version only: v3.")] = None,
    since: Annotated[str | None, typer.Option(help="Not before this time.")] = None,
    until: Annotated[str | None, typer.Option(help="Not after this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 100,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show what happened, newest first, with who did it."""
    with telling(as_json):
        base, _, alias = place.partition(":")
        find = collection_path if base.count("/") == 2 else registry_path
        where = find(base, "history")
        entries = gather(
            url,
            api_key,
            where,
            "history",
            limit,
            actor=actor,
            kind=kind,
            alias=alias or None,
            version=version,
            since=since,
            until=until,
        )
        rows = [
            [each["at"], each["actor"], each["kind"], _subject(each), _change(each)]
            for each in entries
        ]
        tell(as_json, {"history": entries}, in_columns(rows, "Nothing happened."))


def _subject(entry: dict[str, Any]) -> str:
    subject: str = entry["subject"]
    if entry["revision"] is not None:
        return f"{entry['collection']}:{subject}"
    return subject


def _change(entry: dict[str, Any]) -> str:
    before, after = entry["before"], entry["after"]
    if before is None and after is None:
        return ""
    return f"{_told(before)} -> {_told(after)}"


def _told(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
