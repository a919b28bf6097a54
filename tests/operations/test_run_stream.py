"""What a run sends while it works: kept under its numbers, counted right, and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byname.domain.errors import Forbidden, NotFound, TooLarge, Unprocessable
from byname.domain.run import Run
from byname.operations import run, run_history
from tests.support.runs import get_run, log, make_run, post
from tests.support.world import World


def keys(world: World, made: Run) -> dict[str, Any]:
    return run_history.keys_of_many(world.admin, [made.id])[made.id]


def steps(lines: list[str]) -> list[int]:
    return [json.loads(line)["_step"] for line in lines]


def output(*lines: str, offset: int = 0) -> dict[str, Any]:
    return {"output.log": {"offset": offset, "content": list(lines)}}


class TestLinesStandUnderTheirNumbers:
    """Protocol 9.3: `offset` is the number of a line; what is there is overwritten."""

    def test_counts(self, world: World) -> None:
        made = make_run(world.admin)
        post(
            world.admin,
            files={
                "wandb-history.jsonl": {"offset": 0, "content": ['{"_step":0}', '{"_step":1}']},
                "wandb-events.jsonl": {"offset": 0, "content": ['{"system.cpu":1}']},
                "wandb-summary.json": {"offset": 0, "content": ['{"_step":1}']},
                **output("a", "b", "c"),
            },
        )
        seen = get_run(world.admin, made.id)
        assert (seen.history_count, seen.events_count, seen.log_count) == (2, 1, 3)
        assert run.documents_of_many(world.admin, [made.id])[made.id][1] == '{"_step":1}'

    def test_a_repeated_post_changes_nothing(self, world: World) -> None:
        made = make_run(world.admin)
        rows = [{"_step": n, "loss": n / 10} for n in range(5)]
        log(world.admin, rows)
        before = keys(world, made)
        log(world.admin, rows)
        log(world.admin, rows[3:], offset=3)
        assert get_run(world.admin, made.id).history_count == 5
        assert keys(world, made) == before
        assert steps(run_history.rows(world.admin, made_again(world, made))) == [0, 1, 2, 3, 4]

    def test_an_overwritten_line_is_counted_no_more(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [{"_step": 0, "a": 1}, {"_step": 1, "b": 2}])
        log(world.admin, [{"_step": 1, "a": 3}, {"_step": 2, "a": 4}], offset=1)
        found = keys(world, made)
        assert found["keys"].keys() == {"_step", "a"}
        assert found["keys"]["a"]["typeCounts"] == [{"type": "number", "count": 3}]
        assert found["keys"]["a"]["previousValue"] == 4
        assert get_run(world.admin, made.id).history_count == 3

    def test_rewriting_in_the_middle_leaves_the_rest(self, world: World) -> None:
        made = make_run(world.admin)
        post(world.admin, files=output("1%", "x", "y"))
        post(world.admin, files=output("100%"))
        page = run_history.console(world.admin, made_again(world, made))
        assert [line.line for line in page.items] == ["100%", "x", "y"]

    def test_a_gap_counts_to_its_end(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [{"_step": 7}], offset=7)
        again = made_again(world, made)
        assert again.history_count == 8
        assert steps(run_history.rows(world.admin, again, min_step=3, max_step=8)) == [7]

    def test_who_may_not(self, world: World) -> None:
        make_run(world.admin)
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        with pytest.raises(Forbidden):
            post(viewer, files=output("x"))
        with pytest.raises(NotFound):
            post(stranger, files=output("x"))
        with pytest.raises(NotFound):
            post(world.admin, "other", files=output("x"))
        with world.nobody.database.read() as tx:
            assert tx.all("SELECT * FROM run_line") == []

    def test_the_end(self, world: World) -> None:
        made = make_run(world.admin)
        post(world.admin, complete=True, exitcode=3)
        assert (get_run(world.admin, made.id).state, get_run(world.admin, made.id).exit_code) == (
            "failed",
            3,
        )
        post(world.admin)
        assert get_run(world.admin, made.id).exit_code is None
        post(world.admin, complete=True, exitcode=0)
        assert get_run(world.admin, made.id).state == "finished"


def said(who: str, step: int) -> dict[str, Any]:
    return {"_step": step, "_timestamp": 1.5 + step + ord(who), "_runtime": step, who: step}


def console(who: str, number: int, text: str) -> str:
    return json.dumps({"ts": f"2026-01-02T03:0{number}:00.00000{ord(who) % 10}", "content": text})


class TestTwoWriters:
    """Protocol 9.3: clients that write to one run count their lines each for itself; none is lost."""

    @pytest.mark.parametrize("writers", [("one", "two"), (None, None), (None, "two")])
    def test_every_line_is_there_once(
        self, world: World, writers: tuple[str | None, str | None]
    ) -> None:
        made = make_run(world.admin)
        for start in (0, 2, 4):
            for who, writer in zip("ab", writers, strict=True):
                rows = [said(who, step) for step in range(start, start + 3)]
                log(world.admin, rows, offset=start, writer=writer)
                # The answer was lost on the way, so the client sends the lines again.
                log(world.admin, rows, offset=start, writer=writer)
        made = made_again(world, made)
        rows = [json.loads(line) for line in run_history.rows(world.admin, made)]
        assert sorted((row["_step"], "a" in row) for row in rows) == [
            (step, is_a) for step in range(7) for is_a in (False, True)
        ]
        assert made.history_count == 14
        assert {
            name: key["typeCounts"][0]["count"]
            for name, key in keys(world, made)["keys"].items()
            if name in "ab"
        } == {"a": 7, "b": 7}

    def test_steps_are_found_wherever_their_lines_stand(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [said("a", step) for step in range(6)])
        log(world.admin, [said("b", step) for step in range(4, 8)], offset=4)
        made = made_again(world, made)
        found = [
            steps(run_history.rows(world.admin, made, min_step=least, max_step=least + 2))
            for least in range(0, 10, 2)
        ]
        assert found == [[0, 1], [2, 3], [4, 5, 4, 5], [6, 7], []]
        (sampled,) = run_history.sampled(world.admin, made, ['{"keys": ["b"], "minStep": 5}'])
        assert sampled == [{"b": 5}, {"b": 6}, {"b": 7}]

    def test_a_progress_bar_moves_on_where_it_stands(self, world: World) -> None:
        made = make_run(world.admin)
        post(world.admin, files=output(console("a", 0, "one"), console("a", 1, "10%")))
        post(world.admin, files=output(console("b", 0, "two"), console("b", 1, "20%")))
        for text in ("50%", "100%"):
            post(world.admin, files=output(console("a", 1, f"a {text}"), offset=1))
            post(world.admin, files=output(console("b", 1, f"b {text}"), offset=1))
        page = run_history.console(world.admin, made_again(world, made))
        assert [line.line for line in page.items] == ["one", "a 100%", "two", "b 100%"]

    def test_an_old_process_goes_on_while_a_new_one_resumed(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [said("a", step) for step in range(3)])
        log(world.admin, [said("b", 3), said("b", 4)], offset=3)
        log(world.admin, [said("a", 3), said("a", 4), said("a", 5), said("a", 6)], offset=3)
        log(world.admin, [said("b", 5)], offset=5)
        log(world.admin, [said("a", 6), said("a", 7)], offset=6)
        rows = [json.loads(line) for line in run_history.rows(world.admin, made_again(world, made))]
        assert ["a" if "a" in row else "b" for row in rows] == [*"aaabbaaaaba"]
        assert [row["_step"] for row in rows] == [0, 1, 2, 3, 4, 3, 4, 5, 6, 5, 7]

    def test_rows_without_a_step(self, world: World) -> None:
        made = make_run(world.admin)
        for writer in ("one", "two", "two"):
            post(
                world.admin,
                writer=writer,
                files={"wandb-history.jsonl": {"content": ["{}", ' { "x":NaN}', '{"_step":7}']}},
            )
        found = run_history.rows(world.admin, made_again(world, made))
        assert steps(found) == [0, 1, 7, 3, 4, 7]
        assert "NaN" in found[1]

    def test_few_steps_are_not_thinned_out(self, world: World) -> None:
        made = make_run(world.admin)
        for writer in ("one", "two"):
            log(world.admin, [{"_step": step} for step in range(8)], writer=writer)
        made = made_again(world, made)
        found = run_history.rows(world.admin, made, min_step=0, max_step=4, samples=4)
        assert sorted(steps(found)) == [0, 0, 1, 1, 2, 2, 3, 3]
        spec = '{"keys": ["_step"], "minStep": 4, "maxStep": 8, "samples": 4}'
        assert len(run_history.sampled(world.admin, made, [spec])[0]) == 8

    def test_a_stream_that_is_full(self, world: World) -> None:
        make_run(world.admin)
        log(world.admin, [said("a", 0)], offset=2**31 - 2)
        with pytest.raises(TooLarge):
            log(world.admin, [said("b", 0)], writer="two")


class TestARunIsUploadedFromItsFolder:
    """Protocol 9.3: `wandb sync` begins behind the rows that are there, and says all of them anew."""

    @pytest.mark.parametrize("length", [1, 3, 100])
    @pytest.mark.parametrize("there", [0, 1, 7, 20])
    def test_every_row_stands_there_once(self, world: World, there: int, length: int) -> None:
        made = make_run(world.admin)
        rows = [said("a", step) for step in range(20)]
        log(world.admin, rows[:there])
        for time in range(2):
            begin = made_again(world, made).history_count
            for start in range(0, len(rows), length):
                part = [dict(reversed(row.items())) for row in rows[start : start + length]]
                log(world.admin, part, offset=begin + start)
                # The answer was lost on the way, so the client sends the rows again.
                log(world.admin, part, offset=begin + start)
            made = made_again(world, made)
            assert made.history_count == 20, time
            assert steps(run_history.rows(world.admin, made)) == list(range(20))
        assert steps(run_history.rows(world.admin, made, min_step=5, max_step=9)) == [5, 6, 7, 8]
        assert keys(world, made)["keys"]["a"]["typeCounts"] == [{"type": "number", "count": 20}]

    def test_rows_of_a_run_that_was_rewound_and_goes_on_are_new(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [said("a", step) for step in range(5)])
        log(world.admin, [said("b", step) for step in range(3, 6)], offset=5)
        found = run_history.rows(world.admin, made_again(world, made))
        assert steps(found) == [0, 1, 2, 3, 4, 3, 4, 5]

    def test_rows_that_carry_no_time_are_kept(self, world: World) -> None:
        made = make_run(world.admin)
        log(world.admin, [{"_step": 0, "a": 1}])
        log(world.admin, [{"_step": 0, "a": 1}], offset=1)
        assert made_again(world, made).history_count == 2

    def test_what_it_printed_stands_there_once_with_its_time(self, world: World) -> None:
        made = make_run(world.admin)
        lines = [f"line {number}" for number in range(4)]
        post(world.admin, files=output(*(console("a", n, lines[n]) for n in range(2))))
        post(world.admin, files=output(*(console("b", n, lines[n]) for n in range(4))))
        page = run_history.console(world.admin, made_again(world, made))
        assert [line.line for line in page.items] == lines
        microseconds = [line.timestamp.microsecond for line in page.items if line.timestamp]
        assert microseconds == [ord(who) % 10 for who in "aabb"]


def made_again(world: World, made: Run) -> Run:
    return get_run(world.admin, made.id)


class TestHistory:
    """Protocol 12.2: `minStep` inclusive, `maxStep` exclusive, thinned out to `samples`."""

    @pytest.fixture
    def made(self, world: World) -> Run:
        made = make_run(world.admin)
        log(world.admin, [{"_step": 3 * n, "loss": n, "d": {"v": -n}} for n in range(100)])
        return made_again(world, made)

    @pytest.mark.parametrize(
        ("least", "most", "expected"),
        [
            (0, 10, [0, 3, 6, 9]),
            (3, 9, [3, 6]),
            (4, 6, []),
            (291, None, [291, 294, 297]),
            (298, 1000, []),
            (-5, 1, [0]),
            (6, 6, []),
            (9, 3, []),
        ],
    )
    def test_ranges(
        self, world: World, made: Run, least: int, most: int | None, expected: list[int]
    ) -> None:
        found = run_history.rows(world.admin, made, min_step=least, max_step=most)
        assert steps(found) == expected

    def test_pages_by_step_hold_every_line_once(self, world: World, made: Run) -> None:
        found: list[int] = []
        for least in range(0, 300, 50):
            page = run_history.rows(
                world.admin, made, min_step=least, max_step=least + 50, samples=50
            )
            found += steps(page)
        assert found == [3 * n for n in range(100)]

    def test_samples(self, world: World, made: Run) -> None:
        assert steps(run_history.rows(world.admin, made, samples=4)) == [0, 99, 198, 297]
        assert len(run_history.rows(world.admin, made, samples=1000)) == 100
        assert run_history.rows(world.admin, made, samples=0) == []

    def test_too_much_at_once(
        self, world: World, made: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_history, "ANSWER_BYTES_MAX", 1000)
        assert len(run_history.rows(world.admin, made, samples=5)) == 5
        for read in (
            lambda: run_history.rows(world.admin, made),
            lambda: run_history.rows(world.admin, made, samples=99),
            lambda: run_history.sampled(world.admin, made, ['{"keys": ["loss"]}']),
        ):
            with pytest.raises(TooLarge):
                read()

    def test_sampled(self, world: World, made: Run) -> None:
        log(world.admin, [{"_step": 300, "loss": float("nan")}, {"_step": 301, "x": 1}], offset=100)
        made = made_again(world, made)
        first, second, third = run_history.sampled(
            world.admin,
            made,
            [
                '{"keys": ["_step", "loss"], "minStep": 291}',
                '{"keys": ["_step", "d.v"], "samples": 3}',
                '{"keys": ["nothing"]}',
            ],
        )
        assert first == [
            {"_step": 291, "loss": 97},
            {"_step": 294, "loss": 98},
            {"_step": 297, "loss": 99},
            {"_step": 300, "loss": "NaN"},
        ]
        assert second == [
            {"_step": 0, "d.v": 0},
            {"_step": 147, "d.v": -49},
            {"_step": 297, "d.v": -99},
        ]
        assert third == []

    def test_the_last_step_of_a_spec_is_included(self, world: World, made: Run) -> None:
        spec = '{"keys": ["_step", "loss", "_step"], "minStep": 3, "maxStep": 9, "samples": 7}'
        (found,) = run_history.sampled(world.admin, made, [spec])
        assert [row["_step"] for row in found] == [3, 6, 9]

    @pytest.mark.parametrize(
        "spec", ["", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [], "samples": "x"}']
    )
    def test_bad_specs(self, world: World, made: Run, spec: str) -> None:
        with pytest.raises(Unprocessable):
            run_history.sampled(world.admin, made, [spec])

    def test_keys_as_the_client_reads_them(self, world: World, made: Run) -> None:
        found = keys(world, made)
        assert found["lastStep"] == 297
        assert found["keys"]["d.v"] == {
            "typeCounts": [{"type": "number", "count": 100}],
            "monotonic": False,
            "previousValue": -99,
        }

    def test_too_many_keys_are_kept_in_the_lines_only(
        self, world: World, made: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("byname.store.run_line.KEYS_MAX", 6)
        log(world.admin, [{"_step": 300} | {f"k{n}": n for n in range(20)}], offset=100)
        found = keys(world, made)["keys"]
        assert len(found) == 6
        assert found["_step"]["typeCounts"][0]["count"] == 101
        last = run_history.last_line_of_many(world.admin, [made.id], "history")[made.id]
        assert json.loads(last)["k19"] == 19

    def test_numbers_that_json_lacks_survive(self, world: World) -> None:
        made = make_run(world.admin, "odd")
        line = '{"_step":0,"loss":NaN,"up":Infinity}'
        post(
            world.admin,
            "odd",
            files={
                "wandb-history.jsonl": {"content": [line]},
                "wandb-summary.json": {"content": [line]},
            },
        )
        assert run_history.rows(world.admin, made_again(world, made)) == [line]
        assert run.documents_of_many(world.admin, [made.id])[made.id][1] == line
        assert keys(world, made)["keys"]["up"]["previousValue"] == "Infinity"


class TestConsole:
    """Lines in order, from the start by pages or from the end."""

    def test_pages(self, world: World) -> None:
        make_run(world.admin)
        post(
            world.admin,
            files=output(
                '{"ts":"2026-01-02T03:04:05","content":"zero","level":"error","label":"w1"}',
                *(f"2026-01-02T03:04:05 line {n}" for n in range(1, 10)),
            ),
        )
        made = make_run(world.admin)
        first = run_history.console(world.admin, made, first=4)
        assert [line.number for line in first.items] == [0, 1, 2, 3]
        assert (first.items[0].level, first.items[0].label, first.items[0].line) == (
            "error",
            "w1",
            "zero",
        )
        rest = run_history.console(world.admin, made, first=100, after=first.end_cursor)
        assert [line.line for line in rest.items] == [f"line {n}" for n in range(4, 10)]
        assert (first.has_next, rest.has_next) == (True, False)
        last = run_history.console(world.admin, made, last=2)
        assert [line.number for line in last.items] == [8, 9]
        assert not last.has_next
        assert list(run_history.console(world.admin, made, last=0).items) == []

    def test_system_metrics_are_the_newest(self, world: World) -> None:
        make_run(world.admin)
        lines = ['{"system.cpu":1,"_wandb":true}', '{"system.cpu":2,"_timestamp":5}']
        post(world.admin, files={"wandb-events.jsonl": {"offset": 0, "content": lines}})
        made = make_run(world.admin)
        newest = run_history.last_line_of_many(world.admin, [made.id], "events")
        assert json.loads(run_history.system_metrics(newest[made.id])) == {"system.cpu": 2}
        assert run_history.system_metrics(None) == "{}"
        assert run_history.event_rows(world.admin, made) == lines
