"""`/authorize`: where the client sends a person to fetch an API key (protocol 2)."""

from __future__ import annotations

import asyncio

from byname.domain.errors import DomainError
from byname.http.asked import acting, call_of
from byname.http.message import Request
from byname.http.router import Router
from byname.operations import key as operations
from byname.operations import setup as setup_operations
from byname.operations.key import NewKey
from byname.operations.password import Guesses
from byname.operations.session import Visit
from byname.web.page import Site, read_form, show
from byname.web.repeated import name_of
from byname.web.visitor import check_form_token, find_visit, form_token

FORM = "authorize"
KEY_NAME = "Made at the log-in page"


def add_page(router: Router, site: Site, guesses: Guesses | None = None) -> None:
    """The page explains how to get a key, and makes one for who is logged in or has a password."""
    counted = Guesses() if guesses is None else guesses

    async def form(
        request: Request,
        visit: Visit | None,
        username: str = "",
        error: DomainError | None = None,
    ) -> None:
        ready = await asyncio.to_thread(setup_operations.is_set_up, site.context)
        await show(
            request,
            "authorize.html",
            {
                "address": site.address,
                "ready": ready,
                "me": None if visit is None else visit.actor.username,
                "session_token": "" if visit is None else form_token(site, visit.session),
                "token": site.form_token(FORM),
                "username": username,
            },
            error,
        )

    async def read(request: Request) -> None:
        await form(request, await find_visit(site, request))

    def make(request: Request, visit: Visit | None, fields: dict[str, str]) -> NewKey:
        actor = None if visit is None or "session" not in fields else visit.actor
        ctx = acting(site.context, actor, "web", request.scope)
        if "session" in fields and visit is not None:
            check_form_token(site, visit.session, fields["session"])
            return operations.create_key(ctx, name=KEY_NAME)
        call_of(request.scope, "POST /authorize", "user:log_in")
        site.check_form_token(FORM, fields.get("token", ""))
        return operations.log_in_for_key(
            ctx,
            counted,
            username=fields.get("username", ""),
            password=fields.get("password", ""),
            address=request.client,
            name=KEY_NAME,
        )

    async def send(request: Request) -> None:
        fields: dict[str, str] = {}
        visit = await find_visit(site, request)
        try:
            site.check_same_origin(request)
            fields = await read_form(request)
            made = await site.repeated.run(
                name_of("authorize", "" if visit is None else visit.session.id, fields=fields),
                lambda: asyncio.to_thread(make, request, visit, fields),
            )
        except DomainError as error:
            await form(request, visit, fields.get("username", ""), error)
            return
        await show(
            request,
            "key.html",
            {"address": site.address, "username": made.username, "api_key": made.secret},
        )

    router.add("GET", "/authorize", read)
    router.add("POST", "/authorize", send)
