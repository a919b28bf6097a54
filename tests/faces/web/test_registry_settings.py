"""The settings of a registry (R176): visibility, types, protected aliases, access, icon, deleting."""

from __future__ import annotations

import html
import re

import pytest

from byname.domain.policy import Role
from byname.domain.project import Project
from byname.operations import collection, member, protected_alias, registry, team
from byname.operations import project as projects
from tests.faces.web.conftest import App, words_of
from tests.support.house import House
from tests.support.world import ORGANIZATION, TEAM, holders, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
SETTINGS = f"{MODEL}/settings"
ACCESS = f"{MODEL}/access"


@pytest.fixture
def zoo(app: App) -> App:
    """Collection Zoo, of which v0 holds `production`; max is Member of the registry, vic Viewer."""
    admin = app.world.admin
    link_version(admin, log_version(admin), aliases=("production", "best"))
    app.add("max", Role.MEMBER)
    app.add("vic", Role.VIEWER)
    return app


def model(app: App) -> Project:
    return registry.get_by_name(app.world.admin, ORGANIZATION, "Model")


def unchanged(app: App, by: str, path: str, fields: dict[str, str], status: int) -> str:
    """The words of an answer that refuses, which changed nothing."""
    browser = app.by(by)
    before = House(app.world.nobody, {}).dump()
    answer = browser.send(path, page=SETTINGS, **fields)
    assert answer.status_code == status, answer.text[-2000:]
    assert House(app.world.nobody, {}).dump() == before
    return words_of(answer.text)


class TestGeneral:
    """R25, P21: name and description; R29, P24: the icon."""

    def test_r25_a_member_renames_and_describes(self, zoo: App) -> None:
        to = zoo.by("max").sent(SETTINGS, do="describe", name="Models", description="a\r\nb")
        assert to == "/orgs/acme/registry/Models/settings"
        made = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Models")
        assert made.description == "a\nb"
        zoo.by("max").get(SETTINGS, 404)

    def test_what_is_wrong_stands_beside_the_form_with_what_was_written(self, zoo: App) -> None:
        answer = zoo.by("admin").send(SETTINGS, do="describe", name="a/b", description="kept")
        assert answer.status_code == 422
        form = answer.text.split('id="general"')[1].split("</form>")[0]
        assert 'role="alert"' in form
        assert 'value="a/b"' in form
        assert "kept" in form

    def test_r29_an_admin_chooses_the_icon(self, zoo: App) -> None:
        zoo.by("admin").sent(SETTINGS, do="icon", shape="hexagon", colour="teal")
        assert model(zoo).icon.name == "hexagon-teal"
        zoo.by("admin").sent(SETTINGS, do="icon", shape="star", colour="red", generated="true")
        assert model(zoo).chosen_icon is None
        unchanged(zoo, "max", SETTINGS, {"do": "icon", "shape": "star", "colour": "red"}, 403)


class TestVisibility:
    """R19: Both directions are allowed to Admins; widening needs an explicit confirmation."""

    def test_r19_widening_asks_first(self, zoo: App) -> None:
        admin = zoo.by("admin")
        admin.sent(SETTINGS, do="visibility", visibility="restricted", default_role="member")
        assert model(zoo).restricted
        assert model(zoo).default_role is Role.MEMBER
        answer = admin.send(SETTINGS, do="visibility", visibility="organization",
                            default_role="viewer")  # fmt: skip
        assert answer.status_code == 200
        assert "becomes visible to everyone in acme" in words_of(answer.text)
        assert model(zoo).restricted
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"',
                                 answer.text.split('class="ask"')[1]))  # fmt: skip
        fields.pop("token")
        admin.sent(SETTINGS, **fields)
        assert not model(zoo).restricted
        assert model(zoo).default_role is Role.VIEWER

    def test_p24_members_are_refused_and_see_why(self, zoo: App) -> None:
        page = zoo.by("max").get(SETTINGS)
        assert "To change the visibility you need the role admin; yours is member." in page
        fields = {"do": "visibility", "visibility": "restricted", "default_role": "viewer"}
        assert "admin" in unchanged(zoo, "max", SETTINGS, fields, 403)
        for odd in (
            {"visibility": "secret"},
            {"visibility": "restricted", "default_role": "admin"},
        ):
            unchanged(zoo, "admin", SETTINGS, {"do": "visibility", **odd}, 422)


