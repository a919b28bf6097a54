"""The first page: what this server is, and the next step for whoever comes here."""

from __future__ import annotations

import asyncio

from byname.http.message import Request
from byname.http.router import Router
from byname.operations import setup as setup_operations
from byname.web.page import Site, show


def add_page(router: Router, site: Site) -> None:
    """The page at `/` says how a script and a person reach what is kept here."""

    async def read(request: Request) -> None:
        ready = await asyncio.to_thread(setup_operations.is_set_up, site.context)
        await show(request, "landing.html", {"address": site.address, "ready": ready})

    router.add("GET", "/", read)
