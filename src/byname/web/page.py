"""What every page shares: templates, forms, and the check that a form came from our own page."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from byname.domain.errors import DomainError, Forbidden, Invalid, Unauthenticated
from byname.http.asked import because
from byname.http.body import read_body
from byname.http.errors import STATUS_BY_KIND, error_headers
from byname.http.links import Signer
from byname.http.message import Handler, Header, Request, send_bytes, send_page
from byname.http.router import Router
from byname.operations.context import Context
from byname.operations.health import About
from byname.operations.password import Guesses
from byname.web.looks import STATIC, TEMPLATES
from byname.web.repeated import Repeated

FORM_BYTES_MAX = 16_384
FIELDS_MAX = 20
FORM_SECONDS = 3600
FORM_TYPE = b"application/x-www-form-urlencoded"
FORM_PURPOSE = "form"
STATIC_TYPES = {"css": b"text/css; charset=utf-8", "js": b"text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages know of the server."""

    context: Context
    signer: Signer
    address: str
    """How people reach this server, without a slash at the end."""
    guesses: Guesses = field(default_factory=Guesses)
    """Counts failed log-ins, for all pages together."""
    about: About = field(default_factory=lambda: About("", datetime.now(UTC)))
    """What is known of this process from its start."""
    provider_name: str | None = None
    """By whom people may log in besides by password and key; None: by nobody."""
    repeated: Repeated = field(default_factory=Repeated)
    """What was answered to forms a moment ago, for those that come twice."""

    @property
    def root(self) -> str:
        """The path below which all pages lie, with a slash at both ends."""
        return urlsplit(self.address).path.rstrip("/") + "/"

    def form_token(self, form: str) -> str:
        """A token that shows that a form of that name came from us, good for an hour (A9).

        Each is another one: a form of a page that was opened anew is not the same that comes twice.
        """
        fields = [form, secrets.token_hex(8)]
        return self.signer.sign(FORM_PURPOSE, fields, int(time.time()) + FORM_SECONDS)

    def check_form_token(self, form: str, token: str) -> None:
        """Return when the token is ours, for that form, and not too old.

        Raises:
            Forbidden: it is not.
        """
        try:
            fields = self.signer.verify(FORM_PURPOSE, token, time.time())
        except Unauthenticated:
            fields = ()
        if fields[:1] != (form,):
            raise Forbidden("This form is too old; please send it again", code="form_expired")

    def check_same_origin(self, request: Request) -> None:
        """Return when a browser says that the form stood on a page of ours, or is none (A9).

        Raises:
            Forbidden: it stood on another site.
        """
        site = request.header(b"sec-fetch-site")
        if site is not None:
            ours = site == b"same-origin"
        else:
            origin = request.header(b"origin")
            host = (request.header(b"host") or b"").decode("latin-1")
            ours = origin is None or _host_of(origin.decode("latin-1")) in (
                host.lower(),
                _host_of(self.address),
            )
        if not ours:
            raise Forbidden("This form was sent from another site", code="cross_site")


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return "(none)"


async def read_form(request: Request, limit: int = FORM_BYTES_MAX) -> dict[str, str]:
    """The fields of a form.

    Raises:
        Invalid: not a form, not UTF-8, a field twice, or more than 20 fields.
        TooLarge: over `limit` bytes, 16 KiB where none is said.
        ClientGone: the request broke off.
    """
    kind = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise Invalid(f"Send the form as {FORM_TYPE.decode()}")
    body = await read_body(request, limit)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise Invalid("The form cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid("The form has a field twice")
    return fields


async def show(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    error: DomainError | None = None,
    headers: Sequence[Header] = (),
) -> None:
    """Answer with a page; with an error, in its status and with its words on the page."""
    html = TEMPLATES.get_template(template).render(
        **values, problem=None if error is None else error.message
    )
    if error is None:
        await send_page(request, html, 200, list(headers))
        return
    because(request.scope, error)
    # A browser would open a log-in window of its own at `WWW-Authenticate`.
    told = [each for each in error_headers(error) if each[0] != b"www-authenticate"]
    await send_page(request, html, STATUS_BY_KIND[error.kind], [*told, *headers])


def add_static(router: Router) -> None:
    """`/static/...` are the style and the scripts of all pages, as they were at the start."""
    for name, content in STATIC.items():
        router.add("GET", f"/static/{name}", _serve(name, content))


def _serve(name: str, content: bytes) -> Handler:
    headers = [
        (b"content-type", STATIC_TYPES[name.rpartition(".")[2]]),
        # Pages ask for it with its fingerprint in the query: other content, another address.
        (b"cache-control", b"public, max-age=31536000, immutable"),
    ]

    async def serve(request: Request) -> None:
        await send_bytes(request, 200, content, headers)

    return serve
