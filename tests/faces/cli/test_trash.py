"""`byname trash` and `byname gc`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from byname.cli.main import app
from byname.operations import collection
from tests.support.site import Site, serving
from tests.support.world import ORGANIZATION, REGISTRY, World, link_version, log_version

RUNNER = CliRunner()


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    with serving(world, tmp_path) as site:
        yield site


def run(site: Site | None, *words: str) -> Result:
    env: dict[str, str | None] = dict.fromkeys(
        ("BYNAME_URL", "BYNAME_API_KEY", "WANDB_BASE_URL", "WANDB_API_KEY", "BYNAME_DATA")
    )
    if site is not None:
        env |= {"BYNAME_URL": site.address, "BYNAME_API_KEY": site.key}
    return RUNNER.invoke(app, words, env=env)


class TestTrash:
    """R164."""

    def test_listed_and_restored(self, site: Site) -> None:
        version = log_version(site.world.admin)
        place, _ = link_version(site.world.admin, version)
        assert "empty" in run(site, "trash", "ls", ORGANIZATION).stdout
        collection.unlink(site.world.admin, version.id, place.id)
        listed = run(site, "trash", "ls", ORGANIZATION)
        assert f"link\t{ORGANIZATION}/{REGISTRY}/Zoo:v0\t" in listed.stdout
        answer = json.loads(run(site, "trash", "ls", ORGANIZATION, "--json").stdout)
        number = str(answer["deletions"][0]["id"])
        restored = run(site, "trash", "restore", ORGANIZATION, number)
        assert (restored.exit_code, restored.stdout) == (
            0,
            f"Restored link {ORGANIZATION}/{REGISTRY}/Zoo:v0.\n",
        )
        assert run(site, "trash", "restore", ORGANIZATION, number).exit_code == 5


class TestGarbage:
    """R163."""

    def test_over_rest(self, site: Site) -> None:
        log_version(site.world.admin)
        preview = run(site, "gc", "--dry-run", "--list", "1")
        assert preview.exit_code == 0
        assert "stays" in preview.stdout
        assert "0 would go" in preview.stdout
        assert run(site, "gc").stdout.startswith("Freed 0 bytes")

    def test_on_a_folder(self, world: World, tmp_path: Path) -> None:
        log_version(world.admin)
        lines = run(None, "gc", "--dry-run", "--json", "--data", str(tmp_path)).stdout.splitlines()
        verdicts = [json.loads(line) for line in lines]
        assert {each["reason"] for each in verdicts[:-1]} == {
            "a file of a version",
            "the manifest of a version",
        }
        assert verdicts[-1]["stays"] == len(verdicts) - 1
        listed = run(None, "gc", "--dry-run", "--list", "1", "--data", str(tmp_path)).stdout
        assert len(listed.splitlines()) == 2
        done = run(None, "gc", "--json", "--data", str(tmp_path))
        assert json.loads(done.stdout)["blobs"] == 0

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        result = run(None, "gc", "--data", str(tmp_path / "nothing"))
        assert result.exit_code == 5
        assert not (tmp_path / "nothing").exists()
