"""What commands do for people at a terminal, and not for programs (R185)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.world import make_world

BYNAME = Path(sys.executable).with_name("byname")
TIMEOUT_SECONDS = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as it is after the set-up."""
    world = make_world(tmp_path)
    world.nobody.blobs.close()
    world.nobody.database.close()
    return tmp_path


def on_terminal(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output, and what stood on the terminal that standard error is."""
    shown, terminal = pty.openpty()
    parts: list[bytes] = []
    # Read all the time: a terminal holds little, and how much is shown depends on how long it takes.
    reading = threading.Thread(target=read_to_end, args=(shown, parts))
    reading.start()
    try:
        done = subprocess.run(
            [BYNAME, *words],
            stdout=subprocess.PIPE,
            stderr=terminal,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        )
    finally:
        os.close(terminal)
        reading.join()
        os.close(shown)
    return done.returncode, done.stdout, b"".join(parts).decode()


def read_to_end(shown: int, parts: list[bytes]) -> None:
    try:
        while part := os.read(shown, 65_536):
            parts.append(part)
    except OSError:
        pass  # On Linux the end of a terminal is an error.


class TestLongWorkShowsThatItGoesOn:
    """R185: progress bars on long work, for those who watch and for nobody else."""

    @pytest.mark.parametrize(
        ("words", "title"),
        [(("check",), "Checking"), (("gc",), "Collecting garbage")],
        ids=["check", "gc"],
    )
    def test_on_a_terminal_only(self, folder: Path, words: tuple[str, ...], title: str) -> None:
        command = [*words, "--data", str(folder)]
        code, text, terminal = on_terminal(*command)
        assert code == 0
        assert title in terminal
        assert title not in text
        code, _, terminal = on_terminal(*command, "--json")
        assert (code, terminal) == (0, "")
        piped = subprocess.run(
            [BYNAME, *command], capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
        assert (piped.returncode, piped.stderr) == (0, b"")


class TestShellsCompleteTheCommands:
    """R185: shell completion. The script is run by a real bash, as the Tab key does."""

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("byname ali", ["alias"]),
            ("byname alias u", ["undo"]),
            ("byname version --he", ["--help"]),
            ("byname nothing-like-it", []),
        ],
    )
    def test_in_bash(self, typed: str, expected: list[str]) -> None:
        words = typed.split(" ")
        script = f"""
            eval "$(_BYNAME_COMPLETE=source_bash byname)"
            complete -p byname >/dev/null || exit 9
            COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}
            _byname_completion byname
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "PATH": f"{BYNAME.parent}:{os.environ['PATH']}"},
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split() == expected
