"""Who is in a registry, over REST (R101 to R111)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.member import parse_role
from byname.operations import member as operations
from byname.operations import registry as registries
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import PLACE, OrganizationName, Registry, RegistryName, show_one

router = Router(tags=["members"])

Username = Annotated[str, Path(description="The name of a person or service account.")]
TeamName = Annotated[str, Path(description="The team's name.")]


class RegistryRole(BaseModel):
    """A role in a registry to give."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "member"}]})

    role: str | None = Field(
        default=None,
        description="restricted_viewer, viewer, member or admin. Absent: who is there keeps "
        "theirs; who is new gets restricted_viewer, a service account member.",
    )


class RegistryUser(BaseModel):
    """A user in a registry."""

    username: str
    role: str
    service_account: bool


class RegistryOwner(BaseModel):
    """Who is to answer for a registry."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"username": "ann"}]})

    username: str


class RegistryTeam(BaseModel):
    """A team in a registry."""

    team: str
    role: str


class RegistryMembers(BaseModel):
    """Who was added to a registry, in the order in which they came."""

    users: list[RegistryUser]
    teams: list[RegistryTeam]


@router.get(PLACE + "/members", summary="List members")
def list_members(
    ctx: Asking, organization: OrganizationName, registry: RegistryName
) -> RegistryMembers:
    """List the users and teams that were added to a registry."""
    found = registries.get_by_name(ctx, organization, registry)
    return RegistryMembers(
        users=[
            RegistryUser(username=user.username, role=role.word, service_account=user.service)
            for user, role in operations.list_users(ctx, found)
        ],
        teams=[
            RegistryTeam(team=team.name, role=role.word)
            for team, role in operations.list_teams(ctx, found)
        ],
    )


@router.put(PLACE + "/members/{username}", summary="Add a user or change their role")
def put_registry_user(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    username: Username,
    body: RegistryRole,
) -> RegistryUser:
    """Put a user of the organization into a registry; doing it twice changes nothing more.

    For its admins. One admin must always remain.
    """
    role = None if body.role is None else parse_role(body.role)
    found = registries.get_by_name(ctx, organization, registry)
    user, given = operations.put_named_user(ctx, found.id, username, role)
    return RegistryUser(username=user.username, role=given.word, service_account=user.service)


@router.delete(PLACE + "/members/{username}", status_code=204, summary="Remove a user")
def remove_registry_user(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, username: Username
) -> None:
    """Take a user out of a registry; one who is not in it is no error.

    For its admins. One admin must always remain.
    """
    found = registries.get_by_name(ctx, organization, registry)
    operations.remove_named_user(ctx, found.id, username)


@router.put(PLACE + "/owner", summary="Make a member the owner")
def put_registry_owner(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, body: RegistryOwner
) -> Registry:
    """Say who answers for a registry: any member of it. It allows them nothing. For its admins."""
    found = registries.get_by_name(ctx, organization, registry)
    operations.make_named_owner(ctx, found.id, body.username)
    return show_one(ctx, registries.get_by_name(ctx, organization, registry))


@router.put(PLACE + "/teams/{team}", summary="Add a team or change its role")
def put_registry_team(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    team: TeamName,
    body: RegistryRole,
) -> RegistryTeam:
    """Put a team of the organization into a registry; doing it twice changes nothing more.

    For its admins. One admin must always remain.
    """
    role = None if body.role is None else parse_role(body.role)
    found = registries.get_by_name(ctx, organization, registry)
    entity, given = operations.put_named_team(ctx, found.id, team, role)
    return RegistryTeam(team=entity.name, role=given.word)


@router.delete(PLACE + "/teams/{team}", status_code=204, summary="Remove a team")
def remove_registry_team(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, team: TeamName
) -> None:
    """Take a team out of a registry; one that is not in it is no error.

    For its admins. One admin must always remain.
    """
    found = registries.get_by_name(ctx, organization, registry)
    operations.remove_named_team(ctx, found.id, team)
