"""People and teams of an organization, kept in step by a provider of identities (R194).

It comes with the key of an admin of the organization, or of a service account of the organization,
which in here, and nowhere else, may do to people and teams what an admin may.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from byname.domain import names
from byname.domain.entity import Entity, EntityKind
from byname.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Unprocessable,
    missing,
)
from byname.domain.policy import GroupRole
from byname.domain.provisioning import (
    ITEMS_MAX,
    Account,
    Comparison,
    Condition,
    Field,
    Group,
    Is,
    Wanted,
    WantedGroup,
)
from byname.domain.user import check_email, check_line
from byname.operations import deactivation, history, member, organization, team
from byname.operations.context import Context
from byname.operations.user import add_account
from byname.store import entity as entity_rows
from byname.store import organization as organization_rows
from byname.store import project as project_rows
from byname.store import provisioning as rows
from byname.store import user as user_rows
from byname.store.database import Transaction

T = TypeVar("T")

EXTERNAL_ID_LENGTH_MAX = 256
TRIES = 10


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A part of a list, and how long it is in all."""

    items: list[T]
    total: int


def _enter(ctx: Context, tx: Transaction, name: str | None) -> tuple[Context, Entity]:
    """The organization, and the context in which its people and teams may be changed.

    Without a name it is the one organization that the actor may provision.

    Raises:
        NotFound: there is none of that name, or the actor is not in it.
        Forbidden: the actor is neither an admin nor a service account of it.
        Invalid: no name was said, and it may be one of several.
    """
    actor = ctx.who
    home = _only_home(ctx, tx) if name is None else organization.get_organization(ctx, tx, name)
    if actor.administers(home.id):
        return ctx, home
    if actor.service and actor.entity_id == home.id:
        own = {**actor.organizations, home.id: GroupRole.ADMIN}
        return replace(ctx, actor=replace(actor, organizations=own)), home
    raise Forbidden(
        f"You may not provision people in organization {home.name}: it needs the role admin, or a "
        "service account of the organization",
        role="admin",
    )


def _only_home(ctx: Context, tx: Transaction) -> Entity:
    actor = ctx.who
    ids = [each for each, role in actor.organizations.items() if role is GroupRole.ADMIN]
    if actor.service and actor.entity_id in actor.organizations:
        ids = [actor.entity_id]
    if ids:
        homes = list(entity_rows.find_many(tx, ids).values())
    elif actor.server_admin:
        homes = rows.list_homes(tx, limit=2)
    else:
        raise Forbidden(
            "You may not provision people: it needs the role admin in an organization, or a service "
            "account of one",
            role="admin",
        )
    if len(homes) != 1:
        raise Invalid(
            "Say which organization: the address is /scim/organizations/NAME in place of /scim",
            code="which_organization",
        )
    return homes[0]


def _only(field: Field, value: str | int) -> Condition:
    return Is(field, Comparison.EQUAL, value)


def list_people(
    ctx: Context, name: str | None, condition: Condition | None, *, skip: int, limit: int
) -> Found[Account]:
    """The people of the organization, active or not, for whom the condition holds, by id.

    Raises:
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.read() as tx:
        _, home = _enter(ctx, tx, name)
        return Found(
            rows.list_people(tx, home.id, condition, skip=skip, limit=limit) if limit else [],
            rows.count_people(tx, home.id, condition),
        )


def get_person(ctx: Context, name: str | None, user_id: int) -> Account:
    """The person of that id.

    Raises:
        NotFound: there is none in the organization.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.read() as tx:
        _, home = _enter(ctx, tx, name)
        return _person(tx, home, user_id)


def _person(tx: Transaction, home: Entity, user_id: int) -> Account:
    found = rows.list_people(tx, home.id, _only(Field.ID, user_id), skip=0, limit=1)
    if not found:
        raise missing(f"User {user_id} in organization {home.name}")
    return found[0]


