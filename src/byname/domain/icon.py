"""Icons of registries (R29): a shape on a colour, drawn here. Nobody brings a picture of their own.

A registry has one from the start, chosen by its id. Its Admins may choose another, by name, such as
`hexagon-teal`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from byname.domain.errors import Unprocessable

GENERATED = "generated"
"""The word by which a registry goes back to the icon it began with."""

SHAPES = {
    "circle": "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
    "ring": "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14zm0 4a3 3 0 1 1 0 6a3 3 0 1 1 0-6z",
    "square": "M6 6h12v12h-12z",
    "diamond": "M12 4l8 8l-8 8l-8-8z",
    "triangle": "M12 5l8 14h-16z",
    "hexagon": "M12 4l7 4v8l-7 4l-7-4v-8z",
    "star": "M12 4l2.4 5.2l5.6.6l-4.2 3.8l1.2 5.6l-5-2.9l-5 2.9l1.2-5.6l-4.2-3.8l5.6-.6z",
    "cross": "M9 5h6v4h4v6h-4v4h-6v-4h-4v-6h4z",
    "bars": "M5 12h4v7h-4zm5-4h4v11h-4zm5-3h4v14h-4z",
    "layers": "M12 4l8 4l-8 4l-8-4zm-8 8l8 4l8-4v3l-8 4l-8-4z",
    "grid": "M5 5h6v6h-6zm8 0h6v6h-6zm-8 8h6v6h-6zm8 0h6v6h-6z",
    "bolt": "M13 3l-7 11h5l-1 7l8-11h-5z",
    "leaf": "M6 18c-2-8 4-13 13-13c0 9-5 15-13 13z",
    "flag": "M6 4h3v1h10l-3 4l3 4h-10v7h-3z",
}
"""The shapes, as the path of an SVG picture of 24 by 24."""

COLOURS = {
    "blue": "#1f5fbf",
    "teal": "#0f766e",
    "green": "#2f7a2f",
    "olive": "#6b6a12",
    "orange": "#b4500b",
    "red": "#b3261e",
    "pink": "#a62a6b",
    "purple": "#6d3fb8",
    "slate": "#475569",
}
"""The colours; white on each of them has a contrast of at least 4.5."""


@dataclass(frozen=True, slots=True)
class Icon:
    """A shape on a colour."""

    shape: str
    colour: str

    @property
    def name(self) -> str:
        """How it is asked for: `shape-colour`."""
        return f"{self.shape}-{self.colour}"

    @property
    def svg(self) -> str:
        """The picture, as markup that holds nothing anybody wrote."""
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24"'
            f' class="icon" aria-hidden="true" focusable="false"><rect width="24" height="24" rx="5"'
            f' fill="{COLOURS[self.colour]}"/><path d="{SHAPES[self.shape]}" fill="#fff"'
            ' fill-rule="evenodd"/></svg>'
        )


def generated(registry_id: int) -> Icon:
    """The icon that a registry begins with: the same one each time, spread evenly over ids."""
    number = int.from_bytes(hashlib.sha256(f"icon {registry_id}".encode()).digest()[:8])
    number, shape = divmod(number, len(SHAPES))
    return Icon(list(SHAPES)[shape], list(COLOURS)[number % len(COLOURS)])


def of(registry_id: int, chosen: str | None) -> Icon:
    """The registry's icon: the chosen one, or the one it began with."""
    if chosen is None:
        return generated(registry_id)
    shape, _, colour = chosen.partition("-")
    return Icon(shape, colour)


def parse(name: str) -> str | None:
    """The name of an icon to choose; None stands for the one that a registry begins with.

    Raises:
        Unprocessable: there is no such shape or colour; the message lists them.
    """
    if name == GENERATED:
        return None
    shape, _, colour = name.partition("-")
    if shape not in SHAPES or colour not in COLOURS:
        raise Unprocessable(
            f"{name[:80]!r} is no icon: write {GENERATED}, or SHAPE-COLOUR; shapes are "
            f"{', '.join(SHAPES)}; colours are {', '.join(COLOURS)}",
            code="icon",
            field="icon",
        )
    return name
