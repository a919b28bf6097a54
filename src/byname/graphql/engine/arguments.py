"""What does a resolver get as its arguments?

What stands in the document is read once, when the plan is made; only variables are filled in per
request. Whatever is not plain is left to graphql-core, argument by argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputType,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_input_object_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.execution.values import VariableValues, coerce_argument
from graphql.language import Node, Visitor, visit
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

Exactly = Callable[[], VariableValues]
"""Gives the variables in the form in which graphql-core wants them."""
ArgumentReader = Callable[[dict[str, Any], Exactly], dict[str, Any]]

_ABSENT: Any = object()
_UNCLEAR: Any = object()

# A part reads one value from the variables: `_ABSENT` for none, `_UNCLEAR` when it gives up.
_Part = Callable[[dict[str, Any]], Any]


def compile_arguments(field: GraphQLField, node: FieldNode) -> ArgumentReader | None:
    """A function from the variables to the arguments of this field; None when it has none."""
    if not field.args:
        return None
    given = {argument.name.value: argument for argument in node.arguments or ()}
    constants: dict[str, Any] = {}
    parts: list[tuple[str, _Part, Callable[[dict[str, Any], Exactly], None]]] = []
    for name, definition in field.args.items():
        argument = given.get(name)
        out_name = definition.out_name or name
        part = _argument_part(definition, None if argument is None else argument.value)
        # An argument that no variable touches, and that nobody could change, is read here and now.
        if argument is None or not _mentions_variables(argument.value):
            value = part({})
            if value is _ABSENT:
                continue
            if isinstance(value, (str, int, float, bool, type(None))):
                constants[out_name] = value
                continue

        def fall_back(
            result: dict[str, Any],
            exactly: Exactly,
            name: str = name,
            definition: GraphQLArgument = definition,
        ) -> None:
            coerce_argument(result, node, name, definition, given.get(name), exactly(), None)

        parts.append((out_name, part, fall_back))

    def read(variables: dict[str, Any], exactly: Exactly) -> dict[str, Any]:
        result = constants.copy()
        for out_name, part, fall_back in parts:
            value = part(variables)
            if value is _UNCLEAR:
                fall_back(result, exactly)
            elif value is not _ABSENT:
                result[out_name] = value
        return result

    return read


def _argument_part(definition: GraphQLArgument, value: ValueNode | None) -> _Part:
    missing = _missing_part(definition, required=is_required_argument(definition))
    return missing if value is None else _value_part(value, definition.type, missing)


def _missing_part(definition: GraphQLArgument | GraphQLInputField, *, required: bool) -> _Part:
    if required:
        return lambda _: _UNCLEAR
    if coerce_default_value(definition) is Undefined:
        return lambda _: _ABSENT
    return lambda _: coerce_default_value(definition)


def _value_part(value: ValueNode, input_type: GraphQLInputType, missing: _Part) -> _Part:
    if isinstance(value, VariableNode):
        return _variable_part(value.name.value, input_type, missing)
    if not _mentions_variables(value):
        return _literal_part(value, input_type)
    inner = input_type.of_type if is_non_null_type(input_type) else input_type
    if isinstance(value, ObjectValueNode) and is_input_object_type(inner) and not inner.is_one_of:
        given = {field.name.value: field.value for field in value.fields}
        fields = []
        for name, field in inner.fields.items():
            absent = _missing_part(field, required=is_required_input_field(field))
            node = given.get(name)
            part = absent if node is None else _value_part(node, field.type, absent)
            fields.append((field.out_name or name, part))
        return _object_part(fields)
    return lambda _: _UNCLEAR


def _variable_part(name: str, input_type: GraphQLInputType, missing: _Part) -> _Part:
    required = is_non_null_type(input_type)

    def part(variables: dict[str, Any]) -> Any:
        value = variables.get(name, _ABSENT)
        if value is _ABSENT:
            return missing(variables)
        return _UNCLEAR if required and value is None else value

    return part


def _literal_part(value: ValueNode, input_type: GraphQLInputType) -> _Part:
    def part(_: dict[str, Any]) -> Any:
        # Read anew each time, so that no resolver can change the next one's lists.
        result = coerce_input_literal(value, input_type)
        return _UNCLEAR if result is Undefined else result

    return part


def _object_part(fields: list[tuple[str, _Part]]) -> _Part:
    def part(variables: dict[str, Any]) -> Any:
        result: dict[str, Any] = {}
        for name, field_part in fields:
            value = field_part(variables)
            if value is _UNCLEAR:
                return _UNCLEAR
            if value is not _ABSENT:
                result[name] = value
        return result

    return part


class _VariableFinder(Visitor):
    found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def _mentions_variables(value: Node) -> bool:
    finder = _VariableFinder()
    visit(value, finder)
    return finder.found
