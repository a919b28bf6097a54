"""`/login/oidc` and `/oidc/callback`: going to a provider to log in, and coming back (R195, A8, A9).

What must come back lies in a cookie that only this server can write and only this browser sends, for
ten minutes: so looking at these addresses changes nothing here until somebody has logged in.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from dataclasses import dataclass

from byname.domain.errors import DomainError, Unauthenticated
from byname.http.asked import acting, call_of
from byname.http.identity import Begun, Provider
from byname.http.message import Header, Request, send_empty
from byname.http.router import Router
from byname.operations import identity as operations
from byname.operations.identity import Provisioning
from byname.web.login import show_form
from byname.web.page import Site
from byname.web.visitor import (
    NOT_KEPT,
    browser_of,
    is_secure,
    local_path,
    read_cookie,
    read_token,
    session_cookie,
)

COOKIE = b"byname_oidc"
SECURE_COOKIE = b"__Host-byname-oidc"
PURPOSE = "oidc"
SECONDS = 600
CODE_LENGTH_MAX = 4_096
CALLBACK = "/oidc/callback"


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """The provider, and what becomes of people whom only it knows."""

    provider: Provider
    new: Provisioning


def add_pages(router: Router, site: Site, login: OidcLogin) -> None:
    """People log in at the provider."""
    redirect_uri = site.address + CALLBACK

    async def go(request: Request) -> None:
        following = local_path(request.query("next"), site.root)
        begun = Begun.new()
        try:
            there = await login.provider.address_of(begun, redirect_uri)
        except DomainError as error:
            await show_form(site, request, {"next": following}, error)
            return
        fields = [begun.state, begun.nonce, begun.verifier, following]
        token = site.signer.sign(PURPOSE, fields, int(time.time()) + SECONDS)
        cookie = _cookie(site, request, token)
        await send_empty(request, 303, [(b"location", there.encode()), NOT_KEPT, cookie])

    async def come_back(request: Request) -> None:
        gone = _cookie(site, request, "")
        following = site.root
        ctx = acting(site.context, None, "web", request.scope)
        call_of(request.scope, f"GET {CALLBACK}", "user:log_in")
        try:
            begun, following = _begun(site, request)
            if request.query("error") is not None:
                raise Unauthenticated(
                    "Your provider did not log you in; nothing was changed here",
                    code="oidc_refused",
                )
            code = request.query("code") or ""
            if not code or len(code) > CODE_LENGTH_MAX:
                raise _strange()
            identity = await login.provider.identify(begun, code, redirect_uri)
            session = await asyncio.to_thread(
                operations.log_in,
                ctx,
                identity,
                login.new,
                before=read_token(site, request),
                browser=browser_of(request),
            )
        except DomainError as error:
            await show_form(site, request, {"next": following}, error, [gone])
            return
        headers = [(b"location", following.encode("ascii")), NOT_KEPT, gone]
        await send_empty(request, 303, [*headers, session_cookie(site, request, session)])

    router.add("GET", "/login/oidc", go)
    router.add("GET", CALLBACK, come_back)


def _cookie(site: Site, request: Request, token: str) -> Header:
    secure = is_secure(site, request)
    name = (SECURE_COOKIE if secure else COOKIE).decode()
    value = f"{name}={token}; Path=/; Max-Age={SECONDS if token else 0}; HttpOnly; SameSite=Lax"
    return b"set-cookie", (value + ("; Secure" if secure else "")).encode("ascii")


def _begun(site: Site, request: Request) -> tuple[Begun, str]:
    """The log-in that this very browser has begun, and where it leads.

    Raises:
        Unauthenticated: it has begun none, too long ago, or another one.
    """
    token = read_cookie(request, SECURE_COOKIE if is_secure(site, request) else COOKIE)
    try:
        fields = site.signer.verify(PURPOSE, token or "", time.time())
    except Unauthenticated:
        raise _strange() from None
    state, nonce, verifier, following = (str(each) for each in fields)
    given = (request.query("state") or "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, state.encode()):
        raise _strange()
    return Begun(state, nonce, verifier), local_path(following, site.root)


def _strange() -> Unauthenticated:
    return Unauthenticated(
        "This log-in was not begun in this browser, or more than ten minutes ago. Begin it again",
        code="oidc_refused",
    )
