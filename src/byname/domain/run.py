"""Runs: what made and used versions. Their states, names and the text they carry. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from byname.domain.errors import Conflict, Unprocessable
from byname.domain.names import leads_outside

RUN_NAME_LENGTH_MAX = 128
FILE_NAME_LENGTH_MAX = 1_024
SHORT_TEXT_LENGTH_MAX = 512
LONG_TEXT_LENGTH_MAX = 1_000_000
TAGS_MAX = 200
TAG_LENGTH_MAX = 128
WILDCARDS_MAX = 10
SILENCE = timedelta(minutes=5)
"""A run that works sends a sign of life every 30 seconds (protocol 9.3)."""
_FORBIDDEN_IN_NAME = frozenset("/\\#?%:")


class RunState(StrEnum):
    """The states the client knows (protocol 12.2)."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"
    KILLED = "killed"
    PREEMPTING = "preempting"
    PREEMPTED = "preempted"


ALIVE = frozenset({RunState.PENDING, RunState.RUNNING, RunState.PREEMPTING})
_UPDATES: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset(
        {RunState.RUNNING, RunState.FAILED, RunState.CRASHED, RunState.PREEMPTED}
    ),
    RunState.FAILED: frozenset({*ALIVE, RunState.CRASHED, RunState.PREEMPTED}),
}
"""What a state may be set to by hand, and from which states."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run sent: its bytes are here."""

    id: int
    run_id: int
    name: str
    sha256: str
    md5: str
    """Base64."""
    size_bytes: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A run. Its config and summary, which may be large, are read on their own."""

    id: int
    project_id: int
    name: str
    """Unique in its project: the word in addresses, which the client calls the run's id."""
    display_name: str
    state: RunState
    description: str | None
    notes: str | None
    tags: tuple[str, ...]
    group: str | None
    job_type: str | None
    sweep_name: str | None
    commit: str | None
    repo: str | None
    program: str | None
    host: str | None
    exit_code: int | None
    history_count: int
    events_count: int
    log_count: int
    stop_requested: bool
    created_by: int | None
    created_at: datetime
    heartbeat_at: datetime


def state_at(stored: RunState, heartbeat_at: datetime, now: datetime) -> RunState:
    """The state as it is seen now: one that has been silent for five minutes is gone.

    - A running run has crashed. A later sign of life makes it running again.
    - A run that said it would be preempted has been.
    """
    if now - heartbeat_at < SILENCE:
        return stored
    if stored is RunState.RUNNING:
        return RunState.CRASHED
    if stored is RunState.PREEMPTING:
        return RunState.PREEMPTED
    return stored


def state_after_post(
    seen: RunState,
    *,
    complete: bool,
    exit_code: int | None,
    preempting: bool,
    stop_requested: bool,
) -> RunState:
    """The state after a post to the run's stream (protocol 9.3), from the state as it was seen.

    - At the end: finished with exit code 0; else preempted when that was announced, killed when a
      stop was asked for, failed otherwise.
    - Before it: preempting once that was said; running otherwise, also for a run that had ended.
    """
    announced = preempting or seen is RunState.PREEMPTING
    if complete:
        if not exit_code:
            return RunState.FINISHED
        if announced:
            return RunState.PREEMPTED
        return RunState.KILLED if stop_requested else RunState.FAILED
    return RunState.PREEMPTING if announced else RunState.RUNNING


def parse_state(word: str) -> RunState:
    """The state of that wire name.

    Raises:
        Unprocessable: there is no such state.
    """
    try:
        return RunState(word)
    except ValueError:
        known = ", ".join(state.value for state in RunState)
        raise Unprocessable(
            f"{word[:80]!r} is no state of a run; the states are {known}", field="state"
        ) from None


def check_update(seen: RunState, wanted: RunState) -> None:
    """Return when somebody may set the state by hand (the SDK's `Run.update_state`).

    Raises:
        Conflict: from the present state there is no way to the wanted one.
    """
    if seen not in _UPDATES.get(wanted, frozenset()):
        raise Conflict(
            f"A run that is {seen.value} cannot be set to {wanted.value}; a run can be set to "
            "pending once it runs, failed, crashed or was preempted, and to failed until it ends",
            code="run_state",
        )


def check_run_name(name: str) -> str:
    r"""The name, fit to stand in addresses.

    Raises:
        Unprocessable: empty, over 128 characters, `.` or `..`, or holding `/ \ # ? % :`, control
            characters or outer spaces.
    """
    _check_text(name, "The run id", RUN_NAME_LENGTH_MAX)
    if not name or name != name.strip() or name in (".", ".."):
        raise Unprocessable(f"The run id {name!r} must be a word", field="name")
    found = sorted(set(name) & _FORBIDDEN_IN_NAME)
    if found or not name.isprintable():
        raise Unprocessable(
            f"The run id {name!a} must not contain / \\ # ? % : or control characters",
            field="name",
        )
    return name


def check_short_text(value: str | None, what: str) -> str | None:
    """A one-line text (a display name, group, host, ...); None stays None.

    Raises:
        Unprocessable: over 512 characters, or holding what cannot be stored.
    """
    return _check_text(value, what, SHORT_TEXT_LENGTH_MAX)


