"""The set-up of the working copy: complete, repaired when half made, honest about what is missing."""

import importlib.util
import json
import re
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> ModuleType:
    """A script of `scripts/`, as a module."""
    spec = importlib.util.spec_from_file_location(f"{name}_script", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look up the module they are made in.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


environment_script = load("environment")
debian_script = load("debian")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An environment whose commands are only written down, in `environment_script.asked`."""
    requirements = tmp_path / "some.txt"
    requirements.write_text("some==1\n", encoding="utf-8")
    made = environment_script.Environment(tmp_path / "venv", requirements)
    asked: list[str] = []

    def run(*command: str | Path) -> None:
        words = [str(word) for word in command]
        asked.append(words[1] if words[1] == "venv" else " ".join(words[1:3]))
        if words[1] == "venv":
            made.python.parent.mkdir(parents=True)
            made.python.symlink_to(sys.executable)

    monkeypatch.setattr(environment_script, "run", run)
    monkeypatch.setattr(environment_script, "asked", asked, raising=False)
    return made


def asked_by(environment: Any) -> list[str]:
    """What `ensure` asks for."""
    environment_script.asked.clear()
    environment_script.ensure(environment)
    return list(environment_script.asked)


class TestAnEnvironmentIsMadeOnce:
    """A complete environment is left alone; everything else is brought to completeness."""

    def test_from_nothing_it_is_made_and_filled(self, environment: Any) -> None:
        assert asked_by(environment) == ["venv", "pip sync"]

    def test_a_complete_one_is_left_alone(self, environment: Any) -> None:
        asked_by(environment)
        assert asked_by(environment) == []

    def test_changed_requirements_are_installed_into_it(self, environment: Any) -> None:
        asked_by(environment)
        environment.requirements.write_text("some==2\n", encoding="utf-8")
        assert asked_by(environment) == ["pip sync"]
        assert asked_by(environment) == []

    def test_a_half_made_one_is_made_anew(self, environment: Any) -> None:
        environment.python.parent.mkdir(parents=True)
        leftover = environment.folder / "half"
        leftover.touch()
        assert asked_by(environment) == ["venv", "pip sync"]
        assert not leftover.exists()

    def test_an_update_that_was_interrupted_is_made_anew(
        self, environment: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked_by(environment)
        environment.requirements.write_text("some==2\n", encoding="utf-8")

        def interrupted(_environment: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(environment_script, "fill", interrupted)
            with pytest.raises(KeyboardInterrupt):
                environment_script.ensure(environment)
        assert asked_by(environment) == ["venv", "pip sync"]

    def test_one_whose_python_is_gone_is_made_anew(self, environment: Any) -> None:
        asked_by(environment)
        environment.python.unlink()
        environment.python.symlink_to(environment.folder / "gone")
        assert asked_by(environment) == ["venv", "pip sync"]

    def test_one_that_was_moved_is_made_anew(self, environment: Any) -> None:
        asked_by(environment)
        stamp = environment.folder / environment_script.STAMP
        words = json.loads(stamp.read_text(encoding="utf-8"))
        stamp.write_text(json.dumps({**words, "folder": "elsewhere"}), encoding="utf-8")
        assert asked_by(environment) == ["venv", "pip sync"]


class TestAMissingToolIsNeverSilent:
    """A tool that the tests need and that cannot be installed ends the task in CI."""

    @pytest.fixture(autouse=True)
    def _nobody_special(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(debian_script, "wanted", lambda _task: {"no-such-tool": "its-package"})
        monkeypatch.setattr(debian_script.os, "geteuid", lambda: 1000)

    def test_in_ci_it_ends_the_task(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("CI", "true")
        assert debian_script.main("test") == 1
        assert "apt-get install its-package" in capsys.readouterr().err

    def test_elsewhere_it_is_said(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("CI", raising=False)
        assert debian_script.main("test") == 0
        assert "no-such-tool" in capsys.readouterr().err

    def test_the_list_has_what_the_tests_need(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        assert {"strace", "chromium-headless-shell"} <= set(debian_script.wanted("test"))
        monkeypatch.setattr(debian_script, "wanted", lambda _task: {__file__: "x", "/none": "y"})
        assert debian_script.missing("test") == {"/none": "y"}


class TestAServerIsInstalledByHand:
    """What the README says installs exactly what the requirement file names, with any pip."""

    def test_the_file_names_everything_that_is_needed(self) -> None:
        text = (ROOT / "requirements" / "byname.txt").read_text(encoding="utf-8")
        named = {
            canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
        }
        assert "uvicorn" in named
        needed = needed_by("byname", ("", "server", "oidc"))
        assert "email-validator" in needed, "What an extra of a package brings is looked at, too."
        assert needed <= named, "Run `make requirements` and commit requirements/byname.txt."

    def test_pip_is_told_to_look_for_nothing_else(self) -> None:
        # Without --no-deps pip refuses what a package wants with an extra: it is not pinned so.
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        lines = [line for line in readme.splitlines() if "-r requirements/byname.txt" in line]
        assert lines
        for line in lines:
            assert "--require-hashes" in line
            assert "--no-deps" in line


def needed_by(package: str, extras: tuple[str, ...]) -> set[str]:
    """What the package needs on this machine with these extras, and what that needs, by name."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(package, extra) for extra in extras]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        name, wanted = each
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                inner = canonicalize_name(requirement.name)
                found.add(inner)
                waiting += [(inner, extra) for extra in ("", *requirement.extras)]
    return found
