"""How are blobs kept on the local disk? Temporary file, fsync, rename, fsync of the folder (D5).

Every step is safe to be cut off: what is not yet renamed is a leftover which `sweep` removes, and
what is renamed is whole, because its bytes were on the disk before.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from byname.blobs.assembly import Assemblies
from byname.blobs.disk import Disk, room
from byname.blobs.layout import SHA256_PATTERN, Layout, check_part_number
from byname.blobs.store import Bytes, KeptBlob, Measure, StoredBlob, StoredPart, check_md5
from byname.domain.errors import Unavailable, missing

CHUNK_BYTES = 1 << 20
FOLDERS_REMEMBERED_MAX = 65_536

Stored = TypeVar("Stored")


class LocalBlobStore:
    """Blobs below one folder, which is made if it does not exist."""

    def __init__(self, root: Path, *, disk: Disk | None = None) -> None:
        self._disk = Disk() if disk is None else disk
        self._layout = Layout(os.fspath(root.absolute()))
        self._durable_folders: set[str] = set()
        self._assemblies = Assemblies(self._disk, self._layout, self.place)
        root.mkdir(parents=True, exist_ok=True)
        for folder in (self._layout.blobs, self._layout.incoming, self._layout.parts):
            self._disk.make_folder(folder)
        self._disk.sync_folder(self._layout.root)

    def begin(self, namespace: int) -> LocalWriter[StoredBlob]:
        """Begin receiving one content; no file is made before the first `write`."""
        self._layout.namespace(namespace)

        def keep(temporary: str, md5: str, sha256: str, size: int) -> StoredBlob:
            self.place(temporary, namespace, sha256, size)
            return StoredBlob(sha256, md5, size)

        return LocalWriter(self._disk, self._layout.temporary(), keep, sha256=True)

    def open(self, namespace: int, sha256: str) -> LocalBlobReader:
        """Open a blob; raises NotFound where this namespace has no such content."""
        try:
            fd = self._disk.open(self._layout.blob(namespace, sha256))
        except FileNotFoundError:
            raise missing("The file") from None
        return LocalBlobReader(self._disk, fd, sha256)

    def exists(self, namespace: int, sha256: str) -> bool:
        """Whether this namespace has the content."""
        return self._disk.stat(self._layout.blob(namespace, sha256)) is not None

    def remove(self, namespace: int, sha256: str) -> bool:
        """Remove a blob; whether there was one. Readers which have it open go on reading."""
        return self._disk.remove(self._layout.blob(namespace, sha256))

    def discard(self, namespace: int, sha256: str, *, before: float) -> int | None:
        """Remove a blob unless it was received since `before`; how many bytes went."""
        path = self._layout.blob(namespace, sha256)
        # `place` looks and touches under the same lock: so none finds a file here which then goes.
        with self._disk.locked(self._layout.blobs, alone=True):
            found = self._disk.stat(path)
            if found is None or found.st_mtime >= before:
                return None
            return found.st_size if self._disk.remove(path) else None

    def measure(self, namespace: int, sha256: str) -> Measure | None:
        """The blob's size and when it was last received."""
        found = self._disk.stat(self._layout.blob(namespace, sha256))
        return None if found is None else Measure(found.st_size, found.st_mtime)

    def walk(self) -> Iterator[KeptBlob]:
        """Every blob that lies there."""
        for namespace in self._disk.names(self._layout.blobs):
            if not (namespace.isascii() and namespace.isdigit()):
                continue
            folder = self._layout.namespace(int(namespace))
            for shard in self._disk.names(folder):
                for name in self._disk.names(f"{folder}/{shard}"):
                    if SHA256_PATTERN.fullmatch(name) is not None:
                        yield KeptBlob(int(namespace), name)

    def link(self, from_namespace: int, to_namespace: int, sha256: str) -> None:
        """Give another namespace the content, durably, by a second name for the same file."""
        source = self._layout.blob(from_namespace, sha256)
        target = self._layout.blob(to_namespace, sha256)
        found = self._disk.stat(source)
        if found is None:
            raise missing("The file")
        if from_namespace == to_namespace:
            return
        with room():
            self._make_shard(to_namespace, sha256)
            try:
                with self._disk.locked(self._layout.blobs, alone=False):
                    with contextlib.suppress(FileExistsError):
                        self._disk.link(source, target)
                    # Both names are of one file or of two: the target's age counts anew.
                    self._disk.touch(target)
            except OSError as error:
                # A file system has a most number of names per file, or none but the first.
                if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV):
                    raise
                self._copy(from_namespace, to_namespace, sha256)
                return
            self._disk.sync_folder(self._layout.shard(to_namespace, sha256))

    def begin_part(self, upload_key: str, part_number: int) -> LocalWriter[StoredPart]:
        """Begin receiving one part of a multipart upload."""
        path = self._layout.part(upload_key, check_part_number(part_number))

        def keep(temporary: str, md5: str, _: str, size: int) -> StoredPart:
            folder = self._layout.upload(upload_key)
            with room():
                self._disk.make_folder(folder)
                self._disk.rename(temporary, path)
                self._disk.sync_folder(folder)
                self._disk.sync_folder(self._layout.parts)
            self._assemblies.arrived(upload_key)
            return StoredPart(part_number, md5, size)

        return LocalWriter(self._disk, self._layout.temporary(), keep, sha256=False)

    def assemble(
        self,
        namespace: int,
        upload_key: str,
        part_numbers: Sequence[int],
        *,
        expected_md5: str | None = None,
    ) -> StoredBlob:
        """Join the parts into one durable blob; see the interface for what repeating it does."""
        return self._assemblies.assemble(namespace, upload_key, tuple(part_numbers), expected_md5)

    def drop_parts(self, upload_key: str) -> None:
        """Forget an upload: its parts, and what it became."""
        self._assemblies.drop(upload_key)

    def sweep(self, older_than_seconds: float) -> int:
        """Remove temporary files and uploads untouched for so long; how many went."""
        before = time.time() - older_than_seconds
        swept = 0
        for name in self._disk.names(self._layout.incoming):
            path = f"{self._layout.incoming}/{name}"
            found = self._disk.stat(path)
            if found is not None and found.st_mtime <= before:
                swept += self._disk.remove(path)
        return swept + self._assemblies.sweep(before)

    def size_free_bytes(self) -> int:
        """How many more bytes fit on the disk."""
        return self._disk.size_free_bytes(self._layout.root)

    def close(self) -> None:
        """Stop joining parts ahead of their completion."""
        self._assemblies.close()

    def place(self, temporary: str, namespace: int, sha256: str, size: int) -> None:
        """Give a file whose bytes are on the disk its place among the blobs, durably.

        Where the content is there already, the temporary file goes instead, and the blob's age
        counts anew: it is as good as just received. A file of another size under that digest was
        damaged, and is replaced.
        """
        path = self._layout.blob(namespace, sha256)
        with room():
            with self._disk.locked(self._layout.blobs, alone=False):
                found = self._disk.stat(path)
                present = found is not None and found.st_size == size
                if present:
                    self._disk.touch(path)
            if present:
                self._disk.remove(temporary)
            else:
                self._make_shard(namespace, sha256)
                # Parts may have been joined long before: the blob counts as received now.
                self._disk.touch(temporary)
                self._disk.rename(temporary, path)
            # Also for a blob which was there: its writer may not have come so far yet.
            self._make_shard(namespace, sha256)
            self._disk.sync_folder(self._layout.shard(namespace, sha256))

    def _make_shard(self, namespace: int, sha256: str) -> None:
        """Have the shard's folder, its own name and its parent's durable too."""
        shard = self._layout.shard(namespace, sha256)
        if shard in self._durable_folders:
            return
        parent = self._layout.namespace(namespace)
        self._disk.make_folder(parent)
        self._disk.make_folder(shard)
        self._disk.sync_folder(parent)
        self._disk.sync_folder(self._layout.blobs)
        if len(self._durable_folders) < FOLDERS_REMEMBERED_MAX:
            self._durable_folders.add(shard)

    def _copy(self, from_namespace: int, to_namespace: int, sha256: str) -> None:
        with self.open(from_namespace, sha256) as reader, self.begin(to_namespace) as writer:
            for chunk in chunks_of(reader):
                writer.write(chunk)
            if writer.finish().sha256 != sha256:
                raise Unavailable(
                    "The file is damaged in the server's storage", code="blob_damaged"
                )


