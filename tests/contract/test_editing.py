"""What clients change is changed, also through links, for those who may."""

from __future__ import annotations

from tests.support.rig import Rig
from tests.support.sdk import Sdk


class TestEditing:
    """R4, R10, R55, R57, R58, R62, R67, R69, R70, R74, R97, R165, R167."""

    def test_what_is_said_of_versions(self, sdk: Sdk, rig: Rig) -> None:
        project = sdk.name("editing")
        viewer_key = rig.add_person(sdk.name("viewer"), "viewer")
        told = sdk.result("editing.py", project, viewer_key)
        place = f"smle-reg/wandb-registry-Model/{project}-net"

        assert told["appended"] == ["best", "number-1"]
        assert told["removed"] == ["best"]
        assert told["moved"] == {"v0": ["number-0"], "v1": [], "v2": ["best", "newest"]}
        assert told["source_aliases"] == ["latest"]
        assert "The alias 'v7' is a version number" in told["v7"]

        assert told["told"] == ["through the link", {"accuracy": 0.5}, ["shelf 2", "tried"]]
        assert told["tags"] == ["tried"]
        assert "Invalid tag" in told["bad_tag"]
        assert "Unlink the artifact first" in told["ttl_link"]
        assert (told["ttl"], told["no_ttl"]) == (2, True)

        assert told["link"] == [
            *(True, "smle-reg-team-2", project, "net:v1", "v1"),
            *(f"smle-reg-team-2/{project}/net:v1", "net", f"{project}-net"),
        ]
        assert told["linked"] == [f"{place}:v1"]
        assert told["url"] == (
            "orgs/smle-reg/registry/Model"
            f"?selectionPath=smle-reg%2Fwandb-registry-Model%2F{project}-net"
            "&view=membership&version=v1"
        )

        # A viewer sees the version, but not where it comes from, and may change nothing.
        assert told["viewer_sees"][0] == "v1"
        assert project not in str(told["viewer_sees"][1])
        needs = "in smle-reg/wandb-registry-Model: it needs the role member, yours is viewer"
        assert f"You may not change aliases {needs}" in told["viewer_alias"]
        assert f"You may not unlink a version {needs}" in told["viewer_unlink"]
        assert "not found" in told["viewer_source"]
        assert told["after_viewer"] == []


class TestDeleting:
    """R3, R10, R37, R38, R47, R65, R158, R159, R161, R162, R169, R183."""

    def test_collections_links_and_versions_go(self, sdk: Sdk) -> None:
        project = sdk.name("deleting")
        told = sdk.result("deleting.py", project)
        name = f"{project}-net-renamed"

        assert told["renamed"] == [
            *(name, "All the **nets**", ["shelf 2", "tried"]),
            ["latest", "number-0", "number-1", "number-2"],
        ]
        assert told["old_name"] is False
        assert told["tags"] == ["shelf 2"]
        assert "only be changed if" in told["moved_type"]
        assert told["sequence"] == ["weights", "free things"]

        assert told["unlinked"] == {"v0": ["number-0"], "v1": ["latest", "number-1"]}
        assert told["linked_again"] == {"v0": ["number-0"], "v1": ["number-1"], "v3": ["latest"]}
        assert "is not a linked artifact" in told["not_a_link"]
        assert told["deleted_link"] == [False, True]

        assert "still has the aliases kept, latest" in told["aliased"]
        assert f"linked as smle-reg/wandb-registry-Model/{name}:v1" in told["linked"]
        assert told["gone"] is False
        assert told["without_aliases"] == {"v1": [], "v2": ["latest"]}
        assert told["collection_gone"] == [False, True]
        assert told["sequence_gone"] == [False, False]
        # What is not there does not exist: no errors, and texts that name what was asked for.
        assert told["missing"] == [[False, False]] * 5
        for text, part in zip(
            told["missing_texts"],
            ("'never:v0'", f"'never-{project}'", "'never:v0'", f"wandb-registry-Never-{project}"),
            strict=True,
        ):
            assert part in text
            assert "not found" in text
        assert told["reborn"] == ["v0", "dataset"]
