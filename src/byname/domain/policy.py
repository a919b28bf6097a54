"""Who may do what: the roles, the actor, and the one table of permissions.

A role is always a role *in a project*: a registry (R100 to R106) or a team's project. The table below
says for each permission the least role that has it. `operations/access.py` works out the role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum

from byname.domain.errors import Forbidden


class Role(IntEnum):
    """Roles in a project, low to high (R100)."""

    RESTRICTED_VIEWER = 1
    VIEWER = 2
    MEMBER = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """The role's name on the wire (R100), for example `restricted_viewer`."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Role:
        """The role of that wire name.

        Raises:
            KeyError: there is no such role.
        """
        return cls[word.upper()]


class GroupRole(StrEnum):
    """Roles in an organization or a team (R192)."""

    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Permission(Enum):
    """What one may be allowed to do in a project, with the least role that may, and its wording."""

    SEE = (Role.RESTRICTED_VIEWER, "see this")  # P1 to P4, P27
    USE = (Role.VIEWER, "use this version as an input")  # P5
    DOWNLOAD = (Role.VIEWER, "download files")  # P6, P7
    LOG = (Role.MEMBER, "log runs and versions here")
    CREATE_COLLECTION = (Role.MEMBER, "create a collection")  # P8
    LINK = (Role.MEMBER, "link a version")  # P9
    UNLINK = (Role.MEMBER, "unlink a version")  # P10
    DELETE_COLLECTION = (Role.MEMBER, "delete a collection")  # P11
    EDIT_COLLECTION = (Role.MEMBER, "edit or rename a collection")  # P12
    EDIT_VERSION = (Role.MEMBER, "edit a version")  # P13
    TAG = (Role.MEMBER, "change tags")  # P14
    ALIAS = (Role.MEMBER, "change aliases")  # P15
    PROTECTED_ALIAS = (Role.ADMIN, "put on, move or take off a protected alias")  # P16, P18
    MANAGE_PROTECTED = (Role.ADMIN, "protect an alias or end its protection")  # P17
    EDIT_PROTECTED_VERSION = (Role.ADMIN, "edit a version that holds a protected alias")  # R87
    DELETE_VERSION = (Role.MEMBER, "delete a version")
    DELETE_RUN = (Role.MEMBER, "delete a run")
    EDIT_PROJECT = (Role.MEMBER, "rename or describe this")  # P21
    AUTOMATE_COLLECTION = (Role.MEMBER, "change an automation of a collection")  # P19
    AUTOMATE_PROJECT = (Role.MEMBER, "change an automation of a project")
    AUTOMATE_REGISTRY = (Role.ADMIN, "change an automation of the whole registry")  # P20
    ADD_TYPE = (Role.MEMBER, "add an accepted type")  # P22
    SET_ALL_TYPES = (Role.ADMIN, "switch between all types and listed types")  # P23
    SET_VISIBILITY = (Role.ADMIN, "change the visibility")  # P24
    SET_ICON = (Role.ADMIN, "change the icon")  # P24
    MANAGE_MEMBERS = (Role.ADMIN, "change members and roles")  # P25
    DELETE_PROJECT = (Role.ADMIN, "delete this")  # P26

    def __init__(self, least: Role, wording: str) -> None:
        self.least = least
        self.wording = wording


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, with all that follows from who they are. Read anew for each request (R92, A4)."""

    user_id: int
    username: str
    email: str | None
    entity_id: int
    entity_name: str
    service: bool = False
    server_admin: bool = False
    organizations: Mapping[int, GroupRole] = field(default_factory=dict)
    """The organizations the actor belongs to, by the id of their entity."""
    teams: Mapping[int, GroupRole] = field(default_factory=dict)
    """The teams the actor belongs to, by the id of their entity."""
    key_id: int | None = None

    @property
    def row_id(self) -> int | None:
        """How rows name who did something: the user's id; None for the server itself."""
        return self.user_id or None

    def administers(self, organization_id: int | None) -> bool:
        """Whether the actor is an admin of that organization; a server administrator is of all."""
        if organization_id is None:
            return False
        return self.server_admin or self.organizations.get(organization_id) is GroupRole.ADMIN

    def belongs_to(self, organization_id: int | None) -> bool:
        """Whether the actor is in that organization, in whatever role."""
        if organization_id is None:
            return False
        return self.server_admin or organization_id in self.organizations


SYSTEM = Actor(user_id=0, username="byname", email=None, entity_id=0, entity_name="byname")
"""The server itself, when it does something that nobody asked for just then (R165)."""

_OF_TEAM_ROLE = {
    GroupRole.ADMIN: Role.ADMIN,
    GroupRole.MEMBER: Role.MEMBER,
    GroupRole.VIEWER: Role.VIEWER,
}


def team_project_role(actor: Actor, *, entity_id: int, organization_id: int | None) -> Role | None:
    """The actor's role in an ordinary project of that entity; None when it is hidden from them.

    - Of one's own personal entity: Admin.
    - Of a team: the team role. Organization admins are Admin in every team of theirs (R192).
    - A service account is a Member of its own team.
    """
    if actor.entity_id == entity_id:
        return Role.MEMBER if actor.service else Role.ADMIN
    if actor.administers(organization_id):
        return Role.ADMIN
    role = actor.teams.get(entity_id)
    return None if role is None else _OF_TEAM_ROLE[role]


def registry_role(
    actor: Actor,
    *,
    organization_id: int,
    restricted: bool,
    default_role: Role,
    direct: Role | None,
    of_teams: Iterable[Role],
) -> Role | None:
    """The actor's effective role in a registry, the highest that applies; None when hidden (R102).

    - Organization admins: Admin.
    - The role given to the user, and those given to the user's teams.
    - In registries visible to the organization: the default role, for organization Viewers at
      most Viewer (R103). Service accounts: Member (R105).
    - Service accounts are never Viewers: what a team brings them is Member, if the team was added
      as Member or Admin (R105).
    - Who is not in the organization has no role at all.
    """
    if not actor.belongs_to(organization_id):
        return None
    if actor.administers(organization_id):
        return Role.ADMIN
    roles = [] if direct is None else [direct]
    if actor.service:
        roles += [Role.MEMBER for role in of_teams if role >= Role.MEMBER]
        if not restricted:
            roles.append(Role.MEMBER)
    else:
        roles += of_teams
        if not restricted:
            viewer = actor.organizations.get(organization_id) is GroupRole.VIEWER
            roles.append(min(default_role, Role.VIEWER) if viewer else default_role)
    return max(roles, default=None)


def check(role: Role, permission: Permission, place: str) -> None:
    """Return when the role has the permission.

    Raises:
        Forbidden: it has not; the message names the place and the role that is needed (R10).
    """
    if role < permission.least:
        raise Forbidden(
            f"You may not {permission.wording} in {place}: "
            f"it needs the role {permission.least.word}, yours is {role.word}",
            role=permission.least.word,
        )
