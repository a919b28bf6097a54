"""Which system tools a task needs: installs the missing ones where it may, or says so.

In CI (`CI=true`) a tool that stays missing ends the task, so that no test is left out in silence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "requirements" / "debian.txt"


def wanted(task: str) -> dict[str, str]:
    """The commands and files that the task needs, and the Debian package that brings each."""
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines()]
    return {words[1]: words[2] for words in lines if len(words) == 3 and words[0] == task}


def missing(task: str) -> dict[str, str]:
    """Those of them that are not on this machine."""
    # System administrators' tools are not on everyone's search path.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return {
        command: package
        for command, package in wanted(task).items()
        if not (Path(command).exists() if "/" in command else shutil.which(command, path=path))
    }


def install(packages: list[str]) -> None:
    """Ask Debian's package manager for the packages. A failure shows in what is still missing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)


def main(task: str) -> int:
    """Have what the task needs, or say what is missing."""
    lacking = missing(task)
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"[set-up] installing for `make {task}`: {' '.join(sorted(lacking.values()))}")
        install(sorted(lacking.values()))
        lacking = missing(task)
    if not lacking:
        return 0
    print(
        f"[set-up] `make {task}` needs {', '.join(sorted(lacking))}, which this machine lacks.\n"
        f"         Install once: apt-get install {' '.join(sorted(lacking.values()))}",
        file=sys.stderr,
    )
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        return 1
    print("         Going on without; what depends on it will fail.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
