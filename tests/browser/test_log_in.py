"""Logging in and out, by clicking."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visitor
from tests.support.rig import Rig


def test_who_logs_in_with_a_key_sees_the_registries(
    rig: Rig, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(rig.api_key)
    assert visitor.page.locator("main").inner_text().find("Model") >= 0
    visitor.page.get_by_label("Menu of ann").click()
    visitor.page.get_by_role("button", name="Log out").click()
    visitor.goto("/account")
    assert "/login" in visitor.page.url
