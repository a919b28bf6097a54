"""Clients know who they are, and their command line reaches what their library does."""

from __future__ import annotations

from tests.support.sdk import Sdk

WRONG = "The API key is not valid: it is mistyped, was deleted, belongs to another server"


class TestIdentity:
    """R10, R186; protocol 3."""

    def test_keys_and_people(self, sdk: Sdk) -> None:
        project = sdk.name("identity")
        told = sdk.result("identity.py", project)
        assert told["login"] is True
        assert WRONG in told["wrong_key"]
        assert WRONG in told["wrong_api"]
        assert told["viewer"][:2] == ["ann", "ann@example.org"]
        assert "smle-reg-team-2" in told["viewer"][3]
        assert told["default_entity"] == told["viewer"][2]
        assert told["user"] == ["ann", "ann"]
        assert told["no_user"] is True
        assert told["team"][0] == "smle-reg-team-2"
        assert "ann" in told["team"][1]
        assert told["project"] == project
        assert told["projects"] is True


class TestCommandLine:
    """R185; protocol 9.14."""

    def test_put_list_get(self, sdk: Sdk) -> None:
        place = f"smle-reg-team-2/{sdk.name('shell')}"
        said = {"WANDB_SILENT": "false"}
        folder = sdk.folder / "first"
        folder.mkdir()
        (folder / "thing.txt").write_text("from a shell")
        put = sdk.run(
            *("wandb", "artifact", "put", "--name", f"{place}/thing", "--type", "dataset"),
            *("--alias", "best", "--description", "from the shell", "thing.txt"),
            **said,
        )
        assert f'use_artifact("{place}/thing:v0")' in put
        listed = sdk.run("wandb", "artifact", "ls", place, **said)
        assert "thing:v0" in listed
        assert "12.0B" in listed
        sdk.run(
            *("wandb", "artifact", "get", f"{place}/thing:best", "--root", "got"), home="second"
        )
        assert (sdk.folder / "second" / "got" / "thing.txt").read_text() == "from a shell"
