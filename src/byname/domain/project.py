"""Projects, and registries, which are projects of an organization's entity (protocol 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from byname.domain import icon as icons
from byname.domain import names
from byname.domain.icon import Icon
from byname.domain.policy import Role


@dataclass(frozen=True, slots=True)
class Project:
    """A project or registry."""

    id: int
    entity_id: int
    entity_name: str
    organization_id: int | None
    """The organization of its entity; None under a personal entity."""
    is_registry: bool
    name: str
    """The full name; of a registry with its prefix."""
    description: str | None
    restricted: bool
    all_types: bool
    default_role: Role
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    owner_id: int | None = None
    """Who answers for a registry; it allows them nothing (R27)."""
    chosen_icon: str | None = None
    """The name of the icon that an Admin chose; None: the one it began with (R29)."""

    @property
    def icon(self) -> Icon:
        """The registry's picture."""
        return icons.of(self.id, self.chosen_icon)

    @property
    def place(self) -> str:
        """How messages name it: `entity/name`."""
        return f"{self.entity_name}/{self.name}"

    @property
    def registry_name(self) -> str:
        """The registry's name without the prefix."""
        return self.name.removeprefix(names.REGISTRY_PREFIX)


@dataclass(frozen=True, slots=True)
class ArtifactType:
    """A type of artifacts in a project; `accepted` when it stands on a registry's list (R20)."""

    id: int
    project_id: int
    name: str
    description: str | None
    accepted: bool
    created_at: datetime
