"""How is a server under measurement started, waited for and stopped?"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import cpu

Address = tuple[str, int]


class MissingError(Exception):
    """A server cannot be run here; the text says what is missing and how to get it."""


@dataclass
class Server:
    """A running server of ours on 127.0.0.1. Leaving its context stops every process of it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    idle: float = 0.0
    """CPU-seconds a second when nobody asks anything; taken off every figure."""

    @property
    def address(self) -> Address:
        """Where it listens."""
        return ("127.0.0.1", self.port)

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self, path: str, *, limit_seconds: float) -> None:
        """It answers 200 to GET `path`.

        Raises:
            MissingError: it ended, or did not answer in time; with the end of its log.
        """
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, urllib.error.URLError):
                with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                    if answer.status == 200:
                        return
            time.sleep(0.2)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        raise MissingError(
            f"{self.name} did not come up at {self.url}{path}; its log ends with:\n{tail}"
        )

    def stop(self) -> None:
        """None of its processes runs any more."""
        members = set(cpu.tree(self.pid))
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        for pid in members | set(cpu.tree(self.pid)):
            # Children outlive some servers. Each is told by its own number, and only if it is
            # still the process we saw: its session is the one we made.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid:
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    name: str, port: int, command: Sequence[str], folder: Path, extra: Mapping[str, str]
) -> Server:
    """Run a server in a session of its own, in `folder`, with its output in `server.log` there."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **extra},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(name, port, process, log)
