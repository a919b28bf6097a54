"""`/login` and `/logout`: opening and ending a session (A7 to A9)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from byname.domain.errors import DomainError
from byname.http.asked import acting, call_of
from byname.http.message import Header, Request, send_empty
from byname.http.router import Router
from byname.operations import session as operations
from byname.operations import setup as setup_operations
from byname.web.page import Site, read_form, show
from byname.web.visitor import (
    NOT_KEPT,
    Answer,
    Ask,
    Moved,
    browser_of,
    find_visit,
    form_for,
    local_path,
    read_token,
    session_cookie,
)

FORM = "login"


def add_page(router: Router, site: Site) -> None:
    """People log in with name and password, or with an API key while they have no password."""

    async def read(request: Request) -> None:
        wanted = request.query("next") or ""
        if await find_visit(site, request) is not None:
            await _go(request, local_path(wanted, site.root))
            return
        await show_form(site, request, {"next": wanted, "lost": request.query("lost") or ""})

    async def send(request: Request) -> None:
        fields: dict[str, str] = {}
        try:
            site.check_same_origin(request)
            fields = await read_form(request)
            site.check_form_token(FORM, fields.get("token", ""))
            token = await asyncio.to_thread(_open, site, request, fields)
        except DomainError as error:
            await show_form(site, request, fields, error)
            return
        await _go(
            request,
            local_path(fields.get("next"), site.root),
            session_cookie(site, request, token),
        )

    router.add("GET", "/login", read)
    router.add("POST", "/login", send)
    router.add("POST", "/logout", form_for(site, _leave))


async def show_form(
    site: Site,
    request: Request,
    fields: dict[str, str],
    error: DomainError | None = None,
    headers: Sequence[Header] = (),
) -> None:
    """Answer with the log-in page, filled in as before; with an error, with its words."""
    values = {
        "root": site.root,
        "address": site.address,
        "ready": await asyncio.to_thread(setup_operations.is_set_up, site.context),
        "token": site.form_token(FORM),
        "username": fields.get("username", ""),
        "next": local_path(fields.get("next"), site.root),
        "lost": bool(fields.get("lost")),
        "with_key": "api_key" in fields,
        "provider": site.provider_name,
    }
    await show(request, "login.html", values, error, headers)


def _open(site: Site, request: Request, fields: dict[str, str]) -> str:
    ctx = acting(site.context, None, "web", request.scope)
    call_of(request.scope, "POST /login", "user:log_in")
    before = read_token(site, request)
    if "api_key" in fields:
        return operations.log_in_with_key(
            ctx, api_key=fields["api_key"], before=before, browser=browser_of(request)
        )
    return operations.log_in(
        ctx,
        site.guesses,
        username=fields.get("username", ""),
        password=fields.get("password", ""),
        address=request.client,
        before=before,
        browser=browser_of(request),
    )


def _leave(ask: Ask) -> Answer:
    """The session is over, and the browser forgets its token."""
    operations.log_out(ask.ctx, ask.session)
    return Moved(ask.site.root + "login", forget=True)


async def _go(request: Request, to: str, *headers: tuple[bytes, bytes]) -> None:
    await send_empty(request, 303, [(b"location", to.encode("ascii")), NOT_KEPT, *headers])
