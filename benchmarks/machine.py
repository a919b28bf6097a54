"""What must be true of the machine before a figure taken on it can be trusted?"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from benchmarks import cpu

BLOCK = bytes(1024 * 1024)


def prewarm(folder: Path, size_bytes: int) -> None:
    """The page cache has free pages that were touched before.

    On a virtual machine the first writer to touch a page pays for the hypervisor's fault, ten times
    the price of the write. Without this the order of the targets would decide who is fastest.
    """
    path = folder / "prewarm"
    with path.open("wb", buffering=0) as file:
        for _ in range(size_bytes * 5 // 4 // len(BLOCK) + 1):
            file.write(BLOCK)
    path.unlink()


def settle(pid: int, *, quiet: float = 0.08, limit_seconds: float = 150.0) -> float:
    """The server's start-up work is over: two windows of 2 s below `quiet` CPU-seconds a second.

    Some servers go on for a minute after they first answer. Returns what it burns when idle, in
    CPU-seconds a second; when the limit passes, what it burns then.
    """
    deadline = time.monotonic() + limit_seconds
    calm = 0
    while True:
        before, started = cpu.seconds(pid), time.monotonic()
        time.sleep(2.0)
        burn = (cpu.seconds(pid) - before) / (time.monotonic() - started)
        calm = calm + 1 if burn < quiet else 0
        if calm == 2 or time.monotonic() > deadline:
            return max(burn, 0.0)


def loop_seconds() -> float:
    """CPU time of a fixed piece of work: how fast this processor is now, others' noise included."""
    started = time.process_time()
    total = 0
    for number in range(400_000):
        total ^= number
    return time.process_time() - started


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def description() -> str:
    """One line about this machine."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {os.uname().release}"
