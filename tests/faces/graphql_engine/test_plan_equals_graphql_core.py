"""Is the answer of a plan the answer of graphql-core, in every value, every null and every error?"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    type_from_ast,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from byname.domain.errors import DomainError
from byname.graphql.engine import Engine, Prepared, Result
from tests.support.invented_world import invent_input, load_world
from tests.support.sdk_documents import SdkDocument, collect_from

ROOT = Path(__file__).parents[3]
WORLDS = {name: load_world(with_resolvers=name == "resolvers") for name in ("resolvers", "plain")}
ENGINES = {name: Engine(world.schema) for name, world in WORLDS.items()}


@cache
def sdk_documents(version: str) -> list[SdkDocument]:
    python = ROOT / f".venv-wandb-{version}" / "bin" / "python"
    assert python.exists(), f"The client {version} is not installed: run `make setup`"
    return [document for document in collect_from(python) if document.text]


def spell_out(result: Result) -> object:
    """All of a result that a client could ever tell apart, and the order of its keys."""
    errors = [
        (each.message, each.path, each.locations, type(each.original), str(each.original))
        for each in result.errors
    ]
    return repr(result.data), errors


def compare(name: str, prepared: Prepared, variables: Mapping[str, Any]) -> Result | None:
    """Execute both ways; None when the variables were refused, which both ways must do alike."""
    engine = ENGINES[name]
    by_plan = engine.execute(prepared, variables, "the context")
    exactly = engine.execute_exactly(prepared, variables, "the context")
    if by_plan.data is None and any(each.path is None for each in by_plan.errors):
        told = [(each.message, each.locations) for each in by_plan.errors]
        assert told == [(each.message, each.locations) for each in exactly.errors]
        assert exactly.data is None
        return None
    assert spell_out(by_plan) == spell_out(exactly)
    return by_plan


def variables_of(
    prepared: Prepared, dice: random.Random, *, sound: bool
) -> Iterator[dict[str, Any]]:
    """Values for the variables, with every combination of those that are true or false."""
    definitions = prepared.operation.variable_definitions or ()
    types: dict[str, Any] = {
        each.variable.name.value: type_from_ast(prepared.schema, each.type) for each in definitions
    }
    switches = [name for name, of in types.items() if get_named_type(of).name == "Boolean"]
    others = {
        name: invent_input(of, dice, sound=sound)
        for name, of in types.items()
        if name not in switches and (sound or dice.random() < 0.9)
    }
    for values in itertools.product([True, False], repeat=min(len(switches), 4)):
        yield {**others, **dict(zip(switches, values, strict=False)), "unknownVariable": 1}


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("version", ["0.31.0", "0.28.2"])
def test_documents_of_the_client_get_the_same_answer(version: str, name: str) -> None:
    answered = planned = failed = 0
    for document in sdk_documents(version):
        try:
            prepared = ENGINES[name].prepare(document.text)
        except DomainError:
            continue  # A listed gap; the contract tests hold that list.
        for round_ in range(5):
            calm = round_ == 0
            WORLDS[name].start(f"{document.operation} {round_}", calm=calm)
            dice = random.Random(f"{document.operation} {round_}")
            for variables in variables_of(prepared, dice, sound=round_ < 4):
                result = compare(name, prepared, variables)
                if result is not None:
                    answered += 1
                    failed += bool(result.errors)
                    planned += prepared.plan(known(prepared, variables)) is not None
    assert answered > 400
    assert planned == answered, "Some document of the client has no plan"
    assert failed > answered // 5, "The invented world has become too kind to test anything"


def known(prepared: Prepared, variables: Mapping[str, Any]) -> dict[str, Any]:
    values = prepared.variables.read(variables)
    assert isinstance(values, dict)
    return values


class Writer:
    """Writes documents at random: aliases, fragments, repeated fields, conditions."""

    def __init__(self, schema: GraphQLSchema, dice: random.Random) -> None:
        self.schema = schema
        self.dice = dice
        self.fragments: list[str] = []
        self.variables: dict[str, str] = {}
        # A field gets the same arguments wherever it stands, so that equal keys never clash.
        self.given: dict[tuple[str, str], str] = {}

    def document(self) -> str:
        root = self.schema.query_type if self.dice.random() < 0.8 else self.schema.mutation_type
        assert root is not None
        kind = "query" if root is self.schema.query_type else "mutation"
        body = self.selections(root, 4)
        declared = ", ".join(f"${name}: {of}" for name, of in self.variables.items())
        head = f"{kind} Written({declared})" if declared else kind
        return f"{head} {body} {' '.join(self.fragments)}"

    def variable(self, name: str, declaration: str) -> str:
        self.variables[name] = declaration
        return f"${name}"

    def selections(self, parent: GraphQLCompositeType, depth: int) -> str:
        return "{ " + " ".join(self.parts(parent, depth)) + " }"

    def parts(self, parent: GraphQLCompositeType, depth: int) -> list[str]:
        dice = self.dice
        parts = ["__typename"] if dice.random() < 0.3 else []
        fields = list(getattr(parent, "fields", {}).items())
        for name, field in dice.sample(fields, min(len(fields), dice.choice([1, 2, 4]))):
            named = get_named_type(field.type)
            if is_composite_type(named) and depth == 0:
                continue
            below = self.selections(named, depth - 1) if is_composite_type(named) else ""
            text = f"{name}{self.arguments(name, field)}{self.condition()} {below}"
            parts.append(text if dice.random() < 0.6 else f"key_{name}: {text}")
            if dice.random() < 0.15:
                parts.append(text)
        if depth > 0 and (is_abstract_type(parent) or dice.random() < 0.3):
            parts.append(self.fragment(parent, depth))
        return parts or ["__typename"]

    def fragment(self, parent: GraphQLCompositeType, depth: int) -> str:
        inner = parent
        if is_abstract_type(parent):
            inner = self.dice.choice([parent, *self.schema.get_possible_types(parent)])
        body = "{ " + " ".join(self.parts(inner, depth - 1)) + " }"
        if self.dice.random() < 0.5:
            return f"... on {inner.name}{self.condition()} {body}"
        name = f"Part{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {inner.name} {body}")
        return f"...{name}{self.condition()}" + (f" ...{name}" if self.dice.random() < 0.3 else "")

    def condition(self) -> str:
        if self.dice.random() < 0.7:
            return ""
        word = self.dice.choice(["skip", "include"])
        switch = self.dice.choice(["yes", "maybe", "true", "false"])
        if switch == "yes":
            switch = self.variable("yes", "Boolean!")
        elif switch == "maybe":
            switch = self.variable("maybe", "Boolean = true")
        return f" @{word}(if: {switch})"

    def arguments(self, name: str, field: GraphQLField) -> str:
        key = (name, repr({each: str(of.type) for each, of in field.args.items()}))
        if key not in self.given:
            given = [
                f"{name}: {self.argument(argument)}"
                for name, argument in field.args.items()
                if is_required_argument(argument) or self.dice.random() < 0.5
            ]
            self.given[key] = f"({', '.join(given)})" if given else ""
        return self.given[key]

    def argument(self, argument: GraphQLArgument) -> str:
        dice = self.dice
        of = str(argument.type)
        choices: dict[str, list[Any]] = {
            "String": ['"a"', "null", self.variable],
            "String!": ['"a"', self.variable],
            "ID!": ['"b"', "7", self.variable],
            "Int": ["5", "null", self.variable],
            "[String]": ['["a", null]', '"b"', '["c", $text]', self.variable],
            "RampIDType!": ["OrgName"],
        }
        choice = dice.choice(choices.get(of, [self.variable]))
        if not isinstance(choice, str):
            return self.variable("of" + re.sub(r"\W", "_", of), of)
        if "$text" in choice:
            self.variable("text", "String")
        return choice


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(sorted(WORLDS)),
    maybe=st.sampled_from([True, False, None, "absent"]),
    text=st.sampled_from([None, "given", "absent"]),
)
def test_documents_written_at_random_get_the_same_answer(
    seed: int, name: str, maybe: object, text: object
) -> None:
    world = WORLDS[name]
    world.start(str(seed), calm=seed % 3 == 0)
    dice = random.Random(seed)
    written = Writer(world.schema, dice).document()
    try:
        prepared = ENGINES[name].prepare(written)
    except DomainError:
        # Two types may have a field of one name and different nullability: those do not mix.
        assume(False)
    for variables in variables_of(prepared, dice, sound=seed % 2 == 0):
        chosen = {**variables, "maybe": maybe, "text": text}
        compare(name, prepared, {key: each for key, each in chosen.items() if each != "absent"})


def test_most_documents_written_at_random_are_good_ones() -> None:
    schema = WORLDS["plain"].schema
    good = 0
    for seed in range(60):
        try:
            ENGINES["plain"].prepare(Writer(schema, random.Random(seed)).document())
        except DomainError:
            continue
        good += 1
    assert good > 30


HANDPICKED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "null for a default in a required place": (
        'query ($n: ID = "a") { artifact(id: $n) { id } viewer { id } }',
        [{}, {"n": None}, {"n": "b"}],
    ),
    "null for a condition": (
        "query ($c: Boolean = true) { viewer { id @include(if: $c) name @skip(if: $c) } }",
        [{}, {"c": None}, {"c": False}],
    ),
    "both conditions at once": (
        "query ($c: Boolean!, $d: Boolean!) { viewer { id @include(if: $c) @skip(if: $d) } }",
        [{"c": c, "d": d} for c in (True, False) for d in (True, False)],
    ),
    "a fragment spread twice": (
        "{ viewer { ...A ...A teams { ...B } ...C } } fragment A on User { email organizations { id } }"
        " fragment B on EntityConnection { edges { node { name } } }"
        " fragment C on User { ...A teams { edges { node { id } } } }",
        [{}],
    ),
    "a variable inside an object": (
        "mutation ($i: ID!, $t: [String!], $n: String) { upsertBucket(input: {id: null, tags: $t,"
        ' name: $n, modelName: "m"}) { inserted } deleteRun(input: {id: $i}) { clientMutationId } }',
        [{"i": 1}, {"i": "x", "t": None}, {"i": "x", "t": "one"}, {"i": "x", "n": "y"}, {"n": "x"}],
    ),
    "null for a default in a required place of an object": (
        'mutation ($i: ID = "a") { stopRun(input: {id: $i}) { success } }',
        [{}, {"i": None}, {"i": 7}],
    ),
    "variables inside a list": (
        'query ($a: String, $s: JSONString = "{}") { project { run(name: "r") {'
        ' files(names: [$a, "b", null]) { totalCount } sampledHistory(specs: [$s]) } } }',
        [{}, {"a": None}, {"a": "x"}, {"s": None}],
    ),
    "one type name after another": (
        '{ artifact(id: "a") { createdBy { __typename kind: __typename ... on Run { name }'
        " ... on User { username } } } artifactCollection(id: 3) { __typename name"
        " ... on ArtifactSequence { latestArtifact { id } } ... { id } } }",
        [{}],
    ),
    "nothing selected": ("query ($c: Boolean!) { viewer { id @skip(if: $c) } }", [{"c": True}]),
}


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("case", HANDPICKED)
def test_handpicked_documents_get_the_same_answer(case: str, name: str) -> None:
    text, choices = HANDPICKED[case]
    prepared = ENGINES[name].prepare(text)
    for variables, round_ in itertools.product(choices, range(40)):
        WORLDS[name].start(f"{case} {round_}", calm=round_ < 2)
        compare(name, prepared, variables)
