"""People and teams as a provider of identities sees them in one organization (R194)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from byname.domain.entity import Entity, User
from byname.domain.policy import GroupRole, Role

PAGE_MAX = 100
ITEMS_MAX = 1_000
"""As many members or roles as one request may name."""

FILTER_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True)
class Account:
    """A person of an organization, active or not, with the roles they have or come back in."""

    user: User
    active: bool
    role: GroupRole
    teams: Mapping[str, GroupRole] = field(default_factory=dict)
    """By the team's name."""
    registries: Mapping[str, Role] = field(default_factory=dict)
    """The roles given to them directly, by the registry's name without its prefix."""
    team_ids: Mapping[str, int] = field(default_factory=dict)
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a provider wants an account to be. None leaves a thing as it is."""

    user_name: str
    email: str | None = None
    full_name: str | None = None
    active: bool | None = None
    role: GroupRole | None = None
    teams: Mapping[str, GroupRole] | None = None
    registries: Mapping[str, Role] | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A team of an organization, and the people in it by id and name."""

    team: Entity
    members: tuple[tuple[int, str], ...] = ()
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """What a provider wants a team to be."""

    name: str
    members: frozenset[int] | None = None
    """The ids of the people in it; None leaves them."""
    external_id: str | None = None


class Field(Enum):
    """What accounts and groups are looked for by."""

    ID = "id"
    NAME = "name"
    FULL_NAME = "full name"
    EMAIL = "email"
    ACTIVE = "active"
    EXTERNAL_ID = "external id"
    MEMBER = "member"


class Comparison(StrEnum):
    """How a field is compared with a value."""

    EQUAL = "eq"
    DIFFERENT = "ne"
    CONTAINS = "co"
    BEGINS = "sw"
    ENDS = "ew"
    PRESENT = "pr"


@dataclass(frozen=True, slots=True)
class Is:
    """A field compares so with the value. Text is compared without case; ids as numbers."""

    field: Field
    comparison: Comparison
    value: str | int = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    term: Condition


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the conditions hold, or one of them does. Without terms: always, or never."""

    every: bool
    terms: tuple[Condition, ...]


Condition = Is | Not | Joined
