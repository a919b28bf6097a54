"""Garbage collection: what goes, what stays and why (R163, D7, L9)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from byname import wiring
from byname.domain.errors import Forbidden, NotFound
from byname.domain.gc import Reason
from byname.operations import gc, manifest, project, run, run_file, team, trash
from byname.operations import version as versions
from byname.operations.context import Context
from byname.store.database import Database, Transaction
from tests.support.runs import make_run, send_file
from tests.support.world import (
    PROJECT,
    TEAM,
    World,
    begin_version,
    link_version,
    log_version,
    md5_of,
)

DAY = 24 * 3600 * 1_000_000
BODY = b"weights of a model"
SHA256 = hashlib.sha256(BODY).hexdigest()


def after(ctx: Context, days: float) -> Context:
    """The same server some days later. Its files are older by then too."""
    return replace(ctx, now=lambda: ctx.now() + int(days * DAY))


def blob(ctx: Context) -> bytes | None:
    """What is kept of the body, for the team."""
    with ctx.database.read() as tx:
        row = tx.one("SELECT id FROM entity WHERE name = ?", [TEAM])
    assert row is not None
    try:
        with ctx.blobs.open(row["id"], SHA256) as reader:
            return reader.pread(reader.size, 0)
    except NotFound:
        return None


def reason(ctx: Context) -> Reason | None:
    """What the collector would say of the body."""
    found = {each.sha256: each.reason for each in gc.plan(ctx)}
    return found.get(SHA256)


class TestVersions:
    """R163: what was deleted keeps its bytes for 7 days, and not longer."""

    def test_a_live_version_for_ever(self, world: World) -> None:
        log_version(world.admin, files={"f": BODY})
        late = after(world.admin, 1000)
        assert reason(late) is Reason.VERSION
        assert gc.run(late).blobs == 0
        assert blob(late) == BODY

    def test_a_deleted_one(self, world: World) -> None:
        version = log_version(world.admin, files={"f": BODY})
        versions.delete(world.admin, version.id, delete_aliases=True)
        soon = after(world.admin, 6.9)
        assert reason(soon) is Reason.TRASH
        gc.run(soon)
        assert blob(soon) == BODY
        late = after(world.admin, 7.1)
        assert reason(late) is Reason.UNNEEDED
        preview = sum(each.size_bytes for each in gc.plan(late) if each.reason.goes)
        done = gc.run(late)
        assert blob(late) is None
        assert done.versions_emptied == 1
        assert done.freed_bytes == preview > len(BODY)
        assert gc.run(late).blobs == 0

    def test_what_is_emptied_cannot_come_back(self, world: World) -> None:
        """Whatever the clock says later."""
        version = log_version(world.admin, files={"f": BODY})
        versions.delete(world.admin, version.id, delete_aliases=True)
        (found,) = trash.list_page(world.admin, TEAM).items
        with world.admin.database.write() as tx:
            tx.run("UPDATE version SET deleted_at = 1 WHERE id = ?", [version.id])
        gc.run(world.admin)
        with pytest.raises(NotFound):
            trash.restore(world.admin, found.id)

    def test_bytes_that_another_version_shares(self, world: World) -> None:
        one = log_version(world.admin, files={"f": BODY})
        log_version(world.admin, "other", files={"g": BODY})
        versions.delete(world.admin, one.id, delete_aliases=True)
        late = after(world.admin, 8)
        gc.run(late)
        assert blob(late) == BODY

    def test_bytes_of_another_team_are_its_own(self, world: World) -> None:
        """A5: what one team keeps does not keep another's bytes alive."""
        team.create_team(world.admin, organization="acme", name="audio", admins=["admin"])
        admin = world.reload("admin")
        log_version(admin, files={"f": BODY}, entity="audio")
        version = log_version(admin, files={"f": BODY})
        versions.delete(admin, version.id, delete_aliases=True)
        late = after(admin, 8)
        done = gc.run(late)
        assert done.versions_emptied == 1
        assert blob(late) is None

    def test_a_linked_version(self, world: World) -> None:
        version = log_version(world.admin, files={"f": BODY})
        link_version(world.admin, version)
        late = after(world.admin, 100)
        gc.run(late)
        assert blob(late) == BODY

    def test_a_deleted_project_with_its_runs(self, world: World) -> None:
        job = make_run(world.admin)
        send_file(world.admin, job, "out.log", b"log of a run")
        version = log_version(world.admin, files={"f": BODY})
        project.delete(world.admin, version.project_id)
        assert reason(after(world.admin, 6)) is Reason.TRASH
        late = after(world.admin, 8)
        assert reason(late) is Reason.UNNEEDED
        done = gc.run(late)
        assert (done.versions_emptied, done.run_files) == (1, 1)
        assert list(late.blobs.walk()) == []


class TestRunFiles:
    """R163: the files of runs are kept by the same rule."""

    def test_a_file_of_a_run(self, world: World) -> None:
        job = make_run(world.admin)
        file_id = send_file(world.admin, job, "f", BODY)
        late = after(world.admin, 100)
        assert reason(late) is Reason.RUN_FILE
        gc.run(late)
        assert blob(late) == BODY
        run_file.delete(world.admin, [file_id])
        gc.run(late)
        assert blob(late) is None

    def test_a_deleted_run(self, world: World) -> None:
        job = make_run(world.admin)
        send_file(world.admin, job, "f", BODY)
        run.delete(world.admin, job.id)
        gc.run(after(world.admin, 6))
        assert blob(world.admin) == BODY
        gc.run(after(world.admin, 8))
        assert blob(world.admin) is None


