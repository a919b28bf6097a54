"""All pages of this face."""

from __future__ import annotations

from byname.http.links import Signer
from byname.http.router import Router
from byname.operations.context import Context
from byname.operations.password import Guesses
from byname.web import (
    access,
    account,
    authorize,
    home,
    landing,
    login,
    new_collection,
    project,
    registry,
    registry_link,
    registry_settings,
    run,
    search,
    setup,
)
from byname.web.page import Site, add_static


def add_pages(
    router: Router, ctx: Context, signer: Signer, address: str, guesses: Guesses | None = None
) -> None:
    """The router answers all pages, from `/` to those that the client prints the addresses of.

    `address` is how people reach the server, without a slash at the end.
    """
    site = Site(ctx, signer, address, Guesses() if guesses is None else guesses)
    add_static(router)
    landing.add_page(router, site)
    login.add_page(router, site)
    authorize.add_page(router, site, site.guesses)
    setup.add_page(router, site)
    account.add_page(router, site)
    home.add_page(router, site)
    search.add_page(router, site)
    registry.add_page(router, site)
    new_collection.add_page(router, site)
    registry_link.add_page(router, site)
    registry_settings.add_page(router, site)
    access.add_page(router, site)
    project.add_page(router, site)
    run.add_page(router, site)
