"""What must hold on every page: accessibility, width, weight, no complaint of the browser (R173, R181).

The pages are listed in `pages.py`; the server is the one of `sample.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.browser.conftest import PATIENCE_MILLISECONDS
from tests.browser.pages import PAGES, Look
from tests.browser.screenshots import log_in
from tests.browser.stage import Stage, staged

AXE = (
    resources.files("axe_playwright_python")
    .joinpath("axe.min.js")
    .read_text(encoding="utf-8")
)  # fmt: skip
SERIOUS = {"serious", "critical"}
PHONE_WIDTH = 390
WEIGHT_MAX = 300_000


@dataclass(slots=True)
class Visits:
    """Browsers in which people are logged in, one for each person and colour scheme."""

    browser: Browser
    stage: Stage
    opened: dict[tuple[str | None, str], tuple[BrowserContext, Page]] = field(default_factory=dict)

    def open(self, look: Look, scheme: str, width: int = 1280) -> Page:
        """The page, loaded."""
        key = (look.who, scheme)
        if key not in self.opened:
            context = self.browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            page = context.new_page()
            if look.who is not None:
                log_in(page, self.stage.sample.url, self.stage.keys[look.who])
            self.opened[key] = (context, page)
        page = self.opened[key][1]
        page.set_viewport_size({"width": width, "height": 900})
        self.stage.goto(page, look)
        return page


@pytest.fixture(scope="module")
def visits(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    """A server that looks lived in, and browsers."""
    with staged(Path(tmp_path_factory.mktemp("stage"))) as stage:
        made = Visits(chromium, stage)
        yield made
        for context, _ in made.opened.values():
            context.close()
        for rig in (stage.sample, stage.fresh):
            assert "Traceback" not in rig.log.read_text()


def complaints_of_axe(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it stands."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"][:5]
    ]


@pytest.mark.parametrize("look", PAGES, ids=lambda look: look.name)
def test_r173_axe_finds_nothing_serious_in_light_and_dark(visits: Visits, look: Look) -> None:
    for scheme in ("light", "dark"):
        page = visits.open(look, scheme)
        for closed in page.query_selector_all("details:not([open]):not(.menu):not(.others)"):
            closed.evaluate("each => { each.open = true; }")
        assert complaints_of_axe(page) == [], scheme


def test_axe_would_find_what_is_wrong(visits: Visits) -> None:
    """The check above can fail: text as light as its ground, and a button without a name."""
    page = visits.open(PAGES[0], "light")
    page.evaluate(
        """() => {
          const text = document.createElement("p");
          text.textContent = "hardly there";
          text.style.color = "#eee";
          document.querySelector("main").append(text, document.createElement("button"));
        }"""
    )
    found = complaints_of_axe(page)
    assert any(each.startswith("color-contrast") for each in found)
    assert any(each.startswith("button-name") for each in found)


@pytest.mark.parametrize("look", PAGES, ids=lambda look: look.name)
def test_r181_no_page_is_wider_than_a_phone(visits: Visits, look: Look) -> None:
    page = visits.open(look, "light", PHONE_WIDTH)
    width = page.evaluate("document.documentElement.scrollWidth")
    widest = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 3).map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert width <= PHONE_WIDTH, widest


@pytest.mark.parametrize("look", PAGES, ids=lambda look: look.name)
def test_r181_a_phone_hides_nothing_that_one_reads_first_or_works_with(
    visits: Visits, look: Look
) -> None:
    page = visits.open(look, "light")
    there = page.evaluate(
        """() => {
          const what = "h1, h2, a.button, button, input:not([type=hidden]), select, textarea";
          window.there = [...document.querySelectorAll(what)].filter((each) => each.checkVisibility());
          return window.there.length;
        }"""
    )
    assert there > 0
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 900})
    gone = page.evaluate(
        """() => window.there.filter((each) => !each.checkVisibility())
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert gone == []
    aside = page.evaluate(
        """() => window.there.filter((each) => !each.closest(".tabs, .canvas, .unseen"))
          .filter((each) => each.getBoundingClientRect().right > innerWidth)
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert aside == [], "one must push a table aside to reach these; let its rows stack"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("organization-members", "table.people tbody tr"),
        ("team-members", "table.people tbody tr"),
        ("server-people", "table.people tbody tr"),
        ("settings", "table.access tbody tr"),
        ("collection-aliases", "table.aliases tbody tr"),
    ],
)
def test_on_a_phone_a_person_or_alias_is_two_lines(visits: Visits, name: str, rows: str) -> None:
    look = next(each for each in PAGES if each.name == name)
    page = visits.open(look, "light", PHONE_WIDTH)
    heights = page.locator(rows).evaluate_all("all => all.map((each) => each.offsetHeight)")
    assert heights
    # Two lines with a button or field in each, and room above and below.
    assert max(heights) <= 2 * 36 + 24


def test_on_a_phone_a_form_of_one_line_puts_its_fields_below_one_another(visits: Visits) -> None:
    look = next(each for each in PAGES if each.name == "organization-members")
    page = visits.open(look, "light", PHONE_WIDTH)
    form = page.locator("form.inline:has(#who)")
    tops = {
        name: form.locator(name).evaluate("each => each.getBoundingClientRect().top")
        for name in ("label[for=who]", "#who", "label[for=role]", "#role", "button")
    }
    assert tops["label[for=who]"] < tops["#who"] < tops["label[for=role]"] < tops["#role"]
    assert abs(tops["#role"] - tops["button"]) < 8


@pytest.mark.parametrize("look", PAGES, ids=lambda look: look.name)
def test_no_page_weighs_more_than_300_kilobytes_or_is_complained_of(
    visits: Visits, look: Look
) -> None:
    """Issue: under 300 kB before images, with all style and scripts; no CSP violation."""
    bodies: list[Response] = []

    def note(response: Response) -> None:
        bodies.append(response)

    complaints: list[str] = []
    page = visits.open(look, "light")
    page.on("response", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    session = page.context.new_cdp_session(page)
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    visits.stage.goto(page, look, wait_until="networkidle")
    weight = sum(len(each.body()) for each in bodies if each.status == 200)
    session.detach()
    assert len(bodies) > 3
    assert weight < WEIGHT_MAX, {each.url: len(each.body()) for each in bodies}
    assert not complaints
