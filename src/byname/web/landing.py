"""The first page: one's registries, or for strangers what this server is and the next step."""

from __future__ import annotations

import asyncio

from byname.http.message import Request
from byname.http.router import Router
from byname.operations import setup as setup_operations
from byname.web import home
from byname.web.page import Site, show
from byname.web.visitor import answer_as, find_visit


def add_page(router: Router, site: Site) -> None:
    """The page at `/` says how a script and a person reach what is kept here."""

    async def read(request: Request) -> None:
        visit = await find_visit(site, request)
        if visit is not None:
            await answer_as(site, request, visit, home.read, changes=False)
            return
        ready = await asyncio.to_thread(setup_operations.is_set_up, site.context)
        await show(request, "landing.html", {"address": site.address, "ready": ready})

    router.add("GET", "/", read)
