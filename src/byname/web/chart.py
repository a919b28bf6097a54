"""A line chart as SVG, drawn on the server: no script, no style inside, words for who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain import chart as rules
from byname.operations.run_history import Line

WIDTH, HEIGHT = 400, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 10, 26
LABELS_MAX = 6


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart and its label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    title: str
    points: str
    """As the attribute of a polyline wants them."""
    dots: list[tuple[float, float]]
    """Where there are so few values that a line alone would not show them."""
    across: list[Tick]
    up: list[Tick]
    summary: str
    last: str
    count: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


DOTS_MAX = 24


def draw(line: Line, unit: str) -> Chart:
    """The chart of a line; `unit` says what the horizontal axis counts."""
    last = "none" if line.last is None else rules.number_text(line.last)
    if not line.points:
        return Chart(line.key, "", [], [], [], f"{line.key}: no number", last, line.count)
    steps = [point.step for point in line.points]
    values = [point.value for point in line.points]
    across = rules.axis(min(steps), max(steps))
    if min(steps) < max(steps):
        # Time is shown from end to end; only values get room above and below.
        across = rules.Axis(
            min(steps), max(steps), tuple(t for t in across.ticks if min(steps) <= t <= max(steps))
        )
    up = rules.axis(min(values), max(values))

    def x_of(step: float) -> float:
        return round(LEFT + across.place(step) * (WIDTH - LEFT - RIGHT), 1)

    def y_of(value: float) -> float:
        return round(HEIGHT - BOTTOM - up.place(value) * (HEIGHT - TOP - BOTTOM), 1)

    places = [(x_of(point.step), y_of(point.value)) for point in line.points]
    return Chart(
        title=line.key,
        points=" ".join(f"{x},{y}" for x, y in places),
        dots=places if len(places) <= DOTS_MAX else [],
        across=[Tick(x_of(tick), rules.number_text(tick)) for tick in across.ticks[:LABELS_MAX]],
        up=[Tick(y_of(tick), rules.number_text(tick)) for tick in up.ticks[:LABELS_MAX]],
        summary=(
            f"{line.key} over {unit}s {rules.number_text(min(steps))} to "
            f"{rules.number_text(max(steps))}: lowest {rules.number_text(min(values))}, "
            f"highest {rules.number_text(max(values))}, last {last}"
        ),
        last=last,
        count=line.count,
    )
