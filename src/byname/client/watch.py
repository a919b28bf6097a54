"""Keeping a folder on the version that a name is on: the new one beside the old, then one rename.

    FOLDER/current -> versions/v4-6a1f2c3d     what to serve: a link, flipped by rename
    FOLDER/versions/v4-6a1f2c3d/               a whole version, verified, on disk
    FOLDER/versions/.coming-v5-09ab77e1/       one that is being fetched, or was when we were killed
    FOLDER/watch.json                          which version whoever watches is done with

Killed at any moment, `current` leads to the old version or the new one, whole; the next start goes on
where the last one was.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from byname.client.download import Progress
from byname.client.errors import Corrupt
from byname.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    StorageFull,
    Unauthenticated,
    Unprocessable,
    Unsupported,
)

CURRENT = "current"
VERSIONS = "versions"
NOTE = "watch.json"
LOCK = ".watch.lock"
COMING = ".coming-"
GOING = ".going-"
WAIT_SECONDS = 55
PAUSE_SECONDS = (0.5, 30.0)
"""The first pause after a failure, and the longest; each is about twice the one before."""

FINAL = (Unauthenticated, Forbidden, Invalid, Unprocessable, Unsupported)
"""What asking again does not mend, as long as nothing ever worked."""

_VERSION = re.compile(r"v\d+-[0-9a-f]{1,8}")


@dataclass(frozen=True, slots=True)
class Held:
    """The version that the name is on."""

    version: str
    digest: str
    etag: str

    @property
    def folder_name(self) -> str:
        """Where it lies. Of the digest too: a collection made anew counts from v0 again."""
        return f"{self.version}-{self.digest[:8]}"


@dataclass(frozen=True, slots=True)
class Swap:
    """`current` leads to a new version."""

    alias: str
    version: str
    digest: str
    folder: Path
    """The version's own folder: it stays what it is, whatever `current` leads to next."""
    current: Path
    previous: str | None
    """The version before, by its number; None: there was none."""
    fetched_bytes: int


class Source(Protocol):
    """Where versions come from."""

    def wait(self, known: str | None, seconds: int) -> Held | None:
        """The version that the name is on, once that is not what is known by its ETag; else None.

        Waits so long for it; 0: not at all.

        Raises:
            NotFound: it is on none.
        """

    def fetch(self, version: str, folder: Path, progress: Progress | None) -> tuple[str, int]:
        """The version's files are in the folder, verified; its digest, and how many bytes came."""


Trouble = Callable[[DomainError, float], None]
"""Called with what went wrong, and in how many seconds it is tried again."""


def watch(
    source: Source,
    alias: str,
    folder: Path,
    *,
    keep: int = 1,
    once: bool = False,
    trouble: Trouble | None = None,
    progress: Progress | None = None,
) -> Generator[Swap, None, None]:
    """Each time the name is on another version: `current` leads to it, then it is yielded.

    Whoever takes it is done with it when they ask for the next one; killed before, they get it again
    at the next start. `keep` older versions stay beside the current one. With `once` it ends when the
    folder is on the version that the name is on now, and everything that goes wrong is raised.

    Raises:
        Conflict: somebody else watches with this folder.
        Unauthenticated, Forbidden, Invalid: at the first request; later ones are tried again.
    """
    place = _Place(folder)
    with place.locked():
        known: str | None = None
        worked = False
        pauses = _Pauses()
        while True:
            try:
                held = source.wait(known, 0 if once else WAIT_SECONDS)
                if held is None:
                    worked = True
                    pauses.forget()
                    continue
                swap = _swap(source, alias, place, held, progress)
                known, worked = held.etag, True
                pauses.forget()
            except (DomainError, OSError) as failure:
                error = _told(failure, place)
                if once or (isinstance(error, FINAL) and not worked):
                    raise error from None
                # What it was on is not what it is on: ask for whatever it will be on.
                known = None if isinstance(error, NotFound) else known
                seconds = pauses.next()
                if trouble is not None:
                    trouble(error, seconds)
                time.sleep(seconds)
                continue
            if swap is not None:
                yield swap
                place.note_done(held.folder_name)
            place.tidy(keep)
            if once:
                return


def _told(failure: DomainError | OSError, place: _Place) -> DomainError:
    if isinstance(failure, DomainError):
        return failure
    return StorageFull(f"{place.folder} cannot be written: {failure.strerror or failure}")


