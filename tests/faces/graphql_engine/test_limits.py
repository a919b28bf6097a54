"""Is a small hostile document refused before it costs anything?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql.validation.rules import overlapping_fields_can_be_merged

from byname.domain.errors import DomainError, Invalid, TooLarge
from byname.graphql.engine import Engine, Limits, documents, load_schema

SCHEMA = load_schema()


def chain(length: int, last: str, spreads: int = 1) -> str:
    """Fragments that spread the next one, some times each."""
    links = (f"fragment F{i} on Query {{ {f'...F{i + 1} ' * spreads} }}" for i in range(length))
    return f"{{ ...F0 }} {' '.join(links)} fragment F{length} on Query {{ {last} }}"


def nested(depth: int) -> str:
    return (
        "{ viewer { teams { edges { node { "
        + "project { entity { " * depth
        + "id"
        + " }" * (2 * depth + 5)
    )


HOSTILE = {
    "the same field over and over": "{ viewer { " + "id " * 9_000 + "} }",
    "the same field, few characters": "{ viewer { " + "id " * 100 + "} }",
    "the same selections over and over": "{" + "serverInfo { features { name } } " * 300 + "}",
    "fields repeated level by level": "{"
    + "entity { project { entity { id } entity { id } } project { entity { id } } } " * 60
    + "}",
    "one field under many names": "{ viewer {" + " ".join(f"a{i}: id" for i in range(3_000)) + "}}",
    "many root fields": "{" + " ".join(f"a{i}: viewer {{ id }}" for i in range(101)) + "}",
    "deep fields": nested(20),
    "deeper than any parser likes": "{" + "viewer {" * 4_000 + "}" * 4_001,
    "a long chain of fragments": chain(58, "__typename"),
    "fragments that double": chain(50, "__typename", spreads=2),
    "fragments that double and select nothing": chain(50, "", spreads=2),
    "fragments that repeat one another's fields": "{ viewer {"
    + " ".join(f"...F{i}" for i in range(50))
    + "}} "
    + " ".join(f"fragment F{i} on User {{ id name email username }}" for i in range(50)),
    "an unused fragment that repeats itself": "{ viewer { id } } fragment Unused on User {"
    + "id " * 100
    + "}",
    "many operations": " ".join(f"query Q{i} {{ viewer {{ id }} }}" for i in range(100)),
    "many variables": f"query ({' '.join(f'$v{i}: ID' for i in range(201))}) {{ viewer {{ id }} }}",
    "many directives": "{ viewer " + "@skip(if: false) " * 5 + "{ id } }",
    "many directives on an operation": "query Q " + "@skip(if: false) " * 5 + "{ viewer { id } }",
    "the whole schema, twice": "{ a: __schema { types { name } } b: __schema { types { name } } }",
    "many types": "{" + " ".join(f'a{i}: __type(name: "Run") {{ name }}' for i in range(21)) + "}",
    "a long text": "{" + " " * 100_001 + "viewer { id } }",
    "a long name": "{ " + "a" * 100_000 + " }",
    "many comments": "#\n" * 1_001 + "{ viewer { id } }",
    "many tokens": "{ users(query: [" + "1 " * 10_000 + "]) { edges { node { id } } } }",
    "a long value": '{ users(query: "' + "a" * 10_001 + '") { edges { node { id } } } }',
}


@pytest.fixture
def _no_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    def validate(*_: object, **__: object) -> None:
        pytest.fail("The document got as far as validation")

    monkeypatch.setattr(documents, "validate", validate)


@pytest.mark.usefixtures("_no_validation")
class TestHostileDocuments:
    """They are counted, and refused before validation looks at them."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_are_refused_before_validation(self, name: str) -> None:
        with pytest.raises(TooLarge):
            Engine(SCHEMA).prepare(HOSTILE[name], "Q1" if name == "many operations" else None)

    def test_fragments_in_a_circle_are_refused_before_validation(self) -> None:
        circle = "{ ...A } fragment A on Query { viewer { id } ...B } fragment B on Query { ...A }"
        with pytest.raises(Invalid, match=r"'A' spreads itself \(line 1"):
            Engine(SCHEMA).prepare(circle)


