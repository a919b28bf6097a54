"""`byname upload`: a version from files and folders, without the SDK; linked where asked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, collection_path
from byname.cli.output import AsJson, counted, object_of, tell, telling
from byname.cli.progress import bar
from byname.client import Client


def upload(
    name: Annotated[str, typer.Argument(help="TEAM/PROJECT/NAME")],
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders for what is in them.")],
    artifact_type: Annotated[str, typer.Option("--type", help="The type, such as model.")],
    alias: Annotated[
        list[str] | None, typer.Option(help="A name it gets; may be repeated.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    metadata: Annotated[str | None, typer.Option(help="A JSON object.")] = None,
    link: Annotated[
        str | None,
        typer.Option(
            help="ORGANIZATION/REGISTRY/COLLECTION to link it into; --alias is for there."
        ),
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, help="How many files at a time.")
    ] = 8,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Log a version: in parallel, sending only what the server lacks, each file verified.

    Cut off, the same command goes on. The same content again is the version it was.
    """
    with telling(as_json):
        aliases = alias or []
        told = None if metadata is None else object_of(metadata, "--metadata")
        where = None if link is None else collection_path(link, "links")
        with bar(name, as_json) as progress:
            done = Client(url, api_key).upload(
                paths,
                name,
                type=artifact_type,
                aliases=[] if where else aliases,
                description=description,
                metadata=told,
                progress=progress,
                parallel=parallel,
            )
        answer: dict[str, Any] = asdict(done)
        word = "Logged" if done.new else "It was there already:"
        text = (
            f"{word} {done.ref}: {counted(done.file_count, 'file')},"
            f" {counted(done.sent_bytes, 'byte')} sent, verified."
        )
        if where is not None:
            body = {"version": done.ref, "aliases": aliases}
            answer["linked"] = call(url, api_key, "POST", where, body)["full_name"]
            text += f"\nIt is {answer['linked']}."
        tell(as_json, answer, text)
