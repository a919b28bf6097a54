"""What an automation may wait for in a run: a state, or a metric that crosses a line.

A condition is judged at every new value of its metric. It fires when it begins to hold, and again only
after it has ceased to hold: once for each crossing, not once for each line beyond it.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from byname.domain import filter_text
from byname.domain.errors import Unprocessable
from byname.domain.event import EventType
from byname.domain.filter import Every, Node
from byname.domain.run_filter import RUN_FIELDS

WINDOW_MAX = 1_000
METRIC_LENGTH_MAX = 1_024


class Aggregation(StrEnum):
    """What is made of several values."""

    MAX = "MAX"
    MIN = "MIN"
    AVERAGE = "AVERAGE"


class Direction(StrEnum):
    """Which way a metric must change."""

    INCREASE = "INCREASE"
    DECREASE = "DECREASE"
    ANY = "ANY"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The value, or what is made of the last `window` values, compared with a number."""

    name: str
    aggregation: Aggregation | None
    window: int
    comparison: str
    threshold: float

    @property
    def needs(self) -> int:
        """How many of the last values are looked at."""
        return self.window

    def holds(self, values: Sequence[float]) -> bool:
        """Whether it holds for these last values, as many as are needed."""
        value = _aggregate(self.aggregation, values)
        return {
            "$gt": value > self.threshold,
            "$gte": value >= self.threshold,
            "$lt": value < self.threshold,
            "$lte": value <= self.threshold,
        }[self.comparison]


@dataclass(frozen=True, slots=True)
class Change:
    """The last `window` values compared with the `prior` values before them.

    A relative change is a fraction of what was before; from zero every change is without limit.
    """

    name: str
    aggregation: Aggregation | None
    window: int
    prior: int
    relative: bool
    direction: Direction
    amount: float

    @property
    def needs(self) -> int:
        """How many of the last values are looked at."""
        return self.window + self.prior

    def holds(self, values: Sequence[float]) -> bool:
        """Whether it holds for these last values, as many as are needed."""
        before = _aggregate(self.aggregation, values[: self.prior])
        change = _aggregate(self.aggregation, values[self.prior :]) - before
        if self.relative and change:
            change = change / abs(before) if before else math.copysign(math.inf, change)
        return _beyond(change, self.direction, self.amount)


@dataclass(frozen=True, slots=True)
class ZScore:
    """How many standard deviations a value is away from the mean of the `window` values before it.

    Where these are all the same, every other value is away without limit.
    """

    name: str
    window: int
    direction: Direction
    threshold: float

    @property
    def needs(self) -> int:
        """How many of the last values are looked at."""
        return self.window + 1

    def holds(self, values: Sequence[float]) -> bool:
        """Whether it holds for these last values, as many as are needed."""
        *before, value = values
        mean = statistics.fmean(before)
        away = value - mean
        deviation = statistics.pstdev(before, mean)
        if away:
            away = away / deviation if deviation else math.copysign(math.inf, away)
        return _beyond(away, self.direction, self.threshold)


Metric = Threshold | Change | ZScore


@dataclass(frozen=True, slots=True)
class Condition:
    """What an automation waits for: a metric or states, in runs that its filter lets through."""

    runs: Node
    metric: Metric | None = None
    states: frozenset[str] = frozenset()
    """RUNNING, FINISHED, FAILED; a crashed run has failed."""


def _aggregate(aggregation: Aggregation | None, values: Sequence[float]) -> float:
    if aggregation is Aggregation.MAX:
        return max(values)
    if aggregation is Aggregation.MIN:
        return min(values)
    if aggregation is Aggregation.AVERAGE:
        return statistics.fmean(values)
    return values[-1]


def _beyond(change: float, direction: Direction, amount: float) -> bool:
    if direction is Direction.ANY:
        return abs(change) >= amount
    return (change if direction is Direction.INCREASE else -change) >= amount


# ---- what is remembered of a metric between its values -----------------------------------------


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of one run's metric to one automation: the last values, and if it holds now."""

    values: tuple[float, ...] = ()
    holding: bool = False

    @classmethod
    def of(cls, metric: Metric, values: Sequence[float]) -> Watch:
        """What is known after these values.

        Before there are as many as are needed, the condition does not hold.
        """
        needs = metric.needs
        last = tuple(values[-needs:])
        return cls(last, len(last) == needs and metric.holds(last))

    def with_value(self, metric: Metric, value: float) -> tuple[Watch, bool]:
        """What is known after one more value, and whether the condition began to hold with it."""
        after = Watch.of(metric, (*self.values, value))
        return after, after.holding and not self.holding


# ---- how it is written (protocol 14.2) ---------------------------------------------------------

_STATES = {
    "RUNNING": "RUNNING",
    "FINISHED": "FINISHED",
    "FAILED": "FAILED",
    "CRASHED": "FAILED",
}
_FILTERS = {
    EventType.RUN_METRIC: "threshold_filter",
    EventType.RUN_METRIC_CHANGE: "change_filter",
    EventType.RUN_METRIC_ZSCORE: "zscore_filter",
}


