"""By keyboard alone: no pointer is ever used, and the focus is seen at every stop (R181)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.keyboard import Keys
from tests.browser.pages import COLLECTION, REGISTRY, VERSION
from tests.browser.sample import CLASSIFIERS, PROJECT, fill
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server that looks lived in; its key is ann's."""
    made = make_rig(Path(tmp_path_factory.mktemp("server")))
    made.api_key = fill(made.data).keys["ann"]
    made.start()
    yield made
    made.kill()
    assert "Traceback" not in made.log.read_text()


class TestKeyboardAlone:
    """R181: the whole user interface works by keyboard."""

    def test_from_the_log_in_to_a_version(self, rig: Rig, visit: Visit) -> None:
        visitor = visit()
        page = visitor.goto("/login")
        keys = Keys(page)
        keys.here("User name or e-mail address")
        keys.enter("Log in with an API key instead")
        keys.to("API key")
        keys.type(rig.api_key)
        keys.press("Enter")
        expect(page.get_by_role("heading", name=ORGANIZATION)).to_be_visible()

        keys.press("Tab")
        keys.here("Skip to the content")
        keys.enter("Model")
        expect(page.locator("h1")).to_contain_text("Model")
        keys.enter(f"View details of {CLASSIFIERS}")
        expect(page.locator("h1")).to_have_text(CLASSIFIERS)
        keys.enter("View v11")
        expect(page.locator("h1 .number")).to_have_text("v11")

    def test_an_alias_is_given_moved_and_taken_off(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(VERSION.replace("v12", "v11"))
        keys = Keys(page)
        # + opens a field that has the focus; Escape closes it; then it is really given.
        keys.enter("Add an alias")
        keys.here("New alias")
        keys.press("Escape")
        keys.here("Add an alias")
        keys.press("Enter")
        keys.here("New alias")
        keys.type("v3")
        keys.press("Enter")
        expect(page.locator("#aliases [role=alert]")).to_be_visible()
        keys.here("New alias")
        keys.press("Control+a")
        keys.type("by-hand")
        keys.press("Enter")
        expect(page.locator("#aliases .alias", has_text="by-hand")).to_be_visible()
        keys.here("Add an alias")

        # A protected alias of another version is asked for first, and moved with one more key.
        keys.press("Enter")
        keys.here("New alias")
        keys.type("staging")
        keys.press("Enter")
        keys.here("Move it to v11")
        keys.press("Enter")
        expect(page.locator("#aliases .alias.protected", has_text="staging")).to_be_visible()
        keys.here("Add an alias")

        # Taking it off asks in a dialog that keeps the focus; Escape leads back to where one was.
        keys.to("Remove the alias by-hand", back=True)
        keys.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        for _ in range(8):
            keys.press("Tab")
            keys.stop()
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        keys.here("Remove the alias by-hand")
        keys.press("Enter")
        keys.enter("Remove the alias")
        expect(page.locator("#aliases .alias", has_text="by-hand")).to_have_count(0)

    def test_a_tag_is_put_on_and_taken_off(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(VERSION)
        keys = Keys(page)
        keys.enter("Add a tag")
        keys.here("New tag")
        keys.type("slow")
        keys.press("Enter")
        expect(page.locator("#tags .tag", has_text="slow")).to_be_visible()
        keys.here("Add a tag")
        keys.to("Remove the tag slow", back=True)
        keys.press("Enter")
        expect(page.locator("#tags .tag", has_text="slow")).to_have_count(0)
        keys.here("Add a tag")

    def test_the_gear_protects_an_alias(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(REGISTRY)
        keys = Keys(page)
        keys.enter("Settings")
        keys.enter("Protect an alias")
        keys.here("Alias")
        keys.type("candidate")
        expect(page.locator("#uses")).to_contain_text("hold it now")
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Protect this alias?")).to_be_visible()
        keys.enter("Protect")
        expect(page.get_by_role("status").first).to_contain_text("candidate is protected now")
        keys.enter("End the protection of candidate")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.here("Type candidate to confirm")
        keys.type("candidate")
        keys.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("candidate is an ordinary alias")

    def test_the_gear_gives_access(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(REGISTRY)
        keys = Keys(page)
        keys.enter("Settings")
        keys.enter("Add access")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.here("Name or e-mail.*")
        keys.type("emil@")
        expect(page.locator("#candidates label")).to_have_count(1)
        keys.to("Emil Sato.*")
        keys.press("Space")
        keys.to("Registry role")
        keys.type("Viewer")
        keys.enter("Add access")
        expect(page.locator(".notice").first).to_contain_text("1 was given access.")
        expect(page.get_by_label("Registry role of emil")).to_have_value("viewer")

    def test_a_name_is_put_back_in_its_timeline(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(COLLECTION)
        keys = Keys(page)
        keys.enter("Aliases")
        keys.enter("Timeline of production-eu")
        keys.enter("Restore revision 1.*")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.here("Restore")
        keys.press("Enter")
        expect(page.locator(".notice").first).to_contain_text("production-eu is on v5 again.")

    def test_what_somebody_else_wrote_meanwhile_is_met(self, rig: Rig, visit: Visit) -> None:
        page, other = (visit(rig.api_key).goto(f"{COLLECTION}&sort=size") for _ in range(2))
        for each, text in ((other, "Theirs. "), (page, "Mine. ")):
            keys = Keys(each)
            keys.enter("Edit description")
            keys.here("Description.*")
            keys.press("Control+Home")
            keys.type(text)
            keys.to("Save")
            keys.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("You yourself changed this")
        keys.here("Description.*")
        keys.enter("Save mine instead")
        expect(page.locator(".prose")).to_contain_text("Mine. ")
        expect(page.locator(".prose")).not_to_contain_text("Theirs. ")

    def test_a_version_is_linked_step_by_step(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(REGISTRY)
        keys = Keys(page)
        keys.enter("More for Whale_Tracker")
        keys.enter("Link new version…")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        keys.here("Link new version…")
        keys.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        # A letter chooses in a list, as in every form.
        for label, letters in (("Team", TEAM), ("Project", PROJECT), ("Artifact", "zoo_class")):
            # What was chosen before decides what there is to choose now: that must have come.
            expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
            keys.to(f"{label}.*")
            if not page.evaluate("document.activeElement.value"):
                keys.type(letters)
            expect(page.locator(":focus")).not_to_have_value("")
        keys.to("Version.*")
        keys.press("ArrowDown")
        expect(page.locator("#source")).not_to_have_value("")
        keys.to("Aliases.*")
        keys.type("by-keys")
        keys.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("is v0 here now")
        expect(page.locator(".alias", has_text="by-keys").first).to_be_visible()

    def test_the_lineage_is_walked_and_left(self, rig: Rig, visit: Visit) -> None:
        visitor = visit(rig.api_key)
        page = visitor.goto(f"/{TEAM}/{PROJECT}/artifacts/dataset/zoo_dataset/v0?tab=lineage")
        keys = Keys(page)
        keys.enter(r"\d+ runs: open to look through them")
        expect(page.locator("#side h2")).to_contain_text("runs")
        keys.here(r"\d+ runs: open to look through them")
        # Once more, and one is in the panel; there one finds, and pulls one out.
        keys.press("Enter")
        keys.here("Part of a name")
        keys.type("otter-3")
        keys.press("Enter")
        expect(page.locator("#side .picks li")).to_have_count(1)
        keys.enter("Show .*otter-3")
        expect(page.locator("#side .label.run")).to_be_visible()
        keys.here("Close the details")
        keys.press("Escape")
        expect(page.locator("#side .label.run")).to_have_count(0)
        keys.here("run: .*run0002")
        # A node shows its details; Escape goes back to the node.
        name = keys.stop()
        keys.press("Enter")
        expect(page.locator("#side .label.run")).to_be_visible()
        keys.press("Enter")
        keys.here("Close the details")
        keys.press("Escape")
        expect(page.locator("#side .label.run")).to_have_count(0)
        keys.here(name)

    def test_a_key_right_after_a_part_came_does_not_load_the_page_anew(
        self, rig: Rig, visit: Visit
    ) -> None:
        """What has just been put in place works as what stood there before: the focus stays."""
        page = visit(rig.api_key).goto(
            f"/{TEAM}/{PROJECT}/artifacts/dataset/zoo_dataset/v0?tab=lineage"
        )
        page.evaluate(
            """() => {
              window.same = true;
              const again = () => setTimeout(() => {
                const node = document.querySelector(".graph .node.root > a");
                node.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
              });
              document.addEventListener("htmx:afterSwap", again, {once: true});
            }"""
        )
        keys = Keys(page)
        keys.enter(r"\d+ runs: open to look through them")
        expect(page.locator("#side .label.artifact")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.same")

    def test_what_is_found_as_one_types_is_reached_by_arrows(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto("/account")
        keys = Keys(page)
        keys.press("/")
        keys.type("whale")
        expect(page.locator(".bar .found a.hit").first).to_be_visible()
        keys.press("ArrowDown")
        keys.here("Whale_Tracker.*")
        keys.press("ArrowUp")
        keys.here("Search registries.*")
        keys.press("ArrowDown", "Enter")
        expect(page.locator("h1")).to_have_text("Whale_Tracker")

    def test_two_versions_are_compared(self, rig: Rig, visit: Visit) -> None:
        page = visit(rig.api_key).goto(COLLECTION)
        keys = Keys(page)
        for name in ("Compare v13", "Compare v9"):
            keys.to(name)
            keys.press("Space")
        keys.to("Compare", back=True)
        keys.press("Enter")
        expect(page.locator("h1")).to_have_text("v9 and v13")
