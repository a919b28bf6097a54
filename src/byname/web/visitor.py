"""Who looks at a page, and what every page of a logged-in person shares (A8, A9, R10)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import quote

from byname.domain.errors import DomainError, Forbidden, Kind, NotFound, Unauthenticated
from byname.domain.names import RESERVED_ENTITIES
from byname.domain.session import ABSOLUTE, Session
from byname.http.asked import acting, because
from byname.http.content import disposition
from byname.http.errors import STATUS_BY_KIND, error_headers
from byname.http.message import (
    Handler,
    Header,
    Request,
    send_bytes,
    send_empty,
    send_page,
    send_start,
)
from byname.operations import group
from byname.operations import session as sessions
from byname.operations.context import Context
from byname.web.looks import TEMPLATES
from byname.web.page import Site, read_form
from byname.web.repeated import name_of

COOKIE = b"byname_session"
SECURE_COOKIE = b"__Host-byname"
FORM_BYTES_MAX = 256 * 1024
FORM_PURPOSE = "session-form"
FORM_SECONDS = 12 * 3600
NEXT_LENGTH_MAX = 2_048
FILE_HEADERS: tuple[Header, ...] = ((b"content-security-policy", b"sandbox; default-src 'none'"),)
NOTICE_COOKIE = b"byname_notice"
NOTICE_PURPOSE = "notice"
NOTICE_SECONDS = 60
NOTICE_LENGTH_MAX = 300


def is_secure(site: Site, request: Request) -> bool:
    """Whether the browser came by https."""
    return site.address.startswith("https://") or request.scope.get("scheme") == "https"


def read_token(site: Site, request: Request) -> str | None:
    """The token in the session's cookie; None where there is none."""
    token = read_cookie(request, SECURE_COOKIE if is_secure(site, request) else COOKIE)
    return None if token is None or len(token) >= 128 else token


def read_cookie(request: Request, name: bytes) -> str | None:
    """The value of the browser's cookie of that name; None where there is none."""
    for header in request.headers(b"cookie"):
        for piece in header.split(b";"):
            key, sign, value = piece.strip().partition(b"=")
            if key == name and sign:
                return value.decode("latin-1")
    return None


def browser_of(request: Request) -> str:
    """What the browser says it is."""
    return (request.header(b"user-agent") or b"").decode("latin-1")


def session_cookie(site: Site, request: Request, token: str) -> Header:
    """The header that gives the browser a token; an empty one takes it away (A8)."""
    secure = is_secure(site, request)
    name = (SECURE_COOKIE if secure else COOKIE).decode()
    seconds = int(ABSOLUTE.total_seconds()) if token else 0
    value = f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return b"set-cookie", (value + ("; Secure" if secure else "")).encode("ascii")


def _notice_cookie(ask: Ask, text: str) -> Header:
    """The header by which the next page says what was done; an empty text takes it away.

    It is bound to the session, so that nobody can put words on another's page.
    """
    token = ""
    if text:
        told = text[:NOTICE_LENGTH_MAX].encode("utf-8", "replace").decode()
        expires_at = int(time.time()) + NOTICE_SECONDS
        token = ask.site.signer.sign(NOTICE_PURPOSE, [ask.session.id, told], expires_at)
    seconds = NOTICE_SECONDS if text else 0
    value = f"byname_notice={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return b"set-cookie", value.encode("ascii")


def _read_notice(site: Site, request: Request, session: Session) -> str:
    token = read_cookie(request, NOTICE_COOKIE)
    if not token:
        return ""
    try:
        fields = site.signer.verify(NOTICE_PURPOSE, token, time.time())
    except Unauthenticated:
        return ""
    return str(fields[1]) if len(fields) == 2 and fields[0] == session.id else ""


def local_path(text: str | None, default: str) -> str:
    """The text when it is a path on this server; anything else becomes the default.

    A browser takes `//host`, and with a backslash too, for another server.
    """
    if not text or len(text) > NEXT_LENGTH_MAX or not text.startswith("/"):
        return default
    if text.startswith("//") or "\\" in text or not text.isascii() or not text.isprintable():
        return default
    return text


def form_token(site: Site, session: Session) -> str:
    """What every form on a page of that session must carry: it is good for no other (A9)."""
    return site.signer.sign(FORM_PURPOSE, [session.id], int(time.time()) + FORM_SECONDS)


def check_form_token(site: Site, session: Session, token: str) -> None:
    """Return when the form stood on a page that this session was shown.

    Raises:
        Forbidden: it did not, or too long ago.
    """
    try:
        fields = site.signer.verify(FORM_PURPOSE, token, time.time())
    except Unauthenticated:
        fields = ()
    if fields != (session.id,):
        raise Forbidden("This form is too old; please send it again", code="form_expired")


