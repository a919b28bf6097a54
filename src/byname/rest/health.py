"""How the server is, over REST; for its administrators."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from byname import __version__
from byname.operations import health as operations
from byname.operations.health import About, Deliveries
from byname.rest.asking import Asking, Server

router = APIRouter(tags=["server"])


class Job(BaseModel):
    """Something that the server does by itself, and how it went last."""

    name: str
    every_seconds: float
    at: datetime | None = Field(description="Null: not since the server was started.")
    took_seconds: float
    failure: str | None = Field(description="The kind of what went wrong; the log has the rest.")


class Waiting(BaseModel):
    """Deliveries of automations that wait."""

    count: int
    oldest_at: datetime | None

    @classmethod
    def of(cls, found: Deliveries) -> Waiting:
        """They as this face shows them."""
        return cls(count=found.count, oldest_at=found.oldest_at)


class Health(BaseModel):
    """The server as it is now."""

    version: str
    started_at: datetime
    now: datetime
    schema_version: int
    problems: list[str] = Field(description="What an administrator should look at.")
    database_bytes: int
    free_bytes: int
    kept_bytes: int | None = Field(
        description="Equal content of one team once; null: too much to sum up now."
    )
    people: int
    service_accounts: int
    administrators: int
    organizations: int
    deliveries_waiting: Waiting
    deliveries_held: Waiting = Field(description="Of automations that are off.")
    jobs: list[Job]


@router.get("/health", summary="See how the server is")
def read_health(ctx: Asking, request: Request) -> Health:
    """See version, room, jobs and what waits. For server administrators."""
    server: Server = request.app.state.server
    about = server.about or About(__version__, datetime.now(UTC))
    found = operations.read(ctx, about)
    return Health(
        version=about.version,
        started_at=about.started_at,
        now=found.now,
        schema_version=found.schema,
        problems=found.problems,
        database_bytes=found.database_bytes,
        free_bytes=found.free_bytes,
        kept_bytes=found.kept_bytes,
        people=found.people,
        service_accounts=found.service_accounts,
        administrators=found.administrators,
        organizations=found.organizations,
        deliveries_waiting=Waiting.of(found.waiting),
        deliveries_held=Waiting.of(found.held),
        jobs=[
            Job(
                name=each.name,
                every_seconds=each.every_seconds,
                at=each.at,
                took_seconds=each.took_seconds,
                failure=each.failure,
            )
            for each in found.jobs
        ],
    )
