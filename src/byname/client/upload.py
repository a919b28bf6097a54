"""Logging a version from files and folders: in parallel, and without sending what is there already.

It speaks the protocol that the SDK speaks. Cut off, another call sends only what is missing: the
server keeps what came, and says so. What the server keeps is compared with what was read here.
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
MANIFEST_NAME = "wandb_manifest.json"

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be, from several threads."""

_CREATE = """mutation CreateArtifact($input: CreateArtifactInput!) {
  createArtifact(input: $input) { artifact { id state versionIndex } } }"""
_FILES = """mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { edges { node { uploadUrl uploadHeaders } } } } }"""
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
    with file.open("rb") as content:
        while piece := content.read(READ_BYTES):
            md5.update(piece)
            sha256.update(piece)
            size += len(piece)
    return LocalFile(name, file, size, b64encode(md5.digest()).decode(), sha256.hexdigest())


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
            for job in [pool.submit(work.send, *each) for each in zip(some, offers, strict=True)]:
                job.result()
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
        {"artifactID": version_id, "name": each.path, "md5": each.md5, "mimetype": None}
        for each in files
    ]
    given = {"artifactFiles": wanted, "storageLayout": "V2"}
    answer = _ask(transport, _FILES, given)["createArtifactFiles"]["files"]["edges"]
    return [edge["node"] for edge in answer]


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

    def send(self, local: LocalFile, offer: dict[str, Any]) -> None:
        """The server has the file; what it has already is not sent."""
        if offer["uploadUrl"] is None:
            self.tell(local.size_bytes)
            return
        for turn in range(TRIES):
            told = 0
            try:
                with local.file.open("rb") as file:
                    counted = _Counted(file, self.tell)
                    headers = offer["uploadHeaders"] or []
                    self._transport.send(offer["uploadUrl"], counted, local.size_bytes, headers)
                    told = counted.read_bytes
            except (Unavailable, Throttled):
                self.tell(-counted.read_bytes)
                if turn + 1 == TRIES:
                    raise
                time.sleep(0.2 * 2**turn)
            else:
                with self._lock:
                    self.sent_bytes += told
                return


class _Counted:
    """A file that says how much of it was read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self.read_bytes = 0

    def read(self, size: int = READ_BYTES) -> bytes:
        """As a file reads."""
        piece = self._file.read(size)
        self.read_bytes += len(piece)
        self._tell(len(piece))
        return piece
