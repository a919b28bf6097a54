"""What automations did, over REST: each place has its list (R40, R140)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname.domain.delivery import Outgoing, Reply
from byname.domain.integration import IntegrationKind
from byname.operations import integration
from byname.operations.dispatch import Dispatcher
from byname.rest.api import make_api
from tests.faces.rest.conftest import Asker, Office
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, link_version, log_version

MODEL = {"organization": ORGANIZATION, "registry": "Model"}
REGISTRY = f"/registries/{ORGANIZATION}/Model"
TRAINING = {"entity": TEAM, "project": PROJECT}
SCOPES: dict[str, dict[str, str]] = {
    "collection": MODEL | {"collection": "Zoo"},
    "registry": MODEL,
    "organization": {"organization": ORGANIZATION},
    "team": {"team": TEAM},
    "project": TRAINING,
    "sequence": TRAINING | {"collection": "model"},
}


def automate(admin: Asker, name: str, scope: dict[str, str], event: str) -> None:
    body = {"name": name, "scope": scope, "event": event, "action": {"kind": "nothing"}}
    admin.done("POST", "/automations", body)


@pytest.fixture
def admin(office: Office) -> Asker:
    """An automation for each place waits for tags of versions; a version in Zoo got one."""
    ctx = office.world.admin
    version = log_version(ctx)
    link_version(ctx, version)
    link_version(ctx, version, "Other")
    asker = office.by("admin")
    for name, scope in SCOPES.items():
        automate(asker, name, scope, "ADD_ARTIFACT_TAG")
    asker.done("PUT", f"{REGISTRY}/collections/Zoo/versions/v0/tags/good")
    while Dispatcher(lambda *_: "").run(ctx):
        pass
    return asker


def listed(asker: Asker, path: str = "/executions", **query: Any) -> list[str]:
    found = asker.done("GET", path, **query)["executions"]
    return sorted(f"{each['automation_name']} {each['subject'].split('/')[-1]}" for each in found)


class TestEveryPlaceHasItsList:
    """R140: all executions, newest first; of an organization and team too."""

    def test_what_each_shows(self, admin: Asker) -> None:
        zoo = ["collection Zoo:v0", "organization Zoo:v0", "registry Zoo:v0"]
        other = ["organization Other:v0", "registry Other:v0"]
        logged = [f"{each} model:v0" for each in ("organization", "project", "sequence", "team")]
        assert listed(admin, **SCOPES["collection"]) == zoo
        assert listed(admin, **SCOPES["registry"]) == sorted(zoo + other)
        assert listed(admin, **SCOPES["project"]) == sorted(logged)
        assert listed(admin, **SCOPES["sequence"]) == sorted(logged)
        # Of an organization and a team: of their automations, wherever it happened.
        assert listed(admin, **SCOPES["organization"]) == sorted(zoo + other + logged)
        assert listed(admin, **SCOPES["team"]) == sorted(logged[1:])

    def test_the_ways_to_it(self, admin: Asker) -> None:
        for path, scope in (
            (f"{REGISTRY}/collections/Zoo/executions", "collection"),
            (f"{REGISTRY}/executions", "registry"),
            (f"/organizations/{ORGANIZATION}/executions", "organization"),
            (f"/teams/{TEAM}/executions", "team"),
        ):
            assert listed(admin, path) == listed(admin, **SCOPES[scope])

    def test_searched_and_paged(self, admin: Asker) -> None:
        path = f"/organizations/{ORGANIZATION}/executions"
        assert listed(admin, path, name="REGI") == ["registry Other:v0", "registry Zoo:v0"]
        assert set(listed(admin, path, text="other")) == {
            "organization Other:v0",
            "registry Other:v0",
        }
        assert listed(admin, path, state="failed") == []
        assert listed(admin, path, event="LINK_ARTIFACT") == []
        for name, word in (("event", "LINK"), ("state", "done")):
            status, refused = admin.ask("GET", path, **{name: word})
            assert (status, f"query.{name}: " in refused["error"]["message"]) == (422, True)
        assert len(listed(admin, path, event="ADD_ARTIFACT_TAG", state="finished")) == 9
        found, after = [], None
        while True:
            page = admin.done("GET", path, first=2, after=after)
            found += [each["id"] for each in page["executions"]]
            after = page["next"]
            if after is None:
                break
        assert len(found) == 9
        assert found == sorted(found, reverse=True)

    def test_who_may_not_see(self, office: Office, admin: Asker) -> None:
        """R112: of what is hidden nothing is listed, and absent is answered as hidden is."""
        office.world.add_person("outsider")
        office.world.add_person("mem", in_organization="member")
        outsider, mem = office.by("outsider"), office.by("mem")
        for path in (f"/teams/{TEAM}/executions", f"/organizations/{ORGANIZATION}/executions"):
            assert outsider.ask("GET", path)[0] == 404
        # In the organization, and not in the team: nothing of the team's projects.
        assert all("model" not in each for each in listed(mem, f"/teams/{TEAM}/executions"))
        told = listed(mem, f"/organizations/{ORGANIZATION}/executions")
        assert all("model" not in each for each in told)
        assert admin.ask("GET", "/executions")[0] == 422
        assert admin.ask("GET", "/teams/nowhere/executions")[0] == 404


class TestMarker:
    """R40: a collection shows an automation marker with the number of executions."""

    def test_all_that_ran_for_what_happened_in_it(self, admin: Asker) -> None:
        collections = f"{REGISTRY}/collections"
        assert admin.done("GET", f"{collections}/Zoo")["executions"] == 3
        assert admin.done("GET", f"{collections}/Other")["executions"] == 2
        listed = admin.done("GET", collections)["collections"]
        assert {each["name"]: each["executions"] for each in listed} == {"Zoo": 3, "Other": 2}


class TestTrial:
    """R139, D2: a test that is sent again with the same key is made once, and answered as before."""

    def test_a_key(self, world: World) -> None:
        sent = []

        class Sender:
            def send(self, request: Outgoing) -> Reply:
                sent.append(request.delivery_id)
                return Reply(200, f"thanks {len(sent)}")

        wanted = integration.Wanted(name="ci", url="https://ci.invalid/")
        integration.create(world.admin, TEAM, IntegrationKind.WEBHOOK, wanted)
        ctx = dataclasses.replace(world.nobody, sender=Sender())
        with TestClient(make_api(ctx)) as client:
            plain = Office(world, client).by("admin")
            keyed = Asker(client, plain.headers | {"Idempotency-Key": "k"})
            path = f"/teams/{TEAM}/webhooks/ci/test"
            first = keyed.done("POST", path, {})
            assert (first["answer"], keyed.done("POST", path, {})) == ("thanks 1", first)
            assert keyed.ask("POST", path, {"payload": "{}"})[0] == 422
            assert plain.done("POST", path, {})["answer"] == "thanks 2"
        assert len(set(sent)) == 2
