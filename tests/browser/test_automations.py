"""An automation made by clicking, fired by the real client, and looked at afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from byname.domain.payload import DEFAULT
from tests.browser.conftest import Visitor
from tests.support.receiver import Receiver
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig
from tests.support.sdk import ROOT, Sdk

SCRIPT = ROOT / "examples" / "zoo" / "link.py"
NAME = "Zoo_Classifier_Models"
REGISTRY = f"/orgs/{ORGANIZATION}/registry/Model"
WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that may send to this machine."""
    made = make_rig(tmp_path_factory.mktemp("server"))
    made.settings["BYNAME_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    made.start()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Whoever the webhook is sent to."""
    with Receiver() as made:
        yield made


def link_with_the_client(rig: Rig, folder: Path) -> None:
    """The example's script, with both of its aliases."""
    sdk = Sdk("0.31.0", rig.url, rig.api_key, folder)
    home = folder / "first"
    home.mkdir()
    for name in ("zoo_dataset.pt", "zoo_labels.pt"):
        (home / name).write_bytes(name.encode())
    (home / "link.py").write_text(SCRIPT.read_text())
    sdk.run("python", "link.py")


def make_by_clicking(page: Page) -> None:
    """From the registry's page on: event with regex, team and webhook, payload, name."""
    page.get_by_role("link", name="Automations", exact=True).click()
    page.get_by_role("link", name="Create automation").click()
    page.get_by_label("When this happens").select_option("An artifact alias is added")
    page.get_by_label("Alias or tag").fill("^production-us(")
    page.get_by_role("button", name="Next step").click()
    # What is wrong with the regex is said here, and not when it is to fire (R128).
    expect(page.locator("main [role=alert]")).to_be_visible()
    page.get_by_label("Alias or tag").fill("^production-us")
    page.get_by_role("button", name="Next step").click()
    page.get_by_label("Team").select_option(TEAM)
    page.get_by_label("Webhook", exact=True).check()
    page.get_by_role("button", name="Next step").click()
    # The payload that stands there tells all there is to tell (R135); it stays as it is.
    expect(page.get_by_label("Payload")).to_have_value(DEFAULT)
    page.get_by_role("button", name="Next step").click()
    page.get_by_label("Name", exact=True).fill("Tell the CI")
    page.get_by_role("button", name="Create automation").click()
    expect(page.locator(".notice").first).to_contain_text("Automation Tell the CI was created.")


def test_made_by_clicking_and_fired_by_the_client(
    rig: Rig, receiver: Receiver, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """R130, R126, R135, R140: made in steps, fired by a link, in the history with its payload."""
    rig.ask("POST", f"/teams/{TEAM}/webhooks", {"name": "ci", "url": receiver.url})
    ann = visit(rig.api_key)
    page = ann.goto(REGISTRY)
    make_by_clicking(page)
    assert receiver.requests == []

    link_with_the_client(rig, tmp_path)
    told = json.loads(receiver.wait_for(1)[0].body)
    place = f"{ORGANIZATION}/wandb-registry-Model/{NAME}"
    assert told["event_type"] == "ADD_ARTIFACT_ALIAS"
    assert told["alias"] == "production-us"
    assert told["artifact_version_string"] == f"{place}:production-us"
    assert told["event_author"] == "ann"

    page.get_by_role("link", name="Automations history").click()
    row = page.locator("tbody tr")
    until = time.monotonic() + WAIT_SECONDS
    while "finished" not in row.first.inner_text() and time.monotonic() < until:
        page.wait_for_timeout(250)
        page.reload()
    expect(row).to_have_count(1)
    expect(row).to_contain_text("finished")
    expect(row).to_contain_text("ADD_ARTIFACT_ALIAS")
    page.get_by_role("link", name="Tell the CI").click()
    opened = page.locator("#execution")
    assert json.loads(opened.locator(".code code").inner_text()) == told
    expect(opened.locator("tbody")).to_contain_text("200")
    expect(opened.locator("tbody")).to_contain_text("thanks")
    # Neither production-eu nor latest match, which the same link placed (R128, R129).
    assert len(receiver.requests) == 1
