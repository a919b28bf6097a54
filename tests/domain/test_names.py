"""Which names are allowed, and what a refusal of the others says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from byname.domain import names
from byname.domain.errors import Unprocessable


class TestTypes:
    """R21: a type name has at most 128 characters and contains neither `/` nor `:`."""

    @pytest.mark.parametrize("name", ["model", "a b", "Größe", "x" * 128, "#?%"])
    def test_fine(self, name: str) -> None:
        assert names.check_type(name) == name

    @pytest.mark.parametrize("name", ["", "a/b", "a:b", "x" * 129, "a\nb", "\ud800"])
    def test_refused(self, name: str) -> None:
        with pytest.raises(Unprocessable, match="The artifact type"):
            names.check_type(name)


class TestCollections:
    """R34: 1 to 128 characters, no `/`, no `:`, no control characters, no outer spaces."""

    @pytest.mark.parametrize("name", ["Zoo", "a b", "a.b", "x" * 128, "é", "#?%"])
    def test_fine(self, name: str) -> None:
        assert names.check_collection(name) == name

    @pytest.mark.parametrize("name", ["", "a/b", "a:b", "x" * 129, " a", "a ", "a\tb", "\x7f"])
    def test_refused(self, name: str) -> None:
        with pytest.raises(Unprocessable, match="The collection name"):
            names.check_collection(name)


class TestAliases:
    """R62, R72; edge case 6: what may be an alias, and that `v3-final` and `V3` may."""

    @pytest.mark.parametrize("name", ["v3-final", "V3", "a b", "a.b_c-d", "x" * 128, "v", "v3x"])
    def test_fine(self, name: str) -> None:
        assert names.check_alias(name) == name

    @pytest.mark.parametrize("name", ["v3", "a/b", "a:b", "", "x" * 129, "a@b", "a~1", "a\x00"])
    def test_refused(self, name: str) -> None:
        with pytest.raises(Unprocessable):
            names.check_alias(name)


@pytest.mark.parametrize(
    "check", [names.check_alias, names.check_collection, names.check_type, names.check_tag]
)
def test_names_are_compared_in_one_form_of_unicode(check: Callable[[str], str]) -> None:
    """R72: Unicode compared after NFC."""
    assert check("Gro\u0308\u00dfe") == "Größe"


class TestNamesThatCannotBeForged:
    """R34, R72: no control characters; a sign that cannot be seen would write one name twice."""

    CHECKS = (names.check_collection, names.check_project, names.check_alias, names.check_type)

    @pytest.mark.parametrize("check", CHECKS)
    @pytest.mark.parametrize(
        "sign", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u2028"]
    )
    def test_signs_that_cannot_be_seen(self, check: Callable[[str], str], sign: str) -> None:
        with pytest.raises(Unprocessable, match="cannot be seen"):
            check(f"produc{sign}tion")

    @pytest.mark.parametrize("check", CHECKS)
    @pytest.mark.parametrize("name", [".", "..", " .. "])
    def test_steps_of_a_path(self, check: Callable[[str], str], name: str) -> None:
        with pytest.raises(Unprocessable):
            check(name)

    @pytest.mark.parametrize("check", CHECKS)
    @pytest.mark.parametrize("name", ["...", "v1.2", "\U0001f600", "\u05d0\u05d1", "e\u0301"])
    def test_what_can_be_seen(self, check: Callable[[str], str], name: str) -> None:
        assert check(name) == ("\u00e9" if name == "e\u0301" else name)
