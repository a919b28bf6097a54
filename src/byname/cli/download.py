"""`byname download`: a version's files into a folder, verified."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url
from byname.cli.output import AsJson, tell, telling
from byname.client import Client
from byname.client.download import Progress


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
    with telling(as_json), _bar(ref, shown=not as_json and sys.stderr.isatty()) as progress:
        client = Client(url, api_key)
        done = client.download(ref, folder, progress=progress, parallel=parallel)
        answer = {
            **asdict(done.version),
            "linked_at": done.version.linked_at.isoformat(),
            "folder": str(done.folder),
            "fetched_bytes": done.fetched_bytes,
            "references": done.references,
        }
        text = f"{done.version.full_name}: {done.file_count} files in {done.folder}, verified."
        if done.references:
            text += f"\n{len(done.references)} references to elsewhere were not fetched."
        tell(as_json, answer, text)


@contextmanager
def _bar(title: str, *, shown: bool) -> Iterator[Progress | None]:
    """A bar on standard error, for people who watch."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda there, total: bars.update(task, completed=there, total=total)
