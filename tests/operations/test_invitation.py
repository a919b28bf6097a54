"""Inviting people: links that let one choose a password, once (A7, A8, R192)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from byname.domain.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unprocessable,
)
from byname.domain.invitation import LIFETIME
from byname.domain.key import fingerprint
from byname.domain.policy import GroupRole
from byname.operations import history, invitation, key, organization, session, team, user
from byname.operations.context import Context
from byname.operations.invitation import NewPerson
from byname.operations.password import Guesses
from tests.support.house import House
from tests.support.world import ORGANIZATION, TEAM, World

PASSWORD = "correct horse battery"


def invite(world: World, **more: object) -> invitation.NewInvitation:
    return invitation.invite(
        world.admin,
        NewPerson(username="bob", email="bob@example.org", **more),  # type: ignore[arg-type]
    )


class TestInvitation:
    """A person is made with a link that expires, works once, and of which only a hash is kept."""

    def test_who_follows_the_link_chooses_a_password_and_is_logged_in(self, world: World) -> None:
        made = invite(world, full_name="Bob B.")
        found, kept = invitation.look_at(world.nobody, made.token)
        assert (found.username, kept.expires_at) == ("bob", made.expires_at)
        token = invitation.accept(world.nobody, made.token, password=PASSWORD)
        visit = session.find(world.nobody, token)
        assert visit is not None
        assert visit.actor.username == "bob"
        assert session.log_in(
            world.nobody, Guesses(), username="bob", password=PASSWORD, address="here"
        )

    def test_it_works_once(self, world: World) -> None:
        made = invite(world)
        invitation.accept(world.nobody, made.token, password=PASSWORD)
        with pytest.raises(Unauthenticated) as refusal:
            invitation.accept(world.nobody, made.token, password="another password")
        assert refusal.value.code == "invitation_spent"
        with pytest.raises(Unauthenticated):
            session.log_in(
                world.nobody, Guesses(), username="bob", password="another password", address="x"
            )

    def test_it_expires(self, world: World) -> None:
        made = invite(world)
        begun = world.nobody.now()

        def after(seconds: float) -> Context:
            return replace(world.nobody, now=lambda: begun + int(seconds * 1_000_000))

        week = LIFETIME.total_seconds()
        invitation.look_at(after(week - 60), made.token)
        with pytest.raises(Unauthenticated):
            invitation.look_at(after(week + 1), made.token)
        with pytest.raises(Unauthenticated):
            invitation.accept(after(week + 1), made.token, password=PASSWORD)

    def test_only_its_hash_is_kept(self, world: World) -> None:
        made = invite(world)
        dump = "\n".join(House(world.nobody, {}).dump())
        assert made.token not in dump
        assert fingerprint(made.token) in dump

    def test_a_newer_link_replaces_it_and_it_can_be_withdrawn(self, world: World) -> None:
        first = invite(world)
        second = invitation.renew(world.admin, "BOB")
        with pytest.raises(Unauthenticated):
            invitation.look_at(world.nobody, first.token)
        invitation.look_at(world.nobody, second.token)
        invitation.withdraw(world.admin, "bob")
        with pytest.raises(Unauthenticated):
            invitation.look_at(world.nobody, second.token)

    def test_a_deleted_person_is_invited_no_more(self, world: World) -> None:
        made = invite(world)
        user.delete_user(world.admin, "bob")
        with pytest.raises(Unauthenticated):
            invitation.accept(world.nobody, made.token, password=PASSWORD)

    def test_a_new_password_ends_every_other_session(self, world: World) -> None:
        made = invite(world)
        first = invitation.accept(world.nobody, made.token, password=PASSWORD)
        again = invitation.renew(world.admin, "bob")
        assert session.find(world.nobody, first) is not None, "An offer alone ends nothing."
        second = invitation.accept(world.nobody, again.token, password=PASSWORD + "!")
        assert session.find(world.nobody, first) is None
        assert session.find(world.nobody, second) is not None

    def test_the_new_person_belongs_where_it_was_said_or_nothing_happens(
        self, world: World
    ) -> None:
        before = House(world.nobody, {}).dump()
        for wrong in (
            NewPerson("bob", "b@x.org", organization="none"),
            NewPerson("bob", "b@x.org", team="none"),
            NewPerson("bob", "no address"),
        ):
            with pytest.raises((NotFound, Unprocessable)):
                invitation.invite(world.admin, wrong)
        assert House(world.nobody, {}).dump() == before
        invite(world, organization=ORGANIZATION, organization_role=GroupRole.VIEWER, team=TEAM)
        roles = {
            m.user.username: m.role for m in organization.list_members(world.admin, ORGANIZATION)
        }
        assert roles["bob"] is GroupRole.VIEWER
        assert "bob" in {m.user.username for m in team.list_members(world.admin, TEAM)}

    def test_there_is_no_key_until_they_make_one(self, world: World) -> None:
        invite(world)
        assert key.list_keys(world.reload("bob")) == []

    def test_only_server_administrators_make_links(self, world: World) -> None:
        world.add_person("eve", in_organization="admin", in_team="admin")
        before = House(world.nobody, {}).dump()
        for attempt in (
            lambda ctx: invitation.invite(ctx, NewPerson("x", "x@x.org")),
            lambda ctx: invitation.renew(ctx, "admin"),
            lambda ctx: invitation.withdraw(ctx, "admin"),
            lambda ctx: invitation.of_users(ctx, [1]),
        ):
            with pytest.raises(Forbidden) as refusal:
                attempt(world.people["eve"])
            assert refusal.value.details["role"] == "server_admin"
            with pytest.raises(Unauthenticated):
                attempt(world.nobody)
        assert House(world.nobody, {}).dump() == before

    def test_service_accounts_and_nobody_are_not_invited(self, world: World) -> None:
        team.create_service_account(world.admin, team=TEAM, name="robot")
        with pytest.raises(Unprocessable):
            invitation.renew(world.admin, "robot")
        with pytest.raises(NotFound):
            invitation.renew(world.admin, "nobody")

    @pytest.mark.parametrize("token", ["", "x", "\ud800", "ä" * 43, "A" * 43, "A" * 5000])
    def test_other_words_open_nothing(self, world: World, token: str) -> None:
        invite(world)
        with pytest.raises(Unauthenticated):
            invitation.look_at(world.nobody, token)

    def test_a_short_password_uses_nothing_up(self, world: World) -> None:
        made = invite(world)
        with pytest.raises(Unprocessable):
            invitation.accept(world.nobody, made.token, password="elevenchars")
        invitation.look_at(world.nobody, made.token)

    def test_r188_it_is_in_the_audit_log(self, world: World) -> None:
        made = invite(world, organization=ORGANIZATION)
        invitation.accept(world.nobody, made.token, password=PASSWORD)
        invitation.renew(world.admin, "bob")
        invitation.withdraw(world.admin, "bob")
        kinds = [each.kind for each in history.audit(world.admin, ORGANIZATION).entries]
        assert [kind for kind in kinds if kind.startswith("user:")] == [
            "user:create",  # The set-up.
            "user:invite",
            "user:accept_invitation",
            "user:log_in",
            "user:invite",
            "user:withdraw_invitation",
        ]


class TestAdministrators:
    """R195: who administers the server; one always remains."""

    def test_the_right_is_given_and_taken(self, world: World) -> None:
        world.add_person("bob")
        assert user.set_server_admin(world.admin, "bob", admin=True).server_admin
        assert world.reload("bob").who.server_admin
        user.set_server_admin(world.people["bob"], "admin", admin=False)
        with pytest.raises(Forbidden):
            user.list_people(world.reload("admin"))
        with pytest.raises(Conflict, match="one must remain"):
            user.set_server_admin(world.people["bob"], "bob", admin=False)

    def test_only_administrators_give_it_and_never_to_service_accounts(self, world: World) -> None:
        world.add_person("eve", in_organization="admin")
        team.create_service_account(world.admin, team=TEAM, name="robot")
        with pytest.raises(Forbidden):
            user.set_server_admin(world.people["eve"], "eve", admin=True)
        with pytest.raises(Unprocessable):
            user.set_server_admin(world.admin, "robot", admin=True)
        with pytest.raises(NotFound):
            user.set_server_admin(world.admin, "nobody", admin=True)

    def test_people_are_listed_in_pages_and_found_by_a_part(self, world: World) -> None:
        for number in range(7):
            world.add_person(f"p{number}")
        names, after = [], None
        while True:
            page = user.list_people(world.admin, after=after, first=3)
            assert page.count() == 8
            names += [each.username for each in page.items]
            after = page.end_cursor
            if not page.has_next:
                break
        assert names == ["admin", *(f"p{number}" for number in range(7))]
        assert [each.username for each in user.list_people(world.admin, text="P3@").items] == ["p3"]
        assert not user.list_people(world.admin, text="\ud800").items


class TestKeyNames:
    """R193: keys can be named, renamed, deleted."""

    def test_a_key_is_renamed_and_opens_what_it_opened(self, world: World) -> None:
        made = key.create_key(world.admin, name="laptop")
        assert key.rename_key(world.admin, made.key.id, " desk ").name == "desk"
        assert key.rename_key(world.admin, made.key.id, "").name == "API key"
        assert session.log_in_with_key(world.nobody, api_key=made.secret)

    def test_those_of_others_do_not_exist(self, world: World) -> None:
        world.add_person("eve", in_organization="admin")
        made = key.create_key(world.admin)
        for number in (made.key.id, 10**9, -1, 2**63):
            with pytest.raises(NotFound):
                key.rename_key(world.people["eve"], number, "mine")
        with pytest.raises(Unauthenticated):
            key.rename_key(world.nobody, made.key.id, "mine")


class TestOwnSessions:
    """A8: one sees where one is logged in, and ends sessions of one's own only."""

    def test_they_are_listed_with_their_browser_and_end(self, world: World) -> None:
        secret = key.create_key(world.admin).secret
        tokens = [
            session.log_in_with_key(world.nobody, api_key=secret, browser=name)
            for name in ("Firefox", "Chromium\r\n<b>" + "x" * 300, "curl")
        ]
        found = session.list_own(world.admin)
        assert len(found) == 3
        assert {each.browser for each in found} >= {"Firefox", "curl"}
        assert all(each.browser.isprintable() and len(each.browser) <= 200 for each in found)
        session.end_own(world.admin, found[-1].id)
        assert sum(session.find(world.nobody, token) is not None for token in tokens) == 2
        with pytest.raises(NotFound):
            session.end_own(world.admin, found[-1].id)
        session.end_others(world.admin, found[0])
        assert [each.id for each in session.list_own(world.admin)] == [found[0].id]

    def test_those_of_others_do_not_exist(self, world: World) -> None:
        world.add_person("eve", in_organization="admin")
        session.log_in_with_key(world.nobody, api_key=key.create_key(world.admin).secret)
        [found] = session.list_own(world.admin)
        for number in (found.id, 0, -1, 2**63, 10**30):
            with pytest.raises(NotFound):
                session.end_own(world.people["eve"], number)
        assert session.list_own(world.people["eve"]) == []
        assert len(session.list_own(world.admin)) == 1
