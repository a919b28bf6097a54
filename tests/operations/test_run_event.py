"""Automations that wait for runs: states and metrics, judged from what the stream brings (14.2)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from byname.domain.automation import Action, ActionKind, Automation, ScopeKind
from byname.domain.event import RUN_EVENT_KIND, EventType
from byname.operations import automation, run, run_event, run_rewind
from byname.operations.automation import AutomationEdit, NewAutomation
from tests.support.runs import later, log, make_run, post
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World

METRIC = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": 1}


def entity(world: World, name: str) -> int:
    with world.admin.database.read() as tx:
        row = tx.one("SELECT id FROM entity WHERE name = :name", {"name": name})
    assert row is not None
    return int(row["id"])


def wait(world: World, event: EventType, told: dict[str, Any], **more: Any) -> Automation:
    """An automation of the whole team that waits for runs."""
    values: dict[str, Any] = {
        "name": f"a{len(told)}{event}",
        "scope_kind": ScopeKind.ENTITY,
        "scope_id": entity(world, TEAM),
    }
    text = json.dumps({"run_filter": json.dumps({"$and": []})} | told)
    return automation.create(
        world.admin,
        NewAutomation(**values | more, event=event, filter=text, action=Action(ActionKind.NOTHING)),
    )


def threshold(**change: Any) -> dict[str, Any]:
    return {"run_metric_filter": {"threshold_filter": METRIC | change}}


def losses(world: World, *values: Any, offset: int = 0) -> None:
    log(world.admin, [{"_step": offset + n, "loss": v} for n, v in enumerate(values)], offset)


def told(world: World) -> list[dict[str, Any]]:
    """What the history tells of runs, in order."""
    with world.admin.database.read() as tx:
        rows = tx.all(
            "SELECT after FROM history WHERE kind = :kind ORDER BY id", {"kind": RUN_EVENT_KIND}
        )
    return [json.loads(row["after"]) for row in rows]


def values(world: World) -> list[float]:
    return [each["value"] for each in told(world)]


class TestMetrics:
    """A condition is judged at every value, and fires once for each crossing."""

    def test_it_fires_once_for_each_crossing_over_posts_and_repeats(self, world: World) -> None:
        made = wait(world, EventType.RUN_METRIC, threshold())
        make_run(world.admin, display_name="night")
        losses(world, 0, 2, 3)
        losses(world, 0, 2, 3)  # The same lines again, as after a lost answer.
        losses(world, 4, 1, 5, offset=3)
        assert values(world) == [2, 5]
        first = told(world)[0]
        assert first["automation_ids"] == [made.id]
        assert (first["event"], first["metric"], first["step"]) == ("RUN_METRIC", "loss", 1)
        assert (first["run"], first["display_name"]) == ("abcd1234", "night")

    def test_an_average_spans_posts(self, world: World) -> None:
        wait(world, EventType.RUN_METRIC, threshold(agg_op="AVERAGE", window_size=3))
        make_run(world.admin)
        losses(world, 5, 0)
        losses(world, 0, offset=2)  # 5/3
        losses(world, 0, 9, offset=3)  # 0, 3
        assert values(world) == [0, 9]

    def test_changes_and_z_scores(self, world: World) -> None:
        change = {
            "name": "loss",
            "agg_op": None,
            "current_window_size": 1,
            "change_type": "ABSOLUTE",
        }
        change |= {"prior_window_size": 1, "change_dir": "DECREASE", "change_amount": 2}
        wait(world, EventType.RUN_METRIC_CHANGE, {"run_metric_filter": {"change_filter": change}})
        zscore = {"name": "loss", "window_size": 3, "threshold": 3, "change_dir": "INCREASE"}
        wait(world, EventType.RUN_METRIC_ZSCORE, {"run_metric_filter": {"zscore_filter": zscore}})
        make_run(world.admin)
        losses(world, 5, 3, 4, 50)
        assert [(e["event"], e["value"]) for e in told(world)] == [
            ("RUN_METRIC_CHANGE", 3),
            ("RUN_METRIC_ZSCORE", 50),
        ]

    def test_a_run_that_goes_back(self, world: World) -> None:
        """What is judged from then on is judged by the lines that stay."""
        wait(world, EventType.RUN_METRIC, threshold())
        wait(world, EventType.RUN_METRIC, threshold(agg_op="AVERAGE", window_size=3), name="avg")
        wait(world, EventType.RUN_STATE, {"run_state_filter": {"states": ["running"]}})
        made = make_run(world.admin)
        losses(world, 0, 0, 2, 2)
        post(world.admin, complete=True, exitcode=0)
        before = len(told(world))

        def go_back(step: int) -> list[tuple[str, Any]]:
            run_rewind.rewind(world.admin, TEAM, PROJECT, made.name, metric="_step", value=step)
            losses(world, 4, offset=step + 1)
            return [(each["event"], each.get("value")) for each in told(world)[before:]]

        # Behind 0, 0 the new value crosses the line, and the average of 0, 0, 4 does.
        found = [("RUN_STATE", None), ("RUN_METRIC", 4), ("RUN_METRIC", 4)]
        assert go_back(1) == found
        # Behind 0, 0, 4 it was crossed already; and the run was running already.
        assert go_back(2) == found

    def test_nested_names_and_what_is_no_number(self, world: World) -> None:
        wait(world, EventType.RUN_METRIC, threshold(name="train.loss"))
        make_run(world.admin)
        rows = [{"train": {"loss": value}} for value in ("NaN", True, None, "9", 2)]
        log(world.admin, rows)
        assert values(world) == [2]

    def test_only_runs_that_the_filter_lets_through(self, world: World) -> None:
        where = {"$and": [{"display_name": {"$contains": "night"}}]}
        wait(world, EventType.RUN_METRIC, threshold() | {"run_filter": json.dumps(where)})
        make_run(world.admin, display_name="day")
        losses(world, 2)
        assert told(world) == []
        run.upsert(
            world.admin,
            run.RunChange(entity=TEAM, project="training", name="abcd1234", display_name="nightly"),
        )
        losses(world, 3, offset=1)
        assert values(world) == [3]

    def test_a_filter_by_config(self, world: World) -> None:
        where = {"$and": [{"config.lr": {"$gt": 0.1}}, {"username": "admin"}]}
        wait(world, EventType.RUN_METRIC, threshold() | {"run_filter": json.dumps(where)})
        make_run(world.admin, config='{"lr": {"value": 0.5}}')
        losses(world, 2)
        assert values(world) == [2]

    def test_one_that_is_off_or_elsewhere_sees_nothing(self, world: World) -> None:
        made = wait(world, EventType.RUN_METRIC, threshold())
        automation.edit(world.admin, made.id, AutomationEdit(enabled=False))
        other = make_run(world.admin, "other", project="other")
        wait(
            world,
            EventType.RUN_METRIC,
            threshold(),
            name="project",
            scope_kind=ScopeKind.PROJECT,
            scope_id=other.project_id,
        )
        make_run(world.admin)
        losses(world, 2)
        assert told(world) == []

    def test_switched_on_anew_it_begins_anew(self, world: World) -> None:
        made = wait(world, EventType.RUN_METRIC, threshold())
        make_run(world.admin)
        losses(world, 2)
        automation.edit(world.admin, made.id, AutomationEdit(enabled=False))
        automation.edit(world.admin, made.id, AutomationEdit(enabled=True))
        losses(world, 3, offset=1)
        assert values(world) == [2, 3]


class TestStates:
    """R126 and protocol 14.2: RUNNING, FINISHED, FAILED; a crashed run has failed."""

    @pytest.fixture
    def waiting(self, world: World) -> Automation:
        states = {"run_state_filter": {"states": ["FINISHED", "FAILED"]}}
        return wait(
            world,
            EventType.RUN_STATE,
            states,
            scope_kind=ScopeKind.ENTITY,
            scope_id=entity(world, ORGANIZATION),
        )

    def test_a_run_that_ends(self, world: World, waiting: Automation) -> None:
        make_run(world.admin)
        losses(world, 1)
        post(world.admin, complete=True, exitcode=0)
        post(world.admin, complete=True, exitcode=0)
        assert [(e["event"], e["state"]) for e in told(world)] == [("RUN_STATE", "finished")]
        assert told(world)[0]["automation_ids"] == [waiting.id]

    def test_a_run_that_fails(self, world: World, waiting: Automation) -> None:
        make_run(world.admin)
        post(world.admin, complete=True, exitcode=1)
        assert [e["state"] for e in told(world)] == ["failed"]

    def test_a_run_that_falls_silent_has_crashed(self, world: World, waiting: Automation) -> None:
        make_run(world.admin)
        losses(world, 1)
        assert run_event.notice_silence(later(world.nobody, timedelta(minutes=4))) == 0
        assert told(world) == []
        after = later(world.nobody, timedelta(minutes=6))
        assert run_event.notice_silence(after) == 1
        assert run_event.notice_silence(after) == 0
        assert [e["state"] for e in told(world)] == ["crashed"]
        losses(world, 2, offset=1)  # It was only away.
        post(world.admin, complete=True, exitcode=0)
        assert [e["state"] for e in told(world)] == ["crashed", "finished"]

    def test_a_run_that_begins(self, world: World) -> None:
        wait(world, EventType.RUN_STATE, {"run_state_filter": {"states": ["RUNNING"]}})
        make_run(world.admin)
        losses(world, 1)
        assert [e["state"] for e in told(world)] == ["running"]


def watched(world: World) -> int:
    with world.admin.database.read() as tx:
        row = tx.one("SELECT count(*) AS n FROM run_watch")
    assert row is not None
    return int(row["n"])


class TestWhatIsRemembered:
    """What an automation has seen of a run goes with the run."""

    def test_a_run_that_is_deleted_is_forgotten(self, world: World) -> None:
        made = make_run(world.admin)
        make_run(world.admin, "other")
        wait(world, EventType.RUN_METRIC, threshold())
        line = {"wandb-history.jsonl": {"offset": 0, "content": ['{"_step": 0, "loss": 0.5}']}}
        post(world.admin, files=line)
        post(world.admin, "other", files=line)
        assert watched(world) == 2
        run.delete(world.admin, made.id)
        assert watched(world) == 1
