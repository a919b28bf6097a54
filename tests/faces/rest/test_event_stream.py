"""The stream of events, and waiting for an alias, on a whole server (issue 5, point 6)."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from byname import wiring
from byname.domain.policy import GroupRole
from byname.http import watchers as watching
from byname.http.links import Signer
from byname.http.server import HttpServer
from byname.operations import key, organization
from byname.operations import watch as operations
from byname.rest import event_stream as face
from byname.settings import Settings
from tests.support.rig import Rig, make_rig, reserve_port
from tests.support.site import Site, serving
from tests.support.world import ORGANIZATION, World, link_version, log_version

ALIASES = f"/api/v1/registries/{ORGANIZATION}/Model/collections/Zoo/aliases"
SECONDS_MAX = 90.0


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """A server with three versions in a collection."""
    for body in (b"one", b"two", b"three"):
        link_version(world.admin, log_version(world.admin, files={"weights": body}))
    with serving(world, tmp_path) as made:
        yield made


@dataclass
class Told:
    """What one stream has told until now."""

    site: Site
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list)
    last_id: str = ""
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def listen(self) -> None:
        connection = http.client.HTTPConnection(
            urlsplit(self.site.address).netloc, timeout=SECONDS_MAX
        )
        self.connection = connection
        try:
            connection.request(
                "GET", f"/api/v1/events{self.query}", headers={**self.site.login, **self.headers}
            )
            answer = connection.getresponse()
            self.status = answer.status
            self.sock = connection.sock
            kind, place = "", ""
            while raw := answer.readline():
                line = raw.decode().rstrip("\n")
                self.lines.append(line)
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = place = value
                    self.started.set()
                elif name == "event":
                    kind = value
                elif name == "data":
                    told = json.loads(value)
                    assert told["id"] == place
                    assert told["kind"] == kind
                    self.events.append((kind, told))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
            self.started.set()
            self.ended.set()

    def until(self, condition: Callable[[], bool]) -> bool:
        return until(condition)

    def kinds(self) -> list[tuple[str, str]]:
        return [(kind, told["subject"]) for kind, told in self.events]


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes to be so."""
    end = time.monotonic() + SECONDS_MAX
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@contextmanager
def listening(site: Site, query: str = "", **headers: str) -> Iterator[Told]:
    """A stream that is heard in a thread of its own."""
    told = Told(site, query, headers)
    thread = threading.Thread(target=told.listen, daemon=True)
    thread.start()
    assert told.started.wait(SECONDS_MAX)
    try:
        yield told
    finally:
        if not told.ended.is_set():
            told.sock.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


