"""Two server processes on one data folder are one registry: names, numbers, one winner (C1 to C3)."""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.laws.registers import Call, is_linearizable, violations
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig
from tests.support.wire import Wire

CLIENTS = 8
CALLS = 20_000
ALIASES = ("production", "staging", "eu", "best")
OWN_VERSIONS = 3
"""Each client moves aliases to versions of its own, and never to where it put the alias last."""
REGISTRY = "wandb-registry-Model"
COLLECTION = "Zoo"
ROUNDS = 40

BY_NAME = """query ByName($entity: String!, $project: String!, $name: String!) {
  project(name: $project, entityName: $entity) {
    artifactCollectionMembership(name: $name) { versionIndex } } }"""
DEAF = """
import sys
from byname.store.database import Database
Database.revision = lambda self: 0
from byname.cli.main import main
sys.argv[0] = "byname"
main()
"""
"""A server that never notices what another process has committed."""


@dataclass
class Client:
    """One user who asks one server, one call after the other, and notes what was answered."""

    number: int
    username: str
    wire: Wire
    versions: dict[int, str]
    """Of its own versions, by number in the collection: their ids."""
    chance: random.Random
    calls: dict[str, list[Call]] = field(default_factory=lambda: {each: [] for each in ALIASES})
    last: dict[str, int | None] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def work(self, count: int) -> None:
        """So many calls, one after the other."""
        try:
            for _ in range(count):
                self._one(self.chance.choice(ALIASES))
        finally:
            self.wire.close()

    def _one(self, alias: str) -> None:
        act: Callable[[str], Call] = self.chance.choices(
            (self._resolve, self._look, self._get, self._move, self._put, self._set, self._group),
            (30, 20, 8, 22, 8, 6, 6),
        )[0]
        if self.chance.random() < 0.03:
            act = self._remove
        start = time.monotonic()
        call = act(alias)
        call = replace(call, start=start, end=time.monotonic(), what=f"{act.__name__} {alias}")
        if call.writes:
            self.last[alias] = call.value
        if call.revision is not None:
            self.seen[alias] = call.revision
        self.calls[alias].append(call)

    def _target(self, alias: str) -> int:
        return self.chance.choice([n for n in self.versions if n != self.last.get(alias)])

    def _rest(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        status, text = self.wire.request(
            method,
            f"/api/v1{path}",
            b"" if body is None else orjson.dumps(body),
            self.wire.headers | given,
        )
        return status, orjson.loads(text) if text else {}

    def _path(self, alias: str) -> str:
        return f"/registries/{ORGANIZATION}/Model/collections/{COLLECTION}/aliases/{alias}"

    def _resolve(self, alias: str) -> Call:
        ref = quote(f"{ORGANIZATION}/{REGISTRY}/{COLLECTION}:{alias}")
        status, body = self._rest("GET", f"/resolve?ref={ref}")
        return _read(status, body)

    def _look(self, alias: str) -> Call:
        data = self.wire.graphql(
            BY_NAME, entity=ORGANIZATION, project=REGISTRY, name=f"{COLLECTION}:{alias}"
        )
        found = data["project"]["artifactCollectionMembership"]
        return Call(0, 0, None if found is None else found["versionIndex"])

    def _get(self, alias: str) -> Call:
        return _read(*self._rest("GET", self._path(alias)))

    def _move(self, alias: str) -> Call:
        target = self._target(alias)
        self.wire.move(self.versions[target], ORGANIZATION, REGISTRY, COLLECTION, alias)
        return Call(0, 0, target, writes=True)

    def put(self, alias: str, target: int, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of putting the alias on that number."""
        return self._rest("PUT", self._path(alias), {"version": f"v{target}"}, **headers)

    def _put(self, alias: str) -> Call:
        target = self._target(alias)
        status, body = self.put(alias, target)
        return _written(status, body, target, ())

    def _set(self, alias: str) -> Call:
        target = self._target(alias)
        expected = self.seen.get(alias)
        headers = {"If_None_Match": "*"} if expected is None else {"If_Match": f'"{expected}"'}
        status, body = self.put(alias, target, **headers)
        if expected is None:
            return _written(status, body, target, (None,))
        return replace(_written(status, body, target, ()), expected_revision=expected)

    def _group(self, alias: str) -> Call:
        target = self._target(alias)
        holder = self.calls[alias][-1].value if self.calls[alias] else None
        move = {
            "collection": COLLECTION,
            "alias": alias,
            "version": f"v{target}",
            "expect": None if holder is None else f"v{holder}",
        }
        path = f"/registries/{ORGANIZATION}/Model/alias-moves"
        status, body = self._rest("POST", path, {"moves": [move]})
        made = body["aliases"][0] if status == 200 else body
        return _written(status, made, target, (holder,))

    def _remove(self, alias: str) -> Call:
        status, body = self._rest("DELETE", self._path(alias))
        if status == 204:
            return Call(0, 0, None, writes=True)
        assert status == 404, body
        return Call(0, 0, None)


def _number(version: str | None) -> int | None:
    return None if version is None else int(version.removeprefix("v"))


def _read(status: int, body: dict[str, Any]) -> Call:
    if status == 404:
        return Call(0, 0, None)
    assert status == 200, body
    return Call(0, 0, _number(body["version"]), body.get("revision"))


def _written(
    status: int, body: dict[str, Any], target: int, expected: tuple[int | None, ...]
) -> Call:
    if status in (409, 412):
        current = _number(body["error"]["details"]["current"])
        return Call(0, 0, current, expected=expected)
    assert status == 200, body
    assert body["version"] == f"v{target}"
    if expected:
        assert _number(body["previous"]) == expected[0]
    return Call(0, 0, target, body["revision"], writes=True, expected=expected)


@dataclass(frozen=True)
class Twins:
    """Two servers on one folder, and the id of a version by its number in the collection."""

    servers: tuple[Rig, Rig]
    versions: dict[int, str]
    keys: dict[str, str]

    def clients(self, seed: int) -> list[Client]:
        return [
            Client(
                number,
                f"user{number}",
                Wire(self.servers[number % 2].url, self.keys[f"user{number}"]),
                {n: self.versions[n] for n in self.versions if n % CLIENTS == number},
                random.Random(seed * CLIENTS + number),
            )
            for number in range(CLIENTS)
        ]

    def ledger(self, alias: str) -> list[tuple[str, int, int | None]]:
        """Who made each change of the alias, its revision and what it left, from the database."""
        with sqlite3.connect(self.servers[0].data / "byname.db") as database:
            rows = database.execute(
                "SELECT actor_name, revision, to_number FROM ledger WHERE alias = ? ORDER BY id",
                [alias],
            ).fetchall()
        return [tuple(row) for row in rows]

    def revisions(self) -> dict[str, int]:
        """Each alias's present revision."""
        return {alias: max((r[1] for r in self.ledger(alias)), default=0) for alias in ALIASES}


@contextmanager
def twins(folder: Path) -> Iterator[Twins]:
    rig = make_rig(folder)
    servers = (rig, rig.beside())
    try:
        for server in servers:
            server.start()
        keys = {f"user{n}": rig.add_person(f"user{n}", "admin") for n in range(CLIENTS)}
        keys["ann"] = rig.api_key
        wire = Wire(rig.url, rig.api_key)
        versions = {}
        for number in range(CLIENTS * OWN_VERSIONS):
            made = wire.log(
                TEAM,
                "training",
                f"m{number}",
                {"f": bytes([number])},
                client_id=f"client{number:058d}",
            )
            linked = wire.link(made["id"], ORGANIZATION, REGISTRY, COLLECTION)
            assert linked["versionIndex"] == number
            versions[number] = made["id"]
        wire.close()
        yield Twins(servers, versions, keys)
        for server in servers:
            assert server.stop() == 0, server.log.read_text()[-2000:]
    finally:
        for server in servers:
            server.kill()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with twins(tmp_path_factory.mktemp("twins")) as made:
        yield made


def at_once(work: list[Callable[[], Any]]) -> list[Any]:
    """What each came to, in threads that begin together."""
    gate = threading.Barrier(len(work))

    def begin(each: Callable[[], Any]) -> Any:
        gate.wait(240)
        return each()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


def run_clients(pair: Twins, seed: int, calls: int) -> dict[str, list[Call]]:
    """What all clients were answered, by alias; each write with the revision the ledger gave it."""
    before = pair.revisions()
    clients = pair.clients(seed)
    for client in clients:
        client.last = {alias: row[-1][2] for alias in ALIASES if (row := pair.ledger(alias))}
    at_once([lambda c=client: c.work(calls // CLIENTS) for client in clients])  # type: ignore[misc]
    return {alias: _numbered(pair, clients, alias, before[alias]) for alias in ALIASES}


def _numbered(pair: Twins, clients: list[Client], alias: str, before: int) -> list[Call]:
    rows = [row for row in pair.ledger(alias) if row[1] > before]
    values = dict(row[1:] for row in pair.ledger(alias))
    found = [Call(-1, -0.5, values[r], r, True) for r in range(1, before + 1)]
    for client in clients:
        made = iter([row[1:] for row in rows if row[0] == client.username])
        for call in client.calls[alias]:
            if not call.writes:
                found.append(call)
                continue
            revision, value = next(made)
            assert (call.revision or revision, call.value) == (revision, value)
            found.append(replace(call, revision=revision))
        assert next(made, None) is None, "the ledger has a change that nobody was told of"
    return found


class TestAliasesAreLinearizable:
    """C1: each alias is a linearizable register, also across processes.

    It is read, moved, removed, and moved by compare-and-set:
    20,000 operations by 8 clients against two servers on one data folder: no violation.
    """

    def test_no_read_is_stale_and_no_move_is_lost(self, pair: Twins) -> None:
        found = run_clients(pair, 1, CALLS)
        assert sum(len([c for c in calls if c.start > 0]) for calls in found.values()) == CALLS
        for calls in found.values():
            assert violations(calls) == []
            kinds = Counter(call.what.split()[0] for call in calls if call.start > 0)
            assert len(kinds) == 8, kinds
            refused = [c for c in calls if c.expected_revision is not None or c.expected]
            assert 0 < sum(c.writes for c in refused) < len(refused)

    def test_short_histories_pass_the_search_through_all_orders(self, pair: Twins) -> None:
        for seed in range(2, 7):
            for calls in run_clients(pair, seed, CLIENTS * 10).values():
                fresh = [c for c in calls if c.start > 0]
                old = [c for c in calls if c.start < 0]
                assert is_linearizable(fresh, len(old), old[-1].value if old else None)

    def test_a_server_that_does_not_notice_the_other_is_found(self, pair: Twins) -> None:
        deaf = pair.servers[0].beside(sys.executable, "-c", DEAF)
        try:
            deaf.start()
            # Where the two take turns by chance, a stale answer is not seen: then once more.
            for seed in range(7, 27):
                found = run_clients(replace(pair, servers=(pair.servers[0], deaf)), seed, 400)
                if any(violations(calls) for calls in found.values()):
                    break
            else:
                pytest.fail("no violation was found")
        finally:
            deaf.kill()


class TestOneWins:
    """C2: of N simultaneous compare-and-sets from one state exactly one wins."""

    def test_of_eight_compare_and_sets_one_wins(self, pair: Twins) -> None:
        clients = pair.clients(9)
        for revision in range(ROUNDS):
            headers = {"If_Match": f'"{revision}"'} if revision else {"If_None_Match": "*"}
            answers = at_once(
                [
                    lambda c=client, n=revision % OWN_VERSIONS, h=headers: c.put(  # type: ignore[misc]
                        "raced", list(c.versions)[n], **h
                    )
                    for client in clients
                ]
            )
            statuses = Counter(status for status, _ in answers)
            assert statuses == {200: 1, 412: CLIENTS - 1}
            winner = next(body for status, body in answers if status == 200)
            assert winner["revision"] == revision + 1
            told = {b["error"]["details"]["current"] for s, b in answers if s == 412}
            assert told == {winner["version"]}
        for client in clients:
            client.wire.close()


class TestNumbersFollow:
    """C3: N simultaneous links get N consecutive numbers."""

    def test_eight_links_get_eight_numbers(self, pair: Twins) -> None:
        clients = pair.clients(11)
        versions = list(pair.versions.values())
        for turn in range(ROUNDS // 2):
            name = f"Race{turn // OWN_VERSIONS}"
            first = turn % OWN_VERSIONS * CLIENTS
            chosen = versions[first : first + CLIENTS]
            made = at_once(
                [
                    lambda c=client, v=version, n=name: c.wire.link(  # type: ignore[misc]
                        v, ORGANIZATION, REGISTRY, n
                    )
                    for client, version in zip(clients, chosen, strict=True)
                ]
            )
            numbers = sorted(each["versionIndex"] for each in made)
            assert numbers == list(range(first, first + CLIENTS))
        for client in clients:
            client.wire.close()
