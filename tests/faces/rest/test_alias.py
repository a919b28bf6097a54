"""Aliases, protected aliases, history and the audit log over REST."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.policy import Role
from byname.operations import registry
from tests.faces.rest.conftest import Asker, Office
from tests.support.world import ORGANIZATION, link_version, log_version

MODEL = f"/registries/{ORGANIZATION}/Model"
ZOO = f"{MODEL}/collections/Zoo"
PRODUCTION = f"{ZOO}/aliases/production"


@pytest.fixture
def admin(office: Office) -> Asker:
    """The admin; v0 and v1 of Zoo are there."""
    for number in range(2):
        link_version(
            office.world.admin, log_version(office.world.admin, files={"f": b"%d" % number})
        )
    return office.by("admin")


@pytest.fixture
def member(office: Office) -> Asker:
    project = registry.get_by_name(office.world.admin, ORGANIZATION, "Model")
    change = registry.RegistryEdit(default_role=Role.MEMBER)
    registry.edit(office.world.admin, project.id, change)
    office.world.add_person("mem", in_organization="member")
    return office.by("mem")


def put(asker: Asker, version: str, path: str = PRODUCTION, **headers: str) -> tuple[int, Any]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = asker.client.put(
        f"/api/v1{path}", json={"version": version}, headers={**asker.headers, **told}
    )
    return answer.status_code, answer.json()


class TestOneAlias:
    """R67, R70, R189: its version, digest, revision; compare-and-set; taking off; undo."""

    def test_the_whole_story(self, admin: Asker) -> None:
        assert admin.ask("GET", PRODUCTION)[0] == 404
        assert put(admin, "v0", If_None_Match="*")[0] == 200
        status, error = put(admin, "v1", If_None_Match="*")
        assert (status, error["error"]["details"]["current"]) == (412, "v0")
        answer = admin.client.get(f"/api/v1{PRODUCTION}", headers=admin.headers)
        assert answer.headers["etag"] == '"1"'
        assert (answer.json()["version"], answer.json()["protected"]) == ("v0", False)
        assert len(answer.json()["digest"]) == 32
        status, moved = put(admin, "latest", If_Match='"1"')
        assert (status, moved["version"], moved["previous"]) == (200, "v1", "v0")
        assert put(admin, "v0", If_Match='"1"')[0] == 412
        assert admin.done("POST", PRODUCTION + "/undo", {"revision": 2})["version"] == "v0"
        assert admin.ask("POST", PRODUCTION + "/undo", {"revision": 2})[0] == 409
        page = admin.done("GET", PRODUCTION + "/history")
        assert [each["after"] for each in page["history"]] == ["v0", "v1", "v0"]
        assert [each["version"] for each in page["holders"]] == ["v0", "v1", "v0"]
        since = page["history"][1]["at"]
        assert admin.done("GET", PRODUCTION, at=since)["version"] == "v1"
        admin.done("DELETE", PRODUCTION)
        assert admin.ask("DELETE", PRODUCTION)[0] == 404
        assert (
            admin.done("GET", f"{MODEL}/history", kind="alias", alias="production", first=1)[
                "history"
            ][0]["kind"]
            == "alias:remove"
        )

    @pytest.mark.parametrize("name", ["v0", "a%2Fb", "a:b", "a@b", "a~1", "x" * 129])
    def test_names_that_are_not_allowed(self, admin: Asker, name: str) -> None:
        assert put(admin, "v0", f"{ZOO}/aliases/{name}")[0] in (404, 422)

    @pytest.mark.parametrize("header", ["nonsense", '"a"', '"1", "2"', 'W/"1"'])
    def test_an_expectation_that_cannot_be_read(self, admin: Asker, header: str) -> None:
        assert put(admin, "v0", If_Match=header)[0] == 422
        assert admin.ask("GET", PRODUCTION)[0] == 404

    def test_the_prefix_of_the_registry_is_optional(self, admin: Asker) -> None:
        put(admin, "v0")
        long = PRODUCTION.replace("/Model/", "/wandb-registry-Model/")
        assert admin.done("GET", long) == admin.done("GET", PRODUCTION)


class TestGroupMoves:
    """R70: all or nothing, each with its expected holder; a stale one answers 409 and says it."""

    def test_expectations(self, admin: Asker) -> None:
        def moves(expect: dict[str, object]) -> tuple[int, Any]:
            each = {"collection": "Zoo", "version": "v1"}
            body = {"moves": [{**each, "alias": "a"}, {**each, "alias": "b", **expect}]}
            return admin.ask("POST", f"{MODEL}/alias-moves", body)

        status, stale = moves({"expect": "v0"})
        assert (status, stale["error"]["code"]) == (409, "holder_changed")
        assert stale["error"]["details"]["current"] is None
        assert admin.ask("GET", f"{ZOO}/aliases/a")[0] == 404
        assert moves({"expect": None})[0] == 200
        status, stale = moves({"expect": None})
        assert (status, stale["error"]["details"]["current"]) == (409, "v1")
        assert moves({})[0] == 200
        assert admin.ask("POST", f"{MODEL}/alias-moves", {"moves": []})[0] == 422


class TestProtected:
    """R80 to R91 over REST: listed by all, changed by Admins, and refused whole."""

    def test_the_whole_story(self, admin: Asker, member: Asker) -> None:
        put(admin, "v0")
        path = f"{MODEL}/protected-aliases"
        assert member.refused("POST", path, {"name": "production"})[0] == 403
        assert admin.done("POST", path, {"name": "production"})["uses"] == 1
        assert admin.refused("POST", path, {"name": "production"})[0] == 409
        assert admin.refused("POST", path, {"name": "latest"})[0] == 422
        listed = member.done("GET", path)["protected_aliases"]
        assert [each["name"] for each in listed] == ["production"]
        assert member.done("GET", PRODUCTION)["protected"] is True
        status, error = put(member, "v1")
        assert status == 403
        assert "'production'" in error["error"]["message"]
        assert error["error"]["details"]["role"] == "admin"
        assert put(member, "v1", f"{ZOO}/aliases/Production")[0] == 409
        assert put(admin, "v1")[0] == 200
        assert member.refused("DELETE", f"{path}/production")[0] == 403
        admin.done("DELETE", f"{path}/production")
        assert put(member, "v0")[0] == 200


class TestIdempotency:
    """The same key: the same answer, done once; another request with it: refused."""

    def test_a_repeated_write_is_done_once(self, admin: Asker, member: Asker) -> None:
        first = put(admin, "v0", Idempotency_Key="k1")
        put(admin, "v1")
        assert put(admin, "v0", Idempotency_Key="k1") == first
        assert admin.done("GET", PRODUCTION)["version"] == "v1"
        status, error = put(admin, "v1", Idempotency_Key="k1")
        assert (status, error["error"]["code"]) == (422, "idempotency_key_reused")
        status, moved = put(member, "v0", Idempotency_Key="k1")
        assert (status, moved["revision"]) == (200, 3)

    def test_a_refusal_is_not_kept(self, admin: Asker) -> None:
        assert put(admin, "v9", Idempotency_Key="k")[0] == 404
        assert put(admin, "v0", Idempotency_Key="k")[0] == 200

    def test_no_content_is_answered_again(self, admin: Asker) -> None:
        put(admin, "v0")
        headers = {**admin.headers, "Idempotency-Key": "k"}
        for _ in range(2):
            answer = admin.client.delete(f"/api/v1{PRODUCTION}", headers=headers)
            assert (answer.status_code, answer.content) == (204, b"")

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_keys_that_are_none(self, admin: Asker, key: str) -> None:
        assert put(admin, "v0", Idempotency_Key=key)[0] == 422


class TestHistoryAndAudit:
    """R187 to R191."""

    def test_pages_and_csv(self, admin: Asker) -> None:
        put(admin, "v0")
        whole = admin.done("GET", f"{ZOO}/history")["history"]
        page = admin.done("GET", f"{ZOO}/history", first=2)
        rest = admin.done("GET", f"{ZOO}/history", after=page["next"])
        assert page["history"] + rest["history"] == whole
        answer = admin.client.get(
            f"/api/v1{ZOO}/history", params={"format": "csv"}, headers=admin.headers
        )
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(answer.text.splitlines()) == len(whole) + 1
        assert admin.ask("GET", f"{ZOO}/history", after="x")[0] == 422
        assert admin.ask("GET", f"{ZOO}/history", version="x")[0] == 422

    @pytest.mark.parametrize(
        "path", [f"/api/v1/organizations/{ORGANIZATION}/audit", "/admin/audit_logs"]
    )
    def test_the_audit_log(self, admin: Asker, member: Asker, path: str) -> None:
        put(admin, "v0")
        answer = admin.client.get(path, headers=admin.headers)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert {"artifact:create", "link:create", "alias:add"} <= {e["action"] for e in lines}
        made = next(line for line in lines if line["action"] == "link:create")
        assert made["artifact_qualified_name"] == f"{ORGANIZATION}/wandb-registry-Model/Zoo:v0"
        assert made["actor_email"] == "admin@example.org"
        seen: list[object] = []
        cursor: dict[str, str] = {}
        for _ in lines:
            page = admin.client.get(path, params={"limit": "3", **cursor}, headers=admin.headers)
            seen += [json.loads(line) for line in page.text.splitlines()]
            if "x-next-cursor" not in page.headers:
                break
            cursor = {"cursor": page.headers["x-next-cursor"]}
        assert seen == lines
        quiet = admin.client.get(path, params={"anonymize": "true"}, headers=admin.headers)
        assert "admin@example.org" not in quiet.text
        late = admin.client.get(path, params={"endDate": "2000-01-01"}, headers=admin.headers)
        assert (late.status_code, late.text) == (200, "")
        assert (
            admin.client.get(path, params={"limit": 20_001}, headers=admin.headers).status_code
            == 422
        )
        assert (
            admin.client.get(path, params={"startDate": "x"}, headers=admin.headers).status_code
            == 422
        )
        assert member.client.get(path, headers=member.headers).status_code == 403
        assert member.client.get(path).status_code == 401
