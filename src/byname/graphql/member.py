"""Members of registries, teams and this server: who is there, adding, removing, changing roles."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from byname.domain.entity import GroupMember, User
from byname.domain.errors import Unprocessable, missing
from byname.domain.member import parse_role
from byname.domain.policy import GroupRole, Role
from byname.domain.project import Project
from byname.graphql.context import Info
from byname.graphql.entity import ENTITY, KEY, USER, new_secrets
from byname.graphql.ids import from_id, to_id
from byname.graphql.project import INTERNAL, PROJECT
from byname.operations import entity as entity_operations
from byname.operations import key as key_operations
from byname.operations import member as operations
from byname.operations import team as team_operations
from byname.operations import user as user_operations

mutation = MutationType()
project_type = ObjectType("Project")
member_type = ObjectType("Member")


@project_type.field("members")
def resolve_users(source: Project, info: Info) -> list[dict[str, Any]]:
    """The users who were added, with the creator of a registry among them (protocol 9.11)."""
    return [
        {
            "id": to_id(USER, user.id),
            "name": user.full_name or user.username,
            "username": user.username,
            "email": user.email,
            "role": {"name": role.word},
        }
        for user, role in operations.list_users(info.context.ctx, source)
    ]


@project_type.field("teamMembers")
def resolve_teams(source: Project, info: Info) -> list[dict[str, Any]]:
    """The teams that were added to a registry."""
    return [
        {"team": team, "role": {"name": role.word}}
        for team, role in operations.list_teams(info.context.ctx, source)
    ]


# ---- members of a team -------------------------------------------------------------------------


@member_type.field("id")
def resolve_id(source: GroupMember, _info: Info) -> str:
    """The user's id; to take them off the team."""
    return to_id(USER, source.user.id)


@member_type.field("role")
def resolve_role(source: GroupMember, _info: Info) -> str:
    """The role in the team."""
    return source.role.value


@member_type.field("admin")
def resolve_admin(source: GroupMember, _info: Info) -> bool:
    """Whether they administer the team."""
    return source.role is GroupRole.ADMIN


@member_type.field("pending")
def resolve_pending(_source: GroupMember, _info: Info) -> bool:
    """Nobody is asked here: who is added is a member at once."""
    return False


@member_type.field("email")
def resolve_email(source: GroupMember, _info: Info) -> str | None:
    """The e-mail address."""
    return source.user.email


@member_type.field("username")
def resolve_username(source: GroupMember, _info: Info) -> str:
    """The user name."""
    return source.user.username


@member_type.field("name")
def resolve_name(source: GroupMember, _info: Info) -> str:
    """The name to show."""
    return source.user.full_name or source.user.username


@member_type.field("accountType")
def resolve_account_type(source: GroupMember, _info: Info) -> str:
    """MEMBER is a person, SERVICE a service account."""
    return "SERVICE" if source.user.service else "MEMBER"


# ---- members of a registry ---------------------------------------------------------------------


def _project_id(input: dict[str, Any]) -> int:  # noqa: A002
    return from_id(input["project_id"], PROJECT, INTERNAL)


def _users(input: dict[str, Any]) -> list[int]:  # noqa: A002
    return [from_id(each, USER) for each in input.get("user_ids") or []]


def _teams(input: dict[str, Any]) -> list[int]:  # noqa: A002
    return [from_id(each, ENTITY) for each in input.get("team_ids") or []]


