"""Stars: which registries somebody wants to see first (R28). Everybody's are their own."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.project import Project
from byname.operations import registry
from byname.operations.context import Context
from byname.store import star as rows


def put(ctx: Context, project_id: int) -> None:
    """The actor has starred the registry; doing it twice changes nothing more.

    Raises:
        NotFound: absent or hidden, or no registry.
    """
    with ctx.database.write() as tx:
        found = registry.find_visible(ctx, tx, project_id)
        rows.add(tx, ctx.who.user_id, found.id, at=ctx.now())


def remove(ctx: Context, project_id: int) -> None:
    """The actor has not starred the registry; one without a star is no error.

    Raises:
        NotFound: absent or hidden, or no registry.
    """
    with ctx.database.write() as tx:
        found = registry.find_visible(ctx, tx, project_id)
        rows.remove(tx, ctx.who.user_id, found.id)


def among(ctx: Context, registries: Sequence[Project]) -> set[int]:
    """Of these registries, which the actor was shown, the ids of those they starred."""
    with ctx.database.read() as tx:
        return rows.among(tx, ctx.who.user_id, [each.id for each in registries])
