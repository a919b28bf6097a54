"""Bringing a version's files into a folder: in parallel, resumable, verified, and nowhere else.

What is half fetched lies in `.byname-part/<sha256>.part` inside the folder, with a note of which
stretches of it are there; another call goes on from that. A file comes to its own place only once
its SHA-256 is right.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from byname.client.errors import Corrupt
from byname.client.transport import Transport
from byname.domain.errors import Invalid, Throttled, Unavailable

PART_FOLDER = ".byname-part"
STRETCH_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024
TRIES = 5

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be, from several threads."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the server describes it."""

    path: str
    size_bytes: int
    sha256: str
    url: str


@dataclass(slots=True)
class _Content:
    """One content, wanted in one place or several."""

    size_bytes: int
    sha256: str
    url: str
    targets: list[Path]
    part: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: set[int] = field(default_factory=set)

    @property
    def stretches(self) -> range:
        """The numbers of its stretches; an empty file has one."""
        return range(max(1, -(-self.size_bytes // STRETCH_BYTES)))

    @property
    def note(self) -> Path:
        """Where it stands which stretches are there."""
        return self.part.with_suffix(".json")


def target_of(folder: Path, name: str) -> Path:
    """The place of the file in the folder.

    Raises:
        Invalid: the path would leave the folder, or lie where parts are kept.
    """
    pure = PurePosixPath(name)
    pieces = name.split("/")
    if (
        not name
        or pure.is_absolute()
        or any(piece in ("", ".", "..") for piece in pieces)
        or any(sign in name for sign in "\\\0")
        or (os.name == "nt" and ":" in name)
        or pieces[0] == PART_FOLDER
    ):
        raise Invalid(
            f"The file name {name[:200]!r} does not stay in the folder; nothing was fetched"
        )
    target = folder.joinpath(*pieces)
    # A link that lies there already must not lead out either.
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise Invalid(f"{target.parent} leads out of {folder}; nothing was fetched")
    return target


def download(
    transport: Transport,
    files: Sequence[RemoteFile],
    folder: Path,
    *,
    progress: Progress | None = None,
    parallel: int = 8,
) -> int:
    """All files are in the folder, each with the SHA-256 it should have; how many bytes came.

    Files that are there already, whole and right, are not fetched again.

    Raises:
        Invalid: a file name would leave the folder; nothing is fetched then.
        Corrupt: bytes came that are not those the server named.
        DomainError: the server refused, or cannot be reached. What came stays for the next call.
    """
    targets = [target_of(folder, file.path) for file in files]
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, _Content] = {}
    for file, target in zip(files, targets, strict=True):
        part = folder / PART_FOLDER / f"{hashlib.sha256(file.sha256.encode()).hexdigest()}.part"
        content = contents.setdefault(
            file.sha256, _Content(file.size_bytes, file.sha256, file.url, [], part)
        )
        content.targets.append(target)
    work = _Work(transport, sum(each.size_bytes for each in contents.values()), progress)
    with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="byname") as pool:
        wanted = [
            content
            for content, there in zip(
                contents.values(), pool.map(work.look, contents.values()), strict=True
            )
            if not there
        ]
        # Looked at before anything begins: a job that runs already changes what is done.
        # What was whole when the last call was cut off only needs its place.
        whole = [each for each in wanted if len(each.done) == len(each.stretches)]
        missing = [
            (each, number)
            for each in wanted
            for number in each.stretches
            if number not in each.done
        ]
        jobs = [pool.submit(work.finish, content) for content in whole]
        jobs += [pool.submit(work.bring, content, number) for content, number in missing]
        _await(jobs, work)
    with contextlib.suppress(OSError):
        (folder / PART_FOLDER).rmdir()
    return work.fetched


def _await(jobs: list[Future[None]], work: _Work) -> None:
    try:
        wait(jobs, return_when=FIRST_EXCEPTION)
    finally:
        # Whether all is done, one failed, or somebody pressed Ctrl-C: nothing new begins.
        work.stop.set()
        for job in jobs:
            job.cancel()
    for job in jobs:
        if job.done() and not job.cancelled():
            job.result()


class _Work:
    """One download, as its threads share it."""

    def __init__(self, transport: Transport, total: int, progress: Progress | None) -> None:
        self.fetched = 0
        self.stop = threading.Event()
        self._there = 0
        self._total = total
        self._transport = transport
        self._progress = progress
        self._lock = threading.Lock()

    def _tell(self, count: int, *, came: bool) -> None:
        with self._lock:
            self._there += count
            self.fetched += count if came else 0
            there = self._there
        if self._progress is not None:
            self._progress(there, self._total)

    def look(self, content: _Content) -> bool:
        """Whether the content is in all its places; notes which stretches an earlier call left."""
        for target in content.targets:
            if not _is_right(target, content):
                break
        else:
            self._tell(content.size_bytes, came=False)
            return True
        content.part.parent.mkdir(exist_ok=True)
        content.done = _noted(content)
        if not content.done:
            with content.part.open("wb") as file:
                file.truncate(content.size_bytes)
        for number in content.done:
            self._tell(_length(content, number), came=False)
        return False

    def bring(self, content: _Content, number: int) -> None:
        """That stretch of the content is on disk; with the last one, the content is in its place."""
        for attempt in range(1, TRIES + 1):
            if self.stop.is_set():
                return
            try:
                self._bring_once(content, number)
                break
            except (Unavailable, Throttled) as error:
                if attempt == TRIES or isinstance(error, Corrupt) or error.code == "no_ranges":
                    raise
                self.stop.wait(0.2 * 2**attempt)
        with content.lock:
            content.done.add(number)
            last = len(content.done) == len(content.stretches)
            if not last:
                _write_note(content)
        if last:
            self.finish(content)

    def _bring_once(self, content: _Content, number: int) -> None:
        start, length = number * STRETCH_BYTES, _length(content, number)
        whole = len(content.stretches) == 1
        first, last = (None, None) if whole else (start, start + length - 1)
        at = start
        with (
            self._transport.fetch(content.url, first, last) as answer,
            content.part.open("r+b") as file,
        ):
            file.seek(start)
            while at < start + length:
                piece = answer.read(min(READ_BYTES, start + length - at))
                if not piece:
                    break
                file.write(piece)
                at += len(piece)
            more = answer.read(1)
        if at < start + length:
            raise Unavailable("The connection ended in the middle of a file", code="unreachable")
        if more:
            raise Corrupt(f"{content.targets[0].name} is longer than the server said")
        self._tell(length, came=True)

    def finish(self, content: _Content) -> None:
        """The content, which is all there, is in its places.

        Raises:
            Corrupt: its SHA-256 is another one; it is thrown away.
        """
        with content.part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != content.sha256:
            content.part.unlink()
            content.note.unlink(missing_ok=True)
            raise Corrupt(
                f"{content.targets[0]} has SHA-256 {found}; the server said {content.sha256}"
            )
        for target in content.targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        for target in content.targets[1:]:
            beside = content.part.with_name(f"{content.part.name}.{time.monotonic_ns()}")
            shutil.copyfile(content.part, beside)
            beside.replace(target)
        content.part.replace(content.targets[0])
        content.note.unlink(missing_ok=True)


def _length(content: _Content, number: int) -> int:
    return min(STRETCH_BYTES, content.size_bytes - number * STRETCH_BYTES)


def _is_right(target: Path, content: _Content) -> bool:
    try:
        if target.is_symlink() or target.stat().st_size != content.size_bytes:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == content.sha256
    except OSError:
        return False


def _noted(content: _Content) -> set[int]:
    """The stretches that an earlier call left; none where its note is not to be trusted."""
    try:
        if content.part.stat().st_size != content.size_bytes:
            return set()
        note = json.loads(content.note.read_text(encoding="utf-8"))
        if note["sha256"] != content.sha256 or note["stretch_bytes"] != STRETCH_BYTES:
            return set()
        return {number for number in note["done"] if number in content.stretches}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write_note(content: _Content) -> None:
    text = {
        "sha256": content.sha256,
        "stretch_bytes": STRETCH_BYTES,
        "done": sorted(content.done),
    }
    beside = content.note.with_suffix(".new")
    beside.write_text(json.dumps(text), encoding="utf-8")
    beside.replace(content.note)
