"""The absolute, signed, expiring addresses under which bytes are brought and fetched.

The client sends no credentials to them (protocol 11), so that the address itself says who asked and
for what. The role is looked at again when the address is used.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from byname.http.links import Signer
from byname.http.message import Request

LIFETIME_SECONDS = 6 * 3600
"""A client asks for all addresses of a version first and uses the last ones hours later."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes addresses below the public address of this server."""

    public_url: str
    """How clients reach this server: scheme, host, port and prefix, with no slash at the end."""
    signer: Signer
    lifetime_seconds: int = LIFETIME_SECONDS
    follow_host: bool = False
    """No public address was set: answer with the one under which the client asked."""

    def for_request(self, request: Request) -> Addresses:
        """The addresses to give to whoever sent this request."""
        host = request.header(b"host") if self.follow_host else None
        if host is None:
            return self
        public_url = f"{request.scope['scheme']}://{host.decode('latin-1')}"
        return self if public_url == self.public_url else replace(self, public_url=public_url)

    def content(self, purpose: str, *fields: int | str) -> str:
        """The address that serves or takes the bytes which `purpose` and `fields` name."""
        expires_at = int(time.time()) + self.lifetime_seconds
        token = self.signer.sign(purpose, fields, expires_at)
        return f"{self.public_url}/content/{purpose}/{token}"
