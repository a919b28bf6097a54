"""The log-in and set-up pages: what they show, and what they refuse."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from byname.domain.key import PREFIX, is_key
from byname.http.authentication import authenticate
from byname.http.links import Signer
from byname.http.router import Router
from byname.operations import setup
from byname.operations.context import Context
from byname.web.pages import add_pages
from tests.support.house import House, bearer, make_context

ADDRESS = "http://testserver"
PASSWORD = "correct horse battery"
KEY = re.compile(PREFIX + r"[A-Za-z0-9]{40}")
NAMES = {
    "username": "ann",
    "email": "ann@example.org",
    "organization": "smle-reg",
    "team": "smle-reg-team-2",
}


def open_pages(ctx: Context) -> TestClient:
    router = Router()
    add_pages(router, ctx, Signer(b"x" * 32), ADDRESS)
    return TestClient(router, base_url=ADDRESS)


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    house.make_user("bob", password=PASSWORD)
    with open_pages(house.ctx) as made:
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    yield made
    made.database.close()


def token_on(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


class TestAuthorizePageMakesKeys:
    """Protocol 2: `wandb login` sends people to `/authorize`, where they get a key."""

    def test_it_explains_every_way(self, client: TestClient) -> None:
        page = client.get("/authorize?ref=models")
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe" not in page.headers["content-security-policy"]
        for words in ("byname key create", "byname user create", 'action="authorize"', ADDRESS):
            assert words in page.text
        assert client.get("/static/byname.css").headers["content-type"].startswith("text/css")

    def test_name_and_password_give_a_new_key(
        self, house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also to who asks twice in one second, from a page opened anew."""
        now = time.time()
        monkeypatch.setattr("byname.web.page.time.time", lambda: now)
        fields = {"username": "bob", "password": PASSWORD}
        keys = set()
        for _ in range(2):
            fields["token"] = token_on(client.get("/authorize").text)
            answer = client.post(
                "/authorize", data=fields, headers={"sec-fetch-site": "same-origin"}
            )
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            found = KEY.findall(answer.text)
            assert len(found) == 1
            keys.update(found)
            actor = authenticate(house.ctx.database, bearer(found[0]))
            assert actor is not None
            assert actor.username == "bob"
        assert len(keys) == 2
        assert "set-cookie" not in answer.headers

    def test_reading_changes_nothing(self, house: House, client: TestClient) -> None:
        before = house.dump()
        for path in ("/authorize", "/setup", "/setup?token=x", "/static/byname.css"):
            client.get(path)
            client.head(path)
        assert house.dump() == before

    def test_wrong_ones_get_the_same_page(self, house: House, client: TestClient) -> None:
        before = house.dump()
        pages = set()
        for username, password in [
            ("bob", "wrong"),
            ("ann", PASSWORD),
            ("nobody", PASSWORD),
            ("", ""),
        ]:
            token = token_on(client.get("/authorize").text)
            answer = client.post(
                "/authorize", data={"username": username, "password": password, "token": token}
            )
            assert answer.status_code == 401
            assert "www-authenticate" not in answer.headers
            page = answer.text.replace(token_on(answer.text), "T")
            pages.add(page.replace(f'value="{username}"', "U"))
        assert len(pages) == 1
        assert house.dump() == before

    def test_guessing_is_held_up(self, client: TestClient) -> None:
        """L7: the eleventh guess is refused, though it is right."""
        token = token_on(client.get("/authorize").text)
        wrong = {"username": "bob", "password": "wrong", "token": token}
        assert {client.post("/authorize", data=wrong).status_code for _ in range(10)} == {401}
        answer = client.post("/authorize", data={**wrong, "password": PASSWORD})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 800
        assert not KEY.search(answer.text)

    def test_what_is_typed_is_escaped(self, client: TestClient) -> None:
        token = token_on(client.get("/authorize").text)
        evil = '"><script>alert(1)</script>'
        answer = client.post("/authorize", data={"username": evil, "password": "x", "token": token})
        assert "<script" not in answer.text

    def test_before_the_set_up_it_says_so(self, empty: Context) -> None:
        with open_pages(empty) as client:
            page = client.get("/authorize").text
        assert "not set up yet" in page
        assert "<form" not in page


