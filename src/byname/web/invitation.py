"""`/invitation`: where a person who was invited chooses a password, once (A7, R192)."""

from __future__ import annotations

import asyncio

from byname.domain.errors import DomainError, Invalid
from byname.http.asked import acting, call_of
from byname.http.message import Request, send_empty
from byname.http.router import Router
from byname.operations import invitation as operations
from byname.web.page import Site, read_form, show
from byname.web.repeated import name_of
from byname.web.visitor import NOT_KEPT, browser_of, read_token, session_cookie


def add_page(router: Router, site: Site) -> None:
    """Whoever holds the link chooses the password of the person it was made for."""
    ctx = site.context.acting(None, "web")

    async def form(request: Request, token: str, error: DomainError | None = None) -> None:
        try:
            user, invitation = await asyncio.to_thread(operations.look_at, ctx, token)
        except DomainError as refusal:
            values = {"root": site.root, "wish": "Invitation"}
            await show(request, "refused.html", values, error or refusal)
            return
        found = {"root": site.root, "token": token, "user": user, "invitation": invitation}
        await show(request, "invitation.html", found, error)

    async def read(request: Request) -> None:
        await form(request, request.query("token") or "")

    async def send(request: Request) -> None:
        fields: dict[str, str] = {}
        asking = acting(site.context, None, "web", request.scope)
        call_of(request.scope, "POST /invitation", "user:accept_invitation")
        try:
            site.check_same_origin(request)
            fields = await read_form(request)
            if fields.get("password") != fields.get("again"):
                raise Invalid("The two passwords differ")
            session = await site.repeated.run(
                name_of("invitation", fields=fields),
                lambda: asyncio.to_thread(
                    operations.accept,
                    asking,
                    # The token of the address stands for the form's own: only our page knows it.
                    fields.get("token", ""),
                    password=fields.get("password", ""),
                    before=read_token(site, request),
                    browser=browser_of(request),
                ),
                # Who clicks twice is let in; whoever comes later finds that the link was used.
                keep=lambda _: False,
            )
        except DomainError as error:
            await form(request, fields.get("token", ""), error)
            return
        cookie = session_cookie(site, request, session)
        await send_empty(request, 303, [(b"location", site.root.encode("ascii")), NOT_KEPT, cookie])

    router.add("GET", "/invitation", read)
    router.add("POST", "/invitation", send)


def address_of(site: Site, token: str) -> str:
    """What to send to the person: the page with their token."""
    return f"{site.address}/invitation?token={token}"
