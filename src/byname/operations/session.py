"""Logging in and out with a browser, and setting one's password (A7, A8)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from byname.domain import key as key_rules
from byname.domain import session as rules
from byname.domain.errors import Forbidden, Unauthenticated, missing
from byname.domain.policy import Actor
from byname.domain.session import Session
from byname.domain.user import check_password
from byname.operations import history
from byname.operations.context import Context
from byname.operations.password import Guesses, fits, hash_password
from byname.store import deactivation as deactivations
from byname.store import key as keys
from byname.store import session as rows
from byname.store import user as users
from byname.store.database import Transaction
from byname.store.moment import microseconds, moment

SESSIONS_SHOWN_MAX = 100
ROW_ID_MAX = 2**63
_NO_PASSWORD = "This name and password do not fit"  # noqa: S105  A message.
_NO_KEY = (
    "This API key is not valid: it is mistyped, was deleted, belongs to another server, or its owner "
    "is deactivated"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is logged in: their session, and who they are with all roles as of now."""

    session: Session
    actor: Actor


def log_in(
    ctx: Context,
    guesses: Guesses,
    *,
    username: str,
    password: str,
    address: str,
    before: str | None = None,
    browser: str = "",
) -> str:
    """The token of a new session of the person with that name (or e-mail address) and password.

    `before` is the token which the browser had, and which opens nothing any more; `browser` is
    what the browser says it is. The answer and
    the time it takes are the same for a wrong password, an unknown name, a service account, and a
    person without a password (A7).

    Raises:
        Throttled: too many failures for this name or from this network address (L7).
        Unauthenticated: name and password do not fit.
    """
    guesses.begin(username, address)
    with ctx.database.read() as tx:
        user = users.find_by_name(tx, username) or users.find_by_email(tx, username)
        if user is not None:
            ctx.attempt.claim(user.id, user.username)
        kept = None if user is None or user.service else users.password_hash_of(tx, user.id)
    if not fits(password, kept) or user is None:
        raise Unauthenticated(_NO_PASSWORD)
    guesses.succeeded(username, address)
    with ctx.database.write() as tx:
        # The person may have been deleted while the password was compared.
        if users.password_hash_of(tx, user.id) != kept:
            raise Unauthenticated(_NO_PASSWORD)
        return open_session(ctx, tx, user.id, None, before, browser)


def log_in_with_key(
    ctx: Context, *, api_key: str, before: str | None = None, browser: str = ""
) -> str:
    """The token of a new session of the person who holds the key; it ends with the key.

    This lets in who has no password yet. Keys are too long to be guessed, so nothing is counted.

    Raises:
        Unauthenticated: no person has the key. Service accounts have no pages.
    """
    api_key = api_key.strip()
    if not key_rules.is_key(api_key):
        raise Unauthenticated(_NO_KEY)
    with ctx.database.write() as tx:
        actor = keys.find_actor(tx, key_rules.fingerprint(api_key))
        if actor is None or actor.service:
            raise Unauthenticated(_NO_KEY)
        return open_session(ctx, tx, actor.user_id, actor.key_id, before, browser)


def open_session(
    ctx: Context,
    tx: Transaction,
    user_id: int,
    key_id: int | None,
    before: str | None,
    browser: str,
) -> str:
    """The token of a new session, inside the transaction of a log-in; the one before is over (A8).

    Raises:
        Unauthenticated: the person is deactivated wherever they belonged.
    """
    user = users.find(tx, user_id)
    if user is not None and not user.server_admin and deactivations.is_shut_out(tx, user_id):
        raise Unauthenticated(
            "Your account is deactivated; an admin of your organization can activate it again",
            code="deactivated",
        )
    if before is not None:
        rows.remove(tx, rules.fingerprint(before))
    actor = keys.find_actor_of_user(tx, user_id)
    if actor is not None:
        own = replace(ctx, actor=actor)
        for organization_id in actor.organizations or [None]:
            history.record(own, tx, "user:log_in", actor.username, organization_id=organization_id)
    oldest = moment(ctx.now()) - rules.ABSOLUTE
    rows.remove_old(tx, before=microseconds(oldest))
    token = secrets.token_urlsafe(rules.TOKEN_BYTES)
    rows.add(
        tx,
        user_id=user_id,
        key_id=key_id,
        sha256=rules.fingerprint(token),
        browser=rules.clean_browser(browser),
        at=ctx.now(),
    )
    return token


def find(ctx: Context, token: str) -> Visit | None:
    """Who is logged in with that token, as they stand now; None when nobody is any more."""
    now = moment(ctx.now())
    with ctx.database.read() as tx:
        session = rows.find(tx, rules.fingerprint(token))
        if session is None or not session.is_live(now):
            return None
        actor = keys.find_actor_of_user(tx, session.user_id)
    return None if actor is None else Visit(session, actor)


def note_use(ctx: Context, session: Session) -> None:
    """The session is in use; written down every ten minutes at the most."""
    if session.is_due(moment(ctx.now())):
        with ctx.database.write() as tx:
            rows.note_use(tx, session.id, at=ctx.now())


def log_out(ctx: Context, session: Session) -> None:
    """The session's token opens nothing any more, wherever it is kept."""
    with ctx.database.write() as tx:
        rows.end(tx, session.id)


def list_own(ctx: Context) -> list[Session]:
    """The browsers in which the actor is logged in, the one used last first; a hundred at most."""
    now = moment(ctx.now())
    with ctx.database.read() as tx:
        found = rows.list_of_user(tx, ctx.who.user_id, limit=SESSIONS_SHOWN_MAX)
    return [each for each in found if each.is_live(now)]


def end_own(ctx: Context, session_id: int) -> None:
    """That session of the actor's is over, at once.

    Raises:
        NotFound: it is over already, or somebody else's.
    """
    with ctx.database.write() as tx:
        known = 0 < session_id < ROW_ID_MAX
        if not (known and rows.end_of_user(tx, ctx.who.user_id, session_id)):
            raise missing("This session")


def end_others(ctx: Context, session: Session) -> None:
    """The actor is logged in with no other browser than this one."""
    with ctx.database.write() as tx:
        rows.remove_others(tx, ctx.who.user_id, but=session.id)


def has_password(ctx: Context) -> bool:
    """Whether the actor has a password."""
    with ctx.database.read() as tx:
        return users.password_hash_of(tx, ctx.who.user_id) is not None


def set_password(
    ctx: Context,
    guesses: Guesses,
    *,
    current: str,
    password: str,
    address: str,
    session: Session,
) -> None:
    """The actor has that password, and is logged in with no other browser than this one.

    Raises:
        Forbidden: the actor has a password, and it is not `current`.
        Throttled: too many wrong ones (L7).
        Unprocessable: it is shorter than 12 characters, or cannot be kept.
    """
    actor = ctx.who
    check_password(password)
    with ctx.database.read() as tx:
        kept = users.password_hash_of(tx, actor.user_id)
    if kept is not None:
        guesses.begin(actor.username, address)
        if not fits(current, kept):
            raise Forbidden("The present password is not right", code="password_wrong")
        guesses.succeeded(actor.username, address)
    made = hash_password(password)
    with ctx.database.write() as tx:
        if users.password_hash_of(tx, actor.user_id) != kept:
            raise Forbidden(
                "The password was changed meanwhile; log in again", code="password_wrong"
            )
        users.set_password_hash(tx, actor.user_id, made)
        rows.remove_others(tx, actor.user_id, but=session.id)
