"""In which order things reach the disk (D5), read from the system calls of a real server."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.rig import ORGANIZATION, TEAM, make_rig
from tests.support.wire import Wire

CALLS = "openat,write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,sendto,sendmsg"
LINE = re.compile(r"^(\d+)\s+[\d.]+ (\w+)\((.*)$")


def traced(pid: int, folder: Path, act: Callable[[], None]) -> list[tuple[str, str]]:
    """The server's system calls while `act` ran, as pairs of name and the rest of the line."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is not installed; `make setup` does it as root"
    out = folder / "trace"
    tracer = subprocess.Popen(
        [
            strace,
            "-f",
            "-y",
            "-ttt",
            "-s",
            "48",
            "-e",
            f"trace={CALLS}",
            "-p",
            str(pid),
            "-o",
            str(out),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert tracer.stderr is not None
        while "attached" not in tracer.stderr.readline():
            assert tracer.poll() is None, "strace may not attach to the server"
        act()
        time.sleep(0.3)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)
    found = []
    for line in out.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if match:
            found.append((match[2], match[3]))
    return found


def place_of(calls: list[tuple[str, str]], names: str, text: str, after: int = -1) -> int:
    """Where the first such call stands behind another."""
    for number, (name, rest) in enumerate(calls):
        if number > after and name in names.split("|") and re.search(text, rest):
            return number
    raise AssertionError(f"no {names} of {text} behind call {after} in\n{calls}")


def test_bytes_then_folder_then_row_then_answer(tmp_path: Path) -> None:
    """D5: file, fsync, rename, fsync of the folder, then the row, its fsync, then the answer."""
    rig = make_rig(tmp_path / "data")
    rig.start()
    try:
        assert rig.process is not None
        wire = Wire(rig.url, rig.api_key)
        body = b"sea lion" * 40_000

        def log() -> None:
            wire.log(TEAM, "order", "model", {"weights": body}, client_id="order")

        wire.resolve(ORGANIZATION, "wandb-registry-Model", "x")
        calls = traced(rig.process.pid, tmp_path, log)
        wire.close()
        opened = place_of(calls, "openat", r"incoming/")
        written = place_of(calls, "write|pwrite64|writev", r"incoming/", opened)
        synced = place_of(calls, "fsync|fdatasync", r"incoming/", written)
        renamed = place_of(calls, "rename|renameat|renameat2|link", r"blobs/", synced)
        folder = place_of(calls, "fsync|fdatasync", r"blobs/\d+/[0-9a-f]{2}[>\"]", renamed)
        row = place_of(calls, "pwrite64", r"byname\.db-wal", folder)
        logged = place_of(calls, "fsync|fdatasync", r"byname\.db-wal", row)
        place_of(calls, "sendto|write|sendmsg|writev", r"HTTP/1\.1 200", logged)
        answers_before = [
            rest
            for name, rest in calls[opened:logged]
            if name in ("sendto", "write", "sendmsg", "writev") and "HTTP/1.1 200" in rest
        ]
        assert answers_before == [], "an answer went out before the row was on disk"
    finally:
        rig.kill()


def test_a_moved_alias_is_on_disk_before_its_answer(tmp_path: Path) -> None:
    """D1, D5: the commit of a moved alias is synced, then answered."""
    rig = make_rig(tmp_path / "data")
    rig.start()
    try:
        assert rig.process is not None
        wire = Wire(rig.url, rig.api_key)
        where = (ORGANIZATION, "wandb-registry-Model", "Zoo")
        ids = []
        for n in range(2):
            made = wire.log(TEAM, "p", "model", {"f": bytes([n])}, client_id=f"c{n}")
            wire.link(made["id"], *where)
            ids.append(made["id"])
        wire.move(ids[0], *where, "production")
        calls = traced(rig.process.pid, tmp_path, lambda: wire.move(ids[1], *where, "production"))
        wire.close()
        row = place_of(calls, "pwrite64", r"byname\.db-wal")
        synced = place_of(calls, "fsync|fdatasync", r"byname\.db-wal", row)
        place_of(calls, "sendto|write|sendmsg|writev", r"HTTP/1\.1 200", synced)
    finally:
        rig.kill()