class TestUploads:
    """D7, L9: an upload is left alone while something happens at it, and for a day after."""

    def test_within_a_day(self, world: World) -> None:
        pending = begin_version(world.admin, files={"f": BODY})
        soon = after(world.admin, 0.9)
        assert reason(soon) is Reason.UPLOAD
        gc.run(soon)
        assert manifest.commit(soon, pending.id).number == 0

    def test_after_a_day(self, world: World) -> None:
        pending = begin_version(world.admin, files={"f": BODY})
        late = after(world.admin, 1.1)
        assert reason(late) is Reason.UNNEEDED
        done = gc.run(late)
        assert (done.uploads_given_up, done.versions_emptied) == (1, 1)
        assert blob(late) is None
        with pytest.raises(NotFound):
            manifest.commit(late, pending.id)

    def test_one_that_goes_on(self, world: World) -> None:
        pending = begin_version(world.admin, files={"f": BODY})
        later = after(world.admin, 0.9)
        new = manifest.NewFile(pending.id, "g", md5_of(BODY))
        assert manifest.offer_files(later, [new])[0].present
        late = after(world.admin, 1.5)
        assert gc.run(late).uploads_given_up == 0
        assert manifest.commit(late, pending.id).number == 0

    def test_parts_go_with_their_upload(self, world: World, tmp_path: Path) -> None:
        pending = begin_version(world.admin, files={"f": BODY})
        new = manifest.NewFile(pending.id, "big", md5_of(b"big"), ("0" * 32,))
        key = manifest.offer_files(world.admin, [new])[0].multipart_key
        assert key is not None
        with world.admin.blobs.begin_part(key, 1) as writer:
            writer.write(b"big")
            writer.finish()
        gc.run(after(world.admin, 1.1))
        assert list((tmp_path / "parts").iterdir()) == []
        with world.admin.database.read() as tx:
            assert tx.all("SELECT * FROM multipart") == []

    def test_an_offer_holds_what_it_promises(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The collector removes the bytes between the look and the promise."""
        gone = log_version(world.admin, files={"f": BODY})
        versions.delete(world.admin, gone.id, delete_aliases=True)
        late = after(world.admin, 8)
        pending = begin_version(late, "other", files={"g": b"x"})
        plain = Database.write

        @contextmanager
        def write(database: Database) -> Iterator[Transaction]:
            monkeypatch.setattr(Database, "write", plain)
            gc.run(late)
            with database.write() as tx:
                yield tx

        monkeypatch.setattr(Database, "write", write)
        new = manifest.NewFile(pending.id, "f", md5_of(BODY))
        (offer,) = manifest.offer_files(late, [new])
        assert blob(late) is None
        assert not offer.present


class TestBytesWithoutRow:
    """F2: what was cut off leaves nothing for longer than a day."""

    def test_what_a_crash_left_behind(self, world: World, tmp_path: Path) -> None:
        log_version(world.admin, files={"f": b"kept"})
        with world.admin.database.read() as tx:
            row = tx.one("SELECT id FROM entity WHERE name = ?", [TEAM])
        assert row is not None
        with world.admin.blobs.begin(row["id"]) as writer:
            writer.write(BODY)
            writer.finish()
        assert reason(world.admin) is Reason.FRESH
        gc.run(world.admin)
        assert blob(world.admin) == BODY
        late = after(world.admin, 1.1)
        assert reason(late) is Reason.NO_ROW
        done = gc.run(late)
        assert (done.blobs_without_row, done.freed_bytes) == (1, len(BODY))
        assert blob(late) is None

    def test_an_unfinished_file(self, world: World, tmp_path: Path) -> None:
        path = tmp_path / "incoming" / "ab"
        path.write_bytes(b"half")
        os.utime(path, (1, 1))
        assert gc.run(world.admin).leftovers == 1


def test_the_server_does_it_by_itself(world: World) -> None:
    """R163, R165: the job that runs every hour, for which nobody asked."""
    version = log_version(world.admin, files={"f": BODY})
    versions.edit(world.admin, version.id, versions.VersionEdit(ttl_seconds=1))
    wiring.clean_up(after(world.nobody, 1))
    assert versions.get(world.admin, version.id) is None
    assert blob(world.admin) == BODY
    wiring.clean_up(after(world.nobody, 9))
    assert blob(world.admin) is None


class TestWho:
    """For who runs the server; and looking is not touching."""

    def test_server_administrators_only(self, world: World) -> None:
        ann = world.add_person("ann", in_organization="admin")
        with pytest.raises(Forbidden):
            gc.run(ann)
        with pytest.raises(Forbidden):
            gc.plan(ann)

    def test_looking_changes_nothing(self, world: World) -> None:
        version = log_version(world.admin, files={"f": BODY}, project=PROJECT)
        versions.delete(world.admin, version.id, delete_aliases=True)
        late = after(world.admin, 8)
        assert list(gc.plan(late)) == list(gc.plan(late))
        assert blob(late) == BODY
