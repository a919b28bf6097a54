"""Where a request came from, as the audit log tells it (R190)."""

from __future__ import annotations

from byname.http.message import Scope
from byname.operations.context import CLIENT_LENGTH_MAX, Origin


def origin_of(scope: Scope) -> Origin:
    """The network address of who sent the request, and what they sent it with."""
    peer = scope.get("client")
    client = None
    for name, value in scope["headers"]:
        if name == b"user-agent":
            text = value.decode("latin-1")[:CLIENT_LENGTH_MAX]
            client = "".join(each if each.isprintable() else "?" for each in text)
    return Origin(str(peer[0]) if peer else None, client)
