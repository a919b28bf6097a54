"""The real client, unmodified, in a virtual environment and home of its own, against a server."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ("0.31.0", "0.28.2")
SCRIPTS = ROOT / "tests" / "contract" / "scripts"
SECONDS_MAX = 240


@dataclass
class Sdk:
    """One release of the client, and what it may know: an address and a key."""

    release: str
    url: str
    api_key: str
    folder: Path

    def name(self, topic: str) -> str:
        """A name that the tests with another release do not use on the same server."""
        return f"{topic}-{self.release.replace('.', '')}"

    @property
    def bin(self) -> Path:
        """The folder of the client's programs."""
        return ROOT / f".venv-wandb-{self.release}" / "bin"

    def environment(self, home: str) -> dict[str, str]:
        """A fresh home and cache for each name, so that nothing comes from an earlier download."""
        private = self.folder / home
        for part in ("dir", "cache", "config", "data", "artifacts", "home"):
            (private / part).mkdir(parents=True, exist_ok=True)
        return {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(private / "home"),
            "LANG": "C.UTF-8",
            "WANDB_BASE_URL": self.url,
            "WANDB_API_KEY": self.api_key,
            "WANDB_DIR": str(private / "dir"),
            "WANDB_CACHE_DIR": str(private / "cache"),
            "WANDB_CONFIG_DIR": str(private / "config"),
            "WANDB_DATA_DIR": str(private / "data"),
            "WANDB_ARTIFACT_DIR": str(private / "artifacts"),
            # The client's makers would be told of errors; a test sends nothing off this machine.
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
            "WANDB_HTTP_TIMEOUT": "60",
        }

    def run(self, *command: str, home: str = "first", **more: str) -> str:
        """What a program of the client said, on both of its outputs.

        Raises:
            AssertionError: it failed; the message holds all it said.
        """
        cwd = self.folder / home
        environment = self.environment(home) | more
        done = subprocess.run(  # noqa: PLW1510  Its output says more than an exception.
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
        assert done.returncode == 0, (
            f"{' '.join(command)} with wandb {self.release} ended with {done.returncode}:\n"
            f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        )
        return done.stdout + done.stderr

    def script(self, name: str, *arguments: str, home: str = "first", **more: str) -> str:
        """What a script of `tests/contract/scripts` said, run by the client's interpreter."""
        return self.run("python", str(SCRIPTS / name), *arguments, home=home, **more)

    def result(self, name: str, *arguments: str, home: str = "first", **more: str) -> Any:
        """What a script reports in its line `RESULT {...}`."""
        said = self.script(name, *arguments, home=home, **more)
        (line,) = [line for line in said.splitlines() if line.startswith("RESULT ")]
        return json.loads(line.removeprefix("RESULT "))
