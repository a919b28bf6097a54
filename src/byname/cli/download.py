"""`byname download`: a version's files into a folder, verified."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url
from byname.cli.output import AsJson, counted, tell, telling
from byname.cli.progress import bar
from byname.client import Client


def download(
    ref: Annotated[
        str, typer.Argument(help="[ORGANIZATION/]REGISTRY/COLLECTION:ALIAS; without it, latest.")
    ],
    folder: Annotated[Path, typer.Argument(help="Where the files go; it is made when missing.")],
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, help="How many files or parts at a time.")
    ] = 8,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Download a version: in parallel, resumable, each file verified by its SHA-256."""
    with telling(as_json), bar(ref, as_json) as progress:
        client = Client(url, api_key)
        done = client.download(ref, folder, progress=progress, parallel=parallel)
        answer = {
            **asdict(done.version),
            "linked_at": done.version.linked_at.isoformat(),
            "folder": str(done.folder),
            "fetched_bytes": done.fetched_bytes,
            "references": done.references,
        }
        text = (
            f"{done.version.full_name}: {counted(done.file_count, 'file')} in {done.folder},"
            " verified."
        )
        if done.references:
            text += f"\nNot fetched: {counted(len(done.references), 'reference')} to elsewhere."
        tell(as_json, answer, text)
