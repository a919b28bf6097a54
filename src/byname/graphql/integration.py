"""Webhooks and Slack channels as the client sees them (protocol 14.1). Secrets are never shown."""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, MutationType, ObjectType

from byname.domain.entity import Entity, EntityKind
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.page import decode_id, encode_cursor, page_of, parse_first
from byname.graphql.connection import Connection, connection, whole
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.ids import to_id
from byname.operations import integration as operations

mutation = MutationType()
interface = InterfaceType("Integration")
entity_type = ObjectType("Entity")
webhook = ObjectType("GenericWebhookIntegration")
slack = ObjectType("SlackIntegration")

INTEGRATION = "Integration"
LIST = "integrations"


@interface.type_resolver
def resolve_kind(source: Integration, *_: Any) -> str:
    """Which of the sorts it is."""
    if source.kind is IntegrationKind.SLACK:
        return "SlackIntegration"
    return "GenericWebhookIntegration"


def integrations(request: RequestContext) -> Loader[int, Integration | None]:
    """The integrations of automations that the caller sees, by id."""
    return request.loader("integrations", lambda ids: operations.load(request.ctx, ids))


@entity_type.field("integrations")
def resolve_of_entity(
    source: Entity, info: Info, after: str | None = None, first: int | None = None
) -> Connection:
    """Those of a team, for its members. Others have none."""
    if source.kind is not EntityKind.TEAM:
        return whole([])
    size = parse_first(first)
    found = operations.list_all(
        info.context.ctx, source.name, after=decode_id(LIST, after), limit=size + 1
    )
    return connection(page_of(found, size, lambda each: encode_cursor(LIST, each.id)))


def resolve_id(source: Integration, _info: Info) -> str:
    """The opaque id."""
    return to_id(INTEGRATION, source.id)


webhook.set_field("id", resolve_id)
slack.set_field("id", resolve_id)


@webhook.field("urlEndpoint")
def resolve_url(source: Integration, _info: Info) -> str:
    """The address; to those who may not use it, the host only."""
    return source.url or ""


@webhook.field("secretRef")
def resolve_secret(source: Integration, _info: Info) -> str | None:
    """The name of the team's secret that signs, if it is one of the team."""
    return source.secret_name


@webhook.field("accessTokenRef")
def resolve_token(source: Integration, _info: Info) -> str | None:
    """The name of the team's secret that is sent as access token, if it is one of the team."""
    return source.access_token_name


@slack.field("teamName")
def resolve_team(source: Integration, _info: Info) -> str:
    """An incoming webhook does not tell the workspace's name, so that it is our team's."""
    return source.team_name


@slack.field("channelName")
def resolve_channel(source: Integration, _info: Info) -> str:
    """The name it was given."""
    return source.name


@mutation.field("createGenericWebhookIntegration")
def create_webhook(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The team has the webhook; its secrets are named, and must be there."""
    made = operations.create(
        info.context.ctx,
        input["entity_name"],
        IntegrationKind.WEBHOOK,
        operations.Wanted(
            name=input["name"],
            url=input["url_endpoint"],
            access_token_name=input.get("access_token_ref"),
            secret_name=input.get("secret_ref"),
        ),
    )
    return {"integration": made}


bindables = [mutation, interface, entity_type, webhook, slack]
