"""The first page, the search, a registry's list, and linking by hand (R28, R43, R113 to R116, R174)."""

from __future__ import annotations

import re

import pytest

from byname.domain.policy import GroupRole, Role
from byname.operations import alias, collection, member, protected_alias, registry, star, team
from byname.operations import version as versions
from tests.faces.web.conftest import HTML, App, Browser, token_on, words_of
from tests.support.house import House
from tests.support.world import ORGANIZATION, PROJECT, TEAM, holders, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"


def part(browser: Browser, path: str) -> str:
    """What a script of ours gets from the address."""
    answer = browser.client.get(path, headers={"hx-request": "true"}, follow_redirects=False)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
def zoo(app: App) -> App:
    """Collection Zoo with two versions; `production`, which is protected, is on v0, `best` on v1."""
    admin = app.world.admin
    for number in range(2):
        made = log_version(admin, files={"w": b"%d" % number})
        link_version(admin, made, aliases=("production",) if number == 0 else ("best",))
        if number == 0:
            versions.edit(admin, made.id, versions.VersionEdit(add_tags=["night run"]))
    model = registry.get_by_name(admin, ORGANIZATION, "Model")
    protected_alias.create(admin, model.id, "production")
    new = collection.NewCollection("Birds", "model", tags=["vision"])
    collection.create(admin, model.id, new)
    return app