def parse_condition(event: EventType, text: str) -> Condition:
    """What the filter of a run event asks for.

    Raises:
        Unprocessable: it is not JSON of the form that the client sends; the message says where.
    """
    told = _object(_json(text, "the filter"), "the filter")
    runs = _runs(told.get("run_filter"))
    if event is EventType.RUN_STATE:
        return Condition(runs, states=_states(told.get("run_state_filter")))
    key = _FILTERS[event]
    metric = told.get("run_metric_filter")
    if metric is None and event is EventType.RUN_METRIC and told.get("metric_filter") is not None:
        # How clients before 0.19 write a threshold.
        metric = {key: told["metric_filter"]}
    if isinstance(metric, str):
        metric = _json(metric, "run_metric_filter")
    inner = _object(metric, "run_metric_filter").get(key)
    if isinstance(inner, str):
        inner = _json(inner, key)
    if event is EventType.RUN_METRIC:
        return Condition(runs, metric=_threshold(_object(inner, key)))
    if event is EventType.RUN_METRIC_CHANGE:
        return Condition(runs, metric=_change(_object(inner, key)))
    return Condition(runs, metric=_zscore(_object(inner, key)))


def _bad(message: str) -> Unprocessable:
    return Unprocessable(f"Bad filter of run events. {message}", code="filter", field="filter")


def _json(text: str, what: str) -> Any:
    if len(text) > filter_text.TEXT_LENGTH_MAX:
        raise _bad(f"{what} has more than {filter_text.TEXT_LENGTH_MAX} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(f"{what} is not JSON: {error}") from None


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"{what} must be a JSON object, not {value!r:.80}")
    return value


def _runs(value: Any) -> Node:
    if value is None:
        return Every(())
    text = value if isinstance(value, str) else json.dumps(value)
    return filter_text.parse(text, RUN_FIELDS) or Every(())


def _states(value: Any) -> frozenset[str]:
    states = _object(value, "run_state_filter").get("states")
    if not isinstance(states, list) or not states:
        raise _bad("run_state_filter must name states")
    unknown = [each for each in states if str(each).upper() not in _STATES]
    if unknown:
        raise _bad(f"{unknown[0]!r:.80} is no state of a run; valid ones: {', '.join(_STATES)}")
    return frozenset(_STATES[str(each).upper()] for each in states)


def _threshold(told: Mapping[str, Any]) -> Threshold:
    aggregation = _aggregation(told)
    return Threshold(
        name=_name(told),
        aggregation=aggregation,
        window=1 if aggregation is None else _window(told, "window_size"),
        comparison=_word(told, "cmp_op", ("$gt", "$gte", "$lt", "$lte")),
        threshold=_number(told, "threshold"),
    )


def _change(told: Mapping[str, Any]) -> Change:
    aggregation = _aggregation(told)
    window = 1 if aggregation is None else _window(told, "current_window_size")
    prior = window
    if aggregation is not None and told.get("prior_window_size") is not None:
        prior = _window(told, "prior_window_size")
    return Change(
        name=_name(told),
        aggregation=aggregation,
        window=window,
        prior=prior,
        relative=_word(told, "change_type", ("ABSOLUTE", "RELATIVE")) == "RELATIVE",
        direction=Direction(_word(told, "change_dir", tuple(Direction))),
        amount=_number(told, "change_amount", positive=True),
    )


def _zscore(told: Mapping[str, Any]) -> ZScore:
    return ZScore(
        name=_name(told),
        window=_window(told, "window_size", default=30),
        direction=Direction(_word(told, "change_dir", tuple(Direction), default="ANY")),
        threshold=_number(told, "threshold", positive=True),
    )


def _name(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= METRIC_LENGTH_MAX:
        raise _bad(f"name must be the name of a metric, of at most {METRIC_LENGTH_MAX} characters")
    return name


def _aggregation(told: Mapping[str, Any]) -> Aggregation | None:
    if told.get("agg_op") is None:
        return None
    return Aggregation(_word(told, "agg_op", tuple(Aggregation)))


def _word(
    told: Mapping[str, Any], key: str, words: Sequence[str], default: str | None = None
) -> str:
    value = told.get(key, default)
    if not isinstance(value, str) or value not in words:
        raise _bad(f"{key} must be one of {', '.join(words)}, not {value!r:.80}")
    return str(value)


def _window(told: Mapping[str, Any], key: str, default: int = 1) -> int:
    value = told.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WINDOW_MAX:
        raise _bad(f"{key} must be a whole number from 1 to {WINDOW_MAX:,}, not {value!r:.80}")
    return value


def _number(told: Mapping[str, Any], key: str, *, positive: bool = False) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{key} must be a number, not {value!r:.80}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or (positive and number <= 0):
        raise _bad(f"{key} must be a {'positive ' if positive else ''}number, not {value!r:.80}")
    return number
