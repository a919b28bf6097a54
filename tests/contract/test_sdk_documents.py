"""Does the schema understand every document that the supported clients ship (R182)?

What is not understood stands in `sdk_gaps.txt` with its reason. That list may only shrink.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSyntaxError, parse, validate

from byname.domain.errors import Unsupported
from byname.graphql.engine import Engine, Limits, load_schema
from tests.support.sdk_documents import SdkDocument, collect_from

VERSIONS = ("0.31.0", "0.28.2")
ROOT = Path(__file__).parents[2]
GAPS = Path(__file__).with_name("sdk_gaps.txt")
SCHEMA = load_schema()


@cache
def documents_of(version: str) -> list[SdkDocument]:
    python = ROOT / f".venv-wandb-{version}" / "bin" / "python"
    assert python.exists(), f"The client {version} is not installed: run `make setup`"
    return collect_from(python)


@cache
def problems_of(version: str) -> dict[str, str]:
    """What the schema does not understand, by operation."""
    problems: dict[str, str] = {}
    for document in documents_of(version):
        if not document.text:
            problems[document.operation] = "the document only comes to be while the client runs"
            continue
        try:
            errors = validate(SCHEMA, parse(document.text))
        except GraphQLSyntaxError as error:
            errors = [error]
        if errors:
            problems[document.operation] = errors[0].message
    return problems


def gaps_of(version: str) -> dict[str, str]:
    """The listed gaps, with their reasons."""
    rows = [line.split("\t") for line in GAPS.read_text(encoding="utf-8").splitlines()]
    return {operation: reason for listed, operation, reason in rows if listed == version}


@pytest.mark.parametrize("version", VERSIONS)
class TestDocumentsOfTheClient:
    """Each supported release is understood but for the listed gaps."""

    def test_they_are_found_in_python_and_in_the_program(self, version: str) -> None:
        operations = {document.operation for document in documents_of(version)}
        assert {
            "core:UpsertBucket",
            "core:CreateArtifactFiles",
            "sdk.artifacts._generated.operations:ArtifactMembershipByName",
            "apis.public.runs:Runs",
            "automations._generated.operations:CreateAutomation",
        } <= operations
        assert len(operations) > 150

    def test_what_the_schema_does_not_understand_is_listed(self, version: str) -> None:
        """R182: all of the client's surface, but for what is listed."""
        unlisted = problems_of(version).keys() - gaps_of(version).keys()
        assert not unlisted, (
            f"{version} ships documents that the schema does not understand; extend the .graphql "
            f"files, or list them in {GAPS.name} with a reason: "
            + "; ".join(f"{each}: {problems_of(version)[each]}" for each in sorted(unlisted))
        )

    def test_what_is_listed_is_still_not_understood(self, version: str) -> None:
        closed = gaps_of(version).keys() - problems_of(version).keys()
        assert not closed, f"Remove from {GAPS.name}, for {version}: {sorted(closed)}"

    def test_what_is_out_of_scope_is_refused_by_its_name(self, version: str) -> None:
        """R199: whoever calls `wandb.sweep` reads that there are no sweeps."""
        engine = Engine(SCHEMA)
        told: dict[str, set[str]] = {}
        for document in documents_of(version):
            reason = gaps_of(version).get(document.operation, "")
            if reason.endswith(" are out of scope") and document.text:
                with pytest.raises(Unsupported) as refusal:
                    engine.prepare(document.text, "")
                told.setdefault(refusal.value.message, set()).add(reason.split()[0])
        assert {message.split(":")[0]: words for message, words in told.items()} == {
            "This server has no sweeps": {"sweeps"},
            "This server has no launch queues and jobs": {"launch"},
            "This server has no reports": {"reports"},
            "This server has no custom charts": {"custom"},
        }

    def test_every_gap_has_a_reason(self, version: str) -> None:
        assert all(reason.strip() for reason in gaps_of(version).values())

    def test_the_limits_leave_twice_the_room(self, version: str) -> None:
        limits = Limits()
        halved = replace(
            limits,
            **{name: getattr(limits, name) // 2 for name in Limits.__slots__},
        )
        engine = Engine(SCHEMA, halved)
        for document in documents_of(version):
            if document.operation not in problems_of(version):
                engine.prepare(document.text, "")


def test_gaps_name_supported_versions_only() -> None:
    versions = {line.split("\t")[0] for line in GAPS.read_text(encoding="utf-8").splitlines()}
    assert versions <= set(VERSIONS)
