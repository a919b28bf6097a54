"""What a webhook is told: JSON written by the user, with `${...}` where values go (R135 to R137).

Variables stand inside the JSON's strings only, and a value is written as JSON writes text: it can
neither end its string nor add anything. Values are put in when the event happens, secrets only when
the request is sent, so that what is kept holds none (R141).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from byname.domain.errors import Unprocessable

TEMPLATE_BYTES_MAX = 65_536
PAYLOAD_BYTES_MAX = 1_048_576
EMPTY = "{}"
ACCESS_TOKEN = "ACCESS_TOKEN"  # noqa: S105  The variable's name.
MASK = "***"
METADATA = "artifact_metadata."

VARIABLES: Mapping[str, str] = {
    "event_type": "the event's name, for example ADD_ARTIFACT_ALIAS",
    "event_author": "the user name of whoever caused it",
    "alias": "the alias, on events of aliases; else empty",
    "tag": "the tags, on events of tags; else empty",
    "artifact_collection_name": "the collection's name",
    "artifact_version": "the version for machines: wandb-artifact://_id/ID",
    "artifact_version_string": "ENTITY/PROJECT/COLLECTION:ALIAS, or :vN on other events",
    "project_name": "the project's name; of a registry with its prefix wandb-registry-",
    "entity_name": "the organization, team or user that owns the project",
    # What follows has no counterpart in the payloads of the reference.
    "event_id": "the event's own name, the same in every delivery of it",
    "event_time": "when it happened, UTC, for example 2026-11-26T15:04:05.123456Z",
    "event_cause": "why an alias changed: link, log, move, remove, unlink, delete, undo, ...",
    "event_face": "through what it was done: sdk, rest, cli, web or server",
    "event_source": "the collection's path, encoded for addresses",
    "event_subject": "what it happened to, for example v3 or production",
    "artifact_number": "the version's number in the collection, for example v3",
    "artifact_digest": "the version's digest",
    "artifact_type": "the collection's type",
    "artifact_url": "the page of the version on this server",
    "previous_version": "the number that held the alias before, for example v2; or empty",
    "ledger_revision": "how often the alias has changed by now, this time included",
    "run_name": "the run's name, on events of runs; else empty",
    "run_id": "the run's id in addresses, on events of runs; else empty",
    "run_state": "the run's state, on events of runs; else empty",
    "metric_name": "the metric's name, on events of metrics; else empty",
    "metric_value": "the metric's value that met the condition; else empty",
}
"""Every variable but those of metadata and secrets, with what it holds."""

DEFAULT = json.dumps({name: f"${{{name}}}" for name in VARIABLES}, indent=2)
"""A payload that tells all there is to tell (R135)."""

_ENVELOPE = {
    "specversion": "1.0",
    "id": "${event_id}",
    "source": "${event_source}",
    "type": "byname.${event_type}",
    "subject": "${event_subject}",
    "time": "${event_time}",
    "datacontenttype": "application/json",
}
_TOLD_BY_ENVELOPE = {"event_id", "event_source", "event_type", "event_subject", "event_time"}
CLOUD_EVENT = json.dumps(
    _ENVELOPE
    | {"data": {name: f"${{{name}}}" for name in VARIABLES if name not in _TOLD_BY_ENVELOPE}},
    indent=2,
)
"""The same as an event in the format of CloudEvents 1.0."""

JSON_TYPE = "application/json"
CLOUD_EVENT_TYPE = "application/cloudevents+json"

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_KEY_FOLLOWS = re.compile(r"\s*:")
_PIECE = re.compile(r"\$\{((?:[^}\\]|\\.)*)(\})?|\\.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Secret:
    """The place in a payload where the value of a secret goes when it is sent."""

    name: str


Part = str | Secret
"""A payload ready to be sent is a row of texts and secrets."""


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    start: int
    end: int


def check(template: str, *, secrets: Collection[str] = ()) -> str:
    """The payload as it is kept; nothing at all stands for `{}` (R135, R137).

    - It is JSON, of at most 64 kB.
    - Each `${...}` stands in a value (not in a key, which a value could turn into another), and
      names a variable, a metadata key, or one of the secrets that the webhook was given.

    Raises:
        Unprocessable: one of these does not hold; the message says at which line and column.
    """
    if not template.strip():
        return EMPTY
    if len(template.encode("utf-8", "replace")) > TEMPLATE_BYTES_MAX:
        raise Unprocessable(
            f"The payload is larger than {TEMPLATE_BYTES_MAX:,} bytes", field="payload"
        )
    try:
        json.loads(template, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        hint = ""
        if "${" in template:
            hint = '; variables stand inside strings, as in "${alias}"'
        raise Unprocessable(
            f"The payload is not JSON: {error.msg} at line {error.lineno}, column "
            f"{error.colno}{hint}",
            field="payload",
            line=error.lineno,
            column=error.colno,
        ) from None
    except (RecursionError, ValueError):
        raise Unprocessable(
            "The payload is not JSON that everybody reads: it is nested too deeply, or holds NaN, "
            "Infinity or a number that is far too large",
            field="payload",
        ) from None
    for string in _STRING.finditer(template):
        is_key = _KEY_FOLLOWS.match(template, string.end()) is not None
        for variable in _variables(template, string.start(1), string.end(1)):
            if is_key:
                raise _problem(
                    template, variable.start, "variables may stand in values only, not in keys"
                )
            if not _known(variable.name, secrets):
                raise _problem(template, variable.start, _unknown(variable.name, secrets))
    return template


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(word)
    return number


def _variables(text: str, start: int, end: int) -> Iterator[_Variable]:
    """The variables of a JSON string, whose escapes are read as one piece each."""
    for piece in _PIECE.finditer(text, start, end):
        if piece[1] is None:
            continue
        if piece[2] is None:
            raise _problem(
                text, piece.start(), "'${' has no '}'; write \\u0024{ for the characters themselves"
            )
        yield _Variable(_decoded(piece[1]), piece.start(), piece.end())


def _decoded(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"'))
    except ValueError:
        return raw


def _known(name: str, secrets: Collection[str]) -> bool:
    if name.startswith(METADATA):
        return len(name) > len(METADATA)
    return name in VARIABLES or name in secrets


def _unknown(name: str, secrets: Collection[str]) -> str:
    if name == ACCESS_TOKEN:
        return "${ACCESS_TOKEN}: this webhook has no access token"
    known = [*VARIABLES, METADATA + "KEY", *sorted(secrets)]
    return (
        f"${{{name[:80]}}} is neither a variable nor a secret of this webhook; "
        f"there are {', '.join(known)}"
    )


def _problem(text: str, at: int, what: str) -> Unprocessable:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return Unprocessable(
        f"The payload, line {line}, column {column}: {what}",
        field="payload",
        line=line,
        column=column,
    )


def render(template: str, values: Mapping[str, str], metadata: Mapping[str, Any]) -> list[Part]:
    """The payload with every value in its place; secrets are left to `fill`.

    What the values do not have is empty, and so is metadata that is not there (R137).

    Raises:
        Unprocessable: it would be larger than 1 MB.
    """
    parts: list[Part] = []
    text: list[str] = []
    done = 0
    for string in _STRING.finditer(template):
        if _KEY_FOLLOWS.match(template, string.end()) is not None:
            continue
        for variable in _variables(template, string.start(1), string.end(1)):
            text.append(template[done : variable.start])
            done = variable.end
            if variable.name in VARIABLES:
                text.append(escape(values.get(variable.name, "")))
            elif variable.name.startswith(METADATA):
                text.append(escape(told(metadata.get(variable.name.removeprefix(METADATA), ""))))
            else:
                parts += ["".join(text), Secret(variable.name)]
                text = []
    text.append(template[done:])
    parts.append("".join(text))
    size = sum(len(part) for part in parts if isinstance(part, str))
    if size > PAYLOAD_BYTES_MAX:
        raise Unprocessable(
            f"With its values the payload has {size:,} characters; at most {PAYLOAD_BYTES_MAX:,} "
            "are sent",
            field="payload",
        )
    return parts


def told(value: Any) -> str:
    """A value of the metadata as text: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def escape(value: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    written = json.dumps(value, ensure_ascii=False)
    if any("\ud800" <= character <= "\udfff" for character in written):
        # Half a character cannot be sent as UTF-8; as an escape it can.
        written = json.dumps(value)
    return written[1:-1]


def fill(parts: Iterable[Part], secrets: Mapping[str, str]) -> str:
    """The payload as it is sent. A secret that is gone by now is empty."""
    return "".join(
        part if isinstance(part, str) else escape(secrets.get(part.name, "")) for part in parts
    )


def masked(parts: Iterable[Part]) -> str:
    """The payload as it is shown: `***` in place of secrets (R141)."""
    return "".join(part if isinstance(part, str) else MASK for part in parts)


def to_json(parts: Iterable[Part]) -> str:
    """The parts as they are kept."""
    return json.dumps([part if isinstance(part, str) else {"secret": part.name} for part in parts])


def from_json(text: str) -> list[Part]:
    """The parts as they were."""
    return [part if isinstance(part, str) else Secret(part["secret"]) for part in json.loads(text)]


def content_type(body: str) -> str:
    """What the body is sent as: a CloudEvent as one, all else as plain JSON (R134)."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return JSON_TYPE
    needed = ("id", "source", "type")
    if (
        isinstance(value, dict)
        and value.get("specversion") == "1.0"
        and all(isinstance(value.get(key), str) and value[key] for key in needed)
    ):
        return CLOUD_EVENT_TYPE
    return JSON_TYPE


def hide(text: str, values: Iterable[str]) -> str:
    """The text without these secrets, in whatever of the usual ways it repeats them (R141)."""
    for value in sorted({v for v in values if v}, key=len, reverse=True):
        for form in {value, escape(value), json.dumps(value)[1:-1]}:
            text = text.replace(form, MASK)
    return text
