"""The commands: against a running server, and alone on a data folder."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from byname.cli.main import app
from byname.domain.key import is_key
from byname.http.router import Router
from byname.http.server import HttpServer
from byname.operations import deactivation
from byname.rest.api import make_api
from tests.support.house import ORGANIZATION, TEAM, House

RUNNER = CliRunner()
SET_UP = [
    *("--username", "ann"),
    *("--email", "ann@example.org"),
    *("--organization", ORGANIZATION),
    *("--team", TEAM),
]


@pytest.fixture
def url(house: House) -> Iterator[str]:
    router = Router()
    router.mount("/api", make_api(house.ctx))
    server = HttpServer(router)
    server.start()
    yield server.address
    server.stop()


def names_of(listed: object) -> list[str]:
    """What those in a list are called."""
    assert isinstance(listed, list)
    return [str(each.get("username", each.get("name"))) for each in listed]


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    nothing = ("BYNAME_URL", "BYNAME_API_KEY", "WANDB_BASE_URL", "WANDB_API_KEY", "BYNAME_DATA")
    return RUNNER.invoke(app, words, env={**dict.fromkeys(nothing), **(env or {})})


class TestEveryCallIsACommand:
    """Each call of the administration also is a command, with `--json`."""

    def test_the_whole_story(self, house: House, url: str) -> None:
        env = {"BYNAME_URL": url, "BYNAME_API_KEY": house.keys["ann"]}

        def ask(*words: str) -> dict[str, object]:
            result = run(*words, "--json", env=env)
            assert result.exit_code == 0, result.output
            answer = json.loads(result.stdout)
            assert isinstance(answer, dict)
            return answer

        made = ask("user", "create", "bob", "--email", "bob@example.org")
        assert made["username"] == "bob"
        assert is_key(str(made["api_key"]))
        house.keys["bob"] = str(made["api_key"])
        assert ask("organization", "create", "other", "--owner", "bob", "--starter-registries") == {
            "name": "other"
        }
        assert ask("organization", "member", "set", "other", "ann", "viewer") == {
            "username": "ann",
            "role": "viewer",
        }
        assert ask("team", "create", "crew", "--organization", "other", "--admin", "bob") == {
            "name": "crew"
        }
        assert ask("team", "member", "set", "crew", "ann", "member")["role"] == "member"
        robot = ask("service-account", "create", "robot", "--team", "crew")
        house.keys["robot"] = str(robot["api_key"])
        assert house.actor("robot").entity_name == "crew"
        key = ask("key", "create", "--name", "laptop")
        assert len(ask("key", "ls")["keys"]) == 2  # type: ignore[arg-type]  # It is a list.
        assert ask("key", "create", "--username", "robot")["username"] == "robot"
        assert ask("key", "delete", str(key["id"])) == {"deleted": key["id"]}
        assert ask("team", "ttl", "crew", "--default", "30d", "--admins-only") == {
            "default_seconds": 30 * 86400,
            "admins_only": True,
        }
        assert ask("team", "ttl", "crew", "--members")["default_seconds"] == 30 * 86400
        never = {"default_seconds": None, "admins_only": False}
        assert ask("team", "ttl", "crew", "--default", "never") == never
        assert ask("team", "ttl", "crew") == never
        assert names_of(ask("user", "ls")["users"]) == ["ann", "bob"]
        assert names_of(ask("user", "ls", "--text", "bob@")["users"]) == ["bob"]
        bob = ask("user", "show", "bob")
        assert names_of(bob["organizations"]) == ["other"]
        assert names_of(bob["teams"]) == ["crew"]
        assert names_of(ask("organization", "ls")["organizations"]) == ["other", ORGANIZATION]
        assert names_of(ask("organization", "ls", "--limit", "1")["organizations"]) == ["other"]
        assert ask("organization", "show", "other")["members"] == 3
        listed = ask("organization", "member", "list", "other")["members"]
        assert names_of(listed) == ["ann", "bob", "robot"]
        assert names_of(ask("team", "ls", "other")["teams"]) == ["crew"]
        assert ask("team", "show", "crew")["organization"] == "other"
        assert names_of(ask("team", "member", "ls", "crew")["members"]) == ["ann", "bob", "robot"]
        assert ask("team", "member", "rm", "crew", "ann") == {"removed": "ann"}
        assert ask("organization", "member", "rm", "other", "ann") == {"removed": "ann"}
        assert ask("team", "delete", "crew") == {"deleted": "crew"}
        assert ask("organization", "delete", "other") == {"deleted": "other"}
        assert ask("user", "delete", "bob") == {"deleted": "bob"}

    def test_lists_of_people_in_words(self, house: House, url: str) -> None:
        env = {"BYNAME_URL": url, "BYNAME_API_KEY": house.keys["ann"]}
        house.make_team_member("bob")
        house.make_service_account("robot")
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        told = {
            "user ls": ["ann  ann  ann@example.org  administrator", "bob  bob  bob@example.org"],
            f"organization member ls {ORGANIZATION}": [
                "ann    admin                    ann              ann@example.org",
                "bob    deactivated, was member  bob              bob@example.org",
                "robot  member                   service account",
            ],
            f"team member ls {TEAM} --text robot": ["robot  member  service account"],
            "organization ls": [f"{ORGANIZATION}  admin  2 members  1 team"],
            f"team ls {ORGANIZATION}": [f"{TEAM}  admin  2 members  0 projects"],
            "user ls --text nobody": ["Nobody is called that."],
        }
        for words, lines in told.items():
            result = run(*words.split(), env=env)
            assert result.stdout.splitlines() == lines, words
        shown = run("user", "show", "robot", env=env).stdout.splitlines()
        assert shown[3] == "Kind                    service account"
        assert shown[-1] == f"Team                    {TEAM} as member"
        assert f"Organization  {ORGANIZATION}" in run("team", "show", TEAM, env=env).stdout

    def test_people_get_words(self, house: House, url: str) -> None:
        env = {"WANDB_BASE_URL": url, "WANDB_API_KEY": house.keys["ann"]}
        result = run("user", "create", "bob", "--email", "bob@example.org", env=env)
        assert result.exit_code == 0
        assert re.search(
            r"Created user bob\.\nAPI key, shown this one time: bn-\w{40}\n", result.stdout
        )
        assert "never" in run("key", "ls", "--username", "bob", env=env).stdout

    def test_a_password_comes_from_a_file(self, house: House, url: str, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("correct horse battery\n")
        env = {"BYNAME_URL": url, "BYNAME_API_KEY": house.keys["ann"]}
        words = ("user", "create", "bob", "--email", "b@c.d", "--password-file", str(file))
        assert run(*words, env=env).exit_code == 0
        with house.ctx.database.read() as tx:
            row = tx.one("SELECT password_hash FROM users WHERE username = 'bob'")
        assert row is not None
        assert row["password_hash"].startswith("$argon2id$")


class TestExitCodesTellTheKind:
    """Invalid 2, unauthenticated 3, forbidden 4, not found 5, conflict 6."""

    @pytest.mark.parametrize(
        ("who", "words", "code"),
        [
            ("ann", ("user", "create", "a/b", "--email", "b@c.d"), 2),
            ("ann", ("organization", "member", "set", ORGANIZATION, "bob", "owner"), 2),
            ("ann", ("user", "create"), 2),
            ("ann", ("user", "frob"), 2),
            ("ann", ("user", "create", "x", "--frob"), 2),
            ("ann", ("key", "ls", "--limit", "0"), 2),
            ("wrong", ("key", "ls"), 3),
            ("nobody", ("key", "ls"), 3),
            ("bob", ("user", "create", "x", "--email", "b@c.d"), 4),
            ("ann", ("user", "delete", "nobody/../x"), 5),
            ("bob", ("team", "delete", "nowhere"), 5),
            ("ann", ("user", "rm", "ann"), 6),
            ("ann", ("team", "create", TEAM, "--organization", ORGANIZATION), 6),
        ],
    )
    def test_code_and_message(
        self, house: House, url: str, who: str, words: tuple[str, ...], code: int
    ) -> None:
        house.make_user("bob")
        env = {"BYNAME_URL": url, "BYNAME_API_KEY": {**house.keys, "nobody": ""}.get(who, who)}
        before = house.dump()
        plain = run(*words, env=env)
        assert plain.exit_code == code
        assert plain.stdout == ""
        assert plain.stderr != ""
        as_json = run(*words, "--json", env=env)
        assert as_json.exit_code == code
        error = json.loads(as_json.stderr)["error"]
        assert set(error) == {"code", "message"}
        assert plain.stderr == f"byname: {error['message']}\n" or "Usage" in plain.stderr
        assert house.dump() == before

    @pytest.mark.parametrize(
        ("address", "code"),
        [("http://127.0.0.1:9", 1), ("file:///etc/passwd", 2), ("nonsense", 2), ("http://[", 2)],
    )
    def test_no_server(self, address: str, code: int) -> None:
        result = run("key", "ls", "--url", address)
        assert result.exit_code == code
        assert result.stderr.startswith("byname: ")
        assert ("BYNAME_URL" in result.stderr) == (code == 1)
        assert "Errno" not in result.stderr

    def test_without_a_key_it_says_where_to_put_it(self, url: str) -> None:
        assert "BYNAME_API_KEY" in run("key", "ls", "--url", url).stderr
        wrong = run("key", "ls", "--url", url, "--api-key", "wrong")
        assert wrong.exit_code == 3
        assert "mistyped" in wrong.stderr


class TestOneWordForOneThing:
    """A list is `ls` and a deletion `rm` wherever there is one; what else people type is understood."""

    def test_no_command_has_another_name_for_it(self) -> None:
        waiting, names = [typer.main.get_command(app)], set[str]()
        while waiting:
            inner = getattr(waiting.pop(), "commands", {})
            names |= set(inner)
            waiting += inner.values()
        assert {"ls", "rm", "create"} <= names
        assert not names & {"list", "delete", "remove"}

    @pytest.mark.parametrize(
        "words", [("key", "list"), ("user", "delete"), ("team", "member", "remove")], ids=" ".join
    )
    def test_the_other_words_are_understood(self, words: tuple[str, ...]) -> None:
        result = run(*words, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout
        assert run("key", "lists", "--help").exit_code == 2


class TestSetUpOffline:
    """`byname setup` makes the first administrator without a server, once."""

    def test_once(self, tmp_path: Path) -> None:
        first = run("setup", "--data", str(tmp_path / "data"), *SET_UP, "--json")
        assert first.exit_code == 0, first.output
        made = json.loads(first.stdout)
        assert set(made) == {"username", "api_key", "organization", "team"}
        assert (made["username"], made["organization"], made["team"]) == (
            "ann",
            ORGANIZATION,
            TEAM,
        )
        assert is_key(made["api_key"])
        again = run("setup", "--data", str(tmp_path / "data"), *SET_UP)
        assert again.exit_code == 6
        assert "set up already" in again.stderr
        assert again.stdout == ""

    def test_a_bad_name(self, tmp_path: Path) -> None:
        words = ["x y" if word == TEAM else word for word in SET_UP]
        result = run("setup", "--data", str(tmp_path), *words, "--json")
        assert result.exit_code == 2
        assert json.loads(result.stderr)["error"]["code"] == "unprocessable"
        assert run("setup", "--data", str(tmp_path), *SET_UP).exit_code == 0

    def test_a_folder_that_cannot_be(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        result = run("setup", "--data", str(file), *SET_UP)
        assert result.exit_code == 1
        assert "cannot be used" in result.stderr

    @pytest.mark.parametrize("words", [("serve", "--port", "0"), ("check",), ("setup", *SET_UP)])
    def test_a_file_that_is_no_database(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        (tmp_path / "byname.db").write_text("not a database, but a good many words\n" * 100)
        result = run(*words, "--data", str(tmp_path))
        assert result.exit_code == 1
        assert result.stderr.startswith(f"byname: The database {tmp_path / 'byname.db'}")

    def test_a_port_that_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            result = run("serve", "--data", str(tmp_path), "--port", port)
        assert result.exit_code == 1
        assert result.stderr == (
            f"byname: Cannot listen on 127.0.0.1:{port}: Address already in use; "
            "--port chooses another, 0 any free one\n"
        )

    def test_a_wrong_setting(self, tmp_path: Path) -> None:
        secret = "much-too-short"
        result = run("setup", "--data", str(tmp_path), *SET_UP, env={"BYNAME_SECRET_KEY": secret})
        assert result.exit_code == 2
        assert "secret_key" in result.stderr
        assert secret not in result.stderr


class TestServePrintsTheSetUpAddress:
    """The first start prints a one-time address; after the set-up no start does."""

    def test_first_and_second_start(self, tmp_path: Path) -> None:
        for started in range(2):
            with _serving(tmp_path) as (url, lines):
                found = re.search(r"(http://\S+/setup\?token=\S+)", "\n".join(lines))
                assert (found is not None) == (started == 0)
                if found is not None:
                    with urllib.request.urlopen(found[1], timeout=30) as page:
                        assert page.status == 200
                    assert run("setup", "--data", str(tmp_path), *SET_UP).exit_code == 0
                else:
                    assert run("key", "ls", "--url", url).exit_code == 3
        assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
        assert len((tmp_path / "secret.key").read_bytes()) >= 32


class TestHelpIsFast:
    """`byname --help` loads no server: no web framework, no database driver."""

    def test_nothing_of_the_server_is_imported(self) -> None:
        code = (
            "import sys, byname.cli.main\n"
            "print([m for m in ('fastapi', 'uvicorn', 'pysqlite3', 'pydantic', 'ariadne', 'jinja2')"
            " if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.strip() == "[]"


class _serving:  # noqa: N801  Used as `with _serving(...)`.
    """`byname serve` in a process of its own: its address and what it printed at its start."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def __enter__(self) -> tuple[str, list[str]]:
        output = self._data.parent / f"{self._data.name}.out"
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-c", "from byname.cli.main import main; main()", "serve"),
                    *("--data", str(self._data), "--port", "0"),
                ],
                stdout=file,
                env={k: v for k, v in os.environ.items() if not k.startswith(("BYNAME", "WANDB"))},
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            lines = output.read_text().splitlines()
            found = re.search(r"listens on (http://\S+)", "\n".join(lines))
            if found is not None:
                # It answers nobody before it has printed everything.
                with urllib.request.urlopen(f"{found[1]}/ready", timeout=120) as answer:
                    assert answer.status == 200
                return found[1], output.read_text().splitlines()
            assert self._process.poll() is None
            time.sleep(0.1)
        raise AssertionError("The server did not start within two minutes")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(120) == 0
