"""A9: looking changes nothing. Every address that answers to GET is asked as the administrator."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from byname import wiring
from byname.http.links import Signer
from byname.operations import collection, key, lineage, run, run_file
from byname.settings import Settings
from tests.browser.crawl import walk
from tests.faces.web.conftest import HTML, Browser
from tests.support.house import House
from tests.support.site import cached_schema
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, link_version, log_version

LINK = re.compile(r'(?:href|src|action|hx-get)="(/[^"]*)"')
WORDS = {
    "organization": ORGANIZATION, "org": ORGANIZATION, "registry": "Model", "collection": "Zoo",
    "name": "Model", "team": TEAM, "username": "admin", "entity": TEAM, "project": PROJECT,
    "run": "r1", "alias": "best", "version": "v0", "type": "model", "tag": "cat",
}  # fmt: skip
UNREACHED = {
    # Streams that never end; the browser's own place to come back to; signed addresses are links.
    "/api/v1/events": "a stream",
}


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[wiring.Application]:
    """A whole server, every face of it, with something of each kind."""
    admin = world.admin
    made, _ = run.upsert(admin, run.RunChange(entity=TEAM, project=PROJECT, name="r1"))
    source = log_version(admin, files={"a.json": b"{}", "b.txt": b"b"}, run="r1")
    place, _ = link_version(admin, source, "Zoo", ("best",))
    other, _ = link_version(admin, log_version(admin, "other", {"o": b"o"}), "Gone")
    collection.delete(admin, other.id, is_sequence=False)
    lineage.use_version(admin, entity=TEAM, project=PROJECT, run_name="r1", version_id=source.id)
    writer = run_file.begin(admin, made.id)
    writer.write(b"x")
    run_file.keep(admin, made.id, "notes.txt", writer.finish())
    assert place.id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "make_schema", cached_schema)
        application = wiring.Application(world.nobody, Signer(b"x" * 32), Settings(data=tmp_path))
    application.open("http://testserver")
    yield application
    application.close()


def content_of(world: World) -> list[str]:
    """The whole database but for the times of last use, which looking may move."""
    return [
        line
        for line in House(world.nobody, {}).dump()
        if not line.startswith(("session ", "api_key ", "sqlite_sequence "))
    ]


def keys_and_sessions(world: World) -> list[tuple[Any, ...]]:
    """What there is of both, without the times of last use."""
    with world.nobody.database.read() as tx:
        keys = tx.all("SELECT id, user_id, name, sha256, created_at FROM api_key ORDER BY id")
        sessions = tx.all("SELECT id, user_id, sha256, created_at FROM session ORDER BY id")
    return [tuple(row) for row in (*keys, *sessions)]


def test_a9_no_page_and_no_link_on_a_page_changes_anything(
    world: World, served: wiring.Application
) -> None:
    browser = Browser(TestClient(served.router, base_url="http://testserver"))
    browser.log_in_with(key.create_key(world.admin, name="crawler").secret)
    before, credentials = content_of(world), keys_and_sessions(world)

    def look(path: str) -> list[str]:
        answer = browser.client.get(path, headers=HTML, follow_redirects=False)
        assert answer.status_code < 500, (path, answer.status_code, answer.text[-800:])
        if "location" in answer.headers:
            return [answer.headers["location"]]
        return [html.unescape(each) for each in LINK.findall(answer.text)]

    patterns = [path for method, path in served.router.routes() if method == "GET"]
    starts = [_filled(each) for each in patterns]
    looked = walk(starts, look, each_kind=4, most=700)
    assert content_of(world) == before
    assert keys_and_sessions(world) == credentials
    reached = {each.partition("?")[0] for each in looked}
    forgotten = [
        pattern
        for pattern in patterns
        if not any(_regex(pattern).fullmatch(path) for path in reached) and pattern not in UNREACHED
    ]
    assert not forgotten, f"Nothing asked for {forgotten}: give WORDS a value for each parameter."
    assert len(looked) >= 80


def test_a9_no_get_of_rest_changes_anything(world: World, served: wiring.Application) -> None:
    secret = key.create_key(world.admin, name="crawler").secret
    client = TestClient(served.router, base_url="http://testserver", raise_server_exceptions=False)
    client.headers["authorization"] = f"Bearer {secret}"
    document = client.get("/api/openapi.json").json()
    before, credentials = content_of(world), keys_and_sessions(world)
    answered = []
    for path, methods in document["paths"].items():
        full = path if path.startswith("/a") else "/api/v1" + path
        if "get" not in methods or full in UNREACHED or "text/event-stream" in str(methods["get"]):
            continue
        answer = client.get(
            _filled(full), params={"ref": f"{ORGANIZATION}/wandb-registry-Model/Zoo:v0"}
        )
        assert answer.status_code < 500, (full, answer.text)
        answered.append(answer.status_code)
    assert content_of(world) == before
    assert keys_and_sessions(world) == credentials
    assert answered.count(200) >= 20, answered


def _filled(pattern: str) -> str:
    return re.sub(r"\{([^}]*)\}", lambda found: quote(WORDS.get(found[1], "1"), safe=""), pattern)


def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(pattern)))
