"""Runs keep what was logged, are found by it, and can be continued."""

from __future__ import annotations

from tests.support.rig import TEAM, Rig
from tests.support.sdk import Sdk


class TestRuns:
    """R199; protocol 9.1 to 9.5 and 12.2."""

    def test_a_run_from_first_to_last(self, sdk: Sdk) -> None:
        project = sdk.name("running")
        told = sdk.result("running.py", project)
        assert told["run"] == [
            *("first of all", "finished", ["a", "b"], "grouped", "train", "some notes"),
        ]
        assert told["config"] | {"judged": "good"} == {
            "lr": 0.1,
            "layers": [1, 2],
            "inner": {"deep": "ü"},
            "late": True,
            "judged": "good",
        }
        assert told["summary"] == [0.05, 0.05, 1]
        assert told["history"] == [21, [1, 1 / 2, 1 / 3], [0, 2, 4, 6], 21, [3, 4, 5]]
        assert told["last_step"] == 20
        assert told["user"] == "ann"
        assert {
            "config.yaml",
            "inner/kept file.txt",
            "requirements.txt",
            "wandb-metadata.json",
            "wandb-summary.json",
        } <= set(told["files"])
        assert (told["file"], told["uploaded"], told["media"]) == ("kept", "later", True)
        assert told["failed"] == "failed"
        assert told["table"] == ["run_table"]
        assert "Could not find run" in told["missing"]

        assert told["changed"] == ["renamed", ["a", "b", "c"], "good", "ok"]
        assert told["resumed"] == [True, 21, 0.1, 0.05]
        assert told["allowed"] is False
        assert told["must"].startswith("UsageError: ")
        assert "`resume" in told["must"]
        assert told["continued"] == [[0.01], 22]

        assert told["runs"] == {
            "all": [[3], "first", "failed", "allowed"],
            "newest": [[3], "allowed", "failed", "first"],
            "failed": [[1], "failed"],
            "config": [[1], "first"],
            "deep": [[1], "first"],
            "or": [[2], "first", "failed"],
            "tag": [[1], "first"],
            "regex": [[1], "first"],
            "summary": [[1], "first"],
            "none": [[0]],
        }
        assert told["projects"] is True
        assert f"Could not find project never-{project}" in told["no_project"]
        assert "entity no-such-team not found" in told["no_entity"]
        assert "Could not find run" in told["deleted"]

    def test_made_without_a_server_and_brought_later(self, sdk: Sdk) -> None:
        """Protocol 9.14. R53: the client refuses to link offline, and says so; it keeps no link."""
        project = sdk.name("offline")
        made = sdk.result("offline.py", project, "make", WANDB_MODE="offline")
        assert made["linked"].startswith("NotImplementedError")
        sdk.run("wandb", "sync", made["folder"])
        assert sdk.result("offline.py", project, "see", home="second") == {
            "state": "finished",
            "config": {"lr": 1},
            "loss": [0, 1, 2, 3, 4],
            "logged": [["offline:v0", ["kept", "latest"]]],
            "collection": False,
            "bytes": "made without a server",
        }

    def test_two_writers_of_one_run(self, sdk: Sdk) -> None:
        """Protocol 9.3: each counts its lines for itself; none of them is lost."""
        written = [[who, value] for who in range(2) for value in range(10)]
        told = sdk.result("sharing.py", sdk.name("sharing"))
        assert told == {"shared": written, "resumed": written}

    def test_back_to_an_earlier_step(self, sdk: Sdk, rig: Rig) -> None:
        """Protocol 9.1: `resume_from`, `fork_from`; and 12.2: `run.alert`."""
        project = sdk.name("branching")
        assert sdk.result("branching.py", project) == {
            "first": [[0, 0], [1, 1], [2, 2], [3, 3], [4, 30]],
            "second": [[0, 0], [1, 1], [2, 2], [3, 20]],
            "summary": 30,
        }
        found = rig.ask("GET", f"/projects/{TEAM}/{project}/runs/{project}-first/alerts", {})
        assert [(each["title"], each["text"], each["severity"]) for each in found["alerts"]] == [
            ("watch out", "it happened", "WARN")
        ]