class LocalWriter(Generic[Stored]):
    """Bytes on their way into one temporary file."""

    def __init__(
        self,
        disk: Disk,
        temporary: str,
        keep: Callable[[str, str, str, int], Stored],
        *,
        sha256: bool,
    ) -> None:
        """`keep(temporary, md5, sha256, size)` names the file once its bytes are on the disk."""
        self._disk = disk
        self._temporary = temporary
        self._keep = keep
        self._fd: int | None = None
        self._ended = False
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if sha256 else None
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: Bytes, /) -> None:
        """Write and hash the next bytes; raises StorageFull, leaving nothing."""
        with self._undone_on_error(), room():
            self._disk.write(self._open(), data)
        self._md5.update(data)
        if self._sha256 is not None:
            self._sha256.update(data)
        self._size += len(data)

    def finish(self, *, expected_md5: str | None = None) -> Stored:
        """Make the bytes durable and visible; raises Invalid for another MD5, leaving nothing."""
        with self._undone_on_error(), room():
            md5 = base64.b64encode(self._md5.digest()).decode("ascii")
            check_md5(md5, expected_md5)
            fd = self._open()
            self._disk.sync(fd)
            sha256 = "" if self._sha256 is None else self._sha256.hexdigest()
            stored = self._keep(self._temporary, md5, sha256, self._size)
        self._ended = True
        self._fd = None
        self._disk.close(fd)
        return stored

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._ended:
            return
        self._ended = True
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                self._disk.close(fd)
            finally:
                self._disk.remove(self._temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _open(self) -> int:
        if self._ended:
            raise ValueError("This writer has ended")
        if self._fd is None:
            self._fd = self._disk.create(self._temporary)
        return self._fd

    @contextlib.contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise


class LocalBlobReader:
    """An open blob file."""

    __slots__ = ("_disk", "fd", "sha256", "size")

    def __init__(self, disk: Disk, fd: int, sha256: str) -> None:
        self._disk = disk
        self.fd: int | None = fd
        self.sha256 = sha256
        self.size = os.fstat(fd).st_size

    def pread(self, length: int, offset: int) -> bytes:
        """The bytes from `offset` on; fewer than `length` only at the end."""
        if self.fd is None:
            raise ValueError("This reader is closed")
        return self._disk.pread(self.fd, length, offset)

    def close(self) -> None:
        """Close the file. May be called twice."""
        if self.fd is not None:
            self._disk.close(self.fd)
            self.fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def chunks_of(reader: LocalBlobReader) -> Iterator[bytes]:
    """The bytes of a blob, 1 MiB at a time."""
    offset = 0
    while chunk := reader.pread(CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)
