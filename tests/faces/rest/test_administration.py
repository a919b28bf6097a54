"""Administration over REST: statuses, shapes, and what never becomes an error of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname import __version__
from byname.domain.key import is_key
from byname.domain.policy import GroupRole
from byname.operations import deactivation, team
from byname.rest.api import make_api
from tests.support.house import ORGANIZATION, TEAM, House, basic, bearer

ABSENT = ("/api/v1/registries/", "/api/v1/automations", "/api/v1/keys/", "/api/v1/versions")
"""Below these the examples name what is not there."""


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(make_api(house.ctx)) as made:
        yield made


def by(house: House, username: str) -> dict[str, str]:
    return {"authorization": bearer(house.keys[username])}


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the times at which things were made, which are looked at here."""
    at = answer.pop("created_at", None)
    assert at is None or at.endswith("Z")
    for value in answer.values():
        if isinstance(value, list):
            for each in value:
                without_times(each)
    return answer


CALLS = [
    ("POST", "/api/v1/users", {"username": "new", "email": "new@example.org"}),
    ("DELETE", "/api/v1/users/bob", None),
    ("POST", "/api/v1/organizations", {"name": "new", "owner": "bob"}),
    ("DELETE", f"/api/v1/organizations/{ORGANIZATION}", None),
    ("PUT", f"/api/v1/organizations/{ORGANIZATION}/members/bob", {"role": "viewer"}),
    ("DELETE", f"/api/v1/organizations/{ORGANIZATION}/members/bob", None),
    ("POST", f"/api/v1/organizations/{ORGANIZATION}/teams", {"name": "new"}),
    ("DELETE", f"/api/v1/teams/{TEAM}", None),
    ("PUT", f"/api/v1/teams/{TEAM}/members/bob", {"role": "viewer"}),
    ("PUT", f"/api/v1/teams/{TEAM}/ttl", {"default_seconds": 60}),
    ("DELETE", f"/api/v1/teams/{TEAM}/members/bob", None),
    ("POST", f"/api/v1/teams/{TEAM}/service-accounts", {"name": "new"}),
]


