"""Refused requests in the audit log (R190): whose log, what it says, and that nothing floods it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname import wiring
from byname.domain import refusal as rules
from byname.domain.refusal import Refusal, Refusals, Times
from byname.http.links import Signer
from byname.operations import key, refusal, registry
from byname.settings import Settings
from byname.store import refusal as rows
from tests.faces.web.conftest import token_on
from tests.support.world import ORGANIZATION, World, link_version, log_version

LOG = "/admin/audit_logs"


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[tuple[wiring.Application, TestClient]]:
    application = wiring.Application(world.nobody, Signer(b"x" * 32), Settings(data=tmp_path))
    application.open("http://testserver")
    with TestClient(
        application.router,
        client=("192.0.2.7", 50_000),
        headers={"user-agent": "byname-test/1"},
    ) as client:
        yield application, client


def headers(world: World, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key.create_key(world.reload(name)).secret}"}


def log(served: tuple[wiring.Application, TestClient], world: World) -> list[dict[str, Any]]:
    application, client = served
    refusal.save(application.ctx)
    answer = client.get(LOG, headers=headers(world, "admin"))
    assert answer.status_code == 200, answer.text
    return [line for each in answer.text.splitlines() if (line := json.loads(each))["error_code"]]


def made(number: int, *, actor: int | None = 7, client: str | None = None) -> Refusal:
    return Refusal(
        kind="team:delete",
        call="DELETE /api/v1/teams/{team}",
        status=403,
        code="forbidden",
        reached=True,
        organization_id=number,
        project_id=None,
        subject="",
        user_id=actor,
        actor_id=actor,
        actor_name="bob",
        outside=False,
        face="rest",
        address=None,
        client=client,
    )


class TestRefusals:
    """R190: `response_code` says what was answered; refused writes and failed log-ins are in it."""

    def test_a_refused_write_says_who_what_and_why(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        world.add_person("bob", in_organization="member")
        path = f"/api/v1/registries/{ORGANIZATION}/Model"
        bob = headers(world, "bob")
        for _ in range(3):
            answer = served[1].delete(path, params={"confirm": "Model"}, headers=bob)
            assert answer.status_code == 403, answer.text
        (line,) = log(served, world)
        assert line["action"] == "registry:delete"
        assert (line["response_code"], line["error_code"]) == (403, "forbidden")
        assert (line["actor_username"], line["actor_email"]) == ("bob", "bob@example.org")
        assert (line["actor_ip"], line["cli_version"]) == ("192.0.2.7", "byname-test/1")
        assert line["project_name"] == "wandb-registry-Model"
        assert line["request"] == "DELETE /api/v1/registries/{organization}/{registry}"
        assert line["count"] == 3

    def test_a_mutation_too_and_no_query(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        world.add_person("bob", in_organization="member")
        bob = headers(world, "bob")
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        delete = (
            "mutation d($id: String!) { deleteModel(input: {id: $id}) { success } }",
            {"id": str(model.id)},
        )
        ask: tuple[str, dict[str, str]] = (
            'query { artifact(id: "QXJ0aWZhY3Q6OTk5OTk=") { id } }',
            {},
        )
        for query, variables in (delete, ask):
            served[1].post("/graphql", json={"query": query, "variables": variables}, headers=bob)
        lines = log(served, world)
        assert [line["request"] for line in lines] == ["deleteModel"]
        assert lines[0]["response_code"] >= 400

    def test_one_that_answers_200_for_the_sake_of_the_client(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        """The client's core shows the words of a refusal under no other status."""
        query = "mutation ($id: ID!) { commitArtifact(input: {artifactID: $id}) { __typename } }"
        answer = served[1].post(
            "/graphql",
            json={"query": query, "variables": {"id": "QXJ0aWZhY3Q6OTk5OTk="}},
            headers={**headers(world, "admin"), "user-agent": "wandb-core"},
        )
        assert answer.status_code == 200
        assert answer.json()["errors"]
        (line,) = log(served, world)
        assert (line["request"], line["response_code"]) == ("commitArtifact", 404)

    def test_an_outsider_is_seen_by_those_they_tried_it_on(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        """A2: and nothing of it stands in the log of their own organization."""
        world.add_person("eve")
        answer = served[1].delete(
            f"/api/v1/registries/{ORGANIZATION}/Model", headers=headers(world, "eve")
        )
        assert answer.status_code == 404
        (line,) = log(served, world)
        assert (line["actor_username"], line["actor_email"]) == ("eve", None)
        assert line["response_code"] == 404

    def test_nothing_that_was_sent_is_in_it(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        world.add_person("bob", in_organization="member")
        bob = headers(world, "bob")
        secret = "hunter2-hunter2-hunter2"
        body = {"username": secret, "email": "x@example.org", "password": secret}
        assert served[1].post("/api/v1/users", json=body, headers=bob).status_code == 403
        assert served[1].delete(f"/api/v1/teams/{secret}", headers=bob).status_code == 404
        assert served[1].post("/api/v1/keys", content=secret, headers=bob).status_code >= 400
        lines = log(served, world)
        assert {line["action"] for line in lines} >= {"user:create", "team:delete", "key:create"}
        assert secret not in json.dumps(lines)

    def test_a_failed_log_in(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        world.add_person("bob", in_organization="member")
        client = served[1]
        for name in ("bob", "my password, typed into the wrong field"):
            token = token_on(client.get("/login", headers={"accept": "text/html"}).text)
            form = {"token": token, "username": name, "password": "not the right one"}
            origin = {"origin": "http://testserver"}
            assert client.post("/login", data=form, headers=origin).status_code == 401
        lines = log(served, world)
        assert [(line["action"], line["response_code"]) for line in lines] == [
            *[("user:log_in", 401)] * 2
        ]
        assert {line["subject"] for line in lines} == {"bob", ""}
        assert {line["actor_ip"] for line in lines} == {"192.0.2.7"}
        (named,) = [line for line in lines if line["subject"]]
        assert named["user_email"] == "bob@example.org"

    def test_a_key_that_opens_nothing(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        wrong = {"authorization": "Bearer " + "0" * 40}
        assert served[1].get("/api/v1/keys", headers=wrong).status_code == 401
        assert served[1].get("/api/v1/keys").status_code == 401
        lines = log(served, world)
        assert [(line["action"], line["count"]) for line in lines] == [("key:use", 1)]

    def test_a_refusal_changes_no_history(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        """I5: the history of the registry tells only of what was done."""
        world.add_person("bob", in_organization="member")
        link_version(world.admin, log_version(world.admin))
        bob = headers(world, "bob")
        path = f"/api/v1/registries/{ORGANIZATION}/Model"
        before = served[1].get(f"{path}/history", headers=bob).json()
        served[1].delete(path, headers=bob)
        refusal.save(served[0].ctx)
        assert served[1].get(f"{path}/history", headers=bob).json() == before

    def test_what_waits_is_written_at_the_end(self, world: World, tmp_path: Path) -> None:
        application = wiring.Application(world.nobody, Signer(b"x" * 32), Settings(data=tmp_path))
        application.open("http://testserver")
        with TestClient(application.router) as client:
            client.get("/api/v1/keys", headers={"authorization": "Bearer " + "0" * 40})
        with world.nobody.database.read() as tx:
            assert tx.one("SELECT count(*) FROM refusal")[0] == 1  # type: ignore[index]

    def test_pages_go_on_behind_a_refusal(
        self, served: tuple[wiring.Application, TestClient], world: World
    ) -> None:
        admin = headers(world, "admin")
        for name in ("bob", "carl", "dora"):
            world.add_person(name, in_organization="member")
            who = headers(world, name)
            served[1].delete(f"/api/v1/registries/{ORGANIZATION}/Model", headers=who)
            served[1].get("/api/v1/keys", headers={"authorization": "Bearer " + name * 20})
        refusal.save(served[0].ctx)
        whole = served[1].get(LOG, headers=admin).text.splitlines()
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 1}
        while True:
            answer = served[1].get(LOG, params=query, headers=admin)
            seen += answer.text.splitlines()
            if "x-next-cursor" not in answer.headers:
                break
            query["cursor"] = answer.headers["x-next-cursor"]
        assert seen == whole
        assert sum(json.loads(line)["error_code"] is not None for line in whole) == 4


class TestAFloodOfThem:
    """R190, L7: a flood of refusals fills neither memory nor disk, and hides nobody else's."""

    def test_of_one_actor_only_so_many_wait(self) -> None:
        refusals = Refusals()
        for number in range(1_000):
            refusals.note(made(1, client=f"agent {number}"), number)
        refusals.note(made(1, actor=8), 1_000)
        taken = refusals.take()
        assert len(taken) == rules.BATCH_MAX + 2
        (more,) = [times for each, times in taken.items() if each.kind == rules.KIND_OF_MORE]
        assert more == Times(1_000 - rules.BATCH_MAX, 999)

    def test_what_could_not_be_written_waits_with_its_count(self) -> None:
        refusals = Refusals()
        refusals.note(made(1), 1)
        refusals.note(made(1), 2)
        taken = refusals.take()
        refusals.note(made(1), 3)
        refusals.give_back(taken)
        assert refusals.take()[made(1)].count == 3

    def test_of_one_actor_only_so_many_are_kept(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rows, "KEPT_MAX", 5)
        with world.nobody.database.write() as tx:
            rows.add_many(tx, {made(1, actor=8): Times(1, 0)})
        for batch in range(4):
            with world.nobody.database.write() as tx:
                some = {made(1, client=f"{batch}.{n}"): Times(1, n) for n in range(4)}
                rows.add_many(tx, some)
        with world.nobody.database.read() as tx:
            kept = tx.all("SELECT actor_id, client FROM refusal ORDER BY id")
        assert [row["actor_id"] for row in kept] == [8, 7, 7, 7, 7, 7]
        assert kept[-1]["client"] == "3.3"


class TestTheNamesOfCalls:
    """R190: an action of a refusal is `noun:verb`, from the call."""

    @pytest.mark.parametrize(
        ("method", "pattern", "kind"),
        [
            ("DELETE", "/api/v1/teams/{team}", "team:delete"),
            ("POST", "/api/v1/organizations/{organization}/teams", "team:create"),
            ("PUT", "/a/{b}/protected-aliases/{c}", "protected_alias:set"),
            ("PATCH", "/api/v1/registries/{organization}/{registry}", "registry:update"),
            ("POST", "/", "request:create"),
        ],
    )
    def test_of_an_address(self, method: str, pattern: str, kind: str) -> None:
        assert rules.kind_of_call(method, pattern) == kind

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("linkArtifact", "link:create"),
            ("createUser", "user:create"),
            ("updateRunState", "run_state:update"),
            ("", "request:refuse"),
        ],
    )
    def test_of_a_mutation(self, name: str, kind: str) -> None:
        assert rules.kind_of_mutation(name) == kind