class TestWorkOfValidation:
    """What passes the limits costs validation a bounded number of comparisons."""

    @pytest.mark.parametrize(
        "text",
        [
            "{ viewer {" + "id " * 62 + "} }",
            "{" + "entity { project { entity { id } } } " * 25 + "}",
            "{ viewer {"
            + " ".join(f"...F{i}" for i in range(20))
            + "}} "
            + " ".join(f"fragment F{i} on User {{ id name email username }}" for i in range(20)),
        ],
    )
    def test_comparisons_stay_within_the_limit(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared = 0

        original = overlapping_fields_can_be_merged.find_conflict

        def counted(*given: object, **named: object) -> object:
            nonlocal compared
            compared += 1
            return original(*given, **named)  # type: ignore[arg-type]  # Handed on as it came.

        monkeypatch.setattr(overlapping_fields_can_be_merged, "find_conflict", counted)
        Engine(SCHEMA).prepare(text)
        assert 0 < compared <= 2 * Limits().overlaps


class TestMessages:
    """A refusal says what the limit is, and where it was passed."""

    def test_the_limit_and_the_place_are_named(self) -> None:
        text = "{\n  viewer {\n" + "    id\n" * 100 + "  }\n}"
        with pytest.raises(TooLarge, match=r"2000 are allowed \(line 3, column 5\)") as caught:
            Engine(SCHEMA).prepare(text)
        assert caught.value.details == {"limit": 2_000}

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("{ viewer { id }", r"Syntax Error.*\(line 1, column 16\)"),
            ("", r"Syntax Error.*\(line 1, column 1\)"),
            ("{ viewer { nothing } }", r"Cannot query field 'nothing'.*\(line 1, column 12\)"),
            ("{ viewer { ...Missing } }", "Unknown fragment 'Missing'"),
            ("{ viewer { id @nothing } }", "Unknown directive '@nothing'"),
            ("fragment A on User { id }", "exactly one operation"),
            ("query A { viewer { id } } query B { viewer { id } }", "exactly one operation"),
            ("type Query { id: ID }", "exactly one operation"),
        ],
    )
    def test_what_cannot_be_understood_is_said_with_its_place(self, text: str, told: str) -> None:
        with pytest.raises(Invalid, match=told):
            Engine(SCHEMA).prepare(text)

    def test_a_message_does_not_repeat_what_was_sent(self) -> None:
        fields = " ".join(f"unknown{i}: 1" for i in range(600))
        with pytest.raises(Invalid) as caught:
            Engine(SCHEMA).prepare(
                f"mutation {{ upsertBucket(input: {{ {fields} }}) {{ inserted }} }}"
            )
        assert len(caught.value.message) < 1_500


class TestLimitsAreSettings:
    """Each bound may be chosen."""

    @pytest.mark.parametrize(
        ("limit", "text"),
        [
            ({"depth": 2}, "{ serverInfo { features { name } } }"),
            ({"root_fields": 1}, "{ viewer { id } serverInfo { cliVersionInfo } }"),
            ({"tokens": 5}, "{ viewer { id name } }"),
            ({"selections": 2}, "{ viewer { id name } }"),
            ({"overlaps": 0}, "{ viewer { id id } }"),
            ({"definitions": 1}, "{ viewer { ...A } } fragment A on User { id }"),
            ({"nesting": 2}, "{ viewer { ... { ... { id } } } }"),
        ],
    )
    def test_each_is_heeded(self, limit: dict[str, int], text: str) -> None:
        Engine(SCHEMA).prepare(text)
        with pytest.raises(DomainError):
            Engine(SCHEMA, replace(Limits(), **limit)).prepare(text)
