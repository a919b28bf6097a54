"""Time to live (R165 to R168)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.domain.expiry import TTL_INHERIT, TtlPolicy, is_expired
from byname.operations import collection, expiry, history, team, trash
from byname.operations import version as versions
from byname.operations.context import Context
from tests.support.world import (
    ORGANIZATION,
    TEAM,
    World,
    holders,
    link_version,
    log_version,
)

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


def lifetime(ctx: Context, version_id: int) -> tuple[int | None, bool]:
    """How long the version lives, and whether that is its team's default."""
    version = versions.get(ctx, version_id)
    assert version is not None
    return version.ttl_seconds, not version.ttl.own


def set_default(ctx: Context, seconds: int | None, *, admins_only: bool = False) -> None:
    expiry.set_policy(ctx, TEAM, TtlPolicy(seconds, admins_only))


class TestTeamDefault:
    """R165: a team default may exist; versions with their own setting ignore it."""

    def test_it_counts_from_creation_for_versions_without_a_time_of_their_own(
        self, world: World
    ) -> None:
        ctx = world.admin
        plain = log_version(ctx, files={"f": b"1"}).id
        own = short_lived(ctx, b"2", seconds=10 * HOUR)
        never = log_version(ctx, files={"f": b"3"}).id
        versions.edit(ctx, never, versions.VersionEdit(ttl_seconds=-2))
        assert lifetime(ctx, plain) == (None, True)
        set_default(ctx, HOUR)
        assert lifetime(ctx, plain) == (HOUR, True)
        assert lifetime(ctx, own) == (10 * HOUR, False)
        assert lifetime(ctx, never) == (None, False)
        assert expiry.expire(after(world.nobody, HOUR - 10)) == 0
        assert expiry.expire(after(world.nobody, HOUR + 10)) == 1
        assert versions.get(ctx, plain) is None
        assert expiry.expire(after(world.nobody, 11 * HOUR)) == 1
        assert versions.get(ctx, own) is None
        assert versions.get(ctx, never) is not None

    def test_a_version_may_go_back_to_it(self, world: World) -> None:
        version_id = short_lived(world.admin)
        set_default(world.admin, 5 * HOUR)
        versions.edit(world.admin, version_id, versions.VersionEdit(ttl_seconds=TTL_INHERIT))
        assert lifetime(world.admin, version_id) == (5 * HOUR, True)

    def test_it_is_for_versions_of_that_team_and_no_system_type(self, world: World) -> None:
        ctx = world.admin
        team.create_team(ctx, organization=ORGANIZATION, name="other", admins=["admin"])
        elsewhere = log_version(ctx, entity="other").id
        code = log_version(ctx, "source", type_name="code").id
        set_default(ctx, HOUR)
        assert lifetime(ctx, elsewhere) == (None, True)
        assert lifetime(ctx, code) == (None, True)
        assert expiry.expire(after(world.nobody, 2 * HOUR)) == 0

    @pytest.mark.parametrize("default_first", [True, False])
    def test_linking_switches_it_off_and_unlinking_does_not_bring_it_back(
        self, world: World, default_first: bool
    ) -> None:
        """R166, edge case 18."""
        ctx = world.admin
        version = log_version(ctx)
        if default_first:
            set_default(ctx, HOUR)
        place, _ = link_version(ctx, version)
        if not default_first:
            set_default(ctx, HOUR)
        assert lifetime(ctx, version.id) == (None, False)
        collection.unlink(ctx, version.id, place.id)
        assert lifetime(ctx, version.id) == (None, False)
        assert expiry.expire(after(world.nobody, 2 * HOUR)) == 0

    def test_a_linked_version_takes_none(self, world: World) -> None:
        """R167: also not that of its team."""
        version = log_version(world.admin)
        link_version(world.admin, version)
        set_default(world.admin, HOUR)
        for seconds in (HOUR, TTL_INHERIT):
            with pytest.raises(Conflict, match="unlink it everywhere first"):
                versions.edit(world.admin, version.id, versions.VersionEdit(ttl_seconds=seconds))

    def test_restored_a_version_lives_on(self, world: World) -> None:
        """R164."""
        version_id = log_version(world.admin).id
        set_default(world.admin, HOUR)
        late = after(world.admin, HOUR + 10)
        assert expiry.expire(late) == 1
        (found,) = trash.list_page(late, TEAM).items
        trash.restore(late, found.id)
        assert lifetime(world.admin, version_id) == (None, False)
        assert expiry.expire(after(late, HOUR)) == 0

    def test_it_is_told_in_the_audit_log(self, world: World) -> None:
        set_default(world.admin, HOUR)
        set_default(world.admin, HOUR)
        told = [
            entry.after
            for entry in history.audit(world.admin, ORGANIZATION).entries
            if entry.kind == "team:ttl"
        ]
        assert told == [{"default_seconds": HOUR, "admins_only": False}]


class TestWhoDecides:
    """R165: team Admins set the default and who may edit."""

    def test_admins_of_the_team_and_the_organization_decide(self, world: World) -> None:
        boss = world.add_person("boss", in_organization="admin")
        chief = world.add_person("chief", in_organization="member", in_team="admin")
        mem = world.add_person("mem", in_organization="member", in_team="member")
        colleague = world.add_person("colleague", in_organization="viewer")
        stranger = world.add_person("stranger")
        for ctx in (boss, chief):
            set_default(ctx, HOUR)
            set_default(ctx, None)
        for ctx in (mem, colleague):
            with pytest.raises(Forbidden, match="needs the role admin"):
                set_default(ctx, HOUR)
            assert expiry.get_policy(ctx, TEAM) == TtlPolicy()
        with pytest.raises(NotFound):
            set_default(stranger, HOUR)
        with pytest.raises(NotFound):
            expiry.get_policy(stranger, TEAM)

    @pytest.mark.parametrize("seconds", [0, -1, 2**60])
    def test_the_time_must_be_one(self, world: World, seconds: int) -> None:
        with pytest.raises(Unprocessable, match="is 1 to 1099511627775 seconds, not"):
            set_default(world.admin, seconds)

    def test_a_team_may_leave_it_to_its_admins(self, world: World) -> None:
        mem = world.add_person("mem", in_organization="member", in_team="member")
        version = log_version(mem)
        change = versions.VersionEdit(ttl_seconds=HOUR)
        set_default(world.admin, None, admins_only=True)
        with pytest.raises(Forbidden, match="leaves that to its admins"):
            versions.edit(mem, version.id, change)
        new = versions.NewVersion(
            entity=TEAM,
            project="p",
            collection="m",
            type_name="model",
            digest="0" * 32,
            ttl_seconds=HOUR,
        )
        with pytest.raises(Forbidden, match="leaves that to its admins"):
            versions.create(mem, new)
        versions.create(mem, replace(new, ttl_seconds=None))
        versions.edit(mem, version.id, versions.VersionEdit(description="still mine"))
        versions.edit(world.admin, version.id, change)
        set_default(world.admin, None)
        versions.edit(mem, version.id, versions.VersionEdit(ttl_seconds=-2))
        assert lifetime(mem, version.id) == (None, False)
