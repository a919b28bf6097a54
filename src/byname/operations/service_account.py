"""Service accounts of an organization, beside those of its teams (R192): made, listed and deleted."""

from __future__ import annotations

from byname.domain.entity import Entity, EntityKind, GroupMember, User
from byname.domain.errors import missing
from byname.domain.page import Page
from byname.domain.policy import GroupRole
from byname.operations import automation_fate, group, history
from byname.operations.context import Context
from byname.operations.organization import get_organization, get_own_organization
from byname.operations.team import get_team
from byname.operations.user import NewUser, add_service_account
from byname.store import organization as organizations
from byname.store import team as teams
from byname.store import user as users


def create(ctx: Context, *, organization: str, name: str) -> NewUser:
    """A new service account of the organization, a member of it and of no team, with one key.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Forbidden: the actor is no admin of it.
        Unprocessable: the name breaks the rules.
        Conflict: the name is taken.
    """
    with ctx.database.write() as tx:
        found = get_own_organization(ctx, tx, organization, "create service accounts")
        at = ctx.now()
        made = add_service_account(tx, found, name, at=at)
        organizations.put_member(tx, found.id, made.user.id, GroupRole.MEMBER, at=at)
        history.record(ctx, tx, "user:create", made.user.username, organization_id=found.id)
        return made


def list_of_organization(
    ctx: Context, organization: str, *, after: str | None = None, first: int | None = None
) -> Page[GroupMember]:
    """Every service account in the organization, its teams' too, for everyone in it, by name.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Unprocessable: the cursor is not of this list.
    """
    with ctx.database.read() as tx:
        found = get_organization(ctx, tx, organization)
    return group.members(ctx, found, service=True, after=after, first=first)


def list_of_team(
    ctx: Context, team: str, *, after: str | None = None, first: int | None = None
) -> Page[GroupMember]:
    """The service accounts of the team, for everyone in its organization, by name.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Unprocessable: the cursor is not of this list.
    """
    with ctx.database.read() as tx:
        found = get_team(ctx, tx, team)
    return group.members(ctx, found, service=True, after=after, first=first)


def find(ctx: Context, home: Entity, name: str) -> User | None:
    """The service account of that name in the team or organization, for everyone who may see both.

    Raises:
        NotFound: the actor is not in the organization.
    """
    with ctx.database.read() as tx:
        is_team = home.kind is EntityKind.TEAM
        found = (get_team if is_team else get_organization)(ctx, tx, home.name)
        user = users.find_by_name(tx, name)
        if user is None or not user.service:
            return None
        role = (teams if is_team else organizations).find_role(tx, found.id, user.id)
        return None if role is None else user


def delete(ctx: Context, organization: str, name: str) -> None:
    """The service account of the organization or of one of its teams is gone, with its keys.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such service account.
        Forbidden: the actor is no admin of the organization.
    """
    with ctx.database.write() as tx:
        found = get_own_organization(ctx, tx, organization, "delete service accounts")
        user = users.find_by_name(tx, name)
        known = user is not None and organizations.find_role(tx, found.id, user.id) is not None
        if user is None or not user.service or not known:
            raise missing(f"Service account {name[:80]!r} of organization {found.name}")
        history.record(ctx, tx, "user:delete", user.username, organization_id=found.id)
        automation_fate.end_users(ctx, tx, [user])
        users.remove(tx, [user.id], at=ctx.now())
