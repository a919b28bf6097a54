"""Users, teams and organizations, as they stand in a path."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from byname.domain.policy import GroupRole


class EntityKind(StrEnum):
    """The words the client expects as `entityType` (protocol 7)."""

    USER = "user"
    TEAM = "team"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Entity:
    """A name under which projects live. An organization's entity holds its registries."""

    id: int
    kind: EntityKind
    name: str
    organization_id: int | None
    """The organization a team belongs to; of an organization, its own id; of a user, None."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a service account (of a team or organization; it never logs in)."""

    id: int
    service: bool
    username: str
    full_name: str
    email: str | None
    server_admin: bool
    entity_id: int
    entity_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A user in a team or organization."""

    user: User
    role: GroupRole
    deactivated: bool = False
    """They are out of the organization for a while; the role is the one they come back in."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret: `start` is its beginning, to recognise it by."""

    id: int
    user_id: int
    name: str
    start: str
    created_at: datetime
    last_used_at: datetime | None
