"""What a script tells the test that started it, in a line `RESULT {...}`."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

TEAM = "smle-reg-team-2"
ORGANIZATION = "smle-reg"


def tell(result: dict[str, Any]) -> None:
    """The test knows."""
    print("\nRESULT " + json.dumps(result))


def refusal(call: Callable[[], Any]) -> str:
    """What the client raises, as its user reads it.

    Raises:
        AssertionError: it raised nothing.
    """
    try:
        value = call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"not refused, but answered {value!r}")


def hashes(folder: str) -> dict[str, str]:
    """The SHA-256 of every file of a folder, by its path in it."""
    root = pathlib.Path(folder)
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def write(name: str, body: bytes | str) -> str:
    """A file of this process's folder; its path."""
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return str(path)
