"""How does a request to the SDK's face get its answer?

`prepare` understands a document, `execute` answers it. Nothing here waits: whoever calls decides
whether the event loop or a thread does the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema, execute_sync

from byname.graphql.engine.documents import DocumentCache, Prepared
from byname.graphql.engine.limits import Limits
from byname.graphql.engine.results import Result, to_failure, to_refusals


class Engine:
    """The schema at work. One engine serves all threads."""

    def __init__(self, schema: GraphQLSchema, limits: Limits | None = None) -> None:
        self.schema = schema
        self._documents = DocumentCache(schema, limits or Limits())

    def prepare(self, query: str, operation_name: str | None = None) -> Prepared:
        """The operation of the document, ready to run. An empty operation name counts as none.

        Raises:
            Invalid: the document cannot be read, or asks for what the schema does not have.
            TooLarge: it asks for more than one document may.
            Unsupported: it is a subscription.
        """
        return self._documents.prepare(query, operation_name or None)

    def execute(
        self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Any
    ) -> Result:
        """The answer. Unknown variables and input fields are dropped (protocol 4).

        What resolvers raise ends up in the result's errors. Variables that cannot be read give a
        result without data whose errors have an `Invalid` as their original.
        """
        raw = variables or {}
        values = prepared.variables.read(raw)
        if isinstance(values, list):
            return Result(None, to_refusals(values))
        plan = prepared.plan(values)
        if plan is not None:
            return plan.execute(values, prepared.exactly(raw), context)
        return self.execute_exactly(prepared, raw, context)

    def execute_exactly(
        self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Any
    ) -> Result:
        """The same answer by graphql-core: for what has no plan, and to measure plans against."""
        answer = execute_sync(
            self.schema,
            prepared.document,
            context_value=context,
            variable_values=prepared.variables.known(variables or {}),
            operation_name=prepared.operation_name,
        )
        return Result(answer.data, [to_failure(error) for error in answer.errors or ()])
