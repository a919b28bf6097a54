"""R195: logging in with a provider; whatever it says wrong is not believed (OIDC Core 3.1.3.7)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from byname.automations.fetch import Fetcher
from byname.domain.identity import Identity, suggest_username
from byname.domain.policy import GroupRole
from byname.domain.target import Targets, parse_ports
from byname.http import identity as protocol
from byname.http.links import Signer
from byname.http.router import Router
from byname.operations import history, session, team, user
from byname.operations.identity import Provisioning
from byname.web.oidc import OidcLogin
from byname.web.pages import add_pages
from tests.faces.web.conftest import ADDRESS, HTML, App, Browser, words_of
from tests.support.house import House
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider, providing
from tests.support.world import ORGANIZATION, TEAM, World


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@dataclass(slots=True)
class Site:
    """Pages with a provider to log in with."""

    app: App
    provider: Provider

    def browser(self) -> Browser:
        return self.app.stranger()

    def go(self, browser: Browser, following: str = "/account") -> dict[str, str]:
        """What the browser carries to the provider."""
        to = urlsplit(browser.goes(f"/login/oidc?next={following}"))
        assert f"{to.scheme}://{to.netloc}" == self.provider.address
        return {name: values[0] for name, values in parse_qs(to.query).items()}

    def come_back(self, browser: Browser, query: dict[str, str]) -> Any:
        """The answer when the person has agreed at the provider."""
        return self.arrive(browser, self.provider.approve(query))

    @staticmethod
    def arrive(browser: Browser, address: str) -> Any:
        path = address.removeprefix(ADDRESS)
        return browser.client.get(path, headers=HTML, follow_redirects=False)

    def log_in(self, browser: Browser | None = None) -> Any:
        browser = browser or self.browser()
        return self.come_back(browser, self.go(browser))

    def refusal(self) -> str:
        """The words of a log-in that must fail, and changes nothing."""
        before = House(self.app.world.nobody, {}).dump()
        browser = self.browser()
        answer = self.log_in(browser)
        assert answer.status_code in (401, 403, 503), answer.status_code
        assert "byname_session" not in answer.headers.get("set-cookie", "")
        assert House(self.app.world.nobody, {}).dump() == before
        assert browser.goes("/account").startswith("/login")
        return words_of(answer.text)


def open_site(
    world: World, provider: Provider, new: Provisioning | None = None, *, ports: str = "443"
) -> Site:
    """Pages that know the provider."""
    known = protocol.Provider(
        issuer=provider.address,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        name="the Provider",
        scopes="openid email profile",
        fetch=Fetcher(provider.address, Targets((), parse_ports((ports,)))),
    )
    router = Router()
    login = OidcLogin(known, new or Provisioning())
    add_pages(router, world.nobody, Signer(b"x" * 32), ADDRESS, oidc=login)
    return Site(App(world, router, ADDRESS), provider)


@pytest.fixture
def site(world: World, provider: Provider) -> Site:
    user.create_user(world.admin, username="ann", email="ann@example.org")
    return open_site(world, provider)


class TestLogIn:
    """Who is known to the provider is logged in as the person with the same verified address."""

    def test_the_page_offers_it_and_it_leads_back_to_where_one_was_going(self, site: Site) -> None:
        browser = site.browser()
        page = browser.get("/login?next=/projects")
        assert 'href="/login/oidc?next=%2Fprojects"' in page
        assert "Log in with the Provider" in page
        answer = site.come_back(browser, site.go(browser, "/projects"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/projects")
        assert "ann@example.org" in browser.get("/account")

    def test_what_is_asked_of_the_provider(self, site: Site) -> None:
        asked = [site.go(site.browser()) for _ in range(2)]
        for query in asked:
            assert query["response_type"] == "code"
            assert query["redirect_uri"] == f"{ADDRESS}/oidc/callback"
            assert query["code_challenge_method"] == "S256"
            assert set(query["scope"].split()) == {"openid", "email", "profile"}
        for name in ("state", "nonce", "code_challenge"):
            assert asked[0][name] != asked[1][name]
            assert len(asked[0][name]) >= 43

    def test_a_later_log_in_goes_by_the_subject_not_by_the_address(self, site: Site) -> None:
        assert site.log_in().status_code == 303
        site.provider.person |= {"email": "new@example.org", "email_verified": False}
        browser = site.browser()
        assert site.log_in(browser).status_code == 303
        assert "ann@example.org" in browser.get("/account")

    def test_a8_the_session_is_a_new_one(self, site: Site) -> None:
        browser = site.app.by("admin")
        [before] = session.list_own(site.app.world.admin)
        assert site.log_in(browser).status_code == 303
        assert before.id not in [each.id for each in session.list_own(site.app.world.admin)]
        assert "ann@example.org" in browser.get("/account")

    def test_r188_that_two_were_matched_is_in_the_audit_log(self, site: Site) -> None:
        team.put_member(site.app.world.admin, TEAM, "ann", GroupRole.MEMBER)
        site.log_in()
        kinds = [each.kind for each in history.audit(site.app.world.admin, ORGANIZATION).entries]
        assert "user:link_identity" in kinds

    def test_the_address_is_asked_for_where_the_token_has_none(self, site: Site) -> None:
        site.provider.changes = {"email": None, "email_verified": None}
        site.provider.userinfo = dict(site.provider.person)
        assert site.log_in().status_code == 303
        assert "/userinfo" in site.provider.asked

    def test_a_new_key_of_the_provider_is_learned(self, site: Site) -> None:
        clock = time.time()
        site_provider(site).clock = lambda: clock
        assert site.log_in().status_code == 303
        site.provider.key = RSAKey.generate_key(2048, {"kid": "two"})
        assert "signature is not good" in site.refusal(), "Not at once: keys are asked for seldom."
        clock += 31
        assert site.log_in().status_code == 303

    def test_without_the_setting_there_is_no_such_address(self, app: App) -> None:
        assert "oidc" not in app.stranger().get("/login")
        assert app.stranger().client.get("/oidc/callback", headers=HTML).status_code == 404


def site_provider(site: Site) -> protocol.Provider:
    """The provider as the pages know it."""
    [handler] = [route.handlers["GET"] for route in [site.app.router._exact["/login/oidc"]]]
    cells = dict(zip(handler.__code__.co_freevars, handler.__closure__ or (), strict=True))
    found = cells["login"].cell_contents.provider
    assert isinstance(found, protocol.Provider)
    return found


class TestHostileAnswers:
    """Whatever does not fit is refused, and nothing is changed."""

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"nonce": "another"}, "another log-in"),
            ({"nonce": None}, "another log-in"),
            ({"aud": "somebody-else"}, "meant for another"),
            ({"aud": None}, "meant for another"),
            ({"aud": [CLIENT_ID, "other"]}, "given to another"),
            ({"azp": "other"}, "given to another"),
            ({"iss": "https://evil.example"}, "another issuer"),
            ({"iss": None}, "another issuer"),
            ({"exp": 1}, "expired"),
            ({"exp": None}, "how long"),
            ({"exp": "soon"}, "how long"),
            ({"exp": True}, "how long"),
            ({"iat": 1}, "not of now"),
            ({"iat": 4_000_000_000, "exp": 4_000_000_300}, "not of now"),
            ({"sub": None}, "whom it speaks"),
            ({"sub": ""}, "whom it speaks"),
            ({"sub": "x" * 256}, "whom it speaks"),
            ({"sub": 7}, "whom it speaks"),
        ],
    )
    def test_claims_that_do_not_fit(self, site: Site, changes: dict[str, Any], why: str) -> None:
        site.provider.changes = changes
        assert why in site.refusal()

    @pytest.mark.parametrize("sign", ["none", "HS256"])
    def test_signatures_that_are_nobodys(self, site: Site, sign: str) -> None:
        site.provider.sign = sign
        assert "signature is not good" in site.refusal()

    @pytest.mark.parametrize("kid", ["one", "two"])
    def test_a_key_that_is_not_the_providers(self, site: Site, kid: str) -> None:
        site.provider.signing_key = RSAKey.generate_key(2048, {"kid": kid})
        assert "signature is not good" in site.refusal()

    def test_a_provider_that_calls_itself_otherwise(self, site: Site) -> None:
        site.provider.issuer = "https://evil.example"
        answer = site.browser().client.get("/login/oidc", headers=HTML, follow_redirects=False)
        assert answer.status_code == 503
        assert "calls itself otherwise" in words_of(answer.text)

    def test_s1_it_cannot_send_this_server_to_other_private_places(self, site: Site) -> None:
        with providing() as other:
            site.provider.jwks_uri = f"{other.address}/keys"
            answer = site.browser().client.get("/login/oidc", headers=HTML, follow_redirects=False)
            assert answer.status_code == 503
            assert "may not send there" in words_of(answer.text)
            assert other.asked == []

    def test_a_userinfo_of_somebody_else(self, site: Site) -> None:
        site.provider.changes = {"email": None, "email_verified": None}
        site.provider.userinfo = site.provider.person | {"sub": "subject-2"}
        assert "two people" in site.refusal()

    def test_a_provider_that_is_silent(self, world: World) -> None:
        with providing() as gone:
            site = open_site(world, gone)
        answer = site.browser().client.get("/login/oidc", headers=HTML, follow_redirects=False)
        assert answer.status_code == 503
        assert "could not be asked" in words_of(answer.text)


class TestTheBrowserThatBeganIt:
    """A8, A9: state, nonce and verifier belong to one browser, for ten minutes."""

    def test_another_browser_cannot_finish_it(self, site: Site) -> None:
        victim, attacker = site.browser(), site.browser()
        address = site.provider.approve(site.go(attacker))
        answer = site.arrive(victim, address)
        assert answer.status_code == 401
        assert "not begun in this browser" in words_of(answer.text)
        site.go(victim)
        assert site.arrive(victim, address).status_code == 401

    def test_it_is_finished_once(self, site: Site) -> None:
        browser = site.browser()
        query = site.go(browser)
        address = site.provider.approve(query)
        assert site.arrive(browser, address).status_code == 303
        assert site.arrive(browser, address).status_code == 401

    @pytest.mark.parametrize(
        "query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied&state=x"]
    )
    def test_words_that_fit_nothing(self, site: Site, query: str) -> None:
        browser = site.browser()
        site.go(browser)
        before = House(site.app.world.nobody, {}).dump()
        assert site.arrive(browser, f"/oidc/callback{query}").status_code == 401
        assert House(site.app.world.nobody, {}).dump() == before

    def test_who_was_refused_there_is_told_so(self, site: Site) -> None:
        browser = site.browser()
        state = site.go(browser)["state"]
        answer = site.arrive(browser, f"/oidc/callback?error=access_denied&state={state}")
        assert "did not log you in" in words_of(answer.text)

    def test_a_code_that_the_provider_does_not_know(self, site: Site) -> None:
        browser = site.browser()
        state = site.go(browser)["state"]
        answer = site.arrive(browser, f"/oidc/callback?code=guess&state={state}")
        assert answer.status_code == 401
        assert "does not accept" in words_of(answer.text)

    def test_the_cookie_is_for_the_host_alone_and_hidden_from_scripts(self, site: Site) -> None:
        answer = site.browser().client.get("/login/oidc", headers=HTML, follow_redirects=False)
        cookie = answer.headers["set-cookie"]
        for words in ("byname_oidc=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"):
            assert words in cookie

    def test_it_leads_to_this_server_only(self, site: Site) -> None:
        for following in ("//evil.example", "https://evil.example", "/\\evil.example"):
            browser = site.browser()
            answer = site.come_back(browser, site.go(browser, following))
            assert answer.headers["location"] == "/"


class TestWhoItIs:
    """R195: matched by a verified address only; new people where it is wished."""

    def test_an_address_that_is_not_verified_matches_nobody(self, site: Site) -> None:
        for verified in (False, None, "false", 1, "yes"):
            site.provider.changes = {"email_verified": verified}
            assert "does not say that your e-mail address is verified" in site.refusal()

    def test_nobody_here_is_the_person(self, site: Site) -> None:
        site.provider.person |= {"email": "eve@example.org"}
        assert "no account on this server" in site.refusal()

    def test_another_subject_with_the_same_address_is_refused(self, site: Site) -> None:
        assert site.log_in().status_code == 303
        site.provider.person |= {"sub": "subject-2"}
        assert "belongs to somebody else" in site.refusal()

    def test_a_deleted_person_is_nobody(self, site: Site) -> None:
        assert site.log_in().status_code == 303
        user.delete_user(site.app.world.admin, "ann")
        assert "no account on this server" in site.refusal()

    def test_new_people_are_made_and_join_the_organization(
        self, world: World, provider: Provider
    ) -> None:
        user.create_user(world.admin, username="ann", email="other@example.org")
        site = open_site(world, provider, Provisioning(create=True, organization=ORGANIZATION))
        assert site.log_in().status_code == 303
        made = user.get_user(world.admin, "ann-2")
        assert (made.email, made.full_name) == ("ann@example.org", "Ann Example")
        assert not made.server_admin
        provider.person |= {"sub": "subject-2", "email": "b@example.org", "email_verified": False}
        assert "is verified" in site.refusal()

    def test_without_the_organization_nothing_happens(
        self, world: World, provider: Provider
    ) -> None:
        site = open_site(world, provider, Provisioning(create=True, organization="none"))
        assert "must make it" in site.refusal()

    @pytest.mark.parametrize(
        ("preferred", "email", "name"),
        [
            ("ann", None, "ann"), ("ann@corp", None, "ann"), ("", "bo.b@x.org", "bo.b"),
            ("Zoë", None, "Zoe"), ("<script>", None, "script"), ("", None, "user"),
            ("../../x", None, "x"), ("a" * 300, None, "a" * 40), ("日本", "日本@x.org", "user"),
        ],
    )  # fmt: skip
    def test_a_user_name_is_made_of_what_it_says(
        self, preferred: str, email: str | None, name: str
    ) -> None:
        identity = Identity("i", "s", email=email)
        assert suggest_username(replace(identity, username=preferred)) == name
