"""The first minutes, inviting somebody, restoring, and logging in with a provider, by clicking."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESKTOP, PATIENCE_MILLISECONDS, Visitor
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider, providing
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig, reserve_port
from tests.support.sdk import Sdk

PASSWORD = "correct horse battery"
COLLECTION = "Zoo_Classifier_Models"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser in which nobody is logged in."""
    context = chromium.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    made = context.new_page()
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert not complaints


def log_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    page.goto(url + "/login")
    page.fill("#username", name)
    page.fill("#password", password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda address: "/login" not in address)


def test_from_the_first_start_to_the_first_linked_version(tmp_path: Path, page: Page) -> None:
    """Set-up, log-in, a key, the unmodified client, and there is the version."""
    rig = Rig(tmp_path / "data", reserve_port(), "")
    rig.data.mkdir()
    rig.start()
    try:
        [address] = re.findall(r"http://\S+/setup\?token=\S+", rig.log.read_text())
        page.goto(address)
        for name, text in (
            ("username", "ann"), ("email", "ann@example.org"), ("password", PASSWORD),
            ("organization", ORGANIZATION), ("team", TEAM),
        ):  # fmt: skip
            page.fill(f"#{name}", text)
        page.get_by_role("button", name="Set up").click()
        page.get_by_text("Ready, ann").wait_for()
        page.goto(address)
        assert page.get_by_role("alert").inner_text().startswith("This server is set up already")
        log_in(page, rig.url, "ann")
        page.goto(rig.url + "/account")
        page.fill("#name", "laptop")
        page.get_by_role("button", name="Make a key").click()
        key = page.locator(".secret code").inner_text()
        page.goto(rig.url + "/account")
        assert key not in page.content()
        sdk = Sdk("0.31.0", rig.url, key, tmp_path)
        (tmp_path / "first").mkdir()
        for name in ("zoo_dataset", "zoo_labels"):
            (tmp_path / "first" / f"{name}.pt").write_bytes(secrets.token_bytes(500))
        sdk.script("main_link.py")
        page.goto(f"{rig.url}/orgs/{ORGANIZATION}/registry/Model")
        page.get_by_role("link", name=COLLECTION).first.click()
        page.get_by_text("production-us").first.wait_for()
        page.goto(rig.url + "/projects")
        page.get_by_role("link", name="zoo_experiment").click()
        page.get_by_text("zoo_dataset").first.wait_for()
        page.get_by_role("link", name="Runs", exact=True).click()
        page.locator("tbody th a").first.click()
        page.get_by_role("link", name="Artifacts", exact=True).click()
        page.get_by_role("link", name=re.compile(r"zoo_dataset:v0")).wait_for()
    finally:
        rig.kill()


def test_somebody_is_invited_in_one_browser_and_comes_in_with_another(
    rig: Rig, visit: Callable[..., Visitor]
) -> None:
    """R192: the link is shown once, works once, and leads into the team."""
    ann = visit(rig.api_key)
    ann.page.get_by_label("Menu of ann").click()
    ann.page.get_by_role("link", name="This server").click()
    ann.page.get_by_role("link", name="People", exact=True).click()
    ann.page.fill("#username", "bob")
    ann.page.fill("#email", "bob@example.org")
    ann.page.fill("#full-name", "Bob Example")
    ann.page.fill("#organization", ORGANIZATION)
    ann.page.get_by_role("button", name="Invite", exact=True).click()
    link = ann.page.locator(".secret code").inner_text()
    assert link.startswith(f"{rig.url}/invitation?token=")

    bob = visit()
    bob.page.goto(link)
    bob.page.get_by_text("Welcome, Bob Example").wait_for()
    bob.page.fill("#password", PASSWORD)
    bob.page.fill("#again", PASSWORD)
    bob.page.get_by_role("button", name="Set the password and log in").click()
    bob.page.get_by_label("Menu of bob").wait_for()
    again = visit()
    again.page.goto(link)
    assert "opens nothing" in again.page.get_by_role("alert").inner_text()

    bob.goto(f"/{TEAM}?tab=members")
    assert bob.page.get_by_role("button", name="Add to").is_disabled()
    ann.goto(f"/{TEAM}?tab=members")
    ann.page.fill("#who", "bob@example.org")
    ann.page.get_by_role("button", name="Add", exact=True).click()
    ann.page.get_by_role("status").get_by_text("bob is member of").wait_for()
    bob.goto("/projects")
    bob.page.get_by_role("link", name=TEAM, exact=True).wait_for()
    ann.goto(f"/{TEAM}?tab=members")
    ann.page.get_by_role("link", name="Remove bob").click()
    ann.page.locator("dialog").get_by_role("button", name="Remove", exact=True).click()
    ann.page.get_by_text(f"bob is not in {TEAM} any more").wait_for()
    bob.goto("/projects")
    assert bob.page.get_by_role("link", name=TEAM, exact=True).count() == 0


def test_what_was_deleted_comes_back_from_the_trash(
    rig: Rig, visit: Callable[..., Visitor]
) -> None:
    """R164: a registry is deleted and restored, with what is in it."""
    rig.ask("POST", f"/registries/{ORGANIZATION}", {"name": "Lost"})
    place = f"/registries/{ORGANIZATION}/Lost"
    rig.ask("POST", f"{place}/collections", {"name": "Kept", "type": "model"})
    visitor = visit(rig.api_key)
    rig.ask("DELETE", place, {})
    visitor.goto(f"/orgs/{ORGANIZATION}/registry/Lost")
    visitor.page.get_by_text("does not exist or you have no access").wait_for()
    visitor.goto(f"/orgs/{ORGANIZATION}/trash")
    visitor.page.get_by_role("button", name=f"Restore {ORGANIZATION}/wandb-registry-Lost").click()
    visitor.page.get_by_text("is there again").wait_for()
    visitor.goto(f"/orgs/{ORGANIZATION}/registry/Lost")
    visitor.page.get_by_role("link", name="Kept").first.wait_for()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


def test_somebody_logs_in_with_the_provider_and_out_again(
    tmp_path: Path, provider: Provider, page: Page
) -> None:
    """R195: the provider's word and a click; the session ends here."""
    rig = make_rig(tmp_path / "data")
    rig.settings = {
        "BYNAME_OIDC_ISSUER": provider.address,
        "BYNAME_OIDC_CLIENT_ID": CLIENT_ID,
        "BYNAME_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "BYNAME_OIDC_NAME": "Example",
        "BYNAME_OIDC_CREATE_USERS": "true",
        "BYNAME_OIDC_ORGANIZATION": ORGANIZATION,
    }
    provider.person |= {"email": "new@example.org", "preferred_username": "newcomer"}
    rig.start()
    try:
        page.goto(f"{rig.url}/orgs/{ORGANIZATION}/registry/Model")
        page.get_by_role("link", name="Log in with Example").click()
        page.get_by_role("heading", name="Provider").wait_for()
        page.get_by_role("link", name="Continue").click()
        page.get_by_label("Menu of newcomer").wait_for()
        assert page.url == f"{rig.url}/orgs/{ORGANIZATION}/registry/Model"
        page.get_by_label("Menu of newcomer").click()
        page.get_by_role("button", name="Log out").click()
        page.goto(rig.url + "/account")
        assert "/login" in page.url
        assert CLIENT_SECRET not in rig.log.read_text()
    finally:
        rig.kill()
