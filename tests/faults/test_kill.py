"""Nothing acknowledged is lost when the whole server is killed at random moments (D1 to D4, I1, I2)."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from byname.blobs.local import LocalBlobStore
from byname.store import alias as alias_rows
from byname.store.database import Database
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig
from tests.support.wire import Refusal, Unanswered, Wire

KILLS = 50
CLIENTS = 6
LIFE_SECONDS = (0.15, 0.9)
REGISTRY = "wandb-registry-Model"
COLLECTION = "Zoo"


@dataclass
class Client:
    """One client, and what it was told."""

    rig: Rig
    name: str
    logged: dict[str, int] = field(default_factory=dict)
    """Version number by version id, as acknowledged by the commit."""
    linked: dict[str, int] = field(default_factory=dict)
    """Number in the collection by version id, as acknowledged by the link."""
    holder: str | None = None
    """Which version holds the client's own alias for certain ..."""
    maybe: str | None = None
    """... or perhaps this one, whose move was not answered."""
    moves: int = 0
    failures: list[str] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        wire = Wire(self.rig.url, self.rig.api_key)
        count = 0
        while not stop.is_set():
            count += 1
            body = f"{self.name} {count} {secrets.token_hex(4)}".encode()
            client_id = secrets.token_hex(32)
            version_id = self._until_done(stop, partial(self._log, wire, body, client_id))
            if version_id is None:
                break
            if self._until_done(stop, partial(self._link, wire, version_id)) is None:
                break
            for _ in range(3):
                chosen = random.choice(list(self.linked))
                if self._until_done(stop, partial(self._move, wire, chosen)) is None:
                    break
        wire.close()

    def _until_done(self, stop: threading.Event, act: Callable[[], str]) -> str | None:
        """Repeat a request whose outcome is not known, as the SDK does, until nobody waits for it.

        On a busy machine no life of the server may be long enough for it, until the last one.
        """
        while True:
            try:
                result = act()
            except Unanswered:
                if stop.is_set():
                    return None
                time.sleep(0.05)
            except Refusal as refusal:
                self.failures.append(str(refusal))
                return None
            else:
                return result

    def _log(self, wire: Wire, body: bytes, client_id: str) -> str:
        made = wire.log(TEAM, "kill", self.name, {"weights": body}, client_id=client_id)
        version_id: str = made["id"]
        if "versionIndex" in made:
            known = self.logged.setdefault(version_id, made["versionIndex"])
            if known != made["versionIndex"]:
                self.failures.append(f"{version_id} was v{known}, is v{made['versionIndex']}")
        return version_id

    def _link(self, wire: Wire, version_id: str) -> str:
        number = wire.link(version_id, ORGANIZATION, REGISTRY, COLLECTION)["versionIndex"]
        known = self.linked.setdefault(version_id, number)
        if known != number:
            self.failures.append(f"{version_id} was linked as v{known}, then as v{number}")
        return version_id

    def _move(self, wire: Wire, version_id: str) -> str:
        self.maybe = version_id
        wire.move(version_id, ORGANIZATION, REGISTRY, COLLECTION, f"of-{self.name}", "production")
        self.holder, self.maybe = version_id, None
        self.moves += 1
        return version_id


@pytest.mark.timeout(1_800)
def test_fifty_kills_lose_nothing(tmp_path: Path) -> None:
    """D1, D2, D3, D4, I1, I2: 50 kills of the process group under six concurrent clients."""
    rig = make_rig(tmp_path)
    starts = [rig.start()]
    clients = [Client(rig, f"client{n}") for n in range(CLIENTS)]
    stop = threading.Event()
    threads = [threading.Thread(target=client.work, args=(stop,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for kill in range(KILLS + 1):
            time.sleep(random.uniform(*LIFE_SECONDS))
            # Lives so short that nothing is ever acknowledged in them, as on a slow machine, show
            # nothing: there is at least one acknowledgement for each.
            end = time.monotonic() + 240
            while acknowledged(clients) <= kill:
                assert time.monotonic() < end, "nothing is acknowledged any more"
                time.sleep(0.01)
            if kill < KILLS:
                rig.kill()
                starts.append(rig.start())
        stop.set()
        for thread in threads:
            thread.join(240)
        check_everything_acknowledged_is_there(rig, clients)
        assert rig.stop() == 0
    finally:
        stop.set()
        rig.kill()
        for thread in threads:
            thread.join(240)
    check_nothing_half_made_is_left(tmp_path, clients)
    print(
        f"{KILLS} kills, {acknowledged(clients)} acknowledged, "
        f"median start {sorted(starts)[len(starts) // 2]:.2f} s"
    )
    assert acknowledged(clients) > KILLS


def acknowledged(clients: list[Client]) -> int:
    """How often any client was told that something is done."""
    return sum(len(each.logged) + len(each.linked) + each.moves for each in clients)


def check_everything_acknowledged_is_there(rig: Rig, clients: list[Client]) -> None:
    """Each client finds what it was told, by the names it was told."""
    wire = Wire(rig.url, rig.api_key)
    for client in clients:
        assert not client.failures
        for version_id, number in client.logged.items():
            found = wire.resolve(TEAM, "kill", f"{client.name}:v{number}")
            assert found is not None
            assert found["artifact"]["id"] == version_id
            assert found["artifact"]["state"] == "COMMITTED"
            (edge,) = found["files"]["edges"]
            assert wire.get(edge["node"]["directUrl"]).startswith(client.name.encode())
        for version_id, number in client.linked.items():
            found = wire.resolve(ORGANIZATION, REGISTRY, f"{COLLECTION}:v{number}")
            assert found is not None
            assert found["artifact"]["id"] == version_id
        if client.holder is not None:
            found = wire.resolve(ORGANIZATION, REGISTRY, f"{COLLECTION}:of-{client.name}")
            assert found is not None
            assert found["artifact"]["id"] in (client.holder, client.maybe)
    wire.close()


def check_nothing_half_made_is_left(folder: Path, clients: list[Client]) -> None:
    """The database is whole; numbers have no gap; no row names bytes that are not there."""
    database = Database(folder / "byname.db")
    blobs = LocalBlobStore(folder)
    assert database.problems() == []
    with database.read() as tx:
        assert alias_rows.disagreements(tx) == []
        for row in tx.all(
            "SELECT c.name, c.next_number, c.version_count, count(m.id) AS n,"
            " coalesce(max(m.number), -1) AS top FROM collection c"
            " LEFT JOIN membership m ON m.collection_id = c.id GROUP BY c.id"
        ):
            assert row["n"] == row["next_number"] == row["version_count"] == row["top"] + 1
        ledger = tx.all("SELECT * FROM ledger ORDER BY id")
        by_alias: dict[tuple[int, str], int | None] = {}
        for row in ledger:
            key = (row["collection_id"], row["alias"])
            assert by_alias.get(key) == row["from_number"]
            by_alias[key] = row["to_number"]
        committed = tx.all("SELECT id, manifest_id FROM version WHERE state = 'committed'")
        assert len(committed) >= sum(len(client.logged) for client in clients)
        for version in committed:
            assert version["manifest_id"] is not None
        for row in tx.all(
            "SELECT p.entity_id, e.sha256 FROM entry e JOIN version v ON v.id = e.version_id"
            " JOIN collection c ON c.id = v.collection_id JOIN project p ON p.id = c.project_id"
            " WHERE v.state = 'committed'"
        ):
            assert blobs.exists(row["entity_id"], row["sha256"])
        for row in tx.all("SELECT entity_id, sha256 FROM blob"):
            assert blobs.exists(row["entity_id"], row["sha256"])
    blobs.close()
    database.close()
