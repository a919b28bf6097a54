"""What a request turned out to be: the faces put it in the scope as soon as they know it.

It is for the audit log, should the request be refused (R190).
"""

from __future__ import annotations

from byname.domain.errors import DomainError
from byname.domain.policy import Actor
from byname.http.message import Scope
from byname.http.origin import origin_of
from byname.operations.context import Context

ASKING = "byname.asking"
CODE = "byname.code"
CALL = "byname.call"
REFUSED = "byname.refused"


def acting(server: Context, actor: Actor | None, face: str, scope: Scope) -> Context:
    """The server as this request asks it: the actor, through a face, from where it came."""
    ctx = server.acting(actor, face, origin_of(scope))
    scope[ASKING] = ctx
    return ctx


def because(scope: Scope, error: DomainError) -> None:
    """The request is refused with this error."""
    scope[CODE] = error.code


def call_of(scope: Scope, name: str | None, kind: str = "") -> None:
    """The request is for this mutation, or does what that kind says; None: it only reads."""
    scope[CALL] = (name, kind)


def refused_as(scope: Scope, status: int) -> None:
    """The answer is a refusal of that status, whatever status carries it."""
    scope[REFUSED] = status
