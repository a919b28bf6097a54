"""SCIM 2.0 (RFC 7643, RFC 7644): a provider of identities keeps people and teams in step (R194).

Users are the people of one organization, groups its teams. Below `/scim` it is the one organization
that the key may provision; below `/scim/organizations/NAME` that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field as FieldOf
from pydantic import ValidationError
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Error,
    ETag,
    ExtensibleStringEnum,
    External,
    Filter,
    Meta,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models import Context as Moment
from scim2_models.path import (
    AttrPath,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Present,
    ValuePath,
)
from scim2_models.path import (
    Comparison as Compared,
)
from scim2_models.path import (
    Not as Negated,
)

from byname.domain.errors import Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.domain.provisioning import (
    FILTER_LENGTH_MAX,
    PAGE_MAX,
    Account,
    Comparison,
    Condition,
    Field,
    Group,
    Is,
    Joined,
    Not,
    Wanted,
    WantedGroup,
)
from byname.http.addresses import Addresses
from byname.http.authentication import KeyUses
from byname.operations import provisioning as operations
from byname.operations.context import Context
from byname.operations.provisioning import Found
from byname.rest import errors
from byname.rest.asking import Addressing, Asking, Server

SCIM_JSON = "application/scim+json"
ID_MAX = 2**63 - 1
SKIP_MAX = 10**9
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""Providers send more than they were told of, and Microsoft Entra deviates from the standard."""

ROLE_LISTS = {"teamroles": "teamRoles", "registryroles": "registryRoles"}
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


def _organization(request: Request) -> str | None:
    found = request.path_params.get("organization")
    return None if found is None else str(found)


def _place(request: Request, addresses: Addressing) -> str:
    """The address of this interface, as the asker spells it."""
    name = _organization(request)
    return addresses.public_url + errors.SCIM + ("" if name is None else f"/organizations/{name}")


Home = Annotated[str | None, Depends(_organization)]
Place = Annotated[str, Depends(_place)]
Sent = Annotated[dict[str, Any], Body()]
Wish = Annotated[str | None, Query(alias="filter")]
Only = Annotated[str | None, Query(alias="attributes")]
But = Annotated[str | None, Query(alias="excludedAttributes")]
Start = Annotated[int, Query(alias="startIndex")]
Count = Annotated[int, Query(alias="count")]

router = APIRouter()


# ---- from our words to theirs ----------------------------------------------------------------


def _user(account: Account, place: str) -> User:
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


def _team(group: Group, place: str) -> Team:
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


def _answer(resource: User | Team, moment: Moment, status: int = 200, **more: Any) -> Response:
    location = {} if resource.meta is None else {"location": str(resource.meta.location)}
    return JSONResponse(
        resource.model_dump(scim_ctx=moment, **more),
        status,
        headers=location,
        media_type=SCIM_JSON,
    )


def _listed(
    kind: type[Scimmed],
    resources: list[Scimmed],
    total: int,
    start: int,
    only: str | None,
    but: str | None,
) -> Response:
    chosen = _chosen(kind, only, but)
    return JSONResponse(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(resources),
            "Resources": [
                each.model_dump(scim_ctx=Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen)
                for each in resources
            ],
        },
        media_type=SCIM_JSON,
    )


def _chosen(kind: Any, only: str | None, but: str | None) -> ResponseParameters[Any]:
    given = {"attributes": only, "excludedAttributes": but}
    chosen: ResponseParameters[Any] = ResponseParameters[kind].model_validate(
        {name: text for name, text in given.items() if text}, scim_policy=POLICY
    )
    return chosen


# ---- from their words to ours ----------------------------------------------------------------


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


def _wanted(user: User, *, patched: bool) -> Wanted:
    """What is wanted. After a patch the resource is all there is to be; else silence changes nothing."""
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


def _wanted_team(team: Team, *, patched: bool) -> WantedGroup:
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


