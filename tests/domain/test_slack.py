"""What Slack is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain import slack
from byname.domain.slack import Severity

VALUES = {
    "event_type": "ADD_ARTIFACT_ALIAS",
    "artifact_version_string": "acme/wandb-registry-Model/Zoo:production",
    "project_name": "wandb-registry-Model",
    "artifact_collection_name": "Zoo",
    "alias": "production",
    "event_author": "ann",
    "artifact_url": "https://models.example.org/orgs/acme/registry/Model",
}


def told(title: str = "", text: str = "", severity: Severity = Severity.INFO) -> Any:
    return json.loads(slack.message(title, text, severity, VALUES, {"acc": 0.9}))


class TestSlackMessage:
    """R131: title, text, severity; the default names all there is and links to the page."""

    def test_the_default_names_version_registry_collection_alias_and_author(self) -> None:
        (found,) = told()["attachments"]
        whole = found["title"] + found["text"]
        for name in (
            "artifact_version_string",
            "project_name",
            "artifact_collection_name",
            "alias",
            "event_author",
        ):
            assert VALUES[name] in whole
        assert found["title_link"] == VALUES["artifact_url"]

    def test_the_default_of_a_run_names_it_and_its_metric(self) -> None:
        values = {"event_type": "RUN_METRIC", "run_name": "night-1", "run_state": "running"}
        values |= {"metric_name": "loss", "metric_value": "0.5", "artifact_version_string": ""}
        found = json.loads(slack.message("", "", Severity.WARN, values, {}))
        (attachment,) = found["attachments"]
        assert found["text"] == "WARN: RUN_METRIC: night-1"
        assert attachment["text"] == "Run: night-1\nState: running\nMetric: loss\nValue: 0.5"

    def test_title_and_text_of_the_user(self) -> None:
        (found,) = told("${alias} is new", "by ${event_author}: ${artifact_metadata.acc} $${x}")[
            "attachments"
        ]
        assert found["title"] == "production is new"
        assert found["text"] == "by ann: 0.9 $${x}"

    @pytest.mark.parametrize("severity", list(Severity))
    def test_severity_is_told(self, severity: Severity) -> None:
        assert told(severity=severity)["text"].startswith(severity.value)

    def test_escapes(self) -> None:
        """A15: Slack text escapes `&<>`: nobody is called, nothing is linked."""
        (found,) = told("<!channel> & co", "<https://evil.example.org|here>")["attachments"]
        assert found["title"] == "&lt;!channel&gt; &amp; co"
        assert found["text"] == "&lt;https://evil.example.org|here&gt;"

    @given(alias=st.text(st.characters(codec="utf-8"), max_size=50))
    def test_no_value_is_markup(self, alias: str) -> None:
        for text in ("", "${alias}"):
            found = json.loads(
                slack.message("", text, Severity.WARN, VALUES | {"alias": alias}, {})
            )
            (attachment,) = found["attachments"]
            assert not set("<>") & set(found["text"] + attachment["title"] + attachment["text"])

    def test_long_texts_are_cut(self) -> None:
        assert len(told("x" * 1000)["attachments"][0]["title"]) == 250
