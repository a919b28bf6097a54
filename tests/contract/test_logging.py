"""What clients log is there as they meant it."""

from __future__ import annotations

import hashlib

from tests.support.sdk import Sdk

NAMES = ["a b.txt", "ünï/ça.txt", "50%.txt", "100%41.txt", "a+b&c=d.txt", "#1?.txt"]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class TestLogging:
    """R2, R56, R64, R95, R165; protocol 9.4, 10.1 and 10.4."""

    def test_every_way_to_log(self, sdk: Sdk) -> None:
        told = sdk.result("logging_versions.py", sdk.name("logging"))
        assert told["zoo"] == {
            "name": "zoo:v0",
            "version": "v0",
            "aliases": ["best", "latest"],
            "tags": ["checked", "two words"],
            "description": "animals",
            "metadata": 100,
            "nan": None,
            "ttl_days": 3,
            "state": "COMMITTED",
            "size": 5,
            "file_count": 1,
            "commit_hash": True,
        }
        # The same content makes no version, and `latest` stays.
        assert told["again"] == "v0"
        assert told["zoo_versions"] == {"v1": ["latest"], "v0": ["best", "rerun"]}
        assert told["draft"] == "v2"
        assert told["draft_files"] == {"a.bin": sha("first"), "inner/c.bin": sha("third")}
        assert "'dataset'" in told["wrong_type"]
        assert "'model'" in told["wrong_type"]
        # A grown version holds what the one before held.
        assert told["grown"] == {
            "a.bin": sha("first"),
            "inner/c.bin": sha("third"),
            "d.bin": sha("fourth"),
        }
        assert told["grown_count"] == 3
        assert told["odd"] == {name: name for name in NAMES} | {"empty.txt": ""}
        assert told["many"] == told["many_count"] == 300
        assert told["nothing"] == ["v0", 0, 0]
        # References lead to where they point, be it logged before, meanwhile or elsewhere.
        assert told["elsewhere"] == ["https://example.org/x.bin"]
        assert told["elsewhere_files"] == [["x.bin", "https://example.org/x.bin"]]
        assert told["references"] == {
            "again.table.json": "wandb-artifact",
            "inner.bin": "wandb-artifact",
        }
        assert told["reference_bytes"] == "second"
        assert told["reference_table"] == [["ant", 6], ["bee", 6]]
        assert told["reference_files"] == ["again.table.json", "inner.bin"]
        # What was only used is nobody's output.
        assert told["used"] == "v0"
        assert told["used_by"] == [True]
        assert told["logged_by"] is True

    def test_several_writers_of_one_version(self, sdk: Sdk) -> None:
        """Protocol 10.1: the patches of all writers are one version, once the last one is done."""
        project = sdk.name("distributed")
        assert sdk.result("distributed.py", project, "one", "more") == {"versions": []}
        told = sdk.result("distributed.py", project, "two", "last", home="second")
        assert told == {
            "versions": ["shared:v0"],
            "files": ["done.txt", "one.txt", "two.txt"],
            "count": 3,
        }
