"""People: creating, deleting, finding them."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain import names
from byname.domain.entity import Entity, EntityKind, User
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.user import check_email, check_line, check_password
from byname.operations import automation_fate, history
from byname.operations import key as key_operations
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.operations.password import hash_password
from byname.store import deactivation as deactivations
from byname.store import entity as entities
from byname.store import organization as organizations
from byname.store import team as teams
from byname.store import user as users
from byname.store.database import Transaction

SEARCH_MAX = 50
LINKS_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user with the first API key, at the only moment at which its secret is known."""

    user: User
    api_key: str


def check_free(tx: Transaction, name: str) -> None:
    """Return when no user, team, organization or service account has the name.

    They share one name space, because each may stand first in a path. Case makes no difference.

    Raises:
        Conflict: one has.
    """
    holder = entities.holder_of(tx, name)
    if holder is not None:
        article = "an" if holder == EntityKind.ORGANIZATION else "a"
        raise Conflict(
            f"The name {name!r} is taken by {article} {holder}; users, teams, organizations and "
            "service accounts share one name space",
            code="name_taken",
            name=name,
        )


def check_unlinked(tx: Transaction, entity_ids: list[int], what: str) -> None:
    """Return when no version of these entities stands in a registry or project of another one.

    Deleting it would break what others rely on, as with a single linked version (R162).

    Raises:
        Conflict: some do; the message lists the first ones.
    """
    links = entities.list_links_from(tx, entity_ids, limit=LINKS_SHOWN_MAX)
    if links:
        raise Conflict(
            f"{what} has versions that are linked elsewhere ({', '.join(links)}); "
            "unlink them first",
            code="linked",
            links=links,
        )


def add_account(
    tx: Transaction,
    *,
    username: str,
    email: str,
    full_name: str = "",
    password_hash: str | None = None,
    server_admin: bool = False,
    at: int,
) -> User:
    """A new person with a personal entity of the same name, and no API key yet.

    Runs inside somebody's transaction and with their permission.

    Raises:
        Unprocessable: a name or the address breaks the rules.
        Conflict: the name or the address is taken.
    """
    username = names.check_entity(username)
    email = check_email(email)
    full_name = check_line(full_name, "The full name")
    check_free(tx, username)
    if users.find_by_email(tx, email) is not None:
        raise Conflict(f"The e-mail address {email!r} belongs to another user", code="email_taken")
    personal = entities.add(tx, kind=EntityKind.USER, name=username, at=at)
    return users.add(
        tx,
        service=False,
        username=username,
        full_name=full_name or username,
        email=email,
        password_hash=password_hash,
        server_admin=server_admin,
        entity_id=personal.id,
        at=at,
    )


def add_service_account(tx: Transaction, home: Entity, name: str, *, at: int) -> NewUser:
    """A new service account of a team or organization, and its first key. It is in nothing yet.

    Runs inside somebody's transaction and with their permission.

    Raises:
        Unprocessable: the name breaks the rules.
        Conflict: the name is taken.
    """
    name = names.check_entity(name)
    check_free(tx, name)
    user = users.add(
        tx,
        service=True,
        username=name,
        full_name=name,
        email=None,
        entity_id=home.id,
        at=at,
    )
    return NewUser(user, key_operations.add_key(tx, user, "First key", at=at).secret)


def add_person(
    tx: Transaction,
    *,
    username: str,
    email: str,
    full_name: str = "",
    password_hash: str | None = None,
    server_admin: bool = False,
    at: int,
) -> NewUser:
    """A new person as by `add_account`, and a first key of theirs. Raises as it does."""
    user = add_account(
        tx,
        username=username,
        email=email,
        full_name=full_name,
        password_hash=password_hash,
        server_admin=server_admin,
        at=at,
    )
    return NewUser(user, key_operations.add_key(tx, user, "First key", at=at).secret)


