"""R120 over many versions: an index leads from a value in the metadata to its versions, to all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byname.domain import metadata_index as rules
from byname.domain.filter import VERSION_FIELDS
from byname.domain.filter_text import parse
from byname.operations import gc
from byname.operations import version as versions
from byname.operations.version import VersionEdit
from byname.store import metadata_index as rows
from byname.store import migration
from byname.store import search as search_rows
from byname.store.condition import VERSION_COLUMNS, Statement
from byname.store.database import Database, Transaction
from tests.support.world import World, log_version, make_world

LONG = "x" * rules.TEXT_LENGTH_MAX
TEXTS = ["", "a", "ab", "b", "é", LONG, LONG + "a", LONG + "b", "1", "true", '["a"]']
NUMBERS = [0, 1, -1, 0.5, 1e15, 2**53, 2**53 + 1, -0.0, 1.0]
SCALARS = st.sampled_from([*TEXTS, *NUMBERS, True, False, None])
SOME = SCALARS.filter(lambda value: value is not None)
STORED = st.sampled_from([*TEXTS, *NUMBERS, True, False, None, 1e300, 2**70, -(2**1100)])
KEYS = st.sampled_from(["a", "b", "a b", "ab"])
METADATA = st.dictionaries(
    KEYS,
    st.recursive(
        STORED,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
TESTS = ("$eq", "$gt", "$gte", "$lt", "$lte")


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """A condition on the metadata, such as people write."""
    path = "metadata." + ".".join(draw(st.lists(KEYS, min_size=1, max_size=2)))
    kind = draw(st.sampled_from(["one", "in", "exists", "size", "text", "list"]))
    if kind == "in":
        return {path: {"$in": draw(st.lists(SOME, min_size=1, max_size=3))}}
    if kind == "exists":
        return {path: {"$exists": draw(st.booleans())}}
    if kind == "size":
        return {path: {"$size": draw(st.integers(0, 3))}}
    if kind == "text":
        return {
            path: {draw(st.sampled_from(["$regex", "$contains"])): draw(st.sampled_from("abx"))}
        }
    if kind == "list":
        return {path: {"$eq": draw(st.lists(SOME, max_size=2))}}
    test = draw(st.sampled_from(TESTS))
    value = draw(SCALARS if test == "$eq" else st.sampled_from([*TEXTS, *NUMBERS, True]))
    return {path: {test: value}}


class Rollback(Exception):
    """Nothing of it is kept."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database in which a version may be made by one row."""
    made = make_world(tmp_path_factory.mktemp("shelf"))
    log_version(made.admin)
    yield made.nobody.database
    made.nobody.blobs.close()
    made.nobody.database.close()


def found(tx: Transaction, wanted: dict[str, Any], *, by_index: bool) -> list[int]:
    """Numbers of the versions of the first collection, found through the index or one by one."""
    node = parse(json.dumps(wanted), VERSION_FIELDS)
    statement = Statement(
        "SELECT m.number FROM membership m JOIN version v ON v.id = m.version_id"
        " WHERE m.number > -1"
    )
    if by_index:
        narrowing = rows.narrowing(tx, node)
        if narrowing is not None:
            statement.add(narrowing.text, *narrowing.values)
    assert node is not None
    statement.add(" AND (")
    statement.add_node(node, VERSION_COLUMNS)
    statement.add(") ORDER BY m.number")
    return [row["number"] for row in tx.all(statement.text, statement.values)]


