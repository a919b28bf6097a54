"""What people do in an odd order: twice, too late, backwards, with a lowered role, or logged out."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from byname.http.authentication import actor_of_user
from byname.operations import protected_alias, registry
from byname.operations.context import Context
from byname.settings import Settings
from byname.wiring import build_context
from tests.browser.conftest import PATIENCE_MILLISECONDS, Visitor
from tests.support.rig import ORGANIZATION, TEAM, Rig, reserve_port
from tests.support.world import link_version, log_version

Visit = Callable[..., Visitor]
REGISTRY = f"/orgs/{ORGANIZATION}/registry/Model"
ZOO = f"{REGISTRY}?selectionPath={ORGANIZATION}%2Fwandb-registry-Model%2FZoo"
SOURCE = f"/{TEAM}/zoo/artifacts/model/otter"


def version(number: int) -> str:
    return f"{ZOO}&view=membership&version=v{number}"


def ann_of(rig: Rig) -> Context:
    """The administrator, on the database of a server that runs."""
    base = build_context(Settings(data=rig.data))
    actor = actor_of_user(base.database, 1)
    assert actor is not None
    return base.acting(actor, "sdk")


@pytest.fixture(scope="module")
def zoo(rig: Rig) -> Rig:
    """Three versions of Zoo; `best` is on v0, `production`, which is protected, on v1."""
    ann = ann_of(rig)
    home = registry.get_by_name(ann, ORGANIZATION, "Model")
    for number in range(3):
        made = log_version(ann, "otter", {"w": b"%d" % number}, entity=TEAM, project="zoo")
        names = (["best"], ["production"], [])[number]
        link_version(ann, made, "Zoo", names, entity=ORGANIZATION)
    protected_alias.create(ann, home.id, "production")
    log_version(ann, "otter", {"w": b"not linked"}, entity=TEAM, project="zoo")
    ann.database.close()
    return rig


def where(rig: Rig, alias: str) -> str | None:
    """The version that the alias is on, as programs are told."""
    path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/aliases/{alias}"
    try:
        return str(rig.ask("GET", path, {})["version"])
    except HTTPError as error:
        if error.code != 404:
            raise
        return None


def put(rig: Rig, alias: str, number: int) -> None:
    """Somebody else moves it meanwhile."""
    path = f"/registries/{ORGANIZATION}/Model/collections/Zoo/aliases/{alias}"
    rig.ask("PUT", path, {"version": f"v{number}"})


def posts(page: Page) -> list[str]:
    """The addresses that forms are sent to from now on."""
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    return sent


def press_twice(button: Locator) -> None:
    """A click, and another one while the first form is on its way."""
    button.evaluate("(each) => { each.click(); setTimeout(() => each.click(), 600); }")


class Slowly:
    """The answers to forms are there, but reach the browser only when they are let through."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[tuple[Route, APIResponse]] = []
        page.route("**/*", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        self.held.append((route, route.fetch(max_redirects=0, timeout=PATIENCE_MILLISECONDS)))

    def wait(self) -> None:
        """The server has done what the form asked for."""
        while not self.held:
            self.page.wait_for_timeout(20)

    def let_through(self) -> None:
        """The browser gets what the server answered to the first."""
        self.wait()
        # What was pressed meanwhile has had its chance to be sent.
        self.page.wait_for_timeout(1_500)
        assert [answer.status for _, answer in self.held] == [self.held[0][1].status]
        route, answer = self.held[0]
        route.fulfill(response=answer)


class TestTwice:
    """A second click while the first one's answer is awaited does nothing, and hides nothing."""

    def test_a_registry_is_made_once_and_shown(self, zoo: Rig, visit: Visit) -> None:
        page = visit(zoo.api_key).goto(f"/orgs/{ORGANIZATION}/new-registry")
        page.get_by_label("Name", exact=True).fill("Twice")
        slowly = Slowly(page)
        button = page.get_by_role("button", name="Create registry")
        press_twice(button)
        slowly.let_through()
        page.wait_for_url(f"**/orgs/{ORGANIZATION}/registry/Twice")
        expect(page.get_by_role("heading", name="Twice")).to_be_visible()

    def test_an_alias_is_added_once(self, zoo: Rig, visit: Visit) -> None:
        page = visit(zoo.api_key).goto(version(2))
        page.get_by_label("Add an alias").click()
        page.get_by_label("New alias").fill("double")
        slowly = Slowly(page)
        button = page.get_by_role("button", name="Add alias")
        button.click()
        slowly.wait()
        expect(button).to_be_disabled()
        page.get_by_label("New alias").press("Enter")
        slowly.let_through()
        expect(page.locator("#aliases")).to_contain_text("double")
        expect(page.locator("main [role=alert]")).to_have_count(0)
        assert where(zoo, "double") == "v2"

    def test_a_key_that_is_shown_once_is_made_once(self, zoo: Rig, visit: Visit) -> None:
        visitor = visit(zoo.api_key)
        page = visitor.goto("/account")
        page.get_by_label("Name of a new key").fill("doubled")
        slowly = Slowly(page)
        button = page.get_by_role("button", name="Make a key")
        press_twice(button)
        slowly.let_through()
        page.unroute_all()
        expect(page.locator(".secret code")).to_be_visible()
        expect(page.locator("tr", has_text="doubled")).to_have_count(1)
        # Back on the page, the next one can be made.
        visitor.goto("/account")
        page.get_by_label("Name of a new key").fill("another")
        page.get_by_role("button", name="Make a key").click()
        expect(page.locator("tr", has_text="another")).to_have_count(1)

    def test_the_set_up_of_a_server_is_shown_to_who_clicked_twice(self, tmp_path: Path) -> None:
        """The page has no script, and its key is shown once: both answers show the same one."""
        fresh = Rig(tmp_path, reserve_port(), "")
        fresh.start()
        [token] = re.findall(r"/setup\?token=(\S+)", fresh.log.read_text())
        fields = {
            "token": token, "username": "ann", "email": "ann@example.org", "password": "",
            "organization": ORGANIZATION, "team": TEAM,
        }  # fmt: skip

        def send(_: int) -> str:
            with urlopen(f"{fresh.url}/setup", urlencode(fields).encode(), timeout=60) as answer:
                return str(answer.read().decode())

        with ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(send, range(4)))
        fresh.kill()
        keys = {re.findall(r'class="secret"><code>([^<]+)', page)[0] for page in pages}
        assert len(keys) == 1


