"""The table of a collection's versions: sorted, filtered, read page by page both ways (R56, R177)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from byname.domain.collection import Collection
from byname.domain.errors import Unprocessable
from byname.domain.policy import Role
from byname.domain.version_table import Place, Sort
from byname.operations import collection as collections
from byname.operations import member, registry, version_table
from byname.operations import version as versions
from byname.operations.version_table import Table
from byname.store import version_table as rows
from tests.support.world import World, link_version, log_version


def fill(world: World, metadata: Sequence[dict[str, Any]]) -> Collection:
    """A collection with a version for each of these objects, larger from one to the next."""
    found = None
    for number, each in enumerate(metadata):
        made = log_version(world.admin, files={"w": b"%d" % number + b"." * number})
        versions.edit(world.admin, made.id, versions.VersionEdit(metadata=json.dumps(each)))
        found, _ = link_version(world.admin, made)
    assert found is not None
    again = collections.get(world.admin, found.id)
    assert again is not None
    return again


def numbers(table: Table) -> list[int]:
    return [line.membership.number for line in table.lines]


def walk(world: World, made: Collection, sort: str, first: int = 3) -> list[int]:
    """All pages forwards; on the way each page is reached from the next one again."""
    found: list[int] = []
    place: Place | None = None
    before: list[int] | None = None
    while True:
        table = version_table.read(
            world.admin, made, sort=Sort.parse(sort), place=place, first=first
        )
        assert (table.previous is None) == (before is None)
        if table.previous is not None:
            back = version_table.read(
                world.admin, made, sort=Sort.parse(sort), place=table.previous, first=first
            )
            assert numbers(back) == before
            assert back.next is not None
            assert numbers(
                version_table.read(
                    world.admin, made, sort=Sort.parse(sort), place=back.next, first=first
                )
            ) == numbers(table)
        found += numbers(table)
        before = numbers(table)
        if table.next is None:
            return found
        place = table.next


METADATA: list[dict[str, Any]] = [
    {"acc": 0.5},
    {"acc": 10},
    {},
    {"acc": 9},
    {"acc": None},
    {"acc": "high"},
    {"acc": 0.5},
    {"acc": {"deep": 1}, "acc.x": 3},
]


class TestSorting:
    """R177: sortable; R180: numbers sort as numbers (v10 after v9); lists are paged (R181)."""

    def test_by_number_both_ways(self, world: World) -> None:
        made = fill(world, [{}] * 12)
        assert walk(world, made, "+version", 5) == list(range(12))
        assert walk(world, made, "-version", 5) == list(reversed(range(12)))

    def test_by_size_and_time(self, world: World) -> None:
        made = fill(world, METADATA)
        for column in ("size", "at"):
            assert walk(world, made, f"+{column}") == list(range(8))
            assert walk(world, made, f"-{column}") == list(reversed(range(8)))

    def test_by_who_linked(self, world: World) -> None:
        made = fill(world, METADATA[:2])
        bob = world.add_person("bob", in_organization="member", in_team="member")
        model = registry.get_by_name(world.admin, "acme", "Model")
        member.add(world.admin, model.id, user_ids=[bob.who.user_id], role=Role.MEMBER)
        link_version(bob, log_version(bob, files={"w": b"bob"}))
        assert walk(world, made, "+by", 1) == [0, 1, 2]
        assert walk(world, made, "-by", 1) == [2, 1, 0]

    def test_by_a_metric_numbers_first_and_what_lacks_it_last(self, world: World) -> None:
        made = fill(world, METADATA)
        up = walk(world, made, "+metric:acc")
        assert up[:4] == [0, 6, 3, 1]
        assert up[4] == 5
        assert set(up[-2:]) == {2, 4}
        down = walk(world, made, "-metric:acc")
        assert [each for each in down if each in (0, 1, 3, 6)] == [1, 3, 6, 0]
        assert set(down[-2:]) == {2, 4}
        assert walk(world, made, "+metric:acc.x")[0] == 7

    def test_a_page_begins_where_a_version_was_that_has_left(self, world: World) -> None:
        made = fill(world, METADATA)
        before = version_table.read(world.admin, made, sort=Sort.parse("-size"), first=3)
        assert before.next is not None
        gone = before.lines[-1]
        collections.unlink(world.admin, gone.version.id, made.id)
        after = version_table.read(
            world.admin, made, sort=Sort.parse("-size"), place=before.next, first=3
        )
        assert numbers(after) == [4, 3, 2]
        with pytest.raises(Unprocessable, match="not there any more"):
            version_table.read(world.admin, made, sort=Sort.parse("-size"), place=Place(99))


class TestFiltering:
    """R177: filterable, on the server, together with order and pages."""

    def test_words_choose_versions(self, world: World) -> None:
        made = fill(world, METADATA)
        versions.edit(
            world.admin,
            version_table.read(world.admin, made).lines[0].version.id,
            versions.VersionEdit(add_tags=["night run"]),
        )
        for words, expected in [
            ("acc>=9", [3, 1]),
            ("acc=high", [5]),
            ('tag:"night run"', [7]),
            ("night", [7]),
            ("late", [7]),
            ("v2", [2]),
            ("acc>1 v1", [1]),
            ("nothing", []),
        ]:
            table = version_table.read(world.admin, made, words=words)
            assert numbers(table) == expected, words
            assert table.total == len(expected)
            assert (table.previous, table.next) == (None, None)
        page = version_table.read(
            world.admin, made, words="acc>0.1", sort=Sort.parse("+metric:acc"), first=2
        )
        assert numbers(page) == [0, 6]
        assert page.total == 4


class TestMetrics:
    """R56: metrics found in metadata can be compared across versions with *Show metrics*."""

    def test_lines_hold_the_metrics_asked_for(self, world: World) -> None:
        made = fill(world, METADATA)
        assert version_table.offered_metrics(world.admin, made) == ["acc", "acc.deep", "acc.x"]
        table = version_table.read(
            world.admin, made, sort=Sort.parse("+version"), metrics=["acc", "acc.x", "none"]
        )
        assert [line.metrics for line in table.lines][5] == ["high", None, None]
        assert [line.metrics for line in table.lines][7] == [None, 3, None]
        assert table.lines[0].linked_by is not None
        assert table.lines[0].linked_by.username == "admin"


@pytest.mark.parametrize("place", [None, Place(1), Place(1, before=True)])
@pytest.mark.parametrize("word", ["-size", "+size", "-at", "+at"])
def test_an_order_is_walked_in_its_index(world: World, word: str, place: Place | None) -> None:
    """A page of a collection with a million versions costs what a page costs; none is sorted."""
    made = fill(world, [{}, {}, {}])
    with world.nobody.database.read() as tx:
        statement = rows.statement_of(tx, made.id, None, Sort.parse(word), place, 50)
        assert statement is not None
        plan = [
            row["detail"]
            for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
        ]
    index = {"size": "membership_by_size", "at": "membership_by_time"}[word[1:]]
    assert any(step.startswith("SEARCH m USING") and index in step for step in plan), plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan
