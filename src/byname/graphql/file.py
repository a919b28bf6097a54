"""The files of runs: where to bring them, and where to fetch them."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from ariadne import MutationType, ObjectType

from byname.domain.run import Run, RunFile
from byname.graphql import loaders
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.ids import from_id, to_id
from byname.graphql.run import RUN
from byname.operations import run_file as operations

mutation = MutationType()
run_type = ObjectType("Run")

RUN_FILE = "RunFile"
FETCH, BRING = "run-file-get", "run-file"
"""What signed addresses for a run's files are for; `rest/run_file.py` serves them."""


def file_counts(request: RequestContext) -> Loader[int, int]:
    """How many files there are, by run id."""
    return request.loader(
        "run_file_counts", lambda ids: operations.counts_of_many(request.ctx, ids), lambda: 0
    )


def upload_address(request: RequestContext, run_id: int, name: str) -> str:
    """Where the bytes of a run's file may be sent, with no further login."""
    return request.addresses.content(BRING, request.ctx.who.user_id, run_id, name)


def file_node(request: RequestContext, run: Run, file: RunFile) -> dict[str, Any]:
    """A run's file as answers show it. Its addresses are made when somebody asks for them."""

    def url(_info: Info, *, upload: bool | None = None) -> str:
        if upload:
            return upload_address(request, run.id, file.name)
        return plain_address(request, run, file.name)

    def direct_url(_info: Info) -> str:
        return request.addresses.content(FETCH, request.ctx.who.user_id, file.id)

    return {
        "id": to_id(RUN_FILE, file.id),
        "name": file.name,
        "display_name": file.name.rpartition("/")[2],
        "url": url,
        "direct_url": direct_url,
        "upload_headers": [],
        "size_bytes": file.size_bytes,
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "updated_at": file.updated_at,
        "digest": file.md5,
        "md5": file.md5,
    }


def plain_address(request: RequestContext, run: Run, name: str) -> str:
    """The file's lasting address, which takes a login; the whole name is one part of its path."""
    project = loaders.projects(request).get(run.project_id)
    place = [] if project is None else [project.entity_name, project.name]
    parts = [*place, run.name, name]
    path = "/".join(quote(part, safe="") for part in parts)
    return f"{request.addresses.public_url}/files/{path}"


@run_type.field("fileCount")
def resolve_file_count(run: Run, info: Info) -> int:
    """How many files the run sent."""
    return file_counts(info.context).get(run.id)


@run_type.field("files")
def resolve_files(
    run: Run,
    info: Info,
    names: list[str | None] | None = None,
    after: str | None = None,
    first: int | None = None,
    pattern: str | None = None,
    upload: bool | None = None,
) -> Connection:
    """Files that the run sent."""
    request = info.context
    page = operations.list_page(
        request.ctx,
        run,
        names=[name for name in names or [] if name is not None],
        pattern=pattern,
        after=after,
        first=first,
    )
    return connection(page, lambda file: file_node(request, run, file))


@mutation.field("createRunFiles")
def create_run_files(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """For each name the address to send that file to."""
    request = info.context
    run, names = operations.expect(
        request.ctx,
        input["entity_name"],
        input["project_name"],
        input["run_name"],
        input["files"],
    )
    return {
        "run_id": to_id(RUN, run.id),
        "upload_headers": [],
        "files": [
            {"name": name, "upload_url": upload_address(request, run.id, name)} for name in names
        ],
    }


@mutation.field("markRunFilesUploaded")
def mark_run_files_uploaded(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """Whether all these files are here. They are known from the moment their bytes are on disk."""
    here = operations.arrived(
        info.context.ctx,
        input["entity_name"],
        input["project_name"],
        input["run_name"],
        input["files"],
    )
    return {"success": here}


@mutation.field("deleteFiles")
def delete_files(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The files are gone from their runs."""
    operations.delete(info.context.ctx, [from_id(each, RUN_FILE) for each in input["files"]])
    info.context.loaders.clear()
    return {"success": True}


bindables = [mutation, run_type]
