"""Small changes share commits, whoever makes them, and each is whole or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from byname.domain.errors import Unavailable
from byname.http.writes import Writes
from byname.store.database import Database
from tests.support.world import World


@pytest.fixture
def writes(world: World) -> Iterator[Writes]:
    """The queue of changes on the world's database, with a table of numbers to change."""
    with world.nobody.database.write() as tx:
        tx.run("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    made = Writes(world.nobody.database)
    yield made
    made.close()


def numbers(database: Database) -> list[int]:
    with database.read() as tx:
        return [row["n"] for row in tx.all("SELECT n FROM numbers ORDER BY n")]


def add(database: Database, n: int) -> int:
    with database.write() as tx:
        return tx.insert("INSERT INTO numbers (n) VALUES (:n) RETURNING n", {"n": n})


class TestSharedCommits:
    """D1, C5: an answer comes after the commit; a failure undoes its own change only."""

    def test_many_at_once(self, world: World, writes: Writes) -> None:
        database = world.nobody.database

        async def all_at_once() -> list[int | BaseException]:
            jobs = [writes.run(lambda n=n: add(database, n)) for n in range(200)]  # type: ignore[misc]
            jobs += [writes.run(lambda: add(database, 7)) for _ in range(3)]
            return await asyncio.gather(*jobs, return_exceptions=True)

        answers = asyncio.run(all_at_once())
        assert answers[:200] == list(range(200))
        assert all(isinstance(answer, Exception) for answer in answers[200:])
        assert numbers(database) == list(range(200))

    def test_one_after_another(self, world: World, writes: Writes) -> None:
        database = world.nobody.database

        async def in_turn() -> None:
            for n in range(20):
                assert await writes.run(lambda n=n: add(database, n)) == n  # type: ignore[misc]
                assert numbers(database) == list(range(n + 1))

        asyncio.run(in_turn())

    def test_a_change_alone_does_not_hold_up_the_loop_while_another_writes(
        self, world: World, writes: Writes
    ) -> None:
        database = world.nobody.database
        holding, release = threading.Event(), threading.Event()

        def hold() -> None:
            with database.write():
                holding.set()
                release.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        holding.wait(30)

        async def change_and_breathe() -> int:
            job = asyncio.create_task(writes.run(lambda: add(database, 1)))
            await asyncio.sleep(0.05)
            assert not job.done()
            release.set()
            return await job

        assert asyncio.run(change_and_breathe()) == 1
        holder.join()

    def test_another_process_that_writes_does_not_hold_up_the_loop(
        self, world: World, writes: Writes
    ) -> None:
        database = world.nobody.database
        other = Database(database.path)

        async def change_and_breathe() -> int:
            with other.write() as tx:
                tx.run("INSERT INTO numbers (n) VALUES (99)")
                job = asyncio.create_task(writes.run(lambda: add(database, 1)))
                await asyncio.sleep(0.05)
                assert not job.done()
            return await job

        assert asyncio.run(change_and_breathe()) == 1
        assert numbers(database) == [1, 99]
        other.close()

    def test_after_closing_nothing_is_taken(self, world: World) -> None:
        closed = Writes(world.nobody.database)
        closed.close()
        with pytest.raises(Unavailable):
            asyncio.run(closed.run(lambda: 1))
