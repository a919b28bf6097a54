"""All pages on a small server, and browsers in which people are logged in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname.domain.policy import Role
from byname.http.authentication import KeyUses
from byname.http.links import Signer
from byname.http.router import Router
from byname.http.writes import Writes
from byname.operations import key, member, registry
from byname.rest.content import Bytes
from byname.store.database import Parameters, Row, Transaction
from byname.web.pages import add_pages
from tests.support.world import ORGANIZATION, World

ADDRESS = "http://testserver"
HTML = {"accept": "text/html,application/xhtml+xml", "sec-fetch-site": "same-origin"}


@dataclass(slots=True)
class Browser:
    """A browser, and the pages it shows."""

    client: TestClient

    def get(self, path: str, status: int = 200) -> str:
        """A page as it comes, without following where it leads."""
        answer = self.client.get(path, headers=HTML, follow_redirects=False)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    def goes(self, path: str) -> str:
        """Where the address leads on to."""
        answer = self.client.get(path, headers=HTML, follow_redirects=False)
        assert answer.status_code == 303
        return answer.headers["location"]

    def send(self, path: str, page: str | None = None, **fields: str) -> Any:
        """The answer to a form that stands on the page of that address."""
        token = token_on(self.get(path if page is None else page))
        return self.client.post(
            path, data={"token": token, **fields}, headers=HTML, follow_redirects=False
        )

    def sent(self, path: str, page: str | None = None, **fields: str) -> str:
        """Where a form that was accepted leads on to."""
        answer = self.send(path, page, **fields)
        assert answer.status_code == 303, words_of(answer.text)[:600]
        return str(answer.headers["location"])

    def log_in_with(self, api_key: str, following: str = "/") -> Any:
        """The answer to a key pasted on the log-in page."""
        fields = {"token": token_on(self.get("/login")), "api_key": api_key, "next": following}
        return self.client.post("/login", data=fields, headers=HTML, follow_redirects=False)


def token_on(page: str) -> str:
    """The token of a form on the page."""
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page[-2000:]
    return found[1]


def words_of(page: str) -> str:
    """What a person reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@dataclass(slots=True)
class App:
    """The pages of a server with some people."""

    world: World
    router: Router
    address: str

    def stranger(self) -> Browser:
        """A browser in which nobody is logged in."""
        return Browser(TestClient(self.router, base_url=self.address))

    def by(self, name: str) -> Browser:
        """A browser in which that person is logged in."""
        browser = self.stranger()
        secret = key.create_key(self.world.reload(name)).secret
        assert browser.log_in_with(secret).status_code == 303
        return browser

    def add(self, name: str, role: Role) -> None:
        """A person in the organization, with that role in the registry Model."""
        self.world.add_person(name, in_organization="member")
        self.add_role(name, role)

    def add_role(self, name: str, role: Role) -> None:
        """That person has the role in the registry Model."""
        person = self.world.people[name]
        found = registry.get_by_name(self.world.admin, ORGANIZATION, "Model")
        member.add(self.world.admin, found.id, user_ids=[person.who.user_id], role=role)


def open_app(world: World, address: str = ADDRESS) -> App:
    """The pages of that server."""
    router = Router()
    signer = Signer(b"x" * 32)
    add_pages(router, world.nobody, signer, address)
    return App(world, router, address)


@pytest.fixture
def app(world: World) -> Iterator[App]:
    made = open_app(world)
    writes = Writes(world.nobody.database)
    Bytes(world.nobody, Signer(b"x" * 32), writes, KeyUses()).add_routes(made.router)
    yield made
    writes.close()


class Counted(Transaction):
    """Counts the statements that read."""

    count = 0

    def one(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> Row | None:
        Counted.count += 1
        return super().one(sql, parameters)

    def all(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> list[Row]:
        Counted.count += 1
        return super().all(sql, parameters)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    """Every transaction from now on counts."""
    monkeypatch.setattr("byname.store.database.Transaction", Counted)
    return Counted
