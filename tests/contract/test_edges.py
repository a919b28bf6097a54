"""The edge cases of the rules, through the unmodified client."""

from __future__ import annotations

from tests.support.rig import ORGANIZATION, TEAM, Rig
from tests.support.sdk import Sdk


def make_people(rig: Rig, project: str) -> list[str]:
    """Two restricted registries, and the keys of a member, a reader and somebody not in them."""
    for name in (f"{project}-a", f"{project}-b"):
        rig.ask("POST", f"/registries/{ORGANIZATION}", {"name": name, "visibility": "restricted"})
    keys = []
    for word, in_a, in_b in (
        ("member", "member", "member"),
        ("reader", "restricted_viewer", "viewer"),
        ("stranger", None, None),
    ):
        name = f"{project}-{word}"
        keys.append(rig.add_person(name, "member"))
        for registry, role in ((f"{project}-a", in_a), (f"{project}-b", in_b)):
            if role is not None:
                where = f"/registries/{ORGANIZATION}/{registry}/members/{name}"
                rig.ask("PUT", where, {"role": role})
    rig.ask("PUT", f"/teams/{TEAM}/members/{project}-member", {"role": "member"})
    return keys


class TestEdges:
    """R65, R68, R72, R80, R84, R86, R89, R91, R99, R107, R112, R166; cases 1, 3, 4, 6-13, 17, 18."""

    def test_through_the_client(self, sdk: Sdk, rig: Rig) -> None:
        project = sdk.name("edges")
        told = sdk.result("edges.py", project, *make_people(rig, project))

        assert told["after_unlink"] == "v0"
        assert told["numbers"] == {"v0": ["staging"], "v2": ["latest"]}
        assert told["apart"] == ["v1", "v1", "v1"]
        assert {"V3", "v3-final"} <= set(told["odd"]["v0"])
        assert all(each for each in told["bad"])
        assert told["raced"] == [1]

        for text in told["locked"]:
            assert "'staging'" in text
            assert "admin" in text
        assert told["still"] == ["v0", "v0"]
        assert "staging" not in told["freed"]["v0"]

        for place in ("zoo", "anew"):
            assert "'production'" in told[f"link_{place}"]
            assert "admin" in told[f"link_{place}"]
        assert told["unchanged"] is True
        assert told["anew"] is False
        for attempt in ("member_unlinks", "member_deletes", "member_source", "admin_source"):
            assert "production" in told[attempt], (attempt, told[attempt])
        assert told["kept"] == "v0"

        assert told["sees"] == ["v0", "COMMITTED"]
        assert "viewer" in told["no_download"]
        assert told["got"] == ["net.bin"]
        assert told["hidden"] == told["absent"].replace(f"{project}-x", f"{project}-a")
        assert told["listed"] == []
        assert told["gone"] is False

        assert told["crowd"] == list(range(100))
        assert told["crowd_latest"] == "v99"
        assert told["ttl"] == [1, None, None]
        assert told["tagged"] == {
            "all": ["v0", "v1", "v2", "v3"],
            "all,even": ["v0", "v2"],
            "even,none": [],
        }
