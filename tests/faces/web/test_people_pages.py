"""Administration: people, teams, organizations, trash, audit log, the server (R188 to R195, R164)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from byname.domain.history import Cursor, Entry, Filter, Sort
from byname.domain.policy import GroupRole
from byname.domain.reading import Readings
from byname.domain.refusal import Refusals
from byname.http.links import Signer
from byname.http.router import Router
from byname.operations import (
    collection,
    history,
    key,
    organization,
    project,
    reading,
    refusal,
    registry,
    service_account,
    session,
    team,
    user,
)
from byname.operations.health import About, Jobs
from byname.store.moment import moment
from byname.store.schema import SCHEMA_VERSION
from byname.web.pages import add_pages
from tests.faces.web.conftest import ADDRESS, App, words_of
from tests.support.house import House
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

MEMBERS = f"/orgs/{ORGANIZATION}/members"
SECRET = re.compile(r"\bbn-[A-Za-z0-9]{40}\b")
PASSWORD = "correct horse battery"


def roles(app: App) -> dict[str, str]:
    listed = organization.list_members(app.world.admin, ORGANIZATION)
    return {each.user.username: each.role.value for each in listed}


class TestMembersOfAnOrganization:
    """R192, R195: admins change who is in it; one admin remains."""

    def test_r194_somebody_is_deactivated_and_comes_back(self, app: App) -> None:
        app.world.add_person("bob", in_organization="viewer", in_team="member")
        browser = app.by("admin")
        assert "Deactivated" not in browser.get(MEMBERS)
        browser.sent(MEMBERS, f"{MEMBERS}?remove=bob", do="deactivate", username="bob")
        assert "bob" not in roles(app)
        page = words_of(browser.get(MEMBERS))
        assert "Deactivated" in page
        assert "come back with the same roles" in page
        app.world.add_person("carol", in_organization="member")
        assert "Deactivated" not in app.by("carol").get(MEMBERS)
        browser.sent(MEMBERS, do="activate", username="bob")
        assert roles(app)["bob"] == "viewer"
        assert app.world.reload("bob").who.teams
        refused = browser.send(
            MEMBERS, f"{MEMBERS}?remove=admin", do="deactivate", username="admin"
        )
        assert refused.status_code == 409
        assert "last admin" in refused.text

    def test_somebody_joins_changes_role_and_leaves(self, app: App) -> None:
        app.world.add_person("bob")
        browser = app.by("admin")
        browser.sent(MEMBERS, do="add", who="BOB@example.org", role="viewer")
        assert roles(app)["bob"] == "viewer"
        browser.sent(MEMBERS, do="set-role", username="bob", role="member")
        assert roles(app)["bob"] == "member"
        assert "Remove bob from acme?" in browser.get(f"{MEMBERS}?remove=bob")
        browser.sent(MEMBERS, do="remove", username="bob")
        assert "bob" not in roles(app)

    def test_the_last_admin_stays(self, app: App) -> None:
        browser = app.by("admin")
        for fields in ({"do": "set-role", "role": "member"}, {"do": "remove"}):
            answer = browser.send(MEMBERS, username="admin", **fields)
            assert answer.status_code == 409
            assert "last admin" in answer.text
        assert roles(app)["admin"] == "admin"

    def test_who_is_no_admin_sees_it_with_the_reason_and_is_refused(self, app: App) -> None:
        app.world.add_person("eve", in_organization="member")
        browser = app.by("eve")
        page = words_of(browser.get(MEMBERS))
        assert "you need the role admin in acme; yours is member" in page
        before = House(app.world.nobody, {}).dump()
        for fields in (
            {"do": "add", "who": "eve", "role": "admin"},
            {"do": "set-role", "username": "admin", "role": "viewer"},
            {"do": "remove", "username": "admin"},
        ):
            assert browser.send(MEMBERS, **fields).status_code == 403
        assert House(app.world.nobody, {}).dump() == before

    def test_r10_an_organization_of_others_is_not_there(self, app: App) -> None:
        app.world.add_person("eve")
        browser = app.by("eve")
        for tab in ("", "/members", "/teams", "/storage", "/trash", "/audit", "/audit.csv"):
            hidden = browser.get(f"/orgs/{ORGANIZATION}{tab}", 404)
            absent = browser.get(f"/orgs/nothing{tab}", 404)
            assert "does not exist or you have no access" in hidden
            assert words_of(hidden).replace(ORGANIZATION, "X") == words_of(absent).replace(
                "nothing", "X"
            )

    def test_it_is_paged_and_searched(self, app: App) -> None:
        for number in range(60):
            app.world.add_person(f"p{number:02}", in_organization="member")
        browser = app.by("admin")
        first = browser.get(MEMBERS)
        following = re.findall(r'href="([^"]+)" rel="next"', first)[0].replace("&amp;", "&")
        second = browser.get(following)
        names = set(re.findall(r"<b>(p\d\d)</b>", first + second))
        assert len(names) == 60
        assert set(re.findall(r"<b>(p\d\d)</b>", browser.get(f"{MEMBERS}?q=P07"))) == {"p07"}

    @pytest.mark.parametrize("role", ["", "owner", "ADMIN", "<b>"])
    def test_a_wrong_role_is_refused_with_the_right_ones(self, app: App, role: str) -> None:
        answer = app.by("admin").send(MEMBERS, do="add", who="admin", role=role)
        assert answer.status_code == 422
        assert "roles are admin, member, viewer" in answer.text


class TestTeams:
    """R192: teams of an organization, their members and service accounts."""

    def test_a_team_is_made_and_shows_its_people(self, app: App) -> None:
        browser = app.by("admin")
        to = browser.sent(f"/orgs/{ORGANIZATION}/teams", do="create", name="audio", admins="")
        assert to == "/audio?tab=members"
        assert "<b>admin</b>" in browser.get(to)
        assert "audio" in browser.get(f"/orgs/{ORGANIZATION}/teams")
        again = browser.send(f"/orgs/{ORGANIZATION}/teams", do="create", name="audio")
        assert again.status_code == 409
        assert "is taken" in again.text

    def test_members_of_a_team_join_change_and_leave(self, app: App) -> None:
        app.world.add_person("bob", in_organization="member")
        browser, page = app.by("admin"), f"/{TEAM}?tab=members"
        for wish, role in (("add", "viewer"), ("set-role", "admin")):
            browser.sent(f"/{TEAM}", page, do=wish, who="bob", username="bob", role=role)
            found = {m.user.username: m.role for m in team.list_members(app.world.admin, TEAM)}
            assert found["bob"] is GroupRole(role)
        browser.sent(f"/{TEAM}", f"{page}&remove=bob", do="remove", username="bob")
        found = {m.user.username: m.role for m in team.list_members(app.world.admin, TEAM)}
        assert "bob" not in found

    def test_a_service_account_has_keys_that_are_shown_once(self, app: App) -> None:
        browser, page = app.by("admin"), f"/{TEAM}?tab=service-accounts"
        made = browser.send(f"/{TEAM}", page, do="make-account", name="robot")
        [first] = set(SECRET.findall(made.text))
        assert first not in browser.get(page)
        more = browser.send(f"/{TEAM}", page, do="make-account-key", username="robot", name="gpu")
        [second] = set(SECRET.findall(more.text))
        keys = key.list_keys(app.world.admin, username="robot")
        assert [each.name for each in keys] == ["First key", "gpu"]
        assert "gpu" in browser.get(f"{page}&account=robot")
        browser.sent(
            f"/{TEAM}", page, do="delete-account-key", username="robot", key=str(keys[0].id)
        )
        with app.world.nobody.database.read():
            left = key.list_keys(app.world.admin, username="robot")
        assert [each.name for each in left] == ["gpu"]
        assert second != first
        browser.sent(f"/{TEAM}", page, do="delete-account", username="robot")
        assert "<b>robot</b>" not in browser.get(page)

    def test_a_member_may_look_but_not_change(self, app: App) -> None:
        app.world.add_person("eve", in_organization="member", in_team="member")
        team.create_service_account(app.world.admin, team=TEAM, name="robot")
        browser, page = app.by("eve"), f"/{TEAM}?tab=members"
        assert "you need the role admin" in words_of(browser.get(page))
        assert "robot" in browser.get(f"/{TEAM}?tab=service-accounts&account=robot")
        before = House(app.world.nobody, {}).dump()
        for fields in (
            {"do": "add", "who": "eve", "role": "admin"},
            {"do": "remove", "username": "admin"},
            {"do": "make-account", "name": "mine"},
            {"do": "make-account-key", "username": "robot"},
            {"do": "delete-account", "username": "robot"},
        ):
            assert browser.send(f"/{TEAM}", page, **fields).status_code in (403, 404), fields
        assert House(app.world.nobody, {}).dump() == before

    def test_r10_a_team_of_others_is_not_there(self, app: App) -> None:
        app.world.add_person("eve")
        for path in (f"/{TEAM}", f"/{TEAM}?tab=members", "/nothing", "/admin", "/robots.txt"):
            assert "does not exist or you have no access" in app.by("eve").get(path, 404)

    def test_ones_own_place_and_teams_are_on_a_page(self, app: App) -> None:
        log_version(app.world.admin, "model")
        page = app.by("admin").get("/projects")
        assert f'href="/{TEAM}/training"' in page
        assert 'href="/admin"' in page
        assert f'href="/{TEAM}/training"' in app.by("admin").get(f"/{TEAM}")
        app.by("admin").get("/admin")


class TestServiceAccountsOfAnOrganization:
    """R192: its own and those of its teams are listed; made, given keys and deleted by admins."""

    PAGE = f"/orgs/{ORGANIZATION}/service-accounts"

    def test_made_with_a_key_that_is_shown_once_and_deleted(self, app: App) -> None:
        browser = app.by("admin")
        assert "No service account yet" in browser.get(self.PAGE)
        assert "the two lines that a machine needs" in browser.get(self.PAGE)
        made = browser.send(self.PAGE, do="make-account", name="gateway")
        [first] = set(SECRET.findall(made.text))
        assert f"export WANDB_API_KEY={first}" in words_of(made.text)
        assert first not in browser.get(self.PAGE)
        again = browser.send(self.PAGE, do="make-account", name="gateway")
        assert again.status_code == 409
        assert 'value="gateway"' in again.text
        more = browser.send(self.PAGE, do="make-account-key", username="gateway", name="gpu")
        [second] = set(SECRET.findall(more.text))
        assert second != first
        of_one = browser.get(f"{self.PAGE}?account=GATEWAY")
        assert "API keys of gateway" in of_one
        assert "gpu" in of_one
        keys = key.list_keys(app.world.admin, username="gateway")
        asked = f"{self.PAGE}?account=gateway&key={keys[0].id}"
        assert "stop working at once" in words_of(browser.get(asked))
        to = browser.sent(
            self.PAGE, asked, do="delete-account-key", username="gateway", key=str(keys[0].id)
        )
        assert to == f"{self.PAGE}?account=gateway"
        assert [each.name for each in key.list_keys(app.world.admin, username="gateway")] == ["gpu"]
        assert "Delete gateway?" in browser.get(f"{self.PAGE}?remove=gateway")
        assert browser.sent(self.PAGE, do="delete-account", username="gateway") == self.PAGE
        assert "<b>gateway</b>" not in browser.get(self.PAGE)
        gone = browser.send(self.PAGE, do="delete-account", username="gateway")
        assert gone.status_code == 404
        assert browser.send(self.PAGE, do="odd").status_code == 400

    def test_those_of_teams_stand_there_with_their_team(self, app: App) -> None:
        team.create_service_account(app.world.admin, team=TEAM, name="robot")
        service_account.create(app.world.admin, organization=ORGANIZATION, name="gateway")
        page = words_of(app.by("admin").get(self.PAGE))
        assert re.search(r"gateway service account the organization", page)
        assert re.search(rf"robot service account team {TEAM}", page)
        there = words_of(app.by("admin").get(f"/{TEAM}?tab=service-accounts"))
        assert "robot service account" in there
        assert "gateway service account" not in there

    def test_the_keys_of_one_on_a_later_page_are_reached(self, app: App) -> None:
        for number in range(55):
            service_account.create(
                app.world.admin, organization=ORGANIZATION, name=f"bot{number:02}"
            )
        browser = app.by("admin")
        first = browser.get(self.PAGE)
        assert "<b>bot54</b>" not in first
        following = re.findall(r'href="([^"]+)" rel="next"', first)[0].replace("&amp;", "&")
        link = re.findall(r'href="([^"]+account=bot54)"', browser.get(following))[0]
        assert "API keys of bot54" in browser.get(link)

    def test_others_look_and_are_refused(self, app: App) -> None:
        service_account.create(app.world.admin, organization=ORGANIZATION, name="gateway")
        app.world.add_person("eve", in_organization="member", in_team="admin")
        browser = app.by("eve")
        shown = words_of(browser.get(f"{self.PAGE}?account=gateway"))
        assert "gateway service account" in shown
        assert "you need the role admin in acme; yours is member" in shown
        assert "API keys of gateway" not in shown
        assert "you need the role admin" in words_of(browser.get(f"{self.PAGE}?remove=gateway"))
        before = House(app.world.nobody, {}).dump()
        for fields in (
            {"do": "make-account", "name": "mine"},
            {"do": "make-account-key", "username": "gateway"},
            {"do": "delete-account", "username": "gateway"},
        ):
            assert browser.send(self.PAGE, **fields).status_code in (403, 404), fields
        assert House(app.world.nobody, {}).dump() == before

    def test_r10_of_an_organization_of_others_there_is_none(self, app: App) -> None:
        app.world.add_person("sue")
        app.by("sue").get(self.PAGE, 404)
        assert app.by("sue").send(self.PAGE, "/account", do="make-account").status_code == 404


class TestTrashPages:
    """R164: what was deleted is restored by a click, by who might have deleted it."""

    def test_a_collection_comes_back(self, app: App) -> None:
        place, _ = link_version(app.world.admin, log_version(app.world.admin), "Zoo", ("best",))
        collection.delete(app.world.admin, place.id, is_sequence=False)
        page, browser = f"/orgs/{ORGANIZATION}/trash", app.by("admin")
        shown = browser.get(page)
        number = re.findall(r'name="deletion" value="(\d+)"', shown)[0]
        assert "Restore acme/wandb-registry-Model/Zoo" in shown
        assert browser.sent(page, do="restore", deletion=number) == page
        assert "Zoo" in browser.get(f"/orgs/{ORGANIZATION}/registry/Model")
        assert "Nothing in the trash" in browser.get(page)
        assert browser.send(page, do="restore", deletion=number).status_code == 404

    def test_a_viewer_sees_it_and_is_refused(self, app: App) -> None:
        place, _ = link_version(app.world.admin, log_version(app.world.admin), "Zoo")
        collection.delete(app.world.admin, place.id, is_sequence=False)
        app.world.add_person("eve", in_organization="viewer")
        page, browser = f"/orgs/{ORGANIZATION}/trash", app.by("eve")
        number = re.findall(r'name="deletion" value="(\d+)"', browser.get(page))[0]
        answer = browser.send(page, do="restore", deletion=number)
        assert answer.status_code == 403
        assert "role member" in words_of(answer.text)


class TestAuditLog:
    """R190, R191: for admins, filtered, in pages, and as a file that spreadsheets open safely."""

    PAGE = f"/orgs/{ORGANIZATION}/audit"

    def test_it_is_newest_first_filtered_and_paged(self, app: App) -> None:
        for number in range(60):
            app.world.add_person(f"p{number:02}", in_organization="member")
        browser = app.by("admin")
        first = browser.get(f"{self.PAGE}?kind=organization")
        assert first.index("p59") < first.index("p58")
        following = re.findall(r'href="([^"]+)" rel="next"', first)[0].replace("&amp;", "&")
        assert "kind=organization" in following
        assert "p00" in browser.get(following)
        assert "Nothing found" in browser.get(f"{self.PAGE}?actor=nobody")
        assert "Nothing found" in browser.get(f"{self.PAGE}?since=2001-01-01&until=2001-01-02")
        assert "must be a day" in browser.get(f"{self.PAGE}?since=yesterday", 422)

    def refuse(self, app: App, number: int = 0, times: int = 1) -> None:
        """Mallory, who is in no organization, was refused so often."""
        home = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
        mallory = app.world.people.get("mallory") or app.world.add_person("mallory")
        origin = replace(mallory.origin, address="192.0.2.7")
        ctx = replace(mallory, refusals=Refusals(), origin=origin)
        ctx.attempt.reach(home.organization_id, home.id)
        for _ in range(times):
            refusal.note(
                ctx, kind=f"alias:add{number}", call="addAliases", status=403, code="too_low"
            )
        refusal.save(ctx)

    def test_r190_refusals_are_told_with_status_code_and_how_often(self, app: App) -> None:
        self.refuse(app, 1, 3)
        browser = app.by("admin")
        page = words_of(browser.get(self.PAGE))
        assert "mallory sdk 192.0.2.7 alias add1 403 too low, 3 times addAliases" in page
        assert "user create done admin" in words_of(browser.get(self.PAGE + "?status=changed"))
        for status, there in (("", True), ("changed", False), ("read", False), ("refused", True)):
            asked = browser.get(f"{self.PAGE}?status={status}")
            assert ("mallory" in asked) is there, status
            assert ("user log in" in words_of(asked)) is (status in ("", "changed")), status
        assert "Status is one of" in browser.get(self.PAGE + "?status=odd", 422)
        answer = browser.client.get(
            f"{self.PAGE}.csv?status=refused", headers={"accept": "text/html"}
        )
        (line,) = csv.DictReader(io.StringIO(answer.text))
        told = ("actor", "status", "code", "count", "request", "address")
        assert [line[each] for each in told] == [
            "mallory", "403", "too_low", "3", "addAliases", "192.0.2.7",
        ]  # fmt: skip
        done = browser.client.get(f"{self.PAGE}.csv?kind=key", headers={"accept": "text/html"})
        assert {each["status"] for each in csv.DictReader(io.StringIO(done.text))} == {"200"}

    def test_pages_of_changes_reads_and_refusals_are_the_whole(self, app: App) -> None:
        """Newest first and oldest first are the same list, wherever a page ends."""
        admin = app.world.admin
        version = log_version(admin)
        for number in range(4):
            link_version(admin, version, f"Zoo {number}")
            reader = replace(admin, readings=Readings())
            reading.note(reader, project.get(admin, version.project_id), version)
            reading.save(reader)
            self.refuse(app, number)
            self.refuse(app, number + 10)
        oldest = history.audit(admin, ORGANIZATION, limit=1_000).entries
        for limit in (1, 2, 3, 7):
            seen: list[Entry] = []
            below: Cursor | None = None
            while not seen or below is not None:
                page = history.audit_newest(admin, ORGANIZATION, below=below, limit=limit)
                seen += page.entries
                below = page.next
            assert seen == oldest[::-1], limit
        assert len([each for each in oldest if each.refused]) == 8
        assert len([each for each in oldest if each.kind == "artifact:read"]) == 4
        for sort in Sort:
            some = history.audit_newest(admin, ORGANIZATION, wanted=Filter(sort=sort)).entries
            assert some, sort
            for each in some:
                assert (each.refused is not None) is (sort is Sort.REFUSED)
                assert (each.kind == "artifact:read") is (sort is Sort.READ)

    def test_others_are_told_the_role(self, app: App) -> None:
        app.world.add_person("eve", in_organization="member")
        browser = app.by("eve")
        for page in (self.PAGE, f"/orgs/{ORGANIZATION}/storage"):
            assert "you need the role admin" in words_of(browser.get(page))
        browser.get(f"{self.PAGE}.csv", 403)

    def test_a15_the_file_is_kept_and_holds_no_formula(self, app: App) -> None:
        key.create_key(app.world.admin, name="=HYPERLINK(1)")
        answer = app.by("admin").client.get(f"{self.PAGE}.csv", headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert "'=HYPERLINK(1)" in answer.text
        assert not re.search(r"(^|,)=", answer.text, re.MULTILINE)


class TestStorage:
    """Issue 4, point 6: storage used, by team and registry, as the rows say."""

    def test_it_counts_equal_content_once_and_links_where_they_are(self, app: App) -> None:
        first = log_version(app.world.admin, "one", {"a": b"x" * 5_000})
        log_version(app.world.admin, "two", {"b": b"x" * 5_000})
        link_version(app.world.admin, first, "Zoo")
        page = words_of(app.by("admin").get(f"/orgs/{ORGANIZATION}/storage"))
        kept = float(re.findall(r"vision ([\d.]+) kB", page)[0])
        assert 5.0 <= kept < 7.0, "Two manifests, and the content once."
        assert "Model 1 5.0 kB" in page
        assert "Dataset 0 0 B" in page


class TestServerPages:
    """R192, R195: people are invited, made administrators and deleted; organizations are made."""

    def test_an_invitation_is_shown_once_and_opens_the_door(self, app: App) -> None:
        browser = app.by("admin")
        fields = {"username": "bob", "email": "bob@example.org", "organization": ORGANIZATION}
        made = browser.send("/server/people", do="invite", role="viewer", team=TEAM, **fields)
        [link] = set(re.findall(rf"{ADDRESS}(/invitation\?token=[\w-]+)", made.text))
        assert link not in browser.get("/server/people")
        assert "invited" in browser.get("/server/people")
        assert "bob@example.org" in app.stranger().get(link)
        assert roles(app)["bob"] == "viewer"
        again = browser.send("/server/people", do="invite", **fields)
        assert again.status_code == 409
        assert 'value="bob@example.org"' in again.text

    def test_a_person_is_looked_at_and_changed(self, app: App) -> None:
        app.world.add_person("bob", in_organization="member", in_team="admin")
        browser, page = app.by("admin"), "/server/people/bob"
        shown = words_of(browser.get(page))
        for words in ("acme organization member", "vision team admin", "First key"):
            assert words in shown
        assert "/invitation?token=" in browser.send(page, do="invite").text
        assert "invitation is open" in words_of(browser.get(page))
        browser.sent(page, do="withdraw")
        assert "invitation is open" not in words_of(browser.get(page))
        browser.sent(page, do="make-admin")
        assert user.get_user(app.world.admin, "bob").server_admin
        browser.sent(page, do="take-admin")
        assert not user.get_user(app.world.admin, "bob").server_admin
        number = key.list_keys(app.world.admin, username="bob")[0].id
        assert "Delete the key" in words_of(browser.get(f"{page}?key={number}"))
        assert "Delete the key" not in words_of(browser.get(f"{page}?key=999"))
        browser.sent(page, do="delete-key", key=str(number))
        assert key.list_keys(app.world.admin, username="bob") == []

    def test_deleting_needs_the_name_typed(self, app: App) -> None:
        app.world.add_person("bob")
        browser, page = app.by("admin"), "/server/people/bob"
        assert browser.send(page, f"{page}?delete=yes", do="delete", typed="bo").status_code == 400
        browser.get(page)
        browser.sent(page, f"{page}?delete=yes", do="delete", typed="bob")
        browser.get(page, 404)

    def test_r195_the_last_administrator_remains(self, app: App) -> None:
        answer = app.by("admin").send("/server/people/admin", do="take-admin")
        assert answer.status_code == 409
        assert "one must remain" in answer.text

    def test_an_organization_is_made(self, app: App) -> None:
        app.world.add_person("bob")
        browser = app.by("admin")
        to = browser.sent("/server/organizations", do="create", name="beta", owner="bob")
        assert to == "/orgs/beta/members"
        assert "beta" in browser.get("/server/organizations")
        assert "<b>bob</b>" in browser.get(to)

    def test_others_are_told_the_role_and_nothing_else(self, app: App) -> None:
        app.world.add_person("eve", in_organization="admin", in_team="admin")
        browser = app.by("eve")
        before = House(app.world.nobody, {}).dump()
        pages = ("/server", "/server/people", "/server/people/admin", "/server/organizations")
        for page in pages:
            assert "it needs the role server_admin" in words_of(browser.get(page, 403))
        for page, fields in (
            ("/server/people", {"do": "invite", "username": "x", "email": "x@x.org"}),
            ("/server/people/admin", {"do": "invite"}),
            ("/server/people/eve", {"do": "make-admin"}),
            ("/server/organizations", {"do": "create", "name": "mine"}),
        ):
            assert browser.send(page, "/account", **fields).status_code == 403
        assert House(app.world.nobody, {}).dump() == before


class TestHealth:
    """Issue 4, point 6: how the server is, and the settings in force, without secrets."""

    def test_jobs_and_settings_are_shown(self, app: App) -> None:
        jobs = Jobs()
        jobs.add("Collect garbage", 3600)
        jobs.add("Fold in the log", 30)
        jobs.note("Fold in the log", at=1_700_000_000_000_000, took_seconds=0.25, failure="OSError")
        router = Router()
        about = About("1.2.3", moment(1_600_000_000_000_000), [], jobs)
        add_pages(router, app.world.nobody, Signer(b"x" * 32), ADDRESS, about=about)
        app.router = router
        page = words_of(app.by("admin").get("/server"))
        for words in ("Byname 1.2.3", f"schema {SCHEMA_VERSION}",
                      "Collect garbage 1 h not since the start",
                      "failed: OSError", "The job “Fold in the log” failed"):  # fmt: skip
            assert words in page

    def test_sessions_end_with_the_right(self, app: App) -> None:
        """A4: who is no administrator any more is refused at the next request."""
        app.world.add_person("bob")
        user.set_server_admin(app.world.admin, "bob", admin=True)
        browser = app.by("bob")
        browser.get("/server")
        user.set_server_admin(app.world.admin, "bob", admin=False)
        browser.get("/server", 403)
        assert session.list_own(app.world.reload("bob"))
