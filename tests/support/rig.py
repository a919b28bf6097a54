"""A real server in a process of its own, on a free port, which a test may kill at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ORGANIZATION = "smle-reg"
TEAM = "smle-reg-team-2"
READY_SECONDS = 180.0
BYNAME = Path(sys.executable).with_name("byname")
"""The command as it was installed beside this interpreter."""


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that nobody else is given, whether a server listens on it just now or not."""
    with socket.socket() as held:
        # As servers set it: with that, both may have the port, as long as this one does not listen.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


rigs = ExitStack()
"""What keeps their ports: until the end, since any of them may be started again."""


def reserve_port() -> int:
    """A port for a rig, until the end of all tests."""
    return rigs.enter_context(reserved_port())


@dataclass
class Rig:
    """The server's data folder and port; `start` and `kill` as often as a test likes."""

    data: Path
    port: int
    api_key: str
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = (str(BYNAME),)
    settings: dict[str, str] = field(default_factory=dict)
    """Settings of the server, as environment variables."""

    def beside(self, *command: str) -> Rig:
        """Another server on the same data folder, not started; by another command when given."""
        return Rig(self.data, reserve_port(), self.api_key, None, command or self.command)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.data / "server.log"

    def start(self) -> float:
        """The server answers `/ready`; how many seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(*self.command, "serve"),
                    *("--data", str(self.data), "--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={k: v for k, v in os.environ.items() if not k.startswith("BYNAME_")}
                | self.settings,
            )
        while time.monotonic() - began < READY_SECONDS:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended at once: {self.log.read_text()[-2000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError(f"The server was not ready in time: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """The whole process group is gone, with no chance to tidy up."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """End by SIGTERM; the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        self.process = None
        return code

    def ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The answer of the REST face below `/api/v1`, asked by the administrator; None if empty."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": "Basic " + b64encode(f"api:{self.api_key}".encode()).decode(),
            },
            method=method,
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def add_person(self, username: str, role: str) -> str:
        """Somebody new with that role in the organization; their key."""
        made = self.ask("POST", "/users", {"username": username, "email": f"{username}@x.org"})
        self.ask("PUT", f"/organizations/{ORGANIZATION}/members/{username}", {"role": role})
        return str(made["api_key"])


def make_rig(folder: Path, *, username: str = "ann") -> Rig:
    """A server that is set up, but not started."""
    done = subprocess.run(
        [
            *(str(BYNAME), "setup", "--data", str(folder)),
            *("--username", username, "--email", f"{username}@example.org"),
            *("--organization", ORGANIZATION, "--team", TEAM, "--json"),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return Rig(folder, reserve_port(), json.loads(done.stdout)["api_key"])
