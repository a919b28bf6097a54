"""A real browser, and a real server of each test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.rig import Rig, make_rig

PATIENCE_MILLISECONDS = 90_000
"""How long a page is waited for that comes sooner on the slowest machine."""
expect.set_options(timeout=PATIENCE_MILLISECONDS)

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser, and what it complained about meanwhile."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def goto(self, path: str) -> Page:
        """The page of that path, loaded."""
        self.page.goto(self.url + path)
        return self.page

    def log_in(self, api_key: str) -> None:
        """Logged in with that key, by the form that people use."""
        self.goto("/login")
        self.page.get_by_text("Log in with an API key").click()
        self.page.fill("input[name=api_key]", api_key)
        self.page.locator("form:has(input[name=api_key]) button").click()
        self.page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module; each gets a context of its own.

    It lives no longer, since its event loop would be in the way of tests that start their own.
    """
    program = shutil.which("chromium-headless-shell")
    assert program is not None, "chromium-headless-shell is missing; `make test` installs it"
    with sync_playwright() as playwright:
        # Root may not use the sandbox; nothing but our own pages is ever opened.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that is set up and running; `rig.api_key` is that of ann, its administrator."""
    made = make_rig(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]


@pytest.fixture
def visit(chromium: Browser, rig: Rig, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser of its own for somebody; any complaint of it fails the test."""
    opened: list[tuple[BrowserContext, Visitor]] = []

    def open_browser(api_key: str | None = None, *, phone: bool = False) -> Visitor:
        context = chromium.new_context(viewport=PHONE if phone else DESKTOP)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        visitor = Visitor(context.new_page(), rig.url)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.on(
            "console",
            lambda message: (
                visitor.complaints.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )
        opened.append((context, visitor))
        if api_key is not None:
            visitor.log_in(api_key)
        return visitor

    yield open_browser
    complaints = [each for _, visitor in opened for each in visitor.complaints]
    for context, _ in opened:
        context.close()
    assert not complaints, f"The browser complained: {complaints}"