class TestTypes:
    """R20 to R24: accepted types, all or a list that only grows."""

    def test_r24_r22_used_types_join_the_list_and_stay(self, zoo: App) -> None:
        admin = zoo.by("admin")
        admin.sent(SETTINGS, do="types", all_types="false")
        assert registry.list_accepted_types(zoo.world.admin, [model(zoo)])[model(zoo).id] == [
            "model"
        ]
        zoo.by("max").sent(SETTINGS, do="add-type", type="dataset")
        page = zoo.by("max").get(SETTINGS).split('id="types"')[1].split("</section>")[0]
        assert [*re.findall(r'class="oval" title="(\w+)"', page)] == ["model", "dataset"]
        # R22: there is no way to take one off.
        assert 'class="x"' not in page
        answer = admin.send(SETTINGS, do="add-type", type="a/b")
        assert answer.status_code == 422
        unchanged(zoo, "max", SETTINGS, {"do": "types", "all_types": "true"}, 403)
        unchanged(zoo, "vic", SETTINGS, {"do": "add-type", "type": "x"}, 403)

    def test_r23_nothing_is_added_while_all_are_accepted(self, zoo: App) -> None:
        unchanged(zoo, "admin", SETTINGS, {"do": "add-type", "type": "x"}, 422)
        assert 'aria-label="Add a type"' not in zoo.by("admin").get(SETTINGS)


class TestProtectedAliases:
    """R81, R89: the list with +; the form first shows how many uses will be locked."""

    def test_r89_uses_are_told_first(self, zoo: App) -> None:
        admin = zoo.by("admin")
        live = admin.client.get(f"{SETTINGS}?uses=count&name=production",
                                headers={"hx-request": "true"})  # fmt: skip
        assert "1 version holds it now" in live.text
        answer = admin.send(SETTINGS, do="protect", name="production")
        assert "is held by 1 version" in words_of(answer.text)
        assert protected_alias.list_all(zoo.world.admin, model(zoo).id) == []
        admin.sent(SETTINGS, do="protect", name="production", confirm="true")
        (made,) = protected_alias.list_all(zoo.world.admin, model(zoo).id)
        assert (made.name, made.uses) == ("production", 1)
        badge = admin.get(SETTINGS).split('class="alias protected" title="production"')[1]
        assert "protected" in words_of(badge.split("</span>")[0] + badge.split("</span>")[1])

    def test_a_name_that_nobody_uses_needs_no_question(self, zoo: App) -> None:
        zoo.by("admin").sent(SETTINGS, do="protect", name="staging")
        assert [a.name for a in protected_alias.list_all(zoo.world.admin, model(zoo).id)] == [
            "staging"
        ]

    @pytest.mark.parametrize("name", ["latest", "v3", "", "a/b"])
    def test_r66_r90_what_cannot_be_protected(self, zoo: App, name: str) -> None:
        assert unchanged(zoo, "admin", SETTINGS, {"do": "protect", "name": name}, 422)

    def test_r80_others_are_refused_with_and_without_the_question(self, zoo: App) -> None:
        for by in ("max", "vic"):
            assert 'aria-label="Protect an alias"' not in zoo.by(by).get(SETTINGS)
            for fields in ({"name": "production"}, {"name": "production", "confirm": "true"}):
                words = unchanged(zoo, by, SETTINGS, {"do": "protect", **fields}, 403)
                assert "admin" in words

    def test_r180_ending_it_wants_the_name_typed(self, zoo: App) -> None:
        protected_alias.create(zoo.world.admin, model(zoo).id, "production")
        admin = zoo.by("admin")
        link = re.search(r'href="([^"]+)"[^>]*aria-label="End the protection of production"',
                         admin.get(SETTINGS))  # fmt: skip
        assert link is not None
        ask = html.unescape(link[1])
        assert "1 version keeps it" in words_of(admin.get(ask))
        wrong = {"do": "unprotect", "name": "production", "typed": "prod"}
        unchanged(zoo, "admin", SETTINGS, wrong, 400)
        right = {"do": "unprotect", "name": "production", "typed": "production"}
        unchanged(zoo, "max", SETTINGS, right, 403)
        admin.sent(SETTINGS, **right)
        assert protected_alias.list_all(zoo.world.admin, model(zoo).id) == []
        found = collection.get_in(zoo.world.admin, model(zoo), "Zoo")
        assert holders(zoo.world.admin, found.id)["production"] == 0


