"""What does the blob store ask of the operating system? Each call here is one or two system calls.

Tests put a recording or failing disk in its place, to prove the order of writes and what is left
behind when one of them fails. The only file of the package which opens files by path.
"""
# pathlib would cost more than the system calls here, and the paths are our own:
# ruff: noqa: PTH102, PTH104, PTH108, PTH116, PTH208

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator

from byname.blobs.store import Bytes
from byname.domain.errors import StorageFull

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Disk:
    """The local disk. Methods raise OSError as the system gives it."""

    def create(self, path: str) -> int:
        """Make a file which did not exist, for writing; its descriptor."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def open(self, path: str) -> int:
        """Open a file for reading; never through a symbolic link in its last place (A12)."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def write(self, fd: int, content: Bytes) -> None:
        """Write all of it."""
        written = os.write(fd, content)
        if written < len(content):
            rest = memoryview(content)
            while written < len(content):
                written += os.write(fd, rest[written:])

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        """Read once, at an offset."""
        return os.pread(fd, length, offset)

    def sync(self, fd: int) -> None:
        """Wait until the file's bytes and length are on the disk."""
        os.fsync(fd)

    def sync_folder(self, path: str) -> None:
        """Wait until the names in a folder are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def make_folder(self, path: str) -> None:
        """Make a folder unless it exists; its parent must."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)

    def rename(self, old: str, new: str) -> None:
        """Give a file its new name, in place of another of that name, in one step."""
        os.rename(old, new)

    def link(self, old: str, new: str) -> None:
        """Give a file a second name."""
        os.link(old, new)

    @contextlib.contextmanager
    def locked(self, path: str, *, alone: bool) -> Iterator[None]:
        """Hold a folder's lock, alone or with others who do not want it alone.

        It holds between threads and between processes, and ends with the process at the latest.
        """
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(fd)

    def touch(self, path: str) -> None:
        """Set a file's time to now, so that its age counts anew."""
        os.utime(path)

    def remove(self, path: str) -> bool:
        """Remove a file; whether there was one."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def remove_folder(self, path: str) -> bool:
        """Remove a folder with all that is in it; whether there was one."""
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return False
        return True

    def stat(self, path: str) -> os.stat_result | None:
        """What the disk knows of a file; None where there is none."""
        try:
            return os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self, path: str) -> list[str]:
        """The names in a folder; none where there is no folder."""
        try:
            return os.listdir(path)
        except FileNotFoundError:
            return []

    def size_free_bytes(self, path: str) -> int:
        """How many bytes an ordinary user may still write there."""
        space = os.statvfs(path)
        return space.f_bavail * space.f_frsize


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Turn "the disk is full" in whichever words into the refusal which says so (F1)."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull("There is no room left on the server's disk") from error
        raise
