"""`byname watch`: a folder that stays on the version a name is on, and a command run at each change."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url
from byname.cli.output import AsJson, Refused, telling
from byname.client import Client, DomainError, Swap

COMMAND_FAILED = 1


def watch(
    alias: Annotated[str, typer.Argument(help="ORGANIZATION/REGISTRY/COLLECTION:ALIAS.")],
    folder: Annotated[
        Path,
        typer.Option("--dir", help="Where versions go; DIR/current leads to the present one."),
    ],
    command: Annotated[
        str,
        typer.Option(
            "--exec",
            help="Run after each change, without a shell. BYNAME_VERSION, BYNAME_FOLDER and others "
            "are in its environment.",
        ),
    ] = "",
    shell: Annotated[bool, typer.Option("--shell", help="Run the command by a shell.")] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=0, help="How many older versions stay beside it.")
    ] = 1,
    once: Annotated[
        bool, typer.Option("--once", help="Bring the folder up to date, then end.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Keep a folder on the version that a name is on: fetched beside the old, verified, then flipped.

    Whatever happens, DIR/current leads to a whole version: the old one or the new one. Goes on when
    the server was away. With --json, one object a line for each change.
    """
    with telling(as_json), _ending():
        words = _words(command, shell=shell)
        client = Client(url, api_key)

        def trouble(error: DomainError, seconds: float) -> None:
            print(f"byname: {error.message}; trying again in {seconds:.0f} s", file=sys.stderr)

        swaps = client.watch(alias, folder, keep=keep, trouble=trouble, once=once)
        with contextlib.closing(swaps):
            for swap in swaps:
                code = _run(words, swap, shell=shell)
                _tell(swap, code, as_json=as_json)
                if code and once:
                    raise typer.Exit(COMMAND_FAILED)


def _words(command: str, *, shell: bool) -> list[str] | str | None:
    """What is run; None for nothing.

    Raises:
        Refused: its quotes do not match.
    """
    if not command.strip():
        return None
    if shell:
        return command
    try:
        return shlex.split(command)
    except ValueError as error:
        raise Refused("invalid", f"--exec cannot be read: {error}", 2) from None


def _run(words: list[str] | str | None, swap: Swap, *, shell: bool) -> int | None:
    """The command's exit code; None where there is none to run."""
    if words is None:
        return None
    told = {
        "BYNAME_ALIAS": swap.alias,
        "BYNAME_VERSION": swap.version,
        "BYNAME_DIGEST": swap.digest,
        "BYNAME_FOLDER": str(swap.folder),
        "BYNAME_CURRENT": str(swap.current),
        "BYNAME_PREVIOUS": swap.previous or "",
    }
    try:
        # What the user asked to run; with --shell, by the shell they asked for.
        return subprocess.run(  # noqa: S603
            words, env={**os.environ, **told}, shell=shell, check=False, stdin=subprocess.DEVNULL
        ).returncode
    except OSError as error:
        print(f"byname: --exec cannot be run: {error.filename}: {error.strerror}", file=sys.stderr)
        return 127


def _tell(swap: Swap, code: int | None, *, as_json: bool) -> None:
    answer: dict[str, Any] = {
        "alias": swap.alias,
        "version": swap.version,
        "digest": swap.digest,
        "previous": swap.previous,
        "folder": str(swap.folder),
        "fetched_bytes": swap.fetched_bytes,
        "exit_code": code,
    }
    text = f"{swap.alias} is on {swap.version}: {swap.folder}"
    if code:
        text += f"\nThe command failed with exit code {code}."
    print(json.dumps(answer) if as_json else text, flush=True)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """SIGTERM ends it as it should: with exit code 0, and a half fetched version kept for later."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise typer.Exit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
