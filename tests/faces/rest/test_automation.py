"""Automations, webhooks, Slack channels and secrets over REST (R125 to R137, R146 to R148)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.rest.conftest import Asker, Office
from tests.support.world import ORGANIZATION, PROJECT, TEAM, link_version, log_version

TEAMS = f"/teams/{TEAM}"
VALUE = "s3cr3t-value"
ZOO = {"organization": ORGANIZATION, "registry": "Model", "collection": "Zoo"}
HOOK = {"kind": "webhook", "team": TEAM, "integration": "ci"}


@pytest.fixture
def admin(office: Office) -> Asker:
    """The administrator, with a collection Zoo, a secret, a webhook and a channel."""
    link_version(office.world.admin, log_version(office.world.admin))
    asker = office.by("admin")
    asker.done("POST", f"{TEAMS}/secrets", {"name": "SIGNING", "value": VALUE})
    asker.done(
        "POST",
        f"{TEAMS}/webhooks",
        {
            "name": "ci",
            "url": "https://ci.example.invalid/x",
            "access_token": VALUE,
            "secret": "SIGNING",
        },
    )
    asker.done(
        "POST", f"{TEAMS}/slack-channels", {"name": "releases", "url": f"https://a.example/{VALUE}"}
    )
    return asker


def new(**change: Any) -> dict[str, Any]:
    return {
        "name": "deploy",
        "scope": ZOO,
        "event": "ADD_ARTIFACT_ALIAS",
        "alias": "production",
        "action": HOOK | {"payload": {"v": "${artifact_version_string}", "s": "${SIGNING}"}},
    } | change


class TestSecretsAndIntegrations:
    """R132, R133, R147: what comes in never goes out."""

    def test_nothing_shows_a_secret(self, office: Office, admin: Asker) -> None:
        answers = [
            admin.done("GET", f"{TEAMS}/{what}")
            for what in ("secrets", "webhooks", "slack-channels", "webhooks/ci")
        ]
        answers.append(admin.done("PATCH", f"{TEAMS}/secrets/SIGNING", {"value": VALUE + "2"}))
        answers.append(admin.done("PATCH", f"{TEAMS}/webhooks/ci", {"secret": VALUE + "3"}))
        audit = f"/api/v1/organizations/{ORGANIZATION}/audit"
        told = admin.client.get(audit, headers=admin.headers).text
        assert "webhook:create" in told
        answers.append(told)
        assert VALUE not in str(answers)
        (webhook,) = answers[1]["webhooks"]
        assert (webhook["access_token"], webhook["has_access_token"]) == (None, True)
        assert (webhook["secret"], webhook["has_secret"]) == ("SIGNING", True)
        for body in ({"name": "1A", "value": VALUE}, {"name": "A", "value": [VALUE]}):
            status, message = admin.refused("POST", f"{TEAMS}/secrets", body)
            assert status == 422
            assert VALUE not in message

    def test_a_secret_in_use_names_its_webhooks(self, admin: Asker) -> None:
        status, answer = admin.ask("DELETE", f"{TEAMS}/secrets/SIGNING")
        assert (status, answer["error"]["details"]["webhooks"]) == (409, ["ci"])
        assert admin.ask("DELETE", f"{TEAMS}/secrets/SIGNING", force="true")[0] == 204

    def test_lists_have_pages(self, admin: Asker) -> None:
        for number in range(3):
            body = {"name": f"w{number}", "url": "https://a.example/"}
            admin.done("POST", f"{TEAMS}/webhooks", body)
        first = admin.done("GET", f"{TEAMS}/webhooks", first=3)
        rest = admin.done("GET", f"{TEAMS}/webhooks", first=3, after=first["next"])
        names = [each["name"] for each in first["webhooks"] + rest["webhooks"]]
        assert (names, rest["next"]) == (["ci", "w0", "w1", "w2"], None)

    def test_a_key_makes_a_write_happen_once(self, office: Office, admin: Asker) -> None:
        again = Asker(admin.client, admin.headers | {"Idempotency-Key": "k"})
        body = {"name": "once", "url": "https://a.example/"}
        made = again.done("POST", f"{TEAMS}/webhooks", body)
        assert again.done("POST", f"{TEAMS}/webhooks", body) == made
        assert admin.ask("POST", f"{TEAMS}/webhooks", body)[0] == 409


class TestAutomations:
    """R125, R127, R128, R135, R137: all that the client offers, and aliases removed and moved."""

    def test_made_shown_changed_and_deleted(self, admin: Asker) -> None:
        made = admin.done("POST", "/automations", new())
        assert made["scope"] == {
            "kind": "collection",
            "name": f"{ORGANIZATION}/wandb-registry-Model/Zoo",
        }
        assert made["filter"] == {"$or": [{"$and": [{"alias": {"$eq": "production"}}]}]}
        assert made["action"]["payload"]["s"] == "${SIGNING}"
        where = f"/automations/{made['id']}"
        assert admin.done("GET", where) == made
        off = admin.done("PATCH", where, {"enabled": False, "name": "new"})
        assert (off["enabled"], off["name"], off["filter"]) == (False, "new", made["filter"])
        loose = admin.done("PATCH", where, {"alias_regex": "^prod"})
        assert loose["filter"] == {"$or": [{"$and": [{"alias": {"$regex": "^prod"}}]}]}
        assert admin.ask("DELETE", where)[0] == 204
        assert admin.ask("DELETE", where)[0] == 404

    @pytest.mark.parametrize(
        "event",
        [
            "LINK_ARTIFACT", "LINK_MODEL", "UNLINK_ARTIFACT", "ADD_ARTIFACT_ALIAS",
            "MOVE_ARTIFACT_ALIAS", "REMOVE_ARTIFACT_ALIAS", "ADD_ARTIFACT_TAG",
            "REMOVE_ARTIFACT_TAG", "ADD_COLLECTION_TAG", "REMOVE_COLLECTION_TAG",
            "CREATE_ARTIFACT",
        ],
    )  # fmt: skip
    def test_every_event(self, admin: Asker, event: str) -> None:
        body = new(event=event, action={"kind": "nothing"})
        made = admin.done("POST", "/automations", body)
        assert made["event"] == event.replace("LINK_MODEL", "LINK_ARTIFACT")

    @pytest.mark.parametrize(
        ("scope", "kind"),
        [
            ({"organization": ORGANIZATION}, "organization"),
            ({"team": TEAM}, "team"),
            ({"team": TEAM, "project": PROJECT}, "project"),
            ({"entity": TEAM, "project": PROJECT, "collection": "model"}, "collection"),
            ({"organization": ORGANIZATION, "registry": "Model"}, "registry"),
            (ZOO, "collection"),
        ],
    )
    def test_every_scope(self, admin: Asker, scope: dict[str, str], kind: str) -> None:
        made = admin.done("POST", "/automations", new(scope=scope))
        assert made["scope"]["kind"] == kind
        listed = admin.done("GET", "/automations", **scope)
        assert [each["id"] for each in listed["automations"]] == [made["id"]]

    def test_each_place_has_its_list(self, admin: Asker) -> None:
        admin.done("POST", "/automations", new(name="zoo"))
        registry = {"organization": ORGANIZATION, "registry": "Model"}
        admin.done("POST", "/automations", new(name="model", scope=registry))
        admin.done("POST", "/automations", new(name="team", scope={"team": TEAM}))
        model = f"/registries/{ORGANIZATION}/Model"
        listed = {
            where: [each["name"] for each in admin.done("GET", f"{where}/automations")["automations"]]
            for where in (
                f"/organizations/{ORGANIZATION}", TEAMS, model, f"{model}/collections/Zoo"
            )
        }  # fmt: skip
        assert list(listed.values()) == [
            ["zoo", "model", "team"],
            ["team"],
            ["zoo", "model"],
            ["zoo"],
        ]

    def test_slack_and_ready_payloads(self, admin: Asker) -> None:
        slack = {"kind": "slack", "team": TEAM, "integration": "releases", "title": "New"}
        made = admin.done("POST", "/automations", new(action=slack))
        assert (made["action"]["severity"], made["action"]["title"]) == ("INFO", "New")
        body = new(name="ready", action=HOOK | {"template": "cloudevents"})
        assert admin.done("POST", "/automations", body)["action"]["payload"]["specversion"] == "1.0"
        body = new(name="empty", action=HOOK)
        assert admin.done("POST", "/automations", body)["action"]["payload"] == {}

    @pytest.mark.parametrize(
        ("change", "status", "word"),
        [
            ({"event": "EXPLODE"}, 422, "LINK_ARTIFACT"),
            ({"event": "CREATE_ARTIFACT", "scope": {"team": TEAM}}, 422, "one collection only"),
            ({"event": "RUN_STATE", "alias": None, "filter": {}}, 422, "run_state_filter"),
            ({"scope": {}}, 422, "scope"),
            ({"scope": {"team": ORGANIZATION}}, 404, "team"),
            ({"scope": ZOO | {"collection": "Nothing"}}, 404, "Nothing"),
            ({"alias": None, "alias_regex": "("}, 422, "$regex"),
            ({"alias_regex": "x"}, 422, "only one"),
            ({"action": HOOK | {"integration": "none"}}, 404, "none"),
            ({"action": {"kind": "webhook"}}, 422, "integration"),
            ({"action": HOOK | {"kind": "nothing"}}, 422, "neither"),
            ({"action": HOOK | {"payload": '{"a": }'}}, 422, "line 1, column 7"),
            ({"action": HOOK | {"payload": "[]"}}, 422, "object"),
            ({"action": HOOK | {"payload": {"a": "${wrong}"}}}, 422, "wrong"),
            ({"action": HOOK | {"payload": {"a": "${OTHER_SECRET}"}}}, 422, "OTHER_SECRET"),
            ({"action": HOOK | {"template": "odd"}}, 422, "template"),
            ({"name": ""}, 422, "empty"),
        ],
    )
    def test_what_is_refused(
        self, admin: Asker, change: dict[str, Any], status: int, word: str
    ) -> None:
        answered, message = admin.refused("POST", "/automations", new(**change))
        assert answered == status
        assert word in message
        assert admin.done("GET", "/automations", team=TEAM)["automations"] == []

    def test_a_name_is_taken_once(self, admin: Asker) -> None:
        admin.done("POST", "/automations", new())
        assert admin.refused("POST", "/automations", new())[0] == 409
