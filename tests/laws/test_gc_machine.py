"""D7: whatever people bring, commit, link, delete and restore, the collector removes nothing needed.

Uploads happen in the middle of collections and collections in the middle of uploads: before each
transaction of the one a piece of the other is done, and in some steps both run in threads. The
clock is the machine's own, for rows and files alike, so that days pass at will. After each step
every live version, every version in the trash, every upload of today and every run's file can be
read in full.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from byname.blobs.disk import Disk
from byname.blobs.local import LocalBlobStore
from byname.domain.errors import DomainError
from byname.domain.run import Run
from byname.operations import collection, gc, manifest, run_file, trash
from byname.operations import version as versions
from byname.operations.context import Context, now_microseconds
from byname.store.database import Database, Transaction
from tests.support.runs import make_run, send_file
from tests.support.world import TEAM, World, begin_version, link_version, log_version, make_world

HOUR = 3600 * 1_000_000
CONTENTS = [bytes([65 + n]) * (n + 1) for n in range(5)]
"""Few contents, so that versions share bytes, and what was collected comes again."""
NAMES = ("one", "two", "three")
some_contents = st.lists(st.integers(0, len(CONTENTS) - 1), min_size=1, max_size=3, unique=True)


class Clock:
    """The time for rows, in microseconds, and for files."""

    def __init__(self) -> None:
        # Ahead of the real clock, by which the blob store judges unfinished files.
        self.now = now_microseconds() + 24 * HOUR

    def __call__(self) -> int:
        self.now += 1
        return self.now

    @property
    def times(self) -> tuple[float, float]:
        return self.now / 1_000_000, self.now / 1_000_000


class ClockedDisk(Disk):
    """A disk on which files are as old as the machine's clock says."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def sync(self, fd: int) -> None:
        os.utime(fd, self.clock.times)

    def sync_folder(self, path: str) -> None:
        """Nothing here is about power cuts."""

    def touch(self, path: str) -> None:
        os.utime(path, self.clock.times)


class Meanwhile:
    """Something that others do before each transaction or removal of whoever is watched."""

    def __init__(self) -> None:
        self.deed: Callable[[], object] | None = None
        self.thread = 0
        self.skip = 0

    @contextmanager
    def happening(self, deed: Callable[[], object], skip: int = 0) -> Iterator[None]:
        """The deed is done each time, but for the first few."""
        self.deed, self.thread, self.skip = deed, threading.get_ident(), skip
        try:
            yield
        finally:
            self.deed = None

    def happen(self) -> None:
        deed = self.deed
        if deed is not None and threading.get_ident() == self.thread:
            if self.skip:
                self.skip -= 1
                return
            self.deed = None
            try:
                deed()
            finally:
                self.deed = deed


class InterruptedDatabase(Database):
    """Before a transaction begins, others have their say."""

    meanwhile: Meanwhile

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        if getattr(self._local, "transaction", None) is None:
            self.meanwhile.happen()
        with super().write() as tx:
            yield tx


class InterruptedBlobs(LocalBlobStore):
    """Before a blob is discarded, others have their say."""

    meanwhile: Meanwhile

    def discard(self, namespace: int, sha256: str, *, before: float) -> int | None:
        self.meanwhile.happen()
        return super().discard(namespace, sha256, before=before)


