"""Who is asking, for every route: the API key in the header, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from byname.http.authentication import KeyUses, authenticate
from byname.operations.context import Context


@dataclass(frozen=True, slots=True)
class Server:
    """What the routes know of the server; kept as `app.state.server`."""

    context: Context
    uses: KeyUses


def asking(request: Request) -> Context:
    """The operations' context with the actor of this request.

    Raises:
        Unauthenticated: there is a header, but no key in it that is valid.
    """
    server: Server = request.app.state.server
    actor = authenticate(server.context.database, request.headers.get("authorization"))
    server.uses.note(actor)
    return server.context.acting(actor, "rest")


Asking = Annotated[Context, Depends(asking)]
