"""All pages of this face."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from byname.http.links import Signer
from byname.http.router import Router
from byname.operations.context import Context
from byname.operations.health import About
from byname.operations.password import Guesses
from byname.web import (
    access,
    account,
    authorize,
    automation,
    execution,
    home,
    invitation,
    landing,
    login,
    new_automation,
    new_collection,
    organization,
    project,
    registry,
    registry_link,
    registry_settings,
    run,
    search,
    server,
    setup,
    team,
    team_integrations,
)
from byname.web.page import Site, add_static

if TYPE_CHECKING:
    from byname.web.oidc import OidcLogin


def add_pages(
    router: Router,
    ctx: Context,
    signer: Signer,
    address: str,
    guesses: Guesses | None = None,
    about: About | None = None,
    oidc: OidcLogin | None = None,
) -> None:
    """The router answers all pages, from `/` to those that the client prints the addresses of.

    `address` is how people reach the server, without a slash at the end.
    """
    known = About("", datetime.now(UTC)) if about is None else about
    name = None if oidc is None else oidc.provider.name
    site = Site(ctx, signer, address, Guesses() if guesses is None else guesses, known, name)
    add_static(router)
    landing.add_page(router, site)
    login.add_page(router, site)
    if oidc is not None:
        # What it is made of is installed only where it is wanted.
        from byname.web import oidc as provider_pages

        provider_pages.add_pages(router, site, oidc)
    authorize.add_page(router, site, site.guesses)
    setup.add_page(router, site)
    invitation.add_page(router, site)
    account.add_page(router, site)
    home.add_page(router, site)
    search.add_page(router, site)
    organization.add_pages(router, site)
    server.add_pages(router, site)
    team_integrations.add_to_team()
    team.add_page(router, site)
    registry.add_page(router, site)
    automation.add_page(router, site)
    execution.add_page(router, site)
    new_automation.add_page(router, site)
    new_collection.add_page(router, site)
    registry_link.add_page(router, site)
    registry_settings.add_page(router, site)
    access.add_page(router, site)
    project.add_page(router, site)
    run.add_page(router, site)
