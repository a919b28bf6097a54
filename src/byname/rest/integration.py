"""The webhooks and Slack channels of teams over REST (R131 to R133)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from byname.domain.integration import Integration, IntegrationKind
from byname.domain.page import decode_id, encode_cursor, page_of, parse_first
from byname.operations import integration as operations
from byname.operations.context import Context
from byname.operations.integration import Wanted
from byname.rest.asking import Asking
from byname.rest.once import Answer, AtOnce
from byname.rest.registry import After, First
from byname.rest.team import TeamName

router = APIRouter(tags=["automations"])

WEBHOOKS = "/teams/{team}/webhooks"
CHANNELS = "/teams/{team}/slack-channels"
LIST = "integrations"
_REFERENCE = (
    "The name of a secret of the team where it has one of that name, else the value itself, which "
    "is then kept encrypted with the webhook. Never shown again."
)

WebhookName = Annotated[str, Path(description="The webhook's name.")]
ChannelName = Annotated[str, Path(description="The channel's name.")]


class NewWebhook(BaseModel):
    """A webhook to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "ci", "url": "https://ci.example.org/hook", "secret": "CI_SECRET"}
            ]
        },
    )

    name: str = Field(description="At most 64 characters.")
    url: str = Field(description="`https://...` or `http://...`, without a user name.")
    access_token: SecretStr | None = Field(
        default=None, description=f"Sent as `Authorization: Bearer`. {_REFERENCE}"
    )
    secret: SecretStr | None = Field(default=None, description=f"Signs the body. {_REFERENCE}")


class WebhookChange(BaseModel):
    """What to change of a webhook; what is left out stays, the empty text takes a secret off."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "deploy"}]})

    name: str | None = None
    url: str | None = None
    access_token: SecretStr | None = None
    secret: SecretStr | None = None


class Webhook(BaseModel):
    """A webhook, without its secrets."""

    id: int
    name: str
    url: str
    access_token: str | None = Field(description="The name of the team's secret, if it is one.")
    has_access_token: bool
    secret: str | None = Field(description="The name of the team's secret, if it is one.")
    has_secret: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, found: Integration) -> Webhook:
        """The webhook as this face shows it."""
        return cls(
            id=found.id,
            name=found.name,
            url=found.url or "",
            access_token=found.access_token_name,
            has_access_token=found.has_access_token,
            secret=found.secret_name,
            has_secret=found.has_secret,
            created_at=found.created_at,
            updated_at=found.updated_at,
        )


class Webhooks(BaseModel):
    """A page of a team's webhooks, oldest first."""

    webhooks: list[Webhook]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


class NewChannel(BaseModel):
    """A Slack channel to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "releases", "url": "https://hooks.slack.com/services/T000/B000/XXXX"}
            ]
        },
    )

    name: str = Field(description="At most 64 characters, for example that of the channel.")
    url: SecretStr = Field(
        description="The address of an incoming webhook of Slack. It is kept as a secret: whoever "
        "has it may write there. Never shown again."
    )


class ChannelChange(BaseModel):
    """What to change of a Slack channel; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "releases"}]}
    )

    name: str | None = None
    url: SecretStr | None = None


