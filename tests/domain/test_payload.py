"""Payloads: what may be written, and that a value never leaves its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain import payload
from byname.domain.errors import Unprocessable
from byname.domain.payload import Secret

ANYTHING = st.text(st.characters(codec=None), max_size=40)
"""Text of every kind of character, halves of characters too."""
NASTY = st.one_of(
    ANYTHING,
    st.sampled_from(
        [
            '"',
            '","admin":true,"',
            "\\",
            '\\"',
            "${alias}",
            "${ACCESS_TOKEN}",
            "\n",
            "\u2028",
            "\ud800",
        ]
    ),
)


def body(template: str, values: dict[str, str], metadata: dict[str, Any] | None = None) -> str:
    return payload.fill(payload.render(template, values, metadata or {}), {})


class TestNothingElse:
    """R135: the payload is whatever JSON the user writes; nothing is added."""

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_empty_is_an_empty_object(self, text: str) -> None:
        assert payload.check(text) == "{}"

    @pytest.mark.parametrize(
        "text", ['{"a": 1.0,  "a": [1e5, null]}', "[]", '"x"', "3", '{"é": "\\u00e9 \\" \\\\"}']
    )
    def test_is_sent_as_it_was_written(self, text: str) -> None:
        assert body(payload.check(text), {}) == text

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [("{", 1, 2), ('{"a":\n  ${alias}}', 2, 3), ("{'a': 1}", 1, 2), ('{"a" 1}', 1, 6)],
    )
    def test_what_is_not_json_is_refused_with_its_place(
        self, text: str, line: int, column: int
    ) -> None:
        with pytest.raises(Unprocessable, match=f"line {line}, column {column}") as refused:
            payload.check(text)
        assert refused.value.details["line"] == line

    @pytest.mark.parametrize(
        "text", ["NaN", '{"a": Infinity}', "[" * 100_000, "9" * 5_000, '{"a": 1e999}', "-1E400"]
    )
    def test_what_not_everybody_reads_is_refused(self, text: str) -> None:
        with pytest.raises(Unprocessable):
            payload.check(text)

    def test_more_than_64_kb_are_refused(self) -> None:
        with pytest.raises(Unprocessable, match="65,536"):
            payload.check('"' + "x" * 65_536 + '"')


class TestVariables:
    """R136, R137: `${...}`; unknown ones, and secrets the webhook was not given, are refused."""

    def test_each_is_replaced(self) -> None:
        template = json.dumps({name: f"<${{{name}}}>" for name in payload.VARIABLES})
        values = {name: name.upper() for name in payload.VARIABLES}
        assert json.loads(body(payload.check(template), values)) == {
            name: f"<{name.upper()}>" for name in payload.VARIABLES
        }

    def test_blank_where_there_is_none(self) -> None:
        assert body('{"tag": "${tag}", "m": "${artifact_metadata.no}"}', {}) == (
            '{"tag": "", "m": ""}'
        )

    @pytest.mark.parametrize(
        ("value", "told"),
        [("x", "x"), (1.5, "1.5"), (True, "true"), ({"b": ["é"]}, '{"b":["é"]}'), (None, "null")],
    )
    def test_metadata_by_its_top_level_key(self, value: Any, told: str) -> None:
        text = body('{"a": "${artifact_metadata.k}"}', {}, {"k": value, "k.b": 1})
        assert json.loads(text) == {"a": told}

    def test_nested_metadata_is_not_reached(self) -> None:
        text = body('{"a": "${artifact_metadata.k.b}"}', {}, {"k": {"b": 1}})
        assert json.loads(text) == {"a": ""}

    def test_a_key_of_any_characters(self) -> None:
        text = payload.check('{"a": "${artifact_metadata.my \\"key\\" \\u00e9}"}')
        assert json.loads(body(text, {}, {'my "key" é': "found"})) == {"a": "found"}

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ('{"a": "${nothing}"}', 1, 8),
            ('{\n "a": "x${alias}",\n "b": ["", "--${Alias}"]}', 3, 15),
            ('{"a": "${artifact_metadata.}"}', 1, 8),
            ('{"a": "${}"}', 1, 8),
            ('{"a": "${MY_SECRET}"}', 1, 8),
            ('{"a": "${ACCESS_TOKEN}"}', 1, 8),
            ('{"a": "${alias"}', 1, 8),
            ('{"${alias}": 1}', 1, 3),
        ],
    )
    def test_is_refused_with_its_place(self, text: str, line: int, column: int) -> None:
        with pytest.raises(Unprocessable, match=f"line {line}, column {column}"):
            payload.check(text)

    def test_the_ready_payloads_are_right(self) -> None:
        for text in (payload.DEFAULT, payload.CLOUD_EVENT):
            assert payload.check(text) == text

    def test_the_ready_ones_have_all_variables(self) -> None:
        """R135: the default has all variables; those of runs too, for it may be theirs."""
        for text in (payload.DEFAULT, payload.CLOUD_EVENT):
            assert [name for name in payload.VARIABLES if f"${{{name}}}" not in text] == []

    def test_escaped_characters_are_no_variable(self) -> None:
        text = '{"a": "\\u0024{alias} \\\\${alias}"}'
        assert json.loads(body(payload.check(text), {"alias": "x"})) == {"a": "${alias} \\x"}


class TestValuesStayInTheirString:
    """R137, A15: a value can never break or extend the JSON."""

    template = '{"a": "x${alias}y", "b": [{"c": "${artifact_metadata.m}${tag}"}], "d": 1}'

    @given(alias=NASTY, tag=NASTY, metadata=NASTY)
    def test_whatever_it_is(self, alias: str, tag: str, metadata: str) -> None:
        parts = payload.render(self.template, {"alias": alias, "tag": tag}, {"m": metadata})
        text = payload.fill(parts, {})
        joined = json.loads(json.dumps(metadata + tag))
        assert json.loads(text.encode()) == {
            "a": f"x{alias}y",
            "b": [{"c": joined}],
            "d": 1,
        }

    @given(secret=NASTY)
    def test_a_secret_too(self, secret: str) -> None:
        parts = payload.render('{"a": "Bearer ${ACCESS_TOKEN}", "b": "${alias}"}', {}, {})
        text = payload.fill(parts, {"ACCESS_TOKEN": secret})
        assert json.loads(text.encode()) == {"a": f"Bearer {secret}", "b": ""}

    @given(value=NASTY)
    def test_a_value_that_looks_like_a_secret_is_none(self, value: str) -> None:
        parts = payload.render('{"a": "${alias}"}', {"alias": value}, {})
        again = payload.from_json(payload.to_json(parts))
        assert again == parts
        text = payload.fill(again, {"ACCESS_TOKEN": "canary", "alias": "canary"})
        assert json.loads(text) == {"a": value}

    def test_a_payload_that_grew_too_large_is_refused(self) -> None:
        with pytest.raises(Unprocessable, match="1,048,576"):
            payload.render('{"a": "${artifact_metadata.m}"}', {}, {"m": "x" * 2_000_000})


class TestSecrets:
    """R141: secrets never appear in history: they are replaced by `***` before storing."""

    template = '{"a": "${ACCESS_TOKEN}", "b": "${SIGNING}${alias}"}'

    def test_they_are_put_in_when_sent_only(self) -> None:
        payload.check(self.template, secrets=["ACCESS_TOKEN", "SIGNING"])
        parts = payload.render(self.template, {"alias": "x"}, {})
        assert Secret("ACCESS_TOKEN") in parts
        assert payload.masked(parts) == '{"a": "***", "b": "***x"}'
        assert payload.fill(parts, {"ACCESS_TOKEN": "t", "SIGNING": '"s'}) == (
            '{"a": "t", "b": "\\"sx"}'
        )

    def test_one_that_is_gone_is_empty(self) -> None:
        assert payload.fill(payload.render(self.template, {}, {}), {}) == '{"a": "", "b": ""}'

    @pytest.mark.parametrize("text", ['a se"cret b', 'json "a se\\"cret b"', "a se\\u0022cret b"])
    def test_an_answer_that_repeats_them_is_masked(self, text: str) -> None:
        shown = payload.hide(text.replace("\\u0022", '\\"'), ['se"cret'])
        assert "cret" not in shown
        assert payload.MASK in shown


class TestCloudEvents:
    """A payload may be an event of CloudEvents 1.0, and is sent as one."""

    def test_its_type(self) -> None:
        names = dict.fromkeys(payload.VARIABLES, "x")
        text = body(payload.CLOUD_EVENT, names)
        assert payload.content_type(text) == "application/cloudevents+json"
        found = json.loads(text)
        assert found["specversion"] == "1.0"
        assert all(found[key] for key in ("id", "source", "type", "subject", "time"))

    @pytest.mark.parametrize(
        "text", ["{}", "[]", "3", '{"specversion": "1.0"}', '{"specversion": "0.3", "id": "a"}']
    )
    def test_all_else_is_json(self, text: str) -> None:
        assert payload.content_type(text) == "application/json"
