"""Protected aliases: names that only the Admins of a registry put on, move and take off (R78 to R92)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from byname.domain import names
from byname.domain.alias import Change
from byname.domain.errors import Conflict, Forbidden, Unprocessable
from byname.domain.names import LATEST
from byname.domain.policy import Permission, Role

PROTECTED_MAX = 1_000
"""How many names one registry protects at the most."""

Protected = Mapping[str, str]
"""The protected names among those that were asked for, by their folded form."""


@dataclass(frozen=True, slots=True)
class ProtectedAlias:
    """A name on a registry's list, which applies to all its collections (R79)."""

    name: str
    created_at: datetime
    uses: int
    """How many collections of the registry have a version that holds it now."""


@dataclass(frozen=True, slots=True)
class Use:
    """Where a protected alias is held by a version."""

    project_id: int
    collection: str
    number: int
    alias: str


def check_name(name: str) -> str:
    """The name, fit to be protected (R66, R90).

    Raises:
        Unprocessable: no ordinary alias could be called so, or it is `latest`.
    """
    name = names.check_alias(name)
    if name == LATEST:
        raise Unprocessable(
            "The alias 'latest' cannot be protected: every link moves it", field="name"
        )
    return name


def locked(protected: Protected, changes: Iterable[Change]) -> list[str]:
    """Which of these changes are of protected aliases, by name (R80, R84, R88)."""
    return sorted(
        {change.name for change in changes if protected.get(names.fold(change.name)) == change.name}
    )


def check_role(aliases: Iterable[str], role: Role | None, place: str) -> None:
    """Only Admins change which version holds a protected alias (R80).

    Raises:
        Forbidden: the role is lower; the message names each alias and the role, and nothing may be
            changed of what was asked for in the same request (R52, R91).
    """
    listed = list(aliases)
    least = Permission.PROTECTED_ALIAS.least
    if listed and (role is None or role < least):
        many = "es" if len(listed) > 1 else ""
        raise Forbidden(
            f"You may not put on, move or take off the protected alias{many} "
            f"{', '.join(map(repr, listed))} in {place}: it needs the role {least.word}"
            + ("" if role is None else f", yours is {role.word}")
            + "; nothing was changed",
            code="protected_alias",
            role=least.word,
            aliases=listed,
        )


def check_look_alikes(protected: Protected, changes: Iterable[Change]) -> None:
    """Nobody fakes a protected alias by upper and lower case (R90).

    Aliases that were there before the name was protected stay what they are, and may move.

    Raises:
        Conflict: a new alias differs from a protected one by letter case only.
    """
    for change in changes:
        known = protected.get(names.fold(change.name))
        if known is not None and known != change.name and change.before is None and change.after:
            raise Conflict(
                f"The alias {change.name!r} differs from the protected alias {known!r} "
                "by letter case only; choose another name. Nothing was changed",
                code="looks_like_protected",
                alias=change.name,
                protected=known,
            )
