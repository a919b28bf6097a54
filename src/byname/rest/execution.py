"""What automations did, doing it again, and trying a webhook out, over REST (R139, R140, R142)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.delivery import Reply, State
from byname.domain.execution import Attempt, Execution, Wanted
from byname.domain.history import Cursor
from byname.domain.integration import IntegrationKind
from byname.domain.page import Page
from byname.operations import automation as automations
from byname.operations import execution as operations
from byname.operations import registry as registries
from byname.operations import trial
from byname.rest.asking import Asking
from byname.rest.automation import AUTOMATION, AutomationId
from byname.rest.integration import CHANNELS, WEBHOOKS, ChannelName, WebhookName
from byname.rest.once import Answer, AtOnce
from byname.rest.registry import After, First, OrganizationName, RegistryName
from byname.rest.team import TeamName

router = APIRouter(tags=["automations"])

ExecutionId = Annotated[int, Path(ge=1, le=2**62, description="The `id` that the list shows.")]
InState = Annotated[State | None, Query(description="`pending`, `finished` or `failed`.")]
OfEvent = Annotated[str | None, Query(description="Only of this event, as LINK_ARTIFACT.")]
Text = Annotated[
    str | None, Query(max_length=200, description="A part of the version it happened to.")
]


class ShownExecution(BaseModel):
    """What an automation did because of one event."""

    id: int
    automation: int
    automation_name: str
    event: str
    subject: str = Field(description="The version, or what else it happened to.")
    author: str
    event_at: datetime
    place: str = Field(description="Of the event in the history; a replay begins behind one.")
    replay: bool
    action: str
    target: str | None = Field(description="The name of the webhook or Slack channel.")
    delivery_id: str = Field(description="The same in every attempt.")
    payload: str = Field(description="As it was or will be sent, with `***` for secrets.")
    state: State
    attempts: int
    next_at: datetime | None = Field(description="While it is pending: when it is tried (again).")
    status: int | None = Field(description="What the receiver answered last.")
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, found: Execution) -> ShownExecution:
        """The execution as this face shows it."""
        return cls(
            id=found.id,
            automation=found.automation_id,
            automation_name=found.automation_name,
            event=found.event,
            subject=found.subject,
            author=found.author,
            event_at=found.event_at,
            place=found.cursor.text,
            replay=found.is_replay,
            action=found.action,
            target=found.target,
            delivery_id=found.delivery_id,
            payload=found.body,
            state=found.state,
            attempts=found.attempt_count,
            next_at=found.next_at,
            status=found.status,
            error=found.error,
            created_at=found.created_at,
            finished_at=found.finished_at,
        )


class ShownAttempt(BaseModel):
    """One request that was made."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    answer: str = Field(description="Its first 4 kB.")
    error: str | None

    @classmethod
    def of(cls, found: Attempt) -> ShownAttempt:
        """The attempt as this face shows it."""
        return cls(
            number=found.number,
            at=found.at,
            milliseconds=found.milliseconds,
            status=found.status,
            answer=found.answer,
            error=found.error,
        )


class WholeExecution(ShownExecution):
    """An execution with its attempts, oldest first."""

    made: list[ShownAttempt]


class Executions(BaseModel):
    """A page of executions, newest first."""

    executions: list[ShownExecution]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


class Replay(BaseModel):
    """From where to replay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"after": "120.0"}]})

    after: str = Field(
        description="A place of the history: the `place` of an execution, the cursor of a page of "
        "the history, the id of an event of the stream, or `N.0` for the ledger's row N. What is "
        "behind it is replayed. `0.0` is the beginning."
    )


class Replayed(BaseModel):
    """What a replay added."""

    executions: int
    next: str | None = Field(description="Replay again after this place for more; null: all done.")


class Trial(BaseModel):
    """What to send for a test."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"payload": "{}"}]})

    payload: str | None = Field(
        default=None,
        description="A payload, or the text of a Slack message. It is not kept. Nothing: the "
        "ready one.",
    )


