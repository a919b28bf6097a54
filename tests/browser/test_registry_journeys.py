"""What people do in a registry, in a real browser: R43, R80, R81, R108, R113 to R116, R170, R175."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE_MILLISECONDS, Visitor
from tests.browser.pages import COLLECTION, REGISTRY, VERSION
from tests.browser.sample import CLASSIFIERS, PROJECT, fill
from tests.support.rig import ORGANIZATION, TEAM, Rig

Visit = Callable[..., Visitor]


@dataclass(slots=True)
class People:
    """The keys of the people of the sample."""

    keys: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def people(rig: Rig) -> People:
    """The server has the sample's people and registries."""
    return People(fill(rig.data).keys)


class TestProtecting:
    """R81: gear, Protected aliases, +; R80, R179: others cannot take it off."""

    def test_r81_r80_an_admin_protects_and_a_member_cannot_touch_it(
        self, people: People, visit: Visit
    ) -> None:
        admin = visit(people.keys["ann"])
        admin.goto(REGISTRY)
        admin.page.get_by_role("link", name="Settings").first.click()
        admin.page.get_by_label("Protect an alias").click()
        admin.page.get_by_label("Alias", exact=True).fill("best")
        expect(admin.page.locator("#uses")).to_contain_text("1 version holds it now")
        admin.page.get_by_role("button", name="Protect", exact=True).click()
        expect(admin.page.get_by_role("heading", name="Protect this alias?")).to_be_visible()
        admin.page.get_by_role("button", name="Protect", exact=True).click()
        expect(admin.page.get_by_role("status").first).to_contain_text("best is protected now")

        member = visit(people.keys["ben"])
        version = VERSION.replace("v12", "v13")
        member.goto(version)
        badge = member.page.locator(".alias.protected", has_text="best").first
        expect(badge).to_be_visible()
        assert badge.locator("svg").count() == 1
        assert "protected" in badge.inner_text()
        assert member.page.get_by_label("Remove the alias best").count() == 0
        # The same from a request made by hand, with the form's own token.
        answer = member.page.evaluate(
            """async (path) => {
              const token = document.querySelector("input[name=token]").value;
              const body = new URLSearchParams(
                {token, do: "remove-alias", alias: "best", typed: "best"});
              const answer = await fetch(path, {method: "POST", body, redirect: "manual"});
              return [answer.status, await answer.text()];
            }""",
            version,
        )
        assert answer[0] == 403
        assert "admin" in answer[1]
        member.goto(version)
        expect(member.page.locator(".alias.protected", has_text="best").first).to_be_visible()


class TestAccess:
    """R108: Registry access, Add access, users and teams, roles, Delete."""

    def test_r108_somebody_is_added_changed_made_owner_and_removed(
        self, people: People, visit: Visit
    ) -> None:
        admin = visit(people.keys["ann"]).page
        admin.goto(
            admin.url.split("/", 3)[0] + "//" + admin.url.split("/")[2] + f"{REGISTRY}/settings"
        )
        admin.get_by_role("link", name="Add access").click()
        dialog = admin.get_by_role("dialog", name="Add access")
        dialog.get_by_placeholder("Name or e-mail").fill("emil@")
        expect(dialog.locator(".who-row")).to_have_count(1)
        dialog.get_by_label("Emil Sato").check()
        dialog.get_by_label("Registry role").select_option("viewer")
        dialog.get_by_role("button", name="Add access").click()
        row = admin.locator("tr", has_text="emil@example.org")
        expect(row.locator(".effective")).to_have_text("Viewer")
        row.get_by_label("Registry role of emil").select_option("member")
        row.get_by_role("button", name="Save").click()
        expect(row.locator(".effective")).to_have_text("Member")
        row.get_by_label("More for emil").click()
        row.get_by_role("button", name="Make owner").click()
        expect(row.get_by_text("owner", exact=True)).to_be_visible()
        row.get_by_label("More for emil").click()
        row.get_by_role("link", name="Delete…").click()
        asked = admin.get_by_role("dialog", name="Remove emil?")
        asked.get_by_role("button", name="Delete").click()
        expect(admin.get_by_role("status").first).to_contain_text("emil was removed")
        expect(admin.locator("tr", has_text="emil@example.org")).to_have_count(0)

    def test_who_was_ticked_stays_ticked_while_one_looks_for_another(
        self, people: People, visit: Visit
    ) -> None:
        page = visit(people.keys["ann"]).goto(f"{REGISTRY}/access")
        find = page.get_by_placeholder("Name or e-mail")
        for text, name in (("emil@", "Emil Sato"), ("fay@", "Fay Nkemelu")):
            find.fill(text)
            expect(page.locator("#candidates label", has_text=name)).to_be_visible()
            expect(page.locator("#candidates label:not(:has(:checked))")).to_have_count(1)
            page.get_by_label(name).check()
        find.fill("emil@")
        expect(page.locator("#candidates label").first).to_contain_text("Fay")
        expect(page.get_by_label("Emil Sato")).to_have_count(1)
        page.get_by_role("button", name="Add access").click()
        expect(page.locator(".notice").first).to_contain_text("2 were given access.")


