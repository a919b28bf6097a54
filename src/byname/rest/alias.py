"""Aliases over REST: what one is on, compare-and-set, group moves, undo (R67 to R77, R88, R189)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.errors import Unprocessable
from byname.operations import alias_move as operations
from byname.operations import registry as registries
from byname.operations.alias_move import ANY_HOLDER, Expected, Move, Standing
from byname.rest.asking import Asking
from byname.rest.collection import COLLECTIONS, CollectionName, find
from byname.rest.once import Router
from byname.rest.registry import OrganizationName, RegistryName

router = Router(tags=["aliases"])

ALIAS = COLLECTIONS + "/{collection}/aliases/{alias}"
AliasName = Annotated[str, Path(description="The alias.")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The `ETag` the alias must have; `*`: somebody holds it."),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="`*`: nobody may hold it.")
]

_ETAG = re.compile(r'"(\d{1,18})"')


class Alias(BaseModel):
    """An alias of a collection."""

    collection: str
    alias: str
    version: str | None = Field(description="The number that holds it; null when nobody does.")
    digest: str | None
    revision: int = Field(description="Grows by one at each change of the alias.")
    protected: bool
    previous: str | None = Field(default=None, description="After a move: where it was before.")

    @classmethod
    def of(cls, found: Standing) -> Alias:
        """The alias as this face shows it."""
        return cls(
            collection=found.collection,
            alias=found.alias,
            version=_shown(found.number),
            digest=found.digest,
            revision=found.revision,
            protected=found.protected,
            previous=_shown(found.previous),
        )


def _shown(number: int | None) -> str | None:
    return None if number is None else f"v{number}"


class Target(BaseModel):
    """Where an alias is to go."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": "v1"}]})

    version: str = Field(description="A number such as `v1`, or another alias of the collection.")


class AliasMove(BaseModel):
    """One move of a group."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"collection": "Zoo", "alias": "production", "version": "v1", "expect": "v0"}
            ]
        },
    )

    collection: str
    alias: str
    version: str | None = Field(description="Where it is to go; null takes it off.")
    expect: str | None = Field(
        default=None,
        description="The number that must hold it; null: nobody may. Absent: whoever holds it.",
    )

    def as_move(self) -> Move:
        """The move as operations take it."""
        said = "expect" in self.model_fields_set
        expected = Expected(version=self.expect if said else ANY_HOLDER)
        return Move(self.collection, self.alias, self.version, expected)


class AliasMoves(BaseModel):
    """Moves that are made together or not at all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"moves": [{"collection": "Zoo", "alias": "production", "version": "v1"}]}]
        },
    )

    moves: list[AliasMove] = Field(min_length=1, max_length=operations.MOVES_MAX)


class Moved(BaseModel):
    """The aliases after a group of moves, in its order."""

    aliases: list[Alias]


class Undone(BaseModel):
    """Which change of an alias to undo."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"revision": 2}]})

    revision: int = Field(ge=1, lt=2**62, description="Its present revision.")


def _expected(if_match: str | None, if_none_match: str | None) -> Expected:
    """What the headers of a request expect.

    Raises:
        Unprocessable: they cannot be read.
    """
    if if_none_match is not None:
        if if_none_match.strip() != "*" or if_match is not None:
            raise Unprocessable("If-None-Match can be * only, alone", field="If-None-Match")
        return Expected(held=False)
    if if_match is None:
        return Expected()
    if if_match.strip() == "*":
        return Expected(held=True)
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Unprocessable(
            'If-Match must be one ETag of this alias, such as "12", or *', field="If-Match"
        )
    return Expected(revision=int(found[1]))


def etag_of(found: Standing) -> str:
    """The alias's `ETag`: its revision."""
    return f'"{found.revision}"'


def matches_etag(header: str, etag: str) -> bool:
    """Whether an `If-None-Match` names this `ETag`, among others or by `*` (RFC 9110, 13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in given or etag in given


def _answer(found: Standing) -> JSONResponse:
    body = Alias.of(found).model_dump(mode="json")
    return JSONResponse(body, headers={"ETag": etag_of(found)})


WAIT: dict[str, Any] = {
    "parameters": [
        {
            "name": "wait",
            "in": "query",
            "required": False,
            "description": "Wait up to so many seconds (`55s`; 300 at the most) until the alias is "
            "not as `If-None-Match` says, or, without it, until somebody holds it.",
            "schema": {"type": "string", "pattern": r"^[0-9]{1,3}s?$"},
            "example": "55s",
        }
    ],
}
"""Waiting in the OpenAPI document: it is done before the framework (`AliasWait`)."""


@router.get(
    ALIAS,
    response_model=Alias,
    summary="Get an alias, or wait until it moves",
    responses={304: {"description": "The alias is as `If-None-Match` says."}},
    openapi_extra=WAIT,
)
def get_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    alias: AliasName,
    at: Annotated[datetime | None, Query(description="As of this time; now, when absent.")] = None,
    known: Annotated[
        str | None,
        Header(alias="If-None-Match", description="The `ETag` you have: 304 while it is so."),
    ] = None,
) -> Response:
    """Get the version that an alias is on, or was on at a time; 404 when nobody holds it.

    With `wait` and the `ETag` of the last answer in `If-None-Match` the answer comes when the alias
    moves, with its new state, or is 304 at the end of the time. Ask again then. Your role is looked
    up again when it answers.
    """
    project, found = find(ctx, organization, registry, collection)
    moment = at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)
    answer = _answer(operations.get(ctx, project, found, alias, moment))
    if at is not None:
        del answer.headers["ETag"]
    elif known is not None and matches_etag(known, answer.headers["ETag"]):
        return Response(status_code=304, headers={"ETag": answer.headers["ETag"]})
    return answer


@router.put(ALIAS, response_model=Alias, summary="Put an alias on a version")
def put_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    alias: AliasName,
    body: Target,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Put an alias on a version, from wherever it was, in one step.

    For Members, or Admins where it is protected. With `If-Match` or `If-None-Match: *` only if it
    is as expected, else 412 with the present holder.
    """
    expected = _expected(if_match, if_none_match)

    project = registries.get_by_name(ctx, organization, registry)
    move = Move(collection, alias, body.version, expected)
    return _answer(operations.move(ctx, project.id, [move])[0])


@router.delete(ALIAS, status_code=204, summary="Take an alias off")
def delete_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    alias: AliasName,
    if_match: IfMatch = None,
) -> None:
    """Take an alias off the version that holds it. For Members, or Admins where it is protected."""
    expected = _expected(if_match, None)

    project = registries.get_by_name(ctx, organization, registry)
    operations.move(ctx, project.id, [Move(collection, alias, None, expected)])


@router.post(
    "/registries/{organization}/{registry}/alias-moves",
    summary="Move several aliases",
)
def move_aliases(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    body: AliasMoves,
) -> Moved:
    """Move several aliases of a registry's collections: all of them, or none.

    One expectation that does not hold makes it 409, with the present holder in `details.current`.
    """
    project = registries.get_by_name(ctx, organization, registry)
    done = operations.move(ctx, project.id, [each.as_move() for each in body.moves])
    return Moved(aliases=[Alias.of(each) for each in done])


@router.post(ALIAS + "/undo", response_model=Alias, summary="Undo the last change of an alias")
def undo_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    alias: AliasName,
    body: Undone,
) -> Response:
    """Put an alias back where it was before its last change; 409 if it was changed since."""
    project = registries.get_by_name(ctx, organization, registry)
    return _answer(operations.undo(ctx, project.id, collection, alias, body.revision))
