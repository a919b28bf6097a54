"""Integrations of a team: the webhooks and Slack channels that automations may use (R131 to R133)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from byname.domain import names
from byname.domain.errors import Unprocessable
from byname.domain.payload import ACCESS_TOKEN

NAME_LENGTH_MAX = 64
OF_TEAM_MAX = 1_000


class IntegrationKind(StrEnum):
    """The sorts of integrations."""

    WEBHOOK = "webhook"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration without its secrets.

    The address of a Slack channel is a secret itself (R131): whoever has it may write there.
    """

    id: int
    team_id: int
    team_name: str
    organization_id: int
    kind: IntegrationKind
    name: str
    url: str | None
    """Of a webhook. None for a Slack channel."""
    access_token_name: str | None
    """The secret of the team that is sent as access token."""
    has_access_token: bool
    """Whether there is one, of the team or of its own."""
    secret_name: str | None
    """The secret of the team that signs."""
    has_secret: bool
    created_at: datetime
    updated_at: datetime

    @property
    def secrets(self) -> frozenset[str]:
        """The names by which a payload may ask for its secrets (R136)."""
        named = {self.access_token_name, self.secret_name} - {None}
        token = {ACCESS_TOKEN} if self.has_access_token else set()
        return frozenset(token | {name for name in named if name is not None})

    @property
    def host(self) -> str:
        """The address as those may see it who may not use it: without path and query."""
        return "" if self.url is None else shorten(self.url)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sending to an integration needs. Not shown when printed; for no log and no page."""

    url: str = field(repr=False)
    access_token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    """Signs the body (R134)."""
    named: dict[str, str] = field(default_factory=dict, repr=False)
    """The secrets that the payload may name, by name (R136)."""

    @property
    def given(self) -> dict[str, str]:
        """What the payload may name, the access token among it, with its values."""
        token = {} if self.access_token is None else {ACCESS_TOKEN: self.access_token}
        return self.named | token

    @property
    def hidden(self) -> tuple[str, ...]:
        """What nobody may be shown, also when the receiver repeats it (R141)."""
        return (self.url, *self.given.values(), *([] if self.secret is None else [self.secret]))


def check_name(name: str) -> str:
    """The integration's name.

    Raises:
        Unprocessable: empty, over 64 characters, or not printable.
    """
    name = names.check_title(name, "The name", length_max=NAME_LENGTH_MAX).strip()
    if not name:
        raise Unprocessable("The name must not be empty", field="name")
    return name


def shorten(url: str) -> str:
    """The address without path and query, which may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"
