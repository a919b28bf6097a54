"""`byname watch`: a folder that stays on the version a name is on (issue 5, point 6)."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byname.client import Client, Conflict, Corrupt, DomainError, Invalid, NotFound, Unauthenticated
from byname.client import watch as watching
from byname.client.watch import Held
from tests.support.rig import BYNAME, Rig
from tests.support.site import Site, serving
from tests.support.world import ORGANIZATION, World, link_version, log_version

ALIAS = f"{ORGANIZATION}/Model/Zoo:production"
SECONDS_MAX = 120.0


@pytest.fixture
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Four versions of several files; `production` is on the first."""
    for number in range(4):
        files = {"weights": bytes([number]) * 300_000, "deep/labels.txt": f"{number}".encode()}
        aliases = ["production"] if number == 0 else []
        link_version(world.admin, log_version(world.admin, files=files), aliases=aliases)
    with serving(world, tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site.address, site.key)


def number_in(folder: Path) -> int:
    """Which version the folder holds, whole; fails when it is not."""
    weights = (folder / "weights").read_bytes()
    number = weights[0]
    assert weights == bytes([number]) * 300_000
    assert (folder / "deep" / "labels.txt").read_text() == str(number)
    return number


def versions_in(folder: Path) -> list[str]:
    return sorted(each.name.partition("-")[0] for each in (folder / "versions").iterdir())


