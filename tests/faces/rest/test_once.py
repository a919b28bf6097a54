"""A write that is sent again is done once: any write, by one mechanism (D2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from byname.domain.errors import Conflict
from byname.http.authentication import authenticate
from byname.operations import registry
from byname.rest.api import make_api
from byname.rest.once import WRITING, ShownOnce
from tests.faces.rest.conftest import Asker, Office
from tests.support.world import ORGANIZATION, TEAM, World

ROOT = f"/registries/{ORGANIZATION}"


def send(asker: Asker, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    """The answer to a write with the key `k`."""
    again = Asker(asker.client, {**asker.headers, "Idempotency-Key": "k"})
    return again.ask(method, path, body, **query)


class TestEveryWriteTakesAKey:
    """Issue 3: every write takes an `Idempotency-Key`."""

    def test_each_writing_route_says_so(self, world: World) -> None:
        document = make_api(world.nobody).openapi()
        forgotten = [
            f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method, told in methods.items()
            if method.upper() in WRITING
            and not any(each["name"] == "Idempotency-Key" for each in told.get("parameters", ()))
        ]
        assert not forgotten, "Make the router of these a byname.rest.once.Router: " + ", ".join(
            forgotten
        )
        assert len([p for p in document["paths"].values() if WRITING & {m.upper() for m in p}]) > 25

    def test_reading_routes_do_not(self, world: World) -> None:
        document = make_api(world.nobody).openapi()
        for methods in document["paths"].values():
            for told in (methods.get("get") or {}).get("parameters", ()):
                assert told["name"] != "Idempotency-Key"


class TestDoneOnce:
    """D2: repeated with the same key it yields the same; it is done once."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", ROOT, {"name": "Zoo", "visibility": "restricted"}),
            ("PATCH", f"{ROOT}/Model", {"name": "Renamed"}),
            ("POST", f"{ROOT}/Model/collections", {"name": "Zoo", "type": "model"}),
            ("DELETE", f"{ROOT}/Model", None),
            ("POST", f"/organizations/{ORGANIZATION}/teams", {"name": "crew"}),
            ("DELETE", f"/teams/{TEAM}", None),
            ("PUT", f"{ROOT}/Model/star", None),
            ("POST", "/garbage-collections", None),
        ],
    )
    def test_it_is_answered_as_the_first_time(
        self, office: Office, method: str, path: str, body: Any
    ) -> None:
        admin = office.by("admin")
        first = send(admin, method, path, body)
        assert first[0] < 300, first
        # Done again it would be a conflict, or gone, or tell other figures.
        assert send(admin, method, path, body) == first
        assert send(admin, method, path, body) == first

    def test_a_key_is_of_one_request(self, office: Office) -> None:
        admin = office.by("admin")
        send(admin, "POST", ROOT, {"name": "One"})
        for method, path, body in (
            ("POST", ROOT, {"name": "Two"}),
            ("PATCH", f"{ROOT}/One", {"description": "x"}),
            ("DELETE", f"{ROOT}/One", None),
        ):
            status, answer = send(admin, method, path, body)
            assert (status, answer["error"]["code"]) == (422, "idempotency_key_reused")
        assert admin.ask("GET", f"{ROOT}/Two")[0] == 404

    def test_the_query_belongs_to_the_request(self, office: Office) -> None:
        admin = office.by("admin")
        first = send(admin, "POST", "/garbage-collections/preview", {"list": 1})
        assert first[0] == 200
        status, _ = send(admin, "POST", "/garbage-collections/preview", {"list": 1}, again="1")
        assert status == 422

    def test_everybody_has_their_own_keys(self, office: Office) -> None:
        office.world.add_person("mem", in_organization="member")
        admin, mem = office.by("admin"), office.by("mem")
        assert send(admin, "POST", ROOT, {"name": "One"})[0] == 201
        assert send(mem, "POST", ROOT, {"name": "Two"})[0] == 201

    def test_a_refusal_is_not_kept_and_changes_nothing(self, office: Office) -> None:
        admin = office.by("admin")
        assert send(admin, "PATCH", f"{ROOT}/Model", {"name": "Dataset"})[0] == 409
        admin.done("PATCH", f"{ROOT}/Dataset", {"name": "Moved"})
        assert send(admin, "PATCH", f"{ROOT}/Model", {"name": "Dataset"})[0] == 200

    def test_answer_and_change_are_kept_together(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the answer cannot be kept, nothing was done."""
        admin = office.by("admin")

        def refuse(*_args: object, **_more: object) -> None:
            raise Conflict("no room")

        with monkeypatch.context() as patch:
            patch.setattr("byname.operations.once.rows.put", refuse)
            assert send(admin, "POST", ROOT, {"name": "Zoo"})[0] == 409
        assert admin.ask("GET", f"{ROOT}/Zoo")[0] == 404
        assert send(admin, "POST", ROOT, {"name": "Zoo"})[0] == 201

    def test_after_a_day_the_key_is_free(self, office: Office) -> None:
        admin = office.by("admin")
        assert send(admin, "POST", ROOT, {"name": "Zoo"})[0] == 201
        with office.world.nobody.database.write() as tx:
            tx.run("UPDATE answered SET created_at = created_at - 86400000000")
        assert send(admin, "POST", ROOT, {"name": "Zoo"})[0] == 409
        with office.world.nobody.database.read() as tx:
            assert tx.one("SELECT count(*) AS n FROM answered")["n"] == 1  # type: ignore[index]


def kept(world: World) -> str:
    """All that the table of answers holds."""
    with world.nobody.database.read() as tx:
        return "\n".join(str(tuple(row)) for row in tx.all("SELECT * FROM answered"))


class TestSecrets:
    """R193, A6: what is shown once is nowhere kept in clear, and cannot be guessed from a hash."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (
                "/users",
                {"username": "eve", "email": "e@example.org", "password": "correct horse 9"},
            ),
            ("/keys", {"name": "laptop"}),
            (f"/teams/{TEAM}/service-accounts", {"name": "robot"}),
        ],
    )
    def test_a_new_key_is_answered_once(self, office: Office, path: str, body: Any) -> None:
        admin = office.by("admin")
        status, first = send(admin, "POST", path, body)
        assert status == 201
        assert authenticate(office.world.nobody.database, f"Bearer {first['api_key']}")
        assert send(admin, "POST", path, body) == (201, {**first, "api_key": None})
        assert first["api_key"] not in kept(office.world)

    def test_a_password_does_not_tell_two_requests_apart(self, office: Office) -> None:
        """Else its hash would lie in the database, to be guessed at."""
        admin = office.by("admin")
        body = {"username": "eve", "email": "e@example.org", "password": "correct horse 9"}
        first = send(admin, "POST", "/users", body)
        again = send(admin, "POST", "/users", {**body, "password": "wrong horse 99"})
        assert again == (201, {**first[1], "api_key": None})
        assert send(admin, "POST", "/users", {**body, "email": "x@example.org"})[0] == 422

    def test_every_answer_with_a_key_is_shown_once(self, world: World) -> None:
        for route in routes_of(world):
            model = route.response_model
            if isinstance(model, type) and "api_key" in getattr(model, "model_fields", {}):
                assert issubclass(model, ShownOnce), f"{route.path} keeps an API key in clear"


def routes_of(world: World) -> Iterator[APIRoute]:
    """All routes of the face, however they were included."""
    del world
    from byname.rest.api import NOUNS

    for noun in NOUNS:
        for route in noun.router.routes:
            if isinstance(route, APIRoute):
                yield route


def test_a_write_without_a_key_keeps_nothing(office: Office) -> None:
    office.by("admin").done("POST", ROOT, {"name": "Zoo"})
    assert registry.get_by_name(office.world.admin, ORGANIZATION, "Zoo")
    assert kept(office.world) == ""
