"""What a run's script sends for people to read, is kept and read back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from byname.domain import run_alert as rules
from byname.domain.errors import Forbidden, NotFound, TooLarge, Unprocessable
from byname.operations import run_alert
from byname.operations.context import Context
from tests.support.runs import later, make_run
from tests.support.world import PROJECT, TEAM, World


def send(
    ctx: Context,
    title: str = "t",
    text: str = "x",
    severity: str | None = None,
    wait: timedelta = timedelta(),
) -> int:
    return run_alert.send(
        ctx, TEAM, PROJECT, "abcd1234", title=title, text=text, severity=severity, wait=wait
    )


class TestAlerts:
    """`run.alert(title, text, level)` is listed with its run, and stands in the history."""

    def test_the_newest_comes_first(self, world: World) -> None:
        made = make_run(world.admin)
        for number in range(5):
            send(world.admin, f"no. {number}", "bad \x00 sign", ("warn", None)[number % 2])
        first = run_alert.list_page(world.admin, made.id, first=3)
        rest = run_alert.list_page(world.admin, made.id, first=3, after=first.end_cursor)
        found = [*first.items, *rest.items]
        assert [each.title for each in found] == [f"no. {n}" for n in (4, 3, 2, 1, 0)]
        assert [each.severity for each in found[:2]] == ["WARN", "INFO"]
        assert {each.author for each in found} == {world.admin.who.username}
        assert (first.count(), first.has_next, rest.has_next) == (5, True, False)
        assert "\x00" not in found[0].text
        with world.nobody.database.read() as tx:
            told = tx.all("SELECT subject, after FROM history WHERE kind = 'run_alert:send'")
        assert len(told) == 5
        assert told[0]["subject"] == f"{TEAM}/{PROJECT}/abcd1234"

    def test_a_title_is_not_repeated_before_its_time_is_over(self, world: World) -> None:
        made = make_run(world.admin)
        other = make_run(world.admin, "other")
        minute = timedelta(minutes=1)
        first = send(world.admin, "low", wait=minute)
        assert send(later(world.admin, timedelta(seconds=59)), "low", "more", wait=minute) == first
        assert send(world.admin, "high", wait=minute) != first
        assert send(later(world.admin, timedelta(hours=-1)), "low", wait=minute) != first
        assert send(later(world.admin, minute), "low", wait=minute) != first
        assert run_alert.list_page(world.admin, made.id).count() == 4
        run_alert.send(world.admin, TEAM, PROJECT, "other", title="low", text="x", wait=minute)
        assert run_alert.list_page(world.admin, other.id).count() == 1

    def test_without_a_time_all_are_kept(self, world: World) -> None:
        make_run(world.admin)
        assert send(world.admin) != send(world.admin)

    @pytest.mark.parametrize("value", [-1, True, "60000", 10**15, float("nan"), [], {}])
    def test_a_time_that_is_none(self, value: object) -> None:
        with pytest.raises(Unprocessable):
            rules.parse_wait(value)

    def test_times_are_in_milliseconds(self) -> None:
        assert rules.parse_wait(60_000) == timedelta(minutes=1)
        assert rules.parse_wait(None) == timedelta()

    def test_who_may(self, world: World) -> None:
        made = make_run(world.admin)
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        with pytest.raises(Forbidden):
            send(viewer)
        with pytest.raises(NotFound):
            send(stranger)
        assert list(run_alert.list_page(viewer, made.id).items) == []
        with pytest.raises(NotFound):
            run_alert.list_page(stranger, made.id)

    @pytest.mark.parametrize(
        "said",
        [
            {"title": "t" * (rules.TITLE_LENGTH_MAX + 1)},
            {"text": "t" * (rules.TEXT_LENGTH_MAX + 1)},
            {"severity": "LOUD"},
        ],
    )
    def test_what_is_refused(self, world: World, said: dict[str, str]) -> None:
        made = make_run(world.admin)
        with pytest.raises(Unprocessable):
            run_alert.send(
                world.admin,
                TEAM,
                PROJECT,
                "abcd1234",
                title=said.get("title", "t"),
                text=said.get("text", "x"),
                severity=said.get("severity"),
            )
        assert run_alert.list_page(world.admin, made.id).count() == 0

    def test_there_is_an_end(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "ALERTS_MAX", 1)
        make_run(world.admin)
        send(world.admin)
        with pytest.raises(TooLarge):
            send(world.admin)
