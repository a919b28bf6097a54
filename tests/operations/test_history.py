"""History: what happened stands there, once, with who did it; what was refused does not (I5, R188)."""

from __future__ import annotations

import csv
import io

import pytest

from byname.domain.errors import DomainError, Forbidden, NotFound, Unprocessable
from byname.domain.history import Cursor, Entry, Filter, parse_past, to_csv
from byname.domain.policy import Role
from byname.domain.project import Project
from byname.operations import (
    alias,
    check,
    collection,
    history,
    member,
    protected_alias,
    registry,
    trash,
)
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.version import VersionEdit
from tests.support.world import ORGANIZATION, REGISTRY, World, link_version, log_version

ZOO = Place(ORGANIZATION, REGISTRY, "Zoo")


def model(world: World) -> Project:
    return registry.get_by_name(world.admin, ORGANIZATION, "Model")


def kinds(world: World, wanted: Filter | None = None) -> list[str]:
    page = history.read(world.admin, model(world), wanted=wanted, limit=1000)
    return [each.kind for each in reversed(page.entries)]


def live(world: World) -> None:
    """A little of everything happens in the registry."""
    version = log_version(world.admin)
    place, _ = link_version(world.admin, version, aliases=["best"])
    collection.edit(world.admin, place.id, is_sequence=False, description="new")
    collection.edit(world.admin, place.id, is_sequence=False, name="Park")
    collection.edit_tags(world.admin, Place(ORGANIZATION, REGISTRY, "Park"), add=["eu"])
    versions.edit(world.admin, version.id, VersionEdit(description="d", add_tags=["t"]))
    world.add_person("mem", in_organization="member")
    member.put_named_user(world.admin, model(world).id, "mem", Role.MEMBER)
    member.put_named_user(world.admin, model(world).id, "mem", Role.ADMIN)
    member.remove_named_user(world.admin, model(world).id, "mem")
    registry.edit(world.admin, model(world).id, registry.RegistryEdit(restricted=True))
    protected_alias.create(world.admin, model(world).id, "production")
    protected_alias.end(world.admin, model(world).id, "production")
    collection.unlink(world.admin, version.id, place.id)
    trash.restore(world.admin, trash.list_page(world.admin, ORGANIZATION).items[0].id)
    collection.delete(world.admin, place.id, is_sequence=False)


class TestWhatIsRecorded:
    """R187, R188."""

    def test_everything_in_order(self, world: World) -> None:
        live(world)
        found = [kind for kind in kinds(world) if not kind.startswith("alias:")]
        assert found == [
            "collection:create",
            "link:create",
            "collection:update",
            "collection:rename",
            "collection:tag",
            "artifact:update",
            "artifact:tag",
            "member:set",
            "member:set",
            "member:remove",
            "registry:update",
            "protected_alias:create",
            "protected_alias:delete",
            "link:delete",
            "link:restore",
            "collection:delete",
        ]

    def test_entries_say_who_what_before_and_after(self, world: World) -> None:
        live(world)
        entries = history.read(world.admin, model(world), wanted=Filter(kind="member")).entries
        told = [(each.actor, each.face, each.subject, each.before, each.after) for each in entries]
        assert told == [
            ("admin", "sdk", "mem", "admin", None),
            ("admin", "sdk", "mem", "member", "admin"),
            ("admin", "sdk", "mem", None, "member"),
        ]

    def test_what_is_refused_leaves_no_entry(self, world: World) -> None:
        """I5."""
        version = log_version(world.admin)
        link_version(world.admin, version)
        before = kinds(world)
        outsider = world.add_person("out", in_organization="member")
        with pytest.raises(DomainError):
            alias.edit(outsider, version.id, add=[(ZOO, "best")])
        assert kinds(world) == before

    @pytest.mark.parametrize(
        "statement", ["UPDATE history SET actor_name = 'x'", "DELETE FROM history"]
    )
    def test_it_is_only_ever_added_to(self, world: World, statement: str) -> None:
        live(world)
        with (
            pytest.raises(Exception, match="only ever added to"),
            world.admin.database.write() as tx,
        ):
            tx.run(statement)


