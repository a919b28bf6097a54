"""Does the local disk keep bytes as promised, in the promised order, whatever fails on the way?"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from byname.blobs.disk import Disk
from byname.blobs.local import LocalBlobStore
from byname.blobs.store import Bytes
from byname.domain.errors import NotFound, StorageFull
from tests.blobs.suite import KEY, BlobStoreSuite, describe, md5_of, put, put_part, read


class TestLocalBlobStore(BlobStoreSuite):
    """The suite for every back end."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[LocalBlobStore]:
        store = LocalBlobStore(tmp_path / "data")
        yield store
        store.close()


class TestTwoProcesses:
    """Two servers may share a data folder: what one begins, the other may complete."""

    def test_both_complete_one_upload_at_the_same_time(self, tmp_path: Path) -> None:
        stores = [LocalBlobStore(tmp_path / "data") for _ in range(2)]
        for turn in range(40):
            key = f"{turn:032x}"
            parts = [bytes([turn, number]) * 20_000 for number in range(1, 9)]
            for number, part in enumerate(parts, 1):
                put_part(stores[number % 2], number, part, key)
            gate = threading.Barrier(2)

            def complete(store: LocalBlobStore, key: str = key, gate: Any = gate) -> Any:
                gate.wait(120)
                return store.assemble(1, key, range(1, 9))

            with ThreadPoolExecutor(2) as pool:
                found = list(pool.map(complete, stores))
            assert found == [describe(b"".join(parts))] * 2
        for store in stores:
            store.close()