def move(site: Site, version: str, alias: str = "production") -> str:
    """The alias is on that version; its new ETag."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=SECONDS_MAX)
    try:
        connection.request(
            "PUT",
            f"{ALIASES}/{alias}",
            json.dumps({"version": version}),
            {**site.login, "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        return answer.headers["ETag"] or ""
    finally:
        connection.close()


def restrict(site: Site) -> None:
    status, body = site.ask(
        "PATCH",
        f"/api/v1/registries/{ORGANIZATION}/Model",
        json.dumps({"visibility": "restricted"}),
        {**site.login, "Content-Type": "application/json"},
    )
    assert status == 200, body


class TestStream:
    """`GET /api/v1/events`: all that happens where one may see, in the order of the commits."""

    def test_it_tells_a_move(self, site: Site) -> None:
        move(site, "v0")
        with listening(site) as told:
            move(site, "v2")
            assert told.until(lambda: bool(told.events))
        kind, event = told.events[0]
        assert kind == "alias:move"
        assert len(event.pop("digest")) == 32
        assert event.pop("at").startswith("20")
        place = event.pop("id")
        assert place == told.last_id
        assert event == {
            "kind": "alias:move",
            "entity": ORGANIZATION,
            "registry": "Model",
            "project": "wandb-registry-Model",
            "collection": "Zoo",
            "subject": "production",
            "version": "v2",
            "before": "v0",
            "after": "v2",
            "revision": 2,
            "actor": "admin",
            "face": "rest",
            "cause": event["cause"],
        }

    def test_a_link_comes_before_its_aliases(self, site: Site, world: World) -> None:
        """R129: the link first, then each alias that was placed."""
        with listening(site, f"?registry={ORGANIZATION}/Model") as told:
            version = log_version(world.admin, files={"weights": b"four"})
            link_version(world.admin, version, aliases=["best"])
            assert told.until(lambda: len(told.events) >= 3)
        assert told.events[0][0] == "link:create"
        assert {subject for kind, subject in told.kinds()[1:]} == {"best", "latest"}
        assert [event["id"] for _, event in told.events] == sorted(
            (event["id"] for _, event in told.events),
            key=lambda text: [int(part) for part in text.split(".")],
        )

    def test_it_goes_on_where_it_was_cut(self, site: Site) -> None:
        """Each event once: by `Last-Event-ID`, and by `?after=`."""
        with listening(site) as first:
            move(site, "v0")
            move(site, "v1")
            assert first.until(lambda: len(first.events) == 2)
        move(site, "v2")
        move(site, "v0", "other")
        with listening(site, **{"Last-Event-ID": first.last_id}) as second:
            assert second.until(lambda: len(second.events) == 2)
            move(site, "v1")
            assert second.until(lambda: len(second.events) == 3)
        after = first.events[0][1]["id"]
        with listening(site, f"?after={after}&kind=alias") as third:
            assert third.until(lambda: len(third.events) == 4)
        assert [event["after"] for _, event in second.events] == ["v2", "v0", "v1"]
        assert third.events == [first.events[1], *second.events]

    def test_a_place_before_the_first_event(self, site: Site) -> None:
        """One that was cut before anything happened misses nothing either."""
        with listening(site) as first:
            pass
        move(site, "v1")
        with listening(site, **{"Last-Event-ID": first.last_id}) as second:
            assert second.until(lambda: len(second.events) == 1)

    def test_from_the_beginning_in_pages(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is told live and what is read back is the same, wherever it is taken up."""
        monkeypatch.setattr(watching, "PAGE_MAX", 3)
        monkeypatch.setattr(watching, "KEPT_MAX", 4)
        with listening(site, "?after=0") as whole:
            assert whole.until(lambda: len(whole.events) > 5)
            for number in (0, 1, 2, 0, 1, 2, 0, 1):
                move(site, f"v{number}")
            assert whole.until(lambda: whole.kinds().count(("alias:move", "production")) == 7)
        everything = [event for _, event in whole.events]
        for place in range(0, len(everything), 3):
            with listening(site, f"?after={everything[place]['id']}") as rest:
                wanted = everything[place + 1 :]
                assert rest.until(lambda r=rest, w=wanted: len(r.events) == len(w))  # type: ignore[misc]
            assert [event for _, event in rest.events] == wanted

    def test_commits_of_another_process_are_told(self, tmp_path: Path) -> None:
        """A second server on the same database moves; who watches the first one hears of it."""
        rig = make_rig(tmp_path / "data")
        rig.start()
        try:
            other = Rig(rig.data, reserve_port(), rig.api_key)
            other.start()
            try:
                site = Site(rig.url, None, rig.api_key)  # type: ignore[arg-type]  # Not asked here.
                with listening(site) as told:
                    other.ask("POST", "/registries/smle-reg", {"name": "Second"})
                    assert told.until(lambda: bool(told.events))
                    kind, event = told.events[0]
                    assert (kind, event["registry"]) == ("registry:create", "Second")
                    assert rig.stop() == 0
                    assert told.ended.wait(SECONDS_MAX)
            finally:
                other.stop()
        finally:
            rig.stop()


