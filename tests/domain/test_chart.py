"""Line charts: which lines of a history are looked at, and what is drawn of them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain import chart
from byname.domain.chart import Point

FINITE = st.floats(-1e300, 1e300, allow_nan=False)


class TestBlocks:
    """Of a long history some thousand lines are looked at, spread over all of it."""

    def test_a_short_one_is_looked_at_whole(self) -> None:
        assert chart.blocks(0) == []
        assert chart.blocks(1) == [(0, 1)]
        assert chart.blocks(chart.WHOLE_LINES_MAX) == [(0, chart.WHOLE_LINES_MAX)]

    @given(st.integers(chart.WHOLE_LINES_MAX + 1, 10**9))
    def test_ranges_are_in_order_apart_and_hold_both_ends(self, count: int) -> None:
        found = chart.blocks(count)
        assert found[0][0] == 0
        assert found[-1][1] == count
        assert all(start < stop for start, stop in found)
        assert all(before[1] < after[0] for before, after in pairwise(found))
        assert sum(stop - start for start, stop in found) <= chart.WHOLE_LINES_MAX

    @pytest.mark.parametrize("period", [2, 3, 7, 10, 30, 50, 64, 100])
    @pytest.mark.parametrize("count", [6_400, 20_000, 100_000, 128_000, 1_000_000])
    def test_what_is_logged_now_and_then_is_met(self, count: int, period: int) -> None:
        for phase in (0, period // 2, period - 1):
            met = sum(
                number % period == phase
                for start, stop in chart.blocks(count)
                for number in range(start, stop)
            )
            assert met >= 3, "Enough for a line."


class TestThin:
    """At most 400 points are drawn, and no peak is lost."""

    @given(st.lists(FINITE, max_size=3_000))
    def test_lowest_highest_and_order_stay(self, values: list[float]) -> None:
        points = [Point(float(step), value) for step, value in enumerate(values)]
        thin = chart.thin(points)
        assert len(thin) <= chart.POINTS_MAX
        assert [each.step for each in thin] == sorted({each.step for each in thin})
        if values:
            assert min(each.value for each in thin) == min(values)
            assert max(each.value for each in thin) == max(values)


class TestAxis:
    """Round numbers, whatever the values; every value lies within."""

    @given(FINITE, FINITE)
    def test_every_value_lies_within(self, one: float, other: float) -> None:
        low, high = sorted((one, other))
        axis = chart.axis(low, high)
        assert axis.low < axis.high
        assert math.isfinite(axis.high - axis.low)
        assert len(axis.ticks) <= 20
        for value in (low, high):
            assert -1e-6 <= axis.place(value) <= 1 + 1e-6

    def test_ticks_are_round(self) -> None:
        texts = [chart.number_text(each) for each in chart.axis(0.03, 0.97).ticks]
        assert texts == ["0", "0.25", "0.5", "0.75", "1"]

    def test_one_value_has_room_above_and_below(self) -> None:
        axis = chart.axis(7, 7)
        assert 0.2 < axis.place(7) < 0.8

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0, "0"), (1.0, "1"), (0.1 + 0.2, "0.3"), (1e-7, "1e-7"), (2.5e9, "2.5e9"), (-3, "-3")],
    )
    def test_numbers_are_short(self, value: float, text: str) -> None:
        assert chart.number_text(value) == text
