"""Asking the SDK's face without a network: a document in, data or errors out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from byname.domain.errors import DomainError
from byname.graphql.context import RequestContext
from byname.graphql.engine.engine import Engine
from byname.graphql.nouns import make_schema
from byname.http.addresses import Addresses
from byname.http.links import Signer
from byname.operations.context import Context


@functools.cache
def engine() -> Engine:
    """One engine for all tests: it keeps nothing of a request."""
    return Engine(make_schema())


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `data` may hold nulls where there are errors."""

    data: Any
    errors: list[DomainError]


def ask(ctx: Context, query: str, /, **variables: Any) -> Answer:
    """The answer to the document.

    Raises:
        AssertionError: something failed that is no refusal.
    """
    request = RequestContext(ctx, Addresses("http://localhost", Signer(b"x" * 32)))
    running = engine()
    result = running.execute(running.prepare(query), variables, request)
    refusals = []
    for failure in result.errors:
        assert isinstance(failure.original, DomainError), failure
        refusals.append(failure.original)
    return Answer(result.data, refusals)


def data(ctx: Context, query: str, /, **variables: Any) -> Any:
    """The data of an answer without errors."""
    answer = ask(ctx, query, **variables)
    assert not answer.errors, answer.errors
    return answer.data


def refusal(ctx: Context, query: str, /, **variables: Any) -> DomainError:
    """The one refusal of a document that cannot be answered."""
    answer = ask(ctx, query, **variables)
    assert len(answer.errors) == 1, answer
    return answer.errors[0]
