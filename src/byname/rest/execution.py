"""What automations did, doing it again, and trying a webhook out, over REST (R139, R140, R142)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.delivery import Reply, State
from byname.domain.event import EventType
from byname.domain.execution import Attempt, Execution, Wanted
from byname.domain.history import Cursor
from byname.domain.integration import IntegrationKind
from byname.operations import automation as automations
from byname.operations import execution as operations
from byname.operations import trial
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.automation import AUTOMATION, AskedScope, AutomationId, Scope, find_place
from byname.rest.integration import CHANNELS, WEBHOOKS, ChannelName, WebhookName
from byname.rest.once import Router, in_own_transactions
from byname.rest.registry import After, First, OrganizationName, RegistryName
from byname.rest.team import TeamName

router = Router(tags=["automations"])

ExecutionId = Annotated[int, Path(ge=1, le=2**62, description="The `id` that the list shows.")]


def _asked(
    name: Annotated[
        str | None, Query(max_length=200, description="A part of the automation's name.")
    ] = None,
    state: Annotated[State | None, Query(description="`pending`, `finished` or `failed`.")] = None,
    event: Annotated[
        EventType | None, Query(description="Only of this event, as LINK_ARTIFACT.")
    ] = None,
    text: Annotated[
        str | None, Query(max_length=200, description="A part of the version it happened to.")
    ] = None,
) -> Wanted:
    return Wanted(automation=name or None, state=state, event=event, text=text or None)


Asked = Annotated[Wanted, Depends(_asked)]


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


def _listed(
    ctx: Context, what: str, scope_id: int, wanted: Wanted, after: str | None, first: int | None
) -> Executions:
    page = operations.list_within(ctx, what, scope_id, wanted=wanted, after=after, first=first)
    return Executions(
        executions=[ShownExecution.of(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.get(AUTOMATION + "/executions", summary="List what an automation did")
def list_of_automation(
    ctx: Asking,
    automation: AutomationId,
    wanted: Asked,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what an automation did, newest first.

    For everybody who sees what it watches, as far as they see where it happened.
    """
    found = automations.get(ctx, automation)
    return _listed(ctx, "automation", found.id, wanted, after, first)


@router.get("/executions", summary="List what automations did")
def list_executions(
    ctx: Asking,
    scope: AskedScope,
    wanted: Asked,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what automations did, newest first, as far as you may see it.

    Of an organization or team: all that its automations did. Of a registry, project or collection:
    what any automation did because of what happened there.
    """
    what, scope_id = find_place(ctx, scope)
    return _listed(ctx, what, scope_id, wanted, after, first)


@router.get("/organizations/{organization}/executions", summary="List what an organization's did")
def list_of_organization(
    ctx: Asking,
    organization: OrganizationName,
    wanted: Asked,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what the automations of an organization, its registries and teams did, newest first."""
    return list_executions(ctx, Scope(organization=organization), wanted, after, first)


@router.get("/teams/{team}/executions", summary="List what a team's automations did")
def list_of_team(
    ctx: Asking, team: TeamName, wanted: Asked, after: After = None, first: First = None
) -> Executions:
    """List what the automations of a team and of its projects did, newest first."""
    return list_executions(ctx, Scope(team=team), wanted, after, first)


@router.get(
    "/registries/{organization}/{registry}/executions", summary="List what happened in a registry"
)
def list_of_registry(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    wanted: Asked,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what automations did because of what happened in a registry, newest first."""
    scope = Scope(organization=organization, registry=registry)
    return list_executions(ctx, scope, wanted, after, first)


@router.get(
    "/registries/{organization}/{registry}/collections/{collection}/executions",
    summary="List what happened in a collection",
)
def list_of_collection(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    collection: Annotated[str, Path(description="The collection's name.")],
    wanted: Asked,
    after: After = None,
    first: First = None,
) -> Executions:
    """List what automations did because of what happened in a collection, newest first."""
    scope = Scope(organization=organization, registry=registry, collection=collection)
    return list_executions(ctx, scope, wanted, after, first)


@router.get("/executions/{execution}", summary="Show what an automation did once")
def get_execution(ctx: Asking, execution: ExecutionId) -> WholeExecution:
    """Show an execution with its attempts and what the receiver answered."""
    found, attempts = operations.get(ctx, execution)
    shown = ShownExecution.of(found).model_dump()
    return WholeExecution(**shown, made=[ShownAttempt.of(each) for each in attempts])


@router.post("/executions/{execution}/retry", summary="Deliver it again")
def retry_execution(ctx: Asking, execution: ExecutionId) -> ShownExecution:
    """Deliver what failed, or waits, at once, under the same delivery id.

    For those who may change the automation.
    """
    return ShownExecution.of(operations.retry(ctx, execution))


@router.post(AUTOMATION + "/replay", summary="Replay the past")
def replay_automation(ctx: Asking, automation: AutomationId, body: Replay) -> Replayed:
    """Have what happened behind a place of the history fire the automation once more.

    A part at a time: as long as `next` is not null, there may be more. For those who may change
    the automation.
    """
    done = operations.replay(ctx, automation, Cursor.parse(body.after))
    return Replayed(executions=done.count, next=None if done.next is None else done.next.text)


@router.post(WEBHOOKS + "/{webhook}/test", summary="Test a webhook")
@in_own_transactions
def test_webhook(ctx: Asking, team: TeamName, webhook: WebhookName, body: Trial) -> Tried:
    """Send a request to a webhook, and see what is answered. For admins of the team."""
    return Tried.of(trial.send(ctx, team, IntegrationKind.WEBHOOK, webhook, body.payload))


@router.post(CHANNELS + "/{channel}/test", summary="Test a Slack channel")
@in_own_transactions
def test_channel(ctx: Asking, team: TeamName, channel: ChannelName, body: Trial) -> Tried:
    """Send a message to a Slack channel, and see what is answered. For admins of the team."""
    return Tried.of(trial.send(ctx, team, IntegrationKind.SLACK, channel, body.payload))
