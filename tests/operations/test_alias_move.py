"""Compare-and-set, group moves, undo, and the past of a name (R70, R77, R88, R189)."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from byname.domain.errors import (
    Conflict,
    HolderChanged,
    NotFound,
    PreconditionFailed,
    Unprocessable,
)
from byname.domain.version import Version
from byname.operations import alias_move, collection, history, registry
from byname.operations.alias_move import Expected, Move
from byname.store import alias as alias_rows
from byname.store import ledger as ledger_rows
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    World,
    holders,
    link_version,
    log_version,
)


@pytest.fixture
def three(world: World) -> list[Version]:
    """v0, v1, v2 of Zoo and v0, v1, v2 of Yard."""
    made = [log_version(world.admin, files={"f": bytes([n])}) for n in range(3)]
    for version in made:
        link_version(world.admin, version, "Zoo")
        link_version(world.admin, version, "Yard")
    return made


def model(world: World) -> int:
    return registry.get_by_name(world.admin, ORGANIZATION, "Model").id


def move(world: World, *moves: Move) -> list[alias_move.Standing]:
    return alias_move.move(world.admin, model(world), moves)


def resolved(world: World, ref: str) -> int | None:
    try:
        found = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:{ref}")
    except NotFound:
        return None
    return found.membership.number


class TestCompareAndSet:
    """C2; edge case 2: a stale expectation changes nothing and is told the present holder."""

    @pytest.mark.parametrize(
        ("expected", "kind"),
        [
            (Expected(version="v1"), HolderChanged),
            (Expected(version=None), HolderChanged),
            (Expected(version="v1", revision=9), HolderChanged),
            (Expected(revision=9), PreconditionFailed),
            (Expected(held=False), PreconditionFailed),
        ],
    )
    def test_stale(
        self,
        world: World,
        three: list[Version],
        expected: Expected,
        kind: type[HolderChanged | PreconditionFailed],
    ) -> None:
        move(world, Move("Zoo", "production", "v0"))
        with pytest.raises(kind) as refusal:
            move(world, Move("Zoo", "production", "v2", expected))
        assert refusal.value.details["current"] == "v0"
        assert resolved(world, "production") == 0

    def test_holding(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "a", "v0", Expected(version=None)))
        move(world, Move("Zoo", "a", "v1", Expected(version="v0")))
        moved = move(world, Move("Zoo", "a", "v2", Expected(revision=2, held=True)))[0]
        assert (moved.number, moved.previous, moved.revision) == (2, 1, 3)
        move(world, Move("Zoo", "a", None, Expected(version="v2")))
        with pytest.raises(PreconditionFailed):
            move(world, Move("Zoo", "a", "v0", Expected(held=True)))

    def test_of_many_at_once_exactly_one_wins(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "production", "v0"))
        project_id, rounds, clients = model(world), 8, 8
        for turn in range(rounds):
            wins: list[int] = []
            barrier = threading.Barrier(clients)
            revision = turn + 1
            present = resolved(world, "production") or 0

            def attempt(
                number: int,
                wins: list[int] = wins,
                barrier: threading.Barrier = barrier,
                revision: int = revision,
                present: int = present,
            ) -> None:
                barrier.wait()
                target = f"v{(present + 1 + number % 2) % 3}"
                wanted = Move("Zoo", "production", target, Expected(revision=revision))
                try:
                    alias_move.move(world.admin, project_id, [wanted])
                except PreconditionFailed:
                    return
                wins.append(number)

            threads = [threading.Thread(target=attempt, args=(n,)) for n in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(wins) == 1
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []
            assert list(ledger_rows.breaks(tx, limit=10)) == []


class TestGroups:
    """Several aliases of several collections move together or not at all."""

    def test_one_failure_stops_all(self, world: World, three: list[Version]) -> None:
        move(world, Move("Yard", "eu", "v0"))
        with pytest.raises(HolderChanged):
            move(
                world,
                Move("Zoo", "eu", "v1"),
                Move("Yard", "eu", "v1", Expected(version="v2")),
            )
        assert resolved(world, "eu") is None
        done = move(
            world, Move("Zoo", "eu", "v1"), Move("Yard", "eu", "v1", Expected(version="v0"))
        )
        assert [(each.collection, each.number) for each in done] == [("Zoo", 1), ("Yard", 1)]

    def test_two_names_may_change_places(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "blue", "v0"), Move("Zoo", "green", "v1"))
        move(world, Move("Zoo", "blue", "green"), Move("Zoo", "green", "blue"))
        zoo = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo").collection.id
        assert holders(world.admin, zoo) == {"latest": 2, "blue": 1, "green": 0}

    def test_the_same_twice_is_refused(self, world: World, three: list[Version]) -> None:
        with pytest.raises(Unprocessable):
            move(world, Move("Zoo", "a", "v0"), Move("Zoo", "a", "v1"))

    @pytest.mark.parametrize("bad", [Move("No", "a", "v0"), Move("Zoo", "a", "v9")])
    def test_what_is_not_there(self, world: World, three: list[Version], bad: Move) -> None:
        with pytest.raises(NotFound):
            move(world, Move("Zoo", "fine", "v0"), bad)
        assert resolved(world, "fine") is None


class TestUndo:
    """Undoing is a change like any other: a new row, and only from the revision that was seen."""

    def undo(self, world: World, revision: int) -> alias_move.Standing:
        return alias_move.undo(world.admin, model(world), "Zoo", "a", revision)

    def test_there_and_back(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "a", "v0"))
        move(world, Move("Zoo", "a", "v1"))
        assert self.undo(world, 2).number == 0
        assert self.undo(world, 3).number == 1
        with pytest.raises(HolderChanged):
            self.undo(world, 3)
        assert resolved(world, "a") == 1
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []

    def test_of_the_first_change_takes_it_off(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "a", "v0"))
        assert self.undo(world, 1).number is None

    def test_to_a_version_that_left(self, world: World, three: list[Version]) -> None:
        move(world, Move("Zoo", "a", "v0"))
        move(world, Move("Zoo", "a", "v1"))
        zoo = collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo").collection.id
        collection.unlink(world.admin, three[0].id, zoo)
        with pytest.raises(Conflict, match="not there any more"):
            self.undo(world, 2)


class TestThePast:
    """R189: as of a time, so many holders ago, and who held it when."""

    def test_holders_ago(self, world: World, three: list[Version]) -> None:
        for number in (0, 1, 1, 2):
            move(world, Move("Zoo", "a", f"v{number}"))
        move(world, Move("Zoo", "a", None))
        move(world, Move("Zoo", "a", "v2"))
        found = [resolved(world, f"a~{n}") for n in range(4)]
        assert found == [2, 1, 0, None]
        move(world, Move("Zoo", "a", None))
        assert resolved(world, "a~1") == 2
        assert resolved(world, "latest~1") == 1
        for odd in ("a~", "a~x", "a~99999", "~1", "b~1", "a~1~1", "a@", "a@now", "@", "~"):
            assert resolved(world, odd) is None

    def test_as_of_a_time(self, world: World, three: list[Version]) -> None:
        clock = itertools.count(4_000_000_000_000_000, 1_000_000)
        ctx = replace(world.admin, now=lambda: next(clock))
        project_id = model(world)
        for number in (0, 1, None, 2):
            target = None if number is None else f"v{number}"
            alias_move.move(ctx, project_id, [Move("Zoo", "a", target)])
        project = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        zoo = collection.get_in(world.admin, project, "Zoo")
        rows, held, following = history.holders_of(world.admin, project, zoo, "a")
        assert following is None
        assert [(each.number, each.until is None) for each in held] == [
            (2, True),
            (1, False),
            (0, False),
        ]
        times = [row.at for row in reversed(rows)]
        for at, expected in zip(times, (0, 1, None, 2), strict=True):
            assert resolved(world, f"a@{at:%Y%m%dT%H%M%S}Z") == expected
        before = times[0] - timedelta(seconds=1)
        assert resolved(world, f"a@{before:%Y%m%dT%H%M%S}Z") is None
        assert resolved(world, f"latest@{before:%Y%m%dT%H%M%S}Z") == 2
        assert alias_move.get(world.admin, project, zoo, "a", at=times[1]).number == 1
        first, held_first, following = history.holders_of(world.admin, project, zoo, "a", limit=2)
        second, held_second, last = history.holders_of(
            world.admin, project, zoo, "a", below=following, limit=2
        )
        assert (first + second, held_first + held_second, last) == (rows, held, None)

    @pytest.mark.parametrize("name", ["a@b", "a~1", "@", "~"])
    def test_their_signs_are_no_part_of_a_name(
        self, world: World, three: list[Version], name: str
    ) -> None:
        with pytest.raises(Unprocessable):
            move(world, Move("Zoo", name, "v0"))