class TestPages:
    """R181: lists are paged by the server, each by itself."""

    def test_r181_protected_aliases(self, zoo: App) -> None:
        for number in range(101):
            protected_alias.create(zoo.world.admin, model(zoo).id, f"p{number:03d}")
        admin = zoo.by("admin")
        page = admin.get(SETTINGS)
        shown = re.findall(r'class="alias protected" title="(\w+)"', page)
        assert shown == [f"p{number:03d}" for number in range(100)]
        (following,) = re.findall(r'href="([^"]+[?]names-after=[^"]+)"', page)
        page = admin.get(html.unescape(following))
        assert re.findall(r'class="alias protected" title="(\w+)"', page) == ["p100"]
        # The other lists of the page stay where they are.
        assert "max" in page.split('id="access"')[1]

    @pytest.mark.parametrize("word", ["names-after", "teams-after", "after"])
    def test_a_cursor_of_no_list_is_refused(self, zoo: App, word: str) -> None:
        zoo.by("admin").get(f"{SETTINGS}?{word}=nonsense", 422)

    def test_r181_teams(self, zoo: App) -> None:
        ctx, home = zoo.world.admin, model(zoo)
        teams = [f"team{number:02d}" for number in range(51)]
        for name in teams:
            made = team.create_team(ctx, organization=ORGANIZATION, name=name)
            member.add(ctx, home.id, team_ids=[made.id], role=Role.VIEWER)
        first = member.list_some_teams(ctx, home)
        assert first.has_next
        rest = member.list_some_teams(ctx, home, after=first.end_cursor)
        assert not rest.has_next
        names = [each.name for each, _ in [*first.items, *rest.items]]
        assert [each for each in names if each in teams] == teams
        assert names == sorted(set(names))


class TestAccess:
    """R108: Add access for users (name or e-mail) and teams; roles; effective role; Make owner."""

    def roles(self, zoo: App) -> dict[str, str]:
        return {u.username: r.word for u, r in member.list_users(zoo.world.admin, model(zoo))}

    def test_r108_users_and_teams_are_found_and_added(self, zoo: App) -> None:
        zoo.world.add_person("mia", in_organization="member")
        admin = zoo.by("admin")
        page = admin.get(f"{ACCESS}?who=MIA%40exa")
        boxes = re.findall(r'name="((?:user|team)-\d+)"', page)
        assert len(boxes) == 1
        team = re.findall(r'name="(team-\d+)"', admin.get(f"{ACCESS}?who={TEAM}"))
        to = admin.sent(ACCESS, role="member", **{boxes[0]: "on", team[0]: "on"})
        assert to == f"{SETTINGS}#access"
        assert self.roles(zoo)["mia"] == "member"
        assert [(t.name, r.word) for t, r in member.list_teams(zoo.world.admin, model(zoo))] == [
            (TEAM, "member")
        ]
        assert not re.findall(r'name="(user-\d+)"', admin.get(f"{ACCESS}?who=mia"))

    def test_r104_without_a_role_it_is_the_usual_one(self, zoo: App) -> None:
        mia = zoo.world.add_person("mia", in_organization="member")
        zoo.by("admin").sent(ACCESS, role="", **{f"user-{mia.who.user_id}": "on"})
        assert self.roles(zoo)["mia"] == "restricted_viewer"

    def test_r108_the_effective_role_stands_beside_the_given_one(self, zoo: App) -> None:
        mia = zoo.world.add_person("mia", in_organization="member", in_team="member")
        member.add(zoo.world.admin, model(zoo).id, user_ids=[mia.who.user_id],
                   role=Role.RESTRICTED_VIEWER)  # fmt: skip

        def shown() -> str:
            page = zoo.by("admin").get(SETTINGS)
            row = page.split("Registry role of mia")[1].split("</tr>")[0]
            assert re.search(r'value="restricted_viewer" selected', row)
            found = re.search(r'class="effective more"[^>]*>([^<]+)<', row)
            assert found is not None
            return found[1]

        assert shown() == "Viewer"
        member.put_named_team(zoo.world.admin, model(zoo).id, TEAM, Role.MEMBER)
        assert shown() == "Member"
        # The page says what the server decides.
        role = projects.role_in(zoo.world.reload("mia"), model(zoo))
        assert role is Role.MEMBER

    def test_r108_roles_change_and_members_leave_after_a_question(self, zoo: App) -> None:
        admin = zoo.by("admin")
        admin.sent(SETTINGS, do="set-role", kind="user", name="vic", role="member")
        assert self.roles(zoo)["vic"] == "member"
        ask = f"{SETTINGS}?confirm=remove&kind=user&name=vic"
        assert "has no role of its own" in words_of(admin.get(ask))
        assert "vic" in self.roles(zoo)
        admin.sent(SETTINGS, do="remove", kind="user", name="vic")
        assert "vic" not in self.roles(zoo)

    def test_r27_a_member_becomes_the_owner(self, zoo: App) -> None:
        zoo.by("admin").sent(SETTINGS, do="owner", name="vic")
        assert model(zoo).owner_id == zoo.world.people["vic"].who.user_id
        row = zoo.by("max").get(SETTINGS).split("vic@example.org")[0].split("<tr>")[-1]
        assert "owner" in words_of(row)

    def test_r111_the_last_admin_stays(self, zoo: App) -> None:
        fields = {"do": "set-role", "kind": "user", "name": "admin", "role": "viewer"}
        assert "without an admin" in unchanged(zoo, "admin", SETTINGS, fields, 409)

    def test_p25_others_see_the_list_and_are_refused(self, zoo: App) -> None:
        page = zoo.by("vic").get(SETTINGS)
        assert "max@example.org" in page
        assert 'aria-label="Registry role of max"' not in page
        for fields in (
            {"do": "set-role", "kind": "user", "name": "max", "role": "admin"},
            {"do": "remove", "kind": "user", "name": "vic"},
            {"do": "owner", "name": "max"},
        ):
            unchanged(zoo, "max", SETTINGS, fields, 403)
        found = zoo.by("max").get(f"{ACCESS}?who=adm")
        assert not re.findall(r'name="user-\d+"', found)
        number = zoo.world.people["vic"].who.user_id
        unchanged(zoo, "max", ACCESS, {f"user-{number}": "on", "role": "admin"}, 403)

    @pytest.mark.parametrize(
        ("fields", "status"),
        [({}, 422), ({"user-999": "on"}, 404), ({"user-1": "on", "role": "king"}, 422),
         ({"user-99999999999999999999": "on"}, 422), ({"user--1": "on"}, 422)],
    )  # fmt: skip
    def test_odd_choices_are_refused(self, zoo: App, fields: dict[str, str], status: int) -> None:
        unchanged(zoo, "admin", ACCESS, fields, status)


