"""Logging in, staying logged in, and what a session protects from (A7 to A9, A4, L7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from byname.domain.session import ABSOLUTE, IDLE, fingerprint
from byname.operations import key, session, team, user
from byname.operations.context import Context
from byname.operations.password import Guesses
from tests.faces.web.conftest import ADDRESS, HTML, App, Browser, open_app, token_on, words_of
from tests.support.house import House
from tests.support.world import TEAM, World

PASSWORD = "correct horse battery"
UNFIT = "This name and password do not fit"


def log_in(app: App, username: str, password: str, following: str = "/") -> tuple[Browser, Any]:
    """A log-in with a password, in a browser of its own."""
    browser = app.stranger()
    fields = {
        "token": token_on(browser.get("/login")),
        "username": username,
        "password": password,
        "next": following,
    }
    return browser, browser.client.post("/login", data=fields, headers=HTML, follow_redirects=False)


@pytest.fixture
def bob(app: App) -> App:
    user.create_user(app.world.admin, username="bob", email="bob@example.org", password=PASSWORD)
    return app


class TestLogIn:
    """A7, A8, L7: who gets a session, and where it leads."""

    def test_name_or_address_and_password_open_a_session(self, bob: App) -> None:
        for name in ("bob", "BOB@example.org"):
            browser, answer = log_in(bob, name, PASSWORD)
            assert answer.status_code == 303
            assert answer.headers["location"] == "/"
            assert "bob" in words_of(browser.get("/"))

    def test_a8_the_cookie_and_what_is_kept_of_it(self, bob: App) -> None:
        _, answer = log_in(bob, "bob", PASSWORD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("byname_session=")
        for words in ("HttpOnly", "SameSite=Lax", "Path=/"):
            assert words in cookie
        assert "Secure" not in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        assert len(token) >= 43  # 256 bits in base64.
        dump = "\n".join(House(bob.world.nobody, {}).dump())
        assert token not in dump
        assert fingerprint(token) in dump

    def test_a8_over_https_the_cookie_is_the_hosts_own(self, world: World) -> None:
        app = open_app(world, "https://registry.example.org")
        answer = app.stranger().log_in_with(key.create_key(world.admin).secret)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-byname=")
        assert "; Secure" in cookie
        assert "Path=/;" in cookie
        assert "Domain" not in cookie

    def test_a7_the_same_answer_whoever_it_is(self, bob: App) -> None:
        team.create_service_account(bob.world.admin, team=TEAM, name="robot")
        for name, password in [("bob", "wrong"), ("admin", ""), ("robot", "x"), ("nobody", "x")]:
            _, answer = log_in(bob, name, password)
            assert answer.status_code == 401
            assert UNFIT in answer.text
            assert "www-authenticate" not in answer.headers
            assert "set-cookie" not in answer.headers

    def test_l7_guessing_is_held_up(self, bob: App) -> None:
        assert {log_in(bob, "bob", "wrong")[1].status_code for _ in range(10)} == {401}
        assert log_in(bob, "bob", PASSWORD)[1].status_code == 429

    def test_a_key_lets_in_who_has_no_password(self, app: App) -> None:
        browser = app.stranger()
        answer = browser.log_in_with(f" {key.create_key(app.world.admin).secret}\n")
        assert answer.status_code == 303
        assert "Set a password" in browser.get("/account")

    def test_wrong_keys_and_those_of_service_accounts_do_not(self, app: App) -> None:
        robot = team.create_service_account(app.world.admin, team=TEAM, name="robot")
        for wrong in ("", "x", "bn-" + "a" * 48, robot.api_key):
            answer = app.stranger().log_in_with(wrong)
            assert answer.status_code == 401
            assert "not valid" in answer.text

    @pytest.mark.parametrize(
        "target",
        ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:x",
         "/x\r\nSet-Cookie: a=b", "", "evil", "/\x00", "/" + "a" * 3000],
    )  # fmt: skip
    def test_it_leads_on_within_this_server_only(self, bob: App, target: str) -> None:
        _, answer = log_in(bob, "bob", PASSWORD, target)
        assert answer.headers["location"] == "/"

    def test_it_leads_back_to_the_page_that_was_wanted(self, bob: App) -> None:
        wanted = "/orgs/acme/registry/Model?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
        to = bob.stranger().goes(wanted)
        assert to.startswith("/login?next=")
        page = bob.stranger().get(to)
        assert 'name="next" value="/orgs/acme/registry/Model?selectionPath=acme%2F' in page
        _, answer = log_in(bob, "bob", PASSWORD, wanted)
        assert answer.headers["location"] == wanted


class TestSessionEnds:
    """A8, A4: what ends a session."""

    def test_a8_at_log_out_for_every_copy_of_the_cookie(self, app: App) -> None:
        browser, copy = app.by("admin"), app.stranger()
        copy.client.cookies = browser.client.cookies
        token = token_on(browser.get("/"))
        assert browser.get("/account")
        stolen = dict(copy.client.cookies)
        answer = browser.client.post(
            "/logout", data={"token": token}, headers=HTML, follow_redirects=False
        )
        assert answer.headers["location"] == "/login"
        assert "Max-Age=0" in answer.headers["set-cookie"]
        late = app.stranger()
        late.client.cookies.update(stolen)
        assert late.goes("/account").startswith("/login")

    def test_a8_the_token_is_another_after_every_log_in(self, app: App) -> None:
        browser = app.by("admin")
        first = browser.client.cookies["byname_session"]
        second = session.log_in_with_key(
            app.world.nobody, api_key=key.create_key(app.world.admin).secret, before=first
        )
        assert second != first
        assert session.find(app.world.nobody, first) is None
        assert session.find(app.world.nobody, second) is not None

    def test_a8_when_unused_and_when_old(self, world: World) -> None:
        token = session.log_in_with_key(world.nobody, api_key=key.create_key(world.admin).secret)
        start = world.nobody.now()

        def at(seconds: float) -> Context:
            return replace(world.nobody, now=lambda: start + int(seconds * 1e6))

        idle, whole = IDLE.total_seconds(), ABSOLUTE.total_seconds()
        assert session.find(at(idle - 60), token) is not None
        assert session.find(at(idle + 60), token) is None
        seconds = 0.0
        while seconds < whole - idle:
            seconds += idle / 2
            found = session.find(at(seconds), token)
            assert found is not None
            session.note_use(at(seconds), found.session)
        assert session.find(at(whole + 60), token) is None

    def test_a4_with_the_key_the_person_or_the_password(self, app: App) -> None:
        world = app.world
        world.add_person("carl")
        made = key.create_key(world.people["carl"])
        token = session.log_in_with_key(world.nobody, api_key=made.secret)
        key.delete_key(world.people["carl"], made.key.id)
        assert session.find(world.nobody, token) is None
        other = key.create_key(world.people["carl"]).secret
        tokens = [session.log_in_with_key(world.nobody, api_key=other) for _ in range(2)]
        visit = session.find(world.nobody, tokens[0])
        assert visit is not None
        session.set_password(
            world.people["carl"],
            Guesses(),
            current="",
            password=PASSWORD,
            address="",
            session=visit.session,
        )
        assert session.find(world.nobody, tokens[0]) is not None
        assert session.find(world.nobody, tokens[1]) is None
        user.delete_user(world.admin, "carl")
        assert session.find(world.nobody, tokens[0]) is None


class TestForms:
    """A9: unsafe methods need the same origin and a token of the session."""

    FORMS = (
        "/logout", "/account", "/orgs/acme/new-registry", "/orgs/acme/registry/Model",
        "/vision/training/artifacts/model/model", "/vision/training/artifacts/model/model/v0",
        "/vision", "/orgs/acme/members", "/orgs/acme/teams", "/orgs/acme/trash", "/server/people",
        "/server/people/admin", "/server/organizations", "/orgs/acme/registry/Model/access",
        "/orgs/acme/registry/Model/new-collection", "/orgs/acme/registry/Model/link",
        "/orgs/acme/registry/Model/settings", "/orgs/acme/registry/Model/new-automation",
        "/orgs/acme/registry/Model/automations/1", "/orgs/acme/registry/Model/automations/1/edit",
        "/orgs/acme/registry/Model/automations-history", "/orgs/acme/service-accounts",
    )  # fmt: skip

    def test_every_form_of_a_session_is_in_this_list(self, app: App) -> None:
        posts = {path for method, path in app.router.routes() if method == "POST"}
        assert len(posts - {"/login", "/authorize", "/setup", "/invitation"}) == len(self.FORMS)

    @pytest.mark.parametrize("path", FORMS)
    def test_without_them_nothing_happens(self, app: App, path: str) -> None:
        admin, other = app.by("admin"), app.by("admin")
        foreign = token_on(other.get("/account"))
        own = token_on(admin.get("/account"))
        login_token = token_on(app.stranger().get("/login"))
        before = House(app.world.nobody, {}).dump()
        wish = {"do": "make-key", "name": "x"}
        for fields, headers in [
            (wish, HTML),
            (wish | {"token": foreign}, HTML),
            (wish | {"token": login_token}, HTML),
            (wish | {"token": own}, HTML | {"sec-fetch-site": "cross-site"}),
            (wish | {"token": own}, {"accept": "text/html", "origin": "https://evil.example"}),
            (wish | {"token": own}, {"accept": "text/html", "origin": "null"}),
        ]:
            answer = admin.client.post(path, data=fields, headers=headers, follow_redirects=False)
            assert answer.status_code == 403, (path, fields, headers)
        assert House(app.world.nobody, {}).dump() == before

    def test_another_content_type_is_refused(self, app: App) -> None:
        answer = app.by("admin").client.post("/account", json={"do": "make-key"}, headers=HTML)
        assert answer.status_code == 400

    def test_a_stranger_is_asked_to_log_in(self, app: App) -> None:
        for path in self.FORMS:
            answer = app.stranger().client.post(path, data={}, headers=HTML, follow_redirects=False)
            assert answer.status_code == 303
            wanted = "" if path == "/logout" else path[1:].replace("/", "%2F")
            lost = "" if path == "/logout" else "&lost=form"
            assert answer.headers["location"] == f"/login?next=%2F{wanted}{lost}"
            told = "what you sent just now was not saved"
            assert (told in app.stranger().get(answer.headers["location"])) is bool(lost)


class TestAccount:
    """R193, A7: one's own keys and password."""

    def test_r193_keys_are_shown_once_listed_and_deleted(self, app: App) -> None:
        browser = app.by("admin")
        made = browser.send("/account", do="make-key", name="laptop")
        assert made.status_code == 200
        assert made.headers["cache-control"] == "no-store"
        secret = made.text.split('class="secret"><code>')[1].split("<")[0]
        page = browser.get("/account")
        assert "laptop" in page
        assert secret not in page
        newest = key.list_keys(app.world.admin)[-1]
        assert f"/account?delete={newest.id}" in page
        assert "Scripts that use it stop working" in browser.get(f"/account?delete={newest.id}")
        assert browser.sent("/account", do="delete-key", key=str(newest.id)) == "/account"
        assert newest.id not in [each.id for each in key.list_keys(app.world.admin)]

    def test_nobody_deletes_the_key_of_another(self, app: App) -> None:
        app.world.add_person("dora")
        foreign = key.list_keys(app.world.admin)[0].id
        for number in (str(foreign), "0", "-1", "x", "9" * 30, ""):
            answer = app.by("dora").send("/account", do="delete-key", key=number)
            assert answer.status_code == 404
        assert foreign in [each.id for each in key.list_keys(app.world.admin)]

    def test_a7_a_password_is_set_and_then_changed(self, app: App) -> None:
        browser = app.by("admin")
        for password, again, status in [("short", "short", 422), (PASSWORD, "other", 400)]:
            answer = browser.send("/account", do="set-password", password=password, again=again)
            assert answer.status_code == status
        browser.sent("/account", do="set-password", password=PASSWORD, again=PASSWORD)
        assert log_in(app, "admin", PASSWORD)[1].status_code == 303
        new = PASSWORD[::-1]
        refused = browser.send("/account", do="set-password", password=new, again=new, current="x")
        assert refused.status_code == 403
        browser.sent("/account", do="set-password", password=new, again=new, current=PASSWORD)
        assert log_in(app, "admin", PASSWORD)[1].status_code == 401
        assert log_in(app, "admin", new)[1].status_code == 303


def test_pages_stay_out_of_the_way_of_programs(app: App) -> None:
    """Protocol 2: a program that asks for what is not there gets JSON, as before."""
    client = app.by("admin").client
    for path in ("/vision/training", "/orgs/acme/registry/Model", "/content/nothing", "/sdk/x"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "no_route"
    assert client.get(f"{ADDRESS}/content/nothing", headers=HTML).status_code == 404
