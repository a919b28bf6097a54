"""The first minutes of a server: its first administrator, organization, team and registries."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace

from byname.domain import names
from byname.domain.errors import Conflict, Unauthenticated
from byname.domain.key import fingerprint
from byname.domain.user import check_email, check_password
from byname.operations import history
from byname.operations.context import Context
from byname.operations.organization import add_organization
from byname.operations.password import hash_password
from byname.operations.team import add_team
from byname.operations.user import add_person
from byname.store import key as keys
from byname.store import setup as tokens
from byname.store import user as users
from byname.store.database import Transaction

TOKEN_BYTES = 32
TOKEN_LENGTH_MAX = 128


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the set-up made. The API key is known only here."""

    username: str
    api_key: str
    organization: str
    team: str


def is_set_up(ctx: Context) -> bool:
    """Whether this server has an administrator."""
    with ctx.database.read() as tx:
        return users.count_administrators(tx) > 0


def offer_token(ctx: Context) -> str | None:
    """A fresh token for the set-up page; earlier ones are void. None when all is set up already.

    Call it once at each start, and show it to who started the server. Only its hash is kept.
    """
    with ctx.database.write() as tx:
        if users.count_administrators(tx) > 0:
            tokens.remove_token(tx)
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        tokens.put_token(tx, fingerprint(token))
        return token


def check_token(ctx: Context, token: str) -> None:
    """Return when the token opens the set-up page.

    Raises:
        Conflict: this server is set up already.
        Unauthenticated: not the token of the latest start.
    """
    with ctx.database.read() as tx:
        _check_token(tx, token)


def _check_not_set_up(tx: Transaction) -> None:
    if users.count_administrators(tx) > 0:
        raise Conflict(
            "This server is set up already: it has an administrator, who can create more users",
            code="already_set_up",
        )


def _check_token(tx: Transaction, token: str) -> None:
    _check_not_set_up(tx)
    good = tokens.find_token(tx)
    given = fingerprint(token) if token.isascii() and len(token) <= TOKEN_LENGTH_MAX else ""
    if good is None or not hmac.compare_digest(given, good):
        raise Unauthenticated(
            "This set-up address is not valid; use the one that the latest start of the server "
            "printed"
        )


def set_up(
    ctx: Context,
    *,
    username: str,
    email: str,
    organization: str,
    team: str,
    password: str | None = None,
    token: str | None = None,
) -> SetUp:
    """The first administrator exists, with an organization and a team that they administer.

    The organization holds the starter registries (R26). All of it happens, or nothing.

    With a token it must be the good one, which is used up. Without one the asker stands at the
    machine itself (the command line): no face that listens on the network may leave it out.

    Raises:
        Conflict: there is an administrator already, or two of the three names are the same.
        Unauthenticated: the token is not the good one.
        Unprocessable: a name, the address or the password breaks the rules.
    """
    with ctx.database.read() as tx:
        if token is None:
            _check_not_set_up(tx)
        else:
            _check_token(tx, token)
    for name in (username, organization, team):
        names.check_entity(name)
    check_email(email)
    # Hashing takes its time, so it happens before the transaction and not inside of it.
    password_hash = None if password is None else hash_password(check_password(password))
    with ctx.database.write() as tx:
        if token is None:
            _check_not_set_up(tx)
        else:
            _check_token(tx, token)
        at = ctx.now()
        made = add_person(
            tx,
            username=username,
            email=email,
            password_hash=password_hash,
            server_admin=True,
            at=at,
        )
        first = add_organization(
            tx, name=organization, owner=made.user, starter_registries=True, at=at
        )
        second = add_team(tx, name=team, organization=first, admins=[made.user], at=at)
        tokens.remove_token(tx)
        own = replace(ctx, actor=keys.find_actor_of_user(tx, made.user.id))
        home = first.id
        history.record(own, tx, "user:create", made.user.username, organization_id=home)
        history.record(own, tx, "organization:create", first.name, organization_id=home)
        history.record(own, tx, "team:create", second.name, organization_id=home)
    return SetUp(made.user.username, made.api_key, first.name, second.name)
