"""What is a place for bytes? The interface of the blob store, and the values it speaks in.

Two stand behind it: the local disk (`local.py`), and an object store in a later issue. All calls
block and belong in worker threads, except where they say that they touch no disk.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias, TypeVar

from byname.domain.errors import Invalid

Stored_co = TypeVar("Stored_co", covariant=True)
Bytes: TypeAlias = bytes | bytearray | memoryview
"""What can be written; a memoryview must be of single bytes."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """One content as it was received and kept."""

    sha256: str
    """64 lowercase hex digits: the name under which the bytes are kept."""
    md5: str
    """Base64 of the MD5: the digest in which the SDK's protocol speaks of files."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class KeptBlob:
    """One content as it lies there, for those who look whether it is still needed."""

    namespace: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How large a kept content is, and when it last came."""

    size: int
    """Bytes."""
    received_at: float
    """Seconds since 1970; the last time at which the content was received."""


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part of a multipart upload as it was received and kept."""

    part_number: int
    md5: str
    """Base64."""
    size: int
    """Bytes."""

    @property
    def md5_hex(self) -> str:
        """The MD5 as the `ETag` of a part's answer gives it (protocol section 11.3)."""
        return base64.b64decode(self.md5).hex()


class Writer(Protocol[Stored_co]):
    """Bytes on their way in. As a context manager it aborts unless `finish` was reached."""

    @property
    def size(self) -> int:
        """Bytes written so far."""

    def write(self, data: Bytes, /) -> None:
        """Hash and write the next bytes.

        Raises:
            StorageFull: no room; nothing is left behind.
        """

    def finish(self, *, expected_md5: str | None = None) -> Stored_co:
        """Make the bytes durable and visible, in the order: file, fsync, rename, fsync folder (D5).

        Raises:
            Invalid: `expected_md5` (base64) is another; nothing is left behind (D6).
            StorageFull: no room; nothing is left behind.
        """

    def abort(self) -> None:
        """Leave nothing behind. Does nothing after `finish` or a second time."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


BlobWriter: TypeAlias = Writer[StoredBlob]
PartWriter: TypeAlias = Writer[StoredPart]


class BlobReader(Protocol):
    """An open blob. Stays readable until closed, even when the blob is removed meanwhile."""

    @property
    def sha256(self) -> str:
        """The digest under which the blob is kept."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def fd(self) -> int | None:
        """A file descriptor for `sendfile`; None where the bytes do not lie in a local file."""

    def pread(self, length: int, offset: int) -> bytes:
        """The bytes from `offset` on; fewer than `length` only at the end."""

    def close(self) -> None:
        """Let go of it. May be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class BlobStore(Protocol):
    """Bytes by namespace and SHA-256. A namespace is the integer id of the owning entity."""

    def begin(self, namespace: int) -> BlobWriter:
        """Begin receiving one content. Touches no disk until the first `write`."""

    def open(self, namespace: int, sha256: str) -> BlobReader:
        """Open a blob for reading.

        Raises:
            NotFound: this namespace has no such content.
        """

    def exists(self, namespace: int, sha256: str) -> bool:
        """Whether this namespace has the content."""

    def remove(self, namespace: int, sha256: str) -> bool:
        """Remove a blob; whether there was one."""

    def discard(self, namespace: int, sha256: str, *, before: float) -> int | None:
        """Remove a blob unless it was received, for the first time or again, since `before`.

        `before` is in seconds since 1970. The answer is how many bytes went; None when the blob is
        not there or stays. Whoever receives the same content meanwhile keeps it: either the blob
        counts as received just now and stays, or it went first and is put in place anew.
        """

    def measure(self, namespace: int, sha256: str) -> Measure | None:
        """The blob's size and age; None where it is not there."""

    def walk(self) -> Iterator[KeptBlob]:
        """Every blob that lies there, in no order. What comes or goes meanwhile may be missed."""

    def link(self, from_namespace: int, to_namespace: int, sha256: str) -> None:
        """Give `to_namespace` the content too, durably, without a second copy where possible.

        Raises:
            NotFound: `from_namespace` has no such content.
        """

    def begin_part(self, upload_key: str, part_number: int) -> PartWriter:
        """Begin receiving one part; `finish` replaces an earlier one of that number atomically.

        `upload_key` is 16 to 64 hex digits made by the server. Touches no disk until `write`.
        """

    def assemble(
        self,
        namespace: int,
        upload_key: str,
        part_numbers: Sequence[int],
        *,
        expected_md5: str | None = None,
    ) -> StoredBlob:
        """Join the parts, in the order given, into one durable blob.

        May be repeated, also while an earlier call still runs or after a crash: every call gives
        the same answer until `drop_parts`. The parts go only once the blob is in place.

        Raises:
            Invalid: the joined bytes have another MD5 than `expected_md5` (base64); no blob was
                made, the parts stay.
            NotFound: a part has not arrived.
            Conflict: the upload was completed before into another namespace.
            StorageFull: no room; the parts stay.
        """

    def drop_parts(self, upload_key: str) -> None:
        """Forget an upload: its parts, and what it became. Call it after the row is committed."""

    def sweep(self, older_than_seconds: float) -> int:
        """Remove temporary files and uploads untouched for so long; how many went (F2, L9)."""

    def size_free_bytes(self) -> int:
        """How many more bytes fit."""

    def close(self) -> None:
        """Stop background work. Nothing acknowledged depends on it."""


def check_md5(md5: str, expected_md5: str | None) -> None:
    """Raise Invalid unless the MD5 of what arrived is the one announced (both base64)."""
    if expected_md5 is not None and md5 != expected_md5:
        raise Invalid(
            f"The bytes have the MD5 {md5}, not {expected_md5}; nothing was kept",
            code="digest_mismatch",
        )
