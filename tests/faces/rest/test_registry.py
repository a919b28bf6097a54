"""Registries, members, collections, versions, tags and search over REST."""

from __future__ import annotations

import pytest

from byname.domain.policy import GroupRole
from byname.operations import team
from tests.faces.rest.conftest import Office
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, link_version, log_version

ROOT = f"/registries/{ORGANIZATION}"
MODEL = f"{ROOT}/Model"
ZOO = f"{MODEL}/collections/Zoo"


class TestRegistries:
    """R13 to R25, R170: a registry from its beginning to its end."""

    def test_the_whole_story(self, office: Office) -> None:
        admin = office.by("admin")
        made = admin.done(
            "POST", ROOT, {"name": " Fine tuned ", "description": "d", "artifact_types": ["model"]}
        )
        assert made["name"] == "Fine tuned"
        assert made["full_name"] == f"{ORGANIZATION}/wandb-registry-Fine tuned"
        assert (made["role"], made["visibility"]) == ("admin", "organization")
        assert (made["allow_all_artifact_types"], made["artifact_types"]) == (False, ["model"])
        assert admin.done("GET", f"{ROOT}/wandb-registry-fine TUNED") == made
        edited = admin.done(
            "PATCH",
            f"{ROOT}/Fine tuned",
            {"name": "Tuned", "add_artifact_types": ["dataset"], "default_role": "member"},
        )
        assert (edited["name"], edited["default_role"]) == ("Tuned", "member")
        assert edited["artifact_types"] == ["model", "dataset"]
        assert admin.refused("GET", f"{ROOT}/Fine tuned")[0] == 404
        names = [each["name"] for each in admin.done("GET", ROOT, order="-name")["registries"]]
        assert names == ["Tuned", "Model", "Dataset"]
        admin.done("DELETE", f"{ROOT}/Tuned")
        assert admin.refused("DELETE", f"{ROOT}/Tuned")[0] == 404

    def test_an_edit_is_all_or_nothing(self, office: Office) -> None:
        """R52's principle for edits: the description stays when the name is taken."""
        admin = office.by("admin")
        change = {"description": "new", "name": "Dataset"}
        assert admin.refused("PATCH", MODEL, change)[0] == 409
        assert admin.done("GET", MODEL)["description"] != "new"

    def test_widening_must_be_confirmed(self, office: Office) -> None:
        """R19."""
        admin = office.by("admin")
        admin.done("PATCH", MODEL, {"visibility": "restricted"})
        assert admin.refused("PATCH", MODEL, {"visibility": "organization"})[0] == 409
        wide = admin.done("PATCH", MODEL, {"visibility": "organization", "confirm": True})
        assert wide["visibility"] == "organization"

    def test_hidden_and_missing_are_the_same_answer(self, office: Office) -> None:
        """R10, R112: byte for byte, but for the name that was asked for."""
        office.world.add_person("mem", in_organization="member")
        office.world.add_person("out")
        office.by("admin").done("PATCH", MODEL, {"visibility": "restricted"})
        for name in ("mem", "out"):
            asker = office.by(name)
            for method, rest, body in [
                ("GET", "", None),
                ("PATCH", "", {"name": "x"}),
                ("DELETE", "", None),
                ("GET", "/members", None),
                ("PUT", "/members/admin", {"role": "viewer"}),
                ("GET", "/collections", None),
                ("POST", "/collections", {"name": "c", "type": "t"}),
                ("GET", "/collections/Zoo/versions", None),
            ]:
                hidden = asker.refused(method, f"{ROOT}/Model{rest}", body)
                absent = asker.refused(method, f"{ROOT}/Modes{rest}", body)
                assert hidden[0] == 404
                assert hidden == (absent[0], absent[1].replace("Modes", "Model"))
        assert office.by("out").refused("GET", ROOT)[0] == 404
        assert office.by("out").refused("GET", "/registries/none")[0] == 404
        listed = office.by("mem").done("GET", ROOT)["registries"]
        assert [each["name"] for each in listed] == ["Dataset"]

    def test_stars_owners_and_icons(self, office: Office) -> None:
        """R27, R28, R29."""
        office.world.add_person("mem", in_organization="member")
        admin, mem = office.by("admin"), office.by("mem")
        fresh = mem.done("GET", MODEL)
        assert (fresh["starred"], fresh["owner"]) == (False, "admin")
        mem.done("PUT", f"{MODEL}/star")
        assert mem.done("GET", MODEL)["starred"] is True
        assert admin.done("GET", MODEL)["starred"] is False
        listed = mem.done("GET", ROOT, order="starred")["registries"]
        assert [each["name"] for each in listed] == ["Model", "Dataset"]
        mem.done("DELETE", f"{MODEL}/star")
        assert mem.done("GET", MODEL) == fresh
        assert admin.refused("PUT", f"{MODEL}/owner", {"username": "mem"})[0] == 404
        admin.done("PUT", f"{MODEL}/members/mem", {})
        assert admin.done("PUT", f"{MODEL}/owner", {"username": "mem"})["owner"] == "mem"
        other = "bolt-red" if fresh["icon"] != "bolt-red" else "bolt-blue"
        assert admin.done("PATCH", MODEL, {"icon": other})["icon"] == other
        status, text = mem.refused("PATCH", MODEL, {"icon": "star-teal"})
        assert status == 403
        assert "admin" in text
        assert admin.refused("PATCH", MODEL, {"icon": "<svg onload=x>"})[0] == 422
        (entry,) = admin.done("GET", f"{MODEL}/history", kind="registry:update")["history"]
        assert (entry["before"], entry["after"]) == ({"icon": fresh["icon"]}, {"icon": other})
        assert admin.done("PATCH", MODEL, {"icon": "generated"})["icon"] == fresh["icon"]

    def test_pages(self, office: Office) -> None:
        admin = office.by("admin")
        for at in range(5):
            admin.done("POST", ROOT, {"name": f"r{at}"})
        seen, after = [], ""
        while True:
            page = admin.done("GET", ROOT, first=2, after=after, order="name")
            seen += [each["name"] for each in page["registries"]]
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == ["Dataset", "Model", "r0", "r1", "r2", "r3", "r4"]


