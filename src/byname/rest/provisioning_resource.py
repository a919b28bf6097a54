"""The people and teams of an organization as SCIM resources, and what is wanted of them (RFC 7643)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import Field as FieldOf
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    ExtensibleStringEnum,
    Meta,
    Mutability,
    MutabilityException,
    PatchOp,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)
from scim2_models import Context as Moment

from byname.domain.errors import Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.domain.provisioning import Account, Group, Wanted, WantedGroup

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""Providers send more than they were told of, and Microsoft Entra deviates from the standard."""

DEPTH_MAX = 20
"""How deep a body may be nested; what the standard knows needs six."""

OPERATIONS_MAX = 100
"""As many as one patch may hold; providers send fewer."""

ROLE_LISTS = {"teamroles": "teamRoles", "registryroles": "registryRoles"}
IDENTITY = ("username", "emails")
"""What may not change of a person, in lower case."""

T = TypeVar("T")
Scimmed = TypeVar("Scimmed", "User", "Team")


class GroupRoles(ExtensibleStringEnum):
    """The roles in an organization or team; others are refused by name."""

    admin = "admin"
    member = "member"
    viewer = "viewer"


class RegistryRoles(ExtensibleStringEnum):
    """The roles in a registry (R100); others are refused by name."""

    admin = "admin"
    member = "member"
    viewer = "viewer"
    restricted_viewer = "restricted_viewer"


class Email(ComplexAttribute):
    """The address of a person."""

    value: Annotated[str | None, Required.true, Mutability.immutable] = None
    """The e-mail address; a person has one."""

    type: Annotated[str | None, Mutability.immutable] = None
    """Always `work`."""

    primary: Annotated[bool | None, Mutability.immutable] = None
    """Always true."""


class Membership(ComplexAttribute):
    """A team that a person is in."""

    value: Annotated[str | None, Mutability.read_only] = None
    """The id of the group."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the team."""


class TeamRole(ComplexAttribute):
    """A role in a team."""

    team_name: Annotated[str | None, Required.true] = None
    """The team."""

    role_name: Annotated[GroupRoles | None, Required.true] = None
    """The role there."""


class RegistryRole(ComplexAttribute):
    """A role in a registry, given to the person directly."""

    registry_name: Annotated[str | None, Required.true] = None
    """The registry, without its prefix."""

    role_name: Annotated[RegistryRoles | None, Required.true] = None
    """The role there."""


