"""What comes out of an operation, and what does a resolver get to know?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from byname.domain.errors import Invalid


class Info:
    """What a resolver gets as its second argument.

    The request's context, its field's name, and the names of all fields that are asked for below it.
    """

    __slots__ = ("context", "field_name", "names_below")

    def __init__(
        self, context: Any, field_name: str, names_below: frozenset[str] = frozenset()
    ) -> None:
        self.context = context
        self.field_name = field_name
        self.names_below = names_below


@dataclass(frozen=True, slots=True)
class Failure:
    """One entry of `errors`. How it is worded for the client is the face's business."""

    message: str
    path: tuple[str | int, ...] | None
    """Response keys and list positions from the root; None when the request as a whole failed."""
    locations: tuple[tuple[int, int], ...]
    """Lines and columns in the document, from 1."""
    original: BaseException | None
    """What was raised: a `DomainError` is a refusal, anything else is our fault."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to an operation; `data` is None when nothing could be answered."""

    data: dict[str, Any] | None
    errors: list[Failure] = field(default_factory=list)


def to_failure(error: GraphQLError) -> Failure:
    """The entry of an error that happened at a field."""
    return Failure(
        error.message,
        None if error.path is None else tuple(error.path),
        tuple((place.line, place.column) for place in error.locations or ()),
        error.original_error or error,
    )


def to_refusals(errors: Sequence[GraphQLError]) -> list[Failure]:
    """The entries of errors in the request itself: each original is an `Invalid`."""
    return [
        Failure(
            error.message,
            None,
            tuple((place.line, place.column) for place in error.locations or ()),
            Invalid(error.message, code="invalid_variables"),
        )
        for error in errors
    ]