class TestBackwards:
    """The back button shows what is so now, and sends nothing again."""

    def test_after_a_registry_was_made(self, zoo: Rig, visit: Visit) -> None:
        page = visit(zoo.api_key).goto(f"/orgs/{ORGANIZATION}/new-registry")
        page.get_by_label("Name", exact=True).fill("Backward")
        page.get_by_role("button", name="Create registry").click()
        page.wait_for_url("**/registry/Backward")
        sent = posts(page)
        page.go_back()
        expect(page.get_by_label("Name", exact=True)).to_be_visible()
        assert sent == []
        # Whoever sends it again is told, beside the form, and may send it with another name.
        page.get_by_label("Name", exact=True).fill("Backward")
        page.get_by_role("button", name="Create registry").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Name", exact=True).fill("Backward again")
        page.get_by_role("button", name="Create registry").click()
        page.wait_for_url("**/registry/Backward%20again")

    def test_after_a_name_was_put_on_and_another_page_was_looked_at(
        self, zoo: Rig, visit: Visit
    ) -> None:
        page = visit(zoo.api_key).goto(version(2))
        page.get_by_label("Add an alias").click()
        page.get_by_label("New alias").fill("kept")
        page.get_by_role("button", name="Add alias").click()
        expect(page.locator("#aliases")).to_contain_text("kept")
        page.get_by_role("link", name="Files", exact=True).click()
        expect(page.locator("table.files")).to_be_visible()
        put(zoo, "kept", 1)
        page.go_back()
        # It says what is so, and not what was so when the page was left.
        expect(page.get_by_text("Full name")).to_be_visible()
        expect(page.locator("#aliases")).not_to_contain_text("kept")

    def test_after_something_was_deleted(self, zoo: Rig, visit: Visit) -> None:
        zoo.ask("POST", f"/registries/{ORGANIZATION}", {"name": "Gone soon"})
        page = visit(zoo.api_key).goto(f"/orgs/{ORGANIZATION}/registry/Gone%20soon/settings")
        page.get_by_label("Delete this registry").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Type Gone soon to confirm").fill("Gone soon")
        dialog.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status").first).to_contain_text("was deleted")
        page.go_back()
        expect(page.get_by_role("alert")).to_contain_text("does not exist")


