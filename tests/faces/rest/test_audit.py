"""The audit log of an organization: who did what, from where, and who read what (R190, R191)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname.domain.ids import to_id
from byname.domain.reading import READINGS_MAX, Reading, Readings
from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.operations import key, lineage, protected_alias, reading, registry
from byname.operations.context import Context, Origin
from byname.rest.api import make_api
from tests.faces.rest.conftest import HERE, Asker
from tests.support.runs import make_run
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, link_version, log_version

LOG = "/admin/audit_logs"


@pytest.fixture
def ctx(world: World) -> Context:
    """The server's context, which remembers who reads what."""
    return replace(world.nobody, readings=Readings())


@pytest.fixture
def client(ctx: Context) -> Iterator[TestClient]:
    app = make_api(ctx, addresses=Addresses(HERE, Signer(b"x" * 32)))
    with TestClient(app, client=("192.0.2.7", 50_000)) as made:
        made.headers["user-agent"] = "byname-test/1"
        yield made


def headers(world: World, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key.create_key(world.reload(name)).secret}"}


def log(client: TestClient, world: World, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(LOG, params=query, headers=headers(world, "admin"))
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def read_files(client: TestClient, world: World, name: str, **query: Any) -> None:
    path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/versions/v0/files"
    Asker(client, headers(world, name)).done("GET", path, **query)


class TestWhatItSays:
    """R190, R191: every change with actor, address, client, and what it was about."""

    def test_a_change_over_rest(self, client: TestClient, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        body = {"version": "v0"}
        path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/aliases/production"
        Asker(client, headers(world, "admin")).done("PUT", path, body)
        Asker(client, headers(world, "admin")).done(
            "PATCH", f"/registries/{ORGANIZATION}/Model", {"description": "new"}
        )
        moved, edited = (
            next(line for line in log(client, world) if line["action"] == kind and line["actor_ip"])
            for kind in ("alias:add", "registry:update")
        )
        for line in (moved, edited):
            assert line["actor_ip"] == "192.0.2.7"
            assert line["cli_version"] == "byname-test/1"
            assert line["response_code"] == 200
            assert line["actor_email"] == "admin@example.org"
            assert line["actor_user_id"] == to_id("User", world.admin.who.user_id)
            assert line["entity_name"] == ORGANIZATION
            assert line["entity_asset"].startswith(to_id("Entity", 1)[:6])
            assert line["project_name"] == "wandb-registry-Model"
        assert moved["artifact_qualified_name"].endswith("/Zoo:v0")

    def test_all_sorts_of_events(self, client: TestClient, world: World) -> None:
        world.add_person("bob", in_organization="member", in_team="member")
        registry.create(world.admin, registry.NewRegistry(ORGANIZATION, "Other"))
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        protected_alias.create(world.admin, model.id, "production")
        link_version(world.admin, log_version(world.admin), aliases=["production"])
        Asker(client, headers(world, "admin")).done(
            "PUT", f"/registries/{ORGANIZATION}/Model/members/bob", {}
        )
        lines = log(client, world)
        found = {line["action"] for line in lines}
        assert {
            *("organization:set_member", "team:set_member", "registry:create", "collection:create"),
            *("link:create", "alias:add", "protected_alias:create", "member:set"),
        } <= found
        (member,) = [line for line in lines if line["action"] == "member:set"]
        assert (member["subject"], member["user_email"]) == ("bob", "bob@example.org")
        assert member["user_asset"] == to_id("User", world.people["bob"].who.user_id)

    def test_anonymous(self, client: TestClient, world: World) -> None:
        world.add_person("bob", in_organization="member")
        Asker(client, headers(world, "admin")).done(
            "PUT", f"/registries/{ORGANIZATION}/Model/members/bob", {}
        )
        for line in log(client, world, anonymize="true"):
            assert line["actor_email"] is None
            assert line["actor_ip"] is None
            assert line["user_email"] is None

    def test_for_admins_of_the_organization_only(self, client: TestClient, world: World) -> None:
        world.add_person("bob", in_organization="member")
        assert client.get(LOG, headers=headers(world, "bob")).status_code == 403
        assert client.get(LOG).status_code == 401

    def test_days(self, client: TestClient, world: World) -> None:
        assert log(client, world, numDays=1)
        assert not log(client, world, startDate="2001-01-01", endDate="2001-12-31")
        assert not log(client, world, startDate="2001-01-01", numDays=10)
        wrong = client.get(LOG, params={"startDate": "yesterday"}, headers=headers(world, "admin"))
        assert wrong.status_code == 422
        assert client.get(
            LOG, params={"limit": 20_001}, headers=headers(world, "admin")
        ).status_code == 422  # fmt: skip


class TestReads:
    """R190: `artifact:read` for downloads and uses, which no reader waits for."""

    def test_a_download_is_one_line(self, client: TestClient, world: World, ctx: Context) -> None:
        bob = world.add_person("bob", in_organization="member")
        version = log_version(world.admin, files={f"f{n}": b"1" for n in range(5)})
        link_version(world.admin, version)
        for _ in range(3):
            read_files(client, world, "bob")
        assert not [line for line in log(client, world) if line["action"] == "artifact:read"]
        reading.save(ctx)
        (line,) = [line for line in log(client, world) if line["action"] == "artifact:read"]
        assert line["actor_username"] == "bob"
        assert line["actor_user_id"] == to_id("User", bob.who.user_id)
        assert line["artifact_asset"] == to_id("Artifact", version.id)
        assert line["artifact_digest"] == version.digest
        assert line["project_name"] == "wandb-registry-Model"
        assert line["artifact_qualified_name"] == f"{ORGANIZATION}/wandb-registry-Model/Zoo:v0"
        assert line["artifact_sequence_asset"] == to_id("ArtifactSequence", version.collection_id)
        assert (line["actor_ip"], line["cli_version"]) == ("192.0.2.7", "byname-test/1")
        read_files(client, world, "bob")
        reading.save(ctx)
        assert sum(each["action"] == "artifact:read" for each in log(client, world)) == 2

    def test_a_use_is_one_too(self, world: World, ctx: Context) -> None:
        version = log_version(world.admin)
        make_run(world.admin, "run1")
        acting = ctx.acting(world.admin.who, "sdk", Origin("192.0.2.9", "wandb"))
        lineage.use_version(
            acting, entity=TEAM, project=PROJECT, run_name="run1", version_id=version.id
        )
        assert ctx.readings is not None
        (noted,) = ctx.readings.take()
        assert (noted.version_id, noted.address, noted.face) == (version.id, "192.0.2.9", "sdk")

    def test_a_refused_read_is_none(self, client: TestClient, world: World, ctx: Context) -> None:
        world.add_person("bob", in_organization="member")
        link_version(world.admin, log_version(world.admin))
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        registry.edit(world.admin, model.id, registry.RegistryEdit(restricted=True))
        path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/versions/v0/files"
        assert Asker(client, headers(world, "bob")).refused("GET", path)[0] == 404
        assert ctx.readings is not None
        assert not ctx.readings.take()

    def test_pages_go_on_behind_a_reading(
        self, client: TestClient, world: World, ctx: Context
    ) -> None:
        link_version(world.admin, log_version(world.admin))
        for name in ("bob", "carl"):
            world.add_person(name, in_organization="member")
            read_files(client, world, name)
        admin = headers(world, "admin")
        reading.save(ctx)
        registry.create(world.admin, registry.NewRegistry(ORGANIZATION, "Later"))
        whole = client.get(LOG, headers=admin).text.splitlines()
        assert [json.loads(line)["action"] for line in whole][-3:] == [
            *("artifact:read", "artifact:read", "registry:create"),
        ]
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 1}
        while True:
            answer = client.get(LOG, params=query, headers=admin)
            seen += answer.text.splitlines()
            if "x-next-cursor" not in answer.headers:
                break
            query["cursor"] = answer.headers["x-next-cursor"]
        assert seen == whole

    def test_reads_are_no_history_of_a_collection(
        self, client: TestClient, world: World, ctx: Context
    ) -> None:
        """R187: what happened to a collection is not who looked at it."""
        link_version(world.admin, log_version(world.admin))
        read_files(client, world, "admin")
        reading.save(ctx)
        asker = Asker(client, headers(world, "admin"))
        path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/history"
        kinds = {each["kind"] for each in asker.done("GET", path)["history"]}
        assert "artifact:read" not in kinds

    def test_what_cannot_be_written_waits(
        self, world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = log_version(world.admin)
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        acting = ctx.acting(world.admin.who, "sdk")
        reading.note(acting, model, version)
        with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
            patch.setattr(
                "byname.operations.reading.rows.add_many",
                lambda *_args: (_ for _ in ()).throw(OSError("full")),
            )
            reading.save(acting)
        assert ctx.readings is not None
        assert len(ctx.readings.take()) == 1

    def test_very_many_are_written_at_once(self) -> None:
        readings = Readings()
        told = [
            readings.note(Reading(1, 1, number, 1, "a", "sdk", None, None), number)
            for number in range(READINGS_MAX)
        ]
        assert told.index(True) == READINGS_MAX - 1
