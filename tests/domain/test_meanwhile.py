"""Pages that are out of date: what may be saved of a form."""

from __future__ import annotations

import pytest

from byname.domain.errors import EditedMeanwhile
from byname.domain.meanwhile import as_shown, check_had, merge


class TestNobodyOverwritesWhatTheyHaveNotSeen:
    """What two people changed is saved by neither unseen; the other fields of both are kept."""

    SHOWN = as_shown({"name": "Model", "text": "one\ntwo"})

    def test_what_only_the_writer_changed_is_saved(self) -> None:
        now = {"name": "Model", "text": "one\ntwo"}
        assert merge(self.SHOWN, now, {"name": "Model", "text": "three"}) == {
            "name": "Model", "text": "three",
        }  # fmt: skip

    def test_what_only_somebody_else_changed_stays(self) -> None:
        now = {"name": "Models", "text": "one\ntwo"}
        assert merge(self.SHOWN, now, {"name": "Model", "text": "three"}) == {
            "name": "Models", "text": "three",
        }  # fmt: skip

    def test_what_both_changed_is_refused_and_named(self) -> None:
        now = {"name": "Model", "text": "theirs"}
        with pytest.raises(EditedMeanwhile, match="text") as refused:
            merge(self.SHOWN, now, {"name": "Mine", "text": "mine"})
        assert refused.value.details == {"fields": ["text"]}

    def test_the_same_change_by_both_is_no_quarrel(self) -> None:
        now = {"name": "Model", "text": "same"}
        assert merge(self.SHOWN, now, {"name": "Model", "text": "same"})["text"] == "same"

    def test_ends_of_lines_and_room_around_are_no_change(self) -> None:
        now = {"name": "Model", "text": "theirs"}
        assert merge(self.SHOWN, now, {"name": "Model", "text": "one\r\ntwo\n"})["text"] == "theirs"

    def test_of_a_form_that_shows_nothing_what_is_wanted_counts(self) -> None:
        now = {"name": "Model", "text": "theirs"}
        assert merge("", now, {"text": "mine"}) == {"text": "mine"}
        assert merge("nonsense,=,text", now, {"name": "mine"}) == {"name": "mine"}


class TestARoleIsChangedFromTheOneThatWasShown:
    """As with names: what is there now is what the person was told."""

    def test_it_is_still_that(self) -> None:
        check_had("member", "member", "admin", "ben")

    def test_it_is_the_wanted_one_already(self) -> None:
        check_had("admin", "member", "admin", "ben")

    def test_nothing_was_expected(self) -> None:
        check_had(None, None, "admin", "ben")

    @pytest.mark.parametrize(("now", "told"), [("viewer", "viewer"), (None, "not a member")])
    def test_it_is_another(self, now: str | None, told: str) -> None:
        with pytest.raises(EditedMeanwhile, match=f"ben is {told} now"):
            check_had(now, "member", "admin", "ben")
