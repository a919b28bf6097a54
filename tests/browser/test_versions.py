"""What people do with the names of versions, by clicking, after the real client logged them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.support.rig import ORGANIZATION, TEAM, Rig
from tests.support.sdk import ROOT, Sdk

SCRIPT = ROOT / "examples" / "zoo" / "link.py"
NAME = "Zoo_Classifier_Models"
REGISTRY = f"/orgs/{ORGANIZATION}/registry/Model"
COLLECTION = f"{REGISTRY}?selectionPath={ORGANIZATION}%2Fwandb-registry-Model%2F{NAME}"
SOURCE = f"/{TEAM}/zoo_experiment/artifacts/dataset/zoo_dataset/v0"


def version(number: int) -> str:
    return f"{COLLECTION}&view=membership&version=v{number}"


@pytest.fixture(scope="module")
def logged(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """The example's script ran, and once more in another run, with other data and no aliases."""
    folder = tmp_path_factory.mktemp("client")
    sdk = Sdk("0.31.0", rig.url, rig.api_key, folder)
    text = SCRIPT.read_text()
    again = text.replace(', aliases=["production-us", "production-eu"]', "")
    assert again != text
    for number, script in enumerate((text, again)):
        home = folder / f"home{number}"
        home.mkdir()
        for name in ("zoo_dataset.pt", "zoo_labels.pt"):
            (home / name).write_bytes(b"%d of " % number + name.encode())
        (home / "link.py").write_text(script)
        sdk.run("python", "link.py", home=home.name)
    rig.ask(
        "POST", f"/registries/{ORGANIZATION}/Model/protected-aliases", {"name": "production-us"}
    )
    return rig


def badges(page: Page) -> list[str]:
    """The aliases in the field of a version's page, as a screen reader hears them."""
    found = page.locator("#aliases .alias").all_inner_texts()
    return [" ".join(each.replace("\u00d7", "").split()) for each in found]


def test_the_life_of_a_name(logged: Rig, visit: Callable[..., Visitor]) -> None:
    """R73, R83, R70, R189, R149, R59, R158: add, move, look back, restore, lineage, compare, unlink."""
    ann = visit(logged.api_key)
    page = ann.goto(COLLECTION)
    page.get_by_role("link", name="View v0", exact=True).click()
    assert badges(page) == ["production-eu", "protected production-us"]

    # + beside Aliases, with what is wrong beside it (R73).
    page.get_by_label("Add an alias").click()
    page.get_by_label("New alias").fill("v7")
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("#aliases [role=alert]")).to_contain_text("version number")
    page.get_by_label("New alias").fill("best")
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("#aliases")).to_contain_text("best")
    assert badges(page) == ["best", "production-eu", "protected production-us"]

    # A protected one moves to the next version; it says first where it is (R70, R83).
    ann.goto(version(1))
    page.get_by_label("Add an alias").click()
    page.get_by_label("New alias").fill("production-us")
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("#aliases")).to_contain_text("production-us is on v0 now")
    page.get_by_role("button", name="Move it to v1").click()
    expect(page.locator("#aliases .alias.protected")).to_contain_text("production-us")
    assert badges(page) == ["latest", "protected production-us"]

    # Its timeline, and back (R189).
    page.get_by_role("link", name="production-us", exact=True).click()
    told = page.locator(".timeline li").first
    expect(told).to_contain_text("moved it from v0 to v1")
    page.get_by_role("link", name="Restore revision 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    expect(page.locator(".notice").first).to_contain_text("production-us is on v0 again.")
    expect(page.locator(".timeline li").first).to_contain_text("moved it from v1 to v0")

    # Lineage: a click on a node shows its details (R149).
    ann.goto(version(0))
    page.get_by_role("link", name="Lineage").click()
    page.locator(".graph .node.run a").first.click()
    expect(page.locator("#side")).to_contain_text("State")
    expect(page.locator("#side .label.run")).to_be_visible()

    # Two versions side by side (R59).
    ann.goto(COLLECTION)
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    # Another area's style once made them unseen, which no click would notice.
    expect(page.get_by_label("Compare v0")).to_have_css("opacity", "1")
    page.get_by_label("Compare v0").check()
    page.get_by_label("Compare v1").check()
    compare.click()
    expect(page.locator("h1")).to_have_text("v0 and v1")
    expect(page.locator("main")).to_contain_text("zoo_dataset changed")

    # Unlinking says what goes, and it is gone (R158, R160).
    ann.goto(version(1))
    page.get_by_label("More for v1").click()
    page.get_by_role("link", name="Unlink").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("latest")
    dialog.get_by_role("button", name="Unlink").click()
    expect(page.locator(".notice").first).to_contain_text("v1 is unlinked")
    assert page.locator("tbody th").all_inner_texts() == ["v0"]


def test_r43_from_a_project_into_a_registry(logged: Rig, visit: Callable[..., Visitor]) -> None:
    """R43: an artifact version in a project, Link to registry, collection, optional aliases."""
    page = visit(logged.api_key).goto(SOURCE)
    page.get_by_label("More for v0").click()
    page.get_by_role("link", name="Link to registry").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("link", name="Dataset", exact=True).click()
    dialog.get_by_label("Collection").fill("Zoo data")
    dialog.get_by_label("Aliases").fill("first, checked")
    dialog.get_by_role("button", name="Link to registry").click()
    expect(page.locator(".notice").first).to_contain_text("Linked as v0 of Zoo data.")
    assert badges(page) == ["checked", "first", "latest"]
    assert re.search(r"Zoo%20data&view=membership&version=v0", page.url)


def test_a_role_lowered_while_a_page_is_open(
    logged: Rig, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Edge case 19: the next click is refused; R179: the page then says why."""
    key = logged.add_person("max", "member")
    place = f"/registries/{ORGANIZATION}/Model/members/max"
    logged.ask("PUT", place, {"role": "member"})
    page = visit(key).goto(version(0))
    # A Member sees a protected alias that cannot be taken off, and may put on an ordinary one.
    expect(page.get_by_label("Remove the alias production-us")).to_have_count(0)
    expect(page.get_by_label("Remove the alias production-eu")).to_have_count(1)
    page.get_by_label("Add an alias").click()
    page.get_by_label("New alias").fill("mine")
    logged.ask("PUT", place, {"role": "viewer"})
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("main [role=alert]")).to_contain_text("yours is viewer")
    assert "mine" not in " ".join(badges(page))
    expect(page.get_by_label("Add an alias")).to_have_count(0)
    page.reload()
    assert "mine" not in " ".join(badges(page))
