"""Where boxes and arrows of a lineage graph stand (R150)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from byname.web.graph_layout import BOX_GAP, LAYER_GAP, MARGIN, WIDTH, Layout, lay_out

HEIGHT = 50


def drawn(*arrows: tuple[str, str]) -> Layout:
    return lay_out({each: HEIGHT for arrow in arrows for each in arrow}, arrows)


def ends(path: str) -> tuple[tuple[int, int], tuple[int, int]]:
    numbers = [int(each) for each in re.findall(r"-?\d+", path)]
    return (numbers[0], numbers[1]), (numbers[-2], numbers[-1])


def check(found: Layout) -> None:
    """What every layout owes: nothing overlaps, all lies within, arrows touch what they tie."""
    for box in found.boxes.values():
        assert MARGIN <= box.x <= found.width - MARGIN - WIDTH
        assert MARGIN <= box.y <= found.height - MARGIN - box.height
    for one, other in combinations(found.boxes.values(), 2):
        apart = abs(one.x - other.x) >= WIDTH
        above, below = sorted((one, other), key=lambda box: box.y)
        # A pixel is lost to rounding.
        assert apart or below.y - (above.y + above.height) >= BOX_GAP - 1
    for (source, target), path in found.paths.items():
        (x, y), (to_x, to_y) = ends(path)
        from_box, to_box = found.boxes[source], found.boxes[target]
        assert x in (from_box.x, from_box.x + WIDTH)
        assert to_x in (to_box.x, to_box.x + WIDTH)
        assert y == from_box.y + from_box.height // 2
        assert to_y == to_box.y + to_box.height // 2


@contextmanager
def counted_calls() -> Iterator[list[None]]:
    """One for each call of a function meanwhile."""
    calls: list[None] = []
    before = sys.getprofile()
    sys.setprofile(lambda _frame, event, _: calls.append(None) if "call" in event else None)
    try:
        yield calls
    finally:
        sys.setprofile(before)


class TestLayers:
    """R150: arrows for direction; what comes of something stands right of it."""

    def test_a_chain_is_a_line(self) -> None:
        found = drawn(("a", "b"), ("b", "c"))
        assert [found.boxes[each].y for each in "abc"] == [MARGIN] * 3
        assert [found.boxes[each].x for each in "abc"] == [
            MARGIN + number * (WIDTH + LAYER_GAP) for number in range(3)
        ]
        check(found)

    def test_a_source_stands_beside_what_came_of_it(self) -> None:
        found = drawn(("a", "b"), ("b", "c"), ("late", "c"))
        assert found.boxes["late"].x == found.boxes["b"].x

    def test_a_long_arrow_is_led_around_what_is_between(self) -> None:
        found = drawn(("a", "b"), ("b", "c"), ("a", "c"))
        assert found.boxes["c"].x > found.boxes["b"].x > found.boxes["a"].x
        between = found.boxes["b"]
        heights = {
            int(y) for x, y in re.findall(r"(\d+) (\d+)", found.paths["a", "c"])
            if between.x <= int(x) <= between.x + WIDTH
        }  # fmt: skip
        assert heights
        assert all(not between.y <= y <= between.y + HEIGHT for y in heights)

    def test_a_circle_is_drawn_with_one_arrow_back(self) -> None:
        found = drawn(("a", "b"), ("b", "a"))
        assert set(found.paths) == {("a", "b"), ("b", "a")}
        check(found)

    def test_crossings_are_avoided(self) -> None:
        found = drawn(("a", "x"), ("b", "y"), ("c", "z"), ("r", "c"), ("r", "b"), ("r", "a"))
        order = sorted("abc", key=lambda each: found.boxes[each].y)
        after = sorted("xyz", key=lambda each: found.boxes[each].y)
        assert [("abc".index(each)) for each in order] == [("xyz".index(each)) for each in after]

    def test_nothing_at_all(self) -> None:
        assert lay_out({}, []).boxes == {}
        alone = lay_out({"a": HEIGHT}, [("a", "a"), ("a", "gone")])
        assert alone.boxes["a"].x == MARGIN
        assert alone.paths == {}


IDS = st.sampled_from([f"n{number}" for number in range(12)])


class TestEveryGraph:
    """Whatever is drawn, boxes never overlap and arrows end at what they tie."""

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.tuples(IDS, IDS), max_size=30), st.lists(IDS, max_size=6))
    def test_the_rules_of_a_layout(self, arrows: list[tuple[str, str]], alone: list[str]) -> None:
        ids = dict.fromkeys([*(each for arrow in arrows for each in arrow), *alone])
        found = lay_out({each: 30 + 10 * (number % 4) for number, each in enumerate(ids)}, arrows)
        assert set(found.boxes) == set(ids)
        assert set(found.paths) == {each for each in arrows if each[0] != each[1]}
        check(found)
        again = lay_out({each: 30 + 10 * (number % 4) for number, each in enumerate(ids)}, arrows)
        assert again == found

    def test_twice_as_many_boxes_are_little_more_than_twice_the_work(self) -> None:
        calls = []
        for many in (250, 500):
            arrows = [("r", f"v{number}") for number in range(many)]
            arrows += [(f"v{number}", f"u{number % 40}") for number in range(many)]
            with counted_calls() as counted:
                found = drawn(*arrows)
            assert len(found.boxes) == many + 41
            calls.append(len(counted))
        assert calls[0] > 1_000
        assert calls[1] < 3 * calls[0]