def create_person(ctx: Context, name: str | None, wanted: Wanted) -> Account:
    """The person is in the organization, as wanted; a member where no role is said.

    Somebody who is on this server already, under that name and address, joins it. A new person has
    no password and no key: they log in with a provider, or by an invitation.

    Raises:
        Conflict: the name or address is taken, or the person is in the organization already.
        Unprocessable: a value breaks a rule, or names what is not there.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.write() as tx:
        admin, home = _enter(ctx, tx, name)
        email = check_email(wanted.email or "")
        user = user_rows.find_by_name(tx, wanted.user_name)
        same = user is not None and names.fold(user.email or "") == names.fold(email)
        if user is None or not same or user.service:
            user = add_account(
                tx,
                username=wanted.user_name,
                email=email,
                full_name=wanted.full_name or "",
                at=ctx.now(),
            )
            history.record(admin, tx, "user:create", user.username, organization_id=home.id)
        elif rows.list_people(tx, home.id, _only(Field.ID, user.id), skip=0, limit=1):
            raise Conflict(
                f"{user.username} is in organization {home.name} already", code="name_taken"
            )
        organization.put_member(admin, home.name, user.username, wanted.role or GroupRole.MEMBER)
        _change(admin, tx, home, _person(tx, home, user.id), wanted)
        return _person(tx, home, user.id)


def change_person(
    ctx: Context, name: str | None, user_id: int, edit: Callable[[Account], Wanted]
) -> Account:
    """The person is as `edit` wants them, which is given the present state; all of it or nothing.

    What is wanted is worked out before the transaction, and anew where somebody was faster.

    Raises:
        NotFound: there is no such person in the organization.
        Conflict: the state does not allow it, such as for the last admin (R195); or others change
            the person all the time.
        Unprocessable: a value breaks a rule, names what is not there, or cannot be changed.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    for _ in range(TRIES):
        before = get_person(ctx, name, user_id)
        wanted = edit(before)
        with ctx.database.write() as tx:
            admin, home = _enter(ctx, tx, name)
            if _person(tx, home, user_id) == before:
                _change(admin, tx, home, before, wanted)
                return _person(tx, home, user_id)
    raise _restless(f"User {user_id}")


