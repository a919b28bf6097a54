"""What Slack is told: title, text and severity as an incoming webhook takes them (R131). No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum

from byname.domain.payload import METADATA, VARIABLES, told

TITLE_LENGTH_MAX = 250
TEXT_LENGTH_MAX = 10_000

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Severity(StrEnum):
    """How urgent it is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_COLORS = {Severity.INFO: "#2f6fde", Severity.WARN: "#d9921a", Severity.ERROR: "#c8372d"}

DEFAULT_TITLE = "${event_type}: ${artifact_version_string}"
DEFAULT_TITLE_OF_RUN = "${event_type}: ${run_name}"
_DEFAULT_LINES = (
    ("Version", "artifact_version_string"),
    ("Project", "project_name"),
    ("Collection", "artifact_collection_name"),
    ("Alias", "alias"),
    ("Tag", "tag"),
    ("Before", "previous_version"),
    ("Run", "run_name"),
    ("State", "run_state"),
    ("Metric", "metric_name"),
    ("Value", "metric_value"),
    ("By", "event_author"),
)


def escape(text: str) -> str:
    """The text so that Slack shows it as it is: no mention, no link, no command (A15)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(text: str, values: Mapping[str, str], metadata: Mapping[str, object]) -> str:
    """The text with the values of its variables; what is no variable stays as it was written."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in VARIABLES:
            return values.get(name, "")
        if name.startswith(METADATA):
            return told(metadata.get(name.removeprefix(METADATA), ""))
        return found[0]

    return _VARIABLE.sub(value, text)


def message(
    title: str,
    text: str,
    severity: Severity,
    values: Mapping[str, str],
    metadata: Mapping[str, object],
) -> str:
    """The message as JSON. Without a title or text of its own it has the ready ones.

    The ready text names version, registry, collection, alias and author, and links to the page; of
    a run its name, state, and the metric with its value.
    """
    ready = DEFAULT_TITLE_OF_RUN if values.get("run_name") else DEFAULT_TITLE
    shown_title = escape(_cut(render(title or ready, values, metadata), TITLE_LENGTH_MAX))
    if text:
        shown = escape(_cut(render(text, values, metadata), TEXT_LENGTH_MAX))
    else:
        lines = [
            f"{label}: {escape(_cut(values[name], TITLE_LENGTH_MAX))}"
            for label, name in _DEFAULT_LINES
            if values.get(name)
        ]
        shown = "\n".join(lines)
    attachment = {
        "fallback": f"{severity.value}: {shown_title}",
        "color": _COLORS[severity],
        "title": shown_title,
        "text": shown,
        "footer": severity.value,
    }
    link = values.get("artifact_url", "")
    if link:
        attachment["title_link"] = link
    return json.dumps(
        {"text": f"{severity.value}: {shown_title}", "attachments": [attachment]},
        ensure_ascii=False,
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