class TestFilters:
    """By registry, collection, alias and kind."""

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("", "production best tag other"),
            ("?alias=best", "best"),
            ("?kind=alias:add&kind=nothing:here", "production best"),
            ("?kind=alias&alias=production", "production"),
            ("?kind=link", ""),
            (f"?registry={ORGANIZATION}/model", "production best tag"),
            (f"?registry={ORGANIZATION}/model&collection=Zoo&kind=alias", "production best"),
            (f"?registry={ORGANIZATION}/Other", "other"),
        ],
    )
    def test_what_is_told(self, site: Site, query: str, wanted: str) -> None:
        headers = {**site.login, "Content-Type": "application/json"}
        registries = f"/api/v1/registries/{ORGANIZATION}"
        body = json.dumps({"name": "Other"})
        assert site.ask("POST", registries, body, headers)[0] == 201
        with listening(site, query) as told, listening(site) as all_told:
            assert told.status == 200
            move(site, "v0")
            move(site, "v1", "best")
            edit = json.dumps({"description": "d"})
            for place in ("Model/collections/Zoo", "Other"):
                assert site.ask("PATCH", f"{registries}/{place}", edit, headers)[0] == 200
            assert all_told.until(lambda: len(all_told.events) == 4)
            words = dict(
                zip(("alias", "collection", "registry"), ("", "tag", "other"), strict=True)
            )
            expected = wanted.split()
            told.until(lambda: len(told.events) == len(expected))
        found = [words[kind.partition(":")[0]] or subject for kind, subject in told.kinds()]
        assert found == expected

    @pytest.mark.parametrize(
        ("query", "field", "status"),
        [
            ("?kind=Alias", "kind", 422),
            ("?kind=" + quote("alias\nid: 1"), "kind", 422),
            ("?after=x", "after", 422),
            ("?after=1", "after", 422),
            ("?after=99999.0", "after", 422),
            ("?registry=Model", "registry", 422),
            ("?registry=a/b/c", "registry", 422),
            ("?collection=Zoo", "registry", 422),
            ("?" + "&".join(["kind=a"] * 21), "kind", 422),
            ("?" + "&".join(["kind=a"] * 101), None, 400),
            (f"?registry={ORGANIZATION}/Nothing", None, 404),
            (f"?registry={ORGANIZATION}/Model&collection=Nothing", None, 404),
            (f"?registry={ORGANIZATION}/" + "x" * 5000, None, 404),
        ],
    )
    def test_bad_input(self, site: Site, query: str, field: str | None, status: int) -> None:
        found, body = site.ask("GET", f"/api/v1/events{query}", headers=site.login)
        error = json.loads(body)["error"]
        assert (found, error.get("details", {}).get("field")) == (status, field), error


class TestWhoMayHear:
    """Only what the asker may see at that moment; a lost role acts within a second."""

    def test_nobody(self, site: Site) -> None:
        assert site.ask("GET", "/api/v1/events")[0] == 401
        assert site.ask("GET", f"{ALIASES}/production?wait=1s")[0] == 401
        wrong = {"Authorization": "Bearer " + "k" * 40}
        assert site.ask("GET", "/api/v1/events", headers=wrong)[0] == 401

    def test_a_hidden_registry(self, site: Site, world: World) -> None:
        world.add_person("mia", in_organization="member")
        restrict(site)
        mia = site.by("mia")
        place = f"?registry={ORGANIZATION}/Model"
        assert mia.ask("GET", f"/api/v1/events{place}", headers=mia.login)[0] == 404
        with listening(mia, "?after=0") as told, listening(site) as all_told:
            move(site, "v0")
            assert all_told.until(lambda: bool(all_told.events))
            time.sleep(0.3)
        assert told.status == 200
        assert told.events == []
        status, _ = mia.ask("GET", f"{ALIASES}/production?wait=1s", headers=mia.login)
        assert status == 404

    def test_a_role_is_lost(self, site: Site, world: World) -> None:
        world.add_person("mia", in_organization="member")
        mia = site.by("mia")
        with listening(mia) as told, listening(site) as all_told:
            move(site, "v0")
            assert told.until(lambda: len(told.events) == 1)
            restrict(site)
            move(site, "v1")
            assert all_told.until(lambda: ("alias:move", "production") in all_told.kinds())
            time.sleep(0.3)
            assert [event["after"] for _, event in told.events] == ["v0"]

    def test_a_registry_that_is_lost_ends_its_stream(self, site: Site, world: World) -> None:
        world.add_person("mia", in_organization="member")
        mia = site.by("mia")
        with listening(mia, f"?registry={ORGANIZATION}/Model") as told:
            restrict(site)
            move(site, "v0")
            assert told.ended.wait(SECONDS_MAX)
        assert told.events == []

    def test_a_deleted_person(self, site: Site, world: World) -> None:
        world.add_person("mia", in_organization="member")
        mia = site.by("mia")
        with listening(mia) as told:
            status, _ = site.ask("DELETE", "/api/v1/users/mia", headers=site.login)
            assert status == 204
            move(site, "v0")
            assert told.ended.wait(SECONDS_MAX)
        assert told.events == []

    def test_who_left_the_organization(self, site: Site, world: World) -> None:
        world.add_person("mia", in_organization="member")
        mia = site.by("mia")
        waiting = Waiting(mia)
        etag = move(site, "v0")
        waiting.start(etag)
        organization.remove_member(world.admin, ORGANIZATION, "mia")
        move(site, "v1")
        assert waiting.answer()[0] == 404