def _key(text: str) -> int:
    """The id in an address; one that cannot be is that of nobody."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _gently(body: dict[str, Any]) -> dict[str, Any]:
    """Replacing the role in one team or registry leaves the others: `replace` says what `add` does.

    So the reference's own examples mean it (behaviour, X17).
    """
    found = body.get("Operations")
    if not isinstance(found, list):
        return body
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


def _plain(kind: Any, body: dict[str, Any]) -> dict[str, Any]:
    """What was sent, without the names of members, which are told and not asked for."""
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


def _patching(
    kind: type[Scimmed], body: dict[str, Any], show: Callable[[T], Scimmed]
) -> Callable[[T], Scimmed]:
    """What makes of the present state the patched one."""
    patch = PatchOp[kind].model_validate(  # type: ignore[valid-type]  # A value, at run time.
        _gently(_plain(kind, body)), scim_ctx=Moment.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )

    def edit(state: T) -> Scimmed:
        resource = show(state)
        patch.patch(resource, scim_policy=POLICY)
        return resource

    return edit


def _spell_alike(sent: User | Team, present: User | Team) -> None:
    """What never changes is the same when sent in other case, or without the address's type."""
    if isinstance(sent, Team) and isinstance(present, Team):
        if _same(sent.display_name, present.display_name):
            sent.display_name = present.display_name
    elif isinstance(sent, User) and isinstance(present, User):
        if _same(sent.user_name, present.user_name):
            sent.user_name = present.user_name
        if _same(_email(sent), _email(present)):
            sent.emails = present.emails


def _replacing(
    kind: type[Scimmed], body: dict[str, Any], show: Callable[[T], Scimmed]
) -> Callable[[T], Scimmed]:
    """What makes of the present state the one that was sent whole."""
    sent = kind.model_validate(
        _plain(kind, body), scim_ctx=Moment.RESOURCE_REPLACEMENT_REQUEST, scim_policy=POLICY
    )

    def edit(state: T) -> Scimmed:
        present = show(state)
        _spell_alike(sent, present)
        sent.replace(present)
        return sent

    return edit


