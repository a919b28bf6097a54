"""Line charts: which points are drawn, between which round numbers, and where. No SVG here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

POINTS_MAX = 400
"""A chart is some 400 dots wide: more points than that cannot be told apart."""

TICKS = 4
BLOCKS = 200
BLOCK_LINES = 16
WHOLE_LINES_MAX = 4_000
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Point:
    """One value at one step."""

    step: float
    value: float


@dataclass(frozen=True, slots=True)
class Axis:
    """What a side of the chart shows: from where to where, and round numbers between."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where the value lies, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def blocks(count: int) -> list[tuple[int, int]]:
    """Which lines of a stream of `count` are looked at: `(start, stop)` ranges, in order.

    All of a short one. Of a long one 200 short ranges, the first and last lines among them. They
    begin at multiples of the golden ratio, which fit no period: so that what is logged every
    second or hundredth line is met as often as all else.
    """
    if count <= WHOLE_LINES_MAX:
        return [(0, count)] if count > 0 else []
    spare = count - BLOCK_LINES
    starts = sorted({0, spare, *(int(spare * (n * _GOLDEN % 1.0)) for n in range(1, BLOCKS))})
    found: list[tuple[int, int]] = []
    for start in starts:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], start + BLOCK_LINES
        else:
            found.append((start, start + BLOCK_LINES))
    return found


def thin(points: Sequence[Point], most: int = POINTS_MAX) -> list[Point]:
    """At most that many points: of each stretch of the line its lowest and its highest.

    So no peak is lost, unlike with every n-th point.
    """
    if len(points) <= most:
        return list(points)
    picked: list[Point] = []
    stretches = most // 2
    for index in range(stretches):
        part = points[index * len(points) // stretches : (index + 1) * len(points) // stretches]
        ends = sorted(
            {
                min(range(len(part)), key=lambda at, part=part: part[at].value),  # type: ignore[misc]
                max(range(len(part)), key=lambda at, part=part: part[at].value),  # type: ignore[misc]
            }
        )
        picked += [part[at] for at in ends]
    return picked


def axis(low: float, high: float) -> Axis:
    """The axis for values from `low` to `high`, ended by round numbers, with about four ticks."""
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        low, high = 0.0, 1.0
    if low == high:
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    rough = (high - low) / TICKS
    if not math.isfinite(rough) or rough <= 0:
        return Axis(low, high, (low, high)) if high - low > 0 else Axis(0.0, 1.0, (0.0, 1.0))
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next((scale * each for each in (1, 2, 2.5, 5, 10) if scale * each >= rough), rough)
    if step <= 0 or not math.isfinite(step) or (high - low) / step > 4 * TICKS:
        return Axis(low, high, (low, high))
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(step * number for number in range(first, last + 1))
    if not ticks[-1] > ticks[0] or not math.isfinite(ticks[-1] - ticks[0]):
        return Axis(low, high, (low, high))
    return Axis(ticks[0], ticks[-1], ticks)


def number_text(value: float) -> str:
    """A number as a chart says it: short, and without a tail of rounding."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    size = abs(value)
    if value == int(value) and size < 1e6:
        return str(int(value))
    if size >= 1e6 or size < 1e-3:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:.4g}"