class TestSearching:
    """R113 to R116: as one types, on Enter, and inside one registry."""

    def test_r115_as_one_types_and_on_enter_by_keyboard(self, people: People, visit: Visit) -> None:
        visitor = visit(people.keys["ann"])
        page = visitor.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("Zo")
        found = page.locator(".bar .found a.hit")
        expect(found.first).to_be_visible()
        page.keyboard.press("ArrowDown")
        expect(found.first).to_be_focused()
        page.keyboard.press("Escape")
        expect(found).to_have_count(0)
        page.keyboard.type("o_class")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Found for “Zoo_class”")).to_be_visible()
        page.get_by_role("link", name=CLASSIFIERS).first.click()
        assert page.url.endswith(COLLECTION)
        visitor.goto("/search?q=staging")
        page.locator("a.hit", has_text=f"{CLASSIFIERS}:v12").click()
        assert "version=v12" in page.url

    def test_r116_a_tag_filters_its_own_registry(self, people: People, visit: Visit) -> None:
        page = visit(people.keys["ben"]).goto(REGISTRY)
        rows = page.locator("#collections tbody")
        expect(rows).to_have_count(5)
        page.get_by_label("Filter the collections of this registry").fill("vision")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Penguin_Detector")
        page.get_by_label("Filter the collections of this registry").fill("reviewed")
        expect(rows).to_contain_text(CLASSIFIERS)
        rows.locator(".found-here a").first.click()
        expect(page.locator(".tag", has_text="reviewed").first).to_be_visible()


