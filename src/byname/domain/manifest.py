"""Manifests: the list of a version's files and references, and the digest made from it (protocol 10)."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from byname.domain.digest import digest_of_lines
from byname.domain.errors import Unprocessable
from byname.domain.names import leads_outside

PATH_LENGTH_MAX = 4096
ENTRIES_MAX = 1_000_000
POLICY = "wandb-storage-policy-v1"


class ManifestKind(StrEnum):
    """FULL lists everything; INCREMENTAL and PATCH add to a base and are merged at commit."""

    FULL = "full"
    INCREMENTAL = "incremental"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest: a file (its bytes are kept here) or a reference (never opened)."""

    path: str
    digest: str
    """Of a file: base64 of its MD5. Of a reference: free text."""
    size_bytes: int
    ref: str | None = None
    birth_id: str | None = None
    """The version in which the file was first uploaded, as the client wrote it."""
    extra: str | None = None
    """JSON text of what a reference carries besides, such as `etag`."""
    sha256: str | None = None
    """Of a file, once its bytes were found."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest file of a version; `sha256` is None until its bytes are here."""

    id: int
    version_id: int
    kind: ManifestKind
    name: str
    digest: str
    base_version_id: int | None
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that an entity keeps."""

    sha256: str
    md5: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Multipart:
    """A file that arrives in parts; `key` names the folder of its parts."""

    key: str
    version_id: int
    md5: str
    part_count: int
    finished: bool


def parse(text: bytes) -> list[Entry]:
    """The entries of a manifest file, in the order of the file.

    Raises:
        Unprocessable: not JSON, of another version or policy, or with an entry that is not right;
            the message names the path.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unprocessable(f"The manifest is not JSON: {error}", field="manifest") from None
    if not isinstance(value, dict) or value.get("version") != 1:
        raise Unprocessable("The manifest must be a JSON object of version 1", field="manifest")
    if value.get("storagePolicy") != POLICY:
        raise Unprocessable(f"The manifest's storagePolicy must be {POLICY!r}", field="manifest")
    contents = value.get("contents")
    if not isinstance(contents, dict):
        raise Unprocessable("The manifest's contents must be an object", field="manifest")
    if len(contents) > ENTRIES_MAX:
        raise Unprocessable(
            f"The manifest lists {len(contents)} files; at most {ENTRIES_MAX} are allowed",
            field="manifest",
        )
    return [_entry(path, line) for path, line in contents.items()]


def _entry(path: str, line: Any) -> Entry:
    check_path(path)
    if not isinstance(line, dict):
        raise Unprocessable(f"The manifest's entry {path[:200]!r} must be an object", field=path)
    digest = line.get("digest")
    size = line.get("size", 0)
    ref = line.get("ref")
    birth = line.get("birthArtifactID")
    if not isinstance(digest, str) or not digest:
        raise Unprocessable(f"The manifest's entry {path[:200]!r} has no digest", field=path)
    if size is None:
        size = 0
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**62:
        raise Unprocessable(f"The manifest's entry {path[:200]!r} has no valid size", field=path)
    if not (ref is None or isinstance(ref, str)) or not (birth is None or isinstance(birth, str)):
        raise Unprocessable(f"The manifest's entry {path[:200]!r} is malformed", field=path)
    if not ref:
        check_md5(digest, path)
    extra = line.get("extra")
    return Entry(
        path=path,
        digest=digest,
        size_bytes=size,
        ref=ref or None,
        birth_id=birth or None,
        extra=orjson.dumps(extra).decode() if isinstance(extra, dict) and extra else None,
    )


def check_path(path: str) -> str:
    """The logical path of a file in a version (R156): relative, and inside, on Windows too.

    Raises:
        Unprocessable: absolute, with `..` or a NUL, empty, or over 4,096 bytes.
    """
    if (
        not path
        or len(path.encode(errors="replace")) > PATH_LENGTH_MAX
        or "\x00" in path
        or leads_outside(path)
    ):
        raise Unprocessable(
            f"The file path {path[:200]!r} must be relative, without '..', "
            f"of 1 to {PATH_LENGTH_MAX} bytes",
            field="path",
        )
    return path


def check_md5(digest: str, what: str) -> str:
    """A file's digest: base64 of the 16 bytes of its MD5 (protocol 6).

    Raises:
        Unprocessable: it is not.
    """
    try:
        raw = b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != hashlib.md5(usedforsecurity=False).digest_size:
        raise Unprocessable(
            f"The digest {digest[:80]!r} of {what[:200]!r} must be the base64 of an MD5",
            field="digest",
        )
    return digest


def digest_of(entries: Iterable[Entry]) -> str:
    """The artifact digest: MD5 over the entries sorted by path, in hex (protocol 10.2)."""
    return digest_of_lines((entry.path, entry.digest) for entry in entries)


def merge(base: Iterable[Entry], added: Iterable[Entry]) -> list[Entry]:
    """The base with what was added: a path that is in both takes the added entry (protocol 10.1)."""
    merged = {entry.path: entry for entry in base}
    merged.update((entry.path, entry) for entry in added)
    return list(merged.values())


def render_line(entry: Entry, birth_id: str | None) -> dict[str, Any]:
    """The entry as a manifest file spells it, without what leaks from the uploader's machine."""
    line: dict[str, Any] = {"digest": entry.digest, "size": entry.size_bytes}
    if entry.ref is not None:
        line["ref"] = entry.ref
    if birth_id is not None:
        line["birthArtifactID"] = birth_id
    if entry.extra is not None:
        line["extra"] = orjson.loads(entry.extra)
    return line


def render(entries: Iterable[tuple[Entry, str | None]]) -> bytes:
    """The manifest file of these entries and the ids of the versions their files came from."""
    return orjson.dumps(
        {
            "version": 1,
            "storagePolicy": POLICY,
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": {entry.path: render_line(entry, birth) for entry, birth in entries},
        }
    )
