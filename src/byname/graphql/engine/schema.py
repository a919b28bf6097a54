"""Which types and fields are there, and which Python stands behind each?

The contract is kept as data, in the `.graphql` files beside this package. Here they are read, bound
to resolvers, and their camelCase names are matched with the snake_case names of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from importlib.resources import files
from typing import Any

from ariadne import convert_camel_case_to_snake, convert_schema_names, make_executable_schema
from ariadne.types import SchemaBindable
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
    is_introspection_type,
    is_object_type,
)

from byname.graphql.engine.scalars import scalars

# Digits and runs of capitals do not convert by themselves.
IRREGULAR_NAMES = {"md5": "md5", "hexMD5": "hex_md5"}

Bindables = SchemaBindable | Sequence[SchemaBindable]
"""What a noun brings: ariadne's `ObjectType`, `UnionType` and so on, or a list of them."""


def to_snake_case(name: str, *_: object) -> str:
    """The Python name of a field or argument: `artifactID` becomes `artifact_id`."""
    return IRREGULAR_NAMES.get(name) or convert_camel_case_to_snake(name)


class Attribute:
    """The resolver of a field that its source already holds: an attribute, or the key of a dict.

    A method is called with `info` and the arguments. What is missing reads as null.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, source: Any, info: Any, **args: Any) -> Any:
        """The value of the field."""
        is_dict = isinstance(source, dict)
        value = source.get(self.name) if is_dict else getattr(source, self.name, None)
        return value(info, **args) if callable(value) else value


def read_sdl() -> str:
    """The text of all `.graphql` files of the face, one after another."""
    folder = files("byname.graphql")
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".graphql")),
        key=lambda entry: entry.name,
    )
    return "\n\n".join(entry.read_text(encoding="utf-8") for entry in found)


def load_schema(*bindables: Bindables) -> GraphQLSchema:
    """The schema of the `.graphql` files, bound to the resolvers.

    Raises:
        ValueError: a resolver stands for a type or field that the files do not have.
        TypeError, GraphQLError: the files contradict themselves.
    """
    return bind_schema(read_sdl(), *bindables)


def bind_schema(sdl: str, *bindables: Bindables) -> GraphQLSchema:
    """Like `load_schema`, of a given text."""
    flat: list[SchemaBindable | type[Enum]] = [*scalars]
    for each in bindables:
        flat.extend(each if isinstance(each, Sequence) else [each])
    schema = make_executable_schema(sdl, flat)
    for named_type in schema.type_map.values():
        if is_introspection_type(named_type):
            continue
        if is_object_type(named_type):
            for name, field in named_type.fields.items():
                if field.resolve is None:
                    field.resolve = Attribute(to_snake_case(name))
        elif is_abstract_type(named_type) and named_type.resolve_type is None:
            named_type.resolve_type = type_by_name_of(schema.get_possible_types(named_type))
    convert_schema_names(schema, to_snake_case)
    return schema


def type_by_name_of(types: list[GraphQLObjectType]) -> Callable[..., str | None]:
    """The type resolver of an interface or union that no noun binds.

    It reads the key `__typename` of a mapping, or takes the name of the value's class.
    """
    names = {each.name for each in types}

    def resolve_type(value: Any, *_: object) -> str | None:
        name = value.get("__typename") if isinstance(value, Mapping) else type(value).__name__
        return name if name in names else None

    return resolve_type
