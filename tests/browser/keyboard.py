"""Somebody who has only keys: each step is a key, and the focus must be seen at every stop."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Error, Page

from tests.browser.conftest import PATIENCE_MILLISECONDS

STOPS_MAX = 150
SEEN = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return {name: "", tag: "body", seen: true};
  const text = each.getAttribute("aria-label")
    || (each.labels && each.labels.length ? each.labels[0].textContent : "")
    || each.querySelector(":scope > title")?.textContent
    || each.textContent || each.value || "";
  const marked = (one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || (one instanceof SVGElement && parseFloat(style.strokeWidth) >= 3);
  };
  const around = [each, each.parentElement, each.nextElementSibling, each.closest(".card"),
    ...each.querySelectorAll("rect, circle")].filter(Boolean);
  const box = each.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const top = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1),
    Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1));
  const uncovered = !top || each.contains(top) || top.contains(each)
    || (each.labels && [...each.labels].some((label) => label.contains(top)));
  return {name: text.replace(/\\s+/g, " ").trim(), tag: each.tagName.toLowerCase(),
    marked: around.some(marked), inside, uncovered: Boolean(uncovered),
    dialog: Boolean(each.closest("dialog[open]")),
    open: Boolean(document.querySelector("dialog[open]"))};
}"""


@dataclass(frozen=True, slots=True)
class Keys:
    """A page, and no pointer."""

    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def stop(self) -> str:
        """The name of what has the focus.

        Raises:
            AssertionError: one cannot see that it has it.
        """
        found = self._look()
        if found["tag"] != "body":
            assert found["inside"], f"{found['name']!r} has the focus outside of the window"
            assert found["marked"], f"nothing shows that {found['name']!r} has the focus"
            assert found["uncovered"], f"{found['name']!r} has the focus under something else"
            assert found["dialog"] or not found["open"], f"the dialog let go: {found['name']!r}"
        return str(found["name"])

    def _look(self) -> dict[str, Any]:
        for _ in range(20):
            try:
                return dict(self.page.evaluate(SEEN))
            except Error:
                # Another page is on its way.
                self.page.wait_for_load_state()
        return dict(self.page.evaluate(SEEN))

    def to(self, name: str, *, back: bool = False) -> None:
        """Tab until something of that name has the focus, here included."""
        met = []
        for _ in range(STOPS_MAX):
            here = self.stop()
            if re.fullmatch(name, here):
                return
            met.append(here)
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"Tab never came to {name!r}, but to {met}")

    def enter(self, name: str) -> None:
        """Tab to it and press it."""
        self.to(name)
        self.press("Enter")

    def here(self, name: str) -> None:
        """That is what has the focus now, or gets it without another key."""
        for _ in range(PATIENCE_MILLISECONDS // 50):
            if re.fullmatch(name, self.stop()):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.stop()!r} has the focus, not {name!r}")
