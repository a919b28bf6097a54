"""Fixtures that every room of the tests may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.house import House, make_house
from tests.support.world import World, make_world

# How long an example takes says more about the machine than about us.
settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server without faces, on a database and disk of its own."""
    made = make_world(tmp_path)
    yield made
    made.nobody.blobs.close()
    made.nobody.database.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server state just after its set-up."""
    made = make_house(tmp_path)
    yield made
    made.ctx.blobs.close()
    made.ctx.database.close()
