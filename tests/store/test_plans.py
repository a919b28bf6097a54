"""Every statement of the hot paths is an index search, so that cost stays flat as versions grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from byname.domain.errors import NotFound
from byname.domain.expiry import TtlPolicy
from byname.domain.history import Filter, Sort
from byname.operations import (
    alias,
    alias_move,
    collection,
    content,
    expiry,
    gc,
    graph,
    history,
    listing,
    manifest,
    protected_alias,
    registry,
    trash,
)
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.alias_move import Move
from byname.store import health
from byname.store.database import Database, Parameters, Row, Transaction
from tests.support.runs import make_run
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    TEAM,
    World,
    begin_version,
    link_version,
    log_version,
)

# Walks that are bounded by something small: one IN list, or the rows of one version; and the indexes
# of what is still to be purged and delivered, which are lists of things to do.
ALLOWED = (
    "SCAN CONSTANT ROW",
    "SCAN json_each",
    "SCAN v USING INDEX version_to_purge",
    "SCAN d USING INDEX team_with_ttl",
    "SCAN x USING INDEX execution_due",
)


class Spy(Transaction):
    """Asks for the plan of each statement before it runs it."""

    plans: dict[str, list[str]]

    def _look(self, sql: str, parameters: Any) -> None:
        if sql.startswith("INSERT") and "SELECT" not in sql:
            # Its plan lists the checks of foreign keys, which run only after a violation.
            return
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
        found = self.plans.setdefault(sql, [])
        found += [row["detail"] for row in rows]

    def one(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> Row | None:
        self._look(sql, parameters)
        return super().one(sql, parameters)

    def all(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> list[Row]:
        self._look(sql, parameters)
        return super().all(sql, parameters)

    def run(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> int:
        self._look(sql, parameters)
        return super().run(sql, parameters)

    def insert(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> int:
        self._look(sql, parameters)
        return super().insert(sql, parameters)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The plans of all statements that run from now on, by statement."""
    found: dict[str, list[str]] = {}
    Spy.plans = found
    monkeypatch.setattr("byname.store.database.Transaction", Spy)
    return found


@contextmanager
def watched(plans: dict[str, list[str]]) -> Iterator[None]:
    """What runs inside must not read any table from end to end."""
    plans.clear()
    yield
    assert plans, "nothing ran"
    for sql, steps in plans.items():
        for step in steps:
            assert not (step.startswith("SCAN") and not step.startswith(ALLOWED)), (
                f"{step}\nis a walk through a whole table, in\n{sql}"
            )
            assert "AUTOMATIC" not in step, f"{step}\nmakes an index of its own, in\n{sql}"


def test_hot_paths_are_index_searches(world: World, plans: dict[str, list[str]]) -> None:
    zoo = Place(ORGANIZATION, REGISTRY, "Zoo")
    one = log_version(world.admin, files={"f": b"1"})
    two = log_version(world.admin, files={"f": b"2"})
    link_version(world.admin, one, aliases=["production"])
    member = world.add_person("mem", in_organization="member")
    with watched(plans):
        for ref in ("production", "v0", "latest", one.digest):
            collection.resolve_reference(member, f"{REGISTRY}/Zoo:{ref}")
    with watched(plans):
        place, _ = link_version(world.admin, two, aliases=["production", "eu"])
    with watched(plans):
        alias.edit(world.admin, one.id, add=[(zoo, "production")])
    with watched(plans):
        alias.edit(world.admin, one.id, remove=[(zoo, "production")])
    with watched(plans):
        collection.unlink(world.admin, two.id, place.id)
    with watched(plans):
        begun = begin_version(world.admin, files={"f": b"3"})
        manifest.commit(world.admin, begun.id)
    with watched(plans):
        content.list_files(world.admin, one, through=None)
    with watched(plans):
        versions.delete(world.admin, begun.id, delete_aliases=True)


