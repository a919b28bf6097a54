"""The documentation agrees with the code and with itself."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from byname.domain.payload import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "examples").rglob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
LINK_SCRIPT = (ROOT / "examples" / "zoo" / "link.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    broken = [link for link in inside if not (page.parent / link).exists()]
    assert not broken, f"{page.name} links to what is not there: {broken}"


def test_every_setting_is_documented() -> None:
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert "BYNAME_PUBLIC_URL" in page
    assert page == script.settings_page(), "Run `make docs` and commit docs/settings.md."


def test_every_variable_of_a_payload_is_documented() -> None:
    page = (ROOT / "docs" / "automations.md").read_text(encoding="utf-8")
    missing = [name for name in VARIABLES if f"`${{{name}}}`" not in page]
    assert not missing, f"docs/automations.md does not name {missing}."


def test_every_decision_is_on_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    written = {path.name for path in folder.glob("[0-9]*.md")}
    assert written, "The decisions are gone."
    assert written == listed, "Add the decision to docs/decisions/README.md."


def test_no_two_decisions_share_a_number() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


def test_the_changelog_knows_this_release_and_the_next() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert headings[:2] == ["Unreleased", project["version"]]


def test_the_readme_shows_the_script_that_the_demonstration_runs() -> None:
    # The formatter breaks the lines of the page's examples anew; the statements are the same.
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    shown = [ast.dump(ast.parse(example)) for example in examples]
    assert ast.dump(ast.parse(LINK_SCRIPT)) in shown, "README.md and examples/zoo/link.py differ."


def test_the_demonstrations_script_needs_only_the_client() -> None:
    imported = [
        alias.name
        for node in ast.walk(ast.parse(LINK_SCRIPT))
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert imported == ["wandb"]


def test_the_data_is_credited_where_it_is_shipped() -> None:
    for page in (ROOT / "README.md", ROOT / "examples" / "zoo" / "README.md"):
        text = page.read_text(encoding="utf-8")
        for credit in ("Richard Forsyth", "1990", "10.24432/C5R59V", "CC BY 4.0"):
            assert credit in text, f"{page.name} does not say {credit}"
