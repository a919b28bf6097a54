"""What automations did: the history of executions, and making one again (R140, R142)."""

from __future__ import annotations

from byname.domain.errors import Conflict, Forbidden, missing
from byname.domain.execution import Attempt, Execution, Wanted
from byname.domain.history import check_limit
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import access, automation, history
from byname.operations.context import Context
from byname.store import execution as rows

ATTEMPTS_MAX = 20


def list_of_project(
    ctx: Context,
    project: Project,
    *,
    wanted: Wanted | None = None,
    below: int | None = None,
    limit: int = 100,
) -> list[Execution]:
    """What the automations of a registry and of its collections did, newest first, from below an id.

    Raises:
        NotFound: the registry is hidden from the actor.
        Unprocessable: the limit is not 1 to 1,000.
    """
    check_limit(limit)
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        return rows.list_within(
            tx, "project", project.id, wanted=wanted or Wanted(), below=below, limit=limit
        )


def get(ctx: Context, project: Project, execution_id: int) -> tuple[Execution, list[Attempt]]:
    """An execution of such an automation, and the last attempts made for it.

    Raises:
        NotFound: it is absent, or its automation is hidden from the actor or lies elsewhere.
    """
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        found = rows.find(tx, execution_id)
        if found is None or found.about_project_id != project.id:
            raise missing("This execution")
        return found, rows.attempts_of(tx, execution_id, limit=ATTEMPTS_MAX)


def retry(ctx: Context, project: Project, execution_id: int) -> Execution:
    """A failed or waiting execution is made again now, under the same delivery id.

    Raises:
        NotFound: it is absent or hidden; or its automation is deleted.
        Forbidden: the actor may not change the automation.
        Conflict: it is finished, or being made just now.
    """
    with ctx.database.write() as tx:
        found, _ = get(ctx, project, execution_id)
        source = automation.get(ctx, found.automation_id)
        if not automation.may_change(ctx, source):
            raise Forbidden(
                f"You may not run {source.name} again: it needs the right to change it",
                role="member",
            )
        if not rows.try_again(tx, execution_id, now=ctx.now()):
            raise Conflict(
                "It has finished, or is being sent just now; only what failed or waits is sent again"
            )
        history.record(
            ctx,
            tx,
            "automation:retry",
            source.name,
            project=project,
            collection_id=source.scope.collection_id,
            after=found.delivery_id,
        )
        return found
