"""Deleting a version, seeing what was deleted, and taking it back, over REST (R158 to R164)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from byname.domain.trash import DeletedKind
from byname.domain.trash import Deletion as FoundDeletion
from byname.operations import trash as operations
from byname.rest.asking import Asking
from byname.rest.once import Router

router = Router(tags=["trash"])

Owner = Annotated[
    str, Path(description="An organization, with all its teams; or one team or person.")
]
DeletionId = Annotated[int, Path(ge=1, le=2**62, description="The `id` that the list shows.")]


class Deletion(BaseModel):
    """Something that was deleted and can be restored."""

    id: int
    kind: DeletedKind
    name: str = Field(description="Its full name at the time.")
    deleted_by: str
    deleted_at: datetime


class Trash(BaseModel):
    """A page of the trash, newest first."""

    deletions: list[Deletion]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def _show(found: FoundDeletion) -> Deletion:
    return Deletion(
        id=found.id,
        kind=found.kind,
        name=found.name,
        deleted_by=found.actor_name,
        deleted_at=found.at,
    )


@router.get("/organizations/{organization}/trash", summary="List what can be restored")
def list_trash(
    ctx: Asking,
    organization: Owner,
    after: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
    first: Annotated[int | None, Query(ge=1, le=1000, description="How many at most.")] = None,
) -> Trash:
    """List the registries, collections, links and versions deleted within the last 7 days.

    Only of registries and projects that you may see.
    """
    page = operations.list_page(ctx, organization, after=after, first=first)
    return Trash(
        deletions=[_show(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.post("/organizations/{organization}/trash/{deletion}/restore", summary="Restore something")
def restore(ctx: Asking, organization: Owner, deletion: DeletionId) -> Deletion:
    """Bring something back as it was: numbers, tags, members, and aliases unless taken meanwhile.

    For those who may delete it. Refused when its name was taken meanwhile.
    """
    return _show(operations.restore(ctx, deletion, of=organization))


@router.delete("/versions", status_code=204, summary="Delete a version where it was made")
def delete_version(
    ctx: Asking,
    ref: Annotated[str, Query(description="The version: `entity/project/name:v3`.")],
    delete_aliases: Annotated[
        bool, Query(description="Delete it although it still has aliases.")
    ] = False,
    unlink: Annotated[
        bool, Query(description="Delete it although it is linked; its links go too, all or none.")
    ] = False,
) -> None:
    """Delete a source version; for 7 days it can be restored. For members of its project.

    Refused while it has aliases or links, unless you say so; the answer lists them.
    """
    operations.delete_version(ctx, ref, delete_aliases=delete_aliases, unlink=unlink)