class TestMembers:
    """R101 to R111: putting users and teams into a registry, and out of it."""

    def test_users_and_teams(self, office: Office) -> None:
        world = office.world
        world.add_person("mem", in_organization="member")
        team.create_service_account(world.admin, team=TEAM, name="robot")
        admin = office.by("admin")
        put = admin.done("PUT", f"{MODEL}/members/mem", {})
        assert put == {"username": "mem", "role": "restricted_viewer", "service_account": False}
        assert admin.done("PUT", f"{MODEL}/members/mem", {"role": "admin"})["role"] == "admin"
        assert admin.done("PUT", f"{MODEL}/members/mem", {})["role"] == "admin"
        assert admin.done("PUT", f"{MODEL}/members/robot", {})["role"] == "member"
        assert admin.refused("PUT", f"{MODEL}/members/robot", {"role": "viewer"})[0] == 422
        assert admin.done("PUT", f"{MODEL}/teams/{TEAM}", {"role": "member"})["role"] == "member"
        listed = office.by("mem").done("GET", f"{MODEL}/members")
        assert [(u["username"], u["role"]) for u in listed["users"]][-2:] == [
            ("mem", "admin"),
            ("robot", "member"),
        ]
        assert listed["teams"] == [{"team": TEAM, "role": "member"}]
        for path in (f"{MODEL}/members/mem", f"{MODEL}/teams/{TEAM}"):
            admin.done("DELETE", path)
            admin.done("DELETE", path)

    def test_who_is_not_in_the_organization_is_as_if_absent(self, office: Office) -> None:
        office.world.add_person("out")
        admin = office.by("admin")
        there = admin.refused("PUT", f"{MODEL}/members/out", {"role": "viewer"})
        absent = admin.refused("PUT", f"{MODEL}/members/nix", {"role": "viewer"})
        assert there == (404, absent[1].replace("nix", "out"))

    def test_the_last_admin_stays(self, office: Office) -> None:
        """R111."""
        admin = office.by("admin")
        admin.done("POST", ROOT, {"name": "Mine"})
        assert admin.refused("DELETE", f"{ROOT}/Mine/members/admin")[0] == 409
        assert admin.refused("PUT", f"{ROOT}/Mine/members/admin", {"role": "viewer"})[0] == 409

    def test_an_unknown_role_lists_the_roles(self, office: Office) -> None:
        status, text = office.by("admin").refused("PUT", f"{MODEL}/members/admin", {"role": "boss"})
        assert status == 422
        assert "restricted_viewer, viewer, member, admin" in text


