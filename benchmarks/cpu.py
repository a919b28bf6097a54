"""How much processor time and memory has a server used, its whole tree of processes counted?

Read from the kernel's accounts; nothing runs inside the server and no sampler runs beside it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """The live processes of a server: its descendants, and all of the session it was started in."""
    parents: dict[int, int] = {}
    members = {root}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        fields = _stat(int(folder.name))
        if fields is None:
            continue
        parents[int(folder.name)] = int(fields[1])
        if int(fields[3]) == root:
            members.add(int(folder.name))
    while True:
        more = {pid for pid, parent in parents.items() if parent in members} - members
        if not more:
            return sorted(members & parents.keys())
        members |= more


def seconds(root: int) -> float:
    """User and system time used so far by the tree, with that of children that have exited."""
    total = 0.0
    for pid in tree(root):
        fields = _stat(pid)
        if fields is None:
            continue
        # Counted from the state: 11 utime, 12 stime, 13 cutime, 14 cstime, in ticks.
        total += (int(fields[13]) + int(fields[14])) / TICKS_PER_SECOND
        try:
            # The process's own clock (CPUCLOCK_SCHED of that pid) says the same in nanoseconds.
            total += time.clock_gettime(~pid << 3 | 2)
        except OSError:
            total += (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
    return total


def forget_peak(root: int) -> None:
    """The peak that `peak_rss` reads begins anew from the present memory."""
    for pid in tree(root):
        try:
            (PROC / str(pid) / "clear_refs").write_text("5")
        except OSError:
            continue  # The process has ended, or is not ours; its peak then stays what it was.


def peak_rss(root: int) -> float:
    """MiB: the peaks of resident memory of the tree's processes, added up."""
    return sum(_field(pid, "status", "VmHWM:") for pid in tree(root)) / 1024


def pss(root: int) -> float:
    """MiB of memory in use, with what processes share counted once."""
    return sum(_field(pid, "smaps_rollup", "Pss:") for pid in tree(root)) / 1024


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in brackets and may hold anything; what follows it begins with the state.
    return text[text.rindex(")") + 2 :].split()


def _field(pid: int, file: str, name: str) -> int:
    try:
        text = (PROC / str(pid) / file).read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
