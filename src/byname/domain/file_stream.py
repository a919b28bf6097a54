"""What one post to a run's stream says (protocol 9.3), and which posts cannot be read. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byname.domain.errors import Invalid, TooLarge
from byname.domain.run_line import parse_object, storable

NUMBER_MAX = 2**31 - 1
"""Lines are counted in GraphQL's integers."""
LINE_BYTES_MAX = 4 * 1024 * 1024
HISTORY, EVENTS, OUTPUT = "history", "events", "output"
_STREAM_OF_FILE = {
    "wandb-history.jsonl": HISTORY,
    "wandb-events.jsonl": EVENTS,
    "output.log": OUTPUT,
}
_SUMMARY_FILE = "wandb-summary.json"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one stream, the first of which has the number `offset`."""

    stream: str
    offset: int
    lines: tuple[str, ...]
    rows: tuple[dict[str, Any], ...] = ()
    """What the lines of the history hold; empty for other streams."""


@dataclass(frozen=True, slots=True)
class StreamPost:
    """One post. An empty one is a sign of life."""

    chunks: tuple[Chunk, ...] = ()
    summary: str | None = None
    """The whole summary as JSON text; None when it did not change."""
    complete: bool = False
    exit_code: int | None = None
    preempting: bool = False

    @classmethod
    def parse(cls, value: Any) -> StreamPost:
        """The post that a JSON body describes. Keys and files of other names say nothing to us.

        Raises:
            Invalid: the body has another shape, or a line of history, events or summary is no JSON
                object.
            TooLarge: a line of more than 4 MiB.
        """
        if not isinstance(value, dict):
            raise Invalid("The body must be a JSON object", code="file_stream")
        files = value.get("files")
        if files is None:
            files = {}
        if not isinstance(files, dict):
            raise _wrong("files", "an object")
        chunks = []
        summary = None
        for name, part in files.items():
            if name not in _STREAM_OF_FILE and name != _SUMMARY_FILE:
                continue
            offset, lines = _part(name, part)
            if name == _SUMMARY_FILE:
                if lines:
                    _rows(name, lines[-1:])
                    summary = lines[-1]
                continue
            stream = _STREAM_OF_FILE[name]
            rows = () if stream == OUTPUT else _rows(name, lines)
            if lines:
                chunks.append(Chunk(stream, offset, lines, rows if stream == HISTORY else ()))
        exit_code = value.get("exitcode")
        if exit_code is not None and not _is_integer(exit_code, -(2**31), NUMBER_MAX):
            raise _wrong("exitcode", "a whole number")
        return cls(
            chunks=tuple(chunks),
            summary=summary,
            complete=_flag(value, "complete"),
            exit_code=exit_code,
            preempting=_flag(value, "preempting"),
        )


def _part(name: str, part: Any) -> tuple[int, tuple[str, ...]]:
    if not isinstance(part, dict):
        raise _wrong(f"files[{name!r}]", "an object")
    offset = part.get("offset", 0)
    content = part.get("content", [])
    if not isinstance(content, list) or not all(isinstance(line, str) for line in content):
        raise _wrong(f"files[{name!r}].content", "a list of texts")
    if not _is_integer(offset, 0, NUMBER_MAX - len(content)):
        raise _wrong(f"files[{name!r}].offset", "the number of a line")
    for line in content:
        if (
            len(line) > LINE_BYTES_MAX // 4
            and len(line.encode("utf-8", "replace")) > LINE_BYTES_MAX
        ):
            raise TooLarge(
                f"A line of {name} is larger than {LINE_BYTES_MAX} bytes", limit=LINE_BYTES_MAX
            )
    return offset, tuple(storable(line) for line in content)


def _rows(name: str, lines: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    rows = []
    for number, line in enumerate(lines):
        row = parse_object(line)
        if row is None:
            raise _wrong(f"files[{name!r}].content[{number}]", "the text of a JSON object")
        rows.append(row)
    return tuple(rows)


def _flag(value: dict[str, Any], name: str) -> bool:
    flag = value.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise _wrong(name, "true or false")
    return bool(flag)


def _is_integer(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _wrong(where: str, wanted: str) -> Invalid:
    return Invalid(f"{where[:200]} must be {wanted}", code="file_stream")
