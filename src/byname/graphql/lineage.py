"""Which runs used which versions, and which made them."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain.entity import User
from byname.domain.page import WHOLE_MAX, Page
from byname.domain.run import Run
from byname.domain.version import Version
from byname.graphql import loaders
from byname.graphql.connection import Connection, connection
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.ids import from_id
from byname.graphql.run import run_connection, users
from byname.graphql.version import ARTIFACT
from byname.operations import lineage as operations

mutation = MutationType()
artifact = ObjectType("Artifact")
run_type = ObjectType("Run")


def makers(request: RequestContext) -> Loader[int, Run | None]:
    """Runs that made versions, by id; None for those hidden from the caller."""
    return request.loader("makers", lambda ids: operations.makers_of_many(request.ctx, ids))


@artifact.field("createdBy")
def resolve_created_by(version: Version, info: Info) -> Run | User | None:
    """The run that made the version, or the user where it came without one."""
    if version.run_id is not None:
        return makers(info.context).get(version.run_id)
    return None if version.created_by is None else users(info.context).get(version.created_by)


@artifact.field("usedBy")
def resolve_used_by(
    version: Version, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """The runs that used the version, under whatever name and through whatever link (R151).

    The client's `used_by` takes the first page for all there is.
    """
    request = info.context
    first = WHOLE_MAX if first is None else first
    page = operations.users_of(request.ctx, version.id, after=after, first=first)
    return run_connection(request, page)


@run_type.field("inputArtifacts")
def resolve_inputs(
    run: Run, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """The versions that the run used."""
    request = info.context
    return _versions(request, operations.inputs_of(request.ctx, run, after=after, first=first))


@run_type.field("outputArtifacts")
def resolve_outputs(
    run: Run, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """The versions that the run made, or logged again."""
    request = info.context
    return _versions(request, operations.outputs_of(request.ctx, run, after=after, first=first))


def _versions(request: RequestContext, page: Page[int]) -> Connection:
    versions = loaders.versions(request)
    versions.expect(page.items)
    return connection(page, versions.get)


@mutation.field("useArtifact")
def use_artifact(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """It is written down that the run used the version."""
    version = operations.use_version(
        info.context.ctx,
        entity=input["entity_name"],
        project=input["project_name"],
        run_name=input["run_name"],
        version_id=from_id(input["artifact_id"], ARTIFACT),
        used_as=input.get("used_as"),
        through_entity=input.get("artifact_entity_name"),
        through_project=input.get("artifact_project_name"),
    )
    info.context.loaders.clear()
    return {"artifact": version}


bindables = [mutation, artifact, run_type]
