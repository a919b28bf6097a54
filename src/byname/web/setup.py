"""`/setup`: the page that the first start prints the address of. It works once."""

from __future__ import annotations

import asyncio

from byname.domain.errors import DomainError
from byname.http.asked import acting, call_of
from byname.http.message import Request
from byname.http.router import Router
from byname.operations import setup as operations
from byname.web.page import Site, read_form, show
from byname.web.repeated import name_of

FIELDS = ("username", "email", "organization", "team")


def add_page(router: Router, site: Site) -> None:
    """The page makes the first administrator, organization and team, and shows the key once."""
    ctx = site.context.acting(None, "web")

    async def form(
        request: Request, token: str, fields: dict[str, str], error: DomainError | None = None
    ) -> None:
        values = {name: fields.get(name, "") for name in FIELDS}
        try:
            await asyncio.to_thread(operations.check_token, ctx, token)
        except DomainError as refusal:
            await show(
                request,
                "refused.html",
                {"root": site.root, "wish": "Set up this server"},
                error or refusal,
            )
            return
        found = {"root": site.root, "token": token, "values": values}
        await show(request, "setup.html", found, error)

    async def read(request: Request) -> None:
        await form(request, request.query("token") or "", {})

    async def send(request: Request) -> None:
        fields: dict[str, str] = {}
        asking = acting(site.context, None, "web", request.scope)
        call_of(request.scope, "POST /setup", "server:set_up")
        try:
            site.check_same_origin(request)
            fields = await read_form(request)
            # The key is shown once: who clicked twice sees it nevertheless.
            made = await site.repeated.run(
                name_of("setup", fields=fields),
                lambda: asyncio.to_thread(
                    operations.set_up,
                    asking,
                    **{name: fields.get(name, "").strip() for name in FIELDS},
                    password=fields.get("password") or None,
                    # The token of the address stands for the form's own: only our page knows it.
                    token=fields.get("token", ""),
                ),
            )
        except DomainError as error:
            await form(request, fields.get("token", ""), fields, error)
            return
        found = {"root": site.root, "address": site.address, "made": made}
        await show(request, "set_up.html", found)

    router.add("GET", "/setup", read)
    router.add("POST", "/setup", send)
