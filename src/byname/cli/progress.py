"""Bars on standard error while something long goes on, for people who watch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be."""


@contextmanager
def bar(title: str, as_json: bool) -> Iterator[Progress | None]:
    """A bar that says how many bytes are there; none where nobody watches, or a program does."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda there, total: bars.update(task, completed=there, total=total)


@contextmanager
def waiting(title: str, as_json: bool) -> Iterator[None]:
    """A sign of life while something goes on whose end is not known; for people who watch."""
    if as_json or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield
