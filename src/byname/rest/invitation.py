"""Invitations over REST: links with which people choose a password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.policy import GroupRole
from byname.operations import invitation as operations
from byname.operations.invitation import NewPerson
from byname.rest.asking import Asking
from byname.rest.once import Router, ShownOnce
from byname.rest.registry import After, First
from byname.rest.user import Username

router = Router(tags=["invitations"])


class NewInvitation(BaseModel):
    """A person to invite."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"username": "ann", "email": "ann@example.org", "organization": "smle-reg"}
            ]
        },
    )

    username: str = Field(description="Letters, digits, `_`, `.` and `-`; at most 64 characters.")
    email: str
    full_name: str = ""
    admin: bool = Field(default=False, description="Whether they administer this server.")
    organization: str = Field(default="", description="Where they are to belong; empty: nowhere.")
    organization_role: GroupRole = GroupRole.MEMBER
    team: str = Field(default="", description="The team they are to be in; empty: none.")
    team_role: GroupRole = GroupRole.MEMBER


class InvitationWithLink(ShownOnce):
    """An invitation. The link is shown this one time."""

    ONCE: ClassVar[frozenset[str]] = frozenset({"path"})

    username: str
    path: str | None = Field(
        description="What to send to them, behind the address of this server. Null when the same "
        "request is sent again."
    )
    expires_at: datetime

    @classmethod
    def of(cls, made: operations.NewInvitation) -> InvitationWithLink:
        """The invitation as this face shows it."""
        return cls(
            username=made.user.username,
            path=f"/invitation?token={made.token}",
            expires_at=made.expires_at,
        )


class Invitation(BaseModel):
    """Somebody who may choose a password."""

    username: str
    email: str | None
    expires_at: datetime


class Invitations(BaseModel):
    """One page of them, by name."""

    invitations: list[Invitation]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


@router.post("/invitations", status_code=201, summary="Invite a person")
def create_invitation(ctx: Asking, body: NewInvitation) -> InvitationWithLink:
    """Create a person who chooses a password with a link, good for 7 days.

    For server administrators. They have no API key: they make their own once they are logged in.
    """
    wanted = NewPerson(
        username=body.username,
        email=body.email,
        full_name=body.full_name,
        server_admin=body.admin,
        organization=body.organization,
        organization_role=body.organization_role,
        team=body.team,
        team_role=body.team_role,
    )
    return InvitationWithLink.of(operations.invite(ctx, wanted))


@router.get("/invitations", summary="List invitations")
def list_invitations(ctx: Asking, after: After = None, first: First = None) -> Invitations:
    """List who has an invitation that is still good, without the links. For server administrators."""
    page = operations.list_open(ctx, after=after, first=first)
    return Invitations(
        invitations=[
            Invitation(username=user.username, email=user.email, expires_at=found.expires_at)
            for user, found in page.items
        ],
        next=page.end_cursor if page.has_next else None,
    )


Invited = Annotated[Username, Path(description="The name of a person.")]


@router.post("/invitations/{username}", status_code=201, summary="Invite a person again")
def renew_invitation(ctx: Asking, username: Invited) -> InvitationWithLink:
    """Give somebody who is here a link to choose a (new) password; an earlier link is void.

    For server administrators. Their present password and sessions stay as they are until then.
    """
    return InvitationWithLink.of(operations.renew(ctx, username))


@router.delete("/invitations/{username}", status_code=204, summary="Withdraw an invitation")
def delete_invitation(ctx: Asking, username: Invited) -> None:
    """Let the person's link open nothing any more; the person stays. For server administrators."""
    operations.withdraw(ctx, username)
