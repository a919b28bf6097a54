"""Going back to an earlier step: in the run itself, and in a new one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.errors import Forbidden, NotFound, Unprocessable
from byname.domain.run import Run
from byname.operations import run, run_history, run_rewind
from byname.operations.context import Context
from tests.support.runs import get_run, log, make_run, post
from tests.support.world import PROJECT, TEAM, World


def rewind(ctx: Context, value: float, metric: str = "_step") -> Run:
    return run_rewind.rewind(ctx, TEAM, PROJECT, "abcd1234", metric=metric, value=value)


def history(world: World, made: Run) -> list[Any]:
    again = get_run(world.admin, made.id)
    return [json.loads(line) for line in run_history.rows(world.admin, again)]


def keys(world: World, made: Run) -> Any:
    return run_history.keys_of_many(world.admin, [made.id])[made.id]["keys"]


ROWS = [{"_step": n, "loss": n / 10} | ({"late": n} if n > 4 else {}) for n in range(10)]


class TestRewind:
    """Protocol 9.1: `resume_from` cuts the history behind a step; the run goes on from there."""

    @pytest.fixture
    def made(self, world: World) -> Run:
        made = make_run(world.admin)
        log(world.admin, ROWS)
        summary = json.dumps(ROWS[-1] | {"best": 7})
        post(
            world.admin,
            complete=True,
            exitcode=0,
            files={
                "output.log": {"content": ["one", "two"]},
                "wandb-summary.json": {"content": [summary]},
            },
        )
        return made

    def test_what_is_behind_is_gone(self, world: World, made: Run) -> None:
        again = rewind(world.admin, 3)
        assert (again.history_count, again.state, again.exit_code) == (4, "running", None)
        assert again.log_count == 2
        assert history(world, made) == ROWS[:4]
        assert set(keys(world, made)) == {"_step", "loss"}
        assert keys(world, made)["loss"]["typeCounts"] == [{"type": "number", "count": 4}]
        assert keys(world, made)["loss"]["previousValue"] == 0.3
        summary = json.loads(run.documents_of_many(world.admin, [made.id])[made.id][1])
        assert summary == {"_step": 3, "loss": 0.3, "best": 7}

    def test_it_goes_on_from_there(self, world: World, made: Run) -> None:
        again = rewind(world.admin, 3)
        new = [{"_step": 4, "loss": 9.0, "_timestamp": 1.5}]
        log(world.admin, new, offset=again.history_count)
        assert history(world, made) == [*ROWS[:4], *new]
        assert keys(world, made)["loss"]["typeCounts"] == [{"type": "number", "count": 5}]
        assert keys(world, made)["loss"]["previousValue"] == 9.0

    def test_the_last_step_cuts_nothing(self, world: World, made: Run) -> None:
        before = keys(world, made)
        assert rewind(world.admin, 9).history_count == 10
        assert keys(world, made) == before

    def test_where_two_wrote(self, world: World) -> None:
        made = make_run(world.admin)
        for who in (1.5, 2.5):
            log(world.admin, [{"_step": n, "_timestamp": n + who} for n in range(4)])
        rewind(world.admin, 1)
        assert sorted(row["_step"] for row in history(world, made)) == [0, 0, 1, 1]
        log(world.admin, [{"_step": 2, "_timestamp": 9.0}], offset=6)
        assert sorted(row["_step"] for row in history(world, made)) == [0, 0, 1, 1, 2]

    @pytest.mark.parametrize(
        ("value", "metric"), [(10, "_step"), (-1, "_step"), (1.5, "_step"), (1e300, "_step")]
    )
    def test_no_such_step(self, world: World, made: Run, value: float, metric: str) -> None:
        with pytest.raises(Unprocessable):
            rewind(world.admin, value, metric)
        assert history(world, made) == ROWS

    def test_another_metric(self, world: World, made: Run) -> None:
        with pytest.raises(Unprocessable, match="_step"):
            rewind(world.admin, 1, "loss")
        assert history(world, made) == ROWS

    def test_who_may_not(self, world: World, made: Run) -> None:
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        with pytest.raises(Forbidden):
            rewind(viewer, 1)
        with pytest.raises(NotFound):
            rewind(world.add_person("sue"), 1)
        assert history(world, made) == ROWS


class TestFork:
    """`fork_from`: a new run begins with the history of another one, up to a step."""

    @staticmethod
    def config(parent: Any, step: Any) -> str:
        return json.dumps({"_wandb": {"value": {"branch_point": {"run_id": parent, "step": step}}}})

    def test_the_history_is_copied(self, world: World) -> None:
        parent = make_run(world.admin)
        log(world.admin, ROWS)
        made = make_run(world.admin, "child", config=self.config("abcd1234", 6))
        assert get_run(world.admin, made.id).history_count == 7
        assert made.history_count == 7
        assert history(world, made) == ROWS[:7]
        assert keys(world, made)["late"] == {
            "typeCounts": [{"type": "number", "count": 2}],
            "monotonic": False,
            "previousValue": 6,
        }
        assert history(world, parent) == ROWS
        # Told once more, as after a lost answer, nothing is copied again.
        log(world.admin, ROWS[7:8], offset=7)
        make_run(world.admin, "child", config=self.config("abcd1234", 2))
        assert history(world, made) == ROWS[:7]

    def test_where_two_wrote(self, world: World) -> None:
        make_run(world.admin)
        for who in (1.5, 2.5):
            log(world.admin, [{"_step": n, "_timestamp": n + who} for n in range(4)])
        made = make_run(world.admin, "child", config=self.config("abcd1234", 1))
        assert sorted(row["_step"] for row in history(world, made)) == [0, 0, 1, 1]
        assert get_run(world.admin, made.id).history_count == 4

    @pytest.mark.parametrize(
        ("parent", "step", "error"),
        [
            ("other", 1, NotFound),
            ("child", 1, NotFound),
            ("abcd1234", 10, Unprocessable),
            ("abcd1234", -1, Unprocessable),
            ("abcd1234", "1", Unprocessable),
            (7, 1, Unprocessable),
        ],
    )
    def test_from_nowhere(
        self, world: World, parent: Any, step: Any, error: type[Exception]
    ) -> None:
        make_run(world.admin)
        log(world.admin, ROWS)
        with pytest.raises(error):
            make_run(world.admin, "child", config=self.config(parent, step))
        with world.nobody.database.read() as tx:
            assert tx.all("SELECT 1 FROM run WHERE name = 'child'") == []
