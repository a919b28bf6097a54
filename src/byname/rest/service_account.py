"""Service accounts over REST: users that belong to a team and never log in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from byname.operations import team as operations
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.team import TeamName
from byname.rest.user import UserWithKey

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