class TestCollections:
    """R31 to R39, R96: an empty collection, its name, description and tags."""

    def test_the_whole_story(self, office: Office) -> None:
        admin = office.by("admin")
        body = {"name": "Zoo", "type": "model", "description": "d", "tags": ["a", "b c"]}
        made = admin.done("POST", f"{MODEL}/collections", body)
        assert made["full_name"] == f"{ORGANIZATION}/wandb-registry-Model/Zoo"
        assert (made["tags"], made["version_count"]) == (["a", "b c"], 0)
        assert admin.refused("POST", f"{MODEL}/collections", body)[0] == 409
        assert admin.done("PUT", f"{ZOO}/tags/new") == {"tags": ["a", "b c", "new"]}
        assert admin.done("DELETE", f"{ZOO}/tags/a") == {"tags": ["b c", "new"]}
        assert admin.done("DELETE", f"{ZOO}/tags/a") == {"tags": ["b c", "new"]}
        renamed = admin.done("PATCH", ZOO, {"name": "Park", "description": ""})
        assert (renamed["name"], renamed["description"]) == ("Park", "")
        assert admin.refused("GET", ZOO)[0] == 404
        found = admin.done("GET", f"{MODEL}/collections", filters='{"tag": "new"}')
        assert [each["name"] for each in found["collections"]] == ["Park"]
        assert not admin.done("GET", f"{MODEL}/collections", type="other")["collections"]
        admin.done("DELETE", f"{MODEL}/collections/Park")
        assert admin.done("GET", f"{MODEL}/collections") == {"collections": [], "next": None}

    def test_the_type_must_be_accepted(self, office: Office) -> None:
        """R20, R31."""
        admin = office.by("admin")
        admin.done("PATCH", MODEL, {"allow_all_artifact_types": False})
        admin.done("PATCH", MODEL, {"add_artifact_types": ["model"]})
        body = {"name": "c", "type": "dataset"}
        status, text = admin.refused("POST", f"{MODEL}/collections", body)
        assert status == 422
        assert "'dataset'" in text
        assert "'model'" in text

    def test_renaming_onto_another_is_a_conflict(self, office: Office) -> None:
        """R37."""
        admin = office.by("admin")
        for name in ("a", "b"):
            admin.done("POST", f"{MODEL}/collections", {"name": name, "type": "t"})
        assert admin.refused("PATCH", f"{MODEL}/collections/a", {"name": "b"})[0] == 409


