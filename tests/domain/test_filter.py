"""What a filter may say, and what is refused (protocol 13; R118 to R123)."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain.errors import Unprocessable
from byname.domain.filter import (
    COLLECTION_FIELDS,
    REGISTRY_FIELDS,
    VERSION_FIELDS,
    Condition,
    Every,
    Not,
    Some,
    Test,
    conjuncts,
    matches,
)
from byname.domain.filter_text import parse
from byname.domain.ids import to_id

DAY = 1_767_225_600_000_000  # 2026-01-01 in microseconds.


def read(value: Any, fields: Any = VERSION_FIELDS) -> Any:
    return parse(json.dumps(value), fields)


@pytest.mark.parametrize("text", [None, "", "  ", "{}", "null"])
def test_nothing_is_no_filter(text: str | None) -> None:
    assert parse(text, VERSION_FIELDS) is None


def test_a_bare_value_means_equality_and_several_keys_mean_and() -> None:  # R119
    found = read({"tag": "good", "alias": "best"})
    assert isinstance(found, Every)
    assert [(c.field.name, c.test, c.value) for c in found.items if isinstance(c, Condition)] == [
        ("tag", Test.EQ, "good"),
        ("alias", Test.EQ, "best"),
    ]


def test_negations_are_around_what_they_negate() -> None:
    found = read({"tag": {"$ne": "bad"}})
    assert isinstance(found, Not)
    assert isinstance(found.item, Condition)
    assert found.item.test is Test.EQ
    assert isinstance(read({"$nor": [{"tag": "a"}]}), Not)
    assert isinstance(read({"tag": {"$not": {"$regex": "a"}}}), Not)
    assert isinstance(read({"$not": {"tag": "a"}}), Not)


def test_all_operators_are_read() -> None:  # R119
    found = read(
        {
            "$and": [{"$or": [{"tag": {"$in": ["a", None]}}, {"alias": {"$nin": ["b"]}}]}],
            "artifact_size": {"$gt": 1, "$gte": 1, "$lt": 9, "$lte": 9.5, "$ne": 4, "$eq": 3},
            "metadata.acc": {"$exists": True, "$size": 2, "$all": [1, 2]},
            "digest": {"$regex": "^a", "$contains": "b"},
        }
    )
    assert isinstance(found, Every)
    tests = [part.test for part in conjuncts(found) if isinstance(part, Condition)]
    assert tests.count(Test.EQ) == 3  # $eq, and one for each value of $all.
    assert {Test.GT, Test.GTE, Test.LT, Test.LTE, Test.EXISTS, Test.SIZE} <= set(tests)


def test_an_empty_or_and_all_of_nothing_hold_never() -> None:
    assert read({"$or": []}) == Some(())
    assert read({"tag": {"$all": []}}) == Some(())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-01", DAY),
        ("2026-01-01 00:00:01", DAY + 1_000_000),
        ("2026-01-01T00:00:00.000002Z", DAY + 2),
        ("2026-01-01T01:00:00+01:00", DAY),
    ],
)
def test_dates_are_utc_where_they_do_not_say(text: str, wanted: int) -> None:  # R120
    found = read({"created_at": {"$gte": text}})
    assert isinstance(found, Condition)
    assert found.value == wanted


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13-01", "20260101", "2026-W01-1", 3, True, "2026-01-01 10", ""]
)
def test_what_is_no_date_is_refused(value: Any) -> None:
    with pytest.raises(Unprocessable, match="created_at wants a date"):
        read({"created_at": value})


def test_both_sets_of_field_names_are_understood() -> None:  # protocol 13
    for word in ("id", "artifact_id"):
        assert read({word: 3}).field.name == "id"
    for word in ("created_at", "artifact_created_at"):
        assert read({word: "2026-01-01"}).field.name == "created_at"
    assert read({"project_id": 7}, REGISTRY_FIELDS).field.name == "id"
    assert read({"artifact_collection_id": 7}, COLLECTION_FIELDS).field.name == "id"


def test_ids_may_be_numbers_or_the_opaque_ids_of_their_kind() -> None:
    for kind in ("Project", "ProjectInternalId"):
        assert read({"id": to_id(kind, 12)}, REGISTRY_FIELDS).value == 12
    with pytest.raises(Unprocessable, match="id wants"):
        read({"id": to_id("User", 12)}, REGISTRY_FIELDS)


def test_versions_are_written_with_a_v() -> None:
    assert read({"version": "v3"}).value == 3
    with pytest.raises(Unprocessable, match="version wants"):
        read({"version": "three"})


def test_metadata_paths_may_be_dotted_or_nested() -> None:  # R118
    assert read({"metadata.a.b": 1}) == read({"metadata": {"a": {"b": 1}}})
    assert read({"metadata.a.b": 1}).path == ("a", "b")


def test_an_unknown_field_or_operator_is_refused_with_the_valid_ones() -> None:  # R118
    with pytest.raises(Unprocessable, match="Unknown field 'nme'; valid ones: id, name, tag"):
        read({"nme": 1}, COLLECTION_FIELDS)
    with pytest.raises(
        Unprocessable, match=r"Unknown operator '\$like' on name; valid ones: \$and"
    ):
        read({"name": {"$like": 1}}, COLLECTION_FIELDS)
    with pytest.raises(Unprocessable, match="between conditions"):
        read({"$xor": []}, COLLECTION_FIELDS)
    with pytest.raises(Unprocessable, match=r"Unknown field 'name\.x'"):
        read({"name.x": 1}, COLLECTION_FIELDS)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"tag": 3},
        {"tag": ["a"]},
        {"tag": {"$in": "a"}},
        {"tag": {"$exists": 1}},
        {"tag": {"$size": -1}},
        {"artifact_size": "big"},
        {"artifact_size": True},
        {"artifact_size": 2**70},
        {"created_at": {"$regex": "2"}},
        {"digest": {"$size": 1}},
        {"digest": {"$all": ["a"]}},
        {"$and": {"tag": "a"}},
        {"tag": "\ud800"},
        {'metadata.a"b': 1},
        {"metadata": {"a": {"$gt": None}}},
        {"tag": {"$in": ["a"] * 1_001}},
        {"$or": [{"tag": "a"}] * 201},
        {"digest": {"$regex": "("}},
        {"digest": {"$regex": "a" * 1_025}},
        {"digest": {"$regex": "((a{100}){100}){100}"}},
        {"digest": {"$regex": r"(a)\1"}},
    ],
)
def test_what_does_not_fit_is_refused(value: Any) -> None:
    with pytest.raises(Unprocessable, match="Bad filter of versions"):
        read(value)


@pytest.mark.parametrize("text", ["{", '{"artifact_size": Infinity}', "[" * 60_000, "x" * 70_000])
def test_what_is_no_json_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable, match="Bad filter of versions"):
        parse(text, VERSION_FIELDS)


def test_a_filter_nested_too_deeply_is_refused() -> None:
    value: Any = {"tag": "a"}
    for _ in range(40):
        value = {"$not": value}
    with pytest.raises(Unprocessable, match="nested deeper"):
        read(value)
    nested: Any = 1
    for _ in range(40):
        nested = {"a": nested}
    with pytest.raises(Unprocessable):
        read({"metadata": nested})


def test_a_pattern_is_searched_for_anywhere() -> None:  # R123
    assert matches("oo", "Zoo")
    assert not matches("^oo", "Zoo")
    assert matches("é$", "café")
    assert not matches("a", None)
    # An engine that goes back and forth would not end here.
    assert not matches("(a+)+$", "a" * 50_000 + "!")


WORDS = [
    *["tag", "alias", "version", "id", "metadata", "metadata.a", "created_at", "size", "digest"],
    *["$and", "$or", "$nor", "$not", "$eq", "$ne", "$gt", "$in", "$nin", "$exists", "$regex"],
    *["$contains", "$all", "$size", "x", "$x"],
]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_is_read_or_refused_in_words(value: Any) -> None:
    with contextlib.suppress(Unprocessable):
        parse(json.dumps(value), VERSION_FIELDS)
