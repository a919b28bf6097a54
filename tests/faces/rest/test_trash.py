"""The trash, deletion, lineage and garbage collection over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from byname.operations import collection
from tests.support.runs import make_run
from tests.support.site import Site, serving
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

TRASH = f"/api/v1/organizations/{ORGANIZATION}/trash"
REF = f"{TEAM}/{PROJECT}/model:v0"


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    with serving(world, tmp_path) as site:
        yield site


def call(site: Site, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {**site.login, "Content-Type": "application/json"}
    status, answer = site.ask(method, path, json.dumps(body) if body is not None else None, headers)
    return status, json.loads(answer) if answer else None


class TestTrash:
    """R164."""

    def test_unlinked_listed_and_restored(self, site: Site) -> None:
        version = log_version(site.world.admin)
        place, _ = link_version(site.world.admin, version, aliases=["best"])
        collection.unlink(site.world.admin, version.id, place.id)
        status, answer = call(site, "GET", TRASH)
        assert status == 200
        (found,) = answer["deletions"]
        assert (found["kind"], found["name"], found["deleted_by"], answer["next"]) == (
            "link",
            f"{ORGANIZATION}/{REGISTRY}/Zoo:v0",
            "admin",
            None,
        )
        where = f"{TRASH}/{found['id']}/restore"
        assert call(site, "POST", where)[0] == 200
        assert call(site, "GET", TRASH)[1]["deletions"] == []
        status, answer = call(site, "GET", f"/api/v1/resolve?ref={REGISTRY}/Zoo:best")
        assert (status, answer["version"]) == (200, "v0")
        assert call(site, "POST", where)[0] == 404

    def test_the_name_was_taken(self, site: Site) -> None:
        version = log_version(site.world.admin)
        place, _ = link_version(site.world.admin, version)
        collection.delete(site.world.admin, place.id, is_sequence=False)
        link_version(site.world.admin, version)
        (found,) = call(site, "GET", TRASH)[1]["deletions"]
        status, answer = call(site, "POST", f"{TRASH}/{found['id']}/restore")
        assert (status, answer["error"]["code"]) == (409, "name_taken")

    def test_a_stranger(self, site: Site) -> None:
        site.world.add_person("spy")
        assert call(site.by("spy"), "GET", TRASH)[0] == 404
        assert site.ask("GET", TRASH)[0] == 401


class TestDeletingASource:
    """R161, R162."""

    def test_each_refusal_names_what_stands_in_the_way(self, site: Site) -> None:
        version = log_version(site.world.admin)
        link_version(site.world.admin, version)
        where = f"/api/v1/versions?ref={quote(REF)}"
        status, answer = call(site, "DELETE", where)
        assert (status, answer["error"]["details"]["links"]) == (
            409,
            [f"{ORGANIZATION}/{REGISTRY}/Zoo:v0"],
        )
        status, answer = call(site, "DELETE", where + "&unlink=true")
        assert (status, answer["error"]["details"]["aliases"]) == (409, ["latest"])
        status, _ = call(site, "DELETE", where + "&unlink=true&delete_aliases=true")
        assert status == 204
        assert call(site, "GET", f"/api/v1/resolve?ref={quote(REF)}")[0] == 404
        (found,) = call(site, "GET", TRASH)[1]["deletions"]
        assert call(site, "POST", f"{TRASH}/{found['id']}/restore")[0] == 200
        assert call(site, "GET", f"/api/v1/resolve?ref={REGISTRY}/Zoo:v0")[0] == 200


class TestLineage:
    """R149, R152."""

    def test_a_graph(self, site: Site) -> None:
        make_run(site.world.admin, "train")
        log_version(site.world.admin, run="train")
        status, answer = call(site, "GET", f"/api/v1/lineage?ref={quote(REF)}&depth=1")
        assert status == 200
        assert [(node["name"], node["kind"]) for node in answer["nodes"]] == [
            (REF, "version"),
            (f"{TEAM}/{PROJECT}/train", "run"),
        ]
        (edge,) = answer["edges"]
        assert (edge["target"], edge["kind"]) == (answer["root"], "made")
        run = quote(f"{TEAM}/{PROJECT}/train")
        status, again = call(site, "GET", f"/api/v1/lineage?run={run}")
        assert (status, again["edges"]) == (200, answer["edges"])

    @pytest.mark.parametrize(
        "query",
        ["", "ref=a&run=b", "run=a/b", "ref=a:v0&depth=9", "ref=a:v0&fan_out=0", "ref=%00"],
    )
    def test_wrong_questions(self, site: Site, query: str) -> None:
        assert call(site, "GET", f"/api/v1/lineage?{query}")[0] in (404, 422)


class TestGarbage:
    """R163."""

    def test_previewed_and_collected(self, site: Site) -> None:
        log_version(site.world.admin)
        status, answer = call(site, "POST", "/api/v1/garbage-collections/preview", {"list": 1})
        assert status == 200
        assert (answer["goes"], answer["freed_bytes"]) == (0, 0)
        assert answer["stays"] == sum(answer["by_reason"].values()) >= 2
        assert len(answer["listed"]) == 1
        status, answer = call(site, "POST", "/api/v1/garbage-collections")
        assert (status, answer["freed_bytes"]) == (200, 0)

    def test_for_server_administrators_only(self, site: Site) -> None:
        site.world.add_person("ann", in_organization="admin")
        ann = site.by("ann")
        assert call(ann, "POST", "/api/v1/garbage-collections")[0] == 403
        assert call(ann, "POST", "/api/v1/garbage-collections/preview", {})[0] == 403
