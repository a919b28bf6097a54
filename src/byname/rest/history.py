"""History and the audit log over REST (R187 to R191)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from byname.domain import names
from byname.domain.errors import Unprocessable
from byname.domain.history import Cursor, Entry, Filter, to_csv
from byname.operations import history as operations
from byname.operations import registry as registries
from byname.operations.context import Context
from byname.rest.alias import ALIAS, AliasName
from byname.rest.asking import Asking
from byname.rest.collection import COLLECTIONS, CollectionName, find
from byname.rest.registry import After, OrganizationName, RegistryName

router = APIRouter(tags=["history"])

First = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]
Format = Annotated[Literal["json", "csv"], Query(description="`json`, or `csv` as a file.")]
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""Beside JSON."""


class HistoryEntry(BaseModel):
    """One thing that happened."""

    at: datetime
    actor: str
    face: str = Field(description="How it was done: sdk, rest, cli, web or server.")
    kind: str = Field(description="For example `alias:move`, `link:create`, `member:set`.")
    subject: str
    collection: str | None
    version: str | None
    before: Any
    after: Any
    revision: int | None = Field(description="Of the alias, for what happened to aliases.")
    cause: str | None

    @classmethod
    def of(cls, entry: Entry) -> HistoryEntry:
        """The entry as this face shows it."""
        return cls(
            at=entry.at,
            actor=entry.actor,
            face=entry.face,
            kind=entry.kind,
            subject=entry.subject,
            collection=entry.collection,
            version=None if entry.number is None else f"v{entry.number}",
            before=entry.before,
            after=entry.after,
            revision=entry.revision,
            cause=entry.cause,
        )


class History(BaseModel):
    """A page of what happened, newest first."""

    history: list[HistoryEntry]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


class AliasChange(BaseModel):
    """One change of an alias."""

    at: datetime
    actor: str
    face: str
    cause: str
    revision: int
    before: str | None
    after: str | None


class AliasHeld(BaseModel):
    """A time during which one version held an alias."""

    version: str
    since: datetime
    until: datetime | None = Field(description="Null: it still does.")
    revision: int
    actor: str


class AliasHistory(BaseModel):
    """A page of what happened to an alias, newest first, and who held it when."""

    history: list[AliasChange]
    holders: list[AliasHeld]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def _time(value: datetime | None) -> int | None:
    if value is None:
        return None
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000_000)


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    if not names.is_number(version) or len(version) > 18:
        raise Unprocessable("The version must be a number such as v3", field="version")
    return int(version[1:])


def _answer(shown: Sequence[BaseModel], rest: dict[str, Any], form: str) -> Response:
    entries = [each.model_dump(mode="json") for each in shown]
    following = {} if rest["next"] is None else {"X-Next-Cursor": str(rest["next"])}
    if form == "json":
        return JSONResponse({"history": entries, **rest}, headers=following)
    header = list(type(shown[0]).model_fields) if shown else ["at"]
    table = [
        [value if not isinstance(value, dict | list) else json.dumps(value) for value in e.values()]
        for e in entries
    ]
    return Response(
        to_csv(header, table),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="history.csv"', **following},
    )


def _read(
    ctx: Context,
    organization: str,
    registry: str,
    collection: str | None,
    wanted: Filter,
    after: str | None,
    first: int,
    form: str,
) -> Response:
    if collection is None:
        project, found = registries.get_by_name(ctx, organization, registry), None
    else:
        project, found = find(ctx, organization, registry, collection)
    below = None if after is None else Cursor.parse(after)
    page = operations.read(ctx, project, found, wanted=wanted, below=below, limit=first)
    shown = [HistoryEntry.of(each) for each in page.entries]
    return _answer(shown, {"next": None if page.next is None else page.next.text}, form)


Actor = Annotated[str | None, Query(description="Done by this user only.")]
Kind = Annotated[
    str | None, Query(description="Of this kind only: `alias`, or more exactly `alias:move`.")
]
OnlyAlias = Annotated[str | None, Query(description="About this alias only.")]
OnlyVersion = Annotated[str | None, Query(description="About this version only, such as `v3`.")]
Since = Annotated[datetime | None, Query(description="Not before this time.")]
Until = Annotated[datetime | None, Query(description="Not after this time.")]


@router.get(
    "/registries/{organization}/{registry}/history",
    response_model=History,
    responses=AS_FILE,
    summary="Read the history of a registry",
)
def read_registry_history(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    actor: Actor = None,
    kind: Kind = None,
    alias: OnlyAlias = None,
    version: OnlyVersion = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    first: First = 100,
    format: Format = "json",  # noqa: A002  The name on the wire.
) -> Response:
    """Read what happened in a registry and all its collections, deleted ones too."""
    wanted = Filter(actor, kind, alias, _number(version), _time(since), _time(until))
    return _read(ctx, organization, registry, None, wanted, after, first, format)


@router.get(
    COLLECTIONS + "/{collection}/history",
    response_model=History,
    responses=AS_FILE,
    summary="Read the history of a collection",
)
def read_collection_history(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    actor: Actor = None,
    kind: Kind = None,
    alias: OnlyAlias = None,
    version: OnlyVersion = None,
    since: Since = None,
    until: Until = None,
    after: After = None,
    first: First = 100,
    format: Format = "json",  # noqa: A002
) -> Response:
    """Read what happened in a collection."""
    wanted = Filter(actor, kind, alias, _number(version), _time(since), _time(until))
    return _read(ctx, organization, registry, collection, wanted, after, first, format)


@router.get(
    ALIAS + "/history",
    response_model=AliasHistory,
    responses=AS_FILE,
    summary="Read the history of an alias",
)
def read_alias_history(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    alias: AliasName,
    after: After = None,
    first: First = 100,
    format: Format = "json",  # noqa: A002
) -> Response:
    """Read every change of an alias, and which version held it from when to when."""
    project, found = find(ctx, organization, registry, collection)
    if after is not None and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Unprocessable("The cursor is not one that a page ended with", field="after")
    below = None if after is None else int(after)
    rows, held, following = operations.holders_of(
        ctx, project, found, alias, below=below, limit=first
    )
    changes = [
        AliasChange(
            at=row.at,
            actor=row.actor_name,
            face=row.face,
            cause=row.cause,
            revision=row.revision,
            before=None if row.from_number is None else f"v{row.from_number}",
            after=None if row.to_number is None else f"v{row.to_number}",
        )
        for row in rows
    ]
    holders = [
        AliasHeld(
            version=f"v{each.number}",
            since=each.since,
            until=each.until,
            revision=each.revision,
            actor=each.actor,
        ).model_dump(mode="json")
        for each in held
    ]
    following_text = None if following is None else str(following)
    return _answer(changes, {"holders": holders, "next": following_text}, format)
