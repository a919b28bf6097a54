"""The JSON face on a small server, and a way to ask it as somebody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.operations import key
from byname.rest.api import make_api
from tests.support.world import World

HERE = "http://testserver"


@dataclass(slots=True)
class Asker:
    """The face, asked by one person."""

    client: TestClient
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        """Status and JSON of an answer; None where there is no body. Paths begin behind /api/v1."""
        answer = self.client.request(
            method, f"/api/v1{path}", json=body, params=query, headers=self.headers
        )
        return answer.status_code, answer.json() if answer.content else None

    def done(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of an answer which is no refusal."""
        status, answer = self.ask(method, path, body, **query)
        assert status < 300, answer
        return answer

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and message of a refusal."""
        status, answer = self.ask(method, path, body, **query)
        assert status >= 400, answer
        return status, answer["error"]["message"]


@dataclass(slots=True)
class Office:
    """The face, and the people who ask it."""

    world: World
    client: TestClient

    def by(self, name: str | None) -> Asker:
        """Asked by that person, or by nobody."""
        if name is None:
            return Asker(self.client, {})
        secret = key.create_key(self.world.reload(name)).secret
        return Asker(self.client, {"authorization": f"Bearer {secret}"})


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    app = make_api(world.nobody, addresses=Addresses(HERE, Signer(b"x" * 32)))
    with TestClient(app) as client:
        yield Office(world, client)