class TestCollections:
    """R32, R43, R175: creating, linking step by step, the quick list; all with the keyboard alone."""

    def test_r32_r43_by_keyboard_alone(self, people: People, visit: Visit) -> None:
        page = visit(people.keys["ben"]).goto(REGISTRY)
        page.get_by_role("link", name="Create collection").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Create a collection")
        expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
        page.keyboard.type("Otter_Counter")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("Otter_Counter was created")
        page.goto(page.url.split("?")[0])
        page.get_by_label("More for Otter_Counter").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Link a new version into Otter_Counter")
        for label, value in (
            ("Project", PROJECT), ("Artifact", "zoo_classifier"), ("Version", "v13"),
        ):  # fmt: skip
            choice = dialog.get_by_label(label, exact=True).and_(dialog.locator("select"))
            expect(choice).to_be_visible()
            choice.select_option(value)
        source = dialog.locator("#source")
        expect(source).to_have_value(f"{TEAM}/{PROJECT}/zoo_classifier:v13")
        dialog.get_by_label("Aliases").focus()
        page.keyboard.type("candidate")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("is v0 here now")
        expect(page.locator(".alias", has_text="candidate").first).to_be_visible()

    def test_r175_a_click_on_the_name_opens_and_closes_a_quick_list(
        self, people: People, visit: Visit
    ) -> None:
        page = visit(people.keys["dora"]).goto(REGISTRY)
        name = page.locator("a.quick", has_text=CLASSIFIERS)
        name.click()
        expect(page.locator(".quick-list li")).to_have_count(8)
        expect(name).to_have_attribute("aria-expanded", "true")
        expect(name).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".quick-list")).to_have_count(0)

    def test_escape_closes_a_dialog_and_a_menu(self, people: People, visit: Visit) -> None:
        page = visit(people.keys["ann"]).goto(REGISTRY)
        page.get_by_role("link", name="Create collection").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        menu = page.get_by_label(f"More for {CLASSIFIERS}")
        menu.click()
        expect(page.get_by_role("link", name="Action history")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Action history")).to_be_hidden()


class TestRegistries:
    """R13, R170: a registry is created, starred, and deleted by typing its name."""

    def test_r13_r28_r170(self, people: People, visit: Visit) -> None:
        page = visit(people.keys["ann"]).goto("/")
        page.get_by_role("link", name="Create registry").click()
        page.get_by_label("Name", exact=True).fill("Aquarium")
        page.get_by_role("button", name="Create registry").click()
        page.wait_for_url(f"**/orgs/{ORGANIZATION}/registry/Aquarium")
        page.get_by_label("Star Aquarium").click()
        expect(page.get_by_label("Star Aquarium")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("link", name="Byname").click()
        expect(page.locator(".card h2").first).to_have_text("Aquarium")
        page.get_by_role("link", name="Aquarium").click()
        page.get_by_role("link", name="Settings").first.click()
        page.get_by_label("Delete this registry").click()
        dialog = page.get_by_role("dialog", name="Delete Aquarium?")
        dialog.get_by_label("Type Aquarium to confirm").fill("Aquarium")
        dialog.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status").first).to_contain_text("Registry Aquarium was deleted")
        expect(page.get_by_role("link", name="Aquarium")).to_have_count(0)


def test_r149_the_picture_of_the_lineage_is_walked_about_in(people: People, visit: Visit) -> None:
    """What is not tied to the node under the pointer is dimmed; a node is dragged with its arrows."""
    page = visit(people.keys["ann"]).goto(f"{VERSION}&tab=lineage")
    nodes = page.locator(".graph .node")
    run = page.locator(".graph .node.run").first
    assert nodes.count() >= 3
    far = page.evaluate(
        """() => {
          const id = (each) => each.dataset.id;
          const ends = (each) => [each.dataset.from, each.dataset.to];
          const root = id(document.querySelector(".graph .node.root"));
          const arrows = [...document.querySelectorAll(".arrow")].map(ends);
          const near = new Set([root, ...arrows.filter((each) => each.includes(root)).flat()]);
          const all = [...document.querySelectorAll(".graph .node")].map(id);
          return all.filter((each) => !near.has(each));
        }"""
    )
    page.locator(".graph .node.root rect").last.hover()
    expect(run).to_have_css("opacity", "1")
    expect(run).to_have_class(re.compile(r"\bnear\b"))
    assert far, "Something must be further away to be dimmed."
    for each in far:
        expect(page.locator(f'.graph .node[data-id="{each}"]')).to_have_css("opacity", "0.3")
    page.mouse.move(2, 2)
    for each in nodes.all():
        expect(each).to_have_css("opacity", "1")

    # Dragging takes the node and its arrows along, and opens nothing.
    address = page.url
    arrows = page.locator(f'.graph .arrow[data-from="{run.get_attribute("data-id")}"]')
    before = arrows.first.get_attribute("d")
    box = run.locator("rect").last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 44, box["y"] + box["height"] - 20, steps=5)
    page.mouse.up()
    moved = run.locator("rect").last.bounding_box()
    assert moved is not None
    assert (round(moved["x"] - box["x"]), round(moved["y"] - box["y"])) == (24, -12)
    assert arrows.first.get_attribute("d") != before
    expect(page.locator(".graph.dragging")).to_have_count(0)
    assert page.url == address
    expect(page.locator("#side .label.run")).to_have_count(0)
    # And a click on it opens it all the same.
    run.locator("rect").last.click()
    expect(page.locator("#side .label.run")).to_be_visible()


def test_without_script_the_same_is_done_by_plain_pages(
    people: People, rig: Rig, chromium: Browser
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(f"{rig.url}/login")
    page.locator("summary", has_text="API key").click()
    page.fill("input[name=api_key]", people.keys["ann"])
    page.locator("form:has(input[name=api_key]) button").click()
    page.goto(rig.url + REGISTRY)
    page.locator("a.quick", has_text=CLASSIFIERS).click()
    expect(page.locator(".quick-list li")).to_have_count(8)
    page.get_by_role("link", name="Create collection").click()
    page.get_by_label("Name", exact=True).fill("Seal Counter")
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Seal Counter")).to_be_visible()
    page.get_by_label("Search registries").fill("seal")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Found for “seal”")).to_be_visible()
    context.close()
