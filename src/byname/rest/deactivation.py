"""Members of an organization who are out of it for a while, over REST."""

from __future__ import annotations

from pydantic import BaseModel, Field

from byname.operations import deactivation as operations
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.organization import Member, OrganizationName
from byname.rest.registry import After, First
from byname.rest.user import Username

router = Router(tags=["organizations"])
MEMBER = "/organizations/{organization}/members/{username}/deactivation"


class Deactivated(BaseModel):
    """One page of members who are deactivated, with the role they come back in."""

    members: list[Member]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


@router.get("/organizations/{organization}/deactivations", summary="List who is deactivated")
def list_deactivated(
    ctx: Asking, organization: OrganizationName, after: After = None, first: First = None
) -> Deactivated:
    """List the members who are out of an organization for a while. For its admins."""
    page = operations.list_page(ctx, organization, after=after, first=first)
    return Deactivated(
        members=[Member(username=each.user.username, role=each.role) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.put(MEMBER, summary="Deactivate a member")
def deactivate(ctx: Asking, organization: OrganizationName, username: Username) -> Member:
    """Take a person out of an organization, its teams and registries, so that they can come back.

    Who belongs to no other organization cannot log in meanwhile, and their keys open nothing. For
    the organization's admins. One admin must always remain.
    """
    member = operations.deactivate(ctx, organization, username)
    return Member(username=member.user.username, role=member.role)


@router.delete(MEMBER, summary="Activate a member again")
def activate(ctx: Asking, organization: OrganizationName, username: Username) -> Member:
    """Let a person back in, with the roles they had. Their automations stay off.

    For the organization's admins.
    """
    member = operations.activate(ctx, organization, username)
    return Member(username=member.user.username, role=member.role)
