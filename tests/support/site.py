"""A whole server on a real socket, for tests of the faces, and somebody with a key who asks it."""

from __future__ import annotations

import functools
import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from byname import wiring
from byname.domain.history import Cursor
from byname.domain.watch import Wanted
from byname.graphql.nouns import make_schema
from byname.http.links import Signer
from byname.http.server import HttpServer
from byname.http.watchers import Watcher, Watchers
from byname.operations import key
from byname.settings import Settings
from tests.support.rig import reserved_port
from tests.support.world import PROJECT, TEAM, World

UPSERT = """mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) {
  bucket { id name displayName description config sweepName historyLineCount
    project { id name entity { id name } } } inserted } }"""
PLACE = {"entity": TEAM, "project": PROJECT, "name": "abcd1234"}
PATH = {"entityName": TEAM, "projectName": PROJECT, "runName": "abcd1234"}

cached_schema = functools.cache(make_schema)
"""The schema is the same for all servers, and takes a while to make."""


class CountedWatchers(Watchers):
    """Those who wait, and how many have ever done."""

    joined = 0

    @contextmanager
    def join(self, wanted: Wanted, place: Cursor | None = None) -> Iterator[Watcher]:
        """As always."""
        with super().join(wanted, place) as watcher:
            self.joined += 1
            yield watcher

    @property
    def present(self) -> int:
        """How many wait just now."""
        return self._count


@dataclass(slots=True)
class Site:
    """A server, and somebody with a key."""

    address: str
    world: World
    key: str
    watchers: CountedWatchers | None = None
    """Who waits at the server, where it was started by `serving`."""

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of one answer."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @property
    def login(self) -> dict[str, str]:
        """The header that the client sends."""
        return {"Authorization": "Basic " + b64encode(f"api:{self.key}".encode()).decode()}

    def graphql(self, query: str, variables: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of a GraphQL answer."""
        status, body = self.ask(
            "POST",
            "/graphql",
            json.dumps({"query": query, "variables": variables}),
            {**self.login, "Content-Type": "application/json"},
        )
        return status, json.loads(body)

    def data(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer that has no errors."""
        status, answer = self.graphql(query, variables)
        assert (status, answer.get("errors")) == (200, None), answer
        return answer["data"]

    def post(self, body: Any, name: str = "abcd1234", **headers: str) -> tuple[int, Any]:
        """Status and body of what the run's stream answers."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = self.ask(
            "POST", f"/files/{TEAM}/{PROJECT}/{name}/file_stream", text, {**self.login, **headers}
        )
        return status, json.loads(answer)

    def by(self, name: str) -> Site:
        """The same server, asked by somebody else."""
        made = key.create_key(self.world.reload(name))
        return Site(self.address, self.world, made.secret, self.watchers)


@contextmanager
def serving(world: World, folder: Path) -> Iterator[Site]:
    """The server, asked by the administrator."""
    watchers: list[CountedWatchers] = []

    def make_watchers(*given: Any, **more: Any) -> CountedWatchers:
        watchers.append(CountedWatchers(*given, **more))
        return watchers[0]

    with reserved_port() as port:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wiring, "make_schema", cached_schema)
            patch.setattr(wiring, "Watchers", make_watchers)
            application = wiring.Application(
                world.nobody, Signer(b"x" * 32), Settings(data=folder, port=port)
            )
            server = HttpServer(
                application.router,
                host="127.0.0.1",
                port=port,
                on_stopping=application.begin_to_stop,
            )
            application.open(server.address)
        server.start()
        try:
            made = key.create_key(world.admin)
            yield Site(server.address, world, made.secret, watchers[0])
        finally:
            server.stop()


def make(site: Site, **given: Any) -> Any:
    """A run, as `wandb.init` makes it."""
    values = {"entityName": TEAM, "modelName": PROJECT, "name": "abcd1234", **given}
    return site.data(UPSERT, input=values)["upsertBucket"]
