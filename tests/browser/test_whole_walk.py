"""One walk through the whole product: the first start, the client, and every page a name passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.support.rig import ORGANIZATION, TEAM, Rig, reserve_port
from tests.support.sdk import ROOT, Sdk

SCRIPT = ROOT / "examples" / "zoo" / "link.py"
COLLECTION = "Zoo_Classifier_Models"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server at its very first start: nobody is on it."""
    made = Rig(tmp_path_factory.mktemp("server"), reserve_port(), "")
    made.start()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]


def badges(page: Page) -> list[str]:
    """The aliases in the field of a version's page, as a screen reader hears them."""
    found = page.locator("#aliases .alias").all_inner_texts()
    return [" ".join(each.replace("\u00d7", "").split()) for each in found]


def set_up(page: Page, rig: Rig) -> None:
    """The address that the first start printed makes ann, her organization and her team."""
    [address] = re.findall(r"http://\S+/setup\?token=\S+", rig.log.read_text())
    page.goto(address)
    for label, text in (
        ("Your user name", "ann"),
        ("Your e-mail address", "ann@example.org"),
        ("A password", PASSWORD),
        ("Organization", ORGANIZATION),
        ("Team", TEAM),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Ready, ann")).to_be_visible()


def log_in(page: Page) -> None:
    """By the link on the page that ends the set-up, with the password that was chosen there."""
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("User name or e-mail address").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name=ORGANIZATION)).to_be_visible()


def make_key(page: Page) -> str:
    """A key for the machine that trains; it is shown this one time (R193)."""
    page.get_by_label("Menu of ann").click()
    page.get_by_role("link", name="Your account and API keys").click()
    page.get_by_label("Name of a new key").fill("trainer")
    page.get_by_role("button", name="Make a key").click()
    shown = page.locator(".secret code").inner_text()
    # To load the answer again sends the form again: no other key is made by it.
    page.reload()
    expect(page.locator("tr", has_text="trainer")).to_have_count(1)
    page.goto(page.url)
    assert shown not in page.content()
    return shown


def run_the_example(sdk: Sdk, home: str) -> None:
    """The repository's script, unchanged, with data of its own."""
    folder = sdk.folder / home
    folder.mkdir()
    for name in ("zoo_dataset.pt", "zoo_labels.pt"):
        (folder / name).write_bytes(f"{name} of {home}".encode())
    (folder / "link.py").write_bytes(SCRIPT.read_bytes())
    sdk.run("python", "link.py", home=home)


def send(page: Page, **fields: str) -> int:
    """The status of a form sent by hand to the address of the page, with the page's own token."""
    status: int = page.evaluate(
        """async (fields) => {
          const token = document.querySelector("input[name=token]").value;
          const body = new URLSearchParams({...fields, token});
          return (await fetch(location.href, {method: "POST", body, redirect: "manual"})).status;
        }""",
        fields,
    )
    return status


def to_version(page: Page, rig: Rig, number: int) -> None:
    """From the first page to the version's, by what one clicks (R73)."""
    page.goto(rig.url)
    page.get_by_role("link", name="Model", exact=True).click()
    page.get_by_role("link", name=f"View details of {COLLECTION}").click()
    page.get_by_role("link", name=f"View v{number}", exact=True).click()
    # What is read next is read from that page, however long it takes to come.
    expect(page.locator("h1 .number")).to_have_text(f"v{number}")
    expect(page.locator("#aliases")).to_be_visible()


def put_on_and_protect(page: Page, rig: Rig) -> None:
    """R73: **+** beside Aliases; R81, R89: gear, Protected aliases, **+**, and how many it locks."""
    to_version(page, rig, 0)
    assert badges(page) == ["latest", "production-eu", "production-us"]

    page.get_by_label("Add an alias").click()
    page.get_by_label("New alias").fill("champion")
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("#aliases")).to_contain_text("champion")

    page.get_by_role("link", name="Model", exact=True).click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Protect an alias").click()
    page.get_by_label("Alias", exact=True).fill("champion")
    expect(page.locator("#uses")).to_contain_text("1 version holds it now")
    page.get_by_role("button", name="Protect", exact=True).click()
    page.get_by_role("button", name="Protect", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("champion is protected now")


def invite_a_member(page: Page, member: Page) -> None:
    """R192: the administrator gets a link for ben, who chooses a password with it and is in."""
    page.get_by_label("Menu of ann").click()
    page.get_by_role("link", name="This server").click()
    page.get_by_role("link", name="People", exact=True).click()
    for label, text in (
        ("User name", "ben"),
        ("E-mail address", "ben@example.org"),
        ("Organization", ORGANIZATION),
    ):
        page.locator("#invite").get_by_label(label).fill(text)
    page.get_by_label("Role there").select_option("member")
    page.get_by_role("button", name="Invite").click()
    member.goto(page.locator(".secret code").inner_text())
    expect(member.get_by_role("heading", name="Welcome, ben")).to_be_visible()
    member.get_by_label("Password").fill(PASSWORD)
    member.get_by_label("The same again").fill(PASSWORD)
    member.get_by_role("button", name="Set the password and log in").click()
    expect(member.get_by_role("heading", name=ORGANIZATION)).to_be_visible()


def add_access(page: Page, rig: Rig) -> None:
    """R108: gear, Registry access, Add access: ben is a Member of the registry."""
    page.goto(rig.url)
    page.get_by_role("link", name="Model", exact=True).click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Add access").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name or e-mail").fill("ben")
    dialog.get_by_label("ben").check()
    dialog.get_by_label("Registry role").select_option("member")
    dialog.get_by_role("button", name="Add access").click()
    expect(page.locator(".notice").first).to_contain_text("1 was given access.")
    expect(page.get_by_label("Registry role of ben")).to_have_value("member")


