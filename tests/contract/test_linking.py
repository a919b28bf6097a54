"""Versions get their place in registries, or the client says why not."""

from __future__ import annotations

from tests.support.sdk import Sdk

PERSONAL = (
    "takes versions made in a team of smle-reg; this one was made elsewhere (for instance under a"
    " personal entity). Log it again in a project of such a team, then link it"
)


class TestLinking:
    """R5, R9, R32, R33, R35, R41, R42, R45 to R52, R61, R62, R67, R68."""

    def test_every_way_to_link(self, sdk: Sdk) -> None:
        project = sdk.name("linking")
        told = sdk.result("linking.py", project)
        registry = "smle-reg/wandb-registry-Model"
        name = f"{project}-net"

        assert told["first"] == [f"{registry}/{name}:v0", "v0", ["blue", "green", "latest"], True]
        assert told["second"] == [f"{registry}/{name}:v1", "v1", ["blue", "latest"], True]
        assert told["third"] == [f"{registry}/{name}:v2", "v2", ["latest"], True]
        assert told["three"] == {"v0": ["green"], "v1": ["blue"], "v2": ["latest"]}
        # Once more: the number stays, and so does `latest`.
        assert told["again"] == [f"{registry}/{name}:v0", "v0", ["green", "red"], True]
        assert told["versions"] == {"v0": ["green", "red"], "v1": ["blue"], "v2": ["latest"]}
        # A link of a link is a link of the source.
        assert told["chained"] == [
            f"smle-reg/wandb-registry-Dataset/{name}:v0",
            "v0",
            ["copy", "latest"],
            True,
            f"smle-reg-team-2/{project}/net:v0",
        ]
        assert told["portfolio"] == [
            f"smle-reg-team-2/{project}-shelf/nets:v0",
            "v0",
            ["kept", "latest"],
            True,
        ]
        assert told["kinds"] == {"nets": False}
        assert told["fresh"] == [f"{registry}/{name}-fresh:v0", "v0", ["latest"], True]

        # Refused: with the reason, and without a trace.
        assert (
            f"Registry smle-reg/wandb-registry-Nowhere-{project} does not exist or you have no"
            " access to it" in told["no_registry"]
        )
        assert "must not contain any of the following characters" in told["bad_alias"]
        assert "The alias 'v3' is a version number" in told["v3"]
        assert (
            "holds artifacts of type 'model'; this one is of type 'dataset'" in told["other_type"]
        )
        assert "129 characters; at most 128 are allowed" in told["bad_name"]
        assert PERSONAL in told["personal"]
        assert told["left_over"] == [False, False, True]
        assert told["after"] == told["versions"]
