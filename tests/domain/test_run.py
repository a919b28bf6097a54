"""The rules of runs: states, names, lines, posts and filters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain import filter_text, run_filter, run_line
from byname.domain import run as rules
from byname.domain.errors import Conflict, Invalid, TooLarge, Unprocessable
from byname.domain.file_stream import LINE_BYTES_MAX, NUMBER_MAX, StreamPost
from byname.domain.run import RunState
from byname.domain.run_filter import RUN_FIELDS

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class TestASilentRunHasCrashed:
    """Without a sign of life for five minutes a running run reads as crashed."""

    @pytest.mark.parametrize(
        ("stored", "silent", "seen"),
        [
            ("running", timedelta(minutes=4, seconds=59), "running"),
            ("running", timedelta(minutes=5), "crashed"),
            ("preempting", timedelta(minutes=5), "preempted"),
            ("pending", timedelta(days=5), "pending"),
            ("finished", timedelta(days=5), "finished"),
        ],
    )
    def test_state(self, stored: str, silent: timedelta, seen: str) -> None:
        assert rules.state_at(RunState(stored), NOW - silent, NOW) == seen

    @pytest.mark.parametrize(
        ("seen", "body", "state"),
        [
            ("running", {}, "running"),
            ("crashed", {}, "running"),
            ("finished", {}, "running"),
            ("pending", {}, "running"),
            ("running", {"preempting": True}, "preempting"),
            ("preempting", {}, "preempting"),
            ("preempted", {}, "running"),
            ("running", {"complete": True, "exit_code": 0}, "finished"),
            ("running", {"complete": True, "exit_code": 1}, "failed"),
            ("running", {"complete": True, "exit_code": 1, "stop_requested": True}, "killed"),
            ("preempting", {"complete": True, "exit_code": 1}, "preempted"),
            ("preempting", {"complete": True, "exit_code": 0}, "finished"),
        ],
    )
    def test_after_a_post(self, seen: str, body: dict[str, Any], state: str) -> None:
        said: dict[str, Any] = {
            "complete": False,
            "exit_code": None,
            "preempting": False,
            "stop_requested": False,
        }
        assert rules.state_after_post(RunState(seen), **(said | body)) == state

    def test_by_hand_only_to_pending_and_failed(self) -> None:
        rules.check_update(RunState.RUNNING, RunState.FAILED)
        rules.check_update(RunState.CRASHED, RunState.PENDING)
        for seen, wanted in [("finished", "failed"), ("running", "finished"), ("failed", "failed")]:
            with pytest.raises(Conflict):
                rules.check_update(RunState(seen), RunState(wanted))
        with pytest.raises(Unprocessable, match="the states are pending, running"):
            rules.parse_state("asleep")


class TestNames:
    """Names stand in addresses and paths; what could lead out of them is refused."""

    @pytest.mark.parametrize("name", ["abcd1234", "run 1", "lauf-ü", "a.b"])
    def test_good_run_names(self, name: str) -> None:
        assert rules.check_run_name(name) == name

    @pytest.mark.parametrize(
        "name",
        ["", ".", "..", " a", "a/b", "a\\b", "a#", "a?", "50%", "a:b", "a\n", "\ud800", "x" * 129],
    )
    def test_bad_run_names(self, name: str) -> None:
        with pytest.raises(Unprocessable):
            rules.check_run_name(name)

    @pytest.mark.parametrize(
        ("name", "clean"),
        [
            ("./a b.txt", "a b.txt"),
            ("media//html/./HT%3ML _11_x.html", "media/html/HT%3ML _11_x.html"),
            ("a..b", "a..b"),
            ("...", "..."),
        ],
    )
    def test_file_names_have_one_spelling(self, name: str, clean: str) -> None:
        assert rules.check_file_name(name) == clean

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "",
                ".",
                "/etc/passwd",
                "../x",
                "a/../b",
                "a\0b",
                "a\nb",
                "a\x7f",
                "\ud800",
                "x" * 1025,
            ),
            *("..\\x", "a\\..\\..\\x", "\\x", "C:\\x", "c:/x"),
        ],
    )
    def test_bad_file_names(self, name: str) -> None:
        with pytest.raises(Unprocessable):
            rules.check_file_name(name)
        assert rules.find_file_name(name) is None

    @given(st.text(max_size=40))
    def test_a_clean_name_stays_as_it_is(self, name: str) -> None:
        clean = rules.find_file_name(name)
        if clean is not None:
            assert rules.check_file_name(clean) == clean
            assert not clean.startswith("/")
            assert ".." not in clean.split("/")

    def test_patterns(self) -> None:
        assert rules.like_pattern("%.json") == "%.json"
        assert rules.like_pattern("**media/?\\*") == "%media/_\\\\%"
        with pytest.raises(Unprocessable):
            rules.like_pattern("%a" * 11)

    def test_objects(self) -> None:
        assert rules.check_object('{"a": NaN}', "The config") == '{"a": NaN}'
        assert rules.check_object("null", "The config") == "{}"
        for bad in ("[]", "1", "{", '{"a": 1} x', "[" * 100_000):
            with pytest.raises(Unprocessable):
                rules.check_object(bad, "The config")

    def test_the_clients_own_notes(self) -> None:
        config = json.dumps({"_wandb": {"value": {"t": {"1": [5]}, "e": 1}}, "lr": {"value": 1}})
        assert rules.wandb_config(config, ["t", "x"]) == {"t": {"1": [5]}}
        assert rules.wandb_config('{"_wandb": 3}', ["t"]) == {}


class TestLines:
    """What a line of a stream holds, also when it is odd."""

    def test_nested_keys_are_joined_and_media_stay_whole(self) -> None:
        row = {"a": {"b": {"c": 1}, "d": 2}, "html": {"_type": "html-file", "path": "x"}, "e": {}}
        assert run_line.flatten(row) == {"a.b.c": 1, "a.d": 2, "html": row["html"], "e": {}}

    @pytest.mark.parametrize(
        ("value", "kind", "scalar"),
        [
            (1, "number", "1"),
            (1.5, "number", "1.5"),
            (float("nan"), "number", "NaN"),
            (True, "boolean", "true"),
            ("x", "string", '"x"'),
            ("x" * 300, "string", None),
            ([1], "list", None),
            (None, "nil", None),
            ({"_type": "html-file"}, "html-file", None),
            ({}, "object", None),
        ],
    )
    def test_kinds(self, value: Any, kind: str, scalar: str | None) -> None:
        assert run_line.kind_of(value) == kind
        assert run_line.scalar(value) == scalar

    def test_numbers_that_json_lacks_survive(self) -> None:
        row = run_line.parse_object('{"a": NaN, "b": Infinity, "c": [-Infinity]}')
        assert run_line.as_json(row) == {"a": "NaN", "b": "Infinity", "c": ["-Infinity"]}

    @pytest.mark.parametrize("text", ["", "[]", "1", "nonsense", '{"a":' * 200 + "1" + "}" * 200])
    def test_no_objects(self, text: str) -> None:
        assert run_line.parse_object(text) is None

    @given(st.integers(0, 50), st.integers(0, 300), st.integers(0, 60))
    def test_evenly_keeps_both_ends(self, start: int, total: int, count: int) -> None:
        picked = run_line.evenly(start, start + total, count)
        assert len(picked) == min(total, count)
        assert picked == sorted(set(picked))
        if min(total, count) > 1:
            assert (picked[0], picked[-1]) == (start, start + total - 1)

    @given(st.text() | st.characters(categories=["Cs"]))
    def test_what_is_made_storable_can_be_stored(self, text: str) -> None:
        clean = run_line.storable(text)
        clean.encode()
        assert "\0" not in clean
        assert run_line.is_storable(clean)
        assert run_line.is_storable(text) is (clean == text)

    @pytest.mark.parametrize(
        ("text", "level", "time", "line"),
        [
            ('{"ts":"2026-01-02T03:04:05.5","content":"hi","level":"error"}', "error", True, "hi"),
            ("2026-01-02T03:04:05.123456 hello world", "", True, "hello world"),
            ("ERROR 2026-01-02T03:04:05.123456 boom", "error", True, "boom"),
            ("just text", "", False, "just text"),
            ("ERROR of mine", "", False, "ERROR of mine"),
            ('{"ts": 5}', "", False, '{"ts": 5}'),
            ("", "", False, ""),
        ],
    )
    def test_console(self, text: str, level: str, time: bool, line: str) -> None:
        parsed = run_line.parse_console(7, text)
        assert (parsed.number, parsed.level, parsed.line) == (7, level, line)
        assert (parsed.timestamp is not None) is time
        if parsed.timestamp is not None:
            assert parsed.timestamp.utcoffset() == timedelta(0)


class TestPosts:
    """Protocol 9.3: all keys optional; anything of another shape is refused."""

    def test_an_empty_one_is_a_sign_of_life(self) -> None:
        assert StreamPost.parse({}) == StreamPost()
        assert (
            StreamPost.parse({"uploaded": ["a"], "dropped": 1, "files": {"x": 1}}) == StreamPost()
        )

    def test_the_last_summary_line_is_the_summary(self) -> None:
        files = {"wandb-summary.json": {"offset": 0, "content": ['{"a":1}', '{"a":NaN}']}}
        assert StreamPost.parse({"files": files}).summary == '{"a":NaN}'

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            "x",
            {"files": []},
            {"files": {"output.log": []}},
            {"files": {"output.log": {"content": "x"}}},
            {"files": {"output.log": {"content": [1]}}},
            {"files": {"output.log": {"offset": -1, "content": ["x"]}}},
            {"files": {"output.log": {"offset": True, "content": ["x"]}}},
            {"files": {"output.log": {"offset": 1.5, "content": ["x"]}}},
            {"files": {"output.log": {"offset": NUMBER_MAX, "content": ["x"]}}},
            {"files": {"wandb-history.jsonl": {"content": ["no json"]}}},
            {"files": {"wandb-history.jsonl": {"content": ["[]"]}}},
            {"files": {"wandb-events.jsonl": {"content": ["1"]}}},
            {"files": {"wandb-summary.json": {"content": ["{"]}}},
            {"complete": 1},
            {"preempting": "yes"},
            {"exitcode": "0"},
            {"exitcode": 2**40},
        ],
    )
    def test_other_shapes(self, body: Any) -> None:
        with pytest.raises(Invalid):
            StreamPost.parse(body)

    def test_long_lines(self) -> None:
        line = "ü" * (LINE_BYTES_MAX // 2 + 1)
        with pytest.raises(TooLarge):
            StreamPost.parse({"files": {"output.log": {"content": [line]}}})

    def test_what_no_database_takes_is_replaced(self) -> None:
        files = {"output.log": {"content": ["a\0b\ud800c😀"]}}
        assert StreamPost.parse({"files": files}).chunks[0].lines == ("a\ufffdb\ufffdc😀",)


RUN = rules.Run(
    id=1,
    project_id=1,
    name="abcd1234",
    display_name="brisk-heron-5",
    state=RunState.RUNNING,
    description=None,
    notes="a note",
    tags=("a", "b"),
    group=None,
    job_type="train",
    sweep_name=None,
    commit=None,
    repo=None,
    program=None,
    host="box",
    exit_code=None,
    history_count=0,
    events_count=0,
    log_count=0,
    stop_requested=False,
    created_by=1,
    created_at=NOW,
    heartbeat_at=NOW + timedelta(seconds=90),
)
DOCUMENTS = (
    '{"lr": {"value": 0.1}, "opt": {"value": {"name": "adam", "beta.1": 0.9}}, "on": {"value": true},'
    ' "layers": {"value": [64, 32]}}',
    '{"loss": NaN, "acc": {"top": {"1": 0.75}}, "best": 3}',
)


class TestFilters:
    """Protocol 12.2, 13: Mongo-like conditions on fields of a run, all of which hold."""

    @pytest.mark.parametrize(
        ("text", "holds"),
        [
            ('{"state": "running"}', True),
            ('{"state": "running", "name": "other"}', False),
            ('{"duration": {"$gt": 89, "$lte": 90}}', True),
            ('{"duration": {"$lt": 90}}', False),
            ('{"display_name": {"$regex": "^brisk-.*[0-9]$"}}', True),
            ('{"displayName": {"$regex": "heron"}}', True),
            ('{"display_name": {"$contains": "."}}', False),
            ('{"tags": "b"}', True),
            ('{"tags": {"$ne": "b"}}', False),
            ('{"tags": {"$nin": ["x"]}}', True),
            ('{"tags": {"$in": ["x", "a"]}}', True),
            ('{"tags": {"$all": ["a", "b"]}}', True),
            ('{"tags": {"$size": 2}}', True),
            ('{"group": {"$exists": false}}', True),
            ('{"group": null}', True),
            ('{"group": {"$ne": "x"}}', True),
            ('{"jobType": {"$exists": true}}', True),
            ('{"username": "ann"}', True),
            ('{"$or": [{"host": "x"}, {"host": "box"}]}', True),
            ('{"$nor": [{"host": "x"}, {"host": "box"}]}', False),
            ('{"$and": [{"host": "box"}, {"$not": {"host": "x"}}]}', True),
            ('{"created_at": {"$gte": "2026-01-02T03:04:05Z"}}', True),
            ('{"createdAt": {"$gt": "2026-01-03"}}', False),
            ('{"heartbeat_at": {"$gt": "2026-01-02T03:05:34Z"}}', True),
            ('{"config.lr": 0.1}', True),
            ('{"config.lr": {"$gt": 0.1}}', False),
            ('{"config.lr.value": {"$lte": 0.1}}', True),
            ('{"config.lr": {"$gt": "0"}}', False),
            ('{"config.opt.name": {"$regex": "^ad"}}', True),
            ('{"config.opt.beta.1": {"$gt": 0.5}}', True),
            ('{"config.on": true}', True),
            ('{"config.on": 1}', False),
            ('{"config.layers": 32}', True),
            ('{"config.layers": [64, 32]}', True),
            ('{"config.nothing": {"$exists": true}}', False),
            ('{"summary_metrics.best": {"$in": [1, 3]}}', True),
            ('{"summaryMetrics.acc.top.1": {"$gte": 0.75}}', True),
            ('{"summary_metrics.loss": {"$lt": 1}}', False),
            ('{"summary_metrics.loss": {"$exists": true}}', True),
        ],
    )
    def test_conditions(self, text: str, holds: bool) -> None:
        wanted = filter_text.parse(text, RUN_FIELDS)
        assert wanted is not None
        assert run_filter.holds(wanted, run_filter.RunFields(RUN, DOCUMENTS, "ann")) is holds

    @pytest.mark.parametrize(
        "text",
        [
            "nonsense",
            "[]",
            "3",
            '{"unknown": 1}',
            '{"password": "x"}',
            '{"state.x": 1}',
            '{"$where": "1"}',
            '{"state": {"$near": 1}}',
            '{"state": 5}',
            '{"created_at": "yesterday"}',
            '{"$or": {}}',
            '{"name": {"$regex": "("}}',
        ],
    )
    def test_refused(self, text: str) -> None:
        with pytest.raises(Unprocessable, match="Bad filter of runs"):
            filter_text.parse(text, RUN_FIELDS)

    def test_fields_that_a_filter_asks_about(self) -> None:
        wanted = filter_text.parse(
            '{"$or": [{"config.a": 1}, {"$not": {"name": "x"}}]}', RUN_FIELDS
        )
        assert wanted is not None
        assert run_filter.names_in(wanted) == {"config", "name"}
