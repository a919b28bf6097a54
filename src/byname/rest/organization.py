"""Organizations and their members over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.entity import GroupMember
from byname.domain.page import Page
from byname.domain.policy import GroupRole
from byname.operations import directory, group
from byname.operations import organization as operations
from byname.operations.directory import Home
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import After, First
from byname.rest.user import Text, Username

router = Router(tags=["organizations"])

OrganizationName = Annotated[str, Path(description="The organization's name.")]


class NewOrganization(BaseModel):
    """An organization to create."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "smle-reg", "owner": "ann", "starter_registries": True}]
        },
    )

    name: str = Field(description="Letters, digits, `_`, `.` and `-`; at most 64 characters.")
    owner: str = Field(description="The person who becomes its first admin.")
    starter_registries: bool = Field(
        default=False, description="Whether it gets the ordinary registries Model and Dataset."
    )


class Organization(BaseModel):
    """An organization."""

    name: str


class ShownOrganization(Organization):
    """An organization, and what you are there."""

    role: GroupRole | None = Field(
        description="Yours; null for a server administrator who is not in it."
    )
    members: int
    teams: int
    created_at: datetime

    @classmethod
    def of(cls, home: Home) -> ShownOrganization:
        """The organization as this face shows it."""
        return cls(
            name=home.organization.name,
            role=home.role,
            members=home.members,
            teams=home.teams,
            created_at=home.organization.created_at,
        )


class Organizations(BaseModel):
    """One page of organizations, by name."""

    organizations: list[ShownOrganization]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


class NewRole(BaseModel):
    """A role to give."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "member"}]})

    role: GroupRole


class Member(BaseModel):
    """A person in an organization or team."""

    username: str
    role: GroupRole


class ShownMember(Member):
    """A person or service account in an organization or team."""

    full_name: str
    email: str | None
    service_account: bool


class ShownOrganizationMember(ShownMember):
    """A person or service account in an organization."""

    deactivated: bool = Field(
        description="Out of it for a while; the role is the one they come back in. Only admins are "
        "told of them."
    )


class OrganizationMembers(BaseModel):
    """One page of members of an organization, by user name."""

    members: list[ShownOrganizationMember]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")

    @classmethod
    def of(cls, page: Page[GroupMember]) -> OrganizationMembers:
        """The page as this face shows it."""
        return cls(
            members=[
                ShownOrganizationMember(**words_of(each), deactivated=each.deactivated)
                for each in page.items
            ],
            next=page.end_cursor if page.has_next else None,
        )


def words_of(member: GroupMember) -> dict[str, Any]:
    """What is told of a member of an organization or team."""
    return {
        "username": member.user.username,
        "role": member.role,
        "full_name": member.user.full_name,
        "email": member.user.email,
        "service_account": member.user.service,
    }


@router.get("/organizations", summary="List organizations")
def list_organizations(ctx: Asking, after: After = None, first: First = None) -> Organizations:
    """List the organizations that you are in; all of this server, for its administrators."""
    page = directory.list_organizations(ctx, after=after, first=first)
    return Organizations(
        organizations=[ShownOrganization.of(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.get("/organizations/{organization}", summary="Get an organization")
def get_organization(ctx: Asking, organization: OrganizationName) -> ShownOrganization:
    """See an organization. For everyone in it."""
    return ShownOrganization.of(directory.get_home(ctx, organization))


@router.get("/organizations/{organization}/members", summary="List members")
def list_members(
    ctx: Asking,
    organization: OrganizationName,
    text: Text = "",
    after: After = None,
    first: First = None,
) -> OrganizationMembers:
    """List who is in an organization. For everyone in it; admins also see who is deactivated."""
    page = directory.list_members(ctx, organization, text=text, after=after, first=first)
    return OrganizationMembers.of(page)


@router.post("/organizations", status_code=201, summary="Create an organization")
def create_organization(ctx: Asking, body: NewOrganization) -> Organization:
    """Create an organization. For server administrators."""
    made = operations.create_organization(
        ctx, name=body.name, owner=body.owner, starter_registries=body.starter_registries
    )
    return Organization(name=made.name)


@router.delete("/organizations/{organization}", status_code=204, summary="Delete an organization")
def delete_organization(ctx: Asking, organization: OrganizationName) -> None:
    """Delete an organization with its teams, service accounts, registries and artifacts.

    For its admins. People stay. Refused while versions of its teams are linked elsewhere.
    """
    operations.delete_organization(ctx, organization)


@router.put(
    "/organizations/{organization}/members/{username}", summary="Add a member or change their role"
)
def put_member(
    ctx: Asking, organization: OrganizationName, username: Username, body: NewRole
) -> Member:
    """Put a person into an organization in a role; doing it twice changes nothing more.

    For its admins. One admin must always remain.
    """
    member = operations.put_member(ctx, organization, username, body.role)
    return Member(username=member.user.username, role=member.role)


@router.delete(
    "/organizations/{organization}/members/{username}", status_code=204, summary="Remove a member"
)
def remove_member(ctx: Asking, organization: OrganizationName, username: Username) -> None:
    """Take a person out of an organization, all its teams and all its registries.

    For its admins. One admin must always remain.
    """
    operations.remove_member(ctx, organization, username)


class TeamStorage(BaseModel):
    """What a team keeps."""

    team: str
    size_bytes: int


class RegistryStorage(BaseModel):
    """What a registry shows; the bytes are kept by the teams."""

    registry: str
    links: int
    linked_bytes: int


class Storage(BaseModel):
    """What an organization keeps: in all, and a page each of its teams and registries."""

    size_bytes: int = Field(description="Equal content of one team once.")
    teams: list[TeamStorage]
    next_teams: str | None = Field(description="Send it as `teams_after`; null on the last page.")
    registries: list[RegistryStorage]
    next_registries: str | None = Field(
        description="Send it as `registries_after`; null on the last page."
    )


@router.get("/organizations/{organization}/storage", summary="See the storage used")
def read_storage(
    ctx: Asking,
    organization: OrganizationName,
    teams_after: Annotated[str | None, Query(description="A page's `next_teams`.")] = None,
    registries_after: Annotated[
        str | None, Query(description="A page's `next_registries`.")
    ] = None,
    first: First = None,
) -> Storage:
    """See how many bytes an organization keeps, by team, and what its registries show.

    For its admins.
    """
    found = group.storage(
        ctx,
        organization,
        teams_after=teams_after,
        registries_after=registries_after,
        first=first,
    )
    teams, registries = found.teams, found.registries
    return Storage(
        size_bytes=found.size_bytes,
        teams=[TeamStorage(team=team.name, size_bytes=size) for team, size in teams.items],
        next_teams=teams.end_cursor if teams.has_next else None,
        registries=[
            RegistryStorage(registry=each.registry_name, links=links, linked_bytes=size)
            for each in registries.items
            for links, size in [found.linked.get(each.id, (0, 0))]
        ],
        next_registries=registries.end_cursor if registries.has_next else None,
    )
