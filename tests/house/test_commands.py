"""The commands that the documentation names are there, and do what it says."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import typer

from byname.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
DOCUMENTED = re.compile(r"^([a-z][a-z-]*):.*## \S", re.MULTILINE)
# A command in backquotes, or at the beginning of a line of a code block.
NAMED = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
# Of ours, the words up to the first that no command is called, such as a name or an option.
BYNAME = re.compile(r"(?:`|^)byname ((?:[a-z][a-z-]*[ `\n|])+)", re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_readme_begins_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split("#")[0].strip() for line in lines if line.startswith("make ")]
    assert commands[:2] == ["make demo", "make test"]
    assert lines.index("```sh") < 5, "The two commands stand before everything else."


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_command_a_page_names_exists(page: Path) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    unknown = named - set(TARGET.findall(MAKEFILE))
    assert not unknown, f"{page.name} names tasks that the Makefile lacks: {sorted(unknown)}"


def unknown_command(words: list[str]) -> str | None:
    """The first of the words where a command should stand that is none."""
    command = typer.main.get_command(app)
    for word in words:
        inner = getattr(command, "commands", None)
        if inner is None:
            return None
        if word not in inner:
            return word
        command = inner[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_byname_command_a_page_names_exists(page: Path) -> None:
    named = BYNAME.findall(page.read_text(encoding="utf-8"))
    unknown = [text for text in named if unknown_command(re.findall(r"[a-z-]+", text))]
    assert not unknown, f"{page.name} names commands that are not there: {unknown}"


def test_the_pages_commands_are_looked_at() -> None:
    text = (ROOT / "docs" / "without-the-sdk.md").read_text(encoding="utf-8")
    assert len(BYNAME.findall(text)) > 8
    assert unknown_command(["key", "list"]) == "list"
    assert unknown_command(["registry", "ls", "smle-reg"]) is None


def test_every_task_has_a_line_of_help() -> None:
    silent = set(TARGET.findall(MAKEFILE)) - set(DOCUMENTED.findall(MAKEFILE))
    assert not silent, f"Add `## what it does` behind these tasks in the Makefile: {sorted(silent)}"


def test_make_alone_lists_every_task() -> None:
    # What a surrounding make hands down would change what this one prints.
    clean = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    clean.pop("MFLAGS", None)
    answer = subprocess.run(
        ["make"], cwd=ROOT, env=clean, capture_output=True, text=True, check=True
    )
    listed = {line.split()[1] for line in answer.stdout.splitlines()}
    assert listed == set(TARGET.findall(MAKEFILE))


def test_continuous_integration_runs_the_readme_command() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text(encoding="utf-8").splitlines()
    assert os.access(script, os.X_OK), "chmod +x .ci/run"
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert lines[-1] == "exec make test </dev/null"
