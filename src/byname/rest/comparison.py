"""Two versions of a collection side by side, over REST (R59)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from byname.domain.comparison import LINES_MAX, Change
from byname.domain.comparison import Content as FoundContent
from byname.domain.comparison import Words as FoundWords
from byname.domain.page import parse_first
from byname.operations import comparison as operations
from byname.rest.asking import Asking
from byname.rest.collection import COLLECTIONS, CollectionName, find
from byname.rest.registry import First, OrganizationName, RegistryName

router = APIRouter(tags=["versions"])


class Side(BaseModel):
    """One of the two versions."""

    version: str = Field(description="Its number, such as `v3`.")
    digest: str
    description: str | None
    size_bytes: int
    file_count: int
    run: str | None = Field(
        description="The run that made it, `team/project/run`; null when you may not see it."
    )
    linked_at: datetime
    created_at: datetime


class MetadataLine(BaseModel):
    """A value in the metadata."""

    key: str = Field(description="Inner keys are joined with dots: `metrics.accuracy`.")
    change: Change
    before: Any
    after: Any


class Words(BaseModel):
    """Tags or aliases."""

    added: list[str]
    removed: list[str]
    kept: list[str]


class Content(BaseModel):
    """What a path holds in one version."""

    digest: str
    size_bytes: int
    reference: str | None = Field(description="Where it is kept, when that is elsewhere.")


class FileLine(BaseModel):
    """A file that differs; null where a version does not have it."""

    path: str
    change: Change
    before: Content | None
    after: Content | None


class FileCounts(BaseModel):
    """How many files differ, over all pages."""

    added: int
    removed: int
    changed: int


class Comparison(BaseModel):
    """Two versions, and what differs between them."""

    before: Side
    after: Side
    metadata: list[MetadataLine] = Field(
        description=f"Changed keys first, then added and removed ones; at most {LINES_MAX:,} lines."
    )
    metadata_count: int = Field(description="How many lines of metadata there are in all.")
    tags: Words
    aliases: Words
    files: list[FileLine] = Field(description="A page of the files that differ, by path.")
    file_counts: FileCounts | None = Field(description="On the first page only.")
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def _side(side: operations.Side) -> Side:
    run = None
    if side.run is not None and side.run_project is not None:
        run = f"{side.run_project.place}/{side.run.name}"
    return Side(
        version=f"v{side.membership.number}",
        digest=side.version.digest,
        description=side.version.description,
        size_bytes=side.version.size_bytes,
        file_count=side.version.file_count,
        run=run,
        linked_at=side.membership.created_at,
        created_at=side.version.created_at,
    )


def _words(words: FoundWords) -> Words:
    return Words(added=words.added, removed=words.removed, kept=words.kept)


def _content(content: FoundContent | None) -> Content | None:
    if content is None:
        return None
    return Content(digest=content.digest, size_bytes=content.size_bytes, reference=content.ref)


@router.get(COLLECTIONS + "/{collection}/compare", summary="Compare two versions")
def compare_versions(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: CollectionName,
    from_: Annotated[str, Query(alias="from", description="A number or an alias.")],
    to: Annotated[str, Query(description="A number or an alias.")],
    after: Annotated[str, Query(description="Goes on behind this path: an earlier `next`.")] = "",
    first: First = None,
) -> Comparison:
    """See what differs between two versions: metadata, tags, aliases, files, size and run."""
    project, found = find(ctx, organization, registry, collection)
    limit = parse_first(first)
    compared = operations.compare(ctx, project, found, from_, to, behind=after, limit=limit)
    counts = compared.counts
    return Comparison(
        before=_side(compared.before),
        after=_side(compared.after),
        metadata=[
            MetadataLine(key=each.key, change=each.change, before=each.before, after=each.after)
            for each in compared.metadata[:LINES_MAX]
        ],
        metadata_count=len(compared.metadata),
        tags=_words(compared.tags),
        aliases=_words(compared.aliases),
        files=[
            FileLine(
                path=each.path,
                change=each.change,
                before=_content(each.before),
                after=_content(each.after),
            )
            for each in compared.files
        ],
        file_counts=None
        if counts is None
        else FileCounts(added=counts.added, removed=counts.removed, changed=counts.changed),
        next=compared.files[-1].path if compared.has_next else None,
    )
