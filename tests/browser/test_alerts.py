"""`run.alert` of the unmodified client, on the page of its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.support.rig import TEAM, Rig
from tests.support.sdk import Sdk

SCRIPT = f"""
import wandb

with wandb.init(entity="{TEAM}", project="alerts", id="alerting") as run:
    run.alert(title="Loss is <b>NaN</b>", text="At step 7\\nof 9", level=wandb.AlertLevel.ERROR)
    run.alert(title="Slow", text="An epoch took an hour")
"""


def test_what_a_run_says_stands_on_its_page(
    rig: Rig, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    sdk = Sdk("0.31.0", rig.url, rig.api_key, tmp_path)
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "alert.py").write_text(SCRIPT)
    page = visit(rig.api_key).goto("/projects")
    sdk.run("python", "alert.py", home="alerts")
    page.goto(f"{rig.url}/{TEAM}/alerts?tab=runs")
    page.locator("tbody th a").first.click()
    told = page.locator("section", has=page.get_by_role("heading", name="Alerts"))
    expect(told).to_contain_text("2 in all")
    expect(told.locator("article h3")).to_have_text(["Slow", "Loss is <b>NaN</b>"])
    first = told.locator("article").last
    expect(first).to_contain_text("ERROR, ann")
    expect(first.locator(".text")).to_have_text("At step 7\nof 9")
