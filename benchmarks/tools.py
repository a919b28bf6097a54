"""Where do the programs come from that are measured beside Byname? They are fetched once.

Each lives in a folder of its own in the working copy, ignored by git; nothing is installed into
the system, and no service is switched on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.process import MissingError

ROOT = Path(__file__).resolve().parent.parent
INSTALL_SECONDS = 900


def environment(folder: str, requirement: str) -> Path:
    """The Python of a virtual environment that has the requirement.

    Raises:
        MissingError: it could not be made, for example for want of a network.
    """
    home = ROOT / folder
    python = home / "bin" / "python"
    done = home / ".installed"
    package = requirement.partition("=")[0]
    if python.exists() and (done.exists() or _has(python, package)):
        return python
    print(f"Installing {requirement} into {folder} (once) ...", flush=True)
    uv = Path(sys.executable).with_name("uv")
    tool = str(uv) if uv.exists() else shutil.which("uv")
    if tool is not None:
        _run([tool, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
        _run([tool, "pip", "install", "--quiet", "--python", str(python), requirement])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", requirement])
    done.touch()
    return python


def installed_version(python: Path, package: str) -> str:
    """The release of a package in that environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return output([str(python), "-c", code]).strip()


def output(command: Sequence[str]) -> str:
    """What a short command prints. Raises CalledProcessError where it fails."""
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return answer.stdout


def debian_program(package: str, program: str) -> Path:
    """A program of a Debian package: the system's, or unpacked into a folder of the working copy.

    Raises:
        MissingError: neither is possible; says what to install.
    """
    found = shutil.which(program)
    if found is not None:
        return Path(found)
    home = ROOT / "build" / "peers" / package
    unpacked = home / "usr" / "bin" / program
    if unpacked.exists():
        return unpacked
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingError(f"{program} is not installed, and this is no Debian; install {package}")
    print(f"Fetching {package} (once) ...", flush=True)
    home.mkdir(parents=True, exist_ok=True)
    try:
        _run(["apt-get", "download", package], home)
    except MissingError as error:
        raise MissingError(
            f"{program} is not installed. Run `apt-get update` and try again, or "
            f"`apt-get install {package}`.\n{error}"
        ) from None
    _run(["dpkg-deb", "-x", str(next(home.glob(f"{package}_*.deb"))), str(home)])
    return unpacked


def _has(python: Path, package: str) -> bool:
    code = f"import importlib.metadata as m; m.version({package!r})"
    answer = subprocess.run([str(python), "-c", code], check=False, capture_output=True, timeout=60)
    return answer.returncode == 0


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    answer = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if answer.returncode != 0:
        tail = "\n".join((answer.stdout + answer.stderr).splitlines()[-8:])
        raise MissingError(f"{' '.join(command[:3])} failed:\n{tail}")
