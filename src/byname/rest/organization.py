"""Organizations and their members over REST."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.policy import GroupRole
from byname.operations import organization as operations
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.user import Username

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


class NewRole(BaseModel):
    """A role to give."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "member"}]})

    role: GroupRole


class Member(BaseModel):
    """A person in an organization or team."""

    username: str
    role: GroupRole


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