def create_user(
    ctx: Context,
    *,
    username: str,
    email: str,
    password: str | None = None,
    server_admin: bool = False,
    full_name: str = "",
) -> NewUser:
    """A new person, in no organization yet. Their default entity is a personal one of their name.

    Raises:
        Forbidden: the actor is no server administrator.
        Unprocessable: a name, the address or the password breaks the rules.
        Conflict: the name or the address is taken.
    """
    require_server_admin(ctx, "create users")
    names.check_entity(username)
    password_hash = None if password is None else hash_password(check_password(password))
    with ctx.database.write() as tx:
        made = add_person(
            tx,
            username=username,
            email=email,
            full_name=full_name,
            password_hash=password_hash,
            server_admin=server_admin,
            at=ctx.now(),
        )
        history.record(ctx, tx, "user:create", made.user.username)
        return made


def delete_user(ctx: Context, username: str) -> None:
    """The person (or service account) is gone from every group, and every key of theirs is dead.

    The projects of their personal entity are hidden. What they made elsewhere stays.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: there is no such user.
        Conflict: the last server administrator, or the last admin of an organization (R195); or
            versions of theirs are linked elsewhere.
    """
    require_server_admin(ctx, "delete users")
    with ctx.database.write() as tx:
        user = users.find_by_name(tx, username)
        if user is None:
            raise missing(f"User {username[:80]!r}")
        if user.server_admin and users.count_administrators(tx) == 1:
            raise Conflict(
                f"{user.username} is the last administrator of this server; one must remain",
                code="last_admin",
            )
        for organization in organizations.list_of_user(tx, user.id):
            check_another_admin(tx, organization, user)
            history.record(ctx, tx, "user:delete", user.username, organization_id=organization.id)
        if not user.service:
            check_unlinked(tx, [user.entity_id], f"User {user.username!r}")
            entities.remove(tx, [user.entity_id], at=ctx.now())
        automation_fate.end_users(ctx, tx, [user])
        users.remove(tx, [user.id], at=ctx.now())


def set_server_admin(ctx: Context, username: str, *, admin: bool) -> User:
    """The person administers this server, or does not any more.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: there is no such user.
        Unprocessable: a service account, which never administers.
        Conflict: the last server administrator would be none (R195).
    """
    require_server_admin(ctx, "change who administers this server")
    with ctx.database.write() as tx:
        user = users.find_by_name(tx, username)
        if user is None:
            raise missing(f"User {username[:80]!r}")
        if user.service:
            raise Unprocessable(
                f"{user.username} is a service account, which administers nothing",
                field="username",
            )
        if user.server_admin == admin:
            return user
        if not admin and users.count_administrators(tx) == 1:
            raise Conflict(
                f"{user.username} is the last administrator of this server; one must remain",
                code="last_admin",
            )
        users.set_server_admin(tx, user.id, admin=admin)
        history.record(
            ctx, tx, "user:set_admin", user.username, before=user.server_admin, after=admin
        )
        return users.find(tx, user.id) or user


def rename_self(ctx: Context, full_name: str) -> User:
    """The actor is shown by that name; an empty one is their user name.

    Raises:
        Unauthenticated: nobody is logged in.
        Unprocessable: the name cannot be shown.
    """
    actor = ctx.who
    full_name = check_line(full_name, "The full name") or actor.username
    with ctx.database.write() as tx:
        users.set_full_name(tx, actor.user_id, full_name)
    return get_viewer(ctx)


def edit(
    ctx: Context, username: str, *, admin: bool | None = None, full_name: str | None = None
) -> None:
    """The person administers this server or not, and is shown by that name; all or nothing.

    Raises:
        Forbidden: the actor is no server administrator; or the name is somebody else's.
        NotFound, Unprocessable, Conflict: as `set_server_admin` and `rename_self`.
    """
    if full_name is not None and names.fold(username) != names.fold(ctx.who.username):
        raise Forbidden("You may not change the full name of somebody else: they do it themselves")
    with ctx.database.write():
        if full_name is not None:
            rename_self(ctx, full_name)
        if admin is not None:
            set_server_admin(ctx, username, admin=admin)


