"""Nothing of the machine it was made on is in the project, and what it installs is pinned."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
LOCKED = [path for path in REQUIREMENTS if path.name != "debian.txt"]
# Put together here, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(?:work|root|opt|home)/\w")
INDEX_HOSTS = [f"{name}.org" for name in ("pypi", "pythonhosted")]
INDEX = re.compile("|".join(re.escape(host) for host in INDEX_HOSTS))
PACKAGE = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def project_files() -> list[Path]:
    """What is committed, or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = {ROOT / name for name in answer.stdout.split("\0") if name}
    return sorted(path for path in paths if path.is_file())


def canonical(name: str) -> str:
    """A package's name as every tool agrees on it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_file_names_a_folder_of_this_machine_or_a_package_index() -> None:
    files = project_files()
    found = []
    for path in files:
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE_PATH.search(line) or INDEX.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert len(files) > 20
    assert not found, "Take these out:\n" + "\n".join(found)


@pytest.mark.parametrize("sample", ["see /{}/x", "'/{}/x'", "a=/{}/x"])
def test_the_search_finds_a_machine_path(sample: str) -> None:
    assert MACHINE_PATH.search(sample.format("work"))
    assert INDEX.search("https://" + INDEX_HOSTS[0])


def test_large_files_stay_out() -> None:
    large = [path for path in project_files() if path.stat().st_size > 1_000_000]
    assert not large, f"More than 1 MB: {large}"


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_every_pinned_package_has_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert blocks
    for block in blocks:
        assert PACKAGE.match(block), f"Not a pinned package: {block[:80]}"
        assert "--hash=sha256:" in block, f"No hash: {block[:80]}"
    assert "://" not in text
    assert "-url" not in text


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {
        "byname.txt": project["dependencies"],
        "test.txt": project["dependencies"] + project["optional-dependencies"]["test"],
    }
    for name, wanted in groups.items():
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        pinned = {canonical(package) for package, _ in PACKAGE.findall(text)}
        names = {canonical(re.split(r"[<>=!~\[; ]", line)[0]) for line in wanted}
        assert not names - pinned, f"Run `make requirements`: {name} lacks {names - pinned}"


def test_both_client_releases_are_pinned() -> None:
    for release in ("0.31.0", "0.28.2"):
        text = (ROOT / "requirements" / f"wandb-{release}.txt").read_text(encoding="utf-8")
        assert ("wandb", release) in PACKAGE.findall(text)


def test_the_vulnerable_build_of_the_driver_is_not_installed() -> None:
    for path in LOCKED:
        assert "pysqlite3-binary" not in path.read_text(encoding="utf-8")
