"""Who made and who used a version is known from every side."""

from __future__ import annotations

from tests.support.sdk import Sdk


class TestLineage:
    """R149, R151, R154; protocol 9.12 and 9.13."""

    def test_makers_and_users(self, sdk: Sdk) -> None:
        project = sdk.name("lineage")
        told = sdk.result("lineage.py", project)
        assert told["used"] == [
            f"smle-reg/wandb-registry-Model/{project}-net:good",
            f"smle-reg-team-2/{project}/net:v0",
        ]
        assert "type 'dataset' specified but this artifact is of type 'model'" in told["wrong_type"]
        assert "'net:v9' not found" in told["missing"]
        runs = [[f"{project}-one", f"{project}-two"], f"{project}-maker"]
        assert told["link"] == runs
        assert told["source"] == runs
        assert told["inputs"] == ["net:v0"]
        assert told["outputs"] == [[1], "tuned:v0"]
        assert told["maker"] == ["net:v0"]
        assert told["two"] == [
            ["net:v0", "tuned:v0"],
            ["net:v0"],
            ["endorsed", "latest"],
            ["judged"],
        ]
