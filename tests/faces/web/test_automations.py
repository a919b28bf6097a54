"""Automations on the registry's page: made in steps, shown, searched, changed, deleted (R130)."""

from __future__ import annotations

import html
import re

import pytest

from byname.domain.automation import ActionKind, Automation, simple_of
from byname.domain.event import EventType
from byname.domain.integration import IntegrationKind
from byname.domain.policy import Role
from byname.operations import automation, integration, registry, secret
from byname.operations.integration import Wanted
from tests.faces.web.conftest import App, Browser, token_on, words_of
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
LIST = f"{MODEL}/automations"
NEW = f"{MODEL}/new-automation"


@pytest.fixture
def zoo(app: App) -> App:
    """Collection Zoo; a webhook and a Slack channel of the team; max is Member, vic Viewer."""
    admin = app.world.admin
    link_version(admin, log_version(admin))
    secret.create(admin, TEAM, "TOKEN", "very-secret-value")
    integration.create(
        admin,
        TEAM,
        IntegrationKind.WEBHOOK,
        Wanted(name="deploy", url="https://ci.example.org/hook?key=private", access_token="TOKEN"),
    )
    slack = Wanted(name="#models", url="https://hooks.example.org/T/B/x")
    integration.create(admin, TEAM, IntegrationKind.SLACK, slack)
    app.add("max", Role.MEMBER)
    app.add("vic", Role.VIEWER)
    return app


