"""The secrets of teams over REST: their values come in and never go out (R146 to R148)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from byname.domain.secret import Secret as Found
from byname.operations import secret as operations
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.team import TeamName

router = Router(tags=["automations"])

SECRETS = "/teams/{team}/secrets"

SecretName = Annotated[str, Path(description="The secret's name.")]


class NewValue(BaseModel):
    """What a secret is to hold."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"value": "..."}]})

    value: SecretStr = Field(description="At most 16 KiB. Never shown again.")


class NewSecret(NewValue):
    """A secret to keep."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "CI_TOKEN", "value": "..."}]}
    )

    name: str = Field(description="Letters, digits and `_`, not beginning with a digit.")


class Secret(BaseModel):
    """A secret, without its value."""

    name: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, found: Found) -> Secret:
        """The secret as this face shows it."""
        return cls(name=found.name, created_at=found.created_at, updated_at=found.updated_at)


class Secrets(BaseModel):
    """All secrets of a team."""

    secrets: list[Secret]


@router.get(SECRETS, summary="List secrets")
def list_secrets(ctx: Asking, team: TeamName) -> Secrets:
    """List the names of the team's secrets. For its members."""
    return Secrets(secrets=[Secret.of(each) for each in operations.list_all(ctx, team)])


@router.post(SECRETS, status_code=201, summary="Keep a secret")
def create_secret(ctx: Asking, team: TeamName, body: NewSecret) -> Secret:
    """Keep a secret for the team's webhooks, encrypted. For admins of the team."""
    return Secret.of(operations.create(ctx, team, body.name, body.value.get_secret_value()))


@router.patch(SECRETS + "/{secret}", summary="Replace a secret's value")
def replace_secret(ctx: Asking, team: TeamName, secret: SecretName, body: NewValue) -> Secret:
    """Replace the value of a secret, for whatever is sent from now on. For admins of the team."""
    return Secret.of(operations.replace(ctx, team, secret, body.value.get_secret_value()))


@router.delete(SECRETS + "/{secret}", status_code=204, summary="Delete a secret")
def delete_secret(
    ctx: Asking,
    team: TeamName,
    secret: SecretName,
    force: Annotated[
        bool,
        Query(description="Delete it although webhooks use it, which then send nothing."),
    ] = False,
) -> None:
    """Delete a secret for ever. For admins of the team.

    Refused with 409 while webhooks use it; `details.webhooks` names them.
    """
    operations.delete(ctx, team, secret, force=force)
