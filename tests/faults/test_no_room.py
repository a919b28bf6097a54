"""When the disk takes no more: a clear refusal, reads go on, and it works again by itself (F1)."""

from __future__ import annotations

import resource
from pathlib import Path

from byname.store.database import Database
from tests.support.rig import ORGANIZATION, TEAM, make_rig
from tests.support.wire import Refusal, Wire

REGISTRY = "wandb-registry-Model"
ROOM_BYTES = 1_000_000


def limit(pid: int, size: int | None) -> None:
    """No file of the process may grow beyond `size` bytes; None lifts that."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def test_no_room_for_bytes_nor_for_rows(tmp_path: Path) -> None:
    """F1: upload and commit are refused; nothing of them is left; later ones succeed."""
    rig = make_rig(tmp_path)
    rig.start()
    try:
        assert rig.process is not None
        pid = rig.process.pid
        wire = Wire(rig.url, rig.api_key)
        made = wire.log(TEAM, "p", "small", {"f": b"1"}, client_id="a")
        wire.link(made["id"], ORGANIZATION, REGISTRY, "Zoo", ("production",))

        limit(pid, ROOM_BYTES)
        refused: Refusal | None = None
        try:
            wire.log(TEAM, "p", "large", {"f": bytes(4 * ROOM_BYTES)}, client_id="b")
        except Refusal as refusal:
            refused = refusal
        assert refused is not None
        assert refused.status == 507, refused
        assert b"room" in refused.body
        assert list((tmp_path / "incoming").iterdir()) == []

        # Rows: the log of the database reaches the limit sooner or later.
        told: list[Refusal] = []
        for n in range(3000):
            try:
                wire.link(made["id"], ORGANIZATION, REGISTRY, f"Zoo {n}", (f"alias {n}",))
            except Refusal as refusal:
                told.append(refusal)
                break
        assert told, "the database never reached the limit"
        assert told[0].status in (413, 507), told[0]
        assert "room" in str(told[0].body)
        found = wire.resolve(ORGANIZATION, REGISTRY, "Zoo:production")
        assert found is not None
        assert found["artifact"]["id"] == made["id"]

        limit(pid, None)
        wire.link(made["id"], ORGANIZATION, REGISTRY, "After", ("production",))
        wire.log(TEAM, "p", "large", {"f": bytes(4 * ROOM_BYTES)}, client_id="b")
        wire.close()
        assert rig.stop() == 0
    finally:
        rig.kill()
    database = Database(tmp_path / "byname.db")
    assert database.problems() == []
    database.close()
