"""The client's own automations, of every event, scope and action that it offers (R125, R126, R131)."""

from __future__ import annotations

from tests.support.rig import TEAM, Rig
from tests.support.sdk import Sdk


class TestAutomations:
    """R125, R126, R128, R131, R132; protocol 14: as the client makes, reads and changes them."""

    def test_every_event_scope_and_action(self, sdk: Sdk, rig: Rig) -> None:
        project = sdk.name("auto")
        webhook, channel = sdk.name("ci"), sdk.name("releases")
        # Nobody answers there, and no name is looked up: what fires stays on this machine.
        url = "http://127.0.0.1:1/hook?key=1"
        rig.ask("POST", f"/teams/{TEAM}/webhooks", {"name": webhook, "url": url})
        rig.ask(
            "POST",
            f"/teams/{TEAM}/slack-channels",
            {"name": channel, "url": "http://127.0.0.1:1/services/T/B/X"},
        )
        told = sdk.result("automating.py", project, webhook, channel)
        registries = sdk.release >= "0.31"

        assert told["integrations"] == [url, TEAM]
        # Seven events in every scope, new versions in two, five of runs in three; three actions.
        assert told["made"] == (7 * (6 if registries else 5) + 2 + 5 * 3) * 3
        assert told["missing"] == []
        assert told["differ"] == []
        # Without an entity, and before 0.31 always, the client walks projects.
        scopes = ["collection", "project", "sequence", "team", "organization"]
        scopes += ["registry"] if registries else []
        actions = ["nothing", "slack", "webhook"]
        assert told["legacy"] == sorted(f"alias/{s}/{a}" for s in scopes for a in actions)
        assert told["event"] == [
            "ADD_ARTIFACT_ALIAS",
            "{'$or': [{'$and': [{'alias': {'$regex': '^prod.*'}}]}]}",
        ]
        assert told["action"] == [True, {"v": "${artifact_version_string}"}]
        assert told["scope"] == ["alpha", "_ArtifactPortfolioScope"]
        assert told["slack"] == ["New", "${alias}", "WARN"]

        assert told["renamed"] == [True, True, True, True]
        assert told["off"] == [False, "off", True]
        assert told["run_event"] is True
        assert told["moved"] == ["UNLINK_ARTIFACT", "SavedNoOpAction", True]

        assert "Unable to create another with the same name" in told["duplicate"]
        assert told["fetched"] is True
        assert "$regex on alias cannot be used" in told["regex"]
        assert "nobody_knows" in told["variable"]
        assert told["deleted"] is True
        assert "does not exist" in told["deleted_twice"] or "404" in told["deleted_twice"]
        assert "not found. Unable to edit it" in told["updated_gone"]
        assert told["left"] == []
