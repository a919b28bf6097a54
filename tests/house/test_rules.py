"""Every rule has a test that names it, or a reason why not."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = util.spec_from_file_location("rules", ROOT / "scripts" / "rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_tests(script: ModuleType) -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    # Which tests name a rule changes with every test; which rules there are does not.
    listed = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| R")]
    assert listed == [f"R{number}" for number in script.rules()], "Run `make docs`."
    assert "nowhere yet" not in page, "Run `make docs`."


def test_every_rule_has_a_test_or_a_reason(script: ModuleType) -> None:
    where = script.places()
    bare = [f"R{n}" for n in script.rules() if n not in where and n not in script.WITHOUT]
    assert not bare, (
        "No test names these; name them in a test's docstring, or say why not in scripts/rules.py: "
        + ", ".join(bare)
    )


def test_every_rule_is_listed_once_and_in_order(script: ModuleType) -> None:
    numbers = [number for titles in script.SECTIONS.values() for number in titles]
    assert numbers == sorted({*range(1, 125), *range(146, 172), *range(182, 195)})
    assert set(script.WITHOUT) <= set(numbers)


def test_a_rule_in_a_docstring_or_a_comment_is_found(script: ModuleType) -> None:
    """The search looks into tests only: not at imports, helpers and ranges of a whole file."""
    where = script.places()
    assert "tests/operations/test_star.py::TestStars" in where[28]
    assert any("test_roles_have_their_names_on_the_wire" in each for each in where[100])
    assert not any(
        each.endswith(".py") and "/scripts/" not in each for n in where for each in where[n]
    )
