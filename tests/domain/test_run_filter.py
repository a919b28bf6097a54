"""Filters of runs mean in a run's config and summary what those of versions mean in metadata (R119)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

import pytest

from byname.domain.filter_text import parse
from byname.domain.run import Run
from byname.domain.run_filter import RUN_FIELDS, RunFields, holds

CONFIGS: dict[str, dict[str, Any]] = {
    "none": {},
    "null": {"a": None},
    "one": {"a": 1},
    "false": {"a": False},
    "true": {"a": True},
    "list": {"a": [1, None]},
    "empty": {"a": []},
    "inner": {"a": {"c": None}},
}


@dataclass
class Nobody:
    """A run of which nothing but its documents is asked."""

    tags: tuple[str, ...] = ()


def found(wanted: Any, *, field: str = "config") -> list[str]:
    """Whose config, or summary, the filter lets through."""
    node = parse(json.dumps(wanted), RUN_FIELDS)
    assert node is not None
    names = []
    for name, values in CONFIGS.items():
        config = json.dumps({key: {"value": value} for key, value in values.items()})
        documents = (config, "{}") if field == "config" else ("{}", json.dumps(values))
        run = cast(Run, Nobody())
        if holds(node, RunFields(run, documents, None)):
            names.append(name)
    return names


@pytest.mark.parametrize("field", ["config", "summary_metrics"])
@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, ["none", "null", "list"]),
        ({"$ne": None}, ["one", "false", "true", "empty", "inner"]),
        ({"$exists": False}, ["none"]),
        ({"$size": 1}, []),
        ({"$size": 0}, ["empty"]),
        ({"$size": 2}, ["list"]),
        ({"$gte": False}, ["false", "true"]),
        ({"$gt": False}, ["true"]),
        ({"$lte": 1}, ["one", "list"]),
        ({"$in": [None, True]}, ["none", "null", "true", "list"]),
        (1, ["one", "list"]),
    ],
)
def test_values_of_a_document(field: str, wanted: Any, names: list[str]) -> None:
    assert found({f"{field}.a": wanted}, field=field) == names


def test_a_null_further_in() -> None:
    assert "inner" in found({"config.a.c": None})
    assert found({"config.a.c": {"$exists": True}}) == ["inner"]


def test_no_tag_is_like_no_field() -> None:
    assert found({"tags": None}) == list(CONFIGS)
    assert found({"tags": {"$exists": True}}) == []
    assert found({"tags": {"$size": 0}}) == list(CONFIGS)