def fields_on(page: str) -> dict[str, str]:
    """What a browser would send of the step's form, as it stands."""
    form = page.split('<form method="post">')[1].split("</form>", maxsplit=1)[0]
    found: dict[str, str] = {}
    for text in re.findall(r"<input ([^>]*)>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', text))
        if given.get("type") not in ("radio", "checkbox") or "checked" in text:
            found[given["name"]] = html.unescape(given.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', form):
        found[name] = html.unescape(text)
    for name, options in re.findall(
        r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        every = re.findall(r"<option(?: value=\"([^\"]*)\")?( selected)?[^>]*>([^<]*)", options)
        chosen = next((each for each in every if each[1]), every[0] if every else ("", "", ""))
        found[name] = html.unescape(chosen[0] or ("" if "All " in chosen[2] else chosen[2]))
    return found


def walk(browser: Browser, *steps: dict[str, str]) -> str:
    """Go through the steps, each with what is said there; where the last one leads to."""
    page = browser.get(NEW)
    for number, said in enumerate(steps):
        answer = browser.client.post(
            NEW,
            data={**fields_on(page), **said, "do": "next", "token": token_on(page)},
            headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
            follow_redirects=False,
        )
        if number == len(steps) - 1:
            assert answer.status_code == 303, words_of(answer.text)
            return str(answer.headers["location"])
        assert answer.status_code == 200, words_of(answer.text)
        page = answer.text
    raise AssertionError


def every(app: App) -> list[Automation]:
    home = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
    return list(automation.list_within(app.world.admin, "project", home.id).items)


ALIAS = {"event": "ADD_ARTIFACT_ALIAS", "text": "production", "exact": "yes", "collection": ""}
HOOK = {"kind": "webhook", "team": TEAM}


class TestCreating:
    """R130: event (+ regex) -> team, action type -> webhook or channel (+ payload) -> name."""

    def test_r130_a_webhook_with_the_ready_payload(self, zoo: App) -> None:
        browser = zoo.by("admin")
        to = walk(browser, ALIAS, HOOK, {}, {"name": "Deploy", "description": "to the cluster"})
        (made,) = every(zoo)
        assert to == f"{LIST}/{made.id}"
        assert (made.name, made.description, made.enabled) == ("Deploy", "to the cluster", True)
        assert made.event is EventType.ADD_ARTIFACT_ALIAS
        simple = simple_of(made)
        assert simple is not None
        assert (simple.field, simple.text, simple.exact) == ("alias", "production", True)
        assert made.scope.word == "registry"
        assert '"${artifact_version_string}"' in (made.action.payload or "")
        page = words_of(browser.get(to))
        assert "alias is exactly production" in page
        assert "deploy of team vision" in page

    def test_r128_without_exact_it_is_a_regular_expression(self, zoo: App) -> None:
        walk(zoo.by("admin"), {**ALIAS, "exact": ""}, HOOK, {}, {"name": "x"})
        simple = simple_of(every(zoo)[0])
        assert simple is not None
        assert not simple.exact

    def test_slack_of_one_collection(self, zoo: App) -> None:
        walk(
            zoo.by("max"),
            {"event": "LINK_ARTIFACT", "collection": "Zoo", "text": "", "exact": ""},
            {"kind": "nothing"},
            {},
            {"name": "Told"},
        )
        (made,) = every(zoo)
        assert (made.scope.word, made.action.kind) == ("collection", ActionKind.NOTHING)
        walk(
            zoo.by("admin"),
            {"event": "LINK_ARTIFACT", "collection": "Zoo", "text": "", "exact": ""},
            {"kind": "slack", "team": TEAM},
            {"title": "News", "severity": "WARN"},
            {"name": "Slack"},
        )
        slack = every(zoo)[1].action
        assert (slack.title, slack.severity and slack.severity.value) == ("News", "WARN")
        assert "${artifact_version_string}" in (slack.message or "")

    @pytest.mark.parametrize(
        ("steps", "told"),
        [
            ([{**ALIAS, "text": ""}], "which aliases"),
            ([{**ALIAS, "text": "(", "exact": ""}], "regular expression"),
            ([{**ALIAS, "event": "RUN_STATE"}], "Choose which event"),
            ([{**ALIAS, "event": "x"}], "Choose which event"),
            ([ALIAS, {"kind": "x"}], "Choose what is done"),
            ([ALIAS, {"kind": "webhook", "team": ORGANIZATION}], "Team"),
            ([ALIAS, HOOK, {"payload": '{"a": '}], "line 1, column"),
            ([ALIAS, HOOK, {"payload": '{"a": "${no_such}"}'}], "no_such"),
            ([ALIAS, HOOK, {"payload": "[]"}], "object"),
            ([ALIAS, HOOK, {"integration": "none"}], "none"),
            ([ALIAS, HOOK, {}, {"name": " "}], "name"),
        ],
    )
    def test_what_is_wrong_is_said_in_its_step(
        self, zoo: App, steps: list[dict[str, str]], told: str
    ) -> None:
        """R135, R137: refused when saving, with the place; what was written stays."""
        browser = zoo.by("admin")
        page = browser.get(NEW)
        for number, said in enumerate(steps):
            answer = browser.client.post(
                NEW,
                data={**fields_on(page), **said, "do": "next", "token": token_on(page)},
                headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
            )
            page = answer.text
            assert (answer.status_code >= 400) is (number == len(steps) - 1), words_of(page)
        assert told.casefold() in words_of(page.split('role="alert"')[1]).casefold()
        for value in steps[-1].values():
            if value.strip() and value not in ("x", "none", ORGANIZATION, "RUN_STATE"):
                assert (
                    html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
                )
        assert every(zoo) == []

    def test_back_keeps_what_was_said(self, zoo: App) -> None:
        browser = zoo.by("admin")
        page = browser.get(NEW)
        data = {**fields_on(page), **ALIAS, "do": "next", "token": token_on(page)}
        page = browser.client.post(
            NEW, data=data, headers={"accept": "text/html", "sec-fetch-site": "same-origin"}
        ).text
        data = {**fields_on(page), "do": "back", "token": token_on(page)}
        page = browser.client.post(
            NEW, data=data, headers={"accept": "text/html", "sec-fetch-site": "same-origin"}
        ).text
        assert 'value="production"' in page
        assert 'value="ADD_ARTIFACT_ALIAS" selected' in page


class TestList:
    """R140: name, event, last execution, whether it is on; search by name, sort."""

    def make(self, zoo: App, *names: str) -> None:
        for name in names:
            walk(zoo.by("admin"), ALIAS, HOOK, {}, {"name": name})

    def test_r140_searched_and_sorted(self, zoo: App) -> None:
        self.make(zoo, "Zebra", "Ape")
        browser = zoo.by("vic")
        page = words_of(browser.get(f"{LIST}?sort=name"))
        assert page.index("Ape") < page.index("Zebra")
        assert "An artifact alias is added" in page
        found = words_of(browser.get(f"{LIST}?q=zeb"))
        assert "Zebra" in found
        assert "Ape" not in found
        assert "None found" in words_of(browser.get(f"{LIST}?q=okapi"))
        # Of a webhook those who may not use it see the host only.
        assert "private" not in browser.get(f"{LIST}/{every(zoo)[0].id}")

    def test_roles(self, zoo: App) -> None:
        """P19, P20: disabled with the reason; the operation refuses as well."""
        self.make(zoo, "Deploy")
        path = f"{LIST}/{every(zoo)[0].id}"
        for who in ("vic", "max"):
            browser = zoo.by(who)
            assert "you need the role admin" in words_of(browser.get(path))
            for wish in ("delete", "disable"):
                token = token_on(browser.get("/account"))
                answer = browser.client.post(
                    path,
                    data={"token": token, "do": wish},
                    headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
                )
                assert answer.status_code == 403
        assert "you need the role member" in words_of(zoo.by("vic").get(LIST))
        assert [each.enabled for each in every(zoo)] == [True]

    def test_a_hidden_one(self, zoo: App) -> None:
        self.make(zoo, "Deploy")
        zoo.world.add_person("out")
        zoo.by("out").get(f"{LIST}/{every(zoo)[0].id}", 404)
        for text in ("0", "999", "x", "9" * 30, "%00"):
            zoo.by("admin").get(f"{LIST}/{text}", 400 if text == "%00" else 404)


class TestForWhom:
    """An automation has the rights of one person, and its page says whose."""

    def test_who_made_it_and_then_who_changed_what_it_does(self, zoo: App) -> None:
        zoo.world.add_person("ada", in_organization="admin", in_team="member")
        path = walk(zoo.by("admin"), ALIAS, HOOK, {}, {"name": "Deploy"})
        page = words_of(zoo.by("vic").get(path))
        assert "Acts for admin Who made it" in page
        assert "the role admin here and are a member of team vision." in page
        browser = zoo.by("ada")
        fields = {**fields_on(browser.get(f"{path}/edit")), "do": "save"}
        # Another name leaves it with whom it was.
        fields["name"] = "Roll out"
        browser.sent(f"{path}/edit", **{k: v for k, v in fields.items() if k != "token"})
        assert "Acts for admin Who made it" in words_of(browser.get(path))
        fields["payload"] = '{"who": "${event_author}"}'
        browser.sent(f"{path}/edit", **{k: v for k, v in fields.items() if k != "token"})
        shown = words_of(browser.get(path))
        assert "Acts for ada you Who made it" in shown
        assert "by admin" in shown.split("Created")[1]


class TestChanging:
    """R130: edit; switch off and on; delete after a question."""

    def test_off_on_and_deleted(self, zoo: App) -> None:
        browser = zoo.by("admin")
        path = walk(browser, ALIAS, HOOK, {}, {"name": "Deploy"})
        assert browser.sent(path, do="disable") == path
        assert not every(zoo)[0].enabled
        assert browser.sent(path, page=LIST, do="enable", **{"from": "list"}) == LIST
        assert every(zoo)[0].enabled
        assert "Delete this automation?" in words_of(browser.get(f"{path}?confirm=delete"))
        assert browser.sent(path, page=f"{path}?confirm=delete", do="delete") == LIST
        assert every(zoo) == []

    def test_edited(self, zoo: App) -> None:
        browser = zoo.by("admin")
        path = walk(browser, ALIAS, HOOK, {}, {"name": "Deploy"})
        before = every(zoo)[0]
        page = browser.get(f"{path}/edit")
        fields = {**fields_on(page), "do": "save", "name": "Roll out", "exact": "yes"}
        fields["payload"] = '{"who": "${event_author}", "token": "${TOKEN}"}'
        assert browser.sent(f"{path}/edit", **{k: v for k, v in fields.items() if k != "token"})
        (after,) = every(zoo)
        assert (after.name, after.filter) == ("Roll out", before.filter)
        assert after.action.payload == fields["payload"]
