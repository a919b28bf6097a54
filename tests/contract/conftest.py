"""One running server for the contract tests of this process, and the real clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rig import Rig, make_rig
from tests.support.sdk import RELEASES, Sdk


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that is set up and running."""
    made = make_rig(tmp_path_factory.mktemp("server"))
    made.settings["BYNAME_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    made.start()
    yield made
    made.kill()
    # An answer that was our fault leaves its trace here, also where a client got over it.
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]


@pytest.fixture(params=RELEASES)
def sdk(request: pytest.FixtureRequest, rig: Rig, tmp_path: Path) -> Sdk:
    """Each supported release of the client."""
    found = Sdk(request.param, rig.url, rig.api_key, tmp_path)
    assert found.bin.is_dir(), (
        f"wandb {request.param} is not installed in {found.bin}; `make setup` does it"
    )
    return found
