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

from byname.operations.pulse import LOOK_SECONDS, Pulse
from byname.store.database import Database

SOON_SECONDS = 60.0
"""Far more than it takes on the busiest machine; who waits for longer has been forgotten."""
FOR_EVER_SECONDS = 3_600.0
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
    assert made.wait(made.beat, SOON_SECONDS)
    yield made
    made.close()


def commit(database: Database) -> None:
    database.script(["INSERT INTO noted (n) VALUES (1)"])


def rests(database: Counted) -> bool:
    """Whether the database is left alone: who looks out does so every few milliseconds."""
    for _ in range(50):
        before = database.asked
        time.sleep(0.3)
        # A look that was on its way may have come in between, on a slow machine.
        if database.asked == before:
            return True
    return False


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
            assert pulse.wait(beat, SOON_SECONDS)
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
            waiting = [
                asyncio.create_task(pulse.wait_async(beat, SOON_SECONDS)) for _ in range(1_000)
            ]
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
        seen = 0
        while seen < 300:
            beat = pulse.beat
            seen = noted(database)
            if seen < 300:
                assert pulse.wait(beat, SOON_SECONDS), f"Left waiting after {seen} of 300 commits"
        writer.join()
        assert seen == 300


class TestCost:
    """With nobody waiting it costs nothing; with somebody, a question every 20 ms."""

    def test_nobody_waits(self, pulse: Pulse, database: Counted) -> None:
        assert rests(database)

    def test_somebody_waits(self, pulse: Pulse, database: Counted) -> None:
        before, began = database.asked, time.monotonic()
        while database.asked == before or time.monotonic() - began < 0.5:
            assert not pulse.wait(pulse.beat, 0.5)
            assert time.monotonic() - began < SOON_SECONDS
        # The first look is at once, and one more may have been on its way.
        looks = database.asked - before
        assert looks <= (time.monotonic() - began) / LOOK_SECONDS + 2

    def test_no_thread_before_somebody_waits(self, database: Counted) -> None:
        before = set(threading.enumerate())
        pulse = Pulse(database)
        assert set(threading.enumerate()) <= before
        pulse.close()

    def test_who_gave_up_is_forgotten(self, pulse: Pulse, database: Counted) -> None:
        async def give_up() -> None:
            waiting = asyncio.create_task(pulse.wait_async(pulse.beat, FOR_EVER_SECONDS))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(give_up())
        assert rests(database)


class TestStopping:
    """F7: closing wakes everybody and leaves no thread."""

    def test_all_are_woken(self, pulse: Pulse) -> None:
        answers: list[bool] = []
        beat = pulse.beat
        threads = [
            threading.Thread(target=lambda: answers.append(pulse.wait(beat, FOR_EVER_SECONDS)))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        while pulse._waiting_threads < 5:
            time.sleep(0.01)
        pulse.close()
        for thread in threads:
            thread.join(SOON_SECONDS)
        assert answers == [True] * 5
        assert pulse.closed
        looking_out = pulse._thread
        assert looking_out is not None
        assert not looking_out.is_alive()

    def test_nobody_waits_any_more(self, pulse: Pulse) -> None:
        pulse.close()
        assert pulse.wait(pulse.beat, FOR_EVER_SECONDS)
        assert asyncio.run(pulse.wait_async(pulse.beat, FOR_EVER_SECONDS))

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