class TestTooLate:
    """A page that is out of date moves nothing unseen: it says what changed (R70, R88)."""

    def test_a_name_that_somebody_moved_after_the_question(self, zoo: Rig, visit: Visit) -> None:
        put(zoo, "best", 0)
        page = visit(zoo.api_key).goto(version(2))
        page.get_by_label("Add an alias").click()
        page.get_by_label("New alias").fill("best")
        page.get_by_role("button", name="Add alias").click()
        expect(page.locator("#aliases")).to_contain_text("best is on v0 now")
        put(zoo, "best", 1)
        page.get_by_role("button", name="Move it to v2").click()
        told = page.locator("#aliases .problem")
        expect(told).to_contain_text("best is on v1 now: ann put it there just now")
        assert where(zoo, "best") == "v1"
        # Now that it was told, the same button moves it.
        page.get_by_role("button", name="Move it to v2").click()
        expect(page.locator("#aliases .alias", has_text="best")).to_be_visible()
        expect(page.locator("#aliases [role=alert]")).to_have_count(0)
        assert where(zoo, "best") == "v2"

    def test_a_name_that_was_free_when_the_page_was_opened(self, zoo: Rig, visit: Visit) -> None:
        page = visit(zoo.api_key).goto(version(2))
        page.get_by_label("Add an alias").click()
        page.get_by_label("New alias").fill("fresh")
        put(zoo, "fresh", 0)
        page.get_by_role("button", name="Add alias").click()
        expect(page.locator("#aliases")).to_contain_text("fresh is on v0 now")
        assert where(zoo, "fresh") == "v0"

    def test_a_badge_of_a_name_that_has_moved_on(self, zoo: Rig, visit: Visit) -> None:
        put(zoo, "stale", 0)
        page = visit(zoo.api_key).goto(version(0))
        put(zoo, "stale", 1)
        page.get_by_label("Remove the alias stale").click()
        expect(page.get_by_role("alert")).to_contain_text("stale is on v1 now: ann put it there")
        # The question was open already when it moved.
        page.goto(zoo.url + version(1))
        page.get_by_label("Remove the alias stale").click()
        button = page.get_by_role("dialog").get_by_role("button", name="Remove the alias")
        expect(button).to_be_visible()
        put(zoo, "stale", 2)
        button.click()
        expect(page.get_by_role("alert")).to_contain_text("stale is not on v1 any more")
        assert where(zoo, "stale") == "v2"

    def test_linking_with_a_name_that_somebody_moved_meanwhile(
        self, zoo: Rig, visit: Visit
    ) -> None:
        put(zoo, "linked", 0)
        page = visit(zoo.api_key).goto(f"{SOURCE}/v3?link=Model")
        page.locator("#link-collection").fill("Zoo")
        page.locator("#link-aliases").fill("linked")
        page.get_by_role("button", name="Link to registry").click()
        expect(page.locator(".notice.warn")).to_contain_text("linked is on v0 now")
        put(zoo, "linked", 1)
        page.get_by_role("button", name="Link it and move the names").click()
        expect(page.locator(".problem")).to_contain_text("linked is on v1 now: ann put it there")
        assert where(zoo, "linked") == "v1"
        page.get_by_role("button", name="Link it and move the names").click()
        expect(page.locator(".notice").first).to_contain_text("Linked as v3 of Zoo.")
        assert where(zoo, "linked") == "v3"


