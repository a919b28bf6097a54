"""Making, changing, listing and deleting runs."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.project import Project
from byname.operations import run
from byname.operations.run import RunChange
from byname.store import project as project_rows
from byname.store import run as run_rows
from tests.support.runs import get_run, later, make_run, post
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)


def project_of(world: World, name: str = PROJECT) -> Project:
    with world.nobody.database.read() as tx:
        found = project_rows.find_by_name(tx, TEAM, name)
    assert found is not None
    return found


def documents(world: World, run_id: int) -> tuple[str, str]:
    return run.documents_of_many(world.admin, [run_id])[run_id]


class TestUpsert:
    """Protocol 12.2: create or update, null keeps, safe to repeat."""

    def test_a_run_and_its_project_are_made(self, world: World) -> None:
        made, inserted = run.upsert(world.admin, RunChange(entity=TEAM, project="new", name="r1"))
        assert inserted
        assert project_of(world, "new").id == made.project_id
        assert made.state == "running"
        assert re.fullmatch(r"[a-z]+-[a-z]+-1", made.display_name)
        assert documents(world, made.id) == ("{}", "{}")
        assert make_run(world.admin, "r2", project="new").display_name.endswith("-2")

    def test_null_keeps_what_is_there(self, world: World) -> None:
        first = make_run(
            world.admin,
            display_name="mine",
            notes="n",
            config='{"lr": {"value": NaN}}',
            summary='{"loss": 1}',
            tags=["b", "a", "b"],
            group="g",
            job_type="train",
            host="box",
        )
        again, inserted = run.upsert(
            world.admin, RunChange(entity=TEAM, project=PROJECT, name="abcd1234", notes="m")
        )
        assert not inserted
        assert again.id == first.id
        assert (again.display_name, again.notes, again.tags) == ("mine", "m", ("b", "a"))
        assert (again.group, again.job_type, again.host) == ("g", "train", "box")
        assert documents(world, first.id) == ('{"lr": {"value": NaN}}', '{"loss": 1}')

    def test_by_id(self, world: World) -> None:
        made = make_run(world.admin)
        changed, inserted = run.upsert(
            world.admin, RunChange(id=made.id, display_name="other", tags=[], summary='{"a": 2}')
        )
        assert (changed.id, inserted, changed.display_name) == (made.id, False, "other")
        assert documents(world, made.id)[1] == '{"a": 2}'
        with pytest.raises(NotFound):
            run.upsert(world.admin, RunChange(id=made.id + 1))

    def test_names_are_made_when_none_is_given(self, world: World) -> None:
        one, two = (make_run(world.admin, None) for _ in range(2))  # type: ignore[arg-type]  # That is the point.
        assert re.fullmatch(r"[a-z0-9]{8}", one.name)
        assert one.name != two.name

    def test_no_entity_is_ones_own_and_no_project_uncategorized(self, world: World) -> None:
        ann = world.add_person("ann")
        made, _ = run.upsert(ann, RunChange(name="r"))
        with world.nobody.database.read() as tx:
            project = project_rows.find(tx, made.project_id)
        assert project is not None
        assert project.place == "ann/uncategorized"

    def test_where_nothing_is_logged(self, world: World) -> None:
        viewer = world.add_person("eve", in_organization="member", in_team="viewer")
        colleague = world.add_person("carl", in_organization="member")
        stranger = world.add_person("sue")
        with pytest.raises(NotFound, match="entity nobody not found"):
            make_run(world.admin, entity="nobody")
        for ctx in (viewer, colleague):
            with pytest.raises(Forbidden):
                make_run(ctx)
        with pytest.raises(NotFound):
            make_run(stranger)
        with pytest.raises(Unprocessable, match="is an organization"):
            make_run(world.admin, entity=ORGANIZATION)
        for ctx, entity in ((world.admin, ORGANIZATION), (world.admin, TEAM)):
            with pytest.raises(Unprocessable):
                make_run(ctx, entity=entity, project=REGISTRY)
        with pytest.raises(Unauthenticated):
            make_run(world.nobody)
        with world.nobody.database.read() as tx:
            assert tx.all("SELECT id FROM run") == []
            assert project_rows.find_by_name(tx, TEAM, PROJECT) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "a/b"},
            {"config": "[]"},
            {"config": "nonsense"},
            {"summary": "1"},
            {"tags": [""]},
            {"tags": ["x"] * 201},
            {"display_name": "x" * 513},
            {"group": "a\0"},
            {"notes": "\ud800"},
            {"state": "asleep"},
            {"project": "a/b"},
        ],
    )
    def test_bad_values_change_nothing(self, world: World, change: dict[str, Any]) -> None:
        with pytest.raises(Unprocessable):
            make_run(world.admin, **change)
        with world.nobody.database.read() as tx:
            assert tx.all("SELECT id FROM run") == []
            assert tx.all("SELECT id FROM project WHERE kind = 'project'") == []


class TestReading:
    """Who may see a project sees its runs; to others they do not exist."""

    def test_find(self, world: World) -> None:
        made = make_run(world.admin)
        project = project_of(world)
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        found = run.find(viewer, project, "abcd1234")
        assert found is not None
        assert found.id == made.id
        assert run.find(stranger, project, "abcd1234") is None
        assert run.find(world.nobody, project, "abcd1234") is None
        for odd in ("other", "", "\ud800", "x" * 10_000, "a\0"):
            assert run.find(viewer, project, odd) is None
        assert run.count(stranger, project) == 0
        assert list(run.list_page(stranger, project).items) == []

    def test_pages_in_order(self, world: World) -> None:
        made = [make_run(world.admin, f"r{n}").id for n in range(7)]
        project = project_of(world)
        for order, expected in (
            ("+created_at", made),
            ("-created_at", made[::-1]),
            ("+loss", made),
        ):
            seen: list[int] = []
            after = None
            while True:
                page = run.list_page(world.admin, project, order=order, after=after, first=3)
                seen += [each.id for each in page.items]
                after = page.end_cursor
                if not page.has_next:
                    break
            assert seen == expected
        assert run.count(world.admin, project) == 7
        with pytest.raises(Unprocessable):
            run.list_page(world.admin, project, after="nonsense")

    def test_filters_go_on_behind_what_they_leave_out(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "SCAN", 4)
        for number in range(20):
            make_run(world.admin, f"r{number}", config=json.dumps({"n": {"value": number}}))
        project = project_of(world)
        wanted = '{"config.n": {"$gte": 15}}'
        first = run.list_page(world.admin, project, filter_text=wanted, first=3)
        assert [each.name for each in first.items] == ["r15", "r16", "r17"]
        assert first.has_next
        second = run.list_page(
            world.admin, project, filter_text=wanted, first=3, after=first.end_cursor
        )
        assert [each.name for each in second.items] == ["r18", "r19"]
        assert not second.has_next
        assert run.count(world.admin, project, wanted) == 5
        assert run.count(world.admin, project, '{"username": "admin"}') == 20
        assert run.count(world.admin, project, '{"state": "finished"}') == 0
        for read in (run.count, run.list_page):
            with pytest.raises(Unprocessable):
                read(world.admin, project, filter_text='{"secret": 1}')


class TestState:
    """States by silence, by posts and by hand."""

    def test_a_silent_run_reads_as_crashed_and_comes_back(self, world: World) -> None:
        made = make_run(world.admin)
        then = later(world.admin, timedelta(minutes=6))
        assert get_run(then, made.id).state == "crashed"
        assert run.count(then, project_of(world), '{"state": "crashed"}') == 1
        with world.nobody.database.read() as tx:
            stored = run_rows.find(tx, made.id)
        assert stored is not None
        assert stored.state == "running"
        post(then)
        assert get_run(then, made.id).state == "running"

    def test_by_hand(self, world: World) -> None:
        made = make_run(world.admin)
        run.set_state(world.admin, made.id, "failed")
        assert get_run(world.admin, made.id).state == "failed"
        run.set_state(world.admin, made.id, "pending")
        with pytest.raises(Conflict):
            run.set_state(world.admin, made.id, "finished")
        assert get_run(world.admin, made.id).state == "pending"
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        with pytest.raises(Forbidden):
            run.set_state(viewer, made.id, "failed")
        assert run.id_of(viewer, TEAM, PROJECT, "abcd1234") == made.id
        with pytest.raises(NotFound):
            run.id_of(viewer, TEAM, PROJECT, "other")

    def test_stop_is_told_once_asked_until_the_end(self, world: World) -> None:
        made = make_run(world.admin)
        assert post(world.admin) is False
        run.stop(world.admin, made.id)
        assert get_run(world.admin, made.id).stop_requested
        assert post(world.admin) is True
        assert post(world.admin, complete=True, exitcode=255) is False
        ended = get_run(world.admin, made.id)
        assert (ended.state, ended.exit_code, ended.stop_requested) == ("killed", 255, False)
        run.stop(world.admin, made.id)
        assert post(world.admin) is False


class TestDelete:
    """A deleted run is hidden and its name is free; on request its versions go too."""

    def test_delete(self, world: World) -> None:
        made = make_run(world.admin)
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        with pytest.raises(Forbidden):
            run.delete(viewer, made.id)
        with pytest.raises(NotFound):
            run.delete(stranger, made.id)
        run.delete(world.admin, made.id)
        assert run.find(world.admin, project_of(world), "abcd1234") is None
        with pytest.raises(NotFound):
            run.delete(world.admin, made.id)
        with pytest.raises(NotFound):
            post(world.admin)
        assert make_run(world.admin).id != made.id

    def test_its_versions_stay_or_go(self, world: World) -> None:
        kept, gone = make_run(world.admin, "kept"), make_run(world.admin, "gone")
        first = log_version(world.admin, files={"f": b"1"}, run="kept")
        second = log_version(world.admin, files={"f": b"2"}, run="gone")
        run.delete(world.admin, kept.id)
        run.delete(world.admin, gone.id, delete_artifacts=True)
        with world.nobody.database.read() as tx:
            rows = tx.all("SELECT id, state FROM version ORDER BY id")
        assert {row["id"]: row["state"] for row in rows} == {
            first.id: "committed",
            second.id: "deleted",
        }

    def test_a_linked_version_keeps_the_run(self, world: World) -> None:
        made = make_run(world.admin)
        link_version(world.admin, log_version(world.admin, run="abcd1234"))
        with pytest.raises(Conflict):
            run.delete(world.admin, made.id, delete_artifacts=True)
        assert get_run(world.admin, made.id).id == made.id
