"""`byname automation`, `webhook`, `slack` and `secret`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from byname.cli.main import app
from byname.domain.target import Targets, parse_networks
from byname.settings import Settings
from byname.wiring import ENCRYPTION_FILE, build_context
from tests.support.receiver import Receiver, accept
from tests.support.site import Site, serving
from tests.support.world import ORGANIZATION, TEAM, World, link_version, log_version

RUNNER = CliRunner()
ZOO = f"{ORGANIZATION}/Model/Zoo"


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    link_version(world.admin, log_version(world.admin))
    with serving(world, tmp_path) as site:
        yield site


def run(site: Site | None, *words: str, typed: str | None = None) -> Result:
    env: dict[str, str | None] = dict.fromkeys(
        ("BYNAME_URL", "BYNAME_API_KEY", "WANDB_BASE_URL", "WANDB_API_KEY", "BYNAME_DATA")
    )
    if site is not None:
        env |= {"BYNAME_URL": site.address, "BYNAME_API_KEY": site.key}
    return RUNNER.invoke(app, words, env=env, input=typed)


def done(site: Site, *words: str, typed: str | None = None) -> Any:
    answer = run(site, *words, "--json", typed=typed)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


class TestAutomations:
    """R125, R130: from a secret to an automation, and off and on again."""

    def test_from_a_secret_to_an_automation(self, site: Site, tmp_path: Path) -> None:
        said = run(site, "secret", "add", TEAM, "SIGNING", typed="s3cr3t\n")
        assert (said.exit_code, said.stdout) == (0, f"{TEAM} keeps SIGNING.\n")
        done(site, "webhook", "add", TEAM, "ci", "https://ci.invalid/x", "--secret", "SIGNING")
        done(site, "slack", "add", TEAM, "releases", typed="https://hooks.invalid/T/B/X")
        payload = tmp_path / "payload.json"
        payload.write_text('{"version": "${artifact_version_string}"}')
        made = done(
            site, "automation", "create", "deploy", "--event", "ADD_ARTIFACT_ALIAS",
            "--registry", ZOO, "--alias", "production",
            "--webhook", f"{TEAM}/ci", "--payload", f"@{payload}",
        )  # fmt: skip
        number = str(made["id"])
        assert made["action"]["payload"] == {"version": "${artifact_version_string}"}
        assert run(site, "automation", "disable", number).stdout == "deploy is off.\n"
        assert run(site, "automation", "enable", number).stdout == "deploy is on.\n"
        edited = done(
            site, "automation", "edit", number, "--rename", "tell", "--alias-regex", "^prod",
            "--slack", f"{TEAM}/releases", "--title", "New", "--severity", "WARN",
        )  # fmt: skip
        assert (edited["name"], edited["action"]["severity"]) == ("tell", "WARN")
        listed = run(site, "automation", "ls", "--registry", f"{ORGANIZATION}/Model").stdout
        assert "tell  ADD_ARTIFACT_ALIAS" in listed
        assert f"slack {TEAM}/releases" in listed
        shown = run(site, "automation", "show", number).stdout
        assert "last run  never" in shown
        for command in (
            ("webhook", "ls", TEAM),
            ("slack", "ls", TEAM),
            ("secret", "ls", TEAM),
        ):
            assert "s3cr3t" not in run(site, *command).stdout
        assert run(site, "automation", "rm", number).exit_code == 0
        assert run(site, "automation", "show", number).exit_code == 5

    def test_what_is_refused(self, site: Site) -> None:
        for words, code in (
            (("automation", "ls"), 2),
            (("automation", "create", "x", "--event", "E", "--team", TEAM), 2),
            (("automation", "create", "x", "--event", "E", "--team", TEAM, "--nothing"), 2),
            (("automation", "ls", "--registry", "Model"), 2),
            (("webhook", "add", TEAM, "w", "ftp://x"), 2),
            (("secret", "rm", TEAM, "NONE"), 5),
        ):
            assert run(site, *words).exit_code == code, words

    def test_a_secret_in_use_needs_force(self, site: Site) -> None:
        done(site, "secret", "add", TEAM, "A", typed="x")
        done(site, "webhook", "add", TEAM, "ci", "https://a.example/", "--access-token", "A")
        refused = run(site, "secret", "rm", TEAM, "A")
        assert (refused.exit_code, "ci" in refused.stderr) == (6, True)
        assert run(site, "secret", "set", TEAM, "A", typed="y").exit_code == 0
        assert run(site, "secret", "rm", TEAM, "A", "--force").exit_code == 0


class TestExecutions:
    """R139, R140, R142: the history, delivering again, replaying, and trying a webhook out."""

    @pytest.fixture
    def sending(self, world: World, tmp_path: Path) -> Iterator[Site]:
        """A server that may send to this machine."""
        version = log_version(world.admin)
        link_version(world.admin, version)
        targets = Targets(allowed=parse_networks(["127.0.0.0/8"]))
        open_world = replace(world, nobody=replace(world.nobody, targets=targets))
        with serving(open_world, tmp_path) as site:
            yield site

    def test_history_retry_and_replay(self, sending: Site) -> None:
        with Receiver(lambda connection, _: connection.reply(404, b"no such page")) as receiver:
            done(sending, "webhook", "add", TEAM, "ci", receiver.url)
            made = done(
                sending, "automation", "create", "deploy", "--event", "ADD_ARTIFACT_ALIAS",
                "--registry", ZOO, "--alias", "production", "--webhook", f"{TEAM}/ci",
            )  # fmt: skip
            number = str(made["id"])
            assert run(sending, "automation", "history", number).stdout == "Nothing was done yet.\n"
            done(sending, "alias", "set", f"{ZOO}:production", "v0")
            first = receiver.wait_for(1)[0]
            failed = self.wait(sending, number, "failed")
            shown = run(sending, "automation", "history", number, "--state", "failed").stdout
            assert "deploy  ADD_ARTIFACT_ALIAS" in shown
            assert "404" in shown
            one = run(sending, "automation", "execution", str(failed["id"])).stdout
            assert "Attempt 1" in one
            assert "HTTP 404: no such page" in one
            assert done(sending, "automation", "execution", str(failed["id"]))["made"]
            receiver.answer = accept
            again = run(sending, "automation", "retry", str(failed["id"]))
            assert again.stdout == f"deploy is sent again ({failed['delivery_id']}).\n"
            second = receiver.wait_for(2)[1]
            name = "x-registry-delivery"
            assert first.headers[name] == second.headers[name] == failed["delivery_id"]
            self.wait(sending, number, "finished")
            assert run(sending, "automation", "retry", str(failed["id"])).exit_code == 6
            assert run(sending, "automation", "retry", "999").exit_code == 5
            said = run(sending, "automation", "replay", number, "--after", "0.0")
            assert said.stdout == "1 execution is made.\n"
            assert receiver.wait_for(3)[2].headers[name] != failed["delivery_id"]
            listed = done(sending, "automation", "history", "--registry", f"{ORGANIZATION}/Model")
            assert [each["replay"] for each in listed["executions"]] == [True, False]
            assert run(sending, "automation", "history").exit_code == 2
            assert run(sending, "automation", "history", number, "--registry", ZOO).exit_code == 2

    def wait(self, site: Site, number: str, state: str) -> Any:
        """The last execution, once it is in that state."""
        deadline = time.monotonic() + 120
        while True:
            (found,) = done(site, "automation", "history", number)["executions"]
            if found["state"] == state:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def test_a_webhook_and_a_channel_are_tried_out(self, sending: Site) -> None:
        with Receiver() as receiver:
            done(sending, "webhook", "add", TEAM, "ci", receiver.url)
            done(sending, "slack", "add", TEAM, "news", typed=f"{receiver.url}/T/B/X")
            said = run(
                sending, "webhook", "test", TEAM, "ci", "--payload", '{"a": "${event_type}"}'
            )
            assert said.stdout.startswith("ci answered HTTP 200 in ")
            assert said.stdout.endswith("thanks\n")
            assert json.loads(receiver.requests[0].body) == {"a": "TEST"}
            told = done(sending, "slack", "test", TEAM, "news", "--message", "Hello!")
            assert (told["status"], told["error"]) == (200, None)
            assert b"Hello!" in receiver.requests[1].body
            receiver.answer = lambda connection, _: connection.reply(403, b"go away")
            refused = run(sending, "webhook", "test", TEAM, "ci", "--json")
            assert refused.exit_code == 1
            assert "403" in json.loads(refused.stderr)["error"]["message"]
            assert run(sending, "webhook", "test", TEAM, "nope").exit_code == 5
            assert run(sending, "webhook", "test", TEAM, "ci", "--payload", "{").exit_code == 2


class TestRotation:
    """R148: all secrets are encrypted with a new key, on the server's own machine."""

    def test_the_file_holds_a_new_key(self, tmp_path: Path) -> None:
        ctx = build_context(Settings(data=tmp_path))
        ctx.database.close()
        before = (tmp_path / ENCRYPTION_FILE).read_text()
        said = run(None, "secret", "rotate-key", "--data", str(tmp_path), "--json")
        assert json.loads(said.stdout) == {"resealed": 0}
        assert (tmp_path / ENCRYPTION_FILE).read_text() != before
        build_context(Settings(data=tmp_path)).database.close()
        assert run(None, "secret", "rotate-key", "--data", str(tmp_path / "no")).exit_code == 5