def remove_person(ctx: Context, name: str | None, user_id: int) -> None:
    """The person is out of the organization, its teams and registries (R109); the account stays.

    Raises:
        NotFound: there is no such person in the organization.
        Conflict: its last admin (R195).
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.write() as tx:
        admin, home = _enter(ctx, tx, name)
        account = _person(tx, home, user_id)
        organization.remove_member(admin, home.name, account.user.username)
        rows.put_external_id(tx, home.id, "user", user_id, None)


def _change(ctx: Context, tx: Transaction, home: Entity, before: Account, wanted: Wanted) -> None:
    username = before.user.username
    if names.fold(wanted.user_name) != names.fold(username):
        raise _fixed("userName", username)
    if wanted.email is not None and names.fold(wanted.email) != names.fold(before.user.email or ""):
        raise _fixed("The e-mail address", username)
    _rename(ctx, tx, home, before, wanted.full_name)
    _name_outside(tx, home, "user", before.user.id, before.external_id, wanted.external_id)
    active = before.active if wanted.active is None else wanted.active
    if active and not before.active:
        deactivation.activate(ctx, home.name, username)
    if active or before.active:
        _give_roles(ctx, tx, home, before, wanted)
    else:
        with deactivation.opened(ctx, tx, home, before.user.id, before.role):
            _give_roles(ctx, tx, home, before, wanted)
    if before.active and not active:
        deactivation.deactivate(ctx, home.name, username)


def _fixed(what: str, username: str) -> Unprocessable:
    return Unprocessable(
        f"{what} of {username} cannot be changed here: accounts belong to the server, and not to "
        "one organization",
        code="mutability",
    )


def _rename(
    ctx: Context, tx: Transaction, home: Entity, before: Account, full_name: str | None
) -> None:
    if full_name is None:
        return
    full_name = check_line(full_name, "The full name") or before.user.username
    if full_name == before.user.full_name:
        return
    homes = organization_rows.list_of_user(tx, before.user.id)
    if any(each.id != home.id for each in homes):
        # One organization does not name the people of another. They do that themselves.
        return
    user_rows.set_full_name(tx, before.user.id, full_name)
    history.record(
        ctx,
        tx,
        "user:rename",
        before.user.username,
        organization_id=home.id,
        before=before.user.full_name,
        after=full_name,
    )


def _name_outside(
    tx: Transaction, home: Entity, sort: str, object_id: int, before: str | None, after: str | None
) -> None:
    if after is None or after == before:
        return
    after = check_line(after, "externalId", length_max=EXTERNAL_ID_LENGTH_MAX)
    rows.put_external_id(tx, home.id, sort, object_id, after or None)


def _folded(roles: Mapping[str, T]) -> dict[str, tuple[str, T]]:
    """The roles by folded name, with the name as written."""
    return {names.fold(name): (name, role) for name, role in roles.items()}


def _check_count(items: Collection[Any], what: str) -> None:
    if len(items) > ITEMS_MAX:
        raise Unprocessable(
            f"{len(items)} {what} in one request; at most {ITEMS_MAX} are allowed", field=what
        )


def _give_roles(
    ctx: Context, tx: Transaction, home: Entity, before: Account, wanted: Wanted
) -> None:
    username = before.user.username
    if wanted.role is not None and wanted.role is not before.role:
        organization.put_member(ctx, home.name, username, wanted.role)
    if wanted.teams is not None:
        _check_count(wanted.teams, "teamRoles")
        had, has = _folded(before.teams), _folded(wanted.teams)
        for key, (name, role) in has.items():
            if key not in had or had[key][1] is not role:
                team.put_member(ctx, _team(tx, home, name).name, username, role)
        for key, (name, _) in had.items():
            if key not in has:
                team.remove_member(ctx, name, username)
    if wanted.registries is not None:
        _check_count(wanted.registries, "registryRoles")
        given, gives = _folded(before.registries), _folded(wanted.registries)
        for key, (name, level) in gives.items():
            if key not in given or given[key][1] is not level:
                member.put_named_user(ctx, _registry(tx, home, name), username, level)
        for key, (name, _) in given.items():
            if key not in gives:
                member.remove_named_user(ctx, _registry(tx, home, name), username)


def _team(tx: Transaction, home: Entity, name: str) -> Entity:
    known = entity_rows.lookup_key(name) is not None
    found = entity_rows.find_by_name(tx, name, EntityKind.TEAM) if known else None
    if found is None or found.organization_id != home.id:
        raise Unprocessable(
            f"There is no team {name[:80]!r} in organization {home.name}", field="teamRoles"
        )
    return found


def _registry(tx: Transaction, home: Entity, name: str) -> int:
    full = names.REGISTRY_PREFIX + name.removeprefix(names.REGISTRY_PREFIX)
    known = entity_rows.lookup_key(full) is not None
    found = project_rows.find_by_name(tx, home.name, full) if known else None
    if found is None:
        raise Unprocessable(
            f"There is no registry {name[:80]!r} in organization {home.name}", field="registryRoles"
        )
    return found.id


def list_groups(
    ctx: Context, name: str | None, condition: Condition | None, *, skip: int, limit: int
) -> Found[Group]:
    """The teams of the organization for which the condition holds, by id, with their people.

    Raises:
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.read() as tx:
        _, home = _enter(ctx, tx, name)
        return Found(
            rows.list_groups(tx, home.id, condition, skip=skip, limit=limit) if limit else [],
            rows.count_groups(tx, home.id, condition),
        )