class Tried(BaseModel):
    """What the receiver answered."""

    status: int | None
    answer: str = Field(description="Its first 4 kB, if it is text.")
    error: str | None
    milliseconds: int

    @classmethod
    def of(cls, reply: Reply) -> Tried:
        """The answer as this face shows it."""
        return cls(
            status=reply.status,
            answer=reply.text,
            error=reply.error,
            milliseconds=round(reply.seconds * 1000),
        )


def _page(page: Page[Execution]) -> Executions:
    return Executions(
        executions=[ShownExecution.of(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.get(AUTOMATION + "/executions", summary="List what an automation did")
def list_executions(
    ctx: Asking,
    automation: AutomationId,
    state: InState = None,
    event: OfEvent = None,
    text: Text = None,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what an automation did, newest first.

    For everybody who sees what it watches, as far as they see where it happened.
    """
    found = automations.get(ctx, automation)
    return _page(
        operations.list_within(
            ctx,
            "automation",
            found.id,
            wanted=Wanted(state=state, event=event, text=text),
            after=after,
            first=first,
        )
    )


@router.get("/registries/{organization}/{registry}/executions", summary="List what automations did")
def list_of_registry(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    name: Annotated[str | None, Query(description="A part of the automation's name.")] = None,
    state: InState = None,
    event: OfEvent = None,
    text: Text = None,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what the automations of a registry and of its collections did, newest first."""
    found = registries.get_by_name(ctx, organization, registry)
    return _page(
        operations.list_within(
            ctx,
            "project",
            found.id,
            wanted=Wanted(automation=name, state=state, event=event, text=text),
            after=after,
            first=first,
        )
    )


@router.get("/executions/{execution}", summary="Show what an automation did once")
def get_execution(ctx: Asking, execution: ExecutionId) -> WholeExecution:
    """Show an execution with its attempts and what the receiver answered."""
    found, attempts = operations.get(ctx, execution)
    shown = ShownExecution.of(found).model_dump()
    return WholeExecution(**shown, made=[ShownAttempt.of(each) for each in attempts])


@router.post(
    "/executions/{execution}/retry", response_model=ShownExecution, summary="Deliver it again"
)
def retry_execution(ctx: Asking, once: AtOnce, execution: ExecutionId) -> Response:
    """Deliver what failed, or waits, at once, under the same delivery id.

    For those who may change the automation.
    """

    def piece() -> Answer:
        found = operations.retry(ctx, execution)
        return Answer(200, ShownExecution.of(found).model_dump(mode="json"))

    return once.run(ctx, piece)


@router.post(AUTOMATION + "/replay", response_model=Replayed, summary="Replay the past")
def replay_automation(
    ctx: Asking, once: AtOnce, automation: AutomationId, body: Replay
) -> Response:
    """Have what happened behind a place of the history fire the automation once more.

    A part at a time: as long as `next` is not null, there may be more. For those who may change
    the automation.
    """

    def piece() -> Answer:
        done = operations.replay(ctx, automation, Cursor.parse(body.after))
        told = Replayed(executions=done.count, next=None if done.next is None else done.next.text)
        return Answer(200, told.model_dump(mode="json"))

    return once.run(ctx, piece)


@router.post(WEBHOOKS + "/{webhook}/test", summary="Test a webhook")
def test_webhook(ctx: Asking, team: TeamName, webhook: WebhookName, body: Trial) -> Tried:
    """Send a request to a webhook, and see what is answered. For admins of the team."""
    return Tried.of(trial.send(ctx, team, IntegrationKind.WEBHOOK, webhook, body.payload))


@router.post(CHANNELS + "/{channel}/test", summary="Test a Slack channel")
def test_channel(ctx: Asking, team: TeamName, channel: ChannelName, body: Trial) -> Tried:
    """Send a message to a Slack channel, and see what is answered. For admins of the team."""
    return Tried.of(trial.send(ctx, team, IntegrationKind.SLACK, channel, body.payload))
