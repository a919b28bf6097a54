"""Logging a version from files and folders: in parallel, and without sending what is there already.

It speaks the protocol that the SDK speaks. Large files go in parts, so that a line that breaks costs a
part and not the file. Cut off, another call sends only what is missing: the server keeps the files
that came, and says so. What the server keeps is compared with what was read here.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from byname.client.transport import Transport
from byname.domain.digest import digest_of_lines
from byname.domain.errors import Invalid, Throttled, Unavailable

READ_BYTES = 1024 * 1024
FILES_AT_ONCE = 500
TRIES = 5
PAUSE_SECONDS = 0.2
"""Before the second try; each further one waits twice as long."""
PART_BYTES = 64 * 1024 * 1024
"""A file that is larger than four of these goes in parts of this size."""
PARTS_MAX = 10_000
MANIFEST_NAME = "wandb_manifest.json"

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be, from several threads."""

_CREATE = """mutation CreateArtifact($input: CreateArtifactInput!) {
  createArtifact(input: $input) { artifact { id state versionIndex } } }"""
_FILES = """mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { edges { node { uploadUrl uploadHeaders
    storagePath uploadMultipartUrls { uploadID uploadUrlParts { uploadUrl } } } } } } }"""
_COMPLETE = """mutation CompleteMultipartUploadArtifact(
  $input: CompleteMultipartUploadArtifactInput!) {
  completeMultipartUploadArtifact(input: $input) { digest } }"""
_MANIFEST = """mutation CreateArtifactManifest($input: CreateArtifactManifestInput!) {
  createArtifactManifest(input: $input) { artifactManifest { file { uploadUrl uploadHeaders } } } }"""
_COMMIT = """mutation CommitArtifact($input: CommitArtifactInput!) {
  commitArtifact(input: $input) { artifact { versionIndex } } }"""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine, under the path it gets in the version."""

    path: str
    file: Path
    size_bytes: int
    md5: str
    """Base64, as the protocol spells it."""
    sha256: str
    part_bytes: int = 0
    part_md5s: Sequence[str] = ()
    """In hex, of a large file's parts of `part_bytes` each; none of a file that goes as one."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What the version is to be."""

    entity: str
    project: str
    name: str
    type: str
    aliases: Sequence[str] = ()
    description: str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A version that is there now."""

    number: int
    sent_bytes: int
    """What really went; the server had the rest."""
    made: bool
    """Whether it is new: the same content again is the version it was (R2)."""


def gather(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """The files under these paths, by the path each gets: a folder gives what is in it.

    Raises:
        Invalid: nothing is there, or two files would get one path.
    """
    found: dict[str, Path] = {}
    for given in paths:
        for name, file in _below(given):
            if name in found:
                raise Invalid(f"{file} and {found[name]} would both be {name!r} in the version")
            found[name] = file
    if not found:
        raise Invalid(f"There is no file in {', '.join(map(str, paths)) or 'nothing'}")
    return sorted(found.items())


def _below(given: Path) -> Iterator[tuple[str, Path]]:
    if given.is_file():
        yield given.name, given
    elif given.is_dir():
        for folder, _, files in os.walk(given):
            for each in files:
                file = Path(folder, each)
                # Sockets and pipes would never end.
                if file.is_file():
                    yield file.relative_to(given).as_posix(), file
    else:
        raise Invalid(f"{given} is no file and no folder")


def read(name: str, file: Path) -> LocalFile:
    """The file with its digests."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    part_bytes = _part_bytes(file.stat().st_size)
    part_md5s: list[str] = []
    with file.open("rb") as content:
        while True:
            part = hashlib.md5(usedforsecurity=False)
            left, before = part_bytes, size
            while left and (piece := content.read(min(READ_BYTES, left))):
                md5.update(piece)
                sha256.update(piece)
                part.update(piece)
                size += len(piece)
                left -= len(piece)
            if size == before:
                break
            part_md5s.append(part.hexdigest())
    in_parts = len(part_md5s) > 1
    return LocalFile(
        name,
        file,
        size,
        b64encode(md5.digest()).decode(),
        sha256.hexdigest(),
        part_bytes if in_parts else 0,
        part_md5s if in_parts else (),
    )


