"""`byname gc`: removing bytes that nothing needs, or showing why each stays or goes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, Refused, tell, telling
from byname.cli.progress import waiting
from byname.cli.serve import load_settings

if TYPE_CHECKING:
    from byname.operations.context import Context

COLLECTING = "Collecting garbage"
FREED = "Freed {freed_bytes} bytes: {blobs} contents, and {blobs_without_row} left by crashes."


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing; say why each content stays or goes.")
    ] = False,
    listed: Annotated[
        int, typer.Option("--list", min=0, max=10_000, help="How many contents to list.")
    ] = 100,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Work on this data folder itself, beside a server or without."),
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Collect garbage: on a running server, for its administrators, or on a data folder.

    With --data, --dry-run and --json every content is a line of its own, and the sums are the last.
    """
    with telling(as_json):
        if data is not None:
            _on_folder(data, dry_run=dry_run, listed=listed, as_json=as_json)
        elif dry_run:
            where = path("garbage-collections", "preview")
            with waiting("Looking what would go", as_json):
                answer = call(url, api_key, "POST", where, {"list": listed})
            lines = [_line(each) for each in answer["listed"]]
            tell(as_json, answer, "\n".join([*lines, _sums(answer)]))
        else:
            with waiting(COLLECTING, as_json):
                answer = call(url, api_key, "POST", path("garbage-collections"))
            tell(as_json, answer, FREED.format(**answer))


def _line(verdict: dict[str, Any]) -> str:
    word = "goes " if verdict["goes"] else "stays"
    return (
        f"{word}  {verdict['entity_id']}/{verdict['sha256']}  "
        f"{verdict['size_bytes']} bytes: {verdict['reason']}"
    )


def _sums(preview: dict[str, Any]) -> str:
    return (
        f"{preview['goes']} would go, with {preview['freed_bytes']} bytes; "
        f"{preview['stays']} would stay."
    )


def _on_folder(data: Path, *, dry_run: bool, listed: int, as_json: bool) -> None:
    from byname import wiring

    if not (data / wiring.DATABASE_FILE).is_file():
        raise Refused("not_found", f"{data} is no data folder of a Byname server", 5)
    ctx = wiring.build_context(load_settings(data=data))
    try:
        if dry_run:
            _preview(ctx, listed, as_json)
        else:
            from byname.operations import gc as operations

            with waiting(COLLECTING, as_json):
                done = asdict(operations.collect(ctx))
            tell(as_json, done, FREED.format(**done))
    finally:
        ctx.blobs.close()
        ctx.database.close()


def _preview(ctx: Context, listed: int, as_json: bool) -> None:
    from byname.domain.gc import Preview
    from byname.operations import gc as operations

    preview = Preview()
    for number, each in enumerate(operations.judge(ctx)):
        preview.count(each)
        verdict = {
            "entity_id": each.entity_id,
            "sha256": each.sha256,
            "size_bytes": each.size_bytes,
            "goes": each.reason.goes,
            "reason": each.reason.value,
        }
        if as_json:
            print(json.dumps(verdict))
        elif number < listed:
            print(_line(verdict))
    sums = asdict(preview)
    tell(as_json, sums, _sums(sums))
