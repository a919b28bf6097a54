"""Files of runs: bytes first, then the row; names are data."""

from __future__ import annotations

import pytest

from byname.domain.errors import Forbidden, NotFound, TooLarge, Unprocessable
from byname.domain.run import Run
from byname.operations import run, run_file
from byname.operations.context import Context
from tests.support.runs import make_run, send_file
from tests.support.world import PROJECT, TEAM, World, md5_of


def content(ctx: Context, file_id: int) -> bytes:
    _, reader = run_file.open_content(ctx, file_id)
    with reader:
        return reader.pread(reader.size, 0)


def names(ctx: Context, made: Run, **options: object) -> list[str]:
    page = run_file.list_page(ctx, made, **options)  # type: ignore[arg-type]  # Passed through.
    return [file.name for file in page.items]


class TestFilesOfRuns:
    """Protocol 9.2, 12.2: create, put, list, fetch, delete."""

    def test_there_and_back(self, world: World) -> None:
        made = make_run(world.admin)
        assert names(world.admin, made) == []
        file_id = send_file(world.admin, made, "media/a b%.txt", b"hello")
        (file,) = run_file.list_page(world.admin, made).items
        assert (file.id, file.name, file.size_bytes) == (file_id, "media/a b%.txt", 5)
        assert file.md5 == md5_of(b"hello")
        assert content(world.admin, file_id) == b"hello"
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        _, reader = run_file.open_content_by_name(
            viewer, TEAM, PROJECT, "abcd1234", "./media//a b%.txt"
        )
        with reader:
            assert reader.pread(10, 0) == b"hello"

    def test_a_later_file_of_the_name_replaces_it(self, world: World) -> None:
        made = make_run(world.admin)
        first = send_file(world.admin, made, "output.log", b"1")
        second = send_file(world.admin, made, "output.log", b"22")
        assert first == second
        assert content(world.admin, second) == b"22"
        assert run_file.counts_of_many(world.admin, [made.id]) == {made.id: 1}

    def test_names_are_announced_in_one_spelling(self, world: World) -> None:
        made = make_run(world.admin)
        found, clean = run_file.expect(
            world.admin, TEAM, PROJECT, "abcd1234", ["./a", "b/./c", "d"]
        )
        assert (found.id, clean) == (made.id, ["a", "b/c", "d"])
        assert names(world.admin, made) == []
        for bad in (["../x"], ["/etc/passwd"], ["a", ""], ["a\0"]):
            with pytest.raises(Unprocessable):
                run_file.expect(world.admin, TEAM, PROJECT, "abcd1234", bad)
        with pytest.raises(TooLarge):
            run_file.expect(world.admin, TEAM, PROJECT, "abcd1234", ["a"] * 10_001)

    def test_whether_they_arrived(self, world: World) -> None:
        made = make_run(world.admin)
        send_file(world.admin, made, "a", b"")
        assert run_file.arrived(world.admin, TEAM, PROJECT, "abcd1234", ["./a"])
        assert not run_file.arrived(world.admin, TEAM, PROJECT, "abcd1234", ["a", "b"])

    def test_listing(self, world: World) -> None:
        made = make_run(world.admin)
        other = make_run(world.admin, "other")
        for name in ("a.json", "b.txt", "media/c.json", "x_y", "xzy"):
            send_file(world.admin, made, name, name.encode())
        send_file(world.admin, other, "a.json", b"")
        assert names(world.admin, made, pattern="%.json") == ["a.json", "media/c.json"]
        assert names(world.admin, made, pattern="*.json") == ["a.json", "media/c.json"]
        assert names(world.admin, made, pattern="x_y") == ["x_y", "xzy"]
        assert names(world.admin, made, names=["./b.txt", "a.json", "none", "../../x"]) == [
            "a.json",
            "b.txt",
        ]
        first = run_file.list_page(world.admin, made, first=2)
        assert first.has_next
        assert names(world.admin, made, after=first.end_cursor) == ["media/c.json", "x_y", "xzy"]
        named = run_file.list_page(world.admin, made, names=["a.json", "b.txt"], first=1)
        assert named.has_next
        assert names(world.admin, made, names=["a.json", "b.txt"], after=named.end_cursor) == [
            "b.txt"
        ]

    def test_who_may_not(self, world: World) -> None:
        made = make_run(world.admin)
        file_id = send_file(world.admin, made, "a", b"secret")
        viewer = world.add_person("eve", in_organization="viewer", in_team="viewer")
        stranger = world.add_person("sue")
        with pytest.raises(Forbidden):
            run_file.expect(viewer, TEAM, PROJECT, "abcd1234", ["b"])
        for ctx, error in ((viewer, Forbidden), (stranger, NotFound)):
            with pytest.raises(error):
                send_file(ctx, made, "b", b"x")
            with pytest.raises(error):
                run_file.delete(ctx, [file_id])
        with pytest.raises(NotFound):
            run_file.open_content(stranger, file_id)
        with pytest.raises(NotFound):
            run_file.open_content_by_name(stranger, TEAM, PROJECT, "abcd1234", "a")
        assert names(world.admin, made) == ["a"]

    def test_delete_takes_all_or_none(self, world: World) -> None:
        made = make_run(world.admin)
        ids = [send_file(world.admin, made, name, b"") for name in ("a", "b")]
        with pytest.raises(NotFound):
            run_file.delete(world.admin, [*ids, 10**6])
        assert names(world.admin, made) == ["a", "b"]
        run_file.delete(world.admin, [ids[0], ids[0]])
        assert names(world.admin, made) == ["b"]

    def test_bytes_that_come_for_a_deleted_run_are_not_kept(self, world: World) -> None:
        made = make_run(world.admin)
        with run_file.begin(world.admin, made.id) as writer:
            writer.write(b"late")
            stored = writer.finish()
        run.delete(world.admin, made.id)
        with pytest.raises(NotFound):
            run_file.keep(world.admin, made.id, "a", stored)
        with world.nobody.database.read() as tx:
            assert tx.all("SELECT * FROM run_file") == []
            assert tx.all("SELECT * FROM blob") == []
