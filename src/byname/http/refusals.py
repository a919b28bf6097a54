"""Which answers are refusals that the audit log tells of (R190), and what it is told of them.

What was sent is never told: an address is told by its pattern, a mutation by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byname.domain.refusal import kind_of_call, kind_of_mutation
from byname.http.asked import ASKING, CALL, CODE
from byname.http.message import Request
from byname.http.origin import origin_of
from byname.http.router import Route, spell
from byname.operations import refusal
from byname.operations.context import Context

READING = frozenset({"GET", "HEAD", "OPTIONS"})
INTERNAL = 500
UNKNOWN = 401
API = "/api/v1"


class Refusals:
    """Tells the audit log."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def note(self, request: Request, status: int) -> None:
        """The answer has this status.

        - A write that was refused.
        - An API key, password or session that opens nothing, whatever was asked with it.
        """
        scope = request.scope
        if status >= INTERNAL:
            return
        ctx: Context | None = scope.get(ASKING)
        name, kind = scope.get(CALL, ("", ""))
        if ctx is None:
            if status != UNKNOWN or request.header(b"authorization") is None:
                return
            ctx = self._ctx.acting(None, "server", origin_of(scope))
            kind = "key:use"
        elif name is None or (not kind and request.method in READING):
            return
        call = name or f"{request.method} {_pattern(request, scope)}"
        kind = kind or (
            kind_of_mutation(name) if name else kind_of_call(request.method, call.split(" ")[1])
        )
        code = scope.get(CODE) or "refused"
        refusal.note(ctx, kind=kind, call=call, status=status, code=code)


def _pattern(request: Request, scope: Mapping[str, Any]) -> str:
    if isinstance(request.route, Route):
        return spell(request.route)
    pattern = str(getattr(scope.get("route"), "path_format", ""))
    # A router that another one includes tells its own part of the pattern.
    below = request.path.startswith(API) and not pattern.startswith(API)
    return API + pattern if below else pattern
