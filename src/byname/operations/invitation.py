"""Inviting people: a new person with a link to choose a password, or such a link for one who is here.

Who holds the link becomes the person, so that only server administrators make one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from byname.domain import invitation as rules
from byname.domain import names
from byname.domain.entity import User
from byname.domain.errors import Unprocessable, missing
from byname.domain.invitation import Invitation
from byname.domain.key import fingerprint
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import GroupRole
from byname.domain.user import check_password
from byname.operations import history, organization, session, team
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.operations.password import hash_password
from byname.operations.user import add_account
from byname.store import invitation as rows
from byname.store import organization as organization_rows
from byname.store import session as session_rows
from byname.store import user as user_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds, moment


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation at the only moment at which its token is known."""

    user: User
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to invite, and where they are to belong; empty for nowhere yet."""

    username: str
    email: str
    full_name: str = ""
    server_admin: bool = False
    organization: str = ""
    organization_role: GroupRole = GroupRole.MEMBER
    team: str = ""
    team_role: GroupRole = GroupRole.MEMBER


def invite(ctx: Context, wanted: NewPerson) -> NewInvitation:
    """The person exists, belongs where it was said, and may choose a password for 7 days.

    They have no API key: they make their own once they are logged in.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: no such organization or team.
        Unprocessable: a name or the address breaks the rules.
        Conflict: the name or the address is taken.
    """
    require_server_admin(ctx, "invite people")
    with ctx.database.write() as tx:
        user = add_account(
            tx,
            username=wanted.username,
            email=wanted.email,
            full_name=wanted.full_name,
            server_admin=wanted.server_admin,
            at=ctx.now(),
        )
        history.record(ctx, tx, "user:create", user.username)
        if wanted.organization:
            organization.put_member(
                ctx, wanted.organization, user.username, wanted.organization_role
            )
        if wanted.team:
            team.put_member(ctx, wanted.team, user.username, wanted.team_role)
        return _offer(ctx, tx, user)


def renew(ctx: Context, username: str) -> NewInvitation:
    """A person who is here may choose a (new) password for 7 days; an earlier link is void.

    Their present password and sessions stay as they are until they do.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: there is no such person.
        Unprocessable: it is a service account.
    """
    require_server_admin(ctx, "invite people")
    with ctx.database.write() as tx:
        return _offer(ctx, tx, _person(tx, username))


def list_open(
    ctx: Context, *, after: str | None = None, first: int | None = None
) -> Page[tuple[User, Invitation]]:
    """The people who may choose a password with a link that is still good, by name.

    Raises:
        Forbidden: the actor is no server administrator.
        Unprocessable: the cursor is not of this list.
    """
    require_server_admin(ctx, "see invitations")
    limit = parse_first(first, 50)
    start = decode_text("invitations", after)
    with ctx.database.read() as tx:
        found = rows.list_open(tx, since=ctx.now(), after=start, limit=limit + 1)
    return page_of(
        found,
        limit,
        lambda pair: encode_cursor("invitations", names.fold(pair[0].username)),
    )


def withdraw(ctx: Context, username: str) -> None:
    """The person's invitation opens nothing any more; who has none is left as they are.

    Raises:
        Forbidden, NotFound, Unprocessable: as `renew`.
    """
    require_server_admin(ctx, "withdraw invitations")
    with ctx.database.write() as tx:
        user = _person(tx, username)
        if rows.remove(tx, user.id):
            _record(ctx, tx, "user:withdraw_invitation", user)


def _person(tx: Transaction, username: str) -> User:
    user = user_rows.find_by_name(tx, username)
    if user is None:
        raise missing(f"User {username[:80]!r}")
    if user.service:
        raise Unprocessable(
            f"{user.username} is a service account, which never logs in; make it an API key",
            field="username",
        )
    return user


def _offer(ctx: Context, tx: Transaction, user: User) -> NewInvitation:
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    until = moment(ctx.now()) + rules.LIFETIME
    rows.put(
        tx,
        user.id,
        sha256=fingerprint(token),
        created_by=ctx.who.user_id,
        at=ctx.now(),
        until=microseconds(until),
    )
    _record(ctx, tx, "user:invite", user)
    return NewInvitation(user, token, until)


def _record(ctx: Context, tx: Transaction, kind: str, user: User) -> None:
    """It is in the history of the server, and in that of every organization of the person."""
    homes: list[int | None] = [each.id for each in organization_rows.list_of_user(tx, user.id)]
    for organization_id in homes or [None]:
        history.record(ctx, tx, kind, user.username, organization_id=organization_id)


def _find(ctx: Context, tx: Transaction, token: str) -> tuple[User, Invitation]:
    fits = token.isascii() and len(token) <= rules.TOKEN_LENGTH_MAX
    found = rows.find(tx, fingerprint(token)) if fits else None
    user = None if found is None else user_rows.find(tx, found.user_id)
    if found is None or user is None or not found.is_live(moment(ctx.now())):
        raise rules.spent()
    return user, found


def look_at(ctx: Context, token: str) -> tuple[User, Invitation]:
    """Whom the link invites, and until when. Looking at it changes nothing.

    Raises:
        Unauthenticated: it opens nothing (any more).
    """
    with ctx.database.read() as tx:
        return _find(ctx, tx, token)


def accept(
    ctx: Context, token: str, *, password: str, before: str | None = None, browser: str = ""
) -> str:
    """The invited person has that password and is logged in; the token of their new session.

    The link is used up, and every other session of theirs is over. `before` is the token which
    the browser had, and which opens nothing any more.

    Raises:
        Unauthenticated: the link opens nothing (any more).
        Unprocessable: the password is too short, or cannot be kept.
        Throttled: too many passwords are being hashed already.
    """
    check_password(password)
    with ctx.database.read() as tx:
        _find(ctx, tx, token)
    made = hash_password(password)
    with ctx.database.write() as tx:
        # The link may have been used while the password was hashed.
        user, _ = _find(ctx, tx, token)
        rows.remove(tx, user.id)
        user_rows.set_password_hash(tx, user.id, made)
        session_rows.remove_others(tx, user.id, but=None)
        _record(ctx, tx, "user:accept_invitation", user)
        return session.open_session(ctx, tx, user.id, None, before, browser)


def of_users(ctx: Context, user_ids: list[int]) -> dict[int, Invitation]:
    """The invitations of these people, by the person's id.

    Raises:
        Forbidden: the actor is no server administrator.
    """
    require_server_admin(ctx, "see invitations")
    with ctx.database.read() as tx:
        return rows.find_of_users(tx, user_ids)
