"""`/authorize`: where the client sends a person to fetch an API key (protocol 2)."""

from __future__ import annotations

import asyncio

from byname.domain.errors import DomainError
from byname.http.message import Request
from byname.http.router import Router
from byname.operations import key as operations
from byname.operations import setup as setup_operations
from byname.operations.password import Guesses
from byname.web.page import Site, read_form, show

FORM = "authorize"
KEY_NAME = "Made at the log-in page"


def add_page(router: Router, site: Site, guesses: Guesses | None = None) -> None:
    """The page explains how to get a key, and makes one for who has a password."""
    counted = Guesses() if guesses is None else guesses

    async def form(request: Request, username: str = "", error: DomainError | None = None) -> None:
        ready = await asyncio.to_thread(setup_operations.is_set_up, site.context)
        await show(
            request,
            "authorize.html",
            {
                "address": site.address,
                "ready": ready,
                "token": site.form_token(FORM),
                "username": username,
            },
            error,
        )

    async def read(request: Request) -> None:
        await form(request)

    async def send(request: Request) -> None:
        username = ""
        try:
            site.check_same_origin(request)
            fields = await read_form(request)
            username = fields.get("username", "")
            site.check_form_token(FORM, fields.get("token", ""))
            made = await asyncio.to_thread(
                operations.log_in_for_key,
                site.context.acting(None, "web"),
                counted,
                username=username,
                password=fields.get("password", ""),
                address=request.client,
                name=KEY_NAME,
            )
        except DomainError as error:
            await form(request, username, error)
            return
        await show(
            request,
            "key.html",
            {"address": site.address, "username": made.username, "api_key": made.secret},
        )

    router.add("GET", "/authorize", read)
    router.add("POST", "/authorize", send)
