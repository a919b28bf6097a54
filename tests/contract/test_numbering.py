"""A version's number in the registry and its number where it was logged, by the real client."""

from __future__ import annotations

from tests.support.sdk import Sdk

AS_LOGGED = {"v0": "logged as v2", "v1": "logged as v0", "v2": "logged as v1"}
ALIASES = {"v0": ["was-2"], "v1": ["was-0"], "v2": ["latest", "was-1"]}


class TestNumbers:
    """R46: the number in a collection is independent of the source version number.

    R63: `vN` is reported as the version field and is left out of the editable aliases.
    """

    def test_whichever_way_a_version_is_reached_its_own_files_come(self, sdk: Sdk) -> None:
        project = sdk.name("numbers")
        sdk.script("numbering.py", project, "make")
        for way in ("listed", "collection", "searched", "linked", "aliases", "numbers"):
            told = sdk.result("numbering.py", project, way, home=way)
            assert len(told) == 3, way
            for name, (version, aliases, files, content) in told.items():
                reference = name.rpartition(":")[2]
                number = f"v{'201'.index(reference[-1])}" if way == "aliases" else reference
                assert version == number, (way, name)
                assert content == AS_LOGGED[number], (way, name)
                assert files == ["net.bin"], (way, name)
                editable = [each for each in aliases if each != number]
                assert editable == ALIASES[number], (way, name)
                # The client adds the number where it lists all links of a version.
                assert (number in aliases) == (way == "linked"), (way, name)
