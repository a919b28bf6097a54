"""How do the parts of a multipart upload become one blob, and quickly?

The client waits 30 seconds for the answer to its completion and then asks again (protocol
section 5), while hashing 5 GiB alone takes ten. So parts are joined and hashed in the background as
soon as all before them are there, and completion finds nearly all of the work done. Callers who
complete one upload at the same time share one assembly.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson

from byname.blobs.disk import Disk, room
from byname.blobs.layout import PART_NUMBER_MAX, UPLOAD_KEY_PATTERN, Layout
from byname.blobs.store import StoredBlob, check_md5
from byname.domain.errors import Conflict, Invalid, NotFound

CHUNK_BYTES = 1 << 20
JOININGS_MAX = 64
"""How many uploads are remembered half joined; each holds one open file and two hash states."""

Identity = tuple[int, int, int]
"""Which file a part is: inode, size and time in nanoseconds. Another upload makes another file."""

Place = Callable[[str, int, str, int], None]


@dataclass(slots=True)
class Joining:
    """The beginning of one upload, put together in a file which no other joining writes to."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    fd: int | None = None
    path: str = ""
    parts: list[tuple[int, Identity]] = field(default_factory=list)
    size: int = 0
    md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    sha256: hashlib._Hash = field(default_factory=hashlib.sha256)


