"""A filled registry is one that operations could have made, row for row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks import fill, goals
from benchmarks.targets import lookups

from byname.domain import metadata_index
from byname.operations import check
from byname.store.database import Database
from tests.support import world as worlds
from tests.support.world import World

VERSIONS = 120
POOL = 9


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    folder.mkdir()
    monkeypatch.setattr(worlds, "ORGANIZATION", fill.ORGANIZATION)
    monkeypatch.setattr(worlds, "TEAM", fill.TEAM)
    return worlds.make_world(folder)


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose registry was filled."""
    world = make(tmp_path / "filled", monkeypatch)
    fill.fill(tmp_path / "filled", VERSIONS, POOL)
    return world


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as tx:
        return [tuple(row) for row in tx.all(sql)]


HISTORY = (
    "SELECT c.name, h.kind, h.subject, h.number, h.names, h.before, h.face, h.organization_id"
    " IS NOT NULL, (SELECT l.alias || l.to_number FROM ledger l WHERE l.collection_id = c.id"
    " AND l.id > h.ledger_id ORDER BY l.id LIMIT 1) FROM history h"
    " JOIN collection c ON c.id = h.collection_id"
    " WHERE h.kind IN ('artifact:create', 'link:create') AND h.number < 2 ORDER BY c.name, h.id"
)
LEDGER = (
    "SELECT c.name, l.alias, l.revision, l.from_number, l.to_number, l.cause, l.actor_name, l.face"
    " FROM ledger l JOIN collection c ON c.id = l.collection_id WHERE l.to_number < 2"
    " AND c.name IN ('zoo_dataset', 'Zoo_Classifier_Models') ORDER BY c.name, l.id"
)


class TestRows:
    """What a registry that was filled has in its tables."""

    def test_they_are_those_of_operations(
        self, filled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The ledger and history of the first versions, and where one stands in the other."""
        done = make(tmp_path / "done", monkeypatch)
        for number in range(3):
            version = worlds.log_version(
                done.admin,
                "zoo_dataset",
                {"zoo_dataset": b"%d" % number},
                type_name=fill.TYPE,
                entity=fill.TEAM,
                project=fill.PROJECT,
            )
            aliases = ["build-0"] if number == 0 else []
            worlds.link_version(
                done.admin, version, fill.COLLECTION, aliases, entity=fill.ORGANIZATION
            )
        for sql in (LEDGER, HISTORY):
            ours = [row for row in rows(filled.nobody.database, sql) if row[0] != "zoo_candidates"]
            assert ours == rows(done.nobody.database, sql)
            assert len(ours) >= 4

    def test_nothing_is_wrong_with_them(self, filled: World) -> None:
        """What `byname check` finds is that there are no bytes, and nothing else."""
        found = list(check.find_all(filled.nobody))
        assert {each.what for each in found} == {"bytes"}
        assert len(found) == VERSIONS + POOL

    def test_metadata_is_found_by_its_values(self, filled: World) -> None:
        database = filled.nobody.database
        kept = rows(database, "SELECT path, sort, number, text, version_id FROM metadata_value")
        wanted = [
            (*each, version)
            for version, metadata in rows(database, "SELECT id, metadata FROM version")
            for each in metadata_index.kept(metadata)
        ]
        assert sorted(kept) == sorted(wanted)
        assert len(kept) == 2 * VERSIONS

    def test_history_lies_in_the_order_of_its_ids(self, filled: World) -> None:
        places = rows(filled.nobody.database, "SELECT ledger_id FROM history ORDER BY id")
        assert places == sorted(places)
        assert len(places) > 2 * VERSIONS

    def test_an_empty_pool(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        world = make(tmp_path / "few", monkeypatch)
        fill.fill(tmp_path / "few", fill.VERSIONS_MIN, 0)
        assert {each.what for each in check.find_all(world.nobody)} == {"bytes"}


def test_every_lookup_that_is_judged_can_be_asked() -> None:
    asked = lookups.by_operation(1_000, "", {}, {})
    judged = [name for names in goals.LOOKUPS.values() for name in names]
    assert list(asked) == judged
