"""`pip install byname` without the extra `server` is enough for the client and its commands (R185).

Another process is started in which nothing can be imported but the standard library, Byname, and what
its dependencies without extras need.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import Site, serving
from tests.support.world import World, link_version, log_version

ROOT = Path(__file__).resolve().parents[2]
BLOCK = """
import importlib.abc, json, sys
allowed = set(json.loads(sys.argv.pop(1))) | set(sys.stdlib_module_names) | {"byname"}
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and not top.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
sys.meta_path.insert(0, Block())
"""
SETUP = [
    "setup",
    *("--username", "a", "--email", "a@example.org", "--organization", "o", "--team", "t"),
]
COMMAND = BLOCK + "from byname.cli.main import main; sys.argv[0] = 'byname'; main()"


def needed_without_extras() -> set[str]:
    """The modules of everything that a plain installation brings."""
    waiting, found = ["byname"], set[str]()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            lines = metadata.requires(name) or ()
        except metadata.PackageNotFoundError:
            continue  # Of another system or Python.
        found.add(name)
        for line in lines:
            if "extra ==" not in line:
                waiting.append(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0])
    return {
        module
        for module, owners in metadata.packages_distributions().items()
        if {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} & found
    }


@pytest.fixture(scope="module")
def modules() -> str:
    found = needed_without_extras()
    assert "typer" in found
    assert not found & {"fastapi", "starlette", "pysqlite3", "uvicorn", "graphql", "jinja2", "re2"}
    return json.dumps(sorted(found))


def python(modules: str, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What the code does where only these modules can be imported."""
    return subprocess.run(
        [sys.executable, "-c", code, modules, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT / "tests",
    )


class TestClientCommands:
    """R185: whoever serves a model needs no server packages."""

    def test_the_client_and_its_commands_work(
        self, modules: str, world: World, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
    ) -> None:
        version = log_version(world.admin, files={"f": b"text"})
        link_version(world.admin, version, aliases=["production"])
        with serving(world, tmp_path_factory.mktemp("site")) as site:
            told = by_client(modules, site, tmp_path / "one")
            assert (told["version"], told["alias"]) == ("v0", "v0")
            assert (tmp_path / "one" / "f").read_bytes() == b"text"
            asked = ["--url", site.address, "--api-key", site.key, "--json"]
            for words in (
                ["registry", "ls", "acme"],
                ["version", "show", "acme/Model/Zoo:production"],
                ["history", "acme/Model/Zoo"],
                ["download", "acme/Model/Zoo:production", str(tmp_path / "two")],
            ):
                answer = python(modules, COMMAND, *words, *asked)
                assert answer.returncode == 0, answer.stderr
                assert json.loads(answer.stdout)
            refused = python(modules, COMMAND, "registry", "show", "acme/No", *asked)
            assert refused.returncode == 5, refused.stderr

    def test_every_command_has_its_help(self, modules: str) -> None:
        answer = python(modules, COMMAND, "--help")
        assert answer.returncode == 0, answer.stderr
        assert "download" in answer.stdout

    @pytest.mark.parametrize(
        "words", [["serve"], SETUP, ["check"], ["gc", "--data", "."], ["secret", "rotate-key"]]
    )
    def test_what_needs_a_server_says_what_to_install(self, modules: str, words: list[str]) -> None:
        answer = python(modules, COMMAND, *words)
        assert answer.returncode == 7, (answer.returncode, answer.stderr)
        assert 'pip install ".[server]" in a clone' in answer.stderr
        assert "Traceback" not in answer.stderr


def by_client(modules: str, site: Site, folder: Path) -> Any:
    """What a small program with the client says."""
    code = (
        BLOCK
        + """
from byname import Client
client = Client(sys.argv[1], sys.argv[2], organization="acme")
done = client.download("Model/Zoo:production", sys.argv[3])
alias = client.move("Model/Zoo:best", "v0", expect=None)
print(json.dumps({"version": done.version.version, "alias": alias.version}))
"""
    )
    answer = python(modules, code, site.address, site.key, str(folder))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