class Channel(BaseModel):
    """A Slack channel, without its address."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, found: Integration) -> Channel:
        """The channel as this face shows it."""
        return cls(
            id=found.id,
            name=found.name,
            created_at=found.created_at,
            updated_at=found.updated_at,
        )


class Channels(BaseModel):
    """A page of a team's Slack channels, oldest first."""

    slack_channels: list[Channel]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def _plain(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _page(
    ctx: Context, team: str, kind: IntegrationKind, after: str | None, first: int | None
) -> tuple[list[Integration], str | None]:
    size = parse_first(first)
    found = operations.list_all(ctx, team, kind, after=decode_id(LIST, after), limit=size + 1)
    page = page_of(found, size, lambda each: encode_cursor(LIST, each.id))
    return list(page.items), page.end_cursor if page.has_next else None


# ---- webhooks ----------------------------------------------------------------------------------


@router.get(WEBHOOKS, summary="List webhooks")
def list_webhooks(
    ctx: Asking, team: TeamName, after: After = None, first: First = None
) -> Webhooks:
    """List the team's webhooks. For its members."""
    found, following = _page(ctx, team, IntegrationKind.WEBHOOK, after, first)
    return Webhooks(webhooks=[Webhook.of(each) for each in found], next=following)


@router.post(WEBHOOKS, status_code=201, response_model=Webhook, summary="Make a webhook")
def create_webhook(ctx: Asking, once: AtOnce, team: TeamName, body: NewWebhook) -> Response:
    """Make an address that automations of the team may call. For admins of the team.

    The client finds it as `api.webhook_integrations(entity=TEAM)`.
    """

    def piece() -> Answer:
        wanted = Wanted(
            name=body.name,
            url=body.url,
            access_token=_plain(body.access_token),
            secret=_plain(body.secret),
        )
        made = operations.create(ctx, team, IntegrationKind.WEBHOOK, wanted)
        return Answer(201, Webhook.of(made).model_dump(mode="json"))

    return once.run(ctx, piece)


@router.get(WEBHOOKS + "/{webhook}", summary="Show a webhook")
def get_webhook(ctx: Asking, team: TeamName, webhook: WebhookName) -> Webhook:
    """Show a webhook of the team. For its members."""
    return Webhook.of(operations.get(ctx, team, IntegrationKind.WEBHOOK, webhook))


@router.patch(WEBHOOKS + "/{webhook}", response_model=Webhook, summary="Change a webhook")
def edit_webhook(
    ctx: Asking, once: AtOnce, team: TeamName, webhook: WebhookName, body: WebhookChange
) -> Response:
    """Change what is given of a webhook. For admins of the team."""

    def piece() -> Answer:
        wanted = Wanted(
            name=body.name,
            url=body.url,
            access_token=_plain(body.access_token),
            secret=_plain(body.secret),
        )
        made = operations.edit(ctx, team, IntegrationKind.WEBHOOK, webhook, wanted)
        return Answer(200, Webhook.of(made).model_dump(mode="json"))

    return once.run(ctx, piece)


@router.delete(WEBHOOKS + "/{webhook}", status_code=204, summary="Delete a webhook")
def delete_webhook(ctx: Asking, once: AtOnce, team: TeamName, webhook: WebhookName) -> Response:
    """Delete a webhook. The automations that use it are disabled. For admins of the team."""

    def piece() -> Answer:
        operations.delete(ctx, team, IntegrationKind.WEBHOOK, webhook)
        return Answer(204)

    return once.run(ctx, piece)


# ---- Slack channels ----------------------------------------------------------------------------


@router.get(CHANNELS, summary="List Slack channels")
def list_channels(
    ctx: Asking, team: TeamName, after: After = None, first: First = None
) -> Channels:
    """List the team's Slack channels. For its members."""
    found, following = _page(ctx, team, IntegrationKind.SLACK, after, first)
    return Channels(slack_channels=[Channel.of(each) for each in found], next=following)


@router.post(CHANNELS, status_code=201, response_model=Channel, summary="Make a Slack channel")
def create_channel(ctx: Asking, once: AtOnce, team: TeamName, body: NewChannel) -> Response:
    """Make a Slack channel that automations of the team may write to. For admins of the team.

    The client finds it as `api.slack_integrations(entity=TEAM)`.
    """

    def piece() -> Answer:
        wanted = Wanted(name=body.name, url=_plain(body.url))
        made = operations.create(ctx, team, IntegrationKind.SLACK, wanted)
        return Answer(201, Channel.of(made).model_dump(mode="json"))

    return once.run(ctx, piece)


@router.patch(CHANNELS + "/{channel}", response_model=Channel, summary="Change a Slack channel")
def edit_channel(
    ctx: Asking, once: AtOnce, team: TeamName, channel: ChannelName, body: ChannelChange
) -> Response:
    """Change what is given of a Slack channel. For admins of the team."""

    def piece() -> Answer:
        wanted = Wanted(name=body.name, url=_plain(body.url))
        made = operations.edit(ctx, team, IntegrationKind.SLACK, channel, wanted)
        return Answer(200, Channel.of(made).model_dump(mode="json"))

    return once.run(ctx, piece)


@router.delete(CHANNELS + "/{channel}", status_code=204, summary="Delete a Slack channel")
def delete_channel(ctx: Asking, once: AtOnce, team: TeamName, channel: ChannelName) -> Response:
    """Delete a Slack channel. The automations that use it are disabled. For admins of the team."""

    def piece() -> Answer:
        operations.delete(ctx, team, IntegrationKind.SLACK, channel)
        return Answer(204)

    return once.run(ctx, piece)
