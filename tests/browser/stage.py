"""The servers on which all pages can be looked at: lived in, at its first start, and with a provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.pages import Look
from tests.browser.sample import fill
from tests.support.rig import Rig, free_port, make_rig

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
    keys: dict[str, str]
    setup: str
    invitation: str

    def address(self, look: Look) -> str:
        """Where that page is."""
        rig = {"sample": self.sample, "fresh": self.fresh, "provider": self.provider}[look.server]
        path = look.path.replace("{setup}", self.setup).replace("{invitation}", self.invitation)
        return rig.url + path


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The servers run, and end."""
    for name in ("sample", "fresh"):
        (folder / name).mkdir()
    sample = make_rig(folder / "sample")
    made = fill(sample.data)
    fresh = Rig(folder / "fresh", free_port(), "")
    provider = sample.beside()
    provider.settings = PROVIDER
    rigs = (sample, fresh, provider)
    try:
        for rig in rigs:
            rig.start()
        [setup] = re.findall(r"/setup\?token=(\S+)", fresh.log.read_text())
        yield Stage(sample, fresh, provider, made.keys, setup, made.invitation)
    finally:
        for rig in rigs:
            rig.kill()
