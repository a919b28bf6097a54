"""Writing down who read which version, for the audit log (R190), without slowing the reading."""

from __future__ import annotations

from byname.domain.project import Project
from byname.domain.reading import Reading
from byname.domain.version import Version
from byname.operations.context import Context
from byname.store import reading as rows


def note(ctx: Context, project: Project, version: Version) -> None:
    """The actor reads the version through that project; written down with the next batch."""
    if ctx.readings is None or ctx.actor is None:
        return
    reading = Reading(
        organization_id=project.organization_id,
        project_id=project.id,
        version_id=version.id,
        actor_id=ctx.actor.row_id,
        actor_name=ctx.actor.username,
        face=ctx.face,
        address=ctx.origin.address,
        client=ctx.origin.client,
    )
    if ctx.readings.note(reading, ctx.now()):
        save(ctx)


def save(ctx: Context) -> None:
    """What was noted since the last time is on disk; called every few seconds, and at the end."""
    if ctx.readings is None:
        return
    taken = ctx.readings.take()
    if not taken:
        return
    try:
        with ctx.database.write() as tx:
            rows.add_many(tx, taken)
    except Exception:
        ctx.readings.give_back(taken)
        raise