@dataclass(frozen=True, slots=True)
class Ask:
    """One look at a page by somebody who is logged in, or a form they send there."""

    site: Site
    ctx: Context
    session: Session
    params: Mapping[str, str]
    query: Callable[[str], str | None]
    queries: Callable[[str], list[str]]
    """All values of a word of the query, for those that may stand there more than once."""
    client: str
    """The network address it came from."""
    part: bool = False
    """A part of a page is asked for, by a script of ours."""
    notice: str = ""
    """What was done just before, to be said once."""
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The path below which all pages lie."""
        return self.site.root

    def text(self, name: str) -> str:
        """A field of the form; empty where it is absent."""
        return self.form.get(name, "")

    def form_token(self) -> str:
        """What every form on the page must carry: it is good for this session only (A9)."""
        return form_token(self.site, self.session)

    def check_form_token(self) -> None:
        """Return when the form stood on a page that this session was shown.

        Raises:
            Forbidden: it did not, or too long ago.
        """
        check_form_token(self.site, self.session, self.text("token"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: which template with which values; with an error, in its status and with its words."""

    template: str
    values: Mapping[str, Any]
    error: DomainError | None = None
    once: bool = False
    """It shows what was done, or a secret that is shown once: a form that comes again gets the same."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The browser is to go on to this path of ours."""

    to: str
    forget: bool = False
    """The browser is to forget its session."""
    notice: str = ""
    """What was done, for the next page to say."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that the browser keeps: never shown on a page of ours (A11)."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file that the browser keeps, sent piece by piece as it is put together."""

    filename: str
    content_type: str
    pieces: Iterator[bytes]


Answer: TypeAlias = Shown | Moved | Sent | Written
Reader: TypeAlias = Callable[[Ask], Answer]


async def find_visit(site: Site, request: Request) -> sessions.Visit | None:
    """Who is logged in with this browser. That it is in use is written down now and then."""
    token = read_token(site, request)
    if token is None:
        return None
    visit = await asyncio.to_thread(sessions.find, site.context, token)
    if visit is not None:
        await asyncio.to_thread(sessions.note_use, site.context, visit.session)
    return visit


def wants_page(request: Request) -> bool:
    """Whether it is a browser that asks, for people, and not a program."""
    return b"text/html" in (request.header(b"accept") or b"") or wants_part(request)


def wants_part(request: Request) -> bool:
    """Whether a script on a page of ours asks, to put a part of the answer into that page."""
    return request.header(b"hx-request") is not None


def page_for(site: Site, read: Reader) -> Handler:
    """A page that only people who are logged in see; others are sent to the log-in page."""
    return _handler(site, read, changes=False)


def form_for(site: Site, change: Reader) -> Handler:
    """Takes the forms of such a page: same origin, and a token of this very session (A9)."""
    return _handler(site, change, changes=True)


def _handler(site: Site, answer: Reader, *, changes: bool) -> Handler:
    async def handle(request: Request) -> None:
        first = request.params.get("entity", "").casefold()
        if first in RESERVED_ENTITIES or not (changes or wants_page(request)):
            raise NotFound("There is nothing at this address", code="no_route")
        visit = await find_visit(site, request)
        if visit is None:
            await _ask_for_login(site, request, changes=changes)
            return
        await answer_as(site, request, visit, answer, changes=changes)

    return handle


async def _ask_for_login(site: Site, request: Request, *, changes: bool) -> None:
    # A form cannot be sent again after the log-in: its page comes back instead.
    wanted = local_path(site.root.rstrip("/") + path_of(request), site.root)
    if request.path == "/logout":
        wanted = site.root
    to = f"{site.root}login?next={quote(wanted, safe='')}"
    if changes and request.path != "/logout":
        # Who wrote the form was logged in then, and is told that it was not taken.
        to += "&lost=form"
    if wants_part(request):
        # The whole page is to go to the log-in, and to come back to where it is.
        there = (b"hx-redirect", to.encode("ascii")) if changes else (b"hx-refresh", b"true")
        await send_empty(request, 204, [there, NOT_KEPT])
        return
    await send_empty(request, 303, [(b"location", to.encode("ascii")), NOT_KEPT])


NOT_KEPT: Header = (b"cache-control", b"no-store")


