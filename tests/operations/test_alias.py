"""Moving names: one holder, one ledger row for each change, all or nothing."""

from __future__ import annotations

import threading

import pytest

from byname.domain.errors import Forbidden, NotFound, Unprocessable
from byname.domain.version import Version
from byname.operations import alias, collection
from byname.operations.alias import Place
from byname.store import alias as alias_rows
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    World,
    holders,
    link_version,
    log_version,
)

ZOO = Place(ORGANIZATION, REGISTRY, "Zoo")
YARD = Place(ORGANIZATION, REGISTRY, "Yard")


@pytest.fixture
def two(world: World) -> tuple[Version, Version]:
    """Two versions, linked as v0 and v1 of the collection Zoo."""
    versions = (
        log_version(world.admin, files={"f": b"0"}),
        log_version(world.admin, files={"f": b"1"}),
    )
    for version in versions:
        link_version(world.admin, version)
    return versions


def zoo_holders(world: World) -> dict[str, int]:
    found = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:v0")
    return holders(world.admin, found.collection.id)


class TestAnAliasHasOneHolder:
    """R67, R70: adding an alias that another version holds moves it."""

    def test_it_moves(self, world: World, two: tuple[Version, Version]) -> None:
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        alias.edit(world.admin, two[1].id, add=[(ZOO, "best")])
        assert zoo_holders(world) == {"latest": 1, "best": 1}

    def test_two_who_move_it_at_once_leave_one_holder_and_a_whole_ledger(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """Edge case 1: readers never see zero or two holders."""
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        seen: list[int] = []
        errors: list[BaseException] = []
        done = threading.Event()

        def move(version: Version) -> None:
            try:
                for _ in range(50):
                    alias.edit(world.admin, version.id, add=[(ZOO, "best")])
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        def read() -> None:
            try:
                while not done.is_set():
                    found = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:best")
                    seen.append(found.membership.number)
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        movers = [threading.Thread(target=move, args=(version,)) for version in two]
        reader = threading.Thread(target=read)
        for thread in (reader, *movers):
            thread.start()
        for thread in movers:
            thread.join()
        done.set()
        reader.join()
        assert not errors
        assert seen
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []


class TestTheLedger:
    """Every change is a row; its revision grows by one; the present follows from it."""

    def test_rows_say_who_what_from_and_to(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        alias.edit(world.admin, two[1].id, add=[(ZOO, "best")])
        alias.edit(world.admin, two[1].id, remove=[(ZOO, "best")])
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        rows = [row for row in alias.read_ledger(world.admin, ZOO) if row.alias == "best"]
        assert [(r.revision, r.from_number, r.to_number, r.cause) for r in rows] == [
            (1, None, 0, "move"),
            (2, 0, 1, "move"),
            (3, 1, None, "remove"),
            (4, None, 0, "move"),
        ]
        assert {row.actor_name for row in rows} == {"admin"}
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []

    def test_a_change_that_changes_nothing_writes_nothing(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """R71."""
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        before = alias.read_ledger(world.admin, ZOO)
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        assert alias.read_ledger(world.admin, ZOO) == before

    @pytest.mark.parametrize("statement", ["UPDATE ledger SET to_number = 9", "DELETE FROM ledger"])
    def test_it_is_only_ever_added_to(
        self, world: World, two: tuple[Version, Version], statement: str
    ) -> None:
        before = alias.read_ledger(world.admin, ZOO)
        with pytest.raises(Exception, match="only ever added to"):
            with world.admin.database.write() as tx:
                tx.run(statement)
        assert alias.read_ledger(world.admin, ZOO) == before

    def test_it_notices_a_holder_that_was_changed_behind_its_back(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        with world.admin.database.write() as tx:
            tx.run("UPDATE alias SET membership_id = NULL WHERE name = 'latest'")
        with world.admin.database.read() as tx:
            assert len(alias_rows.disagreements(tx)) == 2

    def test_unlinking_ends_each_alias_and_hands_latest_on(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """R65, R160: one row each."""
        alias.edit(world.admin, two[1].id, add=[(ZOO, "best"), (ZOO, "eu")])
        zoo = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo").collection
        count = len(alias.read_ledger(world.admin, ZOO))
        collection.unlink(world.admin, two[1].id, zoo.id)
        rows = alias.read_ledger(world.admin, ZOO)[count:]
        assert sorted((r.alias, r.from_number, r.to_number) for r in rows) == [
            ("best", 1, None),
            ("eu", 1, None),
            ("latest", 1, 0),
        ]


class TestARefusedEditChangesNothing:
    """R52, R62, R72, R76, R77."""

    @pytest.mark.parametrize("bad", ["v0", "v12", "a/b", "a:b", "", "  ", "x" * 129, "\x00"])
    def test_a_forbidden_name(self, world: World, two: tuple[Version, Version], bad: str) -> None:
        before = alias.read_ledger(world.admin, ZOO)
        with pytest.raises(Unprocessable):
            alias.edit(world.admin, two[0].id, add=[(ZOO, "good"), (ZOO, bad)])
        assert alias.read_ledger(world.admin, ZOO) == before

    @pytest.mark.parametrize("good", ["v3-final", "V3", "best one", "ünïcode", "a.b_c-d", "v"])
    def test_names_that_only_look_odd_are_fine(
        self, world: World, two: tuple[Version, Version], good: str
    ) -> None:
        alias.edit(world.admin, two[0].id, add=[(ZOO, good)])
        found = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:{good}")
        assert found.membership.number == 0

    def test_added_and_removed_at_once(self, world: World, two: tuple[Version, Version]) -> None:
        with pytest.raises(Unprocessable, match="best"):
            alias.edit(world.admin, two[0].id, add=[(ZOO, "best")], remove=[(ZOO, "best")])

    def test_removing_what_another_holds(self, world: World, two: tuple[Version, Version]) -> None:
        alias.edit(world.admin, two[0].id, add=[(ZOO, "best")])
        with pytest.raises(NotFound, match="best"):
            alias.edit(world.admin, two[1].id, add=[(ZOO, "eu")], remove=[(ZOO, "best")])
        assert zoo_holders(world) == {"latest": 1, "best": 0}

    def test_one_of_two_collections_refuses(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        with pytest.raises(NotFound):
            alias.edit(world.admin, two[0].id, add=[(ZOO, "best"), (YARD, "best")])
        assert zoo_holders(world) == {"latest": 1}

    def test_a_version_that_is_not_in_the_collection(self, world: World) -> None:
        link_version(world.admin, log_version(world.admin))
        other = log_version(world.admin, files={"f": b"other"})
        with pytest.raises(NotFound, match="not in collection"):
            alias.edit(world.admin, other.id, add=[(ZOO, "best")])

    def test_more_than_a_hundred(self, world: World, two: tuple[Version, Version]) -> None:
        alias.edit(world.admin, two[0].id, add=[(ZOO, f"a{n}") for n in range(100)])
        with pytest.raises(Unprocessable, match="100"):
            alias.edit(world.admin, two[0].id, add=[(ZOO, "one-more")])
        assert "one-more" not in zoo_holders(world)

    def test_a_viewer(self, world: World, two: tuple[Version, Version]) -> None:
        """R69: the message names the role that is needed."""
        eve = world.add_person("eve", in_organization="member")
        with pytest.raises(Forbidden, match="member"):
            alias.edit(eve, two[0].id, add=[(ZOO, "best")])
        assert zoo_holders(world) == {"latest": 1}

    def test_an_outsider_cannot_tell_it_from_what_is_missing(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        out = world.add_person("out")
        texts = set()
        for place in (ZOO, Place(ORGANIZATION, REGISTRY, "None"), Place("nobody", "x", "Zoo")):
            with pytest.raises(NotFound) as refused:
                alias.edit(out, two[0].id, add=[(place, "best")])
            texts.add(
                refused.value.message.replace(f"{place.entity}/{place.project}", "P").replace(
                    place.collection, "C"
                )
            )
        assert len(texts) == 1


class TestScopeIsTheCollection:
    """R68, edge case 10."""

    def test_the_same_name_in_two_collections(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        yard, _ = link_version(world.admin, two[0], "Yard", ["best"])
        alias.edit(world.admin, two[1].id, add=[(ZOO, "best")])
        assert holders(world.admin, yard.id) == {"latest": 0, "best": 0}
        assert zoo_holders(world) == {"latest": 1, "best": 1}

    def test_who_may_not_see_the_source_may_edit_the_links_aliases(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """R75."""
        with world.admin.database.write() as tx:
            tx.run("UPDATE project SET default_role = 'member' WHERE kind = 'registry'")
        bob = world.add_person("bob", in_organization="member")
        alias.edit(bob, two[0].id, add=[(ZOO, "best")])
        assert zoo_holders(world)["best"] == 0
