"""Logging in as whom a provider says somebody is (R195): known ones, matched ones, new ones."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain import identity as rules
from byname.domain import names
from byname.domain.entity import EntityKind, User
from byname.domain.errors import Forbidden, Unavailable, Unprocessable
from byname.domain.identity import Identity
from byname.domain.policy import GroupRole
from byname.operations import history, session
from byname.operations.context import Context
from byname.operations.user import add_account
from byname.store import entity as entity_rows
from byname.store import identity as rows
from byname.store import organization as organization_rows
from byname.store import user as user_rows
from byname.store.database import Transaction

TRIES = 100


@dataclass(frozen=True, slots=True)
class Provisioning:
    """What becomes of people whom the provider knows and this server does not."""

    create: bool = False
    """They become users of this server at their first log-in."""
    organization: str = ""
    """The organization that they join as members; empty for none."""


def log_in(
    ctx: Context,
    identity: Identity,
    new: Provisioning,
    *,
    before: str | None = None,
    browser: str = "",
) -> str:
    """The token of a new session of the person whom the provider speaks of.

    - Who logged in from there before is the person they were then, whatever their address is now.
    - Else the live person with the same e-mail address, if the provider says that it is verified
      and they are known to it under no other word.
    - Else, where that is wished, a new person.

    `before` is the token which the browser had, and which opens nothing any more.

    Raises:
        Forbidden: nobody here fits, or the address is not verified.
        Unavailable: the organization for new people is not there.
    """
    with ctx.database.write() as tx:
        user = _find(ctx, tx, identity) or _create(ctx, tx, identity, new)
        return session.open_session(ctx, tx, user.id, None, before, browser)


def _find(ctx: Context, tx: Transaction, identity: Identity) -> User | None:
    user_id = rows.find_user_id(tx, identity.issuer, identity.subject)
    if user_id is not None:
        user = user_rows.find(tx, user_id)
        if user is None:
            raise _nobody()
        return user
    email = rules.check_verified(identity)
    user = user_rows.find_by_email(tx, email)
    if user is None or user.service:
        return None
    if rows.has_one(tx, identity.issuer, user.id):
        raise Forbidden(
            "An account here has your e-mail address, but belongs to somebody else at your "
            "provider. Ask an administrator of this server",
            code="identity_taken",
        )
    _remember(ctx, tx, identity, user)
    return user


def _remember(ctx: Context, tx: Transaction, identity: Identity, user: User) -> None:
    rows.add(tx, identity.issuer, identity.subject, user.id, at=ctx.now())
    homes: list[int | None] = [each.id for each in organization_rows.list_of_user(tx, user.id)]
    for organization_id in homes or [None]:
        history.record(
            ctx,
            tx,
            "user:link_identity",
            user.username,
            organization_id=organization_id,
            after=identity.issuer,
        )


def _nobody() -> Forbidden:
    return Forbidden(
        "You have no account on this server; ask an administrator of it to invite you",
        code="no_account",
    )


def _create(ctx: Context, tx: Transaction, identity: Identity, new: Provisioning) -> User:
    if not new.create:
        raise _nobody()
    email = rules.check_verified(identity)
    user = add_account(
        tx,
        username=_free_name(tx, identity),
        email=email,
        full_name=identity.full_name,
        at=ctx.now(),
    )
    history.record(ctx, tx, "user:create", user.username)
    if new.organization:
        home = entity_rows.find_by_name(tx, new.organization, EntityKind.ORGANIZATION)
        if home is None:
            raise Unavailable(
                f"The organization {new.organization!r}, which new people are to join, does not "
                "exist; the administrator of this server must make it or change the settings"
            )
        organization_rows.put_member(tx, home.id, user.id, GroupRole.MEMBER, at=ctx.now())
        history.record(
            ctx,
            tx,
            "organization:set_member",
            user.username,
            organization_id=home.id,
            after=GroupRole.MEMBER.value,
        )
    _remember(ctx, tx, identity, user)
    return user


def _free_name(tx: Transaction, identity: Identity) -> str:
    """The suggested name, or the first of `name-2`, `name-3`... that is free and allowed."""
    wanted = rules.suggest_username(identity)
    for number in range(1, TRIES):
        name = wanted if number == 1 else f"{wanted}-{number}"
        try:
            names.check_entity(name)
        except Unprocessable:
            continue
        if entity_rows.holder_of(tx, name) is None:
            return name
    raise Forbidden(
        f"No user name like {wanted!r} is free; ask an administrator of this server to invite you",
        code="no_account",
    )
