"""`byname alias`, `protect`, `history` and `check`, against a running server and alone on a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from byname.cli.main import app
from byname.http.router import Router
from byname.http.server import HttpServer
from byname.operations import key
from byname.rest.api import make_api
from tests.support.world import ORGANIZATION, World, link_version, log_version

RUNNER = CliRunner()
MODEL = f"{ORGANIZATION}/Model"
PRODUCTION = f"{MODEL}/Zoo:production"


class Shell:
    """The command, as the admin types it."""

    def __init__(self, url: str, api_key: str) -> None:
        self.env = {"BYNAME_URL": url, "BYNAME_API_KEY": api_key}

    def run(self, *words: str) -> tuple[int, Any]:
        result = RUNNER.invoke(app, [*words, "--json"], env=self.env)
        text = result.stdout if result.exit_code in (0, 8) else result.stderr
        return result.exit_code, json.loads(text)

    def text(self, *words: str) -> str:
        result = RUNNER.invoke(app, words, env=self.env)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
def shell(world: World) -> Iterator[Shell]:
    for number in range(2):
        link_version(world.admin, log_version(world.admin, files={"f": b"%d" % number}))
    router = Router()
    router.mount("/api", make_api(world.nobody))
    server = HttpServer(router)
    server.start()
    yield Shell(server.address, key.create_key(world.admin).secret)
    server.stop()


class TestNames:
    """R189: setting, moving, taking off, undoing and looking back."""

    def test_the_whole_story(self, shell: Shell) -> None:
        code, moved = shell.run("alias", "set", PRODUCTION, "v0", "--expect", "none")
        assert (code, moved["version"], moved["revision"]) == (0, "v0", 1)
        assert shell.run("alias", "move", PRODUCTION, "v1", "--expect", "v1")[0] == 6
        assert shell.run("alias", "move", PRODUCTION, "v1", "--expect", "v0")[1]["previous"] == "v0"
        assert shell.text("alias", "show", PRODUCTION).startswith(f"{PRODUCTION}: v1 (revision 2")
        assert shell.run("alias", "undo", PRODUCTION)[1]["version"] == "v0"
        held = shell.run("alias", "ls", PRODUCTION)[1]["holders"]
        assert [each["version"] for each in held] == ["v0", "v1", "v0"]
        at = held[1]["since"]
        assert shell.run("alias", "show", PRODUCTION, "--at", at)[1]["version"] == "v1"
        assert shell.run("alias", "rm", PRODUCTION)[1]["version"] is None
        assert shell.run("alias", "rm", PRODUCTION)[0] == 5
        assert shell.run("alias", "show", "nonsense")[0] == 2
        entries = shell.run("history", PRODUCTION)[1]["history"]
        assert [each["kind"] for each in entries] == [
            "alias:remove",
            "alias:move",
            "alias:move",
            "alias:add",
        ]
        assert "v1 -> v0" in shell.text("history", f"{MODEL}/Zoo")
        assert len(shell.run("history", MODEL, "--kind", "link")[1]["history"]) == 2

    def test_protection(self, shell: Shell) -> None:
        shell.run("alias", "set", PRODUCTION, "v0")
        assert shell.run("protect", "add", MODEL, "production")[1]["uses"] == 1
        assert shell.run("protect", "add", MODEL, "latest")[0] == 2
        assert shell.text("protect", "ls", MODEL).split() == ["production", "1", "collection"]
        assert "protected" in shell.text("alias", "show", PRODUCTION)
        assert shell.run("protect", "rm", MODEL, "production")[0] == 0
        assert shell.run("protect", "rm", MODEL, "production")[0] == 5


class TestCheck:
    """What `byname check` says, and the code it exits with."""

    def check(self, world: World, *words: str) -> tuple[int, Any]:
        folder = world.nobody.database.path.parent
        result = RUNNER.invoke(app, ["check", "--data", str(folder), "--json", *words])
        return result.exit_code, json.loads(result.stdout)

    def test_what_is_whole_and_what_is_not(self, world: World) -> None:
        link_version(world.admin, log_version(world.admin), aliases=["best"])
        assert self.check(world, "--bytes") == (0, {"ok": True, "findings": []})
        with world.admin.database.write() as tx:
            tx.run("UPDATE alias SET membership_id = NULL WHERE name = 'best'")
        code, answer = self.check(world)
        assert (code, answer["ok"]) == (8, False)
        assert "'best'" in answer["findings"][0]["text"]

    def test_a_folder_without_a_database_is_left_alone(self, tmp_path: Path) -> None:
        result = RUNNER.invoke(app, ["check", "--data", str(tmp_path)])
        assert result.exit_code == 5
        assert list(tmp_path.iterdir()) == []
