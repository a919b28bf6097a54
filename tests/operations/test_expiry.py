"""Time to live (R165 to R168)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from byname.domain.errors import Unprocessable
from byname.domain.expiry import is_expired
from byname.operations import collection, expiry, trash
from byname.operations import version as versions
from byname.operations.context import Context
from tests.support.world import TEAM, World, holders, link_version, log_version

HOUR = 3600


def after(ctx: Context, seconds: float) -> Context:
    return replace(ctx, now=lambda: ctx.now() + int(seconds * 1_000_000))


def short_lived(ctx: Context, content: bytes = b"x", seconds: int = HOUR) -> int:
    version = log_version(ctx, files={"f": content})
    versions.edit(ctx, version.id, versions.VersionEdit(ttl_seconds=seconds))
    return version.id


@pytest.mark.parametrize(
    ("ttl", "now", "over"), [(None, 2**60, False), (10, 10_999_999, False), (10, 11_000_000, True)]
)
def test_it_counts_from_the_creation(ttl: int | None, now: int, over: bool) -> None:
    """R165."""
    assert is_expired(1_000_000, ttl, now) is over


class TestExpiry:
    """R165: deleted by the server itself, which stands in the ledger; and restorable (R164)."""

    def test_a_version_whose_time_is_over(self, world: World) -> None:
        first = log_version(world.admin, files={"f": b"first"})
        version_id = short_lived(world.admin)
        assert expiry.expire(after(world.nobody, HOUR - 10)) == 0
        assert expiry.expire(after(world.nobody, HOUR + 10)) == 1
        assert versions.get(world.admin, version_id) is None
        assert holders(world.admin, first.collection_id) == {"latest": 0}
        with world.admin.database.read() as tx:
            row = tx.one("SELECT * FROM ledger ORDER BY id DESC LIMIT 1")
        assert row is not None
        assert (row["cause"], row["actor_id"], row["actor_name"], row["face"]) == (
            "expire",
            None,
            "byname",
            "server",
        )

    def test_restored_it_lives_on(self, world: World) -> None:
        version_id = short_lived(world.admin)
        late = after(world.admin, HOUR + 10)
        expiry.expire(late)
        (found,) = trash.list_page(late, TEAM).items
        assert found.actor_name == "byname"
        trash.restore(late, found.id)
        assert expiry.expire(after(late, HOUR)) == 0
        back = versions.get(world.admin, version_id)
        assert back is not None
        assert back.ttl_seconds is None

    def test_changing_it_keeps_counting_from_creation(self, world: World) -> None:
        version_id = short_lived(world.admin, seconds=10 * HOUR)
        late = after(world.admin, 2 * HOUR)
        versions.edit(late, version_id, versions.VersionEdit(ttl_seconds=HOUR))
        assert expiry.expire(late) == 1

    def test_a_linked_version_never_expires(self, world: World) -> None:
        """R166: also when its time to live was left behind in some way."""
        version_id = short_lived(world.admin)
        version = versions.get(world.admin, version_id)
        assert version is not None
        place, _ = link_version(world.admin, version)
        with world.admin.database.write() as tx:
            tx.run("UPDATE version SET ttl_seconds = 1 WHERE id = ?", [version_id])
        assert expiry.expire(after(world.nobody, HOUR)) == 0
        assert versions.get(world.admin, version_id) is not None
        collection.unlink(world.admin, version_id, place.id)
        assert expiry.expire(after(world.nobody, HOUR)) == 1

    def test_many_in_one_run(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for n in range(5):
            short_lived(world.admin, bytes([n]))
        monkeypatch.setattr(expiry, "AT_ONCE", 2)
        monkeypatch.setattr(expiry, "EXPIRED_MAX", 3)
        late = after(world.nobody, HOUR + 60)
        assert expiry.expire(late) == 4
        assert expiry.expire(late) == 1


class TestSystemTypes:
    """R168."""

    @pytest.mark.parametrize("type_name", ["job", "run_table", "code", "wandb-history"])
    def test_they_take_none(self, world: World, type_name: str) -> None:
        version = log_version(world.admin, type_name=type_name)
        with pytest.raises(Unprocessable, match="no time to live"):
            versions.edit(world.admin, version.id, versions.VersionEdit(ttl_seconds=HOUR))
        new = versions.NewVersion(
            entity=TEAM,
            project="p",
            collection="m",
            type_name=type_name,
            digest="0" * 32,
            ttl_seconds=HOUR,
        )
        with pytest.raises(Unprocessable, match="no time to live"):
            versions.create(world.admin, new)
