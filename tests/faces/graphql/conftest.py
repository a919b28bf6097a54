"""Fixtures for tests of the SDK's face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import Site, serving
from tests.support.world import World


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """A whole server, asked by its administrator."""
    with serving(world, tmp_path) as made:
        yield made