class TestReading:
    """Pages resume where they ended; filters; who may."""

    def test_pages_are_the_whole(self, world: World) -> None:
        live(world)
        whole = history.read(world.admin, model(world), limit=1000).entries
        seen: list[Entry] = []
        below: Cursor | None = None
        for _ in range(len(whole)):
            page = history.read(world.admin, model(world), below=below, limit=3)
            seen += page.entries
            below = page.next
            if below is None:
                break
        assert seen == whole
        oldest = history.audit(world.admin, ORGANIZATION, limit=20_000).entries
        ours = [each for each in oldest if each.project_id == model(world).id]
        assert ours == whole[::-1]

    def test_filters(self, world: World) -> None:
        live(world)
        assert set(kinds(world, Filter(kind="alias"))) == {"alias:add", "alias:remove"}
        assert kinds(world, Filter(kind="link:delete")) == ["link:delete"]
        assert kinds(world, Filter(alias="best"))[0] == "alias:add"
        assert kinds(world, Filter(actor="nobody")) == []
        assert kinds(world, Filter(until=0)) == []
        assert kinds(world, Filter(since=0)) == kinds(world)
        assert "link:create" in kinds(world, Filter(number=0))
        assert kinds(world, Filter(number=7)) == []

    def test_hidden_means_hidden(self, world: World) -> None:
        live(world)
        outsider = world.add_person("out", in_organization="member")
        with pytest.raises(NotFound):
            history.read(outsider, model(world))

    def test_the_audit_log_is_for_organization_admins(self, world: World) -> None:
        """R190."""
        other = world.add_person("mem", in_organization="member")
        stranger = world.add_person("stranger")
        with pytest.raises(Forbidden):
            history.audit(other, ORGANIZATION)
        with pytest.raises(NotFound):
            history.audit(stranger, ORGANIZATION)
        with pytest.raises(Unprocessable):
            history.audit(world.admin, ORGANIZATION, limit=20_001)
        found = {each.kind for each in history.audit(world.admin, ORGANIZATION).entries}
        assert "organization:set_member" in found


@pytest.mark.parametrize("risky", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "%0A"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(risky: str) -> None:
    """A15."""
    text = to_csv(["a"], [[risky]])
    ((_,), (cell,)) = list(csv.reader(io.StringIO(text)))
    assert cell == "'" + risky


def test_the_past_of_an_alias_is_read_from_the_right() -> None:
    past = parse_past("a@b@20260102T150405Z")
    assert past is not None
    assert past.alias == "a@b"
    assert parse_past("a@20261302T150405Z") is None


class TestCheck:
    """The whole is whole; whatever is changed behind the server's back is found."""

    def found(self, world: World, *, read_bytes: bool = True) -> list[str]:
        return [each.what for each in check.find_all(world.admin, read_bytes=read_bytes)]

    def test_all_is_well(self, world: World) -> None:
        live(world)
        log_version(world.admin, files={"f": b"x"})
        assert self.found(world) == []

    @pytest.mark.parametrize(
        ("statement", "heading"),
        [
            ("UPDATE ledger SET actor_name = 'eve' WHERE id = 2", "chain"),
            ("UPDATE ledger SET at = at - 1 WHERE id = 1", "chain"),
            ("DELETE FROM ledger WHERE id = (SELECT max(id) FROM ledger)", "ledger"),
            ("UPDATE alias SET membership_id = NULL WHERE name = 'latest'", "ledger"),
            ("UPDATE collection SET next_number = next_number + 1", "numbers"),
            ("UPDATE collection SET version_count = 9", "counts"),
            ("DELETE FROM blob", "bytes"),
        ],
    )
    def test_a_change_behind_its_back_is_found(
        self, world: World, statement: str, heading: str
    ) -> None:
        link_version(world.admin, log_version(world.admin), aliases=["best"])
        with world.admin.database.write() as tx:
            tx.run("DROP TRIGGER ledger_is_never_changed")
            tx.run("DROP TRIGGER ledger_is_never_shortened")
            tx.run(statement)
        assert heading in self.found(world)

    def test_bytes_that_are_gone_or_changed(self, world: World) -> None:
        log_version(world.admin, files={"f": b"contents"})
        with world.admin.database.read() as tx:
            row = tx.one("SELECT entity_id, sha256 FROM blob WHERE size_bytes = 8")
        assert row is not None
        (kept,) = world.admin.database.path.parent.rglob(f"*{row['sha256'][4:]}*")
        kept.chmod(0o600)
        kept.write_bytes(b"CONTENTS")
        assert self.found(world, read_bytes=False) == []
        assert self.found(world) == ["bytes"]
        kept.unlink()
        assert self.found(world, read_bytes=False) == ["bytes"]
