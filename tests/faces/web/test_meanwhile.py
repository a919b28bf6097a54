"""Forms of pages that are out of date: the second one to save is told, and nothing typed is lost."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.integration import IntegrationKind
from byname.domain.policy import GroupRole, Role
from byname.operations import (
    automation,
    collection,
    integration,
    member,
    organization,
    registry,
    team,
)
from byname.operations.integration import Wanted
from tests.faces.web.conftest import App, Browser, words_of
from tests.support.forms import Form, form_on, forms_on
from tests.support.house import House
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
SETTINGS = f"{MODEL}/settings"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
VERSION = f"{ZOO}&view=membership&version=v0"


@pytest.fixture
def zoo(app: App) -> App:
    """Collection Zoo with a version, an automation and a webhook; max is an Admin too."""
    admin = app.world.admin
    link_version(admin, log_version(admin))
    app.add("max", Role.ADMIN)
    organization.put_member(admin, ORGANIZATION, "max", GroupRole.ADMIN)
    team.put_member(admin, TEAM, "max", GroupRole.ADMIN)
    app.add("pat", Role.VIEWER)
    team.put_member(admin, TEAM, "pat", GroupRole.MEMBER)
    hook = Wanted(name="deploy", url="https://ci.example.org/hook")
    integration.create(admin, TEAM, IntegrationKind.WEBHOOK, hook)
    home = registry.get_by_name(admin, ORGANIZATION, "Model")
    automation.create(
        admin,
        automation.NewAutomation(
            name="tell",
            scope_kind=ScopeKind.PROJECT,
            scope_id=home.id,
            event=EventType.LINK_ARTIFACT,
            action=Action(ActionKind.NOTHING),
        ),
    )
    return app


def post(browser: Browser, page: str, form: Form, **written: str) -> Any:
    """The answer to the form as it stands, with what somebody wrote into it."""
    return browser.client.post(
        form.action or page,
        data=form.fields | written,
        headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
        follow_redirects=False,
    )


@dataclass(frozen=True, slots=True)
class Case:
    """A form, the field that two people write into, and another that one of them does."""

    page: str
    do: str
    name: str
    theirs: str
    mine: str
    now: Callable[[App], str]


def model(app: App) -> Any:
    return registry.get_by_name(app.world.admin, ORGANIZATION, "Model")


def zoo_of(app: App) -> Any:
    return collection.get_in(app.world.admin, model(app), "Zoo")


def version_of(app: App) -> Any:
    return collection.get_version_in(app.world.admin, model(app), zoo_of(app), "v0")[1]


def told(app: App) -> Any:
    return automation.get(app.world.admin, 1)


def hook(app: App) -> Any:
    return integration.get(app.world.admin, TEAM, IntegrationKind.WEBHOOK, "deploy")


CASES = {
    "collection": Case(
        ZOO, "describe", "description", "Theirs <b>", "Mine\nof two lines",
        lambda app: zoo_of(app).description,
    ),
    "version": Case(
        VERSION, "describe", "description", "Theirs <b>", "Mine\nof two lines",
        lambda app: version_of(app).description,
    ),
    "registry": Case(
        SETTINGS, "describe", "description", "Theirs <b>", "Mine\nof two lines",
        lambda app: model(app).description,
    ),
    "automation": Case(
        f"{MODEL}/automations/1/edit", "", "description", "Theirs <b>", "Mine\nof two lines",
        lambda app: told(app).description,
    ),
    "webhook": Case(
        f"/{TEAM}?tab=integrations&kind=webhook&name=deploy", "edit-webhook", "url",
        "https://theirs.example.org/", "https://mine.example.org/", lambda app: hook(app).url,
    ),
    "visibility": Case(
        SETTINGS, "visibility", "default_role", "member", "restricted_viewer",
        lambda app: model(app).default_role.word,
    ),
}  # fmt: skip


def open_form(browser: Browser, case: Case) -> Form:
    page = browser.get(case.page)
    if case.do:
        return form_on(page, case.do)
    return next(
        each for each in forms_on(page) if "was" in each.fields and case.name in each.fields
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
class TestTheSecondOneIsTold:
    """Who saves from a page that is out of date overwrites nothing unseen, and loses nothing."""

    def send_twice(self, app: App, case: Case) -> tuple[Browser, str]:
        admin, other = app.by("admin"), app.by("max")
        mine, theirs = open_form(admin, case), open_form(other, case)
        extra = {} if case.do else {"do": "save"}
        assert (
            post(other, case.page, theirs, **{case.name: case.theirs}, **extra).status_code == 303
        )
        before = House(app.world.nobody, {}).dump()
        answer = post(admin, case.page, mine, **{case.name: case.mine}, **extra)
        assert answer.status_code == 409, words_of(answer.text)[:500]
        assert House(app.world.nobody, {}).dump() == before
        assert case.now(app) == case.theirs
        return admin, answer.text

    def test_the_page_says_who_it_was_and_shows_both(self, zoo: App, case: Case) -> None:
        _, page = self.send_twice(zoo, case)
        note = page.split('class="notice warn meanwhile"')[1].split("</div>")[0]
        who = "Somebody" if case.do == "edit-webhook" else "max"
        assert f"{who} changed this just now" in words_of(note)
        assert html.escape(case.theirs, quote=False) in note
        kept = [
            each for each in forms_on(page) if case.name in each.fields and "was" in each.fields
        ]
        assert any(each.fields[case.name] == case.mine for each in kept)

    def test_saving_again_is_on_purpose(self, zoo: App, case: Case) -> None:
        admin, page = self.send_twice(zoo, case)
        [form] = [
            each
            for each in forms_on(page)
            if each.fields.get(case.name) == case.mine and "was" in each.fields
        ]
        extra = {} if case.do else {"do": "save"}
        assert post(admin, case.page, form, **extra).status_code == 303
        assert case.now(zoo) == case.mine

    def test_a_form_in_which_nothing_was_written_undoes_nothing(self, zoo: App, case: Case) -> None:
        admin, other = zoo.by("admin"), zoo.by("max")
        mine, theirs = open_form(admin, case), open_form(other, case)
        extra = {} if case.do else {"do": "save"}
        assert (
            post(other, case.page, theirs, **{case.name: case.theirs}, **extra).status_code == 303
        )
        assert post(admin, case.page, mine, **extra).status_code == 303
        assert case.now(zoo) == case.theirs


class TestARenameInBetween:
    """The page's address leads nowhere any more; the form finds what it stood on the page of."""

    def test_of_a_registry(self, zoo: App) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get(SETTINGS), "describe")
        registry.rename(zoo.world.admin, model(zoo).id, "Models")
        # Another one has the name by now: it is not that which is described.
        registry.create(zoo.world.admin, registry.NewRegistry(ORGANIZATION, "Model"))
        answer = post(admin, SETTINGS, form, description="mine")
        assert answer.headers["location"] == "/orgs/acme/registry/Models/settings"
        made = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Models")
        assert (made.description, model(zoo).description or "") == ("mine", "")

    @pytest.mark.parametrize("page", [ZOO, VERSION])
    def test_of_a_collection(self, zoo: App, page: str) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get(page), "describe")
        collection.edit(zoo.world.admin, zoo_of(zoo).id, is_sequence=False, name="Ark")
        answer = post(admin, page, form, description="mine")
        assert "Ark" in answer.headers["location"]
        assert "mine" in words_of(admin.get(answer.headers["location"]))

    def test_of_a_collection_that_somebody_else_may_not_see(self, zoo: App) -> None:
        """The number of a place that is hidden, or of another registry, leads nowhere."""
        admin = zoo.world.admin
        secret = registry.create(
            admin, registry.NewRegistry(ORGANIZATION, "Secret", restricted=True)
        )
        hidden = collection.create(admin, secret.id, collection.NewCollection("Hidden", "model"))
        browser = zoo.by("max")
        form = form_on(browser.get(ZOO), "describe")
        post(browser, ZOO, form, description="mine", place=str(hidden.id))
        assert collection.get_in(admin, secret, "Hidden").description is None
        assert zoo_of(zoo).description == "mine"