@dataclass
class Waiting:
    """One request that waits, in a thread."""

    site: Site
    seconds: int = 300
    """Longer than anybody waits here for the answer: it comes for a reason."""
    alias: str = "production"
    result: tuple[int, dict[str, str], bytes] | None = None

    def start(self, etag: str | None) -> Waiting:
        """The server has it wait, or has answered."""
        watchers = self.site.watchers
        assert watchers is not None
        before = watchers.joined
        self.begin(etag)
        assert until(lambda: watchers.joined > before or self.result is not None)
        return self

    def begin(self, etag: str | None) -> None:
        """The request is on its way."""
        self.thread = threading.Thread(target=self._ask, args=(etag,), daemon=True)
        self.thread.start()

    def _ask(self, etag: str | None) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.site.address).netloc, timeout=240)
        self.connection = connection
        headers = dict(self.site.login)
        if etag is not None:
            headers["If-None-Match"] = etag
        connection.request("GET", f"{ALIASES}/{self.alias}?wait={self.seconds}s", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        self.result = answer.status, dict(answer.headers), body
        connection.close()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        self.thread.join(SECONDS_MAX)
        assert self.result is not None
        return self.result


class TestWaiting:
    """`GET .../aliases/NAME?wait=55s` with `If-None-Match` answers when the alias moves."""

    def test_it_moves(self, site: Site) -> None:
        etag = move(site, "v0")
        waiting = Waiting(site).start(etag)
        move(site, "v2", "other")
        time.sleep(0.1)
        assert waiting.result is None
        new = move(site, "v1")
        status, headers, body = waiting.answer()
        assert (status, headers["etag"], json.loads(body)["version"]) == (200, new, "v1")

    def test_it_has_moved_already(self, site: Site) -> None:
        old = move(site, "v0")
        move(site, "v1")
        status, _, body = Waiting(site).start(old).answer()
        assert (status, json.loads(body)["version"]) == (200, "v1")

    def test_it_does_not_move(self, site: Site) -> None:
        etag = move(site, "v0")
        began = time.monotonic()
        status, headers, body = Waiting(site, seconds=1).start(etag).answer()
        assert (status, headers["etag"], body) == (304, etag, b"")
        assert time.monotonic() - began > 0.9

    def test_it_is_taken_off(self, site: Site) -> None:
        etag = move(site, "v0")
        waiting = Waiting(site).start(etag)
        assert site.ask("DELETE", f"{ALIASES}/production", headers=site.login)[0] == 204
        assert waiting.answer()[0] == 404

    def test_nobody_holds_it_yet(self, site: Site) -> None:
        """Without `If-None-Match`: until somebody holds it."""
        waiting = Waiting(site).start(None)
        assert waiting.result is None
        move(site, "v1")
        status, _, body = waiting.answer()
        assert (status, json.loads(body)["version"]) == (200, "v1")
        assert Waiting(site, seconds=1, alias="never").start(None).answer()[0] == 404

    def test_without_waiting(self, site: Site) -> None:
        etag = move(site, "v0")
        for header, status in (
            (etag, 304),
            (f'"99", W/{etag}', 304),
            ("*", 304),
            ('"99"', 200),
        ):
            found, _ = site.ask(
                "GET", f"{ALIASES}/production", headers={**site.login, "If-None-Match": header}
            )
            assert found == status, header

    @pytest.mark.parametrize("wait", ["0s", "301s", "x", "-1", "1h", "", "9" * 30])
    def test_bad_input(self, site: Site, wait: str) -> None:
        status, body = site.ask("GET", f"{ALIASES}/production?wait={wait}", headers=site.login)
        assert status == 422
        assert json.loads(body)["error"]["details"]["field"] == "wait"

    def test_the_past(self, site: Site) -> None:
        path = f"{ALIASES}/production?wait=1s&at=2026-01-01"
        assert site.ask("GET", path, headers=site.login)[0] == 422

    def test_the_collection_is_deleted(self, site: Site) -> None:
        waiting = Waiting(site).start(move(site, "v0"))
        collection = ALIASES.rpartition("/")[0]
        assert site.ask("DELETE", collection, headers=site.login)[0] == 204
        assert waiting.answer()[0] == 404


class TestMany:
    """A hundred who watch one alias learn of a move soon, for one look at the database."""

    def test_a_hundred(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        reads: list[Any] = []
        plain = operations.read_on

        def counted(*args: Any) -> Any:
            found = plain(*args)
            reads.append(found)
            return found

        monkeypatch.setattr(operations, "read_on", counted)
        assert site.watchers is not None
        etag = move(site, "v0")
        before = threading.active_count()
        waiting = [Waiting(site) for _ in range(50)]
        for each in waiting:
            each.begin(etag)
        place = f"?registry={ORGANIZATION}/Model&collection=Zoo&alias=production"
        streams = [Told(site, place) for _ in range(50)]
        threads = [threading.Thread(target=each.listen, daemon=True) for each in streams]
        for thread in threads:
            thread.start()
        assert all(stream.started.wait(SECONDS_MAX) for stream in streams)
        assert until(lambda: site.watchers.present == 100)  # type: ignore[union-attr]
        # Ours, and no thread of the server for each of them.
        assert threading.active_count() - before < 100 + 20
        reads.clear()
        move(site, "v1")
        assert {each.answer()[0] for each in waiting} == {200}
        assert streams[0].until(lambda: all(stream.events for stream in streams))
        assert sum(bool(found) for found in reads) == 1
        for stream in streams:
            stream.sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(SECONDS_MAX)


class TestBounds:
    """The number of watchers is bounded; who reads slowly is cut off; silence has a heartbeat."""

    def test_too_many(self, world: World, tmp_path: Path) -> None:
        link_version(world.admin, log_version(world.admin))
        secret = key.create_key(world.admin).secret
        application = wiring.Application(
            world.nobody, Signer(b"x" * 32), Settings(data=tmp_path, watchers_max=2)
        )
        server = HttpServer(application.router, on_stopping=application.begin_to_stop)
        application.open(server.address)
        server.start()
        site = Site(server.address, world, secret)
        try:
            with listening(site), listening(site):
                status, body = site.ask("GET", "/api/v1/events", headers=site.login)
                assert (status, json.loads(body)["error"]["code"]) == (503, "unavailable")
                status, _ = site.ask("GET", f"{ALIASES}/latest?wait=1s", headers=site.login)
                assert status == 503
                assert site.ask("GET", f"{ALIASES}/latest", headers=site.login)[0] == 200
            wait = f"{ALIASES}/latest?wait=1s"
            assert until(lambda: site.ask("GET", wait, headers=site.login)[0] == 200)
        finally:
            server.stop()

    def test_a_heartbeat(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(face, "HEARTBEAT_SECONDS", 0.2)
        with listening(site) as told:
            assert told.until(lambda: told.lines.count(": still here") >= 2)

    def test_a_heartbeat_notices_a_lost_key(
        self, site: Site, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(face, "HEARTBEAT_SECONDS", 0.2)
        world.add_person("mia", in_organization="member")
        mia = site.by("mia")
        with listening(mia) as told:
            organization.put_member(world.admin, ORGANIZATION, "mia", GroupRole.VIEWER)
            assert site.ask("DELETE", "/api/v1/users/mia", headers=site.login)[0] == 204
            assert told.ended.wait(SECONDS_MAX)

    def test_a_slow_reader(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who does not read is cut off; who reads hears all meanwhile."""
        monkeypatch.setattr(face, "SEND_SECONDS_MAX", 0.5)
        watchers = site.watchers
        assert watchers is not None
        headers = {**site.login, "Content-Type": "application/json"}
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        parts = urlsplit(site.address)
        slow.connect((parts.hostname, parts.port))
        login = site.login["Authorization"]
        slow.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n\r\n".encode()
        )
        assert slow.recv(4096).startswith(b"HTTP/1.1 200")
        with listening(site) as told:
            path = f"/api/v1/registries/{ORGANIZATION}/Model/collections/Zoo"
            for number in range(150):
                text = json.dumps({"description": f"{number} " + "x" * 30_000})
                assert site.ask("PATCH", path, text, headers)[0] == 200
                # Who keeps up is never sent what their socket does not take at once.
                assert told.until(lambda n=number: len(told.events) > n)  # type: ignore[misc]
            # The server has waited for the other one long enough.
            assert until(lambda: watchers.present == 1)
        slow.settimeout(SECONDS_MAX)
        read, everything = 0, 150 * 60_000
        try:
            while read < everything and (piece := slow.recv(1 << 20)):
                read += len(piece)
        except ConnectionResetError:
            pass
        slow.close()
        assert read < everything

    def test_the_server_stops(self, world: World, tmp_path: Path) -> None:
        """F7: streams and waits end cleanly, at once."""
        link_version(world.admin, log_version(world.admin))
        before = set(threading.enumerate())
        with serving(world, tmp_path) as site:
            told = Told(site)
            thread = threading.Thread(target=told.listen)
            thread.start()
            assert told.started.wait(SECONDS_MAX)
            etag = move(site, "v0")
            waiting = Waiting(site).start(etag)
        thread.join(SECONDS_MAX)
        assert told.ended.is_set()
        assert waiting.answer()[0] == 304
        assert "pulse" not in {each.name for each in set(threading.enumerate()) - before}
