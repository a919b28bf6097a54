"""`byname check`: is everything in a data folder whole? Works alone, without a server."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.output import AsJson, Refused, tell, telling
from byname.cli.progress import bar
from byname.cli.serve import Data, load_settings

EXIT_FINDINGS = 8


def check(
    data: Data = None,
    read_bytes: Annotated[
        bool, typer.Option("--bytes", help="Read every file and compute its SHA-256 anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the database, the chain of the ledger, numbers, counts, and that all bytes are there.

    Exits with 0 when all is well, with 8 when something is not. Nothing is changed.
    """
    with telling(as_json):
        settings = load_settings(data=data)
        from byname.operations import check as operations
        from byname.wiring import DATABASE_FILE, build_context

        if not (settings.data / DATABASE_FILE).is_file():
            raise Refused("not_found", f"There is no database in {settings.data}", 5)
        ctx = build_context(settings).acting(None, "cli")
        try:
            with bar(f"Checking {settings.data}", as_json) as progress:
                found = list(operations.find_all(ctx, read_bytes=read_bytes, progress=progress))
        finally:
            ctx.database.close()
        answer = {
            "ok": not found,
            "findings": [{"what": each.what, "text": each.text} for each in found],
        }
        text = "\n".join(f"{each.what}: {each.text}" for each in found) or "All is well."
        tell(as_json, answer, text)
    if found:
        raise typer.Exit(EXIT_FINDINGS)