class TestRoles:
    """Who gives a role from a page that is out of date is told which one there is now."""

    def test_in_a_registry(self, zoo: App) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get(SETTINGS), "set-role", name="pat")
        assert form.fields["had"] == "viewer"
        member.put_named_user(zoo.world.admin, model(zoo).id, "pat", Role.ADMIN)
        answer = post(admin, SETTINGS, form, role="member")
        assert answer.status_code == 409
        assert "the role of pat was changed: pat is admin now" in words_of(answer.text)
        # The page shows it now, and what is sent from there counts.
        again = form_on(answer.text, "set-role", name="pat")
        assert post(admin, SETTINGS, again, role="member").status_code == 303

    @pytest.mark.parametrize("page", [f"/orgs/{ORGANIZATION}/members", f"/{TEAM}?tab=members"])
    def test_in_an_organization_or_team(self, zoo: App, page: str) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get(page), "set-role", username="pat")
        put = organization.put_member if "orgs" in page else team.put_member
        put(zoo.world.admin, ORGANIZATION if "orgs" in page else TEAM, "pat", GroupRole.VIEWER)
        answer = post(admin, page, form, role="admin")
        assert answer.status_code == 409
        assert "the role of pat was changed: pat is viewer now" in words_of(answer.text)
        assert 'name="had" value="viewer"' in answer.text


def test_a_team_in_a_registry_too(zoo: App) -> None:
    admin = zoo.by("admin")
    member.put_named_team(zoo.world.admin, model(zoo).id, TEAM, Role.VIEWER)
    form = form_on(admin.get(SETTINGS), "set-role", name=TEAM)
    member.put_named_team(zoo.world.admin, model(zoo).id, TEAM, Role.ADMIN)
    assert post(admin, SETTINGS, form, role="member").status_code == 409