class TestClientWatch:
    """The new version beside the old, verified; then one rename."""

    def test_it_follows(self, client: Client, tmp_path: Path) -> None:
        seen = []
        for swap in client.watch(ALIAS, tmp_path, keep=1):
            assert swap.current == tmp_path / "current"
            assert swap.current.resolve() == swap.folder
            assert number_in(swap.current) == int(swap.version[1:])
            seen.append((swap.version, swap.previous, swap.fetched_bytes > 0))
            if len(seen) == 4:
                break
            client.move(ALIAS, ("v1", "v3", "v1")[len(seen) - 1])
        # Back on v1: it was kept, so that nothing came.
        assert seen == [
            ("v0", None, True),
            ("v1", "v0", True),
            ("v3", "v1", True),
            ("v1", "v3", False),
        ]

    def test_it_keeps_so_many(self, client: Client, tmp_path: Path) -> None:
        for keep, wanted in ((0, ["v2"]), (2, ["v0", "v1", "v3"])):
            folder = tmp_path / str(keep)
            client.move(ALIAS, "v0")
            for swap in client.watch(ALIAS, folder, keep=keep):
                follow = {"v0": "v1", "v1": "v2" if keep == 0 else "v3"}.get(swap.version)
                if follow is None:
                    break
                client.move(ALIAS, follow)
            for _ in client.watch(ALIAS, folder, keep=keep, once=True):
                pass
            assert versions_in(folder) == wanted

    def test_who_broke_off_gets_it_again(self, client: Client, tmp_path: Path) -> None:
        """At least once: what was not asked behind was not done with."""
        for _ in range(2):
            swap = next(client.watch(ALIAS, tmp_path, once=True))
            assert (swap.version, swap.previous) == ("v0", None)
        assert len(list(client.watch(ALIAS, tmp_path, once=True))) == 1
        assert list(client.watch(ALIAS, tmp_path, once=True)) == []

    def test_a_damaged_old_version_is_mended(self, client: Client, tmp_path: Path) -> None:
        (first,) = client.watch(ALIAS, tmp_path, once=True)
        client.move(ALIAS, "v1")
        assert len(list(client.watch(ALIAS, tmp_path, once=True))) == 1
        (first.folder / "weights").write_bytes(b"\xff" * 300_000)
        client.move(ALIAS, "v0")
        (again,) = client.watch(ALIAS, tmp_path, once=True)
        assert again.folder == first.folder
        assert number_in(tmp_path / "current") == 0

    def test_a_name_that_nobody_holds_yet(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watching, "WAIT_SECONDS", 1)
        other = ALIAS.replace("production", "next")
        with pytest.raises(NotFound):
            list(client.watch(other, tmp_path, once=True))
        told: list[str] = []
        timer = threading.Timer(1.5, client.move, [other, "v2"])
        timer.start()
        swap = next(client.watch(other, tmp_path, trouble=lambda error, _: told.append(error.code)))
        assert swap.version == "v2"
        assert set(told) <= {"not_found"}
        timer.join()

    def test_refusals_at_first_are_final(self, site: Site, tmp_path: Path) -> None:
        with pytest.raises(Unauthenticated):
            list(Client(site.address, "bn-" + "x" * 40).watch(ALIAS, tmp_path))
        with pytest.raises(Invalid):
            list(Client(site.address, site.key).watch("Zoo", tmp_path))

    def test_one_at_a_time(self, client: Client, tmp_path: Path) -> None:
        first = client.watch(ALIAS, tmp_path)
        next(first)
        with pytest.raises(Conflict):
            next(client.watch(ALIAS, tmp_path))
        first.close()
        next(client.watch(ALIAS, tmp_path))

    def test_a_folder_of_somebody_else(self, client: Client, tmp_path: Path) -> None:
        (tmp_path / "current").mkdir()
        with pytest.raises(Invalid):
            next(client.watch(ALIAS, tmp_path))

    def test_another_digest_than_was_named(self, tmp_path: Path) -> None:
        class Lying:
            def wait(self, known: str | None, seconds: int) -> Held | None:
                return Held("v0", "a" * 32, '"1"')

            def fetch(self, version: str, folder: Path, progress: Any) -> tuple[str, int]:
                folder.mkdir()
                return "b" * 32, 1

        with pytest.raises(Corrupt):
            next(watching.watch(Lying(), "x", tmp_path, once=True))
        assert not (tmp_path / "current").exists()

    def test_failures_are_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that is away, a full disk: told, and tried again after longer and longer pauses."""
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        failures: list[Exception] = [DomainError("away")] * 8 + [OSError(28, "No space left")]

        class Flaky:
            def wait(self, known: str | None, seconds: int) -> Held | None:
                return Held("v0", "a" * 32, '"1"')

            def fetch(self, version: str, folder: Path, progress: Any) -> tuple[str, int]:
                if failures:
                    raise failures.pop(0)
                folder.mkdir()
                return "a" * 32, 1

        told: list[str] = []
        swap = next(
            watching.watch(Flaky(), "x", tmp_path, trouble=lambda e, _s: told.append(e.code))
        )
        assert swap.version == "v0"
        assert told == ["invalid"] * 8 + ["storage_full"]
        assert slept[0] < 1 < slept[3] < slept[5] <= max(slept) <= 30 * 1.25


class TestCommand:
    """`byname watch ... --exec`: runs a command after each change, through restarts of the server."""

    def run(
        self, site: Site, folder: Path, *more: str, alias: str = ALIAS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BYNAME), "watch", alias, "--dir", str(folder), "--url", site.address, *more],
            env={**os.environ, "BYNAME_API_KEY": site.key},
            cwd=folder.parent,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    def test_once(self, site: Site, tmp_path: Path) -> None:
        code = "import os; print(sorted((k, v) for k, v in os.environ.items() if k in "
        code += "('BYNAME_VERSION', 'BYNAME_PREVIOUS', 'BYNAME_ALIAS', 'BYNAME_FOLDER')))"
        done = self.run(
            site, tmp_path, "--once", "--json", "--exec", f'{sys.executable} -c "{code}"'
        )
        assert done.returncode == 0, done.stderr
        environment, answer = done.stdout.splitlines()
        told = json.loads(answer)
        assert (told["version"], told["previous"], told["exit_code"]) == ("v0", None, 0)
        assert f"('BYNAME_FOLDER', '{told['folder']}')" in environment
        assert "('BYNAME_VERSION', 'v0')" in environment
        assert number_in(tmp_path / "current") == 0
        # Nothing has changed: nothing is run.
        again = self.run(site, tmp_path, "--once", "--exec", "false")
        assert (again.returncode, again.stdout) == (0, "")

    def test_a_command_that_fails(self, site: Site, tmp_path: Path) -> None:
        """With --once its failure is ours, and it is run again the next time."""
        for _ in range(2):
            done = self.run(site, tmp_path, "--once", "--exec", "false")
            assert done.returncode == 1
            assert "exit code 1" in done.stdout
        assert self.run(site, tmp_path, "--once", "--exec", "/no/such/command").returncode == 1

    def test_no_shell_unless_asked(self, site: Site, tmp_path: Path) -> None:
        words = f"touch {tmp_path}/a; touch {tmp_path}/b"
        self.run(site, tmp_path / "one", "--once", "--exec", words)
        assert (tmp_path / "a;").exists()
        assert (tmp_path / "touch").exists()
        assert not (tmp_path / "a").exists()
        done = self.run(site, tmp_path / "two", "--once", "--shell", "--exec", words)
        assert done.returncode == 0
        assert (tmp_path / "a").exists()
        assert (tmp_path / "b").exists()

    @pytest.mark.parametrize(
        ("more", "alias", "code"),
        [
            (["--exec", "'open"], ALIAS, 2),
            ([], "Zoo", 2),
            ([], ALIAS.replace("production", "never"), 5),
            (["--api-key", "wrong"], ALIAS, 3),
        ],
    )
    def test_refusals(
        self, site: Site, tmp_path: Path, more: list[str], alias: str, code: int
    ) -> None:
        done = self.run(site, tmp_path, "--once", *more, alias=alias)
        assert done.returncode == code, done.stderr
        assert done.stderr.startswith("byname: ")
        assert not (tmp_path / "current").exists()

    def test_the_server_is_killed_and_comes_back(
        self, world: World, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
    ) -> None:
        for number in range(3):
            files = {"weights": bytes([number]) * 300_000, "deep/labels.txt": f"{number}".encode()}
            link_version(
                world.admin,
                log_version(world.admin, files=files),
                aliases=["production"] if number == 0 else [],
            )
        data = world.nobody.database.path.parent
        with serving(world, tmp_path_factory.mktemp("x")) as site:
            key = site.key
        rig = Rig(data, int(site.address.rpartition(":")[2]), key)
        rig.start()
        folder = tmp_path / "model"
        process = subprocess.Popen(
            [
                *(str(BYNAME), "watch", ALIAS, "--dir", str(folder), "--url", rig.url),
                *("--json", "--exec", "true"),
            ],
            env={**os.environ, "BYNAME_API_KEY": key},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert json.loads(process.stdout.readline())["version"] == "v0"
            rig.kill()
            told = ""
            while "trying again in" not in told:
                assert process.poll() is None, told
                told += process.stderr.readline()
            rig.start()
            Client(rig.url, key).move(ALIAS, "v2")
            assert json.loads(process.stdout.readline())["version"] == "v2"
            assert number_in(folder / "current") == 2
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS_MAX) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
            rig.kill()

    def test_killed_at_any_moment(self, site: Site, client: Client, tmp_path: Path) -> None:
        """`current` is a whole version, the old or the new one, whenever the watcher is killed."""
        folder = tmp_path / "model"
        assert self.run(site, folder, "--once").returncode == 0
        # Moments spread over a watcher's life, as long as the last one that ended by itself took:
        # however fast the machine is, and whatever else it does.
        life = 10.0
        chance = random.Random(5)
        stop = threading.Event()
        broken: list[str] = []

        def link() -> tuple[int, int]:
            found = (folder / "current").lstat()
            return found.st_ino, found.st_ctime_ns

        def look() -> None:
            while not stop.is_set():
                before = link()
                try:
                    # As a server does that opens its model: where the link leads, once.
                    number_in((folder / "current").resolve(strict=True))
                except FileNotFoundError as error:
                    # What was replaced while we read it may be gone; what is current may not.
                    if link() == before:
                        broken.append(repr(error))
                except AssertionError as error:
                    broken.append(repr(error))
                time.sleep(0.001)

        looking = threading.Thread(target=look)
        looking.start()
        kills = 0
        try:
            for turn in itertools.count():
                if kills == 10:
                    break
                assert turn < 100, f"only {kills} watchers were killed before they had ended"
                before = number_in(folder / "current")
                after = (before + 1 + turn % 2) % 4
                client.move(ALIAS, f"v{after}")
                process = subprocess.Popen(
                    [
                        *(str(BYNAME), "watch", ALIAS, "--dir", str(folder)),
                        *("--url", site.address, "--keep", "0", "--once"),
                    ],
                    env={**os.environ, "BYNAME_API_KEY": site.key},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                began = time.monotonic()
                try:
                    process.wait(life * chance.uniform(0.3, 1.1))
                    life = time.monotonic() - began
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
                assert number_in(folder / "current") in (before, after)
        finally:
            stop.set()
            looking.join()
        assert broken == []
        assert self.run(site, folder, "--once", "--keep", "0").returncode == 0
        assert versions_in(folder) == [f"v{after}"]