class _Pauses:
    """How long to wait after a failure: longer each time, and never all at once."""

    def __init__(self) -> None:
        self._seconds = PAUSE_SECONDS[0]

    def next(self) -> float:
        seconds, self._seconds = self._seconds, min(self._seconds * 2, PAUSE_SECONDS[1])
        return seconds * random.uniform(0.75, 1.25)  # noqa: S311  Nobody gains by guessing it.

    def forget(self) -> None:
        self._seconds = PAUSE_SECONDS[0]


def _swap(
    source: Source, alias: str, place: _Place, held: Held, progress: Progress | None
) -> Swap | None:
    """`current` leads to the version; None where it did, and whoever watches was done with it.

    Raises:
        Corrupt: what came is not the version that the name is on.
    """
    before, done = place.present()
    name = held.folder_name
    if name == before == done:
        return None
    fetched = 0
    if name != before:
        coming = place.versions / f"{COMING}{name}"
        target = place.versions / name
        # A version kept from earlier is looked at again: its files are compared, not fetched.
        digest, fetched = source.fetch(
            held.version, target if target.exists() else coming, progress
        )
        if digest != held.digest:
            raise Corrupt(f"{held.version} is {digest} now; it was {held.digest} a moment ago")
        if not target.exists():
            _sync_tree(coming)
            coming.rename(target)
        _sync(place.versions)
        place.flip(name, before)
    previous = done if done is not None or before == name else before
    return Swap(
        alias=alias,
        version=held.version,
        digest=held.digest,
        folder=place.versions / name,
        current=place.folder / CURRENT,
        previous=None if previous is None else previous.partition("-")[0],
        fetched_bytes=fetched,
    )


class _Place:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.versions = self.folder / VERSIONS

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The folder is there, and nobody else watches with it.

        Raises:
            Conflict: somebody does.
            Invalid: the folder cannot be used.
        """
        try:
            self.versions.mkdir(parents=True, exist_ok=True)
            file = (self.folder / LOCK).open("w")
        except OSError as error:
            raise Invalid(f"{self.folder} cannot be used: {error.strerror}") from None
        current = self.folder / CURRENT
        with file:
            _lock(file.fileno(), self.folder)
            if current.exists() and not current.is_symlink():
                raise Invalid(f"{current} is no link that `byname watch` has made; move it away")
            yield

    def present(self) -> tuple[str | None, str | None]:
        """What `current` leads to, if it is there, and what whoever watches is done with."""
        try:
            leads_to = (self.folder / CURRENT).readlink().name
        except OSError:
            leads_to = None
        if leads_to is not None and not (self.versions / leads_to).is_dir():
            leads_to = None
        try:
            note = json.loads((self.folder / NOTE).read_text(encoding="utf-8"))
            done = note["done"] if isinstance(note, dict) else None
        except (OSError, ValueError, KeyError):
            done = None
        return leads_to, done

    def flip(self, name: str, before: str | None) -> None:
        """`current` leads to that version: before this it led to another, and never to none."""
        if before is not None:
            # Until now it was in use: that is what says which older versions are kept.
            os.utime(self.versions / before)
        beside = self.folder / f".{CURRENT}.new"
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path(VERSIONS) / name, target_is_directory=True)
        beside.replace(self.folder / CURRENT)
        _sync(self.folder)

    def note_done(self, name: str) -> None:
        """Whoever watches is done with that version."""
        beside = self.folder / f".{NOTE}.new"
        beside.write_text(json.dumps({"done": name}), encoding="utf-8")
        beside.replace(self.folder / NOTE)

    def tidy(self, keep: int) -> None:
        """Only the current version and the newest `keep` others are there."""
        current, _ = self.present()
        found: list[tuple[float, Path]] = []
        for each in self.versions.iterdir():
            if each.name.startswith((COMING, GOING)):
                shutil.rmtree(each, ignore_errors=True)
            elif _VERSION.fullmatch(each.name) and each.name != current:
                with contextlib.suppress(OSError):
                    found.append((each.stat().st_mtime, each))
        found.sort(reverse=True)
        for _, each in found[keep:]:
            # Half deleted it must not look like a version.
            going = self.versions / f"{GOING}{each.name}"
            with contextlib.suppress(OSError):
                each.rename(going)
                shutil.rmtree(going, ignore_errors=True)


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover  Where there is no such lock, one has to take care.
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Conflict(f"Somebody else watches with {folder} already") from None


def _sync_tree(folder: Path) -> None:
    """All below the folder, and the folder itself, is on disk."""
    for parent, _, files in os.walk(folder):
        for name in files:
            _sync(Path(parent) / name)
        _sync(Path(parent))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
