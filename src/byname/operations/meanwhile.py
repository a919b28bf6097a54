"""Saving a form that may be out of date: in one transaction with looking at what is so now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from byname.domain import meanwhile as rules
from byname.operations.context import Context

Result = TypeVar("Result")


def save(
    ctx: Context,
    shown: str,
    present: Callable[[], Mapping[str, str]],
    wanted: Mapping[str, str],
    piece: Callable[[dict[str, str]], Result],
) -> Result:
    """The answer of the piece, which saves the fields as they are to be saved.

    Nobody changes them between the look at them and the saving.

    Raises:
        EditedMeanwhile: the form's writer and somebody else changed the same field; nothing is saved.
        DomainError: what the piece raises.
    """
    with ctx.database.write():
        return piece(rules.merge(shown, present(), wanted))
