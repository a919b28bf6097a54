"""What the client reports of itself: taken without a look, so that it does not try again."""

from __future__ import annotations

from byname.http.message import Request, send_empty
from byname.http.router import Router


class Telemetry:
    """The address for the client's own metrics (protocol 2)."""

    def add_routes(self, router: Router) -> None:
        """The router answers it."""
        router.add("POST", "/sdk/otel/v1/metrics", self.take)

    async def take(self, request: Request) -> None:
        """Nothing is kept."""
        await send_empty(request)
