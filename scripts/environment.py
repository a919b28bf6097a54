"""Which packages are installed where: makes the virtual environments that the tasks use.

Run it with any Python from 3.11 on and the names of the environments that are wanted. An
environment is complete when it holds its stamp, which is written last and says what was installed:

- the stamp fits: nothing is done;
- the requirements changed: the environment is brought to them;
- no stamp, another Python, or the folder was moved: it is half made or broken, and is made anew.

Packages come from the requirement files with their hashes checked. Needs nothing beside the
standard library.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_OLDEST = (3, 11)
STAMP = ".ready"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in the project's folder, and the requirement file it holds."""

    folder: Path
    requirements: Path
    holds_byname: bool = False

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def wanted(self) -> dict[str, str]:
        """What the stamp of the complete environment says."""
        files = [self.requirements]
        if self.holds_byname:
            files += [UV_REQUIREMENTS, ROOT / "pyproject.toml"]
        installed = hashlib.sha256()
        for file in files:
            installed.update(file.read_bytes())
        return {
            "folder": str(self.folder),
            "python": sys.version,
            "installed": installed.hexdigest(),
            "bytecode": "compiled",
        }

    def found(self) -> dict[str, str]:
        """What the stamp says; empty when the environment is not complete."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        usable = isinstance(stamp, dict) and os.access(self.python, os.X_OK)
        return stamp if usable else {}


UV_REQUIREMENTS = ROOT / "requirements" / "uv.txt"
MAIN = Environment(ROOT / ".venv", ROOT / "requirements" / "test.txt", holds_byname=True)
ENVIRONMENTS = {
    name: Environment(ROOT / f".venv-{name}", ROOT / "requirements" / f"{name}.txt")
    for name in ("wandb-0.31.0", "wandb-0.28.2")
}
"""The clients live apart, so that their dependencies never mix with the server's."""


class Stop(Exception):
    """The set-up cannot go on; the message says what to do."""


def run(*command: str | Path) -> None:
    """Run one command to its good end.

    Raises:
        Stop: it failed; what it printed stands above.
    """
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Stop(f"This step failed: {' '.join(words)}\nRun the same task again to resume.")


def create_main() -> None:
    """`.venv` exists and holds pip."""
    command = [sys.executable, "-m", "venv", str(MAIN.folder)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode == 0:
        return
    # Debian keeps the module that puts pip into an environment in a package of its own.
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get") and "ensurepip" in made.stdout + made.stderr:
        print(f"[set-up] this Python cannot make environments yet: installing {package}")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
        shutil.rmtree(MAIN.folder, ignore_errors=True)
        run(*command)
        return
    raise Stop(
        f"{sys.executable} could not make a virtual environment:\n{made.stdout}{made.stderr}\n"
        f"On Debian, install it once: apt-get install {package}"
    )


def fill(environment: Environment) -> None:
    """The environment holds exactly what its requirement file says."""
    into: tuple[str | Path, ...] = ("--quiet", "--python", environment.python)
    if environment is MAIN:
        pip = (MAIN.python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        run(*pip, "--require-hashes", "-r", UV_REQUIREMENTS)
    uv = MAIN.folder / "bin" / "uv"
    # Compiled once, so that no process has to: some places forbid Python to write what it compiled.
    compiled = ("--compile-bytecode", *into)
    run(uv, "pip", "sync", *compiled, "--require-hashes", environment.requirements)
    if environment.holds_byname:
        run(uv, "pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", ROOT)


def ensure(environment: Environment) -> None:
    """The environment is complete, and its stamp says so."""
    wanted, found = environment.wanted(), environment.found()
    if found == wanted:
        return
    same_place = all(found.get(key) == wanted[key] for key in ("folder", "python"))
    print(f"[set-up] {environment.folder.name}: installing", flush=True)
    if same_place:
        (environment.folder / STAMP).unlink()
    else:
        shutil.rmtree(environment.folder, ignore_errors=True)
        if environment is MAIN:
            create_main()
        else:
            uv = MAIN.folder / "bin" / "uv"
            run(uv, "venv", "--quiet", "--python", sys.executable, environment.folder)
    fill(environment)
    fresh = environment.folder / f"{STAMP}.new"
    fresh.write_text(json.dumps(wanted), encoding="utf-8")
    fresh.replace(environment.folder / STAMP)


def compile_source() -> None:
    """Our own code is compiled as well. What cannot be is said by whoever imports it."""
    command = [str(MAIN.python), "-m", "compileall", "-q", "-j", "0", "src"]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)


def main(names: list[str]) -> int:
    """Make the main environment and the named ones complete."""
    if sys.version_info < PYTHON_OLDEST:
        print(f"Byname needs Python 3.11 or newer; this is {sys.version}", file=sys.stderr)
        return 1
    os.environ.setdefault("UV_HTTP_TIMEOUT", "180")
    if SYSTEM_CERTIFICATES.exists():
        # Trust whom this machine trusts: many a network has a certificate authority of its own.
        os.environ.setdefault("UV_SYSTEM_CERTS", "true")
    # Variables of an environment that happens to be active would mislead the installer.
    os.environ.pop("VIRTUAL_ENV", None)
    place = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(place, fcntl.LOCK_EX)  # Two tasks at once take turns.
    try:
        for environment in (MAIN, *(ENVIRONMENTS[name] for name in names)):
            ensure(environment)
        compile_source()
    except Stop as stop:
        print(f"\n[set-up] {stop}", file=sys.stderr)
        return 1
    finally:
        os.close(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
