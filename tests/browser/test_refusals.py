"""Why a button may not be used is told to a pointer, a finger, keys and a screen reader alike (R179)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MILLISECONDS, PHONE, Visitor
from tests.browser.keyboard import Keys
from tests.browser.pages import COLLECTION, REGISTRY, VERSION
from tests.browser.sample import CLASSIFIERS, fill
from tests.browser.screenshots import log_in
from tests.support.rig import Rig, make_rig

REASON = re.compile(r"you need the role \w+; yours is viewer\.")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that looks lived in; its key is fay's, who may only look."""
    made = make_rig(Path(tmp_path_factory.mktemp("server")))
    made.api_key = fill(made.data).keys["fay"]
    made.start()
    yield made
    made.kill()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture
def finger(chromium: Browser, rig: Rig) -> Iterator[Page]:
    """A phone without pointer or keys, in fay's hand."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    log_in(page, rig.url, rig.api_key)
    yield page
    context.close()


def is_seen(page: Page, reason: str) -> bool:
    """Whether the whole box with these words is on the screen and wider than a dot."""
    box = page.locator(".reason", has_text=reason).first.bounding_box()
    return box is not None and box["width"] > 100 and 0 <= box["x"] <= PHONE["width"] - 100


class TestReasons:
    """R179: buttons a role may not use are shown disabled with the reason."""

    @pytest.mark.parametrize("place", ["#aliases", "#tags"])
    def test_a_finger_on_the_plus_is_told_why(self, rig: Rig, finger: Page, place: str) -> None:
        finger.goto(rig.url + VERSION)
        plus = finger.locator(f"{place} button[aria-disabled=true]")
        reason = plus.locator(".reason").inner_text()
        assert REASON.search(reason)
        assert not is_seen(finger, reason)
        plus.tap(force=True)
        assert is_seen(finger, reason)
        expect(finger.locator("#announced")).to_have_text(reason)
        finger.locator("h1").tap()
        assert not is_seen(finger, reason)
        assert finger.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    def test_a_pointer_and_keys_are_told_why(self, rig: Rig, visit: Callable[..., Visitor]) -> None:
        page = visit(rig.api_key).goto(VERSION)
        plus = page.locator("#aliases button[aria-disabled=true]")
        words = plus.locator(".reason")
        box = words.bounding_box()
        assert box is not None
        assert box["width"] <= 1
        plus.hover()
        shown = words.bounding_box()
        assert shown is not None
        assert shown["width"] > 100
        page.mouse.move(0, 0)
        Keys(page).to(r"\+ To .*")
        reached = words.bounding_box()
        assert reached is not None
        assert reached["width"] > 100
        # A screen reader has it as part of the button's name.
        expect(page.get_by_role("button", name=REASON).first).to_be_visible()

    def test_every_disabled_button_of_a_viewer_has_a_reason(
        self, rig: Rig, visit: Callable[..., Visitor]
    ) -> None:
        visitor = visit(rig.api_key)
        seen = 0
        for path in (
            REGISTRY, f"{REGISTRY}/settings", f"{REGISTRY}/automations", f"{REGISTRY}/new-collection",
            f"{REGISTRY}/link?collection={CLASSIFIERS}", COLLECTION, VERSION,
            f"{COLLECTION}&tab=aliases&alias=staging",
        ):  # fmt: skip
            page = visitor.goto(path)
            for off in page.locator("button:disabled, button[aria-disabled=true]").all():
                around = off.evaluate(
                    "each => (each.closest('.off, form, li') || each).textContent.trim()"
                )
                assert "you need" in around or "Tick two versions" in around or "Only " in around, (
                    path, around,
                )  # fmt: skip
                seen += 1
        assert seen > 20
