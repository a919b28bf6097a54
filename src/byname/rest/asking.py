"""Who is asking, for every route: the API key in the header, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from byname.domain.errors import Unsupported
from byname.http.addresses import Addresses
from byname.http.asked import acting
from byname.http.authentication import KeyUses, authenticate
from byname.http.message import Message
from byname.http.message import Request as PlainRequest
from byname.operations.context import Context
from byname.operations.health import About


@dataclass(frozen=True, slots=True)
class Server:
    """What the routes know of the server; kept as `app.state.server`."""

    context: Context
    uses: KeyUses
    addresses: Addresses | None = None
    """How bytes are fetched; None where this server hands none out."""
    about: About | None = None
    """What is known of this process from its start."""


def asking(request: Request) -> Context:
    """The operations' context with the actor of this request.

    Raises:
        Unauthenticated: there is no key, or none that is valid.
    """
    server: Server = request.app.state.server
    actor = authenticate(server.context.database, request.headers.get("authorization"))
    server.uses.note(actor)
    ctx = acting(server.context, actor, "rest", request.scope)
    # Before anything is looked for: who has no key is not to learn what is there.
    ctx.who  # noqa: B018  Raises for an anonymous asker.
    return ctx


Asking = Annotated[Context, Depends(asking)]


def addressing(request: Request) -> Addresses:
    """The addresses of bytes to give to whoever sent this request.

    Raises:
        Unsupported: this server hands out none.
    """
    server: Server = request.app.state.server
    if server.addresses is None:
        raise Unsupported("This server hands out no files")
    return server.addresses.for_request(PlainRequest(request.scope, request.receive, _no_send))


async def _no_send(_message: Message) -> None:
    raise RuntimeError("Only the router answers")


Addressing = Annotated[Addresses, Depends(addressing)]
