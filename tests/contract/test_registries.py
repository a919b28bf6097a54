"""Registries are made, searched, shared and changed through the client's own objects."""

from __future__ import annotations

from tests.support.rig import Rig
from tests.support.sdk import Sdk


class TestRegistries:
    """R13 to R25, R100, R104, R110, R111, R117 to R122, R124, R170, R184; protocol 9.10, 9.11, 13."""

    def test_from_making_to_deleting(self, sdk: Sdk, rig: Rig) -> None:
        project = sdk.name("reg")
        person = sdk.name("person")
        rig.add_person(person, "member")
        told = sdk.result("registries.py", project, person)
        one, two, renamed = f"{project} one", f"{project} two", f"{project} renamed"

        assert told["made"] == [
            *(one, f"wandb-registry-{one}", "smle-reg", "organization", "for tests"),
            *(False, ["dataset", "model"]),
        ]
        assert told["other"] == ["restricted", True, []]
        assert "please use a different name" in told["duplicate"]
        assert "cannot contain characters" in told["bad_name"]
        assert "Invalid visibility" in told["bad_visibility"]
        assert "Failed to load registry" in told["missing"]
        assert "'nobody' not found" in told["missing_organization"]

        assert told["creator"] == [["ann", "admin"]]
        assert told["added"] == {"ann": "admin", person: "restricted_viewer"}
        assert told["updated"] == {"ann": "admin", person: "member"}
        assert told["removed"] == ["ann"]
        assert told["teams"] == [["smle-reg-team-2", "viewer"]]
        assert told["no_teams"] == []
        assert "would be left without an admin" in told["last_admin"]
        assert (
            "does not accept artifacts of type 'odd'; it accepts: 'model', 'dataset'"
            in told["type_not_accepted"]
        )

        assert told["registries"] == {
            "ours": [one, two],
            "backwards": [two, one],
            "plain": [one],
            "in": [two],
            "contains": [two],
            "described": [one],
            "none": [],
        }
        assert "'colour'" in told["unknown_field"]
        assert told["collections"] == {
            "all": ["alpha", "beta"],
            "tag": ["alpha"],
            "name": ["beta"],
            "of_one": ["alpha"],
        }
        alpha = [f"alpha:v{number}" for number in range(4)]
        assert told["versions"] == {
            "all": [*alpha, "beta:v0", "beta:v1"],
            "alias": ["alpha:v2"],
            "tag": ["alpha:v0", "alpha:v2", "beta:v0"],
            "metadata": ["alpha:v2", "alpha:v3"],
            "or": ["alpha:v0", "alpha:v2", "beta:v0"],
            "version": ["alpha:v1", "beta:v1"],
            "none": [],
            "chain": ["alpha:v0", "alpha:v2"],
            "straight": alpha,
        }
        assert told["resumed"] == [alpha, 2, 2]
        assert told["aliases"] == {
            "alpha:v0": ["n0"],
            "alpha:v1": ["n1"],
            "alpha:v2": ["n2", "production"],
            "alpha:v3": ["latest", "n3"],
        }

        assert told["changed"] == ["changed", ["dataset", "model", "weights"]]
        assert "Cannot remove artifact type" in told["type_removed"]
        assert told["renamed"] == [[renamed, two], True, False]
        assert told["widened"] == "organization"
        assert told["deleted"] == [[renamed], True]
        assert f"Failed to delete registry '{two}'" in told["deleted_twice"]