def list_people(
    ctx: Context, *, text: str = "", after: str | None = None, first: int | None = None
) -> Page[User]:
    """The people of this server by name: all, or those whose names or address hold the text.

    Raises:
        Forbidden: the actor is no server administrator.
        Unprocessable: the cursor is not of this list.
    """
    require_server_admin(ctx, "see everybody on this server")
    limit = parse_first(first, 50)
    start = decode_text("people", after)
    with ctx.database.read() as tx:
        found = users.list_people(tx, text=text, after=start, limit=limit + 1)
    return page_of(
        found,
        limit,
        lambda user: encode_cursor("people", names.fold(user.username)),
        total=lambda: _count_people(ctx, text),
    )


def _count_people(ctx: Context, text: str) -> int:
    with ctx.database.read() as tx:
        return users.count_people(tx, text=text)


def get_user(ctx: Context, username: str) -> User:
    """The person or service account of that name.

    Raises:
        Forbidden: the actor is no server administrator.
        NotFound: there is none.
    """
    require_server_admin(ctx, "see everybody on this server")
    with ctx.database.read() as tx:
        user = users.find_by_name(tx, username)
    if user is None:
        raise missing(f"User {username[:80]!r}")
    return user


def check_another_admin(tx: Transaction, organization: Entity, user: User) -> None:
    """Return when the organization keeps an admin without that user (R195).

    Raises:
        Conflict: the user is its last admin.
    """
    role = organizations.find_role(tx, organization.id, user.id)
    if role == "admin" and organizations.count_admins(tx, organization.id) == 1:
        raise Conflict(
            f"{user.username} is the last admin of organization {organization.name}; "
            "make somebody else an admin first",
            code="last_admin",
        )


def check_active(tx: Transaction, organization: Entity, user: User) -> None:
    """Return when the person is not deactivated in the organization.

    Raises:
        Conflict: they are, and would come back in part only.
    """
    if deactivations.find_role(tx, organization.id, user.id) is not None:
        raise Conflict(
            f"{user.username} is deactivated in {organization.name}; activate them first",
            code="deactivated",
        )


def search_users(ctx: Context, text: str, *, limit: int = SEARCH_MAX) -> list[User]:
    """People whose name or e-mail address holds the text, those who equal it first.

    One finds oneself and those one shares an organization with; server administrators find all.
    """
    actor = ctx.who
    scope = None if actor.server_admin else list(actor.organizations)
    with ctx.database.read() as tx:
        found = users.search(tx, text, organization_ids=scope, limit=max(1, min(limit, SEARCH_MAX)))
        if any(user.id == actor.user_id for user in found):
            return found
        own = users.find(tx, actor.user_id)
    key = entities.lookup_key(text)
    if own is not None and not own.service and key is not None:
        addresses = (names.fold(own.username), names.fold(own.email or ""))
        if any(key in each for each in addresses):
            found.append(own)
    return found


def get_viewer(ctx: Context) -> User:
    """The actor as a user.

    Raises:
        Unauthenticated: nobody is logged in.
    """
    actor = ctx.who
    with ctx.database.read() as tx:
        user = users.find(tx, actor.user_id)
    if user is None:
        raise missing("You")
    return user


def load_users(ctx: Context, ids: list[int]) -> dict[int, User]:
    """The users of these ids, by id, also deleted ones. For the makers of things the actor sees."""
    with ctx.database.read() as tx:
        return users.find_many(tx, ids)


def load_users_by_name(ctx: Context, usernames: list[str]) -> dict[str, User]:
    """The live users of these names, by name. For the makers of lists that were decided upon."""
    with ctx.database.read() as tx:
        return users.find_by_names(tx, usernames)


def list_own_organizations(ctx: Context) -> list[Entity]:
    """The organizations the actor is in, in the order in which they joined."""
    with ctx.database.read() as tx:
        return organizations.list_of_user(tx, ctx.who.user_id)


def list_own_teams(ctx: Context) -> list[Entity]:
    """The teams the actor is in, in the order in which they joined."""
    with ctx.database.read() as tx:
        return teams.list_of_user(tx, ctx.who.user_id)
