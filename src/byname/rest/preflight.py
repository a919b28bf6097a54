"""May a script of our own pages fetch and bring bytes? It may: what `wandb verify` asks (protocol 2).

The client asks every place of files as a browser asks a foreign one, with `OPTIONS`. Our files lie
on our own origin, of which browsers ask nothing. No other origin is let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from byname.http.addresses import Addresses
from byname.http.message import Request, send_empty
from byname.http.router import Router

HEADERS = b"content-encoding, content-md5, content-type, if-range, range"


@dataclass(frozen=True, slots=True)
class Preflight:
    """The answer to `OPTIONS` at the addresses of files."""

    addresses: Addresses

    def add_routes(self, router: Router) -> None:
        """The router answers for all addresses of files that it has by now."""
        for path in sorted(
            {
                path
                for method, path in router.routes()
                if method in {"GET", "PUT"} and path.startswith(("/content/", "/files/"))
            }
        ):
            router.add("OPTIONS", path, self.handle)

    async def handle(self, request: Request) -> None:
        """What our own origin may do here. Nothing about the address is looked at or told."""
        ours = urlsplit(self.addresses.for_request(request).public_url)
        origin = f"{ours.scheme}://{ours.netloc}".encode()
        headers = [(b"vary", b"origin")]
        if request.header(b"origin") == origin:
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", b"GET, HEAD, PUT"),
                (b"access-control-allow-headers", HEADERS),
            ]
        await send_empty(request, 204, headers)