class User(Resource[Any]):
    """A person of the organization."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = None
    """Letters, digits, `_`, `.` and `-`; at most 64. It does not change."""

    display_name: str | None = None
    """The full name; the user name where there is none."""

    active: bool | None = None
    """Whether the person is in the organization now. Who is not comes back with the same roles."""

    emails: Annotated[list[Email] | None, Required.true, Mutability.immutable] = None
    """The one e-mail address. It does not change."""

    groups: Annotated[list[Membership] | None, Mutability.read_only] = None
    """The teams that the person is in."""

    organization_role: GroupRoles | None = None
    """The role in the organization; `member` where none is said."""

    team_roles: list[TeamRole] | None = None
    """The roles in teams."""

    registry_roles: list[RegistryRole] | None = None
    """The roles in registries that were given to the person directly."""


class Member(ComplexAttribute):
    """A person in a team."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the user."""

    ref: Annotated[Reference[User] | None, Mutability.immutable] = FieldOf(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the user."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The user name."""


class Team(Resource[Any]):
    """A team of the organization."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = (
        None
    )
    """The name of the team. It does not change."""

    members: list[Member] | None = None
    """The people in the team, of whatever role. Who comes in is a member."""


def to_user(account: Account, place: str) -> User:
    """The person as a resource below that address."""
    user = account.user
    return User(
        id=str(user.id),
        external_id=account.external_id,
        user_name=user.username,
        display_name=user.full_name,
        active=account.active,
        emails=None if user.email is None else [Email(value=user.email, type="work", primary=True)],
        groups=[
            Membership(value=str(account.team_ids[name]), display=name) for name in account.teams
        ]
        if account.active
        else None,
        organization_role=GroupRoles(account.role.value),
        team_roles=[
            TeamRole(team_name=name, role_name=GroupRoles(role.value))
            for name, role in account.teams.items()
        ],
        registry_roles=[
            RegistryRole(registry_name=name, role_name=RegistryRoles(role.word))
            for name, role in account.registries.items()
        ],
        meta=Meta(
            resource_type="User",
            created=user.created_at,
            location=f"{place}/Users/{user.id}",
        ),
    )


def to_team(group: Group, place: str) -> Team:
    """The team as a resource below that address."""
    return Team(
        id=str(group.team.id),
        external_id=group.external_id,
        display_name=group.team.name,
        members=[
            Member(value=str(each), ref=Reference[User](f"{place}/Users/{each}"), display=name)
            for each, name in group.members
        ],
        meta=Meta(
            resource_type="Group",
            created=group.team.created_at,
            location=f"{place}/Groups/{group.team.id}",
        ),
    )


def _word(text: str | None) -> str:
    return (text or "").strip().lower().replace(" ", "_").replace("-", "_")


def _group_role(text: str | None, field: str) -> GroupRole:
    try:
        return GroupRole(_word(text))
    except ValueError:
        raise Unprocessable(
            f"{field}: the role {(text or '')[:40]!r} is none of admin, member, viewer", field=field
        ) from None


def _role(text: str | None) -> Role:
    try:
        return Role.parse(_word(text))
    except KeyError:
        raise Unprocessable(
            f"registryRoles: the role {(text or '')[:40]!r} is none of admin, member, viewer, "
            "restricted_viewer",
            field="registryRoles",
        ) from None


def _spoken_name(user: User) -> str | None:
    """The full name; providers that send no `displayName` may send the parts of `name`."""
    if user.display_name is not None:
        return user.display_name
    name = next((v for k, v in user.unknown_attributes.items() if k.lower() == "name"), None)
    if not isinstance(name, dict):
        return None
    parts = {str(key).lower(): value for key, value in name.items() if isinstance(value, str)}
    whole = f"{parts.get('givenname', '')} {parts.get('familyname', '')}".strip()
    return parts.get("formatted") or whole or None


def _email(user: User) -> str | None:
    """The address, of several the primary one."""
    emails = user.emails or [Email()]
    return next((each for each in emails if each.primary), emails[0]).value


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").strip().casefold() == (other or "").strip().casefold()


def to_wanted(user: User, *, patched: bool) -> Wanted:
    """What is wanted. After a patch the resource is all there is to be; else silence changes nothing.

    Raises:
        Unprocessable: a role that there is not.
    """
    empty: Any = {} if patched else None
    return Wanted(
        user_name=user.user_name or "",
        email=_email(user),
        full_name=_spoken_name(user) if not patched else user.display_name or "",
        active=True if patched and user.active is None else user.active,
        role=(GroupRole.MEMBER if patched else None)
        if user.organization_role is None
        else _group_role(user.organization_role, "organizationRole"),
        teams=empty
        if user.team_roles is None
        else {
            each.team_name or "": _group_role(each.role_name, "teamRoles")
            for each in user.team_roles
        },
        registries=empty
        if user.registry_roles is None
        else {each.registry_name or "": _role(each.role_name) for each in user.registry_roles},
        external_id="" if patched and user.external_id is None else user.external_id,
    )


def to_wanted_group(team: Team, *, patched: bool) -> WantedGroup:
    """What is wanted of a team, as `to_wanted`.

    Raises:
        Unprocessable: a member is no id.
    """
    ids = [_id(each.value, "members") for each in team.members or ()]
    return WantedGroup(
        name=team.display_name or "",
        members=None if team.members is None and not patched else frozenset(ids),
        external_id="" if patched and team.external_id is None else team.external_id,
    )


def _id(text: str | None, field: str) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Unprocessable(f"{field}: {(text or '')[:40]!r} is no id of a user", field=field)
    return int(text)


def _gently(body: dict[str, Any]) -> dict[str, Any]:
    """Replacing the role in one team or registry leaves the others: `replace` says what `add` does.

    So the reference's own examples mean it (behaviour, X17).
    """
    found = body.get("Operations")
    if not isinstance(found, list):
        return body
    if len(found) > OPERATIONS_MAX:
        raise Unprocessable(
            f"{len(found)} operations in one patch; at most {OPERATIONS_MAX} are allowed",
            field="Operations",
        )
    done: list[Any] = []
    for operation in found:
        if not isinstance(operation, dict) or str(operation.get("op")).lower() != "replace":
            done.append(operation)
            continue
        path, value = operation.get("path"), operation.get("value")
        if isinstance(path, str) and path.lower() in ROLE_LISTS:
            done.append({**operation, "op": "add"})
        elif path is None and isinstance(value, dict):
            rest = {key: each for key, each in value.items() if key.lower() not in ROLE_LISTS}
            if rest or not value:
                done.append({**operation, "value": rest})
            done += [
                {"op": "add", "path": ROLE_LISTS[key.lower()], "value": each}
                for key, each in value.items()
                if key.lower() in ROLE_LISTS
            ]
        else:
            done.append(operation)
    return {**body, "Operations": done}


def check_depth(body: dict[str, Any]) -> None:
    """Return when the body can be walked through.

    Raises:
        Unprocessable: it is nested too deep.
    """
    layer: list[Any] = [body]
    for _ in range(DEPTH_MAX):
        layer = [
            each
            for outer in layer
            for each in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(each, dict | list)
        ]
        if not layer:
            return
    raise Unprocessable(f"The body is nested deeper than {DEPTH_MAX} levels", field="body")


def _plain(kind: Any, body: dict[str, Any]) -> dict[str, Any]:
    """What was sent, without the names of members, which are told and not asked for.

    Raises:
        Unprocessable: it is nested too deep.
    """
    check_depth(body)
    if kind is not Team:
        return body

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(each) for each in value]
        if isinstance(value, dict):
            return {key: bare(each) for key, each in value.items() if key.lower() != "display"}
        return value

    found: dict[str, Any] = bare(body)
    return found


def creating(kind: type[Scimmed], body: dict[str, Any]) -> Scimmed:
    """What was sent to be made.

    Raises:
        ValidationError, Unprocessable: it is not what the schema says, or nested too deep.
    """
    return kind.model_validate(
        _plain(kind, body), scim_ctx=Moment.RESOURCE_CREATION_REQUEST, scim_policy=POLICY
    )


def patching(
    kind: type[Scimmed], body: dict[str, Any], show: Callable[[T], Scimmed]
) -> Callable[[T], Scimmed]:
    """What makes of the present state the patched one.

    Raises:
        ValidationError: it is no patch. What it returns raises SCIMException where it does not fit.
    """
    patch = PatchOp[kind].model_validate(  # type: ignore[valid-type]  # A value, at run time.
        _gently(_plain(kind, body)), scim_ctx=Moment.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )

    def edit(state: T) -> Scimmed:
        resource = show(state)
        patch.patch(resource, scim_policy=POLICY)
        return resource

    return edit


def patching_user(body: dict[str, Any], show: Callable[[T], User]) -> Callable[[T], User]:
    """What makes of a person the patched one; who is let go in it goes, whatever else it asks.

    A name or address that may not change is passed over then, and only then (0032).

    Raises:
        ValidationError, Unprocessable: as `patching`.
    """
    edit = patching(User, body, show)
    leaving = _without_identity(body)

    def show_active(state: T) -> User:
        # So that it is the patch which lets them go, and not another before it.
        resource = show(state)
        resource.active = True
        return resource

    def edit_or_let_go(state: T) -> User:
        try:
            return edit(state)
        except MutabilityException:
            if not leaving["Operations"]:
                raise
            resource = patching(User, leaving, show_active)(state)
            if resource.active is not False:
                raise
            return resource

    return edit_or_let_go


def _without_identity(body: dict[str, Any]) -> dict[str, Any]:
    """The patch without what it says of user name and addresses."""

    def is_identity(name: object) -> bool:
        bare = str(name).lower().removeprefix(f"{User.__schema__}:".lower())
        return bare.startswith(IDENTITY)

    kept = []
    for operation in body.get("Operations") or ():
        path, value = operation.get("path"), operation.get("value")
        if path is None and isinstance(value, dict):
            rest = {key: each for key, each in value.items() if not is_identity(key)}
            if rest:
                kept.append({**operation, "value": rest})
        elif path is None or not is_identity(path):
            kept.append(operation)
    return {**body, "Operations": kept}


def patching_team(body: dict[str, Any], place: str) -> Callable[[Group], WantedGroup]:
    """What makes of a team the patched one, at a cost that does not grow with its members.

    Only the members that are spoken of are shown to the patch, and one of nobody: when it is gone,
    the list was replaced or removed as a whole, and so are those that were not shown.

    Raises:
        ValidationError, Unprocessable: as `patching`.
    """
    edit = patching(Team, body, lambda team: team)
    spoken = set(_texts(body))
    nobody = str(10**17 + secrets.randbelow(10**17))
    by_id = all(_names_members_by_id(each) for each in body.get("Operations") or ())

    def patched(group: Group) -> WantedGroup:
        shown, rest = list(group.members), []
        if by_id:
            rest = [each for each in group.members if str(each[0]) not in spoken]
            shown = [each for each in group.members if str(each[0]) in spoken]
        team = to_team(replace(group, members=tuple(shown)), place)
        team.members = [*(team.members or ()), Member(value=nobody, ref=None)]
        wanted = to_wanted_group(edit(team), patched=True)
        members = wanted.members or frozenset()
        if int(nobody) in members:
            members |= {each for each, _ in rest}
        return replace(wanted, members=members - {int(nobody)})

    return patched


_MEMBERS_BY_ID = re.compile(r'members(\[value eq "[^"\\]*"\])?(\.value)?', re.IGNORECASE)


def _names_members_by_id(operation: Any) -> bool:
    path = operation.get("path") if isinstance(operation, dict) else None
    if not isinstance(path, str) or not path.lower().startswith("members"):
        return True
    return _MEMBERS_BY_ID.fullmatch(path) is not None


def _texts(value: Any) -> Iterator[str]:
    """Every text in what was sent, and every value of a filter."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
        yield from re.findall(r'"([^"\\]*)"', value)


def _spell_alike(sent: User | Team, present: User | Team) -> None:
    """What never changes is the same when sent in other case, or without the address's type."""
    if isinstance(sent, Team) and isinstance(present, Team):
        if _same(sent.display_name, present.display_name):
            sent.display_name = present.display_name
    elif isinstance(sent, User) and isinstance(present, User):
        # Whom the provider lets go must go, also when their name or address has changed there.
        going = sent.active is False
        if going or _same(sent.user_name, present.user_name):
            sent.user_name = present.user_name
        if going or _same(_email(sent), _email(present)):
            sent.emails = present.emails


def replacing(
    kind: type[Scimmed], body: dict[str, Any], show: Callable[[T], Scimmed]
) -> Callable[[T], Scimmed]:
    """What makes of the present state the one that was sent whole.

    Raises:
        ValidationError: as `creating`. What it returns raises SCIMException where it does not fit.
    """
    sent = kind.model_validate(
        _plain(kind, body), scim_ctx=Moment.RESOURCE_REPLACEMENT_REQUEST, scim_policy=POLICY
    )

    def edit(state: T) -> Scimmed:
        present = show(state)
        _spell_alike(sent, present)
        sent.replace(present)
        return sent

    return edit
