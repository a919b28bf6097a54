"""Members who are taken out of an organization for a while (R194, R109, R195)."""

from __future__ import annotations

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.http.authentication import authenticate
from byname.operations import deactivation, key, member, organization, session, team
from byname.store import member as member_rows
from byname.store import project
from tests.support.house import ORGANIZATION, TEAM, House


def registry(house: House) -> int:
    """The id of the organization's registry Model."""
    with house.ctx.database.read() as tx:
        found = project.find_by_name(tx, ORGANIZATION, "wandb-registry-Model")
    assert found is not None
    return found.id


def settle(house: House) -> str:
    """Bob is in the organization, a team and a registry; his key."""
    house.make_member("bob", GroupRole.VIEWER)
    ann = house.by("ann")
    team.put_member(ann, TEAM, "bob", GroupRole.ADMIN)
    member.put_named_user(ann, registry(house), "bob", Role.MEMBER)
    return key.create_key(house.by("bob")).secret


class TestDeactivation:
    """R194: out of everything at once, and back as before."""

    def test_out_of_everything_and_back_as_before(self, house: House) -> None:
        settle(house)
        before = house.actor("bob")
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        with house.ctx.database.read() as tx:
            roles = member_rows.roles_of(tx, registry(house), before.user_id, [])
        assert roles == (None, [])
        names = [
            each.user.username for each in organization.list_members(house.by("ann"), ORGANIZATION)
        ]
        assert "bob" not in names
        listed = deactivation.list_page(house.by("ann"), ORGANIZATION).items
        assert [(each.user.username, each.role) for each in listed] == [("bob", GroupRole.VIEWER)]
        deactivation.activate(house.by("ann"), ORGANIZATION, "bob")
        after = house.actor("bob")
        assert (after.organizations, after.teams) == (before.organizations, before.teams)
        with house.ctx.database.read() as tx:
            roles = member_rows.roles_of(tx, registry(house), before.user_id, [])
        assert roles == (Role.MEMBER, [])
        assert not deactivation.list_page(house.by("ann"), ORGANIZATION).items

    def test_keys_and_sessions_open_nothing_meanwhile(self, house: House) -> None:
        secret = settle(house)
        database = house.ctx.database
        token = session.log_in_with_key(house.ctx, api_key=secret)
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        with pytest.raises(Unauthenticated, match="deactivated"):
            authenticate(database, f"Bearer {secret}")
        with pytest.raises(Unauthenticated, match="deactivated"):
            session.log_in_with_key(house.ctx, api_key=secret)
        assert session.find(house.ctx, token) is None
        deactivation.activate(house.by("ann"), ORGANIZATION, "bob")
        actor = authenticate(database, f"Bearer {secret}")
        assert actor is not None
        assert actor.username == "bob"
        assert session.find(house.ctx, token) is None

    def test_who_is_elsewhere_too_keeps_that(self, house: House) -> None:
        secret = settle(house)
        made = organization.create_organization(house.by("ann"), name="other", owner="bob")
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        actor = authenticate(house.ctx.database, f"Bearer {secret}")
        assert actor is not None
        assert actor.organizations == {made.id: GroupRole.ADMIN}
        assert not actor.teams

    def test_what_was_deleted_meanwhile_does_not_come_back(self, house: House) -> None:
        settle(house)
        team.create_team(house.by("ann"), organization=ORGANIZATION, name="short", admins=["bob"])
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        team.delete_team(house.by("ann"), "short")
        deactivation.activate(house.by("ann"), ORGANIZATION, "bob")
        assert len(house.actor("bob").teams) == 1

    def test_twice_is_as_once(self, house: House) -> None:
        settle(house)
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        before = house.dump()
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        assert house.dump() == before
        deactivation.activate(house.by("ann"), ORGANIZATION, "bob")
        before = house.dump()
        deactivation.activate(house.by("ann"), ORGANIZATION, "bob")
        assert house.dump() == before


class TestRefusals:
    """A refused request changes nothing at all."""

    def test_the_last_admin_remains(self, house: House) -> None:
        """R195."""
        house.make_member("bob")
        for name in [
            each.user.username
            for each in organization.list_members(house.by("ann"), ORGANIZATION)
            if each.role is GroupRole.ADMIN
        ][1:]:
            organization.put_member(house.by("ann"), ORGANIZATION, name, GroupRole.MEMBER)
        before = house.dump()
        with pytest.raises(Conflict, match="last admin"):
            deactivation.deactivate(house.by("ann"), ORGANIZATION, "ann")
        assert house.dump() == before

    def test_for_admins_only(self, house: House) -> None:
        house.make_member("bob")
        house.make_member("carol")
        house.make_user("eve")
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "carol")
        before = house.dump()
        for attempt in (deactivation.deactivate, deactivation.activate):
            with pytest.raises(Forbidden) as refusal:
                attempt(house.by("bob"), ORGANIZATION, "carol")
            assert refusal.value.details == {"role": "admin"}
            with pytest.raises(NotFound):
                attempt(house.by("eve"), ORGANIZATION, "carol")
            with pytest.raises(NotFound):
                attempt(house.by("ann"), ORGANIZATION, "eve")
        with pytest.raises(Forbidden):
            deactivation.list_page(house.by("bob"), ORGANIZATION)
        assert house.dump() == before

    def test_no_half_coming_back(self, house: House) -> None:
        """Adding somebody who is deactivated would bring them back in part only."""
        settle(house)
        ann = house.by("ann")
        deactivation.deactivate(ann, ORGANIZATION, "bob")
        before = house.dump()
        with pytest.raises(Conflict, match="activate them first"):
            organization.put_member(ann, ORGANIZATION, "bob", GroupRole.MEMBER)
        with pytest.raises(Conflict, match="activate them first"):
            team.put_member(ann, TEAM, "bob", GroupRole.MEMBER)
        with pytest.raises(NotFound):
            member.put_named_user(ann, registry(house), "bob", Role.MEMBER)
        assert house.dump() == before

    def test_a_service_account_is_deleted_instead(self, house: House) -> None:
        house.make_service_account("robot")
        with pytest.raises(Unprocessable):
            deactivation.deactivate(house.by("ann"), ORGANIZATION, "robot")

    def test_nothing_is_remembered_of_an_organization_that_is_gone(self, house: House) -> None:
        settle(house)
        deactivation.deactivate(house.by("ann"), ORGANIZATION, "bob")
        organization.delete_organization(house.by("ann"), ORGANIZATION)
        with house.ctx.database.read() as tx:
            for table in ("deactivation", "deactivated_team", "deactivated_registry"):
                assert not tx.all(f"SELECT 1 FROM {table}")

    def test_removing_forgets_what_was_remembered(self, house: House) -> None:
        secret = settle(house)
        ann = house.by("ann")
        deactivation.deactivate(ann, ORGANIZATION, "bob")
        organization.remove_member(ann, ORGANIZATION, "bob")
        with house.ctx.database.read() as tx:
            for table in ("deactivation", "deactivated_team", "deactivated_registry"):
                assert not tx.all(f"SELECT 1 FROM {table}")
        # Out of the organization is not out of the server: their own key is theirs.
        assert authenticate(house.ctx.database, f"Bearer {secret}") is not None
        with pytest.raises(NotFound):
            deactivation.activate(ann, ORGANIZATION, "bob")