def see_it_locked(page: Page, rig: Rig) -> None:
    """R172, R179, R80: gray, with a lock and no button to take it off; a request by hand is refused."""
    to_version(page, rig, 0)
    badge = page.locator("#aliases .alias.protected")
    expect(badge).to_have_text(re.compile(r"protected\s+champion"))
    expect(badge.locator("svg.lock")).to_be_visible()
    gray = badge.evaluate("each => getComputedStyle(each).backgroundColor")
    orange = page.locator("#aliases .alias:not(.protected)").first.evaluate(
        "each => getComputedStyle(each).backgroundColor"
    )
    assert (gray, orange) == ("rgb(210, 216, 223)", "rgb(247, 155, 66)")
    expect(page.get_by_label("Remove the alias champion")).to_have_count(0)
    expect(page.get_by_label("Remove the alias production-eu")).to_have_count(1)
    assert send(page, do="remove-alias", alias="champion", typed="champion") == 403
    page.reload()
    assert "protected champion" in badges(page)


def move_it(page: Page, member: Page, rig: Rig) -> None:
    """R88, R70: a Member is refused; the Admin is told where it is, and moves it."""
    to_version(page, rig, 1)
    assert badges(page) == ["latest", "production-eu", "production-us"]
    member.goto(page.url)
    member.get_by_label("Add an alias").click()
    member.get_by_label("New alias").fill("champion")
    member.get_by_role("button", name="Add alias").click()
    expect(member.locator("main [role=alert]")).to_contain_text("admin")
    assert send(member, do="move-alias", alias="champion", expected="v0") == 403
    assert "champion" not in " ".join(badges(member))
    page.get_by_label("Add an alias").click()
    page.get_by_label("New alias").fill("champion")
    page.get_by_role("button", name="Add alias").click()
    expect(page.locator("#aliases")).to_contain_text("champion is on v0 now")
    page.get_by_role("button", name="Move it to v1").click()
    expect(page.locator("#aliases .alias.protected")).to_contain_text("champion")


def look_back_and_restore(page: Page) -> None:
    """R189: the timeline tells who moved it, when, from what to what; and back it goes."""
    page.get_by_role("link", name="champion", exact=True).click()
    told = page.locator(".timeline li").first
    expect(told).to_contain_text("ann moved it from v0 to v1")
    expect(told.locator("time").first).to_have_attribute("datetime", re.compile(r"^20\d\d-.+Z$"))
    page.get_by_role("link", name="Restore revision 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    expect(page.locator(".notice").first).to_contain_text("champion is on v0 again.")
    expect(page.locator(".timeline li").first).to_contain_text("moved it from v1 to v0")


def find_and_compare(page: Page) -> None:
    """R113, R115: found as one types; R149: its lineage; R59: two versions side by side."""
    # R113, R115: it is found as one types, gray with its lock, and leads to its version.
    page.keyboard.press("/")
    page.keyboard.type("champ")
    hit = page.locator(".bar .found a.hit").first
    expect(hit.locator(".alias.protected")).to_contain_text("champion")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1 .number")).to_have_text("v0")

    # R149: the run that made it, and what it is; a click on the run shows the run.
    page.get_by_role("link", name="Lineage").click()
    expect(page.locator(".graph .node.artifact.root")).to_have_count(1)
    page.locator(".graph .node.run a").first.click()
    expect(page.locator("#side .label.run")).to_be_visible()

    # R59: the two versions side by side.
    page.get_by_role("link", name=COLLECTION, exact=True).click()
    page.get_by_label("Compare v0").check()
    page.get_by_label("Compare v1").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("v0 and v1")
    expect(page.locator("main")).to_contain_text("zoo_dataset changed")


def unlink_and_bring_back(page: Page, rig: Rig) -> None:
    """R158, R160: unlinking says which names go; R164: from the trash they come back."""
    to_version(page, rig, 1)
    page.get_by_label("More for v1").click()
    page.get_by_role("link", name="Unlink").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("production-us")
    dialog.get_by_role("button", name="Unlink").click()
    expect(page.locator(".notice").first).to_contain_text("v1 is unlinked")
    assert page.locator("tbody th").all_inner_texts() == ["v0"]

    # R164: from the trash it comes back with its number and the aliases that nobody took meanwhile.
    page.get_by_label("Menu of ann").click()
    page.get_by_role("link", name=f"People of {ORGANIZATION}").click()
    page.get_by_role("link", name="Trash", exact=True).click()
    page.get_by_role("button", name=re.compile(f"Restore .*{COLLECTION}:v1")).click()
    expect(page.locator(".notice").first).to_contain_text("is there again")
    to_version(page, rig, 1)
    assert {"production-eu", "production-us"} <= set(badges(page))


class TestTheWholeWalk:
    """R59, R73, R80, R81, R115, R149, R158, R164, R189: one working day, start to end."""

    def test_from_the_first_start_to_the_trash_and_back(
        self, rig: Rig, visit: Callable[..., Visitor], tmp_path: Path
    ) -> None:
        page = visit().page
        set_up(page, rig)
        log_in(page)
        rig.api_key = make_key(page)
        sdk = Sdk("0.31.0", rig.url, rig.api_key, tmp_path)
        run_the_example(sdk, "first")
        put_on_and_protect(page, rig)

        member = visit().page
        invite_a_member(page, member)
        add_access(page, rig)
        see_it_locked(member, rig)

        run_the_example(sdk, "second")
        move_it(page, member, rig)
        look_back_and_restore(page)
        find_and_compare(page)
        unlink_and_bring_back(page, rig)
