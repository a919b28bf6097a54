"""Whoever waits for a commit is woken soon after one, whoever made it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from byname.operations.pulse import Pulse
from byname.store.database import Database

SOON_SECONDS = 5.0
"""Far more than it takes, for a busy machine; less than any test's patience."""
COMMIT = """
import sys
from pathlib import Path
from byname.store.database import Database
database = Database(Path(sys.argv[1]))
database.script(["INSERT INTO noted (n) VALUES (1)"])
"""


class Counted(Database):
    """A database that counts how often it was asked for its revision."""

    asked = 0

    def revision(self) -> int:
        """As always."""
        self.asked += 1
        return super().revision()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Counted]:
    """A database with one table."""
    made = Counted(tmp_path / "byname.db")
    made.script(["CREATE TABLE noted (n INTEGER NOT NULL)"])
    yield made
    made.close()


@pytest.fixture
def pulse(database: Counted) -> Iterator[Pulse]:
    """Its pulse, which has beaten for what was committed before."""
    made = Pulse(database)
    made.wait(made.beat, SOON_SECONDS)
    yield made
    made.close()


def commit(database: Database) -> None:
    database.script(["INSERT INTO noted (n) VALUES (1)"])


def noted(database: Database) -> int:
    with database.read() as tx:
        row = tx.one("SELECT COUNT(*) FROM noted")
    assert row is not None
    return int(row[0])


class TestWaiting:
    """Issue 5, point 6: who waits learns of a commit within a moment, in a thread or a loop."""

    def test_nothing_happens(self, pulse: Pulse) -> None:
        began = time.monotonic()
        assert not pulse.wait(pulse.beat, 0.1)
        assert time.monotonic() - began >= 0.1
        assert not asyncio.run(pulse.wait_async(pulse.beat, 0.1))

    def test_a_thread_is_woken(self, pulse: Pulse, database: Database) -> None:
        beat = pulse.beat
        timer = threading.Timer(0.1, commit, [database])
        timer.start()
        assert pulse.wait(beat, SOON_SECONDS)
        timer.join()
        assert noted(database) == 1

    def test_a_commit_of_another_process_wakes(
        self, pulse: Pulse, database: Database, tmp_path: Path
    ) -> None:
        beat = pulse.beat
        with subprocess.Popen([sys.executable, "-c", COMMIT, str(tmp_path / "byname.db")]) as other:
            assert pulse.wait(beat, 60)
            assert other.wait() == 0
        assert noted(database) == 1

    def test_a_commit_between_reading_and_waiting_is_not_missed(
        self, pulse: Pulse, database: Database
    ) -> None:
        beat = pulse.beat
        commit(database)
        assert pulse.wait(beat, SOON_SECONDS)
        beat = pulse.beat
        commit(database)
        assert asyncio.run(pulse.wait_async(beat, SOON_SECONDS))

    def test_a_thousand_in_one_loop_are_woken_together(
        self, pulse: Pulse, database: Database
    ) -> None:
        async def all_wait() -> list[bool]:
            beat = pulse.beat
            waiting = [asyncio.create_task(pulse.wait_async(beat, 30)) for _ in range(1_000)]
            await asyncio.sleep(0.05)
            await asyncio.to_thread(commit, database)
            return await asyncio.gather(*waiting)

        assert asyncio.run(all_wait()) == [True] * 1_000

    def test_none_of_many_commits_is_missed(self, pulse: Pulse, database: Database) -> None:
        """A reader who does as the module says has seen every commit soon after the last."""

        def commit_many() -> None:
            for _ in range(300):
                commit(database)

        writer = threading.Thread(target=commit_many)
        writer.start()
        seen, end = 0, time.monotonic() + 60
        while seen < 300 and time.monotonic() < end:
            beat = pulse.beat
            seen = noted(database)
            if seen < 300:
                assert pulse.wait(beat, SOON_SECONDS), f"Left waiting after {seen} of 300 commits"
        writer.join()
        assert seen == 300


class TestCost:
    """With nobody waiting it costs nothing; with somebody, a question every 20 ms."""

    def test_nobody_waits(self, pulse: Pulse, database: Counted) -> None:
        time.sleep(0.1)
        before = database.asked
        time.sleep(0.3)
        assert database.asked == before

    def test_somebody_waits(self, pulse: Pulse, database: Counted) -> None:
        before = database.asked
        assert not pulse.wait(pulse.beat, 0.5)
        assert 1 <= database.asked - before <= 27

    def test_no_thread_before_somebody_waits(self, database: Counted) -> None:
        before = threading.active_count()
        pulse = Pulse(database)
        assert threading.active_count() == before
        pulse.close()

    def test_who_gave_up_is_forgotten(self, pulse: Pulse, database: Counted) -> None:
        async def give_up() -> None:
            waiting = asyncio.create_task(pulse.wait_async(pulse.beat, 60))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(give_up())
        time.sleep(0.1)
        before = database.asked
        time.sleep(0.2)
        assert database.asked == before


class TestStopping:
    """F7: closing wakes everybody and leaves no thread."""

    def test_all_are_woken(self, pulse: Pulse) -> None:
        answers: list[bool] = []
        beat = pulse.beat
        threads = [
            threading.Thread(target=lambda: answers.append(pulse.wait(beat, 60))) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        pulse.close()
        for thread in threads:
            thread.join(SOON_SECONDS)
        assert answers == [True] * 5
        assert pulse.closed
        assert "pulse" not in [thread.name for thread in threading.enumerate()]

    def test_nobody_waits_any_more(self, pulse: Pulse) -> None:
        pulse.close()
        began = time.monotonic()
        assert pulse.wait(pulse.beat, 60)
        assert asyncio.run(pulse.wait_async(pulse.beat, 60))
        assert time.monotonic() - began < SOON_SECONDS

    def test_the_database_cannot_be_asked(
        self, database: Counted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who waits is woken, to meet the fault by themselves; the thread goes on."""

        def broken() -> int:
            raise OSError("no disk")

        pulse = Pulse(database)
        monkeypatch.setattr(database, "revision", broken)
        assert pulse.wait(pulse.beat, SOON_SECONDS)
        monkeypatch.undo()
        beat = pulse.beat
        commit(database)
        assert pulse.wait(beat, SOON_SECONDS)
        pulse.close()