class TestTheIndexMissesNone:
    """What the index leads to, asked the whole condition, is what a walk through all finds."""

    @settings(
        max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(many=st.lists(METADATA, min_size=1, max_size=5), wanted=conditions())
    def test_as_a_walk(
        self, shelf: Database, many: list[dict[str, Any]], wanted: dict[str, Any]
    ) -> None:
        with pytest.raises(Rollback), shelf.write() as tx:
            for number, metadata in enumerate(many, 100):
                text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
                version = tx.insert(
                    "INSERT INTO version (collection_id, state, digest, metadata, created_at,"
                    " updated_at) VALUES (1, 'committed', 'd', ?, 1, 1) RETURNING id",
                    [text],
                )
                rows.put(tx, version, None, text)
                tx.run(
                    "INSERT INTO membership (collection_id, version_id, number, created_at)"
                    " VALUES (1, ?, ?, 1)",
                    [version, number],
                )
            assert found(tx, wanted, by_index=True) == found(tx, wanted, by_index=False)
            raise Rollback

    def test_too_many_values_are_found_by_every_search(self, world: World) -> None:
        many = {"a": {str(n): n for n in range(rules.VALUES_MAX + 1)}}
        made = log_version(world.admin)
        versions.edit(world.admin, made.id, VersionEdit(metadata=json.dumps(many)))
        with world.nobody.database.read() as tx:
            row = tx.one("SELECT count(*) AS n FROM metadata_value")
            assert row is not None
            assert row["n"] == 1
            assert found(tx, {"metadata.a.200": 200}, by_index=True) == [0]
            assert found(tx, {"metadata.a.200": 201}, by_index=True) == []


def shown(database: Database) -> list[tuple[Any, ...]]:
    """All that the index holds."""
    with database.read() as tx:
        return [tuple(row) for row in tx.all("SELECT * FROM metadata_value ORDER BY 1, 2, 3, 4")]


class TestTheIndexIsKept:
    """It changes with the metadata, in the same transaction, and can be made anew."""

    def test_with_the_commit_an_edit_and_the_end(self, world: World) -> None:
        made = log_version(world.admin)
        assert shown(world.nobody.database) == []
        for metadata in ({"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {}):
            text = json.dumps(metadata)
            versions.edit(world.admin, made.id, VersionEdit(metadata=text))
            assert [row[:4] for row in shown(world.nobody.database)] == sorted(rules.kept(text))
        versions.edit(world.admin, made.id, VersionEdit(metadata='{"a": 1}'))
        versions.delete(world.admin, made.id, delete_aliases=True)
        assert shown(world.nobody.database)
        late = _later(world)
        gc.collect(late)
        assert shown(world.nobody.database) == []

    def test_a_database_made_before_is_filled(self, world: World, tmp_path: Path) -> None:
        made = log_version(world.admin)
        versions.edit(
            world.admin, made.id, VersionEdit(metadata='{"a": {"b": [1, "é"]}, "c": null}')
        )
        before = shown(world.nobody.database)
        assert len(before) == 5
        with world.nobody.database.write() as tx:
            tx.run("DELETE FROM metadata_value")
            tx.run(rows.FILL)
        assert shown(world.nobody.database) == before
        assert rows.FILL in migration.STEPS[1]
        assert tmp_path.exists()


def _later(world: World) -> Any:
    from dataclasses import replace

    return replace(world.admin, now=lambda: world.admin.now() + 20 * 24 * 3600 * 1_000_000)


@pytest.mark.parametrize(
    "condition",
    [
        {"metadata.a": 1},
        {"metadata.a": {"$gt": 0.5, "$lt": 2}},
        {"metadata.b": {"$in": ["x", 3, True]}},
        {"metadata.b": {"$exists": True}},
        {"metadata.b": {"$gte": "w"}},
        {"metadata.b": {"$regex": "^x"}},
    ],
)
@pytest.mark.parametrize("column", ["m.id", "v.created_at", "v.size_bytes"])
def test_a_rare_value_is_found_through_the_index(
    world: World, condition: dict[str, Any], column: str
) -> None:
    """With a million versions nobody waits for a value in the metadata to be found."""
    made = log_version(world.admin)
    versions.edit(world.admin, made.id, VersionEdit(metadata='{"a": 1, "b": "x"}'))
    node = parse(json.dumps(condition), VERSION_FIELDS)
    order = search_rows.Order(column, descending=True)
    with world.nobody.database.read() as tx:
        narrowing = rows.narrowing(tx, node)
        statement = search_rows.memberships_statement(
            search_rows.Scope([1, 2]), node, order, 101, few=False, narrowing=narrowing
        )
        plan = [
            row["detail"]
            for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
        ]
    assert any("membership_by_version" in step for step in plan), plan
    walks = [s for s in plan if s.startswith("SCAN") and not s.startswith("SCAN j")]
    assert not walks, plan
    assert any("SEARCH x USING PRIMARY KEY (path=? AND" in step for step in plan) or (
        "exists" in str(condition)
    ), plan


def test_a_common_value_is_not_gathered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many versions the newest are looked at one by one, until the page is full."""
    for number in range(3):
        made = log_version(world.admin, files={"f": bytes([number])})
        versions.edit(world.admin, made.id, VersionEdit(metadata=f'{{"a": 1, "b": {number}}}'))
    monkeypatch.setattr(rows, "GATHERED_MAX", 2)
    with world.nobody.database.read() as tx:
        common = parse(json.dumps({"metadata.a": 1}), VERSION_FIELDS)
        assert rows.narrowing(tx, common) is None
        both = parse(json.dumps({"metadata.a": 1, "metadata.b": 2}), VERSION_FIELDS)
        narrowing = rows.narrowing(tx, both)
        assert narrowing is not None
        assert rules.path_number(["b"]) in narrowing.values
