"""No list without a page, and no page with a query per row: search, settings, access, people (R181)."""

from __future__ import annotations

from dataclasses import replace

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.policy import Role
from byname.domain.reading import Readings
from byname.domain.refusal import Refusals
from byname.operations import (
    alias,
    automation,
    collection,
    key,
    member,
    protected_alias,
    reading,
    refusal,
    registry,
    service_account,
    session,
    team,
)
from byname.operations.dispatch import Dispatcher
from tests.faces.web.conftest import App, Counted
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
SETTINGS = f"{MODEL}/settings"


def fill(app: App, first: int, last: int) -> None:
    """So many people, teams, registries, protected aliases, versions, deleted collections."""
    admin = app.world.admin
    home = registry.get_by_name(admin, ORGANIZATION, "Model")
    for number in range(first, last):
        person = app.world.add_person(
            f"zoo{number:03d}", in_organization="member", in_team="member"
        )
        team.create_team(admin, organization=ORGANIZATION, name=f"zoo-team{number:03d}")
        member.add(admin, home.id, user_ids=[person.who.user_id], role=Role.MEMBER)
        member.put_named_team(admin, home.id, f"zoo-team{number:03d}", Role.VIEWER)
        app.world.add_person(f"new{number:03d}", in_organization="member")
        team.create_team(admin, organization=ORGANIZATION, name=f"new-team{number:03d}")
        protected_alias.create(admin, home.id, f"zoo-name{number:03d}")
        registry.create(admin, registry.NewRegistry(ORGANIZATION, f"Zoo {number:03d}"))
        logged = log_version(admin, f"zoo{number:03d}", {"w": b"%d" % number})
        place, _ = link_version(admin, logged, f"Zoo {number:03d}", (f"zoo{number:03d}",))
        there = alias.Place(ORGANIZATION, home.name, place.name)
        collection.edit_tags(admin, there, add=[f"zoo{number:03d}"])
        team.create_service_account(admin, team=TEAM, name=f"robot{number:03d}")
        service_account.create(admin, organization=ORGANIZATION, name=f"bot{number:03d}")
        for owner in ("robot000", "bot000"):
            key.create_key(admin, name=f"key {number}", username=owner)
        secret = key.create_key(admin, name=f"opens {number}").secret
        session.log_in_with_key(app.world.nobody, api_key=secret)
        noted = replace(admin, refusals=Refusals(), readings=Readings())
        noted.attempt.reach(home.organization_id, home.id)
        refusal.note(noted, kind=f"zoo:{number}", call="x", status=403, code="forbidden")
        refusal.save(noted)
        reading.note(noted, home, logged)
        reading.save(noted)
        place_id = place.id
        automation.create(
            admin,
            automation.NewAutomation(
                f"zoo {number}", ScopeKind.COLLECTION, place_id, EventType.LINK_ARTIFACT,
                Action(ActionKind.NOTHING),
            ),
        )  # fmt: skip
        link_version(
            admin, log_version(admin, f"zoo{number:03d}", {"w": b"2 %d" % number}), place.name
        )
        Dispatcher(lambda *_: "http://x/").run(admin)
        gone, _ = link_version(admin, logged, f"Gone {number:03d}")
        collection.delete(admin, gone.id, is_sequence=False)


class TestStatements:
    """R181: lists are paged by the server; a page of 50 rows costs as many statements as one of 5."""

    def test_r181_fifty_rows_cost_what_five_cost(self, app: App, counted: type[Counted]) -> None:
        paths = (
            "/search?q=zoo", "/search?q=zoo&kind=collection", SETTINGS, f"{MODEL}/access",
            f"{MODEL}/access?who=new", f"/orgs/{ORGANIZATION}/members", f"/orgs/{ORGANIZATION}/teams",
            f"/orgs/{ORGANIZATION}/storage", f"/orgs/{ORGANIZATION}/trash",
            f"/orgs/{ORGANIZATION}/audit", f"/{TEAM}", f"/{TEAM}?tab=members", f"/{TEAM}?tab=trash",
            f"/{TEAM}?tab=integrations", "/server/people", "/server/organizations", "/projects",
            f"/{TEAM}?tab=service-accounts", f"/{TEAM}?tab=service-accounts&account=robot000",
            f"/orgs/{ORGANIZATION}/service-accounts",
            f"/orgs/{ORGANIZATION}/service-accounts?account=bot000",
            f"/orgs/{ORGANIZATION}/audit?status=refused", f"/orgs/{ORGANIZATION}/audit?status=read",
            f"/orgs/{ORGANIZATION}/members?q=zoo", f"/orgs/{ORGANIZATION}/members?remove=zoo000",
            "/server", "/server/people/admin", "/server/people?q=zoo", "/account",
            f"{MODEL}/automations", f"{MODEL}/automations-history", MODEL,
        )  # fmt: skip
        browser = app.by("admin")
        costs: dict[str, list[int]] = {path: [] for path in paths}
        for first, last in ((0, 6), (6, 50)):
            fill(app, first, last)
            for path in paths:
                counted.count = 0
                page = browser.get(path)
                costs[path].append(counted.count)
                if path.startswith(("/search", SETTINGS)):
                    assert "zoo" in page.casefold()
        # With many, a search may find enough with its first questions.
        assert all(few >= many for few, many in costs.values()), costs
        assert all(many < 45 for _, many in costs.values()), costs

    def test_a_cursor_of_another_list_is_refused(self, app: App) -> None:
        browser = app.by("admin")
        for word in ("names-after", "teams-after"):
            for wrong in ("x", "WyJwZW9wbGUiLDFd", "WyJwcm90ZWN0ZWQiLDFd"):
                browser.get(f"{SETTINGS}?{word}={wrong}", 422)
