"""The servers on which all pages can be looked at: lived in, at its first start, and with a provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from playwright.sync_api import Page

from tests.browser.pages import Look
from tests.browser.sample import fill
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig, reserve_port

PROVIDER = {
    "BYNAME_OIDC_ISSUER": "https://id.example.org",
    "BYNAME_OIDC_CLIENT_ID": "byname",
    "BYNAME_OIDC_CLIENT_SECRET": "not-a-real-secret",
    "BYNAME_OIDC_NAME": "Example",
}
"""Nobody is asked before somebody presses the button."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that run, the keys of the people of the sample, and what only their set-up knows."""

    sample: Rig
    fresh: Rig
    provider: Rig
    born: Rig
    keys: dict[str, str]
    setup: str
    invitation: str
    kept: dict[str, tuple[str, dict[str, str]]]
    """What was answered to forms that are sent once, by the path, with the headers."""

    def goto(self, page: Page, look: Look, **more: Any) -> None:
        """The page is loaded."""
        address = self.address(look)
        if look.kept:
            body, headers = self.kept[look.path]
            page.route(address, lambda route: route.fulfill(body=body, headers=headers))
        page.goto(address, **more)
        if look.kept:
            page.unroute(address)

    def address(self, look: Look) -> str:
        """Where that page is."""
        rig: Rig = getattr(self, look.server)
        path = look.path.replace("{setup}", self.setup).replace("{invitation}", self.invitation)
        return rig.url + path


def set_up(rig: Rig) -> tuple[str, dict[str, str]]:
    """The page that ends the set-up of a server, with its headers."""
    [token] = re.findall(r"/setup\?token=(\S+)", rig.log.read_text())
    fields = {
        "token": token, "username": "ann", "email": "ann@example.org", "password": "",
        "organization": ORGANIZATION, "team": TEAM,
    }  # fmt: skip
    with urlopen(f"{rig.url}/setup", urlencode(fields).encode(), timeout=60) as answer:
        kept = ("content-type", "content-security-policy")
        return answer.read().decode(), {each: answer.headers[each] for each in kept}


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The servers run, and end."""
    for name in ("sample", "fresh", "born"):
        (folder / name).mkdir()
    sample = make_rig(folder / "sample")
    made = fill(sample.data)
    fresh = Rig(folder / "fresh", reserve_port(), "")
    born = Rig(folder / "born", reserve_port(), "")
    provider = sample.beside()
    provider.settings = PROVIDER
    rigs = (sample, fresh, provider, born)
    try:
        for rig in rigs:
            rig.start()
        [setup] = re.findall(r"/setup\?token=(\S+)", fresh.log.read_text())
        kept = {"/setup": set_up(born)}
        yield Stage(sample, fresh, provider, born, made.keys, setup, made.invitation, kept)
    finally:
        for rig in rigs:
            rig.kill()
