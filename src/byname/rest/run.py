"""What a run has to tell, over REST: the alerts that its script sent."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from byname.domain.run_alert import Severity
from byname.operations import run as runs
from byname.operations import run_alert as operations
from byname.rest.asking import Asking
from byname.rest.project import EntityName, ProjectName, RunName
from byname.rest.registry import After, First

router = APIRouter(tags=["runs"])


class Alert(BaseModel):
    """A note that a script sent by `run.alert`."""

    id: int
    title: str
    text: str
    severity: Severity
    author: str = Field(description="Whose key the script used.")
    at: datetime


class Alerts(BaseModel):
    """A page of alerts, newest first."""

    alerts: list[Alert]
    total: int
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


@router.get("/projects/{entity}/{project}/runs/{run}/alerts", summary="List the alerts of a run")
def list_alerts(
    ctx: Asking,
    entity: EntityName,
    project: ProjectName,
    run: RunName,
    after: After = None,
    first: First = None,
) -> Alerts:
    """List what the run's script sent by `run.alert`, newest first."""
    ctx.who  # noqa: B018  Raises for an anonymous asker.
    page = operations.list_page(
        ctx, runs.id_of(ctx, entity, project, run), after=after, first=first
    )
    return Alerts(
        alerts=[
            Alert(
                id=each.id,
                title=each.title,
                text=each.text,
                severity=each.severity,
                author=each.author,
                at=each.at,
            )
            for each in page.items
        ],
        total=page.count() or 0,
        next=page.end_cursor if page.has_next else None,
    )
