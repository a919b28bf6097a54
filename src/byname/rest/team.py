"""Teams and their members over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.expiry import TtlPolicy
from byname.domain.policy import GroupRole
from byname.operations import directory, expiry, group
from byname.operations import team as operations
from byname.operations.group import TeamCard
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.organization import Member, NewRole, OrganizationName, ShownMember, words_of
from byname.rest.registry import After, First
from byname.rest.user import Text, Username

router = Router(tags=["teams"])

ADMINS_MAX = 100

TeamName = Annotated[str, Path(description="The team's name.")]


class NewTeam(BaseModel):
    """A team to create."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "smle-reg-team-2", "admins": ["ann"]}]},
    )

    name: str = Field(description="Letters, digits, `_`, `.` and `-`; at most 64 characters.")
    admins: list[str] = Field(
        default_factory=list,
        max_length=ADMINS_MAX,
        description="People who become its admins, and join the organization where they are not "
        "in it. Nobody named: you, if you are in the organization yourself.",
    )


class Team(BaseModel):
    """A team."""

    name: str


class ShownTeam(Team):
    """A team, and what you are there."""

    organization: str
    role: GroupRole | None = Field(description="Yours; null when you are not in it.")
    members: int
    projects: int
    created_at: datetime

    @classmethod
    def of(cls, card: TeamCard) -> ShownTeam:
        """The team as this face shows it."""
        return cls(
            name=card.team.name,
            organization=card.organization,
            role=card.role,
            members=card.members,
            projects=card.projects,
            created_at=card.team.created_at,
        )


class Teams(BaseModel):
    """One page of teams, by name."""

    teams: list[ShownTeam]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


class TeamMembers(BaseModel):
    """One page of members of a team, by user name."""

    members: list[ShownMember]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


@router.get("/organizations/{organization}/teams", summary="List teams")
def list_teams(
    ctx: Asking, organization: OrganizationName, after: After = None, first: First = None
) -> Teams:
    """List the teams of an organization. For everyone in it."""
    page = group.teams(ctx, organization, after=after, first=first)
    return Teams(
        teams=[ShownTeam.of(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.get("/teams/{team}", summary="Get a team")
def get_team(ctx: Asking, team: TeamName) -> ShownTeam:
    """See a team. For everyone in its organization."""
    return ShownTeam.of(group.team_card(ctx, team))


@router.get("/teams/{team}/members", summary="List members")
def list_members(
    ctx: Asking, team: TeamName, text: Text = "", after: After = None, first: First = None
) -> TeamMembers:
    """List who is in a team. For everyone in its organization."""
    page = directory.list_team_members(ctx, team, text=text, after=after, first=first)
    return TeamMembers(
        members=[ShownMember(**words_of(each)) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.post("/organizations/{organization}/teams", status_code=201, summary="Create a team")
def create_team(ctx: Asking, organization: OrganizationName, body: NewTeam) -> Team:
    """Create a team in an organization. For the organization's admins."""
    made = operations.create_team(
        ctx, organization=organization, name=body.name, admins=body.admins
    )
    return Team(name=made.name)


@router.delete("/teams/{team}", status_code=204, summary="Delete a team")
def delete_team(ctx: Asking, team: TeamName) -> None:
    """Delete a team with its projects, artifacts and service accounts.

    For its admins and those of its organization. Refused while versions of it are linked elsewhere.
    """
    operations.delete_team(ctx, team)


class TimeToLive(BaseModel):
    """What a team has decided on the time to live of its versions."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"default_seconds": 2592000, "admins_only": False}]},
    )

    default_seconds: int | None = Field(
        description="From the creation of a version that has no time of its own; null is for ever."
    )
    admins_only: bool = Field(
        default=False, description="Whether only the team's admins may set a version's own time."
    )


@router.get("/teams/{team}/ttl", summary="Get the time to live of a team's versions")
def get_ttl(ctx: Asking, team: TeamName) -> TimeToLive:
    """See how long versions of a team live that have no time of their own, and who may set one."""
    policy = expiry.get_policy(ctx, team)
    return TimeToLive(default_seconds=policy.default_seconds, admins_only=policy.admins_only)


@router.put("/teams/{team}/ttl", summary="Set the time to live of a team's versions")
def put_ttl(ctx: Asking, team: TeamName, body: TimeToLive) -> TimeToLive:
    """Decide how long versions of a team live that have no time of their own.

    It counts from their creation, for those that are there already too. Linked versions live for
    ever. For the team's admins and those of its organization.
    """
    policy = TtlPolicy(body.default_seconds, body.admins_only)
    expiry.set_policy(ctx, team, policy)
    return body


@router.put("/teams/{team}/members/{username}", summary="Add a member or change their role")
def put_member(ctx: Asking, team: TeamName, username: Username, body: NewRole) -> Member:
    """Put a person into a team in a role; doing it twice changes nothing more.

    For its admins and those of its organization. The latter may add anybody, who then joins the
    organization as a member; the former only people of the organization.
    """
    member = operations.put_member(ctx, team, username, body.role)
    return Member(username=member.user.username, role=member.role)


@router.delete("/teams/{team}/members/{username}", status_code=204, summary="Remove a member")
def remove_member(ctx: Asking, team: TeamName, username: Username) -> None:
    """Take a person out of a team; a service account is deleted.

    For its admins and those of its organization.
    """
    operations.remove_member(ctx, team, username)