class TestStars:
    """R28: Each user may star registries; starred ones come first on the landing page."""

    def test_r28_a_star_puts_a_registry_first_for_that_person_only(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        browser = zoo.by("max")
        names = r'title="(Model|Dataset)">'
        assert re.findall(names, browser.get("/")) == ["Dataset", "Model"]
        assert browser.sent(MODEL, do="star", **{"from": "landing"}) == "/"
        page = browser.get("/")
        assert re.findall(names, page) == ["Model", "Dataset"]
        assert re.search(r'aria-pressed="true" aria-label="Star Model"', page)
        assert re.findall(names, zoo.by("admin").get("/")) == ["Dataset", "Model"]
        assert browser.sent(MODEL, do="unstar") == MODEL
        model = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        assert star.among(zoo.world.people["max"], [model]) == set()
        assert browser.send(MODEL, do="anything").status_code == 400


class TestSearch:
    """R113 to R115: one bar finds all names; the results are grouped by kind."""

    def test_r113_r115_every_kind_is_found_and_leads_where_it_stands(self, zoo: App) -> None:
        admin = zoo.by("admin")
        for text, title, href in (
            ("mod", "Registries", MODEL),
            ("zo", "Collections", ZOO),
            ("visi", "Tags of collections", f"{MODEL}?selectionPath=acme%2F"),
            ("night", "Tags of versions", f"{ZOO}&view=membership&version=v0"),
            ("best", "Aliases", f"{ZOO}&view=membership&version=v1"),
        ):
            page = admin.get(f"/search?q={text}")
            assert f"<h2>{title}</h2>" in page
            assert f'class="hit" href="{href.replace("&", "&amp;")}' in page, text
        badge = re.search(r'class="hit"[^>]*>(<span class="alias protected".*?)</a>',
                          admin.get("/search?q=PRODUC"), re.DOTALL)  # fmt: skip
        assert badge is not None
        assert "protected" in words_of(badge[1])
        assert "Zoo:v0" in words_of(badge[1])

    def test_r115_ten_of_a_kind_and_all_of_them(self, zoo: App) -> None:
        admin = zoo.by("admin")
        model = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        for number in range(61):
            new = collection.NewCollection(f"Set {number}", "model")
            collection.create(zoo.world.admin, model.id, new)
        page = admin.get("/search?q=set")
        assert len(re.findall(r'class="what">Set ', page)) == 10
        more = re.search(r'href="([^"]+)">Show all collections', page)
        assert more is not None
        seen = set()
        here = more[1].replace("&amp;", "&")
        for _ in range(3):
            page = admin.get(here)
            seen |= set(re.findall(r'class="what">(Set \d+)', page))
            following = re.search(r'href="([^"]+)" rel="next"', page)
            if following is None:
                break
            here = following[1].replace("&amp;", "&")
        assert len(seen) == 61
        back = re.search(r'href="([^"]+)">First page', page)
        assert back is not None
        assert "Set 60" in admin.get(back[1].replace("&amp;", "&"))

    def test_r115_the_bar_answers_from_two_letters_on(self, zoo: App) -> None:
        admin = zoo.by("admin")
        assert "hit" not in part(admin, "/search?q=Z")
        found = part(admin, "/search?q=Zo")
        assert "<html" not in found
        assert ZOO.replace("&", "&amp;") in found
        assert "Nothing is called" in part(admin, "/search?q=okapi")

    def test_r114_what_is_hidden_is_not_found(self, zoo: App) -> None:
        zoo.add("eve", Role.VIEWER)
        made = registry.create(
            zoo.world.admin, registry.NewRegistry(ORGANIZATION, "Secret plan", restricted=True)
        )
        collection.create(
            zoo.world.admin, made.id, collection.NewCollection("Secret set", "m", tags=["secret"])
        )
        eve = zoo.by("eve")
        for page in (words_of(eve.get("/search?q=secret")), part(eve, "/search?q=secret")):
            assert "Nothing is called" in page
            assert "Secret plan" not in page
        assert "Secret plan" in zoo.by("admin").get("/search?q=secret")

    @pytest.mark.parametrize("query", ["q=" + "x" * 129, "q=%01", "q=x&kind=people", "q=x&after=1"])
    def test_what_cannot_be_looked_for_is_said(self, zoo: App, query: str) -> None:
        page = zoo.by("admin").get(f"/search?{query}", 200 if "after" in query else 422)
        assert ('role="alert"' in page) is ("after" not in query)

    def test_who_is_logged_out_meanwhile_is_sent_to_the_log_in(self, app: App) -> None:
        answer = app.stranger().client.get("/search?q=zoo", headers={"hx-request": "true"})
        assert (answer.status_code, answer.headers["hx-refresh"]) == (204, "true")


class TestRegistryList:
    """R175, R116: the list of collections says what is where, and can be filtered."""

    def test_r175_rows_say_which_version_holds_a_protected_alias(self, zoo: App) -> None:
        row = zoo.by("admin").get(MODEL).split('title="Zoo"')[1].split("</tr>")[0]
        assert words_of(row).startswith("> Zoo model protected production v0")
        assert f"{ZOO}&view=membership&version=v0".replace("&", "&amp;") in row

    def test_r175_a_click_on_the_name_lists_the_newest_versions(self, zoo: App) -> None:
        admin = zoo.by("admin")
        closed = admin.get(MODEL)
        assert 'class="quick-list"' not in closed
        opened = admin.get(f"{MODEL}?open=Zoo")
        listed = opened.split('class="quick-list"')[1].split("</ul>")[0]
        assert re.findall(r">v(\d)</a>", listed) == ["1", "0"]
        row = part(admin, f"{MODEL}?open=Zoo")
        assert row.count("<tbody") == 1
        assert listed.split("<li>")[1] in row
        assert 'class="quick-list"' not in part(admin, f"{MODEL}?row=Zoo")

    @pytest.mark.parametrize(
        ("text", "found"),
        [("zo", ["Zoo"]), ("VISION", ["Birds"]), ("night", ["Zoo"]), ("product", ["Zoo"]),
         ("okapi", []), ("", ["Birds", "Zoo"])],
    )  # fmt: skip
    def test_r116_its_own_bar_filters_by_name_tag_and_alias(
        self, zoo: App, text: str, found: list[str]
    ) -> None:
        page = zoo.by("admin").get(f"{MODEL}?q={text}")
        assert re.findall(r'aria-label="View details of (\w+)"', page) == found
        if not found:
            assert "No collection here is called that" in page

    def test_a_row_says_who_changed_what_last(self, zoo: App) -> None:
        zoo.add("max", Role.ADMIN)
        maxi, browser = zoo.world.people["max"], zoo.by("admin")
        home = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        place = collection.get_in(maxi, home, "Zoo")
        there = alias.Place(ORGANIZATION, home.name, "Zoo")
        ids = [
            collection.get_version_in(maxi, home, place, f"v{number}")[0].version_id
            for number in range(2)
        ]

        def last() -> str:
            cells = re.findall(r'data-label="Last change">(.*?)</td>', browser.get(MODEL))
            return words_of(cells[1])

        for change, told in (
            (lambda: alias.edit(maxi, ids[0], add=[(there, "x")]), "max put x on v0"),
            (lambda: alias.edit(maxi, ids[1], add=[(there, "x")]), "max moved x to v1"),
            (lambda: alias.edit(maxi, ids[1], remove=[(there, "x")]), "max took x off v1"),
            (lambda: collection.edit_tags(maxi, there, add=["big"]), "max changed its tags"),
            (lambda: collection.unlink(maxi, ids[0], place.id), "max unlinked v0"),
        ):
            change()
            assert last() == f"just now {told}"

    def test_r179_a_viewer_sees_why_they_may_not(self, zoo: App) -> None:
        zoo.add("vic", Role.VIEWER)
        page = zoo.by("vic").get(MODEL)
        assert "data-dialog" not in page
        reason = "To create a collection you need the role member; yours is viewer."
        assert re.search(
            rf'aria-disabled="true">Create collection <span class="reason">{reason}', page
        )
        assert "To link a version you need the role member" in page


class TestNewCollection:
    """R32: Created in the UI: name, type, description, tags, optionally a first version to link."""

    FORM = f"{MODEL}/new-collection"

    def test_r32_with_a_first_version(self, zoo: App) -> None:
        admin = zoo.by("admin")
        to = admin.sent(
            self.FORM, name=" Owls ", type="model", description="Big\r\neyes",
            tags="night, vision", first="vision/training/model:v1",
        )  # fmt: skip
        assert to == f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FOwls"
        page = admin.get(to)
        assert "Collection Owls was created." in page
        assert "Collection Owls was created." not in admin.get(to)
        assert "Big\neyes" in page
        model = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        made = collection.get_in(zoo.world.admin, model, "Owls")
        assert holders(zoo.world.admin, made.id) == {"latest": 0}

    @pytest.mark.parametrize(
        ("fields", "status", "words"),
        [
            ({"name": "Zoo"}, 409, "already has a collection"),
            ({"name": "a/b"}, 422, "must not contain"),
            ({"type": "dataset", "first": "vision/training/model:v0"}, 409, "dataset"),
            ({"first": "vision/training/none:v0"}, 404, "does not exist"),
            ({"tags": "a/b"}, 422, "words of letters"),
        ],
    )
    def test_r33_what_is_refused_leaves_nothing(
        self, zoo: App, fields: dict[str, str], status: int, words: str
    ) -> None:
        admin = zoo.by("admin")
        before = House(zoo.world.nobody, {}).dump()
        answer = admin.send(
            self.FORM, **{"name": "Owls", "type": "model", "description": "kept", **fields}
        )
        assert answer.status_code == status, answer.text[-2000:]
        assert words in words_of(answer.text)
        assert "kept" in answer.text
        assert House(zoo.world.nobody, {}).dump() == before

    def test_p8_a_viewer_is_refused(self, zoo: App) -> None:
        zoo.add("vic", Role.VIEWER)
        assert zoo.by("vic").send(self.FORM, name="x", type="model").status_code == 403


class TestLinkNewVersion:
    """R43: from a collection's menu, Team, Project, Artifact, Version, step by step."""

    FORM = f"{MODEL}/link?collection=Birds"

    def test_r70_aliases_of_others_are_asked_for_and_never_taken_unseen(self, zoo: App) -> None:
        admin, form = zoo.world.admin, f"{MODEL}/link?collection=Zoo"
        log_version(admin, files={"w": b"third"})
        browser = zoo.by("admin")
        fields = {"source": f"{TEAM}/{PROJECT}/model:v2", "aliases": "best, new, latest"}
        asked = browser.send(form, **fields)
        assert asked.status_code == 200
        assert "best is on v1 now. It moves to the new version" in words_of(asked.text)
        moving = re.findall(r'name="moving" value="([^"]*)"', asked.text)[0]
        home = registry.get_by_name(admin, ORGANIZATION, "Model")
        place = collection.get_in(admin, home, "Zoo")
        assert holders(admin, place.id) == {"best": 1, "latest": 1, "production": 0}
        # Meanwhile somebody moves it, and gives the other name to another version as well.
        first, _ = collection.get_version_in(admin, home, place, "v0")
        there = alias.Place(ORGANIZATION, home.name, "Zoo")
        alias.edit(admin, first.version_id, add=[(there, "best"), (there, "new")])
        late = browser.send(form, **fields, moving=moving)
        assert late.status_code == 409
        told = words_of(late.text)
        assert (
            "Meanwhile something changed. best is on v0 now: admin put it there just now." in told
        )
        assert "new is on v0 now. It moves to the new version" in told
        assert holders(admin, place.id) == {"best": 0, "latest": 1, "new": 0, "production": 0}
        moving = re.findall(r'name="moving" value="([^"]*)"', late.text)[0]
        assert browser.sent(form, **fields, moving=moving).endswith("version=v2")
        assert holders(admin, place.id) == {"best": 2, "latest": 2, "new": 2, "production": 0}
        # Again, of what is there already: it holds them itself, so nothing is to be asked.
        assert browser.sent(form, **fields).endswith("version=v2")

    def test_r92_of_a_protected_one_a_member_is_told_the_role_at_once(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        log_version(zoo.world.admin, files={"w": b"third"})
        team.put_member(zoo.world.admin, TEAM, "max", GroupRole.MEMBER)
        fields = {"source": f"{TEAM}/{PROJECT}/model:v2", "aliases": "production"}
        answer = zoo.by("max").send(f"{MODEL}/link?collection=Zoo", **fields)
        assert answer.status_code == 403
        assert "admin" in words_of(answer.text.split('role="alert"')[1])

    def test_r43_each_step_offers_the_next(self, zoo: App) -> None:
        admin = zoo.by("admin")
        path = self.FORM
        log_version(zoo.world.admin, "notes", type_name="text")
        for name, value in (("project", "training"), ("artifact", "model"), ("version", "v1")):
            page = admin.get(path)
            step = page.split(f'id="step-{name}"')[1].split("</select>")[0]
            assert f'<option value="{value}">' in step
            assert f'id="step-{name}"' in page
            path += f"&{name}={value}"
        # Only artifacts of the collection's type can be linked, so only they are offered (R35).
        assert 'value="notes"' not in admin.get(path)
        assert 'value="vision/training/model:v1"' in admin.get(path)

    def test_r43_the_version_is_linked_with_its_aliases(self, zoo: App) -> None:
        admin = zoo.by("admin")
        to = admin.sent(self.FORM, source="vision/training/model:v1", aliases="best, production")
        assert to.endswith("Birds&view=membership&version=v0")
        assert "vision/training/model:v1 is v0 here now." in admin.get(to)
        again = admin.sent(self.FORM, source="vision/training/model:v1", aliases="")
        assert "was here already, as v0" in admin.get(again)

    def test_r91_a_member_with_a_protected_alias_links_nothing(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        zoo.world.add_person("mia", in_organization="member", in_team="member")
        model = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        ids = [zoo.world.people["mia"].who.user_id]
        member.add(zoo.world.admin, model.id, user_ids=ids, role=Role.MEMBER)
        answer = zoo.by("mia").send(
            self.FORM, source="vision/training/model:v1", aliases="best,production"
        )
        assert answer.status_code == 403
        assert "production" in words_of(answer.text)
        found = collection.get_in(zoo.world.admin, model, "Birds")
        assert found.version_count == 0

    def test_what_is_not_there_is_said_beside_the_form(self, zoo: App) -> None:
        for source in ("", "vision/training/none:v0", "vision/training/model:v9"):
            answer = zoo.by("admin").send(self.FORM, source=source)
            assert answer.status_code == 422
            assert 'role="alert"' in answer.text


def test_a_notice_is_for_the_session_that_it_was_made_for(zoo: App) -> None:
    """A9: nobody can put words on another's page."""
    zoo.add("max", Role.MEMBER)
    first, second = zoo.by("admin"), zoo.by("max")
    form = f"{MODEL}/new-collection"
    answer = first.client.post(
        form,
        data={"token": token_on(first.get(form)), "name": "Owls", "type": "model"},
        headers=HTML,
        follow_redirects=False,
    )
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    value = cookie.split("byname_notice=")[1].split(";")[0]
    second.client.cookies.set("byname_notice", value)
    assert "was created" not in second.get(MODEL)