class TestVersions:
    """R41 to R58: linking, listing, reading, editing and unlinking."""

    def test_the_whole_story(self, office: Office) -> None:
        world = office.world
        for content in (b"1", b"2"):
            log_version(world.admin, files={"f": content, "sub/g": b"x" + content})
        admin = office.by("admin")
        source = f"{TEAM}/{PROJECT}/model"
        body = {"version": f"{source}:v0", "aliases": ["production"]}
        made = admin.done("POST", f"{ZOO}/links", body)
        assert (made["version"], made["source"]) == ("v0", f"{source}:v0")
        assert sorted(made["aliases"]) == ["latest", "production"]
        assert admin.done("POST", f"{ZOO}/links", body)["version"] == "v0"
        again = {"version": f"{source}:latest", "aliases": []}
        lower = f"{ROOT}/model/collections/Zoo"
        assert admin.done("POST", f"{lower}/links", again)["version"] == "v1"
        listed = admin.done("GET", f"{ZOO}/versions", first=1)
        assert [each["version"] for each in listed["versions"]] == ["v1"]
        rest = admin.done("GET", f"{ZOO}/versions", first=1, after=listed["next"])
        assert ([each["version"] for each in rest["versions"]], rest["next"]) == (["v0"], None)
        one = f"{ZOO}/versions/production"
        edited = admin.done(
            "PATCH",
            one,
            {"description": "d", "metadata": {"accuracy": 0.9}, "add_tags": ["t"]},
        )
        assert (edited["description"], edited["metadata"]) == ("d", {"accuracy": 0.9})
        assert admin.done("PUT", f"{one}/tags/u") == {"tags": ["t", "u"]}
        assert admin.done("DELETE", f"{one}/tags/t") == {"tags": ["u"]}
        found = admin.done("GET", f"{ZOO}/versions", filters='{"metadata.accuracy": {"$gt": 0.5}}')
        assert [each["version"] for each in found["versions"]] == ["v0"]
        files = admin.done("GET", f"{one}/files", first=1)
        assert [each["path"] for each in files["files"]] == ["f"]
        assert files["files"][0]["url"].startswith("http://testserver/content/version-file/")
        files = admin.done("GET", f"{one}/files", after=files["next"])
        assert ([each["path"] for each in files["files"]], files["next"]) == (["sub/g"], None)
        admin.done("DELETE", one)
        assert admin.refused("GET", one)[0] == 404
        assert admin.done("GET", ZOO)["version_count"] == 1

    def test_a_member_who_cannot_see_the_source_does_not_learn_its_place(
        self, office: Office
    ) -> None:
        """R55."""
        version = log_version(office.world.admin)
        link_version(office.world.admin, version)
        office.world.add_person("mem", in_organization="member")
        shown = office.by("mem").done("GET", f"{ZOO}/versions/v0")
        assert shown["source"] is None
        assert TEAM not in str(shown)

    def test_a_refused_link_leaves_no_collection_behind(self, office: Office) -> None:
        """R33, R52."""
        log_version(office.world.admin)
        admin = office.by("admin")
        body = {"version": f"{TEAM}/{PROJECT}/model:v0", "aliases": ["v7"]}
        assert admin.refused("POST", f"{MODEL}/collections/New/links", body)[0] == 422
        assert admin.refused("GET", f"{MODEL}/collections/New")[0] == 404
        absent = {"version": f"{TEAM}/{PROJECT}/model:v9"}
        assert admin.refused("POST", f"{MODEL}/collections/New/links", absent)[0] == 404

    def test_a_restricted_viewer_sees_but_gets_no_files(self, office: Office) -> None:
        """R107."""
        link_version(office.world.admin, log_version(office.world.admin))
        office.world.add_person("mem", in_organization="member")
        admin = office.by("admin")
        admin.done("PATCH", MODEL, {"default_role": "restricted_viewer"})
        mem = office.by("mem")
        assert mem.done("GET", f"{ZOO}/versions/v0")["digest"]
        status, text = mem.refused("GET", f"{ZOO}/versions/v0/files")
        assert status == 403
        assert "viewer" in text

    def test_an_organization_viewer_who_is_member_of_a_registry_may_write(
        self, office: Office
    ) -> None:
        """R102, R103: the role given directly counts."""
        office.world.add_person("vie", in_organization=GroupRole.VIEWER.value)
        asker = office.by("vie")
        body = {"name": "c", "type": "t"}
        assert asker.refused("POST", f"{MODEL}/collections", body)[0] == 403
        office.by("admin").done("PUT", f"{MODEL}/members/vie", {"role": "member"})
        assert asker.done("POST", f"{MODEL}/collections", body)["name"] == "c"


class TestSearch:
    """R113 to R115 over REST."""

    def test_groups(self, office: Office) -> None:
        link_version(office.world.admin, log_version(office.world.admin), aliases=["zoo-best"])
        admin = office.by("admin")
        results = admin.done("GET", "/search", q="ZOO")["results"]
        assert [group["kind"] for group in results] == [
            "registry",
            "collection",
            "collection_tag",
            "version_tag",
            "alias",
        ]
        by_kind = {group["kind"]: group["items"] for group in results}
        assert by_kind["collection"] == [
            {
                "name": "Zoo",
                "match": "exact",
                "organization": ORGANIZATION,
                "registry": "Model",
                "collection": "Zoo",
                "version": None,
                "protected": False,
            }
        ]
        assert by_kind["alias"][0]["version"] == "v0"
        assert not by_kind["alias"][0]["protected"]
        admin.done("POST", f"{MODEL}/protected-aliases", {"name": "ZOO-best"})
        (_, _, _, _, aliases) = admin.done("GET", "/search", q="zoo-b")["results"]
        assert aliases["items"][0]["protected"]
        only = admin.done("GET", "/search", q="zoo", kind="alias", organization=ORGANIZATION)
        assert [group["kind"] for group in only["results"]] == ["alias"]
        status, _ = admin.refused("GET", "/search", q="zoo", kind="boat")
        assert status == 422


@pytest.mark.parametrize("path", [ROOT, MODEL, f"{MODEL}/members", ZOO, f"{ZOO}/versions/v0"])
def test_nobody_is_asked_for_a_key(office: Office, path: str, world: World) -> None:
    """R10: 401 before anything is said, whether the place exists or not."""
    assert office.by(None).refused("GET", path)[0] == 401
    assert office.by(None).refused("GET", path.replace("Model", "None"))[0] == 401
