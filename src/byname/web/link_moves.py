"""Aliases that a link would take from other versions: asked for first, and never taken unseen (R70)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.collection import Collection
from byname.domain.errors import HolderChanged, NotFound
from byname.domain.names import LATEST
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import collection as collections
from byname.operations import listing
from byname.operations import project as projects
from byname.web.collection import protected_names
from byname.web.looks import why_not
from byname.web.timeline import whereabouts
from byname.web.visitor import Ask


@dataclass(frozen=True, slots=True)
class Moving:
    """What the form asks about: the aliases that move, and from where."""

    numbers: dict[str, int]

    @property
    def field(self) -> str:
        """As the form carries it back."""
        return ",".join(f"{name}=v{number}" for name, number in self.numbers.items())


def aliases_of(ask: Ask) -> list[str]:
    """The aliases that the form names, with commas between them."""
    return [each for each in (part.strip() for part in ask.text("aliases").split(",")) if each]


def expected(ask: Ask, home: Project, names: Sequence[str]) -> dict[str, str | None]:
    """Where the person was told that these aliases are; None for those nothing was said of.

    Of protected ones that the person may not move nothing is expected: the refusal says more.
    """
    told = dict(part.partition("=")[::2] for part in ask.text("moving").split(",") if part)
    locked: set[str] = set()
    if why_not(projects.role_in(ask.ctx, home), Permission.PROTECTED_ALIAS):
        locked = protected_names(ask, home)
    return {
        name: told.get(name) or None
        for name in names
        if name != LATEST and name not in locked
    }  # fmt: skip


def asked_again(
    ask: Ask, home: Project, name: str, error: HolderChanged
) -> tuple[HolderChanged | None, Moving]:
    """What the form says next: nothing was wrong at the first time; then who moved what meanwhile."""
    try:
        target: Collection = collections.get_in(ask.ctx, home, name)
    except NotFound:
        return error, Moving({})
    found = listing.holders_of_aliases(ask.ctx, target.id, aliases_of(ask))
    moving = Moving({alias: number for alias, number in found.items() if alias != LATEST})
    if not ask.text("moving"):
        return None, moving
    words = whereabouts(ask, home, target, str(error.details.get("alias", "")))
    return HolderChanged(f"Meanwhile something changed. {words} Nothing was linked."), moving
