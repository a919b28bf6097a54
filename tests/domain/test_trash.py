"""Which aliases come back from the trash (R164)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from byname.domain.alias import Holder
from byname.domain.trash import TRASH_MICROSECONDS, is_over, plan_return

V0, V1, V2 = (Holder(n + 10, n) for n in range(3))


def returned(
    *returning: tuple[Holder, list[str]],
    present: dict[str, Holder] | None = None,
    highest: Holder | None = None,
    whole: bool = False,
) -> dict[str, int]:
    """The aliases that move, and to which number."""
    changes = plan_return(returning, present or {}, highest, whole=whole)
    assert all(change.cause == "restore" for change in changes)
    return {change.name: change.after.number for change in changes if change.after is not None}


def test_seven_days() -> None:
    assert not is_over(5, 4 + TRASH_MICROSECONDS)
    assert is_over(5, 5 + TRASH_MICROSECONDS)


def test_an_alias_comes_back_unless_it_was_given_to_another() -> None:
    assert returned((V0, ["a", "b"]), present={"b": V1, "latest": V1}, highest=V1) == {"a": 0}


def test_latest_comes_back_to_who_is_still_the_newest() -> None:
    """R48, R65."""
    assert returned((V2, ["latest"]), present={"latest": V1}, highest=V1) == {"latest": 2}
    assert returned((V0, ["latest"]), present={"latest": V1}, highest=V1) == {}


def test_latest_is_not_taken_from_its_holder_by_who_never_had_it() -> None:
    assert returned((V2, []), present={"latest": V0}, highest=V1) == {}


def test_the_newest_in_an_empty_collection_gets_latest() -> None:
    assert returned((V0, []), (V1, [])) == {"latest": 1}


def test_a_whole_collection_comes_back_as_it_was() -> None:
    assert returned((V0, ["latest"]), (V1, ["a"]), whole=True) == {"latest": 0, "a": 1}
    assert returned((V0, []), (V1, []), whole=True) == {}


def test_who_holds_an_alias_already_is_left_alone() -> None:
    """A registry's aliases are kept with it, so that nothing moves."""
    present = {"a": V0, "latest": V1}
    assert returned((V0, ["a"]), (V1, ["latest"]), present=present, whole=True) == {}


@given(
    held=st.lists(st.lists(st.sampled_from("abc"), unique=True, max_size=3), max_size=4),
    taken=st.sets(st.sampled_from("abc")),
)
def test_each_alias_has_one_holder(held: list[list[str]], taken: set[str]) -> None:
    """I1, also after a restoration."""
    other = Holder(1, 100)
    returning = [(Holder(10 + n, n), names) for n, names in enumerate(held)]
    changes = plan_return(returning, dict.fromkeys(taken, other), other, whole=False)
    moved = [change.name for change in changes]
    assert len(moved) == len(set(moved))
    assert not taken & set(moved)
