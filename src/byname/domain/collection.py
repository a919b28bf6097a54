"""Collections: named lines of versions.

A sequence is where versions are logged, a portfolio where
they are linked (protocol 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from byname.domain.errors import Conflict, Unprocessable
from byname.domain.names import composed
from byname.domain.project import Project


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of a project or registry."""

    id: int
    project_id: int
    type_id: int
    type_name: str
    is_sequence: bool
    name: str
    description: str | None
    next_number: int
    version_count: int
    created_at: datetime
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """A version's place in one collection: its number there (R46)."""

    id: int
    collection_id: int
    version_id: int
    number: int
    created_at: datetime
    created_by: int | None = None


def check_same_type(name: str, present: str, given: str) -> None:
    """A collection holds one type of artifacts, fixed at its creation (R31, R35).

    Raises:
        Conflict: the given type is another; the message names both.
    """
    if composed(present) != composed(given):
        raise Conflict(
            f"Collection {name!r} holds artifacts of type {present!r}; "
            f"this one is of type {given!r}",
            code="type_differs",
        )


def check_accepts_type(registry: Project, accepted: list[str], given: str) -> None:
    """A registry takes all types, or those on its list (R20).

    Raises:
        Unprocessable: the type is not on the list; the message names it and the list.
    """
    taken = not registry.is_registry or registry.all_types or composed(given) in accepted
    if not taken:
        listed = ", ".join(map(repr, accepted)) or "none"
        raise Unprocessable(
            f"Registry {registry.registry_name!r} does not accept artifacts of type {given!r}; "
            f"it accepts: {listed}",
            field="type",
        )
