"""Pages of projects and runs: lists, charts, console (protocol 2; issue 4, point 5)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from byname.domain.chart import WHOLE_LINES_MAX
from byname.domain.file_stream import StreamPost
from byname.domain.run import Run
from byname.domain.run_line import parse_object
from byname.operations import file_stream, run
from tests.faces.web.conftest import App, words_of
from tests.support.world import PROJECT, TEAM, log_version

RUN = f"/{TEAM}/{PROJECT}/runs"


def make_run(app: App, name: str, **more: Any) -> Run:
    change = run.RunChange(entity=TEAM, project=PROJECT, name=name, **more)
    return run.upsert(app.world.admin, change)[0]


def post(app: App, name: str, **files: tuple[int, list[str]]) -> None:
    """Lines for the run's streams: `history`, `events`, `output`."""
    names = {
        "history": "wandb-history.jsonl",
        "events": "wandb-events.jsonl",
        "output": "output.log",
    }
    sent = {
        names[each]: {"offset": offset, "content": lines} for each, (offset, lines) in files.items()
    }
    body = StreamPost.parse({"files": sent})
    file_stream.accept(app.world.admin, TEAM, PROJECT, name, body)


def log_numbers(app: App, name: str, count: int, **keys: Any) -> None:
    lines = [json.dumps({"_step": n, "loss": 1 / (n + 1), **keys}) for n in range(count)]
    for start in range(0, count, 1_000):
        post(app, name, history=(start, lines[start : start + 1_000]))


class TestRunsOfAProject:
    """Sorted, filtered, paged."""

    def names(self, app: App, query: str = "") -> list[str]:
        page = app.by("admin").get(f"/{TEAM}/{PROJECT}?tab=runs{query}")
        return re.findall(rf'href="{RUN}/([^"]+)"', page)

    def test_they_are_in_the_order_asked_for(self, app: App) -> None:
        for name, shown in (("a", "Zeta"), ("b", "Alpha"), ("c", "Mid")):
            make_run(app, name, display_name=shown)
        assert self.names(app) == ["c", "b", "a"]
        assert self.names(app, "&order=created") == ["a", "b", "c"]
        assert self.names(app, "&order=name") == ["b", "c", "a"]
        assert self.names(app, "&order=-name") == ["a", "c", "b"]
        assert self.names(app, "&order=nonsense") == ["c", "b", "a"]

    def test_a_filter_finds_names_ids_and_tags_whatever_the_case(self, app: App) -> None:
        make_run(app, "abc123", display_name="Brave Otter")
        make_run(app, "def456", display_name="calm", tags=["BASELINE"])
        assert self.names(app, "&q=otter") == ["abc123"]
        assert self.names(app, "&q=DEF4") == ["def456"]
        assert self.names(app, "&q=baseline") == ["def456"]
        assert self.names(app, "&q=none") == []

    def test_a_state_is_the_one_that_is_seen(self, app: App) -> None:
        make_run(app, "alive")
        gone = make_run(app, "gone")
        with app.world.nobody.database.write() as tx:
            tx.run("UPDATE run SET heartbeat_at = 1 WHERE id = ?", [gone.id])
        make_run(app, "done", state="finished")
        assert self.names(app, "&state=running") == ["alive"]
        assert self.names(app, "&state=crashed") == ["gone"]
        assert self.names(app, "&state=finished") == ["done"]
        assert len(self.names(app, "&state=nonsense")) == 3

    @pytest.mark.parametrize("order", ["", "&order=created", "&order=name", "&order=-name"])
    def test_pages_follow_each_other_without_a_gap(self, app: App, order: str) -> None:
        for number in range(112):
            make_run(app, f"r{number:03}", display_name=f"same {number % 3}")
        browser, path = app.by("admin"), f"/{TEAM}/{PROJECT}?tab=runs{order}"
        found: list[str] = []
        while path:
            page = browser.get(path)
            found += re.findall(rf'href="{RUN}/([^"]+)"', page)
            more = re.findall(r'href="([^"]+)" rel="next"', page)
            path = more[0].replace("&amp;", "&") if more else ""
        assert len(found) == len(set(found)) == 112

    def test_a_cursor_of_another_order_is_refused(self, app: App) -> None:
        for number in range(60):
            make_run(app, f"r{number:03}")
        browser = app.by("admin")
        page = browser.get(f"/{TEAM}/{PROJECT}?tab=runs")
        cursor = re.findall(r"after=([^&\"]+)", page)[0]
        browser.get(f"/{TEAM}/{PROJECT}?tab=runs&order=name&after={cursor}", 422)
        browser.get(f"/{TEAM}/{PROJECT}?tab=runs&after=nonsense", 422)


