"""Making, listing and deleting API keys; and logging in with a password to get one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from byname.domain import key as rules
from byname.domain.entity import ApiKey, User
from byname.domain.errors import Conflict, Unauthenticated, missing
from byname.domain.policy import GroupRole
from byname.domain.user import check_line
from byname.operations import history
from byname.operations.context import Context
from byname.operations.password import Guesses, fits
from byname.store import entity as entities
from byname.store import key as keys
from byname.store import organization as organizations
from byname.store import user as users
from byname.store.database import Transaction

DEFAULT_NAME = "API key"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the only moment at which its secret is known."""

    key: ApiKey
    username: str
    secret: str


def add_key(tx: Transaction, user: User, name: str, *, at: int) -> NewKey:
    """A new key of that user, inside somebody's transaction and with their permission.

    Raises:
        Unprocessable: the name cannot be shown.
        Conflict: the user has 100 keys already (R193).
    """
    name = check_line(name, "The key's name") or DEFAULT_NAME
    if keys.count_of_user(tx, user.id) >= rules.KEYS_MAX:
        raise Conflict(
            f"{user.username} has {rules.KEYS_MAX} API keys, which is the most; delete one first"
        )
    secret = rules.PREFIX + "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.LENGTH))
    key = keys.add(
        tx,
        user_id=user.id,
        name=name,
        start=rules.start_of(secret),
        sha256=rules.fingerprint(secret),
        at=at,
    )
    return NewKey(key, user.username, secret)


def _may_manage(ctx: Context, tx: Transaction, user: User) -> bool:
    """Whose keys the actor may see and change.

    - Their own.
    - Everybody's, as a server administrator.
    - Those of service accounts, as an admin of their team or of its organization.
    """
    actor = ctx.who
    if actor.server_admin or actor.user_id == user.id:
        return True
    if not user.service:
        return False
    team = entities.find(tx, user.entity_id)
    return team is not None and (
        actor.administers(team.organization_id) or actor.teams.get(team.id) is GroupRole.ADMIN
    )


def _whose(ctx: Context, tx: Transaction, username: str | None) -> User:
    actor = ctx.who
    user = users.find(tx, actor.user_id) if username is None else users.find_by_name(tx, username)
    if user is None or not _may_manage(ctx, tx, user):
        raise missing(f"User {(username or actor.username)[:80]!r}")
    return user


def create_key(ctx: Context, *, name: str = "", username: str | None = None) -> NewKey:
    """A new key of the actor, or of a user whose keys the actor manages. It is shown only here.

    Raises:
        NotFound: no such user, or not one whose keys the actor manages.
        Conflict: there are 100 keys already (R193).
    """
    with ctx.database.write() as tx:
        owner = _whose(ctx, tx, username)
        made = add_key(tx, owner, name, at=ctx.now())
        _record(ctx, tx, "key:create", owner, name)
        return made


def _record(ctx: Context, tx: Transaction, kind: str, owner: User, name: str) -> None:
    """It is in the audit log of every organization of the key's owner."""
    for organization in organizations.list_of_user(tx, owner.id):
        history.record(
            ctx, tx, kind, owner.username, organization_id=organization.id, after=name or None
        )


def list_keys(ctx: Context, *, username: str | None = None) -> list[ApiKey]:
    """The keys of the actor, or of a user whose keys they manage, oldest first, without secrets.

    Raises:
        NotFound: no such user, or not one whose keys the actor manages.
    """
    with ctx.database.read() as tx:
        return keys.list_of_user(tx, _whose(ctx, tx, username).id)


def rename_key(ctx: Context, key_id: int, name: str) -> ApiKey:
    """The key has that name; it opens what it opened before (R193).

    Raises:
        NotFound: no such key, or not one the actor manages.
        Unprocessable: the name cannot be shown.
    """
    name = check_line(name, "The key's name") or DEFAULT_NAME
    with ctx.database.write() as tx:
        key, owner = _managed(ctx, tx, key_id)
        if name != key.name:
            keys.rename(tx, key.id, name)
            _record(ctx, tx, "key:rename", owner, name)
        return keys.find(tx, key.id) or key


def _managed(ctx: Context, tx: Transaction, key_id: int) -> tuple[ApiKey, User]:
    ctx.who  # noqa: B018  Nobody is told that a key does not exist before they log in.
    # The largest integer a row can have is the limit of both databases.
    key = keys.find(tx, key_id) if 0 < key_id < 2**63 else None
    owner = None if key is None else users.find(tx, key.user_id)
    if key is None or owner is None or not _may_manage(ctx, tx, owner):
        raise missing(f"API key {key_id}")
    return key, owner


def delete_key(ctx: Context, key_id: int) -> None:
    """The key opens nothing any more, from the next request on (A4).

    Raises:
        NotFound: no such key, or not one the actor manages.
    """
    with ctx.database.write() as tx:
        key, owner = _managed(ctx, tx, key_id)
        keys.remove(tx, key.id)
        _record(ctx, tx, "key:delete", owner, key.name)


def log_in_for_key(
    ctx: Context, guesses: Guesses, *, username: str, password: str, address: str, name: str
) -> NewKey:
    """A new key of the person who has that name (or e-mail address) and password.

    The answer and the time it takes are the same for a wrong password, an unknown name, a service
    account, and a person without a password (A7).

    Raises:
        Throttled: too many failures for this name or from this network address (L7).
        Unauthenticated: name and password do not fit.
        Conflict: there are 100 keys already (R193).
    """
    guesses.begin(username, address)
    with ctx.database.read() as tx:
        user = users.find_by_name(tx, username) or users.find_by_email(tx, username)
        if user is not None:
            ctx.attempt.claim(user.id, user.username)
        kept = None if user is None or user.service else users.password_hash_of(tx, user.id)
    if not fits(password, kept) or user is None:
        raise Unauthenticated("This name and password do not fit")
    guesses.succeeded(username, address)
    with ctx.database.write() as tx:
        # The person may have been deleted while the password was compared.
        if users.password_hash_of(tx, user.id) != kept:
            raise Unauthenticated("This name and password do not fit")
        made = add_key(tx, user, name, at=ctx.now())
        _record(_as(ctx, tx, user), tx, "key:create", user, name)
        return made


def _as(ctx: Context, tx: Transaction, user: User) -> Context:
    """The same request, of the user whom it turned out to be of."""
    return replace(ctx, actor=keys.find_actor_of_user(tx, user.id))


def save_uses(ctx: Context, uses: dict[int, int]) -> None:
    """These keys (by id) were last used at these times."""
    if uses:
        with ctx.database.write() as tx:
            keys.put_uses(tx, uses)