class GarbageMachine(RuleBasedStateMachine):
    """The model: which bytes each version, upload and run's file must still give."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="byname-gc-"))
        make_world(self.folder).nobody.database.close()
        self.clock = Clock()
        self.meanwhile = Meanwhile()
        database = InterruptedDatabase(self.folder / "byname.db")
        blobs = InterruptedBlobs(self.folder, disk=ClockedDisk(self.clock))
        database.meanwhile = blobs.meanwhile = self.meanwhile
        self.admin = World(Context(database, blobs, now=self.clock), {}).reload("admin")
        self.live: dict[int, dict[str, bytes]] = {}
        self.trash: dict[int, tuple[int, dict[str, bytes]]] = {}
        self.pending: dict[int, tuple[int, dict[str, bytes]]] = {}
        self.links: dict[int, int] = {}
        self.run_files: dict[int, bytes] = {}
        self.run: Run

    @initialize()
    def begin(self) -> None:
        self.run = make_run(self.admin)
        with self.admin.database.read() as tx:
            row = tx.one("SELECT id FROM entity WHERE name = :name", {"name": TEAM})
            assert row is not None
            self.team = int(row["id"])

    def teardown(self) -> None:
        self.admin.blobs.close()
        self.admin.database.close()
        shutil.rmtree(self.folder)

    def log(self, name: str, contents: list[int]) -> None:
        files = {f"f{n}": CONTENTS[n] for n in contents}
        version = log_version(self.admin, name, files)
        self.live[version.id] = files

    def collect(self) -> None:
        gc.collect(self.admin)

    # ---- what people do --------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), contents=some_contents)
    def log_a_version(self, name: str, contents: list[int]) -> None:
        self.log(name, contents)

    @rule(name=st.sampled_from(NAMES), contents=some_contents)
    def begin_an_upload(self, name: str, contents: list[int]) -> None:
        files = {f"f{n}": CONTENTS[n] for n in contents}
        version = begin_version(self.admin, name, files)
        if version.state == "pending":
            self.pending[version.id] = (self.clock.now, files)

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def commit_an_upload(self, data: st.DataObject) -> None:
        version_id = data.draw(st.sampled_from(sorted(self.pending)))
        begun, files = self.pending.pop(version_id)
        try:
            done = manifest.commit(self.admin, version_id)
        except DomainError:
            # Given up after a day; until then it must succeed.
            assert self.clock.now - begun >= 24 * HOUR
        else:
            self.live[done.id] = files

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def delete_a_version(self, data: st.DataObject) -> None:
        version_id = data.draw(st.sampled_from(sorted(self.live)))
        versions.delete(self.admin, version_id, delete_aliases=True, unlink=True)
        self.links.pop(version_id, None)
        self.trash[version_id] = (self.clock.now, self.live.pop(version_id))

    @precondition(lambda self: self.trash)
    @rule(data=st.data())
    def restore_a_version(self, data: st.DataObject) -> None:
        version_id = data.draw(st.sampled_from(sorted(self.trash)))
        at, files = self.trash.pop(version_id)
        with self.admin.database.read() as tx:
            row = tx.one(
                "SELECT max(deletion_id) AS id FROM deletion_item"
                " WHERE kind = 'version' AND item_id = :id",
                {"id": version_id},
            )
        try:
            trash.restore(self.admin, 0 if row is None or row["id"] is None else row["id"])
        except DomainError:
            assert self.clock.now - at >= 7 * 24 * HOUR
        else:
            self.live[version_id] = files

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def link_a_version(self, data: st.DataObject) -> None:
        version_id = data.draw(st.sampled_from(sorted(self.live)))
        version = versions.get(self.admin, version_id)
        assert version is not None
        place, _ = link_version(self.admin, version)
        self.links[version_id] = place.id

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def unlink_a_version(self, data: st.DataObject) -> None:
        version_id = data.draw(st.sampled_from(sorted(self.links)))
        collection.unlink(self.admin, version_id, self.links.pop(version_id))

    @rule(content=st.sampled_from(CONTENTS), name=st.sampled_from(("a", "b")))
    def send_a_run_file(self, content: bytes, name: str) -> None:
        self.run_files[send_file(self.admin, self.run, name, content)] = content

    @precondition(lambda self: self.run_files)
    @rule()
    def delete_the_run_files(self) -> None:
        run_file.delete(self.admin, sorted(self.run_files))
        self.run_files.clear()

    @rule(content=st.sampled_from(CONTENTS))
    def crash_before_the_row(self, content: bytes) -> None:
        with self.admin.blobs.begin(self.team) as writer:
            writer.write(content + b"!")
            writer.finish()

    @rule(hours=st.sampled_from((1, 23, 25, 6 * 24, 7 * 24 + 1)))
    def time_passes(self, hours: int) -> None:
        self.clock.now += hours * HOUR

    # ---- what the collector does -----------------------------------------------------------

    @rule()
    def collect_garbage(self) -> None:
        self.collect()

    @rule(
        name=st.sampled_from(NAMES),
        contents=some_contents,
        hours=st.sampled_from((0, 200)),
        skip=st.integers(0, 3),
    )
    def log_while_the_collector_runs(
        self, name: str, contents: list[int], hours: int, skip: int
    ) -> None:
        """Before each transaction of an upload, from some on, there is a whole collection."""
        self.clock.now += hours * HOUR
        with self.meanwhile.happening(self.collect, skip):
            self.log(name, contents)

    @rule(name=st.sampled_from(NAMES), contents=some_contents, hours=st.sampled_from((0, 200)))
    def collect_while_versions_are_logged(self, name: str, contents: list[int], hours: int) -> None:
        """Before any transaction and removal of a collection there is a whole upload."""
        self.clock.now += hours * HOUR
        with self.meanwhile.happening(lambda: self.log(name, contents)):
            self.collect()

    @rule(contents=some_contents)
    def at_once(self, contents: list[int]) -> None:
        """Uploads and a collection in threads of their own."""
        self.clock.now += 25 * HOUR
        with ThreadPoolExecutor(3) as pool:
            collecting = pool.submit(self.collect)
            jobs = [pool.submit(self.log, name, contents) for name in NAMES[:2]]
            for job in [collecting, *jobs]:
                job.result()

    @rule()
    def a_long_time_passes(self) -> None:
        """What nobody needs is gone then: the collector does not win by doing nothing."""
        self.clock.now += 9 * 24 * HOUR
        self.collect()
        self.trash.clear()
        self.pending.clear()
        needed = {hashlib.sha256(body).hexdigest() for body in self.run_files.values()}
        for files in self.live.values():
            needed |= {hashlib.sha256(body).hexdigest() for body in files.values()}
        with self.admin.database.read() as tx:
            needed |= {row["sha256"] for row in tx.all("SELECT sha256 FROM manifest")}
            known = {row["sha256"] for row in tx.all("SELECT sha256 FROM blob")}
            assert len(tx.all("SELECT DISTINCT version_id FROM manifest")) == len(self.live)
        assert {blob.sha256 for blob in self.admin.blobs.walk()} == needed == known

    # ---- what must hold --------------------------------------------------------------------

    @invariant()
    def everything_needed_is_there(self) -> None:
        for version_id, files in self.live.items():
            self.check_version(version_id, files)
        for version_id, (at, files) in self.trash.items():
            if self.clock.now - at < 7 * 24 * HOUR:
                self.check_version(version_id, files)
        for begun, files in self.pending.values():
            if self.clock.now - begun < 24 * HOUR:
                self.check_files(files)
        for body in self.run_files.values():
            self.check_files({"": body})

    def check_version(self, version_id: int, files: dict[str, bytes]) -> None:
        with self.admin.database.read() as tx:
            entries = tx.all("SELECT path, sha256 FROM entry WHERE version_id = ?", [version_id])
            manifests = tx.all("SELECT sha256 FROM manifest WHERE version_id = ?", [version_id])
        expected = {path: hashlib.sha256(body).hexdigest() for path, body in files.items()}
        assert {row["path"]: row["sha256"] for row in entries} == expected
        assert manifests
        for row in manifests:
            self.admin.blobs.open(self.team, row["sha256"]).close()
        self.check_files(files)

    def check_files(self, files: dict[str, bytes]) -> None:
        for body in files.values():
            with self.admin.blobs.open(self.team, hashlib.sha256(body).hexdigest()) as reader:
                assert reader.pread(reader.size, 0) == body


TestGarbageMachine = GarbageMachine.TestCase
TestGarbageMachine.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