def check_long_text(value: str | None, what: str) -> str | None:
    """A text of many lines (notes, a description); None stays None.

    Raises:
        Unprocessable: over a million characters, or holding what cannot be stored.
    """
    return _check_text(value, what, LONG_TEXT_LENGTH_MAX)


def check_run_tags(tags: Sequence[str] | None) -> tuple[str, ...] | None:
    """The tags, each once, in their order; None stays None.

    Raises:
        Unprocessable: too many, an empty one, or one over 128 characters.
    """
    if tags is None:
        return None
    if len(tags) > TAGS_MAX:
        raise Unprocessable(
            f"The run has {len(tags)} tags; at most {TAGS_MAX} are allowed", field="tags"
        )
    for tag in tags:
        if not tag:
            raise Unprocessable("A run's tag must not be empty", field="tags")
        _check_text(tag, "The tag", TAG_LENGTH_MAX)
    return tuple(dict.fromkeys(tags))


def check_object(text: str | None, what: str) -> str | None:
    """The text of a JSON object, as it came; None stays None, and JSON's null is an empty one.

    NaN and Infinity are let through, as the client writes and reads them.

    Raises:
        Unprocessable: not JSON, not an object, or holding what cannot be stored.
    """
    if text is None:
        return None
    _check_text(text, what, len(text))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Unprocessable(f"{what} is not JSON", field=what) from None
    if value is None:
        return "{}"
    if not isinstance(value, dict):
        raise Unprocessable(f"{what} must be a JSON object", field=what)
    return text


def wandb_config(config: str, keys: Sequence[str]) -> dict[str, Any]:
    """The client's own notes of these keys in a stored config (protocol 9.5)."""
    own = json.loads(config).get("_wandb")
    value = own.get("value") if isinstance(own, dict) else None
    if not isinstance(value, dict):
        return {}
    return {key: value[key] for key in keys if key in value}


def check_file_name(name: str) -> str:
    """The name of a run's file in its one spelling: `./a//b` is `a/b` (protocol 9.14).

    Raises:
        Unprocessable: empty, over 1,024 characters, absolute, with a `..` part or control
            characters.
    """
    _check_text(name, "The file name", FILE_NAME_LENGTH_MAX)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or leads_outside(name):
        raise Unprocessable(
            f"The file name {name!r} must be a relative path inside the run's folder",
            field="name",
        )
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        raise Unprocessable(
            f"The file name {name!a} must not contain control characters", field="name"
        )
    return "/".join(parts)


def find_file_name(name: str | None) -> str | None:
    """As `check_file_name`; None for what no file can be named."""
    try:
        return None if name is None else check_file_name(name)
    except Unprocessable:
        return None


def like_pattern(pattern: str) -> str:
    r"""The SQL pattern (with `\` as its escape) of a pattern for file names.

    `%` and `*` stand for any text, `_` and `?` for any one character: the client's documentation
    has the former, habit the latter.

    Raises:
        Unprocessable: over 1,024 characters, or more than 10 signs for any text.
    """
    _check_text(pattern, "The pattern", FILE_NAME_LENGTH_MAX)
    pattern = re.sub("%+", "%", pattern.replace("*", "%"))
    if pattern.count("%") > WILDCARDS_MAX:
        raise Unprocessable(
            f"The pattern has more than {WILDCARDS_MAX} signs for any text", field="pattern"
        )
    return pattern.replace("\\", "\\\\").replace("?", "_")


def make_display_name(choose: Callable[[Sequence[str]], str], number: int) -> str:
    """Two words and a number, for people to tell runs apart: `brisk-heron-12`."""
    return f"{choose(_ADJECTIVES)}-{choose(_ANIMALS)}-{number}"


def _check_text(value: str | None, what: str, length_max: int) -> str | None:
    if value is None:
        return None
    if len(value) > length_max:
        raise Unprocessable(
            f"{what} has {len(value)} characters; at most {length_max} are allowed", field=what
        )
    if "\0" in value or not _is_unicode(value):
        raise Unprocessable(
            f"{what} must not contain NUL characters or lone surrogates", field=what
        )
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_ADJECTIVES = (
    "amber", "bold", "brisk", "calm", "clear", "copper", "crisp", "deep", "eager", "early",
    "fair", "fleet", "gentle", "glad", "golden", "grand", "hardy", "keen", "kind", "late",
    "light", "lively", "lucky", "mellow", "mild", "misty", "neat", "noble", "patient", "plain",
    "proud", "quick", "quiet", "rapid", "ready", "rosy", "royal", "silver", "sleek", "snowy",
    "solid", "steady", "still", "sunny", "swift", "tidy", "vivid", "warm", "wild", "wise",
)  # fmt: skip
_ANIMALS = (
    "ant", "badger", "bear", "beaver", "bee", "bison", "carp", "cat", "cobra", "crab",
    "crane", "crow", "deer", "dove", "duck", "eagle", "elk", "finch", "fox", "frog",
    "gnu", "goat", "goose", "hare", "hawk", "heron", "horse", "ibex", "jay", "kiwi",
    "lark", "lion", "lynx", "mole", "moose", "moth", "newt", "otter", "owl", "panda",
    "puma", "quail", "raven", "robin", "seal", "stork", "swan", "tiger", "trout", "wolf",
)  # fmt: skip
