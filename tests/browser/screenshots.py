"""`make screenshots`: a picture of every page, light and dark, wide and narrow, to be looked at.

    python -m tests.browser.screenshots [NAME ...] [--scheme light] [--width 1280]
    python -m tests.browser.screenshots --readme

The pictures lie in `screenshots/`, which is not kept in the repository; those of the README, which are
of one window's height, in `docs/pictures/`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.pages import PAGES, Look
from tests.browser.stage import Stage, staged

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
HEIGHT, HEIGHT_MAX = 800, 2_400
README_FOLDER = FOLDER.parent / "docs" / "pictures"
README = {
    "landing": ("light", "h1"),
    "registry-open": ("light", ".linking"),
    "collection-metrics": ("light", ".tabs"),
    "version-lineage": ("light", "h1"),
    "collection-timeline": ("dark", "h1"),
    "settings": ("dark", "#types"),
}
"""The pages of which the README shows a picture, in which colours, and what is to be seen on top."""


def main(arguments: list[str]) -> int:
    """The pictures are made; the paths are printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only pages whose name begins with one of these")
    parser.add_argument("--scheme", choices=SCHEMES, action="append")
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--readme", action="store_true", help="only the pictures of the README")
    wish = parser.parse_args(arguments)
    pages = [
        each for each in PAGES if not wish.names or each.name.startswith(tuple(wish.names))
    ]  # fmt: skip
    program = shutil.which("chromium-headless-shell")
    assert program is not None, "chromium-headless-shell is missing"
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        staged(Path(folder)) as stage,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            if wish.readme:
                for_readme(browser, stage)
                return 0
            for scheme in wish.scheme or SCHEMES:
                for width in wish.width or WIDTHS:
                    take(browser, stage, pages, scheme, width)
        finally:
            browser.close()
    return 0


def take(browser: Browser, stage: Stage, pages: list[Look], scheme: str, width: int) -> None:
    """The pictures of these pages in one colour scheme and width."""
    for who in {each.who for each in pages}:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        if who is not None:
            log_in(page, stage.sample.url, stage.keys[who])
        for look in pages:
            if look.who == who:
                stage.goto(page, look)
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size(
                    {"width": width, "height": min(max(height, HEIGHT), HEIGHT_MAX)}
                )
                path = FOLDER / f"{look.name}-{scheme}-{width}.png"
                page.screenshot(path=path)
                page.set_viewport_size({"width": width, "height": HEIGHT})
                print(path.relative_to(FOLDER.parent), flush=True)
        context.close()


def for_readme(browser: Browser, stage: Stage) -> None:
    """The pictures that the README shows."""
    README_FOLDER.mkdir(exist_ok=True)
    looks = {each.name: each for each in PAGES}
    for name, (scheme, top) in README.items():
        context = browser.new_context(
            viewport={"width": WIDTHS[0], "height": HEIGHT},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        look = looks[name]
        log_in(page, stage.sample.url, stage.keys[look.who or "ann"])
        page.goto(stage.address(look))
        if top != "h1":
            page.locator(top).first.evaluate("each => { each.scrollIntoView(); scrollBy(0, -70); }")
        path = README_FOLDER / f"{name}.png"
        page.screenshot(path=path)
        print(path.relative_to(FOLDER.parent), path.stat().st_size, flush=True)
        context.close()


def log_in(page: Page, url: str, api_key: str) -> None:
    """Logged in with the key."""
    page.goto(url + "/login")
    page.get_by_text("Log in with an API key").click()
    page.fill("input[name=api_key]", api_key)
    page.locator("form:has(input[name=api_key]) button").click()
    page.wait_for_url(lambda address: "/login" not in address)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
