"""Where the boxes and arrows of a graph stand: in layers from left to right, with few crossings.

Pure geometry: boxes are ids with a height, arrows are pairs of ids. After Sugiyama: arrows that would
close a circle are turned round, every box stands right of what it comes from, long arrows are led
through the layers between, the boxes of each layer are ordered after their neighbours, and at last they
are moved as near to the middle of these as the others in the layer allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH = 216
LAYER_GAP = 72
BOX_GAP = 18
BEND_HEIGHT = 6
MARGIN = 12
SWEEPS = 8

Arrow = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box stands; all are equally wide."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The size of the whole, each box, and each arrow as a path of SVG."""

    width: int
    height: int
    boxes: dict[str, Box]
    paths: dict[Arrow, str]


def lay_out(heights: Mapping[str, int], arrows: Iterable[Arrow]) -> Layout:
    """The boxes, which have these heights, and the arrows between them."""
    wanted = [each for each in dict.fromkeys(arrows) if each[0] in heights and each[1] in heights]
    forward = _without_circles(heights, [each for each in wanted if each[0] != each[1]])
    layer_of = _layers(heights, forward)
    chains, sizes = _chains(heights, forward, layer_of)
    layers = _ordered(layer_of, [pair for chain in chains.values() for pair in _pairs(chain)])
    middles = _middles(layers, sizes, [p for chain in chains.values() for p in _pairs(chain)])
    top = min((middles[each] - sizes[each] / 2 for each in sizes), default=0.0)
    x_of = {
        each: MARGIN + number * (WIDTH + LAYER_GAP)
        for number, layer in enumerate(layers)
        for each in layer
    }
    y_of = {each: round(middles[each] - sizes[each] / 2 - top) + MARGIN for each in sizes}
    boxes = {each: Box(x_of[each], y_of[each], heights[each]) for each in heights}
    paths = {}
    for arrow in wanted:
        turned = arrow not in chains
        chain = chains.get((arrow[1], arrow[0]) if turned else arrow)
        if chain is not None:
            points = [(x_of[each], y_of[each] + sizes[each] // 2) for each in chain]
            paths[arrow] = _path(points, turned=turned)
    return Layout(
        width=2 * MARGIN + max(1, len(layers)) * (WIDTH + LAYER_GAP) - LAYER_GAP,
        height=2 * MARGIN
        + max((round(middles[each] + sizes[each] / 2 - top) for each in sizes), default=0),
        boxes=boxes,
        paths=paths,
    )


def _pairs(chain: Sequence[str]) -> list[Arrow]:
    return list(pairwise(chain))


def _without_circles(ids: Iterable[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows, of which those that close a circle point the other way."""
    following: dict[str, list[str]] = {each: [] for each in ids}
    for source, target in arrows:
        following[source].append(target)
    state: dict[str, int] = {}
    found: dict[Arrow, None] = {}
    for start, first in following.items():
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(first))]
        while stack:
            here, rest = stack[-1]
            there = next(rest, None)
            if there is None:
                state[here] = 2
                stack.pop()
            elif state.get(there) == 1:
                found[there, here] = None
            else:
                found[here, there] = None
                if there not in state:
                    state[there] = 1
                    stack.append((there, iter(following[there])))
    return list(found)


def _layers(ids: Iterable[str], arrows: Sequence[Arrow]) -> dict[str, int]:
    """For each box its layer: behind everything it comes from, and close to what comes of it."""
    before: dict[str, list[str]] = {each: [] for each in ids}
    after: dict[str, list[str]] = {each: [] for each in before}
    for source, target in arrows:
        before[target].append(source)
        after[source].append(target)
    missing = {each: len(found) for each, found in before.items()}
    ready = [each for each, count in missing.items() if count == 0]
    order: list[str] = []
    layer: dict[str, int] = {}
    while ready:
        here = ready.pop()
        order.append(here)
        layer[here] = max((layer[each] + 1 for each in before[here]), default=0)
        for there in after[here]:
            missing[there] -= 1
            if missing[there] == 0:
                ready.append(there)
    for here in reversed(order):
        if not before[here] and after[here]:
            layer[here] = min(layer[each] for each in after[here]) - 1
    return layer


def _chains(
    heights: Mapping[str, int], arrows: Sequence[Arrow], layer_of: dict[str, int]
) -> tuple[dict[Arrow, list[str]], dict[str, int]]:
    """Each arrow with the bends it takes in the layers between; the heights of boxes and bends."""
    sizes = dict(heights)
    chains = {}
    for source, target in arrows:
        chain = [source]
        for number in range(layer_of[source] + 1, layer_of[target]):
            bend = f"\0{source}\0{target}\0{number}"
            layer_of[bend] = number
            sizes[bend] = BEND_HEIGHT
            chain.append(bend)
        chains[source, target] = [*chain, target]
    return chains, sizes


def _ordered(layer_of: Mapping[str, int], pairs: Sequence[Arrow]) -> list[list[str]]:
    """The layers, each ordered so that few arrows cross: after the mean place of the neighbours."""
    layers: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for each, number in layer_of.items():
        layers[number].append(each)
    before, after = _neighbours(layer_of, pairs)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, pairs)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        place = {each: float(i) for layer in layers for i, each in enumerate(layer)}
        beside = after if sweep % 2 else before
        for layer in reversed(layers) if sweep % 2 else layers:
            means = {
                each: sum(place[other] for other in beside[each]) / len(beside[each])
                if beside[each]
                else place[each]
                for each in layer
            }
            layer.sort(key=means.__getitem__)
            place.update((each, float(i)) for i, each in enumerate(layer))
        crossings = _crossings(layers, pairs)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _neighbours(
    ids: Iterable[str], pairs: Sequence[Arrow]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {each: [] for each in ids}
    after: dict[str, list[str]] = {each: [] for each in before}
    for source, target in pairs:
        before[target].append(source)
        after[source].append(target)
    return before, after


def _crossings(layers: Sequence[Sequence[str]], pairs: Sequence[Arrow]) -> int:
    place = {each: i for layer in layers for i, each in enumerate(layer)}
    number = {each: i for i, layer in enumerate(layers) for each in layer}
    between: dict[int, list[tuple[int, int]]] = {}
    for source, target in pairs:
        between.setdefault(number[source], []).append((place[source], place[target]))
    total = 0
    for found in between.values():
        found.sort()
        seen: list[int] = []
        for _, end in found:
            total += sum(1 for other in seen if other > end)
            seen.append(end)
    return total


def _middles(
    layers: Sequence[Sequence[str]], sizes: Mapping[str, int], pairs: Sequence[Arrow]
) -> dict[str, float]:
    """The height of each box's middle: near the mean of its neighbours', without overlapping."""
    middle: dict[str, float] = {}
    for layer in layers:
        y = 0.0
        for each in layer:
            middle[each] = y + sizes[each] / 2
            y += sizes[each] + BOX_GAP
    before, after = _neighbours(sizes, pairs)
    for sweep in range(SWEEPS):
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = []
            for each in layer:
                beside = [*before[each], *after[each]]
                wanted.append(
                    sum(middle[other] for other in beside) / len(beside) if beside else middle[each]
                )
            spread = _spread(wanted, [sizes[each] for each in layer])
            middle.update(zip(layer, spread, strict=True))
    return middle


def _spread(wanted: Sequence[float], heights: Sequence[int]) -> list[float]:
    """The middles nearest to those wanted (least squares) that keep order and distance.

    Less what stands above each box, the places may only grow: an isotonic regression, by pooling
    neighbours that would overlap.
    """
    offsets = [0.0]
    for upper, lower in pairwise(heights):
        offsets.append(offsets[-1] + (upper + lower) / 2 + BOX_GAP)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    spread = [mean for mean, size in pools for _ in range(size)]
    return [each + offset for each, offset in zip(spread, offsets, strict=True)]


def _path(points: Sequence[tuple[int, int]], *, turned: bool) -> str:
    """From the right edge of the first to the left edge of the last, or back if it was turned."""
    stops: list[tuple[int, int]] = [(points[0][0] + WIDTH, points[0][1])]
    for x, y in points[1:-1]:
        stops += [(x, y), (x + WIDTH, y)]
    stops.append(points[-1])
    if turned:
        stops.reverse()
    half = LAYER_GAP // 2 * (-1 if turned else 1)
    text = f"M{stops[0][0]} {stops[0][1]}"
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(stops)):
        if number % 2:
            text += f"L{to_x} {to_y}"
        else:
            text += f"C{x + half} {y} {to_x - half} {to_y} {to_x} {to_y}"
    return text