def get_group(ctx: Context, name: str | None, team_id: int) -> Group:
    """The team of that id.

    Raises:
        NotFound: there is none in the organization.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.read() as tx:
        _, home = _enter(ctx, tx, name)
        return _group(tx, home, team_id)


def _group(tx: Transaction, home: Entity, team_id: int) -> Group:
    found = rows.list_groups(tx, home.id, _only(Field.ID, team_id), skip=0, limit=1)
    if not found:
        raise missing(f"Group {team_id} in organization {home.name}")
    return found[0]


def create_group(ctx: Context, name: str | None, wanted: WantedGroup) -> Group:
    """A new team of the organization with these members; its admins are the organization's.

    Raises:
        Conflict: the name is taken.
        Unprocessable: the name breaks the rules, or somebody is not in the organization.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.write() as tx:
        admin, home = _enter(ctx, tx, name)
        made = team.add_team(tx, name=wanted.name, organization=home, admins=[], at=ctx.now())
        history.record(admin, tx, "team:create", made.name, organization_id=home.id)
        _change_group(admin, tx, home, Group(made), wanted)
        return _group(tx, home, made.id)


def change_group(
    ctx: Context, name: str | None, team_id: int, edit: Callable[[Group], WantedGroup]
) -> Group:
    """The team is as `edit` wants it, which is given the present state; all of it or nothing.

    Who comes in is a member; who is in it keeps their role.

    Raises:
        NotFound: there is no such team in the organization.
        Conflict: others change the team all the time.
        Unprocessable: the name would change, or somebody is not in the organization.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    for _ in range(TRIES):
        before = get_group(ctx, name, team_id)
        wanted = edit(before)
        with ctx.database.write() as tx:
            admin, home = _enter(ctx, tx, name)
            if _group(tx, home, team_id) == before:
                _change_group(admin, tx, home, before, wanted)
                return _group(tx, home, team_id)
    raise _restless(f"Group {team_id}")


def _restless(what: str) -> Conflict:
    return Conflict(f"{what} was changed by others meanwhile, again and again; try again")


def _change_group(
    ctx: Context, tx: Transaction, home: Entity, before: Group, wanted: WantedGroup
) -> None:
    if names.fold(wanted.name) != names.fold(before.team.name):
        raise Unprocessable(
            f"The name of team {before.team.name} cannot be changed: it stands in the paths of its "
            "artifacts",
            code="mutability",
        )
    _name_outside(tx, home, "team", before.team.id, before.external_id, wanted.external_id)
    if wanted.members is None:
        return
    had = dict(before.members)
    coming = wanted.members - set(had)
    _check_count(coming, "new members")
    people = user_rows.find_many(tx, sorted(coming))
    for user_id in sorted(coming):
        user = people.get(user_id)
        role = None if user is None else organization_rows.find_role(tx, home.id, user_id)
        if user is None or user.service or role is None:
            raise Unprocessable(
                f"There is no active user {user_id} in organization {home.name}", field="members"
            )
        team.put_member(ctx, before.team.name, user.username, GroupRole.MEMBER)
    for user_id, username in had.items():
        if user_id not in wanted.members:
            team.remove_member(ctx, before.team.name, username)


def remove_group(ctx: Context, name: str | None, team_id: int) -> None:
    """The team is gone. One that has projects is not: a provider does not delete artifacts.

    Raises:
        NotFound: there is no such team in the organization.
        Conflict: the team has projects; an admin deletes it by hand.
        NotFound, Forbidden, Invalid: the actor may not provision there.
    """
    with ctx.database.write() as tx:
        admin, home = _enter(ctx, tx, name)
        group = _group(tx, home, team_id)
        if rows.has_projects(tx, team_id):
            raise Conflict(
                f"Team {group.team.name} has projects, and is not deleted by a provider; an admin "
                "of the organization deletes it by hand",
                code="team_in_use",
            )
        team.delete_team(admin, group.team.name)
        rows.put_external_id(tx, home.id, "team", team_id, None)