class TestEveryCallAnswers:
    """The calls, with their statuses and bodies, from an empty organization to its end."""

    def test_the_whole_story(self, house: House, client: TestClient) -> None:
        client.headers.update(by(house, "ann"))
        answer = client.post("/api/v1/users", json={"username": "bob", "email": "b@example.org"})
        assert answer.status_code == 201
        assert set(answer.json()) == {"username", "api_key"}
        assert answer.json()["username"] == "bob"
        assert is_key(answer.json()["api_key"])
        house.keys["bob"] = answer.json()["api_key"]

        answer = client.post("/api/v1/organizations", json={"name": "other", "owner": "bob"})
        assert (answer.status_code, answer.json()) == (201, {"name": "other"})
        for _ in range(2):
            answer = client.put("/api/v1/organizations/other/members/ann", json={"role": "viewer"})
            assert (answer.status_code, answer.json()) == (
                200,
                {"username": "ann", "role": "viewer"},
            )
        answer = client.post(
            "/api/v1/organizations/other/teams", json={"name": "team", "admins": ["bob"]}
        )
        assert (answer.status_code, answer.json()) == (201, {"name": "team"})
        answer = client.put("/api/v1/teams/team/members/ann", json={"role": "member"})
        assert (answer.status_code, answer.json()["role"]) == (200, "member")
        assert list(house.actor("bob").teams.values()) == [GroupRole.ADMIN]

        answer = client.post("/api/v1/teams/team/service-accounts", json={"name": "robot"})
        assert answer.status_code == 201
        house.keys["robot"] = answer.json()["api_key"]
        assert house.actor("robot").entity_name == "team"

        for path, again in [
            ("/api/v1/teams/team/members/ann", 404),
            ("/api/v1/organizations/other/members/ann", 404),
            ("/api/v1/teams/team", 404),
            ("/api/v1/organizations/other", 404),
            ("/api/v1/users/bob", 404),
        ]:
            answer = client.delete(path)
            assert (answer.status_code, answer.content) == (204, b""), path
            assert client.delete(path).status_code == again, path

    def test_lists(self, house: House, client: TestClient) -> None:
        house.make_team_member("bob")
        house.make_member("cy", GroupRole.VIEWER)
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "cy")
        client.headers.update(by(house, "ann"))

        def got(path: str) -> dict[str, Any]:
            answer = client.get(f"/api/v1{path}")
            assert answer.status_code == 200, answer.text
            return without_times(answer.json())

        bob = {
            "username": "bob",
            "full_name": "bob",
            "email": "bob@example.org",
            "admin": False,
            "service_account": False,
        }
        assert got("/users?q=BOB") == {"users": [bob], "next": None}
        assert got("/users/bob") == {
            **bob,
            "organizations": [{"name": ORGANIZATION, "role": "member"}],
            "teams": [{"name": TEAM, "role": "member", "organization": ORGANIZATION}],
        }
        home = {"name": ORGANIZATION, "role": "admin", "members": 2, "teams": 1}
        assert got("/organizations") == {"organizations": [home], "next": None}
        assert got(f"/organizations/{ORGANIZATION}") == home
        crew = {
            "name": TEAM,
            "organization": ORGANIZATION,
            "role": "admin",
            "members": 2,
            "projects": 0,
        }
        assert got(f"/organizations/{ORGANIZATION}/teams") == {"teams": [crew], "next": None}
        assert got(f"/teams/{TEAM}") == crew
        page = got(f"/organizations/{ORGANIZATION}/members?first=1&q=c")
        assert page["next"] is None
        assert page["members"] == [
            {
                "username": "cy",
                "role": "viewer",
                "full_name": "cy",
                "email": "cy@example.org",
                "service_account": False,
                "deactivated": True,
            }
        ]
        listed = got(f"/teams/{TEAM}/members?first=1")
        assert [each["username"] for each in listed["members"]] == ["ann"]
        listed = got(f"/teams/{TEAM}/members?after={listed['next']}")
        assert [each["username"] for each in listed["members"]] == ["bob"]
        assert listed["next"] is None

    def test_administrators_and_names(self, house: House, client: TestClient) -> None:
        for name in ("bob", "cy"):
            house.make_team_member(name)
        house.make_service_account("robot")
        as_ann, as_bob = by(house, "ann"), by(house, "bob")

        def edit(who: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
            answer = client.patch(f"/api/v1/users/{who}", json=body, headers=headers)
            return answer.status_code, answer.json()

        before = house.dump()
        assert edit("bob", {"admin": True}, as_bob)[0] == 403
        assert edit("cy", {"full_name": "Cy"}, as_bob)[0] == 403
        assert edit("cy", {"full_name": "Cy"}, as_ann)[0] == 403
        assert edit("nobody", {"full_name": "Cy"}, as_bob)[0] == 404
        assert edit("bob", {"full_name": "Bob B.", "admin": True}, as_bob)[0] == 403
        assert edit("robot", {"admin": True}, as_ann)[0] == 422
        status, told = edit("ann", {"full_name": "Ann A.", "admin": False}, as_ann)
        assert (status, told["error"]["code"]) == (409, "last_admin")
        assert house.dump() == before
        status, told = edit("BOB", {"full_name": "Bob B."}, as_bob)
        assert (status, told["full_name"], told["admin"]) == (200, "Bob B.", False)
        status, told = edit("bob", {"admin": True}, as_ann)
        assert (status, told["full_name"], told["admin"]) == (200, "Bob B.", True)
        assert edit("ann", {"admin": False}, as_bob)[0] == 200
        assert edit("cy", {"admin": True}, as_ann)[0] == 403
        assert edit("cy", {}, as_ann)[1]["username"] == "cy"

    def test_storage(self, house: House, client: TestClient) -> None:
        client.headers.update(by(house, "ann"))
        team.create_team(house.by("ann"), organization=ORGANIZATION, name="crew")
        where = f"/api/v1/organizations/{ORGANIZATION}/storage"
        first = client.get(where, params={"first": 1}).json()
        assert first["teams"] == [{"team": "crew", "size_bytes": 0}]
        assert first["registries"] == [{"registry": "Dataset", "links": 0, "linked_bytes": 0}]
        asked = {"teams_after": first["next_teams"], "registries_after": first["next_registries"]}
        rest = client.get(where, params={"first": 1, **asked}).json()
        assert rest == {
            "size_bytes": 0,
            "teams": [{"team": TEAM, "size_bytes": 0}],
            "next_teams": None,
            "registries": [{"registry": "Model", "links": 0, "linked_bytes": 0}],
            "next_registries": None,
        }

    def test_health(self, house: House, client: TestClient) -> None:
        house.make_service_account("robot")
        told = client.get("/api/v1/health", headers=by(house, "ann")).json()
        assert told["version"] == __version__
        assert (told["people"], told["service_accounts"], told["administrators"]) == (1, 1, 1)
        assert told["deliveries_waiting"] == {"count": 0, "oldest_at": None}
        assert told["jobs"] == []

    def test_keys(self, house: House, client: TestClient) -> None:
        client.headers.update(by(house, "ann"))
        made = client.post("/api/v1/keys", json={"name": "laptop"}).json()
        listed = client.get("/api/v1/keys").json()["keys"]
        assert [key["name"] for key in listed] == ["First key", "laptop"]
        assert made["api_key"] not in json.dumps(listed)
        assert listed[1]["created_at"].endswith("Z")
        assert client.delete(f"/api/v1/keys/{made['id']}").status_code == 204
        assert client.delete(f"/api/v1/keys/{made['id']}").status_code == 404

    def test_both_schemes_are_taken(self, house: House, client: TestClient) -> None:
        for header in (basic(house.keys["ann"]), bearer(house.keys["ann"])):
            answer = client.get("/api/v1/keys", headers={"authorization": header})
            assert answer.status_code == 200

    def test_names_that_exist_already_are_a_conflict(
        self, house: House, client: TestClient
    ) -> None:
        client.headers.update(by(house, "ann"))
        answer = client.post("/api/v1/users", json={"username": TEAM, "email": "b@example.org"})
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "name_taken"
        assert "one name space" in answer.json()["error"]["message"]


class TestRefusalsHaveOneShape:
    """R10: a stable code, a readable message, and for 403 the role needed; nothing changes."""

    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    def test_without_a_key(
        self, house: House, client: TestClient, method: str, path: str, body: object
    ) -> None:
        house.make_team_member("bob")
        before = house.dump()
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "nonsense"}):
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["error"]["code"] == "unauthenticated"
        assert house.dump() == before

    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    def test_with_too_low_a_role(
        self, house: House, client: TestClient, method: str, path: str, body: object
    ) -> None:
        house.make_team_member("bob")
        before = house.dump()
        answer = client.request(method, path, json=body, headers=by(house, "bob"))
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "forbidden")
        assert error["details"]["role"] in ("admin", "server_admin")
        assert error["details"]["role"] in error["message"]
        assert house.dump() == before

    @pytest.mark.parametrize(
        ("method", "path", "body"), [call for call in CALLS if "smle-reg" in call[1]]
    )
    def test_hidden_and_absent_are_the_same(
        self, house: House, client: TestClient, method: str, path: str, body: object
    ) -> None:
        house.make_team_member("bob")
        house.make_user("stranger")
        before = house.dump()
        seen = set()
        for name in (ORGANIZATION, "nowhere"):
            place = path.replace(TEAM, name).replace(ORGANIZATION, name)
            answer = client.request(method, place, json=body, headers=by(house, "stranger"))
            assert answer.status_code == 404
            error = answer.json()["error"]
            del error["request_id"]
            seen.add(json.dumps(error).replace(name, "X"))
        assert len(seen) == 1
        assert house.dump() == before

    def test_unknown_paths_and_methods(self, client: TestClient) -> None:
        for method, path, status in [
            ("GET", "/api/v1/nothing", 404),
            ("PUT", "/api/v1/users", 405),
            ("GET", "/api/v1/users/", 404),
            ("PUT", "/api/v1/keys/1", 405),
        ]:
            answer = client.request(method, path)
            assert answer.status_code == status
            assert set(answer.json()["error"]) == {"code", "message", "request_id"}

    def test_our_own_faults_do_not_show_their_inside(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("secret inside")

        monkeypatch.setattr("byname.operations.key.list_keys", fail)
        with TestClient(make_api(house.ctx)) as client:
            answer = client.get("/api/v1/keys", headers=by(house, "ann"))
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal"
        assert "secret inside" not in answer.text


class TestBadBodiesAreRefused:
    """Whatever is sent gets a clear 4xx and changes nothing."""

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 422),
            (b"null", 422),
            (b"[]", 422),
            (b'"x"', 422),
            (b"{", 400),
            (b"\xff\xfe", 400),
            (b"{}", 422),
            (b'{"username": "x"}', 422),
            (b'{"username": 1, "email": "x@y"}', 422),
            (b'{"username": ["x"], "email": "x@y"}', 422),
            (b'{"username": "x", "email": "x@y", "extra": 1}', 422),
            (b'{"username": "x", "email": "x@y", "admin": "perhaps"}', 422),
            (b'{"username": "x", "email": null}', 422),
            (b'{"username": "\\ud800", "email": "x@y"}', 422),
            (b'{"username": "a\\u0000b", "email": "x@y"}', 422),
            (b'{"username": "../etc", "email": "x@y"}', 422),
            (b'{"username": "x", "email": "x@y", "password": "short"}', 422),
            (b'{"username": "x", "email": "x@y", "admin": NaN}', 422),
            (b"[" * 100_000, 400),
            (b'{"a":' * 100_000, 400),
            (b'{"username": ' + b"9" * 10_000 + b', "email": "x@y"}', 400),
            (b'{"username": "' + b"x" * 900_000 + b'", "email": "x@y"}', 422),
            (b" " * 1_000_001, 413),
        ],
    )
    def test_a_user(self, house: House, client: TestClient, body: bytes, status: int) -> None:
        before = house.dump()
        answer = client.post(
            "/api/v1/users",
            content=body,
            headers={**by(house, "ann"), "content-type": "application/json"},
        )
        assert answer.status_code == status
        assert set(answer.json()["error"]) >= {"code", "message", "request_id"}
        assert len(answer.content) < 2_000
        assert house.dump() == before

    def test_a_password_is_never_repeated(self, house: House, client: TestClient) -> None:
        answer = client.post(
            "/api/v1/users",
            json={"username": "x", "email": "x@y", "password": ["hunter2hunter2"]},
            headers=by(house, "ann"),
        )
        assert answer.status_code == 422
        assert "hunter2" not in answer.text

    def test_a_body_in_pieces_is_counted(self, house: House, client: TestClient) -> None:
        def pieces() -> Iterator[bytes]:
            for _ in range(200):
                yield b" " * 10_000

        answer = client.post("/api/v1/users", content=pieces(), headers=by(house, "ann"))
        assert answer.status_code == 413

    @pytest.mark.parametrize("role", ["owner", "ADMIN", "", None, 1, ["admin"]])
    def test_a_role(self, house: House, client: TestClient, role: object) -> None:
        house.make_member("bob")
        before = house.dump()
        for path in (
            f"/api/v1/organizations/{ORGANIZATION}/members/bob",
            f"/api/v1/teams/{TEAM}/members/bob",
        ):
            answer = client.put(path, json={"role": role}, headers=by(house, "ann"))
            assert answer.status_code == 422
        assert house.dump() == before

    @pytest.mark.parametrize(
        "name", ["%00", "%FF", "..%2F..", "%ED%A0%80", "x" * 4_000, "%F0%9F%92%A9", "a%20b", "'--"]
    )
    def test_a_name_in_the_path(self, house: House, client: TestClient, name: str) -> None:
        before = house.dump()
        for path in (f"users/{name}", f"teams/{name}", f"organizations/{name}"):
            answer = client.delete(f"/api/v1/{path}", headers=by(house, "ann"))
            assert answer.status_code == 404
        assert house.dump() == before

    @pytest.mark.parametrize(
        ("number", "status"), [("0", 404), ("-1", 404), ("9" * 40, 404), ("x", 422)]
    )
    def test_a_key_number(self, house: House, client: TestClient, number: str, status: int) -> None:
        answer = client.delete(f"/api/v1/keys/{number}", headers=by(house, "ann"))
        assert answer.status_code == status