class Assemblies:
    """All multipart uploads of one store."""

    def __init__(self, disk: Disk, layout: Layout, place: Place) -> None:
        """`place(path, namespace, sha256, size)` gives a durable file its place as a blob."""
        self._disk = disk
        self._layout = layout
        self._place = place
        self._lock = threading.Lock()
        self._joinings: OrderedDict[str, Joining] = OrderedDict()
        self._running: dict[str, Future[tuple[int, StoredBlob]]] = {}
        self._ahead: ThreadPoolExecutor | None = None
        self._closed = False

    def arrived(self, upload_key: str) -> None:
        """A part has its place: go on joining in the background. Returns at once."""
        with self._lock:
            if self._closed:
                return
            if self._ahead is None:
                self._ahead = ThreadPoolExecutor(1, thread_name_prefix="joining")
            self._ahead.submit(self._join_ahead, upload_key)

    def assemble(
        self, namespace: int, upload_key: str, numbers: tuple[int, ...], expected_md5: str | None
    ) -> StoredBlob:
        """Join the parts into a blob, or wait for the call which already does so."""
        if not numbers or list(numbers) != sorted(set(numbers)):
            raise Invalid("Parts are listed by rising number, at least one", code="part_order")
        future: Future[tuple[int, StoredBlob]] = Future()
        with self._lock:
            running = self._running.setdefault(upload_key, future)
        if running is future:
            try:
                future.set_result(self._assemble(namespace, upload_key, numbers, expected_md5))
            except BaseException as error:  # noqa: BLE001 - every waiting caller gets it.
                future.set_exception(error)
            finally:
                with self._lock:
                    del self._running[upload_key]
        found_namespace, blob = running.result()
        check_md5(blob.md5, expected_md5)
        if found_namespace != namespace:
            raise Conflict("This upload was completed for another owner", code="upload_completed")
        return blob

    def drop(self, upload_key: str) -> None:
        """Forget an upload and remove all of its files."""
        joining = self._joining(upload_key)
        with joining.lock:
            self._reset(joining)
            with self._lock:
                self._joinings.pop(upload_key, None)
            self._disk.remove_folder(self._layout.upload(upload_key))

    def sweep(self, before: float) -> int:
        """Drop uploads in which nothing changed since `before` (seconds since 1970)."""
        swept = 0
        for name in self._disk.names(self._layout.parts):
            if UPLOAD_KEY_PATTERN.fullmatch(name) is None:
                continue
            folder = self._layout.upload(name)
            paths = [folder, *(f"{folder}/{each}" for each in self._disk.names(folder))]
            times = [found.st_mtime for path in paths if (found := self._disk.stat(path))]
            with self._lock:
                busy = name in self._running
            if times and max(times) <= before and not busy:
                self.drop(name)
                swept += 1
        return swept

    def close(self) -> None:
        """Stop the background work after the part at hand, and close the files."""
        with self._lock:
            self._closed = True
            ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            joinings = list(self._joinings.values())
            self._joinings.clear()
        for joining in joinings:
            with joining.lock:
                self._reset(joining)

    def _assemble(
        self, namespace: int, upload_key: str, numbers: tuple[int, ...], expected_md5: str | None
    ) -> tuple[int, StoredBlob]:
        done = self._read_done(upload_key)
        if done is not None:
            return done
        joining = self._joining(upload_key)
        with joining.lock, room():
            if not self._is_beginning(upload_key, joining, numbers):
                self._reset(joining)
            try:
                for number in numbers[len(joining.parts) :]:
                    self._append_or_refuse(upload_key, joining, number)
                md5 = base64.b64encode(joining.md5.digest()).decode("ascii")
                check_md5(md5, expected_md5)
                blob = StoredBlob(joining.sha256.hexdigest(), md5, joining.size)
                if joining.fd is not None:
                    self._disk.sync(joining.fd)
                self._place(joining.path, namespace, blob.sha256, blob.size)
            except (NotFound, FileNotFoundError) as error:
                # Another process on this folder may have completed it, and tidied up.
                done = self._read_done(upload_key)
                if done is not None:
                    self._reset(joining)
                    return done
                if isinstance(error, FileNotFoundError):
                    self._reset(joining)
                # What is joined stays good for the time when the part has come.
                raise
            except BaseException:
                # After a failed fsync nobody knows what of the file is on the disk: start afresh.
                self._reset(joining)
                raise
            self._reset(joining)
            self._write_done(upload_key, namespace, blob)
            for name in self._disk.names(self._layout.upload(upload_key)):
                if name != "done":
                    self._disk.remove(f"{self._layout.upload(upload_key)}/{name}")
        return namespace, blob

    def _join_ahead(self, upload_key: str) -> None:
        """Append the parts which are there and follow on what is joined. Errors can wait."""
        while not self._closed:
            joining = self._joining(upload_key)
            with joining.lock:
                known = tuple(number for number, _ in joining.parts)
                if not self._is_beginning(upload_key, joining, known):
                    self._reset(joining)
                try:
                    number = len(joining.parts) + 1
                    if number > PART_NUMBER_MAX or not self._append(upload_key, joining, number):
                        return
                    if joining.fd is not None:
                        self._disk.sync(joining.fd)
                except OSError:
                    # The disk is full or failing: assembling meets the same and can tell someone.
                    self._reset(joining)
                    return

    def _is_beginning(self, upload_key: str, joining: Joining, numbers: tuple[int, ...]) -> bool:
        """Whether what is joined is the beginning of these parts as they lie on the disk now."""
        if tuple(number for number, _ in joining.parts) != numbers[: len(joining.parts)]:
            return False
        return all(
            self._identity(upload_key, number) == identity for number, identity in joining.parts
        )

    def _identity(self, upload_key: str, number: int) -> Identity | None:
        found = self._disk.stat(self._layout.part(upload_key, number))
        return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)

    def _append(self, upload_key: str, joining: Joining, number: int) -> bool:
        """Copy and hash one part behind what is joined; False where it is not there."""
        identity = self._identity(upload_key, number)
        if identity is None:
            return False
        if joining.fd is None:
            joining.path = self._layout.joined(upload_key)
            joining.fd = self._disk.create(joining.path)
        fd = self._disk.open(self._layout.part(upload_key, number))
        try:
            offset = 0
            while chunk := self._disk.pread(fd, CHUNK_BYTES, offset):
                self._disk.write(joining.fd, chunk)
                joining.md5.update(chunk)
                joining.sha256.update(chunk)
                offset += len(chunk)
        except BaseException:
            # Half a part is in the file and in the hashes: neither can go on from here.
            self._reset(joining)
            raise
        finally:
            self._disk.close(fd)
        joining.size += offset
        joining.parts.append((number, identity))
        return True

    def _append_or_refuse(self, upload_key: str, joining: Joining, number: int) -> None:
        if not self._append(upload_key, joining, number):
            raise NotFound(f"Part {number} has not arrived", code="part_missing")

    def _joining(self, upload_key: str) -> Joining:
        """What is remembered of an upload; the longest unused of too many is forgotten."""
        with self._lock:
            joining = self._joinings.setdefault(upload_key, Joining())
            self._joinings.move_to_end(upload_key)
            if len(self._joinings) <= JOININGS_MAX:
                return joining
            for old_key, old in self._joinings.items():
                if old is not joining and old.lock.acquire(blocking=False):
                    self._reset(old)
                    old.lock.release()
                    del self._joinings[old_key]
                    break
        return joining

    def _reset(self, joining: Joining) -> None:
        """Forget what was joined. The caller holds its lock."""
        if joining.fd is not None:
            self._disk.close(joining.fd)
            self._disk.remove(joining.path)
        joining.fd = None
        joining.parts.clear()
        joining.size = 0
        joining.md5 = hashlib.md5(usedforsecurity=False)
        joining.sha256 = hashlib.sha256()

    def _write_done(self, upload_key: str, namespace: int, blob: StoredBlob) -> None:
        """Leave word of what the upload became, so that it can be completed once more."""
        temporary = self._layout.temporary()
        fd = self._disk.create(temporary)
        try:
            self._disk.write(fd, orjson.dumps([namespace, blob.sha256, blob.md5, blob.size]))
            self._disk.sync(fd)
        finally:
            self._disk.close(fd)
        self._disk.rename(temporary, self._layout.done(upload_key))
        self._disk.sync_folder(self._layout.upload(upload_key))

    def _read_done(self, upload_key: str) -> tuple[int, StoredBlob] | None:
        """What the upload became, if it was completed and the blob is still there."""
        try:
            fd = self._disk.open(self._layout.done(upload_key))
        except FileNotFoundError:
            return None
        try:
            namespace, sha256, md5, size = orjson.loads(self._disk.pread(fd, 4_096, 0))
        finally:
            self._disk.close(fd)
        try:
            with self._disk.locked(self._layout.blobs, alone=False):
                # Said to be there again, it counts as received now, and is not discarded.
                self._disk.touch(self._layout.blob(namespace, sha256))
        except FileNotFoundError:
            return None
        return namespace, StoredBlob(sha256, md5, size)
