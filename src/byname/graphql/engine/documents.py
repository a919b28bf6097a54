"""What is known of a document before it runs, and for how long is it remembered?

Parsing and validating cost a hundred times as much as answering, so each document is prepared once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Literal

from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    get_operation_ast,
    validate,
    visit,
)
from graphql.execution.values import VariableValues
from graphql.language import DirectiveNode, FieldNode, OperationType, VariableNode
from graphql.validation import recommended_rules, specified_rules

from byname.domain.errors import Invalid, Unsupported
from byname.graphql.engine.inputs import VariableReader
from byname.graphql.engine.left_out import find_left_out
from byname.graphql.engine.limits import Limits, measure_operation, parse_document
from byname.graphql.engine.plan import Compiler, NotPlannable, Plan

VALIDATION_ERRORS_MAX = 3
MESSAGE_CHARACTERS_MAX = 300
PLANS_MAX = 16
"""Combinations of `@skip` and `@include` that are planned per document; further ones are not."""

# Lists without a page around them that grow with the length of a run.
STREAMS = frozenset(
    {
        "history",
        "events",
        "sampledHistory",
        "parquetHistory",
        "logLines",
        "historyKeys",
        "historyTail",
        "eventsTail",
    }
)


class Prepared:
    """An operation that has been parsed, measured, validated and, where possible, planned."""

    __slots__ = (
        "_conditions",
        "_plans",
        "document",
        "kind",
        "operation",
        "operation_name",
        "quick",
        "root_fields",
        "schema",
        "size_cost",
        "tokens",
        "variables",
    )

    def __init__(
        self,
        schema: GraphQLSchema,
        text: str,
        operation_name: str | None,
        limits: Limits,
    ) -> None:
        self.schema = schema
        self.document: DocumentNode = parse_document(text, limits)
        self.operation = _choose(self.document, operation_name)
        self.operation_name = operation_name
        measure = measure_operation(self.document, self.operation, limits)
        _validate(schema, self.document)
        self.kind: Literal["query", "mutation"] = (
            "query" if self.operation.operation is OperationType.QUERY else "mutation"
        )
        self.root_fields = measure.root_fields
        """Their names in the schema, each once, in the order of the document."""
        self.size_cost = measure.selections
        """How much the document selects, through its fragments."""
        self.tokens: int = getattr(self.document, "token_count", len(text))
        traits = _Traits(schema, self.document)
        self.quick = self.kind == "query" and not traits.slow
        """Whether it reads a bounded number of rows: no pages, no streams of a run, no schema."""
        self.variables = VariableReader(schema, self.operation)
        self._conditions = tuple(sorted(traits.conditions))
        self._plans: dict[tuple[bool, ...], Plan | None] = {}

    def plan(self, variables: Mapping[str, Any]) -> Plan | None:
        """The plan for these variables; None when graphql-core has to do it."""
        values: tuple[bool, ...] = tuple(variables.get(name) for name in self._conditions)  # type: ignore[misc]
        if not all(value.__class__ is bool for value in values):
            return None  # A condition without a value is an error, which graphql-core words.
        if values not in self._plans:
            if len(self._plans) >= PLANS_MAX:
                return None
            conditions = dict(zip(self._conditions, values, strict=True))
            try:
                self._plans[values] = Plan(
                    Compiler(self.schema, self.document, self.operation, conditions)
                )
            except NotPlannable:
                self._plans[values] = None
        return self._plans[values]

    def exactly(self, raw: Mapping[str, Any]) -> Callable[[], VariableValues]:
        """The variables as graphql-core wants them, read when they are asked for."""

        def read() -> VariableValues:
            values = self.variables.read_exactly(raw)
            if isinstance(values, list):
                raise values[0]
            return values

        return read


class DocumentCache:
    """Remembers prepared documents, the least recently used going first. Many threads may ask."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()
        self._tokens = 0

    def prepare(self, text: str, operation_name: str | None) -> Prepared:
        """The prepared document, remembered or made."""
        key = (text, operation_name)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        # Two threads may prepare the same document at once; one result is kept, both are right.
        made = Prepared(self._schema, text, operation_name, self._limits)
        with self._lock:
            replaced = self._kept.pop(key, None)
            if replaced is not None:
                self._tokens -= replaced.tokens
            self._kept[key] = made
            self._tokens += made.tokens
            while self._tokens > self._limits.kept_tokens and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._tokens -= dropped.tokens
        return made

    def __len__(self) -> int:
        return len(self._kept)


def _choose(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        if operation_name is not None:
            raise Invalid(
                f"The document has no operation {operation_name!r}", code="invalid_document"
            )
        raise Invalid(
            "The document must have exactly one operation, or operationName must choose one",
            code="invalid_document",
        )
    if operation.operation is OperationType.SUBSCRIPTION:
        raise Unsupported("This server offers no subscriptions")
    return operation


def _validate(schema: GraphQLSchema, document: DocumentNode) -> None:
    rules = [*specified_rules, *recommended_rules]
    errors = validate(schema, document, rules, max_errors=VALIDATION_ERRORS_MAX)
    if errors:
        what = find_left_out(schema, document)
        if what is not None:
            raise Unsupported(
                f"This server has no {what}: it keeps artifacts, and the runs that make and use them"
            )
        sentences = []
        for error in errors[:VALIDATION_ERRORS_MAX]:
            place = next(iter(error.locations or ()), None)
            where = f" (line {place.line}, column {place.column})" if place else ""
            sentences.append(_shortened(error.message) + where)
        raise Invalid("; ".join(sentences), code="invalid_document")


def _shortened(message: str) -> str:
    """The message without the bulk of what was sent, which some messages repeat."""
    if len(message) <= MESSAGE_CHARACTERS_MAX:
        return message
    return message[:MESSAGE_CHARACTERS_MAX] + "…"


class _Traits(Visitor):
    """Which variables the document's conditions ask for, and whether it may read without bound.

    It looks at all definitions: of the few documents with several, none is the worse for it.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        super().__init__()
        self.conditions: set[str] = set()
        self.slow = False
        self._types = TypeInfo(schema)
        visit(document, TypeInfoVisitor(self._types, self))

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        name = node.name.value
        field_type = self._types.get_type()
        named = "" if field_type is None else get_named_type(field_type).name
        if named.endswith("Connection") or name in STREAMS or name in {"__schema", "__type"}:
            self.slow = True

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.conditions.add(argument.value.name.value)
