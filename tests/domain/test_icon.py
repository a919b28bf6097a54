"""The icons of registries: generated, chosen by name, and nothing anybody wrote (R29)."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from byname.domain import icon
from byname.domain.errors import Unprocessable


def contrast_with_white(colour: str) -> float:
    """The ratio of WCAG 2, section 1.4.3."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


class TestIcons:
    """R29: each registry has an icon, generated at first, changeable by an Admin."""

    def test_the_generated_one_is_the_same_each_time_and_spread_over_registries(self) -> None:
        assert icon.generated(7) == icon.generated(7)
        kinds = len(icon.SHAPES) * len(icon.COLOURS)
        seen = Counter(icon.generated(number).name for number in range(50 * kinds))
        assert len(seen) == kinds
        assert max(seen.values()) < 100

    def test_a_chosen_one_is_of_the_set(self) -> None:
        for shape in icon.SHAPES:
            for colour in icon.COLOURS:
                chosen = icon.parse(f"{shape}-{colour}")
                assert icon.of(1, chosen) == icon.Icon(shape, colour)
        assert icon.parse("generated") is None
        assert icon.of(9, None) == icon.generated(9)

    @pytest.mark.parametrize(
        "name", ["", "star", "star-", "-red", "star-red-x", "STAR-red", "<svg/>", "star-url(x)"]
    )
    def test_anything_else_is_refused_with_what_there_is(self, name: str) -> None:
        with pytest.raises(Unprocessable, match=r"shapes are circle.*colours are blue"):
            icon.parse(name)

    def test_the_picture_is_plain_and_can_be_seen(self) -> None:
        for shape in icon.SHAPES:
            for colour in icon.COLOURS:
                root = ET.fromstring(icon.Icon(shape, colour).svg)
                assert [each.tag.rpartition("}")[2] for each in root.iter()] == [
                    "svg", "rect", "path",
                ]  # fmt: skip
        for colour in icon.COLOURS.values():
            assert contrast_with_white(colour) >= 4.5
