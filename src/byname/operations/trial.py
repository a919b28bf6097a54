"""Trying a webhook or Slack channel out: one request, and what the receiver answers (R139, S4)."""

from __future__ import annotations

import uuid

from byname.domain import payload, slack
from byname.domain.delivery import Outgoing, Reply
from byname.domain.errors import Unavailable
from byname.domain.integration import IntegrationKind
from byname.operations import integration
from byname.operations.context import Context
from byname.operations.team import get_own_team

EVENT = "TEST"
TITLE = "A test message"


def send(
    ctx: Context, team: str, kind: IntegrationKind, name: str, text: str | None = None
) -> Reply:
    """What the receiver answers to a test, of which nothing is kept; for admins of the team.

    It is sent as every delivery is: through the guard, signed, with the same limits. Variables of
    the payload are empty, but for `event_type`, which is TEST, and `event_author`.

    Raises:
        NotFound: no such team (or the actor is not in its organization), integration or secret.
        Forbidden: the actor is no admin of the team.
        Unprocessable: the payload is not allowed.
        Unavailable: this process sends nothing.
    """
    sender = ctx.sender
    if sender is None:
        raise Unavailable("Tests are sent by a server that runs")
    with ctx.database.read() as tx:
        get_own_team(ctx, tx, team, "test webhooks and Slack channels")
        found = integration.get(ctx, team, kind, name)
        credentials = integration.open_credentials(ctx, tx, found.id)
    values = {"event_type": EVENT, "event_author": ctx.who.username}
    if kind is IntegrationKind.SLACK:
        body = slack.message(TITLE, text or "", slack.Severity.INFO, values, {})
    else:
        secrets = credentials.given
        template = payload.check(payload.DEFAULT if text is None else text, secrets=secrets)
        body = payload.fill(payload.render(template, values, {}), secrets)
    return sender.send(
        Outgoing(
            url=credentials.url,
            body=body,
            event=EVENT,
            delivery_id=uuid.uuid4().hex,
            access_token=credentials.access_token,
            signing_secret=credentials.secret,
            hidden=credentials.hidden,
        )
    )