class TestDocumentsAreReadable:
    """The OpenAPI document and its page name every call; the page loads nothing from elsewhere."""

    def test_every_call_is_on_the_page(self, client: TestClient) -> None:
        document = client.get("/api/openapi.json").json()
        page = client.get("/api/docs")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "unsafe" not in page.headers["content-security-policy"]
        loaded = re.findall(r"""(?:src|href|action)=["']?([^"' >]+)|url\(""", page.text)
        assert loaded
        assert not [each for each in loaded if not each or "//" in each]
        assert "<script" not in page.text
        calls = [(m.upper(), p) for p, methods in document["paths"].items() for m in methods]
        assert len(calls) >= 96
        for method, path in calls:
            assert f"<b>{method}</b> {path}" in page.text
        assert document["security"] == [{"bearer": []}, {"basic": []}]

    def test_every_body_has_an_example_that_is_accepted(
        self, house: House, client: TestClient
    ) -> None:
        house.make_user("bob")
        document = client.get("/api/openapi.json").json()
        tried = 0
        for path, methods in document["paths"].items():
            for method, call in methods.items():
                if "requestBody" not in call:
                    continue
                reference = call["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                schema = document["components"]["schemas"][reference.rpartition("/")[2]]
                place = (
                    path.replace("{organization}", ORGANIZATION)
                    .replace("{team}", TEAM)
                    .replace("{username}", "bob")
                    .replace("{automation}", "999999")
                    .replace("{key_id}", "999999")
                )
                answer = client.request(
                    method,
                    place,
                    # What must be asked for besides the body names what is not there.
                    params={
                        each["name"]: "nowhere/none:v0"
                        for each in call.get("parameters", [])
                        if each["in"] == "query" and each["required"]
                    },
                    json=schema["examples"][0],
                    headers=by(house, "ann"),
                )
                if path.endswith("/test"):
                    # Nothing is sent to anybody from here.
                    assert answer.status_code == 503, (path, answer.text)
                elif place.startswith(ABSENT) or "{" in place:
                    # What is named is not there; the body is read all the same.
                    assert answer.status_code in (201, 404, 409), (path, answer.text)
                else:
                    # The names of the examples are those of this server, so they may be taken.
                    assert answer.status_code in (200, 201, 409), (path, answer.text)
                tried += 1
        assert tried == 39
