"""The webhooks and Slack channels of teams over REST (R131 to R133)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from byname.domain.integration import Integration, IntegrationKind
from byname.domain.page import decode_id, encode_cursor, page_of, parse_first
from byname.operations import integration as operations
from byname.operations.context import Context
from byname.operations.integration import Wanted
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import After, First
from byname.rest.team import TeamName

router = Router(tags=["automations"])

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


def _wanted(body: NewWebhook | WebhookChange | NewChannel | ChannelChange) -> Wanted:
    """What the body says, with its secrets; what it leaves out is None."""
    told = {name: getattr(body, name) for name in type(body).model_fields}
    return Wanted(
        **{
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in told.items()
        }
    )


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


@router.post(WEBHOOKS, status_code=201, summary="Make a webhook")
def create_webhook(ctx: Asking, team: TeamName, body: NewWebhook) -> Webhook:
    """Make an address that automations of the team may call. For admins of the team.

    The client finds it as `api.webhook_integrations(entity=TEAM)`.
    """
    return Webhook.of(operations.create(ctx, team, IntegrationKind.WEBHOOK, _wanted(body)))


@router.get(WEBHOOKS + "/{webhook}", summary="Show a webhook")
def get_webhook(ctx: Asking, team: TeamName, webhook: WebhookName) -> Webhook:
    """Show a webhook of the team. For its members."""
    return Webhook.of(operations.get(ctx, team, IntegrationKind.WEBHOOK, webhook))


@router.patch(WEBHOOKS + "/{webhook}", summary="Change a webhook")
def edit_webhook(ctx: Asking, team: TeamName, webhook: WebhookName, body: WebhookChange) -> Webhook:
    """Change what is given of a webhook. For admins of the team."""
    made = operations.edit(ctx, team, IntegrationKind.WEBHOOK, webhook, _wanted(body))
    return Webhook.of(made)


@router.delete(WEBHOOKS + "/{webhook}", status_code=204, summary="Delete a webhook")
def delete_webhook(ctx: Asking, team: TeamName, webhook: WebhookName) -> None:
    """Delete a webhook. The automations that use it are disabled. For admins of the team."""
    operations.delete(ctx, team, IntegrationKind.WEBHOOK, webhook)


# ---- Slack channels ----------------------------------------------------------------------------


@router.get(CHANNELS, summary="List Slack channels")
def list_channels(
    ctx: Asking, team: TeamName, after: After = None, first: First = None
) -> Channels:
    """List the team's Slack channels. For its members."""
    found, following = _page(ctx, team, IntegrationKind.SLACK, after, first)
    return Channels(slack_channels=[Channel.of(each) for each in found], next=following)


@router.post(CHANNELS, status_code=201, summary="Make a Slack channel")
def create_channel(ctx: Asking, team: TeamName, body: NewChannel) -> Channel:
    """Make a Slack channel that automations of the team may write to. For admins of the team.

    The client finds it as `api.slack_integrations(entity=TEAM)`.
    """
    return Channel.of(operations.create(ctx, team, IntegrationKind.SLACK, _wanted(body)))


@router.patch(CHANNELS + "/{channel}", summary="Change a Slack channel")
def edit_channel(ctx: Asking, team: TeamName, channel: ChannelName, body: ChannelChange) -> Channel:
    """Change what is given of a Slack channel. For admins of the team."""
    return Channel.of(operations.edit(ctx, team, IntegrationKind.SLACK, channel, _wanted(body)))


@router.delete(CHANNELS + "/{channel}", status_code=204, summary="Delete a Slack channel")
def delete_channel(ctx: Asking, team: TeamName, channel: ChannelName) -> None:
    """Delete a Slack channel. The automations that use it are disabled. For admins of the team."""
    operations.delete(ctx, team, IntegrationKind.SLACK, channel)