class TestFormsComeFromOurPages:
    """A9: a form needs our token, and a browser must say that it stood on our own page."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "http://[bad"},
            {"origin": "http://evil.example", "host": "testserver"},
        ],
    )
    def test_other_sites_are_refused(
        self, house: House, client: TestClient, headers: dict[str, str]
    ) -> None:
        token = token_on(client.get("/authorize").text)
        before = house.dump()
        answer = client.post(
            "/authorize",
            data={"username": "bob", "password": PASSWORD, "token": token},
            headers=headers,
        )
        assert answer.status_code == 403
        assert house.dump() == before

    def test_our_own_origin_is_taken(self, client: TestClient) -> None:
        token = token_on(client.get("/authorize").text)
        answer = client.post(
            "/authorize",
            data={"username": "bob", "password": PASSWORD, "token": token},
            headers={"origin": ADDRESS},
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "a.b", "ü", "x" * 10_000])
    def test_a_wrong_token_is_refused(self, house: House, client: TestClient, token: str) -> None:
        before = house.dump()
        answer = client.post(
            "/authorize", data={"username": "bob", "password": PASSWORD, "token": token}
        )
        assert answer.status_code == 403
        assert house.dump() == before

    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (b"{}", "application/json", 400),
            (b"username=%FF", "application/x-www-form-urlencoded", 400),
            (b"\xff", "application/x-www-form-urlencoded", 400),
            (b"username=a&username=b", "application/x-www-form-urlencoded", 400),
            (b"&".join(b"a%d=1" % n for n in range(30)), "application/x-www-form-urlencoded", 400),
            (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
            (b"", "", 400),
        ],
    )
    def test_odd_bodies_are_refused(
        self, house: House, client: TestClient, content: bytes, kind: str, status: int
    ) -> None:
        before = house.dump()
        answer = client.post("/authorize", content=content, headers={"content-type": kind})
        assert answer.status_code == status
        assert house.dump() == before


class TestSetUpPageWorksOnce:
    """A7: the printed address sets up the server, once."""

    def test_the_whole_story(self, empty: Context) -> None:
        token = setup.offer_token(empty)
        with open_pages(empty) as client:
            page = client.get(f"/setup?token={token}")
            assert page.status_code == 200
            fields = {**NAMES, "password": PASSWORD, "token": token_on(page.text)}
            answer = client.post("/setup", data=fields)
            assert answer.status_code == 200
            found = KEY.findall(answer.text)
            assert len(found) == 1
            actor = authenticate(empty.database, bearer(found[0]))
            assert actor is not None
            assert actor.server_admin
            again = client.post("/setup", data={**fields, "username": "eve"})
            assert again.status_code == 409
            assert "set up already" in again.text
            assert client.get(f"/setup?token={token}").status_code == 409
            form = token_on(client.get("/authorize").text)
            logged_in = client.post(
                "/authorize", data={"username": "ann", "password": PASSWORD, "token": form}
            )
            assert is_key(KEY.findall(logged_in.text)[0])

    @pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%00", "?other=1"])
    def test_without_the_token_there_is_no_form(self, empty: Context, query: str) -> None:
        setup.offer_token(empty)
        with open_pages(empty) as client:
            page = client.get(f"/setup{query}")
        assert page.status_code == 401
        assert "<form" not in page.text

    def test_a_bad_value_keeps_the_form_and_changes_nothing(self, empty: Context) -> None:
        token = setup.offer_token(empty)
        before = House(empty, {}).dump()
        with open_pages(empty) as client:
            for field, value, status in [
                ("username", "a b", 422),
                ("username", "", 422),
                ("email", "nobody", 422),
                ("team", "smle-reg", 409),
                ("password", "short", 422),
            ]:
                fields = {**NAMES, field: value, "token": str(token)}
                answer = client.post("/setup", data=fields)
                assert answer.status_code == status
                assert 'value="smle-reg"' in answer.text
                assert "short" not in answer.text.replace("shorter", "")
        assert House(empty, {}).dump() == before

    def test_other_sites_are_refused(self, empty: Context) -> None:
        token = setup.offer_token(empty)
        with open_pages(empty) as client:
            answer = client.post(
                "/setup",
                data={**NAMES, "token": str(token)},
                headers={"sec-fetch-site": "cross-site"},
            )
        assert answer.status_code in (401, 403)
        assert not setup.is_set_up(empty)


class TestLandingPageLeadsOn:
    """R39 in spirit: an empty place tells the next step."""

    def test_a_server_that_is_set_up(self, client: TestClient) -> None:
        page = client.get("/")
        assert page.status_code == 200
        assert "WANDB_BASE_URL" in page.text
        assert 'href="authorize"' in page.text
        assert "unsafe" not in page.headers["content-security-policy"]

    def test_an_empty_server(self, empty: Context) -> None:
        page = open_pages(empty).get("/")
        assert page.status_code == 200
        assert "not set up yet" in page.text
