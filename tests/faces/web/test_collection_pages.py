"""The page of a collection: table, names, timelines, history, renaming, deleting (R177, R187)."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.policy import Role
from byname.operations import automation, collection, protected_alias, registry
from byname.operations import version as versions
from byname.operations.automation import NewAutomation
from byname.operations.dispatch import Dispatcher
from tests.faces.web.conftest import App, words_of
from tests.support.house import House
from tests.support.world import ORGANIZATION, holders, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
ALIASES = f"{ZOO}&tab=aliases"
PRODUCTION = f"{ALIASES}&alias=production"


@pytest.fixture
def zoo(app: App) -> App:
    """Twelve versions with metadata; production, which is protected, went from v0 to v1 to v2."""
    admin = app.world.admin
    for number in range(12):
        made = log_version(admin, files={"w": b"%d" % number * (number + 1)})
        metadata = json.dumps({"accuracy": number / 10, "task": "detect"})
        versions.edit(admin, made.id, versions.VersionEdit(metadata=metadata))
        link_version(admin, made, aliases=["production"] if number < 3 else [])
    model = registry.get_by_name(admin, ORGANIZATION, "Model")
    protected_alias.create(admin, model.id, "production")
    return app


def aliases_of(app: App) -> dict[str, int]:
    model = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
    found = collection.find(app.world.admin, model.id, "Zoo")
    assert found is not None
    return holders(app.world.admin, found.id)


def rows(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'aria-label="View v(\d+)"', page)]


def link_to(page: str, label: str) -> str:
    """Where the link with these words leads."""
    for found in re.finditer(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL):
        if words_of(found[2]).strip(" ↓↑") == label:
            return html.unescape(found[1])
    raise AssertionError(label)


class TestTable:
    """R177: sortable and filterable; R180: numbers sort as numbers, every view has an address."""

    def test_heads_sort_and_turn_round(self, zoo: App) -> None:
        admin = zoo.by("admin")
        assert rows(admin.get(ZOO)) == list(range(11, -1, -1))
        up = link_to(admin.get(ZOO), "Version")
        assert rows(admin.get(up)) == list(range(12))
        assert 'aria-sort="ascending"' in admin.get(up)
        large = admin.get(link_to(admin.get(ZOO), "Size"))
        assert rows(large)[:2] == [11, 10]

    def test_metrics_are_chosen_shown_and_sorted(self, zoo: App) -> None:
        """R56: *Show metrics* compares metadata across versions."""
        admin = zoo.by("admin")
        ask = admin.get(link_to(admin.get(ZOO), "Show metrics").replace("&amp;", "&"))
        assert 'value="accuracy"' in ask
        assert 'value="task"' in ask
        page = admin.get(f"{ZOO}&metric=accuracy&metric=task")
        assert "0.7" in words_of(page)
        assert rows(admin.get(link_to(page, "accuracy"))) == list(range(11, -1, -1))
        kept = link_to(page, "Size")
        assert "metric=accuracy&metric=task" in kept

    def test_the_filter_says_what_was_wrong_beside_it(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = admin.get(f"{ZOO}&filter=accuracy%3E%3D1.0")
        assert rows(page) == [11, 10]
        assert "2 versions of 12" in words_of(page)
        assert rows(admin.get(f"{ZOO}&filter=production")) == [2]
        wrong = admin.get(f"{ZOO}&filter=accuracy%3E", 422)
        assert "no value behind accuracy" in words_of(wrong)
        assert 'value="accuracy&gt;"' in wrong
        assert "No version fits" in admin.get(f"{ZOO}&filter=nowhere")

    def test_pages_go_both_ways(self, zoo: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("byname.web.version_table.PAGE", 5)
        admin = zoo.by("admin")
        view = f"{ZOO}&sort=-metric%3Aaccuracy"
        first = admin.get(view)
        second = admin.get(link_to(first, "Next"))
        assert (rows(first), rows(second)) == ([11, 10, 9, 8, 7], [6, 5, 4, 3, 2])
        back = re.search(r'href="([^"]+)" rel="prev"', second)
        assert back is not None
        assert rows(admin.get(html.unescape(back[1]))) == rows(first)
        assert rows(admin.get(f"{ZOO}&from=%3Ev3&sort=nothing", 422)) == []


class TestMarkdown:
    """R36: the description is Markdown; A10: whatever stands in it is data."""

    def test_it_is_rendered_and_nothing_of_it_is_active(self, zoo: App) -> None:
        text = (
            "# Use\n\n**bold** | x\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[l](https://x.example)\n\n"
            "[bad](javascript:alert(1))\n\n<script>canary()</script>\n\n![p](https://x.example/p)"
        )
        admin = zoo.by("admin")
        admin.sent(ZOO, do="describe", description=text)
        page = admin.get(ZOO)
        card = page.split('<div class="prose">')[1].split("</div>")[0]
        assert "<h3>Use</h3>" in card
        assert "<strong>bold</strong>" in card
        assert "<td>1</td>" in card
        assert 'href="https://x.example" rel="noopener noreferrer nofollow"' in card
        for bad in ("<script", "<img", 'href="javascript'):
            assert bad not in card
        for heading in ("Summary", "Training data", "Deployment"):
            assert f'data-insert="## {heading}"' in page


class TestTimeline:
    """R189: all holders of a name, who moved it, when; what it was on at a time; put it back."""

    def test_r189_every_alias_and_its_past(self, zoo: App) -> None:
        admin = zoo.by("admin")
        listed = words_of(admin.get(ALIASES))
        assert "protected production v2" in listed
        assert "latest v11" in listed
        page = words_of(admin.get(PRODUCTION))
        assert "admin moved it from v1 to v2" in page
        assert "admin put it on v0" in page
        assert admin.get(f"{ALIASES}&alias=never", 404)

    def test_r189_who_held_it_at_a_time(self, zoo: App) -> None:
        admin = zoo.by("admin")
        assert "was on v2" in words_of(admin.get(f"{PRODUCTION}&at=2100-01-01T00:00"))
        assert "had not been given yet" in words_of(admin.get(f"{PRODUCTION}&at=2001-01-01T00:00"))
        assert "A time is written" in admin.get(f"{PRODUCTION}&at=soon", 422)

    def test_restoring_asks_first_and_both_changes_stay(self, zoo: App) -> None:
        admin = zoo.by("admin")
        ask = f"{PRODUCTION}&restore=1"
        before = House(zoo.world.nobody, {}).dump()
        assert "It is on v2 now" in words_of(admin.get(ask))
        assert House(zoo.world.nobody, {}).dump() == before
        assert admin.sent(PRODUCTION, ask, do="restore", revision="1", seen="3") == PRODUCTION
        assert aliases_of(zoo)["production"] == 0
        admin.sent(PRODUCTION, f"{PRODUCTION}&restore=3", do="restore", revision="3", seen="4")
        assert aliases_of(zoo)["production"] == 2
        page = words_of(admin.get(PRODUCTION))
        assert "moved it from v0 to v2" in page
        assert "by undo" in page

    def test_r88_who_moved_it_meanwhile_is_not_overruled(self, zoo: App) -> None:
        admin = zoo.by("admin")
        # The first undoes the last change, by its holder; the second goes by the revision.
        for revision, status in (("1", 409), ("2", 412)):
            answer = admin.send(
                PRODUCTION, f"{PRODUCTION}&restore=1", do="restore", revision=revision, seen="2"
            )
            assert answer.status_code == status
            assert "not what was expected" in answer.text or "changed since" in answer.text
        assert aliases_of(zoo)["production"] == 2

    def test_r80_members_are_told_why_not_and_refused(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        page = zoo.by("max").get(PRODUCTION)
        assert "Restore this" in page
        assert "needs the role admin" in page or "you need the role admin" in page
        assert f"{PRODUCTION}&amp;restore=1" not in page
        answer = zoo.by("max").send(PRODUCTION, do="restore", revision="1", seen="3")
        assert answer.status_code == 403
        assert aliases_of(zoo)["production"] == 2

    def test_a_version_that_has_left_cannot_be_gone_back_to(self, zoo: App) -> None:
        admin = zoo.by("admin")
        model = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        found = collection.get_in(zoo.world.admin, model, "Zoo")
        membership, _ = collection.get_version_in(zoo.world.admin, model, found, "v0")
        collection.unlink(zoo.world.admin, membership.version_id, found.id)
        page = admin.get(PRODUCTION)
        assert "restore=1" not in page
        assert "restore=2" in page
        answer = admin.send(
            PRODUCTION, f"{PRODUCTION}&restore=2", do="restore", revision="1", seen="3"
        )
        assert answer.status_code == 404


class TestHistory:
    """R187, R188: action history with filters, and as a file."""

    def test_r188_filters(self, zoo: App) -> None:
        admin = zoo.by("admin")
        history = f"{ZOO}&tab=history"
        page = admin.get(f"{history}&alias=production")
        assert page.count("<tr>") == 1 + 3
        assert admin.get(f"{history}&kind=link").count("<tr>") == 1 + 12
        assert admin.get(f"{history}&number=v3&kind=link").count("<tr>") == 2
        assert "Nothing fits" in admin.get(f"{history}&actor=nobody")
        assert "Nothing fits" in admin.get(f"{history}&until=2001-01-01T00:00")
        assert "number such as v3" in admin.get(f"{history}&number=3x", 422)

    def test_r188_export_holds_all_that_the_filter_lets_through(
        self, zoo: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("byname.web.history.PORTION", 5)
        admin = zoo.by("admin")
        answer = admin.client.get(
            f"{ZOO}&tab=history&export=csv&kind=link", headers={"accept": "text/html"}
        )
        assert answer.headers["content-disposition"].startswith("attachment")
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert [line["version"] for line in lines] == [f"v{n}" for n in range(11, -1, -1)]
        assert lines[0]["actor"] == "admin"
        told = json.loads(admin.get(f"{ZOO}&tab=history&export=json"))
        assert len(told) == len(json.loads(admin.get(f"{ZOO}&tab=history&export=json&kind="))) > 24
        assert json.loads(admin.get(f"{ZOO}&tab=history&export=json&actor=nobody")) == []


class TestRenamingAndDeleting:
    """R37, R169, R180: what the menu beside the name does."""

    def test_r37_renaming(self, zoo: App) -> None:
        admin = zoo.by("admin")
        ask = f"{ZOO}&confirm=rename"
        to = admin.sent(ask, do="rename", name="Ark")
        assert to == ZOO.replace("Zoo", "Ark")
        assert aliases_of_named(zoo, "Ark")["production"] == 2
        admin.get(ZOO, 404)
        answer = admin.send(ask.replace("Zoo", "Ark"), do="rename", name="a/b")
        assert answer.status_code == 422
        assert 'value="a/b"' in answer.text

    def test_r180_deleting_wants_the_name_typed_when_it_holds_a_protected_one(
        self, zoo: App
    ) -> None:
        admin = zoo.by("admin")
        ask = f"{ZOO}&confirm=delete"
        page = words_of(admin.get(ask))
        assert "12 links" in page
        assert "type Zoo to confirm" in page
        assert admin.send(ask, do="delete", typed="zoo").status_code == 400
        assert admin.sent(ask, do="delete", typed="Zoo") == MODEL
        assert "Zoo is deleted" in admin.get(MODEL)
        admin.get(ZOO, 404)

    def test_r84_a_member_may_not(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        zoo.add("vic", Role.VIEWER)
        for name in ("max", "vic"):
            browser = zoo.by(name)
            ask = f"{ZOO}&confirm=delete"
            answer = browser.send(ask, do="delete", typed="Zoo")
            assert answer.status_code == 403
        assert "confirm=delete" not in zoo.by("vic").get(ZOO)
        assert aliases_of(zoo)["production"] == 2


def aliases_of_named(app: App, name: str) -> dict[str, int]:
    model = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
    return holders(app.world.admin, collection.get_in(app.world.admin, model, name).id)


class TestAutomations:
    """R40: a collection shows an automation marker with the number of executions."""

    def test_the_marker_and_where_it_leads(self, zoo: App) -> None:
        admin = zoo.world.admin
        browser = zoo.by("admin")
        model = registry.get_by_name(admin, ORGANIZATION, "Model")
        found = collection.find(admin, model.id, "Zoo")
        assert found is not None
        nothing = Action(ActionKind.NOTHING)
        automation.create(
            admin,
            NewAutomation("Try", ScopeKind.COLLECTION, found.id, EventType.LINK_ARTIFACT, nothing),
        )
        # One that has not run is no reason for a marker.
        assert "1 execution" not in words_of(browser.get(ZOO))
        for text in (b"one", b"two"):
            link_version(admin, log_version(admin, files={"other": text}))
        # An automation of the whole registry counts where what it ran for happened.
        automation.create(
            admin,
            NewAutomation("All", ScopeKind.PROJECT, model.id, EventType.LINK_ARTIFACT, nothing),
        )
        link_version(admin, log_version(admin, files={"other": b"three"}))
        link_version(admin, log_version(admin, "cat", files={"w": b"cat"}), "Other")
        while Dispatcher(lambda *_: "http://x/").run(admin):
            pass
        for path in (ZOO, ALIASES, MODEL):
            page = browser.get(path)
            there = link_to(page, "4 executions")
            assert there == f"{MODEL}/automations-history?collection=Zoo"
            assert words_of(page).count(" executions ") == 1
        assert link_to(browser.get(MODEL), "1 execution").endswith("?collection=Other")
        listed = words_of(browser.get(there))
        assert (listed.count("Try"), listed.count("All LINK")) == (3, 0), listed

    def test_making_one_from_the_menu(self, zoo: App) -> None:
        browser = zoo.by("admin")
        zoo.add("vic", Role.VIEWER)
        for path in (ZOO, MODEL):
            there = link_to(browser.get(path), "Create automation")
            assert there == f"{MODEL}/new-automation?collection=Zoo"
            assert "new-automation" not in zoo.by("vic").get(path)
        assert "<option selected>Zoo</option>" in browser.get(there)