def path_of(request: Request) -> str:
    """Path and query as they came, in ASCII."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    text = raw.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
    return quote(text, safe="/?&=%+-._~:@!$'()*,;")


async def answer_as(
    site: Site, request: Request, visit: sessions.Visit, answer: Reader, *, changes: bool
) -> None:
    """Answer with the page, or in words and status of the refusal."""
    ask = Ask(
        site=site,
        ctx=acting(site.context, visit.actor, "web", request.scope),
        session=visit.session,
        params=request.params,
        query=request.query,
        queries=request.queries,
        client=request.client,
        part=wants_part(request),
        notice="" if wants_part(request) else _read_notice(site, request, visit.session),
    )
    try:
        if changes:
            site.check_same_origin(request)
            form = await read_form(request, FORM_BYTES_MAX)
            ask = Ask(**{name: getattr(ask, name) for name in Ask.__slots__} | {"form": form})
            ask.check_form_token()

        async def work() -> _Made:
            return await asyncio.to_thread(_work, ask, answer, changes=changes)

        once = ask.text("once") if changes else ""
        if once:
            where = (visit.session.id, request.path, request.scope["query_string"])
            name = name_of(*where, fields={**ask.form, "once": once})
            found = await site.repeated.run(
                name, work, lambda each: each.kept, lambda each: len(each.html)
            )
            made = replace(found, headers=list(found.headers))
        else:
            made = await work()
    except DomainError as error:
        made = await asyncio.to_thread(render, ask, _refusal(error))
        made.error = error
    if made.error is not None:
        because(request.scope, made.error)
    if made.forget:
        made.headers.append(session_cookie(site, request, ""))
    if made.notice or (ask.notice and made.status != 303):
        made.headers.append(_notice_cookie(ask, made.notice))
    if made.content is not None:
        await send_bytes(request, made.status, made.content, made.headers)
    elif made.pieces is not None:
        await _send_pieces(request, made.headers, made.pieces)
    elif made.status == 303:
        await send_empty(request, 303, made.headers)
    else:
        await send_page(request, made.html, made.status, made.headers)


async def _send_pieces(request: Request, headers: list[Header], pieces: Iterator[bytes]) -> None:
    def following() -> bytes | None:
        return next(pieces, None)

    # The first piece is made before anything is sent, so that a refusal can still be told.
    piece = await asyncio.to_thread(following)
    await send_start(request, 200, headers)
    while piece is not None:
        await request.send({"type": "http.response.body", "body": piece, "more_body": True})
        piece = await asyncio.to_thread(following)
    await request.send({"type": "http.response.body", "body": b""})


def _refusal(error: DomainError) -> Shown:
    return Shown("problem.html", {"missing": error.kind is Kind.NOT_FOUND}, error)


@dataclass(slots=True)
class _Made:
    status: int
    html: str
    headers: list[Header]
    forget: bool = False
    notice: str = ""
    content: bytes | None = None
    pieces: Iterator[bytes] | None = None
    error: DomainError | None = None
    kept: bool = False
    """It is the answer to the same form too, should that come once more."""


def _work(ask: Ask, answer: Reader, *, changes: bool) -> _Made:
    if changes:
        return render(ask, answer(ask))
    # All that a page shows is of one moment.
    with ask.ctx.database.read():
        return render(ask, answer(ask))


def render(ask: Ask, answer: Answer) -> _Made:
    """The answer as a browser gets it."""
    if isinstance(answer, Moved):
        headers = [(b"location", answer.to.encode("ascii")), NOT_KEPT]
        return _Made(303, "", headers, answer.forget, answer.notice, kept=not answer.forget)
    if isinstance(answer, Sent):
        headers = [
            (b"content-type", answer.media_type.encode("ascii")),
            (b"content-disposition", f'attachment; filename="{answer.name}"'.encode("ascii")),
            (b"content-security-policy", b"sandbox; default-src 'none'"),
            NOT_KEPT,
        ]
        return _Made(200, "", headers, content=answer.content)
    if isinstance(answer, Written):
        headers = [
            *FILE_HEADERS,
            (b"content-type", answer.content_type.encode("ascii")),
            (b"content-disposition", disposition(answer.filename)),
            NOT_KEPT,
        ]
        return _Made(200, "", headers, pieces=answer.pieces)
    error = answer.error
    html = TEMPLATES.get_template(answer.template).render(
        {
            "root": ask.root,
            "address": ask.site.address,
            "me": ask.ctx.who.username,
            "server_admin": ask.ctx.who.server_admin,
            "organizations": group.own_organizations(ask.ctx),
            "token": ask.form_token(),
            "notice": ask.notice,
            "sought": (ask.query("q") or "") if answer.template == "search.html" else "",
            "problem": None if error is None else error.message,
            **answer.values,
        }
    )
    # A lone surrogate, which a request may hold, cannot be sent.
    html = html.encode("utf-8", "replace").decode()
    if error is None:
        return _Made(200, html, [], kept=answer.once)
    headers = [each for each in error_headers(error) if each[0] != b"www-authenticate"]
    return _Made(STATUS_BY_KIND[error.kind], html, headers, error=error)
