"""How do the variables of a request become Python values?

Newer clients send input fields that this schema does not know. They are dropped before anything is
checked (protocol 4), and said in the log when they carried a value. A compiled reader per variable
does the common case in one pass; what it cannot read is left to graphql-core, which finds the words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_variable_values,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

logger = logging.getLogger("byname.graphql.inputs")

ERRORS_MAX = 50
"""Mistakes in variables that are told; a long list of wrong items has one mistake each."""

Reader = Callable[[Any], Any]

# Texts and truth values are what nearly all variables are; they come out as they went in.
_PLAIN = {"String": str, "ID": str, "JSONString": str, "Boolean": bool}

_SHORT: dict[str, Callable[[str], dict[str, Any]]] = {
    "ArtifactAliasInput": lambda text: {"artifactCollectionName": "", "alias": text},
    "TagInput": lambda text: {"tagName": text},
}
"""Objects for which a text may stand. Releases up to 0.28 send the aliases and tags of
`Run.log_artifact` as plain words where their own document says objects; the collection of an alias
is that of the request."""


class Unreadable(Exception):
    """The compiled reader gives up; the exact words are found on a second way."""


class VariableReader:
    """Reads the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._types: dict[str, GraphQLInputType] = {}
        self._readers: list[tuple[str, Reader, Callable[[], Any] | None]] = []
        for definition in self._definitions:
            name = definition.variable.name.value
            input_type: Any = type_from_ast(schema, definition.type)
            self._types[name] = input_type
            missing: Callable[[], Any] | None = None
            default = definition.default_value
            if default is not None:
                missing = _default(default, input_type)
            elif is_non_null_type(input_type):
                missing = _refuse
            self._readers.append((name, compile_reader(input_type), missing))

    def read(self, raw: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        """The values by variable name, or what is wrong. Unknown variables are left out."""
        values: dict[str, Any] = {}
        try:
            for name, reader, missing in self._readers:
                if name in raw:
                    values[name] = reader(raw[name])
                elif missing is not None:
                    values[name] = missing()
        except Unreadable:
            exact = self.read_exactly(raw)
            return exact if isinstance(exact, list) else dict(exact.coerced)
        return values

    def read_exactly(self, raw: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The same by graphql-core's own way, which is slower and words errors."""
        return get_variable_values(
            self._schema, list(self._definitions), self.known(raw), max_errors=ERRORS_MAX
        )

    def known(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The raw variables without what the operation or the schema does not know."""
        return {
            name: _strip(raw[name], input_type)
            for name, input_type in self._types.items()
            if name in raw
        }


def compile_reader(input_type: GraphQLInputType) -> Reader:
    """A function that reads raw JSON values of the type; no input type of ours contains itself.

    The function raises `Unreadable` for what is not of the type.
    """
    if is_non_null_type(input_type):
        return _required(compile_reader(input_type.of_type))
    if is_list_type(input_type):
        return _list(compile_reader(input_type.of_type))
    if is_input_object_type(input_type):
        return _object(input_type)
    if not is_leaf_type(input_type):
        raise TypeError(f"{input_type} is no input type")
    return _leaf(input_type)


def _refuse() -> Any:
    raise Unreadable


def _default(literal: Any, input_type: GraphQLInputType) -> Callable[[], Any]:
    def read() -> Any:
        # Read anew each time, so that no resolver can change the next one's lists.
        value = coerce_input_literal(literal, input_type)
        if value is Undefined:
            raise Unreadable
        return value

    return read


def _required(reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        if value is None:
            raise Unreadable
        return reader(value)

    return read


def _list(reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            return [reader(item) for item in value]
        return [reader(value)]  # GraphQL takes one item for a list of one.

    return read


def _leaf(leaf: GraphQLLeafType) -> Reader:
    plain = _PLAIN.get(leaf.name)
    coerce = leaf.coerce_input_value

    def read(value: Any) -> Any:
        if value.__class__ is plain or value is None:
            return value
        try:
            result = coerce(value)
        except Exception as error:
            raise Unreadable from error
        if result is Undefined:
            raise Unreadable
        return result

    return read


def _object(input_type: GraphQLInputObjectType) -> Reader:
    fields: dict[str, tuple[str, Reader]] = {}
    absent: list[tuple[str, str, Callable[[], Any]]] = []
    for name, field in input_type.fields.items():
        out_name = field.out_name or name
        fields[name] = (out_name, compile_reader(field.type))
        if is_required_input_field(field):
            absent.append((name, out_name, _refuse))
        elif field.default is not None:
            absent.append((name, out_name, partial(coerce_default_value, field)))
    short = _SHORT.get(input_type.name)

    def read(value: Any) -> Any:
        if value is None:
            return None
        if short is not None and isinstance(value, str):
            value = short(value)
        if not isinstance(value, dict) or input_type.is_one_of:
            raise Unreadable
        result: dict[str, Any] = {}
        for name, item in value.items():
            found = fields.get(name)
            if found is None:
                _say_dropped(input_type.name, name, item)
            else:
                result[found[0]] = found[1](item)
        for name, out_name, make in absent:
            if name not in value:
                result[out_name] = make()
        return result

    return read


def _strip(value: Any, input_type: GraphQLInputType) -> Any:
    """The value without the input fields that the schema does not know."""
    if is_non_null_type(input_type):
        return _strip(value, input_type.of_type)
    if is_list_type(input_type) and isinstance(value, (list, tuple)):
        return [_strip(item, input_type.of_type) for item in value]
    if is_list_type(input_type):
        return _strip(value, input_type.of_type)
    if not is_input_object_type(input_type):
        return value
    if isinstance(value, str) and input_type.name in _SHORT:
        return _SHORT[input_type.name](value)
    if isinstance(value, dict):
        fields = input_type.fields
        return {
            name: _strip(item, fields[name].type) for name, item in value.items() if name in fields
        }
    return value


def _say_dropped(type_name: str, field_name: str, value: Any) -> None:
    if value is not None:
        logger.warning(
            "%s has no field %.80s; the client's value is dropped", type_name, field_name
        )
