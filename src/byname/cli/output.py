"""What a command prints, and the code it exits with: the same words as JSON or as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from byname.domain.errors import DomainError, Kind

EXIT_BY_KIND: dict[Kind, int] = {
    Kind.INVALID: 2,
    Kind.UNAUTHENTICATED: 3,
    Kind.FORBIDDEN: 4,
    Kind.NOT_FOUND: 5,
    Kind.CONFLICT: 6,
    Kind.PRECONDITION: 6,
    Kind.TOO_LARGE: 7,
    Kind.UNPROCESSABLE: 2,
    Kind.THROTTLED: 7,
    Kind.UNSUPPORTED: 7,
    Kind.STORAGE_FULL: 7,
    Kind.UNAVAILABLE: 1,
}
EXIT_INTERNAL = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, errors too.")]


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


class Refused(Exception):
    """The server refused, or could not be reached."""

    def __init__(self, code: str, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exit_code = exit_code


@contextmanager
def telling(as_json: bool) -> Iterator[None]:
    """What goes wrong inside is said on standard error, and the process exits with its code."""
    try:
        yield
    except Refused as error:
        _fail(
            as_json, error.code, error.message + _hint(error.code, error.message), error.exit_code
        )
    except DomainError as error:
        message = error.message + _hint(error.code, error.message)
        _fail(as_json, error.code, message, EXIT_BY_KIND[error.kind])
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # Who read the output has had enough.
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(as_json, "unusable", f"{place}{error.strerror or error}", EXIT_INTERNAL)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "byname":
            raise
        _fail(
            as_json,
            "not_installed",
            f"This command needs the packages of the server ({error.name} is missing): "
            'pip install ".[server]" in a clone of Byname',
            EXIT_BY_KIND[Kind.UNSUPPORTED],
        )


def _hint(code: str, message: str) -> str:
    """What to do about it on the command line, where the words of every face do not say."""
    if code == "unreachable":
        return ". Is it running? BYNAME_URL, or --url, says where it is"
    if code == "unauthenticated" and message.endswith("send an API key"):
        return ", as BYNAME_API_KEY or --api-key"
    return ""


def _fail(as_json: bool, code: str, message: str, exit_code: int) -> NoReturn:
    if as_json:
        print(json.dumps({"error": {"code": code, "message": message}}), file=sys.stderr)
    else:
        print(f"byname: {message}", file=sys.stderr)
    raise typer.Exit(exit_code)


def tell(as_json: bool, answer: dict[str, Any], text: str) -> None:
    """Print the answer: as one JSON object, or as text for people."""
    print(json.dumps(answer) if as_json else text)


def in_columns(rows: Sequence[Sequence[str]], nothing: str) -> str:
    """Lines whose columns begin below each other; the word for nothing where there are none."""
    if not rows:
        return nothing
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def member_lines(members: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Members of an organization or team, one a line."""
    return [
        [
            each["username"],
            "deactivated, was " + each["role"] if each.get("deactivated") else each["role"],
            "service account" if each["service_account"] else each["full_name"],
            each["email"] or "",
        ]
        for each in members
    ]


def object_of(text: str, option: str) -> dict[str, Any]:
    """The JSON object that an option was given.

    Raises:
        Refused: it is none.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused("invalid", f"{option} must be a JSON object, such as '{{\"loss\": 0.1}}'", 2)
    return value


_UNITS = {"m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> int:
    """The seconds of a time such as 90m, 12h or 30d.

    Raises:
        Refused: it is none.
    """
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or not number.isascii() or unit not in _UNITS:
        raise Refused("invalid", f"{text!r} is no time: write 90m, 12h, 30d, or never", 2)
    return int(number) * _UNITS[unit]


def key_text(api_key: str) -> str:
    """How a new API key is shown to people."""
    return f"API key, shown this one time: {api_key}"
