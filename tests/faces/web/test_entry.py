"""Coming in: invitations, keys for `wandb login`, and one's own sessions (A7 to A9, R193)."""

from __future__ import annotations

import re

from byname.operations import invitation, key, session
from byname.operations.invitation import NewPerson
from tests.faces.web.conftest import HTML, App, Browser, token_on, words_of
from tests.support.house import House

PASSWORD = "correct horse battery"
SECRET = re.compile(r"\bbn-[A-Za-z0-9]{40}\b")


def invite(app: App) -> str:
    made = invitation.invite(app.world.admin, NewPerson("bob", "bob@example.org", "Bob B."))
    return made.token


def accept(browser: Browser, token: str, password: str = PASSWORD, **more: str) -> object:
    fields = {"token": token, "password": password, "again": password, **more}
    return browser.client.post("/invitation", data=fields, headers=HTML, follow_redirects=False)


class TestInvitationPage:
    """R192, A7: who was invited chooses a password at a link that works once."""

    def test_it_names_the_person_and_lets_them_in(self, app: App) -> None:
        token, browser = invite(app), app.stranger()
        page = browser.get(f"/invitation?token={token}")
        assert "Bob B." in page
        answer = accept(browser, token_on(page))
        assert answer.status_code == 303  # type: ignore[attr-defined]
        assert "bob" in words_of(browser.get("/account"))
        assert "opens nothing" in app.stranger().get(f"/invitation?token={token}", 401)
        assert accept(app.stranger(), token).status_code == 401  # type: ignore[attr-defined]

    def test_looking_at_it_uses_nothing_up(self, app: App) -> None:
        token = invite(app)
        before = House(app.world.nobody, {}).dump()
        for _ in range(3):
            app.stranger().get(f"/invitation?token={token}")
        assert House(app.world.nobody, {}).dump() == before

    def test_what_is_wrong_is_said_and_the_link_stays(self, app: App) -> None:
        token = invite(app)
        short = accept(app.stranger(), token, "short")
        assert short.status_code == 422  # type: ignore[attr-defined]
        assert "12 to 1024" in short.text  # type: ignore[attr-defined]
        differs = accept(app.stranger(), token, again="something else")
        assert differs.status_code == 400  # type: ignore[attr-defined]
        app.stranger().get(f"/invitation?token={token}")

    def test_a9_another_sites_form_is_refused(self, app: App) -> None:
        token = invite(app)
        answer = app.stranger().client.post(
            "/invitation",
            data={"token": token, "password": PASSWORD, "again": PASSWORD},
            headers={**HTML, "sec-fetch-site": "cross-site"},
        )
        assert answer.status_code == 403
        app.stranger().get(f"/invitation?token={token}")

    def test_a8_the_session_that_was_there_is_over(self, app: App) -> None:
        browser = app.by("admin")
        [before] = session.list_own(app.world.admin)
        accept(browser, invite(app))
        assert before.id not in [each.id for each in session.list_own(app.world.admin)]
        assert "bob" in words_of(browser.get("/account"))


class TestAuthorizeWithASession:
    """Protocol 2: who is logged in needs a click for a key, and no password."""

    def test_a_click_makes_a_key(self, app: App) -> None:
        browser = app.by("admin")
        page = browser.get("/authorize")
        assert 'type="password"' not in page
        fields = {"session": re.findall(r'name="session" value="([^"]+)"', page)[0]}
        answer = browser.client.post("/authorize", data=fields, headers=HTML)
        assert answer.status_code == 200
        [secret] = set(SECRET.findall(answer.text))
        assert session.log_in_with_key(app.world.nobody, api_key=secret)

    def test_a9_it_takes_the_forms_of_this_very_session_only(self, app: App) -> None:
        browser = app.by("admin")
        foreign = re.findall(r'name="session" value="([^"]+)"', app.by("admin").get("/authorize"))[
            0
        ]
        before = len(key.list_keys(app.world.admin))
        for token in ("", "x", foreign, token_on(app.stranger().get("/authorize"))):
            answer = browser.client.post("/authorize", data={"session": token}, headers=HTML)
            assert answer.status_code == 403
        strange = app.stranger().client.post("/authorize", data={"session": foreign}, headers=HTML)
        assert strange.status_code == 403
        assert len(key.list_keys(app.world.admin)) == before

    def test_reading_it_makes_nothing(self, app: App) -> None:
        browser = app.by("admin")
        before = House(app.world.nobody, {}).dump()
        browser.get("/authorize")
        assert House(app.world.nobody, {}).dump() == before


class TestAccountPage:
    """R193, A8: keys are renamed; one sees where one is logged in, and ends it."""

    def test_a_key_is_renamed(self, app: App) -> None:
        made = key.create_key(app.world.admin, name="old name")
        browser = app.by("admin")
        assert 'value="old name"' in browser.get(f"/account?rename={made.key.id}")
        browser.sent("/account", do="rename-key", key=str(made.key.id), name="new name")
        page = browser.get("/account")
        assert "new name" in page
        assert "old name" not in page
        refused = browser.send("/account", do="rename-key", key=str(made.key.id), name="x" * 200)
        assert refused.status_code == 422
        assert "at most 128" in refused.text

    def test_sessions_are_listed_and_ended(self, app: App) -> None:
        here, there = app.by("admin"), app.by("admin")
        page = here.get("/account")
        assert "This browser" in page
        ids = re.findall(r'name="session" value="(\d+)"', page)
        assert len(ids) == 1, "One's own session is ended by logging out."
        here.sent("/account", do="end-session", session=ids[0])
        assert there.goes("/account").startswith("/login")
        here.get("/account")

    def test_all_others_end_at_once(self, app: App) -> None:
        here, others = app.by("admin"), [app.by("admin") for _ in range(3)]
        here.sent("/account", do="end-others")
        for other in others:
            assert other.goes("/account").startswith("/login")
        here.get("/account")

    def test_those_of_others_are_not_there(self, app: App) -> None:
        app.world.add_person("dora")
        admin, dora = app.by("admin"), app.by("dora")
        [foreign] = session.list_own(app.world.admin)
        for number in (str(foreign.id), "0", "-1", "x", "9" * 30, "\u0661"):
            answer = dora.send("/account", do="end-session", session=number)
            assert answer.status_code == 404
        admin.get("/account")

    def test_one_is_shown_by_the_name_one_chose(self, app: App) -> None:
        browser = app.by("admin")
        browser.sent("/account", do="rename-self", full_name="Ada L.")
        assert "Ada L." in browser.get("/account")
        assert browser.send("/account", do="rename-self", full_name="x" * 200).status_code == 422
