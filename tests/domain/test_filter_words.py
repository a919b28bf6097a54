"""How people write a filter of versions, and which values of metadata they compare (R56, R177)."""

from __future__ import annotations

import pytest

from byname.domain import metric
from byname.domain.errors import Unprocessable
from byname.domain.filter import Condition, Every, Some, Test
from byname.domain.filter_words import parse_words
from byname.domain.version_table import Place, Sort


def one(text: str) -> Condition:
    found = parse_words(text)
    assert isinstance(found, Condition)
    return found


class TestFilterWords:
    """R177: the versions table is filterable; a line of words is all that people need to know."""

    def test_nothing_is_no_filter(self) -> None:
        assert parse_words(None) is None
        assert parse_words("  ") is None

    def test_a_number_names_a_version(self) -> None:
        found = one("v12")
        assert (found.field.name, found.test, found.value) == ("version", Test.EQ, 12)

    @pytest.mark.parametrize(
        ("text", "path", "test", "value"),
        [
            ("accuracy>=0.9", ("accuracy",), Test.GTE, 0.9),
            ("val.loss<1e-3", ("val", "loss"), Test.LT, 0.001),
            ("epochs=10", ("epochs",), Test.EQ, 10),
            ("task=detect", ("task",), Test.EQ, "detect"),
            ('year="2024"', ("year",), Test.EQ, "2024"),
            ('note:"two words"', ("note",), Test.EQ, "two words"),
            ("done=true", ("done",), Test.EQ, True),
            ("x=NaN", ("x",), Test.EQ, "NaN"),
        ],
    )
    def test_a_key_with_a_value_is_metadata(
        self, text: str, path: tuple[str, ...], test: Test, value: object
    ) -> None:
        found = one(text)
        assert (found.field.name, found.path, found.test) == ("metadata", path, test)
        assert found.value == value
        assert type(found.value) is type(value)

    def test_names_are_exact_and_other_words_are_parts_of_names(self) -> None:
        found = parse_words('alias:best tag:"night run" prod')
        assert isinstance(found, Every)
        alias, tag, part = found.items
        assert isinstance(alias, Condition)
        assert (alias.field.name, alias.test, alias.value) == ("alias", Test.EQ, "best")
        assert isinstance(tag, Condition)
        assert (tag.field.name, tag.value) == ("tag", "night run")
        assert isinstance(part, Some)
        assert {(each.field.name, each.test, each.value) for each in part.items
                if isinstance(each, Condition)} == {
            ("alias", Test.CONTAINS, "prod"), ("tag", Test.CONTAINS, "prod")}  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('a="b', "quotation mark"),
            ("accuracy>=", "no value behind accuracy>="),
            ("x " * 21, "at most 20"),
            ("x" * 501, "at most 500"),
            ("a\\b=1", "no path to metadata"),
        ],
    )
    def test_what_cannot_be_understood_is_said(self, text: str, words: str) -> None:
        with pytest.raises(Unprocessable, match=words):
            parse_words(text)


class TestMetrics:
    """R56: metrics found in metadata can be compared across versions with *Show metrics*."""

    def test_those_with_numbers_are_offered_first_and_lists_never(self) -> None:
        found = metric.offered(
            [{"task": "x", "val": {"loss": 1}, "list": [1]}, {"accuracy": None}, {"accuracy": 0.5}]
        )
        assert found == ["accuracy", "val.loss", "task"]

    def test_the_longest_key_that_is_there_counts(self) -> None:
        assert metric.value_of({"a": {"b": {"c": 1}}}, "a.b.c") == 1
        assert metric.value_of({"a.b": {"c": 2}, "a": {"b": {"c": 1}}}, "a.b.c") == 2
        assert metric.value_of({"a.b.c": 3, "a.b": {"c": 2}}, "a.b.c") == 3
        assert metric.value_of({"a": {"b": {}}}, "a.b") is None
        assert metric.value_of({"a": 1}, "a.b") is None

    def test_nothing_grows_without_end(self) -> None:
        wide = {f"k{number}": number for number in range(5_000)}
        assert len(metric.offered([wide])) == metric.OFFERED_MAX


class TestSort:
    """R177, R180: the table is sortable, and its pages have addresses."""

    def test_words_and_back(self) -> None:
        for text in ("-version", "+size", "-by", "+at", "-metric:val.loss"):
            assert Sort.parse(text).text == text
        assert Sort.parse("size") == Sort("size", descending=False)
        assert Sort.parse(None) == Sort("version", descending=True)
        assert Sort.parse("-metric:val.loss").metric == "val.loss"
        assert Place.parse("<v3") == Place(3, before=True)
        assert Place.parse(Place(7).text) == Place(7)

    @pytest.mark.parametrize("text", ["", "nothing", "-", "metric:", 'metric:a"b', "--size"])
    def test_other_words_are_refused(self, text: str) -> None:
        if text:
            with pytest.raises(Unprocessable, match="sorted by"):
                Sort.parse(text)
        with pytest.raises(Unprocessable, match="page begins"):
            Place.parse(text)
