"""Taking people out of an organization for a while, so that they come back as they were (R194)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from byname.domain.entity import Entity, GroupMember
from byname.domain.errors import NotFound, missing
from byname.domain.page import Page, decode_id, encode_cursor, page_of, parse_first
from byname.domain.policy import GroupRole
from byname.operations import automation_fate, history
from byname.operations.context import Context
from byname.operations.organization import get_own_organization, get_person
from byname.operations.user import check_another_admin
from byname.store import deactivation as rows
from byname.store import organization as organization_rows
from byname.store import session as session_rows
from byname.store.database import Transaction


def deactivate(ctx: Context, organization: str, username: str) -> GroupMember:
    """The person is out of the organization, its teams and registries, which are remembered (R109).

    Who belongs to no other organization cannot log in any more, and their keys open nothing, until
    they are active again. Their automations in the organization are off. Who is deactivated already
    stays so.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such member.
        Forbidden: the actor is no admin of it.
        Conflict: its last admin (R195).
        Unprocessable: a service account, which is deleted instead.
    """
    with ctx.database.write() as tx:
        home = get_own_organization(ctx, tx, organization, "deactivate members")
        user = get_person(tx, username)
        role = rows.find_role(tx, home.id, user.id)
        if role is None:
            role = organization_rows.find_role(tx, home.id, user.id)
            if role is None:
                raise _no_member(username, home)
            check_another_admin(tx, home, user)
            history.record(
                ctx,
                tx,
                "organization:deactivate_member",
                user.username,
                organization_id=home.id,
                before=role.value,
            )
            rows.put(tx, home.id, user.id, at=ctx.now())
            automation_fate.end_membership(ctx, tx, home, user)
            organization_rows.remove_member(tx, home.id, user.id)
            if rows.is_shut_out(tx, user.id) and not user.server_admin:
                session_rows.remove_others(tx, user.id, but=None)
        return GroupMember(user, role)


def activate(ctx: Context, organization: str, username: str) -> GroupMember:
    """The person is in the organization again, as they were, in what there still is of it.

    Their keys are good again; their automations stay off until somebody looks at them. Who is
    active already stays so.

    Raises:
        NotFound: no such organization (or the actor is not in it), or no such member.
        Forbidden: the actor is no admin of it.
        Unprocessable: a service account.
    """
    with ctx.database.write() as tx:
        home = get_own_organization(ctx, tx, organization, "activate members")
        user = get_person(tx, username)
        role = organization_rows.find_role(tx, home.id, user.id)
        if role is None:
            role = rows.find_role(tx, home.id, user.id)
            if role is None:
                raise _no_member(username, home)
            at = ctx.now()
            organization_rows.put_member(tx, home.id, user.id, role, at=at)
            rows.restore(tx, home.id, user.id, at=at)
            rows.remove(tx, home.id, user.id)
            history.record(
                ctx,
                tx,
                "organization:activate_member",
                user.username,
                organization_id=home.id,
                after=role.value,
            )
        return GroupMember(user, role)


def list_page(
    ctx: Context, organization: str, *, after: str | None = None, first: int | None = None
) -> Page[GroupMember]:
    """The people who are deactivated in the organization, with the role they come back in.

    Raises:
        NotFound: no such organization, or the actor is not in it.
        Forbidden: the actor is no admin of it.
        Unprocessable: the cursor is not of this list.
    """
    size = parse_first(first, 50)
    start = decode_id("deactivated", after)
    with ctx.database.read() as tx:
        home = get_own_organization(ctx, tx, organization, "see who is deactivated")
        found = rows.list_page(tx, home.id, after=start, limit=size + 1)
    return page_of(found, size, lambda each: encode_cursor("deactivated", each.user.id))


@contextmanager
def opened(
    ctx: Context, tx: Transaction, home: Entity, user_id: int, role: GroupRole
) -> Iterator[None]:
    """Within it, what the deactivated person comes back with can be changed as if they were there."""
    at = ctx.now()
    organization_rows.put_member(tx, home.id, user_id, role, at=at)
    rows.restore(tx, home.id, user_id, at=at)
    rows.remove(tx, home.id, user_id)
    yield
    rows.put(tx, home.id, user_id, at=at)
    organization_rows.remove_member(tx, home.id, user_id)


def _no_member(username: str, home: Entity) -> NotFound:
    return missing(f"Member {username[:80]!r} of organization {home.name}")
