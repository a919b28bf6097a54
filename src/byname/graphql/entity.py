"""Users, teams and organizations, as the client sees them (protocol 8.2, 12.1)."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType

from byname.domain.entity import ApiKey, Entity, EntityKind, GroupMember, User
from byname.domain.errors import NotFound
from byname.graphql.connection import Connection, whole
from byname.graphql.context import Info, Loader, RequestContext
from byname.graphql.ids import to_id
from byname.operations import entity as operations
from byname.operations import key as key_operations
from byname.operations import organization as organization_operations
from byname.operations import user as user_operations

query = QueryType()
entity_type = ObjectType("Entity")
organization_type = ObjectType("Organization")
user_type = ObjectType("User")
key_type = ObjectType("ApiKey")

ENTITY = "Entity"
USER = "User"
KEY = "ApiKey"


def entities(request: RequestContext) -> Loader[int, Entity | None]:
    """Entities by id, as the places of what the caller sees."""
    return request.loader("entities", lambda ids: operations.load(request.ctx, ids))


def users(request: RequestContext) -> Loader[int, User | None]:
    """Users by id, as the makers of what the caller sees."""
    return request.loader("users", lambda ids: user_operations.load_users(request.ctx, ids))


def new_secrets(request: RequestContext) -> Loader[int, str | None]:
    """By key id: the secret of a key that this very request made."""
    return request.loader("new_secrets", lambda _: {})


@query.field("viewer")
def resolve_viewer(_source: Any, info: Info, entity_name: str | None = None) -> User | None:
    """Who asks; null when nobody is logged in."""
    ctx = info.context.ctx
    return None if ctx.actor is None else user_operations.get_viewer(ctx)


@query.field("users")
def resolve_users(_source: Any, info: Info, query: str | None = None) -> Connection:
    """People the caller may know of, whose name or e-mail address holds the text."""
    return whole(user_operations.search_users(info.context.ctx, query or ""))


@query.field("entity")
def resolve_entity(_source: Any, info: Info, name: str | None = None) -> Entity | None:
    """The entity of that name (by default the caller's own); null when absent or hidden."""
    ctx = info.context.ctx
    found = operations.find(ctx, name or ctx.who.entity_name)
    if found is not None:
        entities(info.context).put(found.id, found)
    return found


@query.field("organization")
def resolve_organization(_source: Any, info: Info, name: str | None = None) -> Entity | None:
    """The organization of that name, for those who are in it; otherwise null."""
    return organization_operations.find_organization(info.context.ctx, name or "")


# ---- organizations: their source is their entity -----------------------------------------------


@organization_type.field("id")
def resolve_organization_id(source: Entity, _info: Info) -> str:
    """The opaque id."""
    return to_id("Organization", source.id)


@organization_type.field("orgEntity")
def resolve_own_entity(source: Entity, info: Info) -> Entity:
    """The entity that holds the registries."""
    entities(info.context).put(source.id, source)
    return source


@organization_type.field("coreWeaveOrganizationId")
def resolve_no_id(_source: Entity, _info: Info) -> None:
    """Always null here."""


@organization_type.field("featureFlags")
def resolve_flags(_source: Entity, _info: Info, ramp_id_type: Any) -> list[Any]:
    """None is switched per organization."""
    return []


@organization_type.field("advancedRegistryFeatures")
def resolve_search_features(_source: Entity, _info: Info) -> dict[str, bool]:
    """Both sets of field names are understood everywhere, and versions can be sorted."""
    return {"advanced_search": True}


# ---- entities ----------------------------------------------------------------------------------


@entity_type.field("id")
def resolve_id(source: Entity, _info: Info) -> str:
    """The opaque id."""
    return to_id(ENTITY, source.id)


@entity_type.field("entityType")
def resolve_kind(source: Entity, _info: Info) -> str:
    """The word: user, team or organization."""
    return source.kind.value


@entity_type.field("isTeam")
def resolve_is_team(source: Entity, _info: Info) -> bool:
    """Whether it is a team."""
    return source.kind is EntityKind.TEAM


@entity_type.field("readOnly")
def resolve_read_only(source: Entity, info: Info) -> bool:
    """Whether the caller may not log there; nobody logs in an organization itself."""
    return not operations.may_log(info.context.ctx, source)


def _always(value: Any) -> Any:
    def resolve(_source: Any, _info: Info) -> Any:
        return value

    return resolve


for _name, _value in {
    "available": False,  # The name is taken, by this very entity.
    "readOnlyAdmin": False,
    "privateOnly": True,
    "codeSavingEnabled": True,
    "defaultAccess": "PRIVATE",
    "isPaid": False,
    # The client's other digest algorithm is not used without being asked for (protocol 10.3).
    "xxhashDigestsEnabled": False,
}.items():
    entity_type.set_field(_name, _always(_value))


@entity_type.field("storageBytes")
def resolve_storage(source: Entity, info: Info) -> int:
    """How many bytes are kept for it, equal content once."""
    return operations.sum_bytes(info.context.ctx, source)


@entity_type.field("members")
def resolve_members(source: Entity, info: Info) -> list[GroupMember]:
    """Who is in the team or organization."""
    return operations.members(info.context.ctx, source)


@entity_type.field("user")
def resolve_owner(source: Entity, info: Info) -> User | None:
    """The person behind a personal entity."""
    return operations.owner(info.context.ctx, source)


@entity_type.field("organization")
def resolve_organization_of(source: Entity, info: Info) -> Entity | None:
    """The organization; null for a personal entity, whose user has organizations (8.2)."""
    if source.kind is EntityKind.ORGANIZATION:
        return source
    if source.organization_id is None:
        return None
    return entities(info.context).get(source.organization_id)


# ---- users -------------------------------------------------------------------------------------


@user_type.field("id")
def resolve_user_id(source: User, _info: Info) -> str:
    """The opaque id."""
    return to_id(USER, source.id)


@user_type.field("name")
def resolve_user_name(source: User, _info: Info) -> str:
    """The name to show."""
    return source.full_name or source.username


@user_type.field("admin")
def resolve_admin(source: User, _info: Info) -> bool:
    """Whether they administer this server."""
    return source.server_admin


@user_type.field("entity")
def resolve_default_entity(source: User, _info: Info) -> str:
    """The default entity: their own, of a service account its team."""
    return source.entity_name


user_type.set_field("flags", _always("{}"))


@user_type.field("apiKeys")
def resolve_keys(source: User, info: Info) -> Connection:
    """Their keys without secrets, for themselves and those who manage them; otherwise none."""
    try:
        return whole(key_operations.list_keys(info.context.ctx, username=source.username))
    except NotFound:
        return whole([])


@user_type.field("teams")
def resolve_teams(source: User, info: Info) -> Connection:
    """The entities they work in, as far as the caller may know of them."""
    found = operations.teams_of(info.context.ctx, source)
    for each in found:
        entities(info.context).put(each.id, each)
    return whole(found)


@user_type.field("organizations")
def resolve_organizations(source: User, info: Info) -> list[Entity]:
    """The organizations they are in, as far as the caller may know of them."""
    return operations.organizations_of(info.context.ctx, source)


@key_type.field("id")
def resolve_key_id(source: ApiKey, _info: Info) -> str:
    """The opaque id."""
    return to_id(KEY, source.id)


@key_type.field("name")
def resolve_key_name(source: ApiKey, info: Info) -> str:
    """The secret in the answer that makes the key; afterwards only its beginning."""
    return new_secrets(info.context).get(source.id) or source.start


@key_type.field("description")
def resolve_key_description(source: ApiKey, _info: Info) -> str:
    """What the key was made for."""
    return source.name


bindables = [query, entity_type, organization_type, user_type, key_type]
