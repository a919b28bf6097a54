"""Garbage collection over REST, for server administrators (R163)."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field

from byname.domain.gc import Preview as Counting
from byname.operations import gc as operations
from byname.rest.asking import Asking
from byname.rest.once import Router, in_own_transactions

router = Router(tags=["server"])

LISTED_MAX = 10_000


class Verdict(BaseModel):
    """Whether one content stays or goes, and why."""

    entity_id: int
    sha256: str
    size_bytes: int
    goes: bool
    reason: str


class NewPreview(BaseModel):
    """How much of the preview to list."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"list": 100}]})

    list: int = Field(default=100, ge=0, le=LISTED_MAX)


class Preview(BaseModel):
    """What a collection would do; the bytes of versions given up by it come on top."""

    freed_bytes: int
    goes: int
    stays: int
    by_reason: dict[str, int]
    listed: list[Verdict] = Field(description="Some of the verdicts, those that go first.")


class Collected(BaseModel):
    """What a collection did."""

    freed_bytes: int
    blobs: int
    blobs_without_row: int
    uploads_given_up: int
    versions_emptied: int
    run_files: int
    leftovers: int


@router.post("/garbage-collections", summary="Collect garbage")
@in_own_transactions
def collect_garbage(ctx: Asking) -> Collected:
    """Remove the bytes that nothing needs, now instead of within the hour. For administrators."""
    return Collected(**asdict(operations.run(ctx)))


@router.post("/garbage-collections/preview", summary="Show what a collection would remove")
@in_own_transactions
def preview_garbage(ctx: Asking, body: NewPreview) -> Preview:
    """Say of each content whether it stays or goes, and why; nothing is removed."""
    counting = Counting()
    going: list[Verdict] = []
    staying: list[Verdict] = []
    for each in operations.plan(ctx):
        counting.count(each)
        some = going if each.reason.goes else staying
        if len(some) < body.list:
            some.append(
                Verdict(
                    entity_id=each.entity_id,
                    sha256=each.sha256,
                    size_bytes=each.size_bytes,
                    goes=each.reason.goes,
                    reason=each.reason.value,
                )
            )
    return Preview(
        freed_bytes=counting.freed_bytes,
        goes=counting.goes,
        stays=counting.stays,
        by_reason=counting.by_reason,
        listed=list(islice([*going, *staying], body.list)),
    )
