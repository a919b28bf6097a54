"""How two versions differ (R59): changed keys first, whatever the metadata holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain.comparison import (
    LEAVES_MAX,
    Change,
    compare_metadata,
    compare_words,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=2), JSON, max_size=4)


def lines(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    found = compare_metadata(json.dumps(before), json.dumps(after))
    return [(line.key, line.change.value, line.before, line.after) for line in found]


class TestMetadata:
    """R59: metadata (changed keys first)."""

    def test_changed_keys_come_first_then_added_removed_and_equal_ones(self) -> None:
        before = {"z": 1, "same": [1, {"a": 2}], "gone": None, "inner": {"x": 1, "y": 2}}
        after = {"z": 2, "same": [1, {"a": 2}], "new": {}, "inner": {"x": 1, "y": 3}}
        assert lines(before, after) == [
            ("inner.y", "changed", 2, 3),
            ("z", "changed", 1, 2),
            ("new", "added", None, {}),
            ("gone", "removed", None, None),
            ("inner.x", "same", 1, 1),
            ("same", "same", [1, {"a": 2}], [1, {"a": 2}]),
        ]

    def test_no_metadata_is_none(self) -> None:
        assert compare_metadata(None, None) == []
        assert [line.change for line in compare_metadata(None, '{"a": 1}')] == [Change.ADDED]

    @pytest.mark.parametrize(
        ("old", "new", "change"),
        [
            (True, 1, "changed"),
            (1, 1.0, "same"),
            ([True], [1], "changed"),
            ([{"a": False}], [{"a": 0}], "changed"),
            ("1", 1, "changed"),
            (None, False, "changed"),
            ([1, 2], [2, 1], "changed"),
        ],
    )
    def test_values_are_compared_as_json(self, old: Any, new: Any, change: str) -> None:
        assert [line[1] for line in lines({"k": old}, {"k": new})] == [change]

    @given(OBJECTS, OBJECTS)
    def test_there_are_the_same_differences_both_ways(self, one: Any, two: Any) -> None:
        swapped = {"changed": "changed", "same": "same", "added": "removed", "removed": "added"}
        there = [(key, change) for key, change, _, _ in lines(one, two)]
        back = [(key, swapped[change]) for key, change, _, _ in lines(two, one)]
        assert sorted(there) == sorted(back)
        differs = json.dumps(one, sort_keys=True) != json.dumps(two, sort_keys=True)
        assert differs == any(change != "same" for _, change in there)

    def test_very_much_metadata_is_compared_by_its_outermost_keys(self) -> None:
        large = {"big": {f"k{at}": at for at in range(LEAVES_MAX + 1)}, "a": {"b": 1}}
        other = {**large, "a": {"b": 2}}
        assert [line[:2] for line in lines(large, other)] == [("a", "changed"), ("big", "same")]


def test_words_keep_the_order_in_which_they_were_given() -> None:
    words = compare_words(["b", "a", "c"], ["d", "c", "b"])
    assert (words.added, words.removed, words.kept) == (["d"], ["a"], ["c", "b"])
