"""Which event fires which automation, and which automations are refused (R125 to R129, R135)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from byname.domain import automation as rules
from byname.domain.automation import (
    Action,
    ActionKind,
    Automation,
    Place,
    Scope,
    ScopeKind,
)
from byname.domain.errors import Unprocessable
from byname.domain.event import EventType, events_of
from byname.domain.history import Cursor, Entry
from byname.domain.run_event import (
    Change,
    Direction,
    Threshold,
    Watch,
    ZScore,
    parse_condition,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = Place(project_id=5, entity_id=3, organization_id=1)
REGISTRY = Scope(ScopeKind.PROJECT, 1, 3, 5, name="acme/wandb-registry-Model", is_registry=True)
COLLECTION = Scope(ScopeKind.COLLECTION, 1, 3, 5, 7, name="acme/wandb-registry-Model/Zoo")
TEAM = Scope(ScopeKind.ENTITY, 1, 3, name="vision")
ORGANIZATION = Scope(ScopeKind.ENTITY, 1, 1, name="acme", is_organization=True)


def entry(kind: str, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "cursor": Cursor(4, 0 if kind.startswith("alias:") else 9),
        "at": NOW,
        "actor_id": 2,
        "actor": "ann",
        "face": "sdk",
        "kind": kind,
        "subject": "Zoo:v1",
        "project_id": 5,
        "project": "acme/wandb-registry-Model",
        "collection_id": 7,
        "collection": "Zoo",
        "version_id": None,
        "number": 1,
        "before": None,
        "after": None,
    }
    return Entry(**given | more)


def automation(event: EventType, filter_text: str = rules.EVERYTHING, **more: Any) -> Automation:
    given: dict[str, Any] = {
        "id": 11,
        "name": "a",
        "description": None,
        "enabled": True,
        "disabled_reason": None,
        "scope": REGISTRY,
        "event": event,
        "filter": rules.check_filter(event, filter_text),
        "action": Action(ActionKind.NOTHING),
        "created_by": 2,
        "created_at": NOW,
        "updated_at": None,
        "since": Cursor(0, 0),
    }
    return Automation(**given | more)


def moved(alias: str = "production") -> Entry:
    return entry("alias:move", subject=alias, before="v1", after="v2", number=2, revision=3)


def fired(found: Automation, told: Entry, place: Place = PLACE) -> int:
    return sum(rules.fires(found, event, place) for event in events_of(told))


class TestEvents:
    """R127, R129: a move counts as an add on the new version and a remove on the old."""

    def test_a_move_is_an_add_a_remove_and_a_move(self) -> None:
        told = [(event.type.value, event.number) for event in events_of(moved())]
        assert told == [
            ("ADD_ARTIFACT_ALIAS", 2),
            ("REMOVE_ARTIFACT_ALIAS", 1),
            ("MOVE_ARTIFACT_ALIAS", 2),
        ]

    def test_an_alias_that_is_new_is_only_added_and_one_that_goes_only_removed(self) -> None:
        added = entry("alias:add", subject="x", after="v3", number=3)
        gone = entry("alias:remove", subject="x", before="v3", number=None)
        assert [(e.type, e.number) for e in events_of(added)] == [(EventType.ADD_ARTIFACT_ALIAS, 3)]
        assert [(e.type, e.number) for e in events_of(gone)] == [
            (EventType.REMOVE_ARTIFACT_ALIAS, 3)
        ]

    def test_tags_that_come_and_go_at_once_are_two_events_with_their_tags(self) -> None:
        told = entry("artifact:tag", before=["old", "both"], after=["both", "new", "newer"])
        assert [(e.type, e.tags) for e in events_of(told)] == [
            (EventType.ADD_ARTIFACT_TAG, ("new", "newer")),
            (EventType.REMOVE_ARTIFACT_TAG, ("old",)),
        ]

    def test_a_description_is_no_event(self) -> None:
        assert events_of(entry("artifact:update", before={}, after={})) == ()


class TestScopes:
    """R125: scopes collection, registry, project, team, organization; later collections too."""

    @pytest.mark.parametrize("scope", [COLLECTION, REGISTRY, TEAM, ORGANIZATION])
    def test_every_scope_around_the_place_sees_it(self, scope: Scope) -> None:
        assert fired(automation(EventType.ADD_ARTIFACT_ALIAS, scope=scope), moved()) == 1

    @pytest.mark.parametrize("scope", [COLLECTION, REGISTRY, TEAM, ORGANIZATION])
    def test_no_scope_sees_what_happens_elsewhere(self, scope: Scope) -> None:
        elsewhere = Place(project_id=6, entity_id=30, organization_id=10)
        told = entry("alias:move", project_id=6, collection_id=8, before="v1", after="v2")
        found = automation(EventType.ADD_ARTIFACT_ALIAS, scope=scope)
        assert fired(found, told, elsewhere) == 0

    def test_what_cannot_happen_in_a_scope_is_refused(self) -> None:
        for scope in (REGISTRY, TEAM, ORGANIZATION):
            with pytest.raises(Unprocessable, match="one collection only"):
                rules.check_event_in_scope(EventType.CREATE_ARTIFACT, scope)
        for scope in (COLLECTION, REGISTRY):
            with pytest.raises(Unprocessable, match="runs"):
                rules.check_event_in_scope(EventType.RUN_STATE, scope)
        rules.check_event_in_scope(EventType.CREATE_ARTIFACT, COLLECTION)
        rules.check_event_in_scope(EventType.RUN_STATE, TEAM)


class TestFilters:
    """R126, R128: regular expressions are unanchored; `exact` is equality."""

    @pytest.mark.parametrize(
        ("condition", "alias", "yes"),
        [
            ({"$regex": "^europe.*"}, "europe-west", True),
            ({"$regex": "production"}, "pre-production", True),
            ({"$eq": "production"}, "pre-production", False),
            ("production", "production", True),
            ({"$contains": "prod"}, "production", True),
            ({"$in": ["a", "production"]}, "production", True),
            ({"$nin": ["a", "production"]}, "production", False),
            ({"$ne": "production"}, "staging", True),
            ({"$not": {"$regex": "^v"}}, "staging", True),
            ({"$exists": True}, "staging", True),
        ],
    )
    def test_the_operators_that_the_client_has(self, condition: Any, alias: str, yes: bool) -> None:
        text = json.dumps({"$or": [{"$and": [{"alias": condition}]}]})
        found = automation(EventType.ADD_ARTIFACT_ALIAS, text)
        assert fired(found, moved(alias)) == yes

    def test_the_empty_filter_of_the_client_lets_everything_through(self) -> None:
        assert fired(automation(EventType.ADD_ARTIFACT_ALIAS), moved()) == 1

    def test_a_link_is_filtered_by_the_aliases_that_it_places(self) -> None:
        text = json.dumps({"$or": [{"$and": [{"alias": {"$eq": "prod"}}]}]})
        found = automation(EventType.LINK_ARTIFACT, text)
        assert fired(found, entry("link:create", names=("prod", "latest"))) == 1
        assert fired(found, entry("link:create", names=("latest",))) == 0

    def test_one_tag_of_several_is_enough_and_it_fires_once(self) -> None:
        text = json.dumps({"$or": [{"$and": [{"tag": {"$regex": "^n"}}]}]})
        found = automation(EventType.ADD_ARTIFACT_TAG, text)
        assert fired(found, entry("artifact:tag", before=[], after=["new", "newer"])) == 1
        assert fired(found, entry("artifact:tag", before=["new"], after=["new", "old"])) == 0

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ('{"alias": {"$regex": "("}}', "regex"),
            ('{"alias": {"$regex": "' + "a" * 1_025 + '"}}', "1024"),
            ('{"alias": {"$regex": "(a)\\\\1"}}', "regex"),
            ('{"colour": "red"}', "colour"),
            ('{"alias": {"$like": "x"}}', "$like"),
            ('{"alias": 3}', "text"),
            ("{", "JSON"),
            ("[]", "object"),
        ],
    )
    def test_a_bad_filter_is_refused_with_the_place(self, text: str, word: str) -> None:
        with pytest.raises(Unprocessable) as refused:
            rules.check_filter(EventType.ADD_ARTIFACT_ALIAS, text)
        assert word in refused.value.message
        assert refused.value.details["field"] == "filter"


class TestSince:
    """R145: only committed changes fire, and only those after it was made or switched on."""

    def test_what_was_before_does_not_fire(self) -> None:
        waiting = automation(EventType.ADD_ARTIFACT_ALIAS, since=Cursor(4, 100))
        assert fired(waiting, moved()) == 0
        assert fired(automation(EventType.ADD_ARTIFACT_ALIAS, since=Cursor(3, 100)), moved()) == 1
        linked = entry("link:create")
        assert fired(automation(EventType.LINK_ARTIFACT, since=Cursor(100, 8)), linked) == 1
        assert fired(automation(EventType.LINK_ARTIFACT, since=Cursor(100, 9)), linked) == 0

    def test_one_that_is_off_does_not_fire(self) -> None:
        assert fired(automation(EventType.ADD_ARTIFACT_ALIAS, enabled=False), moved()) == 0


class TestPayloads:
    """R135: invalid JSON is refused when saving, with the place."""

    def test_it_says_where_it_breaks(self) -> None:
        with pytest.raises(Unprocessable) as refused:
            rules.check_payload('{"a": 1,\n "b": }')
        assert refused.value.details["line"] == 2
        assert "line 2, column 7" in refused.value.message

    @pytest.mark.parametrize(
        "text", ["[]", '"x"', "NaN", '{"a": NaN}', '{"a": ' * 70 + "1" + "}" * 70, '{"\\ud800": 1}']
    )
    def test_what_no_receiver_could_read_is_refused(self, text: str) -> None:
        with pytest.raises(Unprocessable):
            rules.check_payload(text)

    def test_no_payload_is_none_and_a_good_one_stays_as_it_was_written(self) -> None:
        assert rules.check_payload("  ") is None
        assert rules.check_payload('{ "a" :1 }') == '{ "a" :1 }'


def watched(metric: Any, values: list[float]) -> list[int]:
    """At which of the values the condition fires."""
    watch, found = Watch(), []
    for place, value in enumerate(values):
        watch, now = watch.with_value(metric, value)
        if now:
            found.append(place)
    return found


class TestMetrics:
    """Protocol 14.2: a metric crosses a line; once for each crossing."""

    def test_a_threshold_fires_once_for_each_crossing(self) -> None:
        metric = Threshold("acc", None, 1, "$gt", 0.5)
        assert watched(metric, [0.4, 0.6, 0.7, 0.5, 0.6]) == [1, 4]

    def test_an_average_waits_for_its_window(self) -> None:
        text = json.dumps(
            {
                "run_filter": '{"$and": []}',
                "run_metric_filter": {
                    "threshold_filter": {
                        "name": "loss",
                        "agg_op": "AVERAGE",
                        "window_size": 3,
                        "cmp_op": "$lte",
                        "threshold": 2,
                    }
                },
                "metric_filter": None,
            }
        )
        metric = parse_condition(EventType.RUN_METRIC, text).metric
        assert watched(metric, [1, 1, 3, 4, 0, 1]) == [2, 5]

    def test_a_relative_change_compares_two_windows(self) -> None:
        metric = Change("loss", None, 1, 1, True, Direction.DECREASE, 0.5)
        assert watched(metric, [4, 3, 1, 1, 0.5]) == [2, 4]

    def test_a_z_score_looks_at_the_values_before(self) -> None:
        metric = ZScore("loss", 4, Direction.ANY, 3)
        assert watched(metric, [1, 2, 1, 2, 2, 9]) == [5]
        assert watched(metric, [1, 1, 1, 1, 1, 2]) == [5]

    @pytest.mark.parametrize(
        "change",
        [
            {"cmp_op": "$eq"},
            {"threshold": "1"},
            {"window_size": 0},
            {"name": ""},
            {"agg_op": "SUM"},
        ],
    )
    def test_what_cannot_be_judged_is_refused(self, change: dict[str, Any]) -> None:
        told = {"name": "a", "agg_op": "MAX", "window_size": 1, "cmp_op": "$gt", "threshold": 1}
        text = json.dumps({"run_metric_filter": {"threshold_filter": told | change}})
        with pytest.raises(Unprocessable):
            rules.check_filter(EventType.RUN_METRIC, text)