class _Reader(FilterVisitor[Condition]):
    """A filter in the words of the domain."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self._inside = ""

    def _field(self, path: AttrPath) -> Field | None:
        name = path.attr if path.sub_attr is None else f"{path.attr}.{path.sub_attr}"
        spelled = (self._inside + name).lower()
        if spelled in ("emails.type", "emails.primary"):
            return None
        if spelled not in self._fields:
            raise _bad_filter(f"nothing is looked for by {spelled[:60]!r}")
        return self._fields[spelled]

    def visit_comparison(self, node: Compared) -> Condition:
        """`attribute eq "value"`."""
        field = self._field(node.attr_path)
        if field is None:
            # There is one address, which is of the type work, and the primary one.
            fits = node.value is True or str(node.value).lower() == "work"
            return Joined(every=fits, terms=())
        try:
            comparison = Comparison(node.op.value)
        except ValueError:
            raise _bad_filter(f"{node.op.value} compares nothing here") from None
        value: str | int = node.value if isinstance(node.value, bool) else str(node.value)
        if field in (Field.ID, Field.ACTIVE, Field.MEMBER):
            if comparison not in (Comparison.EQUAL, Comparison.DIFFERENT):
                raise _bad_filter(f"{field.value} is compared by eq and ne")
            if field is not Field.ACTIVE:
                value = _key(str(value))
        if field is Field.ACTIVE:
            value = int(bool(value))
        found = Is(field, comparison, value)
        if field is Field.MEMBER and comparison is Comparison.DIFFERENT:
            return Not(Is(field, Comparison.EQUAL, value))
        return found

    def visit_present(self, node: Present) -> Condition:
        """`attribute pr`."""
        field = self._field(node.attr_path)
        if field in (None, Field.ID, Field.ACTIVE, Field.MEMBER):
            return Joined(every=True, terms=())
        return Is(field, Comparison.PRESENT)

    def visit_not(self, node: Negated) -> Condition:
        """`not (...)`."""
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """`... and ...`, `... or ...`."""
        terms = tuple(self.visit(each) for each in node.terms)
        return Joined(every=node.op is LogicalOperator.and_, terms=terms)

    def visit_value_path(self, node: ValuePath) -> Condition:
        """`attribute[...]`."""
        self._inside = f"{node.attr_path.attr}."
        try:
            return self.visit(node.val_filter)
        finally:
            self._inside = ""


_FIELDS_OF_PEOPLE = {
    "id": Field.ID,
    "username": Field.NAME,
    "displayname": Field.FULL_NAME,
    "emails": Field.EMAIL,
    "emails.value": Field.EMAIL,
    "active": Field.ACTIVE,
    "externalid": Field.EXTERNAL_ID,
}
_FIELDS_OF_GROUPS = {
    "id": Field.ID,
    "displayname": Field.NAME,
    "externalid": Field.EXTERNAL_ID,
    "members": Field.MEMBER,
    "members.value": Field.MEMBER,
}


def _bad_filter(why: str) -> Unprocessable:
    return Unprocessable(f"The filter cannot be used: {why}", code="invalidFilter", field="filter")


def _condition(kind: Any, text: str | None, fields: Mapping[str, Field]) -> Condition | None:
    if not text:
        return None
    if len(text) > FILTER_LENGTH_MAX:
        raise _bad_filter(f"it has more than {FILTER_LENGTH_MAX} characters")
    try:
        return _Reader(fields).visit(ScimFilter[kind](text).ast)
    except RecursionError:
        raise _bad_filter("it is nested too deep") from None


def _window(start: int, count: int) -> tuple[int, int]:
    """How many to skip, and how many to show (RFC 7644, 3.4.2.4)."""
    return min(max(start, 1) - 1, SKIP_MAX), min(max(count, 0), PAGE_MAX)


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    """The search in a body (RFC 7644, 3.4.3), as the routes of lists take it from an address."""
    sent: SearchRequest[Any] = SearchRequest.model_validate(
        body, scim_ctx=Moment.SEARCH_REQUEST, scim_policy=POLICY
    )
    return {
        "wish": sent.filter,
        "start": 1 if sent.start_index is None else sent.start_index,
        "count": PAGE_MAX if sent.count is None else sent.count,
        "only": ",".join(map(str, sent.attributes or ())),
        "but": ",".join(map(str, sent.excluded_attributes or ())),
    }


# ---- the routes --------------------------------------------------------------------------------


@router.get("/Users")
def list_users(
    ctx: Asking,
    home: Home,
    place: Place,
    wish: Wish = None,
    start: Start = 1,
    count: Count = PAGE_MAX,
    only: Only = None,
    but: But = None,
) -> Response:
    """List the people of the organization; at most 100 at a time."""
    condition = _condition(User, wish, _FIELDS_OF_PEOPLE)
    skip, limit = _window(start, count)
    found: Found[Account] = operations.list_people(ctx, home, condition, skip=skip, limit=limit)
    users = [_user(each, place) for each in found.items]
    return _listed(User, users, found.total, skip + 1, only, but)


@router.post("/Users")
def create_user(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """Put a person into the organization."""
    sent = User.model_validate(body, scim_ctx=Moment.RESOURCE_CREATION_REQUEST, scim_policy=POLICY)
    made = operations.create_person(ctx, home, _wanted(sent, patched=False))
    return _answer(_user(made, place), Moment.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Users/.search")
def search_users(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """List people, as asked for in a body instead of the address."""
    return list_users(ctx, home, place, **_asked(body))


@router.get("/Users/{user_id}")
def get_user(
    ctx: Asking, home: Home, place: Place, user_id: str, only: Only = None, but: But = None
) -> Response:
    """Show a person of the organization."""
    found = operations.get_person(ctx, home, _key(user_id))
    chosen = _chosen(User, only, but)
    return _answer(_user(found, place), Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen)


@router.put("/Users/{user_id}")
def replace_user(ctx: Asking, home: Home, place: Place, user_id: str, body: Sent) -> Response:
    """Set what may change of a person; what is not said stays."""
    replaced = _replacing(User, body, partial(_user, place=place))
    made = operations.change_person(
        ctx, home, _key(user_id), lambda account: _wanted(replaced(account), patched=False)
    )
    return _answer(_user(made, place), Moment.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Users/{user_id}")
def patch_user(ctx: Asking, home: Home, place: Place, user_id: str, body: Sent) -> Response:
    """Change some of a person: all of the operations, or none."""
    patched = _patching(User, body, partial(_user, place=place))
    made = operations.change_person(
        ctx, home, _key(user_id), lambda account: _wanted(patched(account), patched=True)
    )
    return _answer(_user(made, place), Moment.RESOURCE_PATCH_RESPONSE)


@router.delete("/Users/{user_id}", status_code=204)
def delete_user(ctx: Asking, home: Home, user_id: str) -> None:
    """Take a person out of the organization, its teams and registries. The account stays."""
    operations.remove_person(ctx, home, _key(user_id))


@router.get("/Groups")
def list_groups(
    ctx: Asking,
    home: Home,
    place: Place,
    wish: Wish = None,
    start: Start = 1,
    count: Count = PAGE_MAX,
    only: Only = None,
    but: But = None,
) -> Response:
    """List the teams of the organization; at most 100 at a time."""
    condition = _condition(Team, wish, _FIELDS_OF_GROUPS)
    skip, limit = _window(start, count)
    found: Found[Group] = operations.list_groups(ctx, home, condition, skip=skip, limit=limit)
    teams = [_team(each, place) for each in found.items]
    return _listed(Team, teams, found.total, skip + 1, only, but)


@router.post("/Groups")
def create_group(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """Make a team of the organization."""
    sent = Team.model_validate(
        _plain(Team, body), scim_ctx=Moment.RESOURCE_CREATION_REQUEST, scim_policy=POLICY
    )
    made = operations.create_group(ctx, home, _wanted_team(sent, patched=False))
    return _answer(_team(made, place), Moment.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Groups/.search")
def search_groups(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """List teams, as asked for in a body instead of the address."""
    return list_groups(ctx, home, place, **_asked(body))


@router.get("/Groups/{team_id}")
def get_group(
    ctx: Asking, home: Home, place: Place, team_id: str, only: Only = None, but: But = None
) -> Response:
    """Show a team of the organization."""
    found = operations.get_group(ctx, home, _key(team_id))
    chosen = _chosen(Team, only, but)
    return _answer(_team(found, place), Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen)


@router.put("/Groups/{team_id}")
def replace_group(ctx: Asking, home: Home, place: Place, team_id: str, body: Sent) -> Response:
    """Set who is in a team; without members those stay."""
    replaced = _replacing(Team, body, partial(_team, place=place))
    made = operations.change_group(
        ctx, home, _key(team_id), lambda group: _wanted_team(replaced(group), patched=False)
    )
    return _answer(_team(made, place), Moment.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Groups/{team_id}")
def patch_group(ctx: Asking, home: Home, place: Place, team_id: str, body: Sent) -> Response:
    """Change who is in a team: all of the operations, or none."""
    patched = _patching(Team, body, partial(_team, place=place))
    made = operations.change_group(
        ctx, home, _key(team_id), lambda group: _wanted_team(patched(group), patched=True)
    )
    return _answer(_team(made, place), Moment.RESOURCE_PATCH_RESPONSE)


@router.delete("/Groups/{team_id}", status_code=204)
def delete_group(ctx: Asking, home: Home, team_id: str) -> None:
    """Delete a team that has no projects."""
    operations.remove_group(ctx, home, _key(team_id))


# ---- what this interface can (RFC 7644, 4) -----------------------------------------------------


def _config(place: str) -> ServiceProviderConfig:
    specification = "https://www.rfc-editor.org/rfc/"
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=PAGE_MAX),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        pagination=Pagination(
            cursor=False, index=True, default_page_size=PAGE_MAX, max_page_size=PAGE_MAX
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer",
                description="The API key of an admin or service account of the organization",
                spec_uri=Reference[External](f"{specification}rfc6750"),
                primary=True,
            ),
            AuthenticationScheme(
                type=AuthenticationScheme.Type.httpbasic,
                name="Basic",
                description="Any user name; the API key is the password",
                spec_uri=Reference[External](f"{specification}rfc7617"),
            ),
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{place}/ServiceProviderConfig"),
    )


def _types(place: str) -> dict[str, ResourceType]:
    made = {}
    for name, kind in (("User", User), ("Group", Team)):
        found = ResourceType.from_resource(kind)
        found.meta = Meta(resource_type="ResourceType", location=f"{place}/ResourceTypes/{name}")
        made[name] = found
    return made


def _schemas(place: str) -> dict[str, Schema]:
    made = {}
    for name, kind in (("User", User), ("Group", Team)):
        found = kind.to_schema()
        found.name = name
        found.meta = Meta(resource_type="Schema", location=f"{place}/Schemas/{found.id}")
        made[str(found.id)] = found
    return made


def _described(found: Any) -> dict[str, Any]:
    shown: dict[str, Any] = found.model_dump(scim_ctx=Moment.RESOURCE_QUERY_RESPONSE)
    return shown


def _all_described(found: Mapping[str, Any]) -> Response:
    return JSONResponse(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(found),
            "startIndex": 1,
            "itemsPerPage": len(found),
            "Resources": [_described(each) for each in found.values()],
        },
        media_type=SCIM_JSON,
    )


def _one_described(found: Mapping[str, Any], name: str) -> Response:
    if name not in found:
        raise _nothing()
    return JSONResponse(_described(found[name]), media_type=SCIM_JSON)


def _nothing() -> Exception:
    return errors.nothing_here()


@router.get("/ServiceProviderConfig")
def get_config(_ctx: Asking, place: Place) -> Response:
    """What this interface can."""
    return JSONResponse(_described(_config(place)), media_type=SCIM_JSON)


@router.get("/ResourceTypes")
def list_types(_ctx: Asking, place: Place) -> Response:
    """The two kinds of things there are."""
    return _all_described(_types(place))


@router.get("/ResourceTypes/{name}")
def get_type(_ctx: Asking, place: Place, name: str) -> Response:
    """One kind of thing."""
    return _one_described(_types(place), name)


@router.get("/Schemas")
def list_schemas(_ctx: Asking, place: Place) -> Response:
    """What is said of each kind of thing."""
    return _all_described(_schemas(place))


@router.get("/Schemas/{name}")
def get_schema(_ctx: Asking, place: Place, name: str) -> Response:
    """What is said of one kind of thing."""
    return _one_described(_schemas(place), name)


def make_scim(
    ctx: Context, uses: KeyUses | None = None, addresses: Addresses | None = None
) -> FastAPI:
    """The application for every path below `/scim`; mount it there without cutting the path off."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.server = Server(ctx, KeyUses() if uses is None else uses, addresses)
    app.include_router(router, prefix=errors.SCIM)
    app.include_router(router, prefix=errors.SCIM + "/organizations/{organization}")
    errors.add_handlers(app)

    async def of_scim(request: Request, error: Exception) -> Response:
        assert isinstance(error, SCIMException)  # noqa: S101  Registered for that only.
        said = error.to_error()
        return errors.scim_answer(
            request.scope, said.status or 400, said.detail or "", said.scim_type
        )

    async def of_model(request: Request, error: Exception) -> Response:
        assert isinstance(error, ValidationError)  # noqa: S101
        first = Error.from_validation_errors(error)[0]
        return errors.scim_answer(
            request.scope, first.status or 400, first.detail or "", first.scim_type
        )

    app.add_exception_handler(SCIMException, of_scim)
    app.add_exception_handler(ValidationError, of_model)
    app.add_middleware(errors.Guard)
    return app
