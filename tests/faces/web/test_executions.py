"""The automations history of a registry (R140): what was fired, sent and answered; Retry, Disable."""

from __future__ import annotations

import pytest

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.integration import IntegrationKind
from byname.domain.policy import Role
from byname.operations import automation, integration, registry
from byname.operations.automation import NewAutomation
from byname.operations.dispatch import Dispatcher
from byname.operations.integration import Wanted
from tests.faces.web.conftest import App, words_of
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

HISTORY = "/orgs/acme/registry/Model/automations-history"


@pytest.fixture
def fired(app: App) -> App:
    """`production` was put on v0: an automation that does nothing, and one whose webhook waits."""
    admin = app.world.admin
    hook = integration.create(
        admin, TEAM, IntegrationKind.WEBHOOK, Wanted(name="deploy", url="https://ci.example.org/")
    )
    link_version(admin, log_version(admin))
    home = registry.get_by_name(admin, ORGANIZATION, "Model")
    for name, action in (
        ("Try", Action(ActionKind.NOTHING)),
        ("Deploy", Action(ActionKind.WEBHOOK, hook.id, payload='{"who": "${event_author}"}')),
    ):
        automation.create(
            admin,
            NewAutomation(name, ScopeKind.PROJECT, home.id, EventType.LINK_ARTIFACT, action),
        )
    link_version(admin, log_version(admin, files={"weights": b"second"}))
    assert Dispatcher(lambda *_: "http://x/").run(admin)
    app.add("vic", Role.VIEWER)
    return app


class TestHowManyWait:
    """The health page of the server tells of the queue."""

    def test_those_that_are_due_and_those_of_automations_that_are_off(self, fired: App) -> None:
        browser, admin = fired.by("admin"), fired.world.admin
        with fired.world.nobody.database.write() as tx:
            tx.run("UPDATE execution SET created_at = created_at - 7200000000")
        assert "Deliveries 1 waits, the oldest for 2 h" in words_of(browser.get("/server"))
        home = registry.get_by_name(admin, ORGANIZATION, "Model")
        found = automation.list_within(admin, "project", home.id, name="Deploy").items[0]
        automation.edit(admin, found.id, automation.AutomationEdit(enabled=False))
        told = words_of(browser.get("/server"))
        assert "none waits 1 more waits for automations that are off, the oldest for 2 h" in told


class TestHistory:
    """R140: all executions, newest first: time, event, action, payload sent, status."""

    def test_what_was_fired(self, fired: App) -> None:
        page = words_of(fired.by("vic").get(HISTORY))
        assert "Try" in page
        assert "LINK_ARTIFACT" in page
        assert "by admin" in page
        assert "finished" in page.split("Try")[1]
        found = words_of(fired.by("vic").get(f"{HISTORY}?state=pending"))
        assert "Deploy" in found.split("Status")[1]
        assert "Try" not in found.split("Status")[1]
        assert "None found" in words_of(fired.by("vic").get(f"{HISTORY}?q=okapi"))

    def test_the_payload_and_the_attempts(self, fired: App) -> None:
        browser = fired.by("admin")
        page = browser.get(f"{HISTORY}?state=pending")
        number = page.split("open=")[1].split("#")[0].split('"')[0]
        opened = words_of(browser.get(f"{HISTORY}?open={number}"))
        assert '{"who": "admin"}' in opened
        browser.get(f"{HISTORY}?open=999", 404)
        browser.get(f"{HISTORY}?open=x", 422)

    def test_retry_and_disable(self, fired: App) -> None:
        """Buttons that a role may not use say why; the operation refuses as well."""
        browser = fired.by("admin")
        page = browser.get(f"{HISTORY}?state=pending")
        number = page.split("open=")[1].split("#")[0].split('"')[0]
        for wish in ("retry", "disable"):
            answer = fired.by("vic").send(HISTORY, page="/account", do=wish, execution=number)
            assert answer.status_code == 403
        assert browser.sent(HISTORY, do="retry", execution=number) == HISTORY
        assert browser.sent(HISTORY, do="disable", execution=number) == HISTORY
        home = registry.get_by_name(fired.world.admin, ORGANIZATION, "Model")
        there = automation.list_within(fired.world.admin, "project", home.id).items
        assert {each.name: each.enabled for each in there} == {"Try": True, "Deploy": False}
        finished = browser.get(f"{HISTORY}?state=finished").split("open=")[1].split("#")[0]
        assert browser.send(HISTORY, do="retry", execution=finished).status_code == 409
