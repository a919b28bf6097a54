"""Projects and runs over REST: what is listed, changed and deleted, and who is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from byname.operations import collection, trash
from byname.rest.project import SHOWN_DEPTH
from tests.faces.rest.conftest import Office
from tests.support.runs import make_run
from tests.support.world import ORGANIZATION, PROJECT, TEAM, link_version, log_version

HERE = f"/projects/{TEAM}/{PROJECT}"


def names(answer: dict[str, Any], field: str, name: str = "name") -> list[str]:
    return [each[name] for each in answer[field]]


class TestProjects:
    """Those of a team or person, as far as one may see them."""

    def test_listed_shown_and_edited(self, office: Office) -> None:
        admin = office.by("admin")
        log_version(office.world.admin)
        log_version(office.world.admin, project="second")
        listed = admin.done("GET", f"/projects/{TEAM}")
        assert names(listed, "projects") == ["second", PROJECT]
        page = admin.done("GET", f"/projects/{TEAM}", first=1)
        assert names(page, "projects") == ["second"]
        page = admin.done("GET", f"/projects/{TEAM}", first=1, after=page["next"])
        assert (names(page, "projects"), page["next"]) == ([PROJECT], None)
        shown = admin.done("GET", HERE)
        assert (shown["full_name"], shown["created_by"]) == (f"{TEAM}/{PROJECT}", "admin")
        edited = admin.done("PATCH", HERE, {"description": "What it is for"})
        assert (edited["name"], edited["description"]) == (PROJECT, "What it is for")
        # All or nothing: the name is taken, and the description stays.
        body = {"name": "second", "description": "lost"}
        assert admin.refused("PATCH", HERE, body)[0] == 409
        assert admin.done("GET", HERE)["description"] == "What it is for"
        edited = admin.done("PATCH", HERE, {"name": "Other", "description": "d"})
        assert (edited["full_name"], edited["description"]) == (f"{TEAM}/Other", "d")
        assert admin.ask("GET", HERE)[0] == 404

    def test_deleted_and_restored(self, office: Office) -> None:
        admin = office.by("admin")
        version = log_version(office.world.admin)
        place, _ = link_version(office.world.admin, version)
        status, text = admin.refused("DELETE", HERE)
        assert (status, "Zoo" in text) == (409, True)
        collection.unlink(office.world.admin, version.id, place.id)
        admin.done("DELETE", HERE)
        assert admin.ask("GET", HERE)[0] == 404
        found = next(
            each
            for each in trash.list_page(office.world.admin, TEAM).items
            if each.kind.value == "project"
        )
        admin.done("POST", f"/organizations/{TEAM}/trash/{found.id}/restore")
        assert admin.done("GET", HERE)["name"] == PROJECT

    def test_what_was_logged(self, office: Office) -> None:
        admin = office.by("admin")
        for text in (b"1", b"2"):
            log_version(office.world.admin, files={"f": text})
        log_version(office.world.admin, name="data", type_name="dataset")
        listed = admin.done("GET", f"{HERE}/collections", order="name")
        assert names(listed, "collections") == ["data", "model"]
        assert listed["collections"][1]["version_count"] == 2
        listed = admin.done("GET", f"{HERE}/collections", type="dataset")
        assert names(listed, "collections") == ["data"]
        versions = admin.done("GET", f"{HERE}/collections/model/versions")
        assert names(versions, "versions", "version") == ["v1", "v0"]
        assert versions["versions"][0]["source"] == f"{TEAM}/{PROJECT}/model:v1"
        assert admin.ask("GET", f"{HERE}/collections/none/versions")[0] == 404

    def test_to_who_may_not_look_in_a_project_is_not_there(self, office: Office) -> None:
        """In the same words as one that is missing; a registry is no project either."""
        log_version(office.world.admin)
        run_of(office)
        office.world.add_person("mem", in_organization="member")
        office.world.add_person("out")
        for who in ("mem", "out"):
            asker = office.by(who)
            for path in ("", "/runs", "/collections", "/runs/run1"):
                hidden = asker.refused("GET", HERE + path)
                missing = asker.refused("GET", f"/projects/{TEAM}/nothing{path}")
                assert hidden[0] == missing[0] == 404
                assert hidden[1].replace(PROJECT, "nothing") == missing[1]
        # The organization knows of its teams, and sees none of their projects.
        listed = office.by("mem").done("GET", f"/projects/{TEAM}")
        assert listed == {"projects": [], "next": None}
        outside = office.by("out").refused("GET", f"/projects/{TEAM}")
        nowhere = office.by("out").refused("GET", "/projects/nowhere")
        assert outside[0] == 404
        assert outside[1].replace(TEAM, "nowhere") == nowhere[1]
        admin = office.by("admin")
        assert admin.ask("GET", f"/projects/{ORGANIZATION}/wandb-registry-Model")[0] == 404
        assert admin.ask("DELETE", f"/projects/{ORGANIZATION}/wandb-registry-Model")[0] == 404
        assert admin.ask("GET", f"/projects/{ORGANIZATION}")[0] == 404


def run_of(office: Office, name: str = "run1", **change: Any) -> int:
    return make_run(office.world.admin, name, **change).id


class TestRuns:
    """The runs of a project."""

    def test_listed_and_shown(self, office: Office) -> None:
        admin = office.by("admin")
        run_of(office, config='{"lr": 0.1, "odd": NaN}', summary='{"loss": Infinity}')
        run_of(office, "run2", display_name="second", tags=["fast"])
        listed = admin.done("GET", f"{HERE}/runs")
        assert (names(listed, "runs", "run"), listed["total"]) == (["run2", "run1"], 2)
        page = admin.done("GET", f"{HERE}/runs", first=1, order="created")
        assert names(page, "runs", "run") == ["run1"]
        page = admin.done("GET", f"{HERE}/runs", first=1, order="created", after=page["next"])
        assert (names(page, "runs", "run"), page["next"]) == (["run2"], None)
        assert names(admin.done("GET", f"{HERE}/runs", q="FAST"), "runs") == ["second"]
        assert admin.done("GET", f"{HERE}/runs", state="failed")["total"] == 0
        assert admin.ask("GET", f"{HERE}/runs", state="odd")[0] == 422
        shown = admin.done("GET", f"{HERE}/runs/run1")
        assert (shown["full_name"], shown["author"]) == (f"{TEAM}/{PROJECT}/run1", "admin")
        # JSON has no such numbers.
        assert shown["config"]["odd"] is None
        assert shown["summary"] == {"loss": None}

    @pytest.mark.parametrize("field", ["config", "summary"])
    def test_what_json_can_hold_and_hardly_anybody_reads(self, office: Office, field: str) -> None:
        deep = f"{'[' * 400}{']' * 400}"
        run_of(office, **{field: f'{{"deep": {deep}, "half": "\\ud800", "\\ud800": 1}}'})
        shown = office.by("admin").done("GET", f"{HERE}/runs/run1")[field]
        assert (shown["half"], shown["?"]) == ("?", 1)
        value, levels = shown["deep"], 0
        while isinstance(value, list):
            value, levels = value[0], levels + 1
        assert levels == SHOWN_DEPTH - 1
        assert value == deep[levels:-levels]

    def test_stopped(self, office: Office) -> None:
        admin = office.by("admin")
        number = run_of(office)
        assert admin.ask("POST", f"{HERE}/runs/run1/stop") == (204, None)
        with office.world.admin.database.read() as tx:
            row = tx.one("SELECT stop_requested FROM run WHERE id = :id", {"id": number})
        assert row is not None
        assert row["stop_requested"] == 1

    @pytest.mark.parametrize("with_versions", [False, True])
    def test_deleted(self, office: Office, with_versions: bool) -> None:
        admin = office.by("admin")
        run_of(office)
        log_version(office.world.admin, run="run1")
        query = {"delete_versions": "true"} if with_versions else {}
        admin.done("DELETE", f"{HERE}/runs/run1", **query)
        assert admin.ask("GET", f"{HERE}/runs/run1")[0] == 404
        left = admin.done("GET", f"{HERE}/collections/model/versions")["versions"]
        assert len(left) == (0 if with_versions else 1)

    def test_a_run_whose_version_is_linked_stays(self, office: Office) -> None:
        admin = office.by("admin")
        run_of(office)
        link_version(office.world.admin, log_version(office.world.admin, run="run1"))
        assert admin.refused("DELETE", f"{HERE}/runs/run1", delete_versions="true")[0] == 409
        assert admin.ask("GET", f"{HERE}/runs/run1")[0] == 200
