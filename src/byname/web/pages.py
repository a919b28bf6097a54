"""All pages of this face."""

from __future__ import annotations

from byname.http.links import Signer
from byname.http.router import Router
from byname.operations.context import Context
from byname.operations.password import Guesses
from byname.web import authorize, landing, setup
from byname.web.page import Site, add_static


def add_pages(
    router: Router, ctx: Context, signer: Signer, address: str, guesses: Guesses | None = None
) -> None:
    """The router answers `/`, `/authorize`, `/setup` and `/static/...`.

    `address` is how people reach the server, without a slash at the end.
    """
    site = Site(ctx, signer, address)
    add_static(router)
    landing.add_page(router, site)
    authorize.add_page(router, site, guesses)
    setup.add_page(router, site)