class RecordingDisk(Disk):
    """Notes every call, and fails at the one it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.paths: dict[int, str] = {}
        self.fail_at: int | None = None
        self.error = OSError(errno.EIO, "injected")
        self.lock = threading.Lock()

    def note(self, call: str) -> None:
        with self.lock:
            self.calls.append(call)
            fails = self.fail_at is not None and len(self.calls) == self.fail_at + 1
        if fails:
            raise self.error

    def short(self, path: str) -> str:
        """A path by its first two folders below the root: what kind of thing it is."""
        return path.partition("/data")[2].lstrip("/") or "root"

    def create(self, path: str) -> int:
        self.note(f"create {self.short(path)}")
        fd = super().create(path)
        self.paths[fd] = path
        return fd

    def write(self, fd: int, content: Bytes) -> None:
        self.note(f"write {self.short(self.paths[fd])}")
        super().write(fd, content)

    def sync(self, fd: int) -> None:
        self.note(f"sync {self.short(self.paths[fd])}")
        super().sync(fd)

    def sync_folder(self, path: str) -> None:
        self.note(f"sync_folder {self.short(path)}")
        super().sync_folder(path)

    def make_folder(self, path: str) -> None:
        self.note(f"make_folder {self.short(path)}")
        super().make_folder(path)

    def rename(self, old: str, new: str) -> None:
        self.note(f"rename {self.short(old)} {self.short(new)}")
        super().rename(old, new)

    def link(self, old: str, new: str) -> None:
        self.note(f"link {self.short(old)} {self.short(new)}")
        super().link(old, new)


@pytest.fixture
def disk() -> RecordingDisk:
    return RecordingDisk()


@pytest.fixture
def store(tmp_path: Path, disk: RecordingDisk) -> Iterator[LocalBlobStore]:
    store = LocalBlobStore(tmp_path / "data", disk=disk)
    disk.calls.clear()
    yield store
    disk.fail_at = None
    store.close()


def files(tmp_path: Path) -> list[str]:
    root = tmp_path / "data"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class TestOrderOnDisk:
    """D5: file, fsync, rename, fsync of the folder; then the answer."""

    def test_a_new_blob(self, store: LocalBlobStore, disk: RecordingDisk) -> None:
        sha256 = put(store, 9, b"content").sha256
        temporary = disk.calls[0].removeprefix("create ")
        shard = f"blobs/9/{sha256[:2]}"
        assert temporary.startswith("incoming/")
        assert disk.calls == [
            f"create {temporary}",
            f"write {temporary}",
            f"sync {temporary}",
            "make_folder blobs/9",
            f"make_folder {shard}",
            "sync_folder blobs/9",
            "sync_folder blobs",
            f"rename {temporary} {shard}/{sha256}",
            f"sync_folder {shard}",
        ]

    def test_a_blob_which_is_there_has_its_folders_on_disk_too(
        self, store: LocalBlobStore, disk: RecordingDisk, tmp_path: Path
    ) -> None:
        """Whoever wrote it, perhaps a process killed before its own fsync of the folder."""
        sha256 = put(LocalBlobStore(tmp_path / "data"), 9, b"content").sha256
        disk.calls.clear()
        put(store, 9, b"content")
        assert disk.calls[-3:] == [
            "sync_folder blobs/9",
            "sync_folder blobs",
            f"sync_folder blobs/9/{sha256[:2]}",
        ]
        assert not [call for call in disk.calls if call.startswith("rename")]

    def test_a_linked_blob(self, store: LocalBlobStore, disk: RecordingDisk) -> None:
        sha256 = put(store, 9, b"content").sha256
        disk.calls.clear()
        store.link(9, 10, sha256)
        assert disk.calls[-2:] == [
            f"link blobs/9/{sha256[:2]}/{sha256} blobs/10/{sha256[:2]}/{sha256}",
            f"sync_folder blobs/10/{sha256[:2]}",
        ]

    def test_an_assembled_blob_is_whole_on_disk_before_its_parts_go(
        self, store: LocalBlobStore, disk: RecordingDisk, tmp_path: Path
    ) -> None:
        put_part(store, 1, b"one")
        sha256 = store.assemble(1, KEY, [1]).sha256
        target = f"blobs/1/{sha256[:2]}"
        renamed = next(at for at, call in enumerate(disk.calls) if call.endswith(f"/{sha256}"))
        joined = disk.calls[renamed].split()[1]
        assert joined.startswith(f"parts/{KEY}/joined-")
        assert f"sync {joined}" in disk.calls[:renamed]
        assert disk.calls[renamed + 1] == f"sync_folder {target}"
        assert disk.calls[-1] == f"sync_folder parts/{KEY}"
        assert files(tmp_path) == [f"{target}/{sha256}", f"parts/{KEY}/done"]


class TestFailures:
    """Whatever call fails, nothing is half made, and the next attempt works."""

    def test_an_upload_failing_anywhere_leaves_no_temporary_file_and_no_half_blob(
        self, store: LocalBlobStore, disk: RecordingDisk, tmp_path: Path
    ) -> None:
        content = b"content"
        expected = f"blobs/1/{describe(content).sha256[:2]}/{describe(content).sha256}"
        put(store, 1, content)
        steps = len(disk.calls)
        for step in range(steps):
            store.remove(1, describe(content).sha256)
            disk.calls.clear()
            fresh = LocalBlobStore(tmp_path / "data", disk=disk)
            disk.calls.clear()
            disk.fail_at = step
            with pytest.raises(OSError, match="injected"):
                put(fresh, 1, content)
            disk.fail_at = None
            assert set(files(tmp_path)) <= {expected}
            assert put(fresh, 1, content) == describe(content)
            assert read(fresh, 1, describe(content).sha256) == content

    def test_an_assembly_failing_anywhere_can_be_repeated(
        self, store: LocalBlobStore, disk: RecordingDisk, tmp_path: Path
    ) -> None:
        content = b"onetwo"
        for step in range(40):
            store.drop_parts(KEY)
            put_part(store, 1, b"one")
            put_part(store, 2, b"two")
            store.close()
            fresh = LocalBlobStore(tmp_path / "data", disk=disk)
            disk.calls.clear()
            disk.fail_at = step
            failed = False
            try:
                fresh.assemble(1, KEY, [1, 2], expected_md5=md5_of(content))
            except OSError:
                failed = True
            disk.fail_at = None
            assert fresh.assemble(1, KEY, [1, 2], expected_md5=md5_of(content)) == describe(content)
            assert read(fresh, 1, describe(content).sha256) == content
            fresh.drop_parts(KEY)
            fresh.remove(1, describe(content).sha256)
            assert [name for name in files(tmp_path) if not name.startswith("incoming/")] == []
            store = fresh
            if not failed:
                break
        store.close()
        assert not failed
        assert step > 5

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
    def test_a_full_disk_is_called_so_and_leaves_nothing(
        self, store: LocalBlobStore, disk: RecordingDisk, tmp_path: Path, code: int
    ) -> None:
        disk.error = OSError(code, os.strerror(code))
        for step in range(3):
            disk.calls.clear()
            disk.fail_at = step
            with pytest.raises(StorageFull):
                put(store, 1, b"content")
            assert files(tmp_path) == []
        disk.fail_at = None
        assert read(store, 1, put(store, 1, b"content").sha256) == b"content"

    def test_a_real_limit_on_file_sizes_is_met_and_survived(self, tmp_path: Path) -> None:
        """F1, with the operating system itself refusing."""
        program = (
            "import resource, sys; from pathlib import Path\n"
            "from byname.blobs.local import LocalBlobStore\n"
            "from byname.domain.errors import StorageFull\n"
            "store = LocalBlobStore(Path(sys.argv[1]))\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
            "try:\n"
            "    with store.begin(1) as writer:\n"
            "        for _ in range(20): writer.write(bytes(10_000))\n"
            "        writer.finish()\n"
            "except StorageFull: print('full')\n"
            "with store.begin(1) as writer:\n"
            "    writer.write(b'small'); print(writer.finish().size)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "data")],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.split() == ["full", "5"]
        assert len(files(tmp_path)) == 1


class TestCrashes:
    """What a killed process leaves behind harms nobody and goes with the sweep."""

    def test_leftovers_are_invisible_and_swept(self, tmp_path: Path) -> None:
        store = LocalBlobStore(tmp_path / "data")
        put(store, 1, b"kept")
        abandoned = store.begin(1)
        abandoned.write(b"never finished")
        assert len(files(tmp_path)) == 2
        after = LocalBlobStore(tmp_path / "data")
        assert after.sweep(3_600) == 0
        assert after.sweep(-1) == 1
        assert files(tmp_path) == [
            f"blobs/1/{describe(b'kept').sha256[:2]}/{describe(b'kept').sha256}"
        ]
        abandoned.abort()

    def test_an_upload_goes_on_after_a_restart(self, tmp_path: Path) -> None:
        before = LocalBlobStore(tmp_path / "data")
        put_part(before, 1, b"one")
        before.close()
        after = LocalBlobStore(tmp_path / "data")
        put_part(after, 2, b"two")
        blob = after.assemble(1, KEY, [1, 2])
        after.close()
        again = LocalBlobStore(tmp_path / "data")
        assert again.assemble(1, KEY, [1, 2]) == blob == describe(b"onetwo")
        again.drop_parts(KEY)
        with pytest.raises(NotFound):
            again.assemble(1, KEY, [1, 2])

    def test_a_blob_cut_short_by_a_damaged_disk_is_healed_by_sending_it_again(
        self, tmp_path: Path
    ) -> None:
        store = LocalBlobStore(tmp_path / "data")
        blob = put(store, 1, b"whole content")
        path = tmp_path / "data" / "blobs" / "1" / blob.sha256[:2] / blob.sha256
        os.truncate(path, 3)
        put(store, 1, b"whole content")
        assert read(store, 1, blob.sha256) == b"whole content"

    def test_a_symbolic_link_in_the_place_of_a_blob_is_not_followed(self, tmp_path: Path) -> None:
        store = LocalBlobStore(tmp_path / "data")
        blob = put(store, 1, b"content")
        path = tmp_path / "data" / "blobs" / "1" / blob.sha256[:2] / blob.sha256
        path.unlink()
        path.symlink_to("/etc/hostname")
        with pytest.raises(OSError):
            store.open(1, blob.sha256)

    def test_a_name_too_many_is_answered_by_a_copy(
        self, store: LocalBlobStore, disk: RecordingDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """File systems allow only so many names for one file."""
        blob = put(store, 1, b"popular")

        def refuse(old: str, new: str) -> None:
            raise OSError(errno.EMLINK, "Too many links")

        monkeypatch.setattr(disk, "link", refuse)
        store.link(1, 2, blob.sha256)
        store.remove(1, blob.sha256)
        assert read(store, 2, blob.sha256) == b"popular"


def test_open_files_do_not_pile_up(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path / "data")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(50):
        content = b"%d" % number
        put(store, 1, content)
        with store.begin(1) as writer:
            writer.write(content)
        put_part(store, 1, content, f"{number:032x}")
        store.assemble(1, f"{number:032x}", [1])
        store.drop_parts(f"{number:032x}")
    store.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


class TestDiscardWhileReceiving:
    """D7: a collector and a writer of the same content never lose it between them."""

    def test_the_writer_has_looked_but_not_touched_yet(self, tmp_path: Path) -> None:
        answers: list[int | None] = []

        class SlowToTouch(Disk):
            collector: threading.Thread | None = None

            def touch(self, path: str) -> None:
                if "/blobs/" in path and self.collector is None:
                    self.collector = threading.Thread(target=collect)
                    self.collector.start()
                    self.collector.join(0.2)
                super().touch(path)

        disk = SlowToTouch()
        store = LocalBlobStore(tmp_path / "data", disk=disk)
        sha256 = put(store, 1, b"content").sha256
        os.utime(tmp_path / "data/blobs/1" / sha256[:2] / sha256, (1, 1))

        def collect() -> None:
            answers.append(store.discard(1, sha256, before=1_000_000))

        put(store, 1, b"content")
        assert disk.collector is not None
        disk.collector.join()
        assert answers == [None]
        assert read(store, 1, sha256) == b"content"
        store.close()
