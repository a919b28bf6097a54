"""Search for people over REST (R113 to R116)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from byname.domain.finder import Found, Sort
from byname.domain.page import Page
from byname.domain.project import Project
from byname.operations import finder as operations
from byname.rest.asking import Asking

router = APIRouter(tags=["search"])


class Finding(BaseModel):
    """One place where a name stands."""

    name: str
    match: str = Field(description="How well it fits: exact, prefix or part.")
    organization: str
    registry: str
    collection: str | None = Field(description="Null of a registry.")
    version: str | None = Field(description="The version that an alias or its tag leads to.")
    protected: bool = Field(description="Whether it is an alias that only Admins move.")


class Group(BaseModel):
    """What was found of one kind; exact fits first, then prefixes, then parts, newest first."""

    kind: Sort
    items: list[Finding]
    next: str | None = Field(description="The `after` of the next page of this kind.")


class Findings(BaseModel):
    """What was found, kind by kind."""

    results: list[Group]


def _show(sort: Sort, page: Page[Found], registries: dict[int, Project]) -> Group:
    return Group(
        kind=sort,
        items=[
            Finding(
                name=each.name,
                match=each.rank.name.lower(),
                organization=registries[each.project_id].entity_name,
                registry=registries[each.project_id].registry_name,
                collection=each.collection_name,
                version=None if each.number is None else f"v{each.number}",
                protected=each.protected,
            )
            for each in page.items
        ],
        next=page.end_cursor if page.has_next else None,
    )


@router.get("/search", summary="Search names")
def search_names(
    ctx: Asking,
    q: Annotated[str, Query(description="A part of a name, whatever its case.")],
    organization: Annotated[
        str | None, Query(description="Where; in all of yours, when absent.")
    ] = None,
    registry: Annotated[str | None, Query(description="In this registry only.")] = None,
    kind: Annotated[Sort | None, Query(description="Of this kind only.")] = None,
    after: Annotated[
        str | None, Query(description="Goes on behind an earlier page of one `kind`.")
    ] = None,
    first: Annotated[
        int | None, Query(description="How many of each kind at most; 10 when absent.")
    ] = None,
) -> Findings:
    """Search the names of registries and collections, tags, and aliases that you may see.

    One or two letters are found at the start of names only.
    """
    found = operations.find(ctx, operations.Search(q, organization, registry, kind, after, first))
    return Findings(
        results=[_show(sort, page, found.registries) for sort, page in found.pages.items()]
    )