def _done(info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    info.context.loaders.clear()
    return {"success": True, "client_mutation_id": input.get("client_mutation_id")}


@mutation.field("createProjectMembers")
def add_members(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The users and teams are in the registry."""
    operations.add(
        info.context.ctx, _project_id(input), user_ids=_users(input), team_ids=_teams(input)
    )
    return _done(info, input)


@mutation.field("deleteProjectMembers")
def remove_members(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The users and teams are not in the registry."""
    operations.remove(
        info.context.ctx, _project_id(input), user_ids=_users(input), team_ids=_teams(input)
    )
    return _done(info, input)


@mutation.field("updateProjectMember")
def set_user_role(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The user has that role in the registry."""
    role: Role = parse_role(input["user_project_role"])
    user_id = from_id(input["user_id"], USER)
    operations.set_user_role(info.context.ctx, _project_id(input), user_id, role)
    return _done(info, input)


@mutation.field("updateProjectTeamMember")
def set_team_role(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The team has that role in the registry."""
    role: Role = parse_role(input["team_project_role"])
    team_id = from_id(input["team_id"], ENTITY)
    operations.set_team_role(info.context.ctx, _project_id(input), team_id, role)
    return _done(info, input)


# ---- people, teams and keys --------------------------------------------------------------------


@mutation.field("createTeam")
def create_team(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The organization has a team of that name."""
    ctx = info.context.ctx
    admin = input.get("team_admin_user_name")
    team = team_operations.create_team(
        ctx,
        organization=input.get("organization_name") or _only_organization(info),
        name=input["team_name"],
        admins=[admin] if admin else [],
    )
    info.context.loaders.clear()
    return {"entity": team}


def _only_organization(info: Info) -> str:
    """The organization of a caller who named none, when there is no doubt about it (R7)."""
    found = [each.name for each in user_operations.list_own_organizations(info.context.ctx)]
    if len(found) != 1:
        listed = ", ".join(sorted(found)) or "none"
        raise Unprocessable(
            f"Say in which organization the team is to be (organizationName); yours: {listed}",
            code="organization_needed",
            field="organizationName",
        )
    return found[0]


@mutation.field("createInvite")
def invite(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The person, who has an account here, is in the team at once: this server sends no mail."""
    ctx = info.context.ctx
    wanted = input.get("username") or input.get("email") or ""
    user = entity_operations.find_user(ctx, wanted)
    if user is None:
        raise missing(f"User {wanted[:80]!r}")
    role = GroupRole.ADMIN if input.get("admin") else GroupRole.MEMBER
    member = team_operations.invite(ctx, input["entity_name"], user.username, role)
    info.context.loaders.clear()
    return {
        "invite": {
            "id": to_id(USER, member.user.id),
            "name": member.user.username,
            "email": member.user.email,
            "created_at": entity_operations.get_time(ctx),
            "to_user": member.user,
        }
    }


@mutation.field("deleteInvite")
def delete_invite(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The user is out of the team."""
    ctx = info.context.ctx
    if not input.get("id") or not input.get("entity_name"):
        raise Unprocessable("Say whom to take off which team: id and entityName", field="id")
    user_id = from_id(input["id"], USER)
    found = user_operations.load_users(ctx, [user_id]).get(user_id)
    if found is None:
        raise missing("This user")
    team_operations.remove_member(ctx, input["entity_name"], found.username)
    return _done(info, input)


@mutation.field("createServiceAccount")
def create_service_account(
    _source: Any,
    info: Info,
    input: dict[str, Any],  # noqa: A002
) -> dict[str, Any]:
    """The team has a service account; its name is made from the description."""
    ctx = info.context.ctx
    made = team_operations.create_service_account(
        ctx, team=input["entity_name"], name=_as_name(input["description"])
    )
    info.context.loaders.clear()
    return {"user": _with_key(info, made)}


def _as_name(text: str) -> str:
    """The text with `-` for what no name may hold."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text.strip())
    return "-".join(part for part in kept.split("-") if part)[:64]


def _with_key(info: Info, made: user_operations.NewUser) -> User:
    """The user, whose key is shown in this one answer."""
    for key in key_operations.list_keys(info.context.ctx, username=made.user.username):
        new_secrets(info.context).put(key.id, made.api_key)
    return made.user


@mutation.field("createUser")
def create_user(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """There is a user with that e-mail address, named as its part before the `@`."""
    email = input["email"]
    made = user_operations.create_user(
        info.context.ctx,
        username=_as_name(email.partition("@")[0]),
        email=email,
        server_admin=bool(input.get("admin")),
    )
    info.context.loaders.clear()
    return {"user": _with_key(info, made)}


@mutation.field("generateApiKey")
def generate_key(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The caller has a further key, whose secret is shown in this one answer."""
    made = key_operations.create_key(info.context.ctx, name=input.get("description") or "")
    info.context.loaders.clear()
    new_secrets(info.context).put(made.key.id, made.secret)
    return {"api_key": made.key}


@mutation.field("deleteApiKey")
def delete_key(_source: Any, info: Info, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The key opens nothing any more."""
    key_operations.delete_key(info.context.ctx, from_id(input["id"], KEY))
    return _done(info, input)


bindables = [mutation, project_type, member_type]
