"""Answers for every field of a schema, invented from a seed.

The same seed gives the same answers, also the same nulls and the same errors, so that two ways of
executing a document can be compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphql import (
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_input_field,
)

from byname.domain.errors import Forbidden
from byname.graphql.engine import Attribute, load_schema
from byname.graphql.engine.schema import to_snake_case

LEAVES: dict[str, Callable[[random.Random], Any]] = {
    "String": lambda dice: f"text {dice.randrange(100)}",
    "ID": lambda dice: dice.choice([f"id-{dice.randrange(100)}", dice.randrange(100)]),
    "Int": lambda dice: dice.choice([dice.randrange(100), 2**40]),
    "Int64": lambda dice: dice.choice([dice.randrange(100), 2**40, 2**70]),
    "Float": lambda dice: dice.random(),
    "Boolean": lambda dice: dice.random() < 0.5,
    "JSON": lambda dice: {"key": [dice.randrange(100), None]},
    "JSONString": lambda dice: dice.choice(["{}", '{"a": 1}']),
    "Duration": lambda dice: dice.randrange(100),
    "DateTime": lambda dice: datetime.fromtimestamp(dice.randrange(10**9), UTC),
}


class Refused(Forbidden):
    """What an invented resolver raises; two of them are equal when they say the same."""


class Thing:
    """An object of the invented world; its fields come to be when they are asked for."""

    def __init__(self, world: World, typename: str, seed: str) -> None:
        self.world_ = world
        self.typename_ = typename
        self.seed_ = seed

    def __getattr__(self, name: str) -> Any:
        fields = self.world_.fields_of(self.typename_)
        if name not in fields:
            raise AttributeError(name)
        return self.world_.invent(fields[name], f"{self.seed_}.{name}")


class World:
    """A schema whose every field has an answer. `calm` worlds know no nulls and no errors."""

    def __init__(self, schema: GraphQLSchema, *, with_resolvers: bool) -> None:
        self.schema = schema
        self.seed = ""
        self.calm = False
        self._fields: dict[str, dict[str, GraphQLOutputType]] = {}
        for named_type in schema.type_map.values():
            if named_type.name.startswith("__"):
                continue
            if is_abstract_type(named_type):
                named_type.resolve_type = lambda value, *_: value.typename_
            elif is_object_type(named_type):
                is_root = named_type in {schema.query_type, schema.mutation_type}
                for name, field in named_type.fields.items():
                    if with_resolvers or is_root:
                        field.resolve = self._resolver(name, field.type)
                    else:
                        assert isinstance(field.resolve, Attribute)

    def start(self, seed: str, *, calm: bool = False) -> None:
        """From now on the answers are those of this seed."""
        self.seed = seed
        self.calm = calm

    def fields_of(self, typename: str) -> dict[str, GraphQLOutputType]:
        """The types of the fields, by their Python names."""
        if typename not in self._fields:
            named_type = self.schema.type_map[typename]
            assert is_object_type(named_type)
            self._fields[typename] = {
                to_snake_case(name): field.type for name, field in named_type.fields.items()
            }
        return self._fields[typename]

    def _resolver(self, name: str, of_type: GraphQLOutputType) -> Callable[..., Any]:
        def resolve(source: Any, info: Any, **given: Any) -> Any:
            assert info.context == "the context"
            seed = "root" if source is None else source.seed_
            return self.invent(of_type, f"{seed}.{name}{sorted(given.items())!r}")

        return resolve

    def invent(self, of_type: GraphQLOutputType, seed: str) -> Any:
        """An answer of the type; at times null, an error, or a value of a wrong kind."""
        dice = random.Random(f"{self.seed} {seed}")
        luck = 1.0 if self.calm else dice.random()
        if luck < 0.01:
            raise Refused(f"refused at {seed}")
        if luck < 0.02:
            return Refused(f"returned a refusal at {seed}")
        if luck < 0.03:
            raise RuntimeError(f"broke at {seed}")
        if luck < 0.035:
            return object
        required = is_non_null_type(of_type)
        if luck < (0.05 if required else 0.15):
            return None
        return self._some(of_type, seed, dice)

    def _some(self, of_type: GraphQLOutputType, seed: str, dice: random.Random) -> Any:
        if is_non_null_type(of_type):
            return self._some(of_type.of_type, seed, dice)
        if is_list_type(of_type):
            items = []
            for position in range(dice.choice([0, 1, 1, 2])):
                try:
                    items.append(self.invent(of_type.of_type, f"{seed}[{position}]"))
                except (Refused, RuntimeError) as error:
                    items.append(error)
            return items if dice.random() < 0.8 else tuple(items)
        if is_enum_type(of_type):
            return dice.choice([*of_type.values, *of_type.values, "NO_SUCH_WORD"])
        if is_leaf_type(of_type):
            value = LEAVES[of_type.name](dice)
            return 0 if self.calm and of_type.name == "Int" else value
        if is_abstract_type(of_type):
            return Thing(self, dice.choice(self.schema.get_possible_types(of_type)).name, seed)
        assert is_object_type(of_type)
        return Thing(self, of_type.name, seed)


def invent_input(of_type: GraphQLInputType, dice: random.Random, *, sound: bool = True) -> Any:
    """A raw JSON value for a variable; unless it is to be sound, it may be of a wrong kind."""
    if not sound and dice.random() < 0.1:
        return dice.choice([None, 3, "word", [], {}, {"unknown": 1}, True])
    if is_non_null_type(of_type):
        return (
            invent_input(of_type.of_type, dice, sound=sound)
            if sound or dice.random() < 0.9
            else None
        )
    if dice.random() < 0.2 and not isinstance(of_type, GraphQLNonNull):
        return None if not sound else _some_input(of_type, dice, sound=sound)
    return _some_input(of_type, dice, sound=sound)


def _some_input(of_type: GraphQLInputType, dice: random.Random, *, sound: bool) -> Any:
    if is_list_type(of_type):
        items = [invent_input(of_type.of_type, dice, sound=sound) for _ in range(dice.randrange(3))]
        return (
            items[0] if items and not isinstance(items[0], list) and dice.random() < 0.1 else items
        )
    if is_enum_type(of_type):
        return dice.choice(list(of_type.values))
    if is_input_object_type(of_type):
        result = {
            name: invent_input(field.type, dice, sound=sound)
            for name, field in of_type.fields.items()
            if (is_required_input_field(field) and (sound or dice.random() < 0.95))
            or dice.random() < 0.5
        }
        if dice.random() < 0.3:
            result["fieldOfANewerClient"] = dice.choice([None, "value"])
        return result
    assert is_leaf_type(of_type)
    value = LEAVES[of_type.name](dice)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and sound:
        return value % 1000
    return value


def load_world(*, with_resolvers: bool) -> World:
    """The schema of the SDK's face, inhabited."""
    return World(load_schema(), with_resolvers=with_resolvers)