class TestDeleting:
    """R170, R171: gear, trash icon, type the registry's name, Delete."""

    def test_r170_the_name_must_be_typed(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = words_of(admin.get(f"{SETTINGS}?confirm=delete"))
        assert "Its 1 collection with 1 link disappears" in page
        assert "Type Model to confirm" in page
        words = unchanged(zoo, "admin", SETTINGS, {"do": "delete", "typed": "Modell"}, 400)
        assert "Type the registry's name" in words
        assert admin.sent(SETTINGS, do="delete", typed="Model") == "/"
        assert "can be restored for 7 days" in admin.get("/")
        admin.get(MODEL, 404)
        # The artifact itself stays.
        admin.get("/vision/training/artifacts/model/model/v0")

    def test_r171_an_admin_who_did_not_create_it_sees_why_not(self, zoo: App) -> None:
        zoo.add("ada", Role.ADMIN)
        page = zoo.by("ada").get(SETTINGS)
        assert "Only who created it, or an admin of acme, may delete it." in page
        assert "confirm=delete" not in page
        unchanged(zoo, "ada", SETTINGS, {"do": "delete", "typed": "Model"}, 403)


def test_looking_changes_nothing_and_odd_input_is_no_fault(zoo: App) -> None:
    admin = zoo.by("admin")
    before = House(zoo.world.nobody, {}).dump()
    for query in ("", "?confirm=delete", "?confirm=remove&kind=user&name=x", "?person=%00",
                  "?person=" + "x" * 600, "?uses=1&name=a/b", "?uses=1", "?confirm=odd"):  # fmt: skip
        assert (
            admin.client.get(SETTINGS + query, headers={"accept": "text/html"}).status_code == 200
        )
    for query, status in (("?confirm=unprotect&name=x", 422), ("?confirm=remove&kind=x", 404),
                          ("?after=x", 422)):  # fmt: skip
        answer = admin.client.get(SETTINGS + query, headers={"accept": "text/html"})
        assert answer.status_code == status
    assert House(zoo.world.nobody, {}).dump() == before
    for wish in ("describe", "icon", "visibility", "types", "add-type", "protect", "unprotect",
                 "delete", "set-role", "remove", "owner", "none"):  # fmt: skip
        assert admin.send(SETTINGS, do=wish).status_code in (303, 400, 404, 409, 422), wish
