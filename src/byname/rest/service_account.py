"""Service accounts over REST: users of a team or an organization that never log in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from byname.domain.entity import GroupMember
from byname.domain.page import Page
from byname.operations import service_account as accounts
from byname.operations import team as operations
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.organization import OrganizationName
from byname.rest.registry import After, First
from byname.rest.team import TeamName
from byname.rest.user import Username, UserWithKey

router = Router(tags=["teams"])


class NewServiceAccount(BaseModel):
    """A service account to create."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "training-cluster"}]}
    )

    name: str = Field(description="Letters, digits, `_`, `.` and `-`; at most 64 characters.")


@router.post("/teams/{team}/service-accounts", status_code=201, summary="Create a service account")
def create_service_account(ctx: Asking, team: TeamName, body: NewServiceAccount) -> UserWithKey:
    """Create a service account, a member of the team. Answers with its first API key.

    For the team's admins and those of its organization.
    """
    made = operations.create_service_account(ctx, team=team, name=body.name)
    return UserWithKey(username=made.user.username, api_key=made.api_key)


class ServiceAccount(BaseModel):
    """A service account."""

    username: str
    place: str = Field(description="The team or organization that it belongs to.")


class ServiceAccounts(BaseModel):
    """One page of them, by name."""

    service_accounts: list[ServiceAccount]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")

    @classmethod
    def of(cls, page: Page[GroupMember]) -> ServiceAccounts:
        """The page as this face shows it."""
        return cls(
            service_accounts=[
                ServiceAccount(username=each.user.username, place=each.user.entity_name)
                for each in page.items
            ],
            next=page.end_cursor if page.has_next else None,
        )


@router.get("/teams/{team}/service-accounts", summary="List a team's service accounts")
def list_of_team(
    ctx: Asking, team: TeamName, after: After = None, first: First = None
) -> ServiceAccounts:
    """List the service accounts of a team. For everyone in its organization."""
    return ServiceAccounts.of(accounts.list_of_team(ctx, team, after=after, first=first))


@router.post(
    "/organizations/{organization}/service-accounts",
    status_code=201,
    tags=["organizations"],
    summary="Create a service account of the organization",
)
def create_of_organization(
    ctx: Asking, organization: OrganizationName, body: NewServiceAccount
) -> UserWithKey:
    """Create a service account that is in no team. Answers with its first API key.

    For the organization's admins.
    """
    made = accounts.create(ctx, organization=organization, name=body.name)
    return UserWithKey(username=made.user.username, api_key=made.api_key)


@router.get(
    "/organizations/{organization}/service-accounts",
    tags=["organizations"],
    summary="List an organization's service accounts",
)
def list_of_organization(
    ctx: Asking, organization: OrganizationName, after: After = None, first: First = None
) -> ServiceAccounts:
    """List the service accounts of an organization and of its teams. For everyone in it."""
    found = accounts.list_of_organization(ctx, organization, after=after, first=first)
    return ServiceAccounts.of(found)


@router.delete(
    "/organizations/{organization}/service-accounts/{username}",
    status_code=204,
    tags=["organizations"],
    summary="Delete a service account",
)
def delete_service_account(ctx: Asking, organization: OrganizationName, username: Username) -> None:
    """Delete a service account of an organization or of one of its teams, with its keys.

    For the organization's admins.
    """
    accounts.delete(ctx, organization, username)