def test_the_jobs_of_the_server_are_index_searches(
    world: World, plans: dict[str, list[str]]
) -> None:
    """R163, R165: their cost follows from what there is to do, not from all there ever was."""
    one = log_version(world.admin, files={"f": b"1"})
    versions.edit(world.admin, one.id, versions.VersionEdit(ttl_seconds=1))
    begin_version(world.admin, files={"f": b"2"})
    late = replace(world.admin, now=lambda: world.admin.now() + 8 * 24 * 3600 * 1_000_000)
    with watched(plans):
        expiry.set_policy(world.admin, TEAM, TtlPolicy(3600))
    with watched(plans):
        expiry.expire(late)
    with watched(plans):
        gc.collect(replace(world.admin, now=lambda: world.admin.now() + 20 * 24 * 3600 * 1_000_000))
    with watched(plans):
        list(gc.plan(late))


def test_the_lineage_graph_is_index_searches(world: World, plans: dict[str, list[str]]) -> None:
    """R149."""
    make_run(world.admin, "train")
    one = log_version(world.admin, files={"f": b"1"}, run="train")
    link_version(world.admin, one)
    with watched(plans):
        graph.around_version(world.admin, f"{REGISTRY}/Zoo:v0")


def test_the_trash_is_index_searches(world: World, plans: dict[str, list[str]]) -> None:
    """R164."""
    one = log_version(world.admin, files={"f": b"1"})
    place, _ = link_version(world.admin, one)
    collection.delete(world.admin, place.id, is_sequence=False)
    with watched(plans):
        (found,) = trash.list_page(world.admin, ORGANIZATION).items
    with watched(plans):
        trash.restore(world.admin, found.id)


def test_names_and_their_past_are_index_searches(world: World, plans: dict[str, list[str]]) -> None:
    """Protected aliases, compare-and-set, history and reading as of a time, at any size."""
    link_version(world.admin, log_version(world.admin))
    project = registry.get_by_name(world.admin, ORGANIZATION, "Model")
    zoo = collection.get_in(world.admin, project, "Zoo")
    plans.clear()
    protected_alias.create(world.admin, project.id, "production")
    alias_move.move(world.admin, project.id, [Move("Zoo", "production", "v0")])
    history.read(world.admin, project)
    history.read(world.admin, project, zoo)
    history.holders_of(world.admin, project, zoo, "production")
    for ref in ("production~1", "production@20260102T150405Z", "latest@20260102T150405Z"):
        with pytest.raises(NotFound):
            collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:{ref}")
    walks = [
        (sql, plan)
        for sql, details in plans.items()
        for plan in details
        if plan.startswith("SCAN") and not plan.startswith(("SCAN (", "SCAN x", "SCAN CONSTANT"))
    ]
    assert any("FROM history h" in sql and "FROM ledger l" in sql for sql in plans)
    assert walks == []


def test_what_pages_tell_of_the_last_change_is_found_by_indexes(
    world: World, plans: dict[str, list[str]]
) -> None:
    """The last change of each collection of a list, the last name of each version, what waits."""
    place, membership = link_version(world.admin, log_version(world.admin), aliases=("best",))
    with watched(plans):
        assert listing.last_changes_of_collections(world.admin, [place.id])
        assert listing.last_names_of_memberships(world.admin, [membership.id])
        with world.nobody.database.read() as tx:
            health.pending_deliveries(tx)
    plans.clear()
    for sort in (Sort.READ, Sort.REFUSED):
        history.audit_newest(world.admin, ORGANIZATION, wanted=Filter(sort=sort))
    steps = [each for sql, found in plans.items() if "FROM refusal f" in sql for each in found]
    assert any("USING INDEX refusal_by_organization" in each for each in steps)
    # What remains are walks through the few rows that a page is put together from.
    walks = [each for each in steps if each.startswith("SCAN")]
    assert [each for each in walks if not each.startswith(("SCAN (subquery", "SCAN x"))] == []


def test_the_spy_sees_a_walk(world: World, plans: dict[str, list[str]]) -> None:
    database: Database = world.nobody.database
    with pytest.raises(AssertionError, match="walk through a whole table"), watched(plans):
        with database.read() as tx:
            tx.all("SELECT * FROM version WHERE description = 'x'")
