"""The rooms look down only, and every file says what it is for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "src" / "byname").rglob("*.py"))
VAGUE_NAMES = {"utils", "util", "common", "manager", "data", "info", "helpers", "misc"}


def test_imports_point_down_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, (
        f"An import points up or sideways; docs/house.md has the list of rooms.\n{answer.stdout}"
    )


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert words, f"{path.relative_to(ROOT)} needs a docstring: which question does it answer?"


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = [str(path.relative_to(ROOT)) for path in MODULES if path.stem in VAGUE_NAMES]
    assert not vague, f"Name them after the noun they hold: {vague}"