def _part_bytes(size_bytes: int) -> int:
    """How large the parts of a file are; the whole of it where it goes as one."""
    if size_bytes <= 4 * PART_BYTES:
        return max(size_bytes, 1)
    return max(PART_BYTES, -(-size_bytes // PARTS_MAX))


def upload(
    transport: Transport,
    new: NewVersion,
    files: Sequence[LocalFile],
    *,
    progress: Progress | None = None,
    parallel: int = 8,
) -> Logged:
    """The version is there with these files, in the project, under the next number of that name.

    Raises:
        DomainError: the server refused, or cannot be reached. What came stays for the next call.
    """
    made = _ask(transport, _CREATE, _create_input(new, files))["createArtifact"]["artifact"]
    work = _Work(transport, sum(each.size_bytes for each in files), progress)
    if made["state"] == "COMMITTED":
        work.tell(work.total)
        return Logged(int(made["versionIndex"]), 0, made=False)
    with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="byname") as pool:
        # The same bytes under several paths go once: the server knows them by their digest.
        distinct = list({each.md5: each for each in files}.values())
        work.tell(work.total - sum(each.size_bytes for each in distinct))
        for start in range(0, len(distinct), FILES_AT_ONCE):
            some = distinct[start : start + FILES_AT_ONCE]
            offers = _offers(transport, made["id"], some)
            jobs = [
                pool.submit(work.send, piece)
                for local, offer in zip(some, offers, strict=True)
                for piece in work.pieces(local, offer)
            ]
            for job in jobs:
                job.result()
            for offer in offers:
                _complete(transport, made["id"], offer)
    _bring_manifest(transport, new, made["id"], files)
    done = _ask(transport, _COMMIT, {"artifactID": made["id"]})["commitArtifact"]["artifact"]
    return Logged(int(done["versionIndex"]), work.sent_bytes, made=True)


def _create_input(new: NewVersion, files: Sequence[LocalFile]) -> dict[str, Any]:
    return {
        "entityName": new.entity,
        "projectName": new.project,
        "artifactTypeName": new.type,
        "artifactCollectionName": new.name,
        "digest": digest_of_lines((each.path, each.md5) for each in files),
        "digestAlgorithm": "MANIFEST_MD5",
        "description": new.description,
        "metadata": None if new.metadata is None else json.dumps(new.metadata),
        "aliases": [
            {"artifactCollectionName": new.name, "alias": alias}
            for alias in dict.fromkeys([*new.aliases, "latest"])
        ],
        "clientID": secrets.token_hex(16),
        "enableDigestDeduplication": True,
    }


def _offers(
    transport: Transport, version_id: str, files: Sequence[LocalFile]
) -> list[dict[str, Any]]:
    wanted = [
        {
            "artifactID": version_id,
            "name": each.path,
            "md5": each.md5,
            "mimetype": None,
            "uploadPartsInput": [
                {"partNumber": number, "hexMD5": md5}
                for number, md5 in enumerate(each.part_md5s, start=1)
            ]
            or None,
        }
        for each in files
    ]
    given = {"artifactFiles": wanted, "storageLayout": "V2"}
    answer = _ask(transport, _FILES, given)["createArtifactFiles"]["files"]["edges"]
    return [edge["node"] for edge in answer]


def _complete(transport: Transport, version_id: str, offer: dict[str, Any]) -> None:
    """The parts of a file that went in parts are one file."""
    parts = offer["uploadMultipartUrls"]
    if parts is None:
        return
    given = {
        "completeMultipartAction": "Complete",
        "completedParts": [
            {"partNumber": number, "hexMD5": ""}
            for number, _ in enumerate(parts["uploadUrlParts"], start=1)
        ],
        "artifactID": version_id,
        "storagePath": offer["storagePath"],
        "uploadID": parts["uploadID"],
    }
    # To join what is very large may take longer than an answer is waited for; asking again waits on.
    again_and_again(lambda: _ask(transport, _COMPLETE, given))


def _bring_manifest(
    transport: Transport, new: NewVersion, version_id: str, files: Sequence[LocalFile]
) -> None:
    contents = {
        each.path: {"digest": each.md5, "size": each.size_bytes, "birthArtifactID": version_id}
        for each in files
    }
    text = json.dumps(
        {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": contents,
        }
    ).encode()
    md5 = b64encode(hashlib.md5(text, usedforsecurity=False).digest()).decode()
    announced = {
        "artifactID": version_id,
        "name": MANIFEST_NAME,
        "digest": md5,
        "entityName": new.entity,
        "projectName": new.project,
        "runName": "",
        "type": "FULL",
    }
    answer = _ask(transport, _MANIFEST, announced)["createArtifactManifest"]
    file = answer["artifactManifest"]["file"]
    transport.send(file["uploadUrl"], text, len(text), file["uploadHeaders"] or [])


def _ask(transport: Transport, query: str, given: dict[str, Any]) -> dict[str, Any]:
    answer = transport.ask("POST", "/graphql", {"query": query, "variables": {"input": given}})
    data: dict[str, Any] = answer.body["data"]
    return data


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file, and the address that it goes to."""

    file: Path
    first: int
    size_bytes: int
    url: str
    headers: Sequence[str] = ()


class _Work:
    """The files on their way, and how far they are."""

    def __init__(self, transport: Transport, total: int, progress: Progress | None) -> None:
        self._transport = transport
        self._progress = progress
        self._lock = threading.Lock()
        self._there = 0
        self.total = total
        self.sent_bytes = 0

    def tell(self, more: int) -> None:
        """So many more bytes are there."""
        with self._lock:
            self._there += more
            if self._progress is not None:
                self._progress(self._there, self.total)

    def pieces(self, local: LocalFile, offer: dict[str, Any]) -> list[Piece]:
        """What of the file is to be sent: nothing, all, or each of its parts."""
        parts = offer["uploadMultipartUrls"]
        if offer["uploadUrl"] is None:
            self.tell(local.size_bytes)
            return []
        if parts is None:
            url, headers = offer["uploadUrl"], offer["uploadHeaders"] or []
            return [Piece(local.file, 0, local.size_bytes, url, headers)]
        found = []
        for number, part in enumerate(parts["uploadUrlParts"]):
            first = number * local.part_bytes
            size = min(local.part_bytes, local.size_bytes - first)
            found.append(Piece(local.file, first, size, part["uploadUrl"]))
        return found

    def send(self, piece: Piece) -> None:
        """The server has the piece."""

        def once() -> None:
            with piece.file.open("rb") as file:
                file.seek(piece.first)
                counted = _Counted(file, piece.size_bytes, self.tell)
                try:
                    self._transport.send(piece.url, counted, piece.size_bytes, piece.headers)
                except BaseException:
                    self.tell(-counted.read_bytes)
                    raise
            with self._lock:
                self.sent_bytes += counted.read_bytes

        again_and_again(once)


def again_and_again(work: Callable[[], Any]) -> None:
    """The work is done, if not at once then by one of some tries, each a while after the last.

    Raises:
        DomainError: it was refused, or the server cannot be reached for longer than that.
    """
    for turn in range(TRIES):
        try:
            work()
        except (Unavailable, Throttled):
            if turn + 1 == TRIES:
                raise
            time.sleep(PAUSE_SECONDS * 2**turn)
        else:
            return


class _Counted:
    """A stretch of a file that says how much of it was read."""

    def __init__(self, file: BinaryIO, size_bytes: int, tell: Callable[[int], None]) -> None:
        self._file = file
        self._left = size_bytes
        self._tell = tell
        self.read_bytes = 0

    def read(self, size: int = READ_BYTES) -> bytes:
        """As a file reads."""
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        self.read_bytes += len(piece)
        self._tell(len(piece))
        return piece
