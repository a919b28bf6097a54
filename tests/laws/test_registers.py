"""The checker of histories is checked: by a search through all orders, and by planted stale reads."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.registers import Call, is_linearizable, violations

LENGTH_MAX = 14
VALUES = (0, 1, 2)


def history(chance: random.Random, length: int) -> list[Call]:
    """A history of a register that does right: each call happens at a moment within its times."""
    calls: list[Call] = []
    revision, value = 0, None
    now = 0.0
    for _ in range(length):
        now += 1
        start, end = now - chance.random() * 4, now + chance.random() * 4
        kind = chance.choice(("write", "write", "read", "look", "set", "set"))
        target = chance.choice(VALUES)
        if kind == "read" or (kind == "look" and chance.random() < 0.3):
            calls.append(Call(start, end, value, revision, what=kind))
        elif kind == "look":
            calls.append(Call(start, end, value, what=kind))
        else:
            by_value = (chance.choice((value, *VALUES)),) if kind == "set" else ()
            by_revision = None
            if by_value and chance.random() < 0.5:
                by_value, by_revision = (), max(0, revision - chance.choice((0, 0, 1)))
            refused = (by_value and by_value[0] != value) or by_revision not in (None, revision)
            if refused:
                calls.append(
                    Call(start, end, value, expected=by_value, expected_revision=by_revision)
                )
                continue
            revision, value = revision + 1, target
            calls.append(Call(start, end, value, revision, True, by_revision, by_value, what=kind))
    return calls


def spoilt(chance: random.Random, calls: list[Call]) -> list[Call]:
    """The history with one answer that may be a lie."""
    index = chance.randrange(len(calls))
    call = calls[index]
    other = replace(call, value=chance.choice((None, *VALUES)))
    if call.revision is not None and chance.random() < 0.5:
        other = replace(call, revision=max(0, call.revision + chance.choice((-1, 1))))
    return [*calls[:index], other, *calls[index + 1 :]]


class TestChecker:
    """C1: checked by the order of revisions; short histories also go through the general search."""

    @settings(max_examples=400, deadline=None)
    @given(seed=st.integers(0, 2**32), length=st.integers(1, LENGTH_MAX))
    def test_what_a_right_register_did_is_linearizable(self, seed: int, length: int) -> None:
        calls = history(random.Random(seed), length)
        assert violations(calls) == []
        assert is_linearizable(calls)

    @settings(max_examples=1_500, deadline=None)
    @given(seed=st.integers(0, 2**32), length=st.integers(2, LENGTH_MAX))
    def test_both_ways_of_checking_say_the_same(self, seed: int, length: int) -> None:
        chance = random.Random(seed)
        calls = spoilt(chance, history(chance, length))
        assert (not violations(calls)) == is_linearizable(calls)

    def test_lies_are_found(self) -> None:
        found = 0
        for seed in range(500):
            chance = random.Random(seed)
            found += bool(violations(spoilt(chance, history(chance, LENGTH_MAX))))
        assert found > 200

    def test_a_stale_read_among_thousands_is_found(self) -> None:
        chance = random.Random(7)
        calls = history(chance, 5_000)
        assert violations(calls) == []
        index = next(i for i in range(4_000, 5_000) if not calls[i].writes)
        old = next(c for c in reversed(calls[:3_000]) if c.writes)
        stale = replace(calls[index], value=old.value, revision=old.revision)
        stale = replace(stale, expected=(), expected_revision=None)
        assert violations([*calls[:index], stale, *calls[index + 1 :]])