class TestLoggedOut:
    """The session ended while the page is open: nothing is done, and the page comes back."""

    @pytest.mark.parametrize("background", [True, False], ids=["in the background", "by a form"])
    def test_what_is_sent_then_is_not_done_and_said_so(
        self, zoo: Rig, visit: Visit, background: bool
    ) -> None:
        visitor = visit(zoo.api_key)
        page = visitor.goto(version(2) if background else f"{REGISTRY}/settings")
        other = page.context.new_page()
        other.goto(zoo.url)
        other.get_by_label("Menu of ann").click()
        other.get_by_role("button", name="Log out").click()
        other.wait_for_url("**/login")
        if background:
            page.get_by_label("Add an alias").click()
            page.get_by_label("New alias").fill("too-late")
            page.get_by_role("button", name="Add alias").click()
        else:
            page.get_by_label("Description").fill("Written too late.")
            page.get_by_role("button", name="Save").first.click()
        page.wait_for_url("**/login?**")
        expect(page.get_by_role("status")).to_contain_text("was not saved")
        assert where(zoo, "too-late") is None
        page.get_by_text("Log in with an API key").click()
        page.fill("input[name=api_key]", zoo.api_key)
        page.locator("form:has(input[name=api_key]) button").click()
        heading = "Zoo" if background else "Model"
        expect(page.locator("h1")).to_contain_text(heading)
        assert page.url == zoo.url + (version(2) if background else f"{REGISTRY}/settings")

    def test_links_and_dialogs_lead_to_the_log_in(self, zoo: Rig, visit: Visit) -> None:
        page = visit(zoo.api_key).goto(version(2))
        page.context.clear_cookies()
        page.get_by_label("More for v2").click()
        page.get_by_role("link", name="Unlink").click()
        page.wait_for_url("**/login?**")
        expect(page.get_by_role("status")).to_have_count(0)


class TestLowered:
    """Edge case 19: the role is lowered while the page is open; each kind of form is refused."""

    def test_a_form_and_a_dialog(self, zoo: Rig, visit: Visit) -> None:
        key = zoo.add_person("lou", "member")
        place = f"/registries/{ORGANIZATION}/Model/members/lou"
        zoo.ask("PUT", place, {"role": "admin"})
        page = visit(key).goto(f"{REGISTRY}/settings")
        page.get_by_label("Description").fill("Lou was here.")
        zoo.ask("PUT", place, {"role": "viewer"})
        page.get_by_role("button", name="Save").first.click()
        expect(page.locator("[role=alert]").first).to_contain_text("role")
        expect(page.get_by_role("button", name="Save").first).to_be_disabled()
        page.goto(f"{zoo.url}{REGISTRY}/settings")
        expect(page.get_by_label("Description")).not_to_have_value("Lou was here.")
        # A question that was open is answered by no one who may not.
        zoo.ask("PUT", place, {"role": "admin"})
        page.goto(zoo.url + version(1))
        page.get_by_label("Remove the alias production").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("It is protected").fill("production")
        zoo.ask("PUT", place, {"role": "member"})
        dialog.get_by_role("button", name="Remove the alias").click()
        expect(page.get_by_role("alert")).to_contain_text("admin")
        assert where(zoo, "production") == "v1"


class TestTwoTabs:
    """What somebody wrote is not lost, and overwrites nothing that they have not seen."""

    def test_two_people_describe_a_collection(self, zoo: Rig, visit: Visit) -> None:
        pages = [visit(zoo.api_key).goto(ZOO) for _ in range(2)]
        for page in pages:
            page.locator("details.edit > summary").first.click()
        first, second = pages
        first.get_by_label("Description").fill("What the first one wrote.")
        first.get_by_role("button", name="Save").click()
        expect(first.locator(".prose")).to_have_text("What the first one wrote.")
        second.get_by_label("Description").fill("What the second one wrote.")
        second.get_by_role("button", name="Save").click()
        note = second.get_by_role("alert")
        expect(note).to_contain_text("You yourself changed this just now")
        expect(note).to_contain_text("What the first one wrote.")
        expect(second.get_by_label("Description")).to_have_value("What the second one wrote.")
        second.get_by_role("button", name="Save mine instead").click()
        expect(second.locator(".prose")).to_have_text("What the second one wrote.")
        expect(second.get_by_role("alert")).to_have_count(0)
