"""Do the variables of newer, older and careless clients arrive as they should?"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from ariadne import MutationType, QueryType

from byname.domain.errors import Invalid
from byname.graphql.engine import Engine, Result, load_schema

FILES = """
mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { totalCount } }
}
"""
LINK = """
mutation LinkArtifact($name: String!, $aliases: [ArtifactAliasInput!], $clientID: ID) {
  linkArtifact(input: {artifactPortfolioName: $name, aliases: $aliases, clientID: $clientID}) {
    versionIndex
  }
}
"""


class Heard:
    """An engine whose resolvers note their arguments."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        query, mutation = QueryType(), MutationType()
        for name in ("createArtifactFiles", "linkArtifact", "rewindRun", "upsertBucket"):
            mutation.set_field(name, self.hear)
        for name in ("users", "models", "viewer"):
            query.set_field(name, self.hear)
        self.engine = Engine(load_schema([query, mutation]))

    def hear(self, _source: object, _info: object, **arguments: Any) -> None:
        self.arguments = arguments

    def execute(self, text: str, variables: dict[str, Any] | None) -> Result:
        self.arguments = {}
        return self.engine.execute(self.engine.prepare(text), variables, None)


@pytest.fixture
def heard() -> Heard:
    return Heard()


class TestNames:
    """Arguments and input fields arrive in snake case."""

    def test_ids_and_digests_keep_their_letters_together(self, heard: Heard) -> None:
        files: dict[str, Any] = {
            "storageLayout": "V2",
            "digestAlgorithm": "MANIFEST_MD5",
            "artifactFiles": [
                {
                    "artifactID": "QQ==",
                    "name": "a",
                    "md5": "bQ==",
                    "artifactManifestID": "bQ==",
                    "uploadPartsInput": [{"partNumber": 1, "hexMD5": "00"}],
                }
            ],
        }
        assert heard.execute(FILES, {"input": files}).errors == []
        assert heard.arguments == {
            "input": {
                "storage_layout": "V2",
                "digest_algorithm": "MANIFEST_MD5",
                "artifact_files": [
                    {
                        "artifact_id": "QQ==",
                        "name": "a",
                        "md5": "bQ==",
                        "artifact_manifest_id": "bQ==",
                        "upload_parts_input": [{"part_number": 1, "hex_md5": "00"}],
                    }
                ],
            }
        }


class TestUnknownInputFields:
    """What a newer client sends is dropped, wherever it stands (protocol 4)."""

    @pytest.mark.parametrize("value", [None, "value", {"deep": [1]}])
    def test_are_dropped(self, heard: Heard, value: object) -> None:
        file = {"artifactID": "QQ==", "name": "a", "fieldOfTomorrow": value}
        files: dict[str, Any] = {
            "storageLayout": "V2",
            "artifactFiles": [file],
            "anotherField": value,
        }
        assert heard.execute(FILES, {"input": files}).errors == []
        assert heard.arguments["input"] == {
            "storage_layout": "V2",
            "artifact_files": [{"artifact_id": "QQ==", "name": "a"}],
        }

    def test_are_said_in_the_log_when_they_carry_a_value(
        self, heard: Heard, caplog: pytest.LogCaptureFixture
    ) -> None:
        files: dict[str, Any] = {
            "storageLayout": "V2",
            "artifactFiles": [],
            "quiet": None,
            "loud": "secret",
        }
        with caplog.at_level(logging.WARNING):
            heard.execute(FILES, {"input": files})
        assert "loud" in caplog.text
        assert "quiet" not in caplog.text
        assert "secret" not in caplog.text

    def test_do_not_hide_what_else_is_wrong(self, heard: Heard) -> None:
        files: dict[str, Any] = {"storageLayout": "V9", "artifactFiles": [], "fieldOfTomorrow": 1}
        result = heard.execute(FILES, {"input": files})
        assert "V9" in result.errors[0].message
        assert not any("fieldOfTomorrow" in error.message for error in result.errors)

    def test_unknown_variables_are_dropped(self, heard: Heard) -> None:
        assert heard.execute("{ viewer { id } }", {"unknown": 1}).errors == []


class TestVariables:
    """Absent is not null, and null is not absent."""

    def test_absent_variables_leave_no_key(self, heard: Heard) -> None:
        heard.execute(LINK, {"name": "Zoo", "aliases": None})
        assert heard.arguments == {"input": {"artifact_portfolio_name": "Zoo", "aliases": None}}

    def test_one_item_counts_as_a_list(self, heard: Heard) -> None:
        alias = {"artifactCollectionName": "Zoo", "alias": "production-us"}
        heard.execute(LINK, {"name": "Zoo", "aliases": alias})
        assert heard.arguments["input"]["aliases"] == [
            {"artifact_collection_name": "Zoo", "alias": "production-us"}
        ]

    def test_defaults_stand_in_for_what_is_absent(self, heard: Heard) -> None:
        text = (
            "query ($n: Int = 50, $e: String) { models(first: $n, entityName: $e) { totalCount } }"
        )
        heard.execute(text, {})
        assert heard.arguments == {"first": 50}
        heard.execute(text, {"n": None, "e": None})
        assert heard.arguments == {"first": None, "entity_name": None}

    def test_values_written_into_the_document_are_fresh_each_time(self, heard: Heard) -> None:
        text = 'mutation { upsertBucket(input: {tags: ["a"]}) { inserted } }'
        for _ in range(2):
            heard.execute(text, None)
            assert heard.arguments == {"input": {"tags": ["a"]}}
            heard.arguments["input"]["tags"].append("b")

    @pytest.mark.parametrize(
        "variables",
        [
            None,
            {},
            {"name": None},
            {"name": 3},
            {"name": ["Zoo"]},
            {"name": "Zoo", "aliases": [None]},
            {"name": "Zoo", "aliases": [{"alias": "a"}]},
            {"name": "Zoo", "aliases": 3},
            {"name": "Zoo", "clientID": True},
        ],
    )
    def test_what_cannot_be_read_reaches_no_resolver(
        self, heard: Heard, variables: dict[str, Any] | None
    ) -> None:
        result = heard.execute(LINK, variables)
        assert result.data is None
        assert heard.arguments == {}
        assert all(isinstance(error.original, Invalid) for error in result.errors)
        assert all("Variable '$" in error.message for error in result.errors)

    @pytest.mark.parametrize("given", ["a", ["a"], [{"artifactCollectionName": "", "alias": "a"}]])
    def test_an_alias_may_be_a_plain_word(self, heard: Heard, given: Any) -> None:
        """R74: a plain text is taken too; releases up to 0.28 send words where objects belong."""
        heard.execute(LINK, {"name": "Zoo", "aliases": given})
        found = heard.arguments["input"]["aliases"]
        assert found == [{"artifact_collection_name": "", "alias": "a"}]

    def test_many_mistakes_give_few_errors(self, heard: Heard) -> None:
        result = heard.execute(LINK, {"name": "Zoo", "aliases": [3] * 100_000})
        assert len(result.errors) < 100