class TestProjectPage:
    """What is new, and artifacts by type."""

    def test_it_shows_what_was_logged_last(self, app: App) -> None:
        make_run(app, "r1", display_name="Otter")
        log_version(app.world.admin, "weights")
        log_version(app.world.admin, "images", {"i": b"x"}, type_name="dataset")
        browser, page = app.by("admin"), f"/{TEAM}/{PROJECT}"
        for words in ("Otter", "weights", "images", "dataset"):
            assert words in browser.get(page)
        chosen = browser.get(f"{page}?tab=artifacts&type=dataset")
        assert "/images" in chosen
        assert "/weights" not in chosen
        browser.get(f"{page}?tab=artifacts&type=none")

    def test_an_empty_one_leads_on(self, app: App) -> None:
        make_run(app, "r1")
        run.delete(app.world.admin, run.id_of(app.world.admin, TEAM, PROJECT, "r1"))
        for tab in ("overview", "artifacts", "runs"):
            assert "wandb.init(entity=" in app.by("admin").get(f"/{TEAM}/{PROJECT}?tab={tab}")


class TestCharts:
    """Logged numbers are drawn on the server, however many there are."""

    def test_each_key_has_a_chart_with_words_for_who_cannot_see_it(self, app: App) -> None:
        make_run(app, "r1")
        log_numbers(app, "r1", 50, accuracy=0.5, note="text", nested={"lr": 0.1})
        page = app.by("admin").get(f"{RUN}/r1?tab=charts")
        assert page.count("<polyline") == 3
        assert "loss over steps 0 to 49: lowest 0.02, highest 1, last 0.02" in page
        assert "nested.lr" in page
        assert "text" not in re.findall(r'title="([^"]+)"', page)
        found = app.by("admin").get(f"{RUN}/r1?tab=charts&q=ACC")
        assert found.count("<polyline") == 1

    def test_keys_are_paged(self, app: App) -> None:
        make_run(app, "r1")
        log_numbers(app, "r1", 3, **{f"k{number:02}": number for number in range(30)})
        browser, path, drawn = app.by("admin"), f"{RUN}/r1?tab=charts", 0
        while path:
            page = browser.get(path)
            drawn += page.count('<svg class="chart"')
            more = re.findall(r'href="([^"]+)" rel="next"', page)
            path = more[0].replace("&amp;", "&") if more else ""
        assert drawn == 31

    def test_a_long_history_costs_no_more_and_is_as_small_as_a_short_one(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_run(app, "r1")
        log_numbers(app, "r1", 40_000)
        browser = app.by("admin")
        lines_read = 0

        def counted(line: str) -> dict[str, Any] | None:
            nonlocal lines_read
            lines_read += 1
            return parse_object(line)

        monkeypatch.setattr("byname.operations.run_history.lines.parse_object", counted)
        page = browser.get(f"{RUN}/r1?tab=charts")
        assert 1_000 < lines_read <= WHOLE_LINES_MAX
        assert len(page) < 100_000
        assert "40,000 lines were logged" in page
        assert "loss over steps 0 to 39999: lowest 2.5e-5, highest 1" in page

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e-320"])
    def test_strange_numbers_break_nothing(self, app: App, value: str) -> None:
        make_run(app, "r1")
        lines = [
            '{"_step": 0, "odd": 1}',
            f'{{"_step": 1, "odd": {value}}}',
            '{"_step": 2, "odd": 0}',
        ]
        post(app, "r1", history=(0, lines))
        page = app.by("admin").get(f"{RUN}/r1?tab=charts")
        for drawn in re.findall(r'points="([^"]*)"', page):
            assert re.fullmatch(r"[-\d., ]*", drawn)

    def test_system_metrics_are_drawn_over_seconds(self, app: App) -> None:
        make_run(app, "r1")
        lines = [json.dumps({"_runtime": n * 15, "system.cpu": n, "_wandb": 1}) for n in range(9)]
        post(app, "r1", events=(0, lines))
        page = app.by("admin").get(f"{RUN}/r1?tab=system")
        assert page.count("<polyline") == 1
        assert "system.cpu over seconds 0 to 120" in page
        make_run(app, "r2")
        assert "No system metrics" in app.by("admin").get(f"{RUN}/r2?tab=system")


class TestConsole:
    """What a run printed: its end first, a page at a time, followed while it lives."""

    def test_it_is_paged_from_its_end(self, app: App) -> None:
        make_run(app, "r1")
        post(app, "r1", output=(0, [f"line number {n}." for n in range(1_200)]))
        browser = app.by("admin")
        page = browser.get(f"{RUN}/r1?tab=logs")
        assert "line number 1199." in page
        assert "line number 699." not in page
        assert "Lines 701 to 1,200 of 1,200" in page
        first = browser.get(f"{RUN}/r1?tab=logs&from=0")
        assert "line number 0." in first
        assert "line number 500." not in first
        assert "line number 500." in browser.get(f"{RUN}/r1?tab=logs&from=500")
        for wrong in ("x", "-1", "9" * 40, ""):
            browser.get(f"{RUN}/r1?tab=logs&from={wrong}")

    def test_while_it_lives_new_lines_are_fetched_from_where_the_last_ended(self, app: App) -> None:
        make_run(app, "r1")
        post(app, "r1", output=(0, ["one", "two"]))
        browser = app.by("admin")
        page = browser.get(f"{RUN}/r1?tab=logs")
        [more] = [
            each.replace("&amp;", "&")
            for each in re.findall(r'hx-get="([^"]*tab=logs[^"]*)"', page)
        ]
        post(app, "r1", output=(2, ["three"]))
        answer = browser.client.get(more, headers={"hx-request": "true"})
        assert "<html" not in answer.text
        assert "three" in answer.text
        assert "two" not in answer.text
        assert "from=3" in answer.text
        run.upsert(
            app.world.admin,
            run.RunChange(entity=TEAM, project=PROJECT, name="r1", state="finished"),
        )
        assert "hx-get" not in browser.client.get(more, headers={"hx-request": "true"}).text

    def test_lines_are_text(self, app: App) -> None:
        make_run(app, "r1")
        post(app, "r1", output=(0, ["<script>canary()</script>", "ERROR 2026-01-01T00:00:00 bad"]))
        page = app.by("admin").get(f"{RUN}/r1?tab=logs")
        assert "<script>canary" not in page
        assert 'class="line error"' in page
        assert "bad" in words_of(page)


def test_every_tab_of_a_run_is_there_and_earlier_words_too(app: App) -> None:
    make_run(app, "r1", display_name="Otter")
    browser = app.by("admin")
    for tab in (
        "",
        "overview",
        "charts",
        "system",
        "logs",
        "files",
        "artifacts",
        "lineage",
        "none",
    ):
        assert "Otter" in browser.get(f"{RUN}/r1?tab={tab}")
    app.world.add_person("eve")
    app.by("eve").get(f"{RUN}/r1?tab=charts", 404)
