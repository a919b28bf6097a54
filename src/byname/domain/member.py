"""Members of a registry: which role somebody gets, and what may not be taken away (R104 to R111)."""

from __future__ import annotations

from byname.domain.entity import User
from byname.domain.errors import Conflict, Unprocessable
from byname.domain.policy import Role


def default_role(user: User | None, *, organization_admin: bool) -> Role:
    """The role of one who is added without saying which (R104). `None` stands for a team."""
    if user is None:
        return Role.RESTRICTED_VIEWER
    if user.service:
        return Role.MEMBER
    return Role.ADMIN if organization_admin else Role.RESTRICTED_VIEWER


def parse_role(word: str) -> Role:
    """The role of that wire name, in any case.

    Raises:
        Unprocessable: there is none; the message lists them.
    """
    try:
        return Role.parse(word)
    except KeyError:
        listed = ", ".join(role.word for role in Role)
        raise Unprocessable(
            f"{word[:80]!r} is no role; roles are {listed}", code="role", field="role"
        ) from None


def check_role(user: User, role: Role) -> Role:
    """The role, when the user may have it: service accounts are never viewers (R105).

    Raises:
        Unprocessable: a service account would become a viewer.
    """
    if user.service and role < Role.MEMBER:
        raise Unprocessable(
            f"{user.username} is a service account, which is never {role.word}; "
            "give it the role member or admin",
            code="service_account_role",
            field="role",
        )
    return role


def check_admin_remains(place: str, *, before: int, after: int) -> None:
    """Return when a registry that had an Admin still has one (R111).

    Raises:
        Conflict: the last one would go.
    """
    if before > 0 and after == 0:
        raise Conflict(
            f"{place} would be left without an admin; make somebody else admin first",
            code="last_admin",
        )
