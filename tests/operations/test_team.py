"""Teams, their members and service accounts."""

from __future__ import annotations

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.operations import access, entity, organization, team, user
from byname.store import project
from tests.support.house import ORGANIZATION, TEAM, House
from tests.support.link import link_between


class TestTeamsAreMadeByOrganizationAdmins:
    """The people named become admins; nobody named, the one who asks does."""

    def test_the_admins_join_the_organization(self, house: House) -> None:
        house.make_user("bob")
        made = team.create_team(
            house.by("ann"), organization=ORGANIZATION, name="new", admins=["bob"]
        )
        bob = house.actor("bob")
        assert bob.teams == {made.id: GroupRole.ADMIN}
        assert list(bob.organizations.values()) == [GroupRole.MEMBER]
        assert made.id not in house.actor("ann").teams

    def test_nobody_named(self, house: House) -> None:
        made = team.create_team(house.by("ann"), organization=ORGANIZATION, name="new")
        assert house.actor("ann").teams[made.id] is GroupRole.ADMIN

    def test_a_server_administrator_from_outside_stays_outside(self, house: House) -> None:
        house.make_user("root", server_admin=True)
        made = team.create_team(house.by("root"), organization=ORGANIZATION, name="new")
        assert team.list_members(house.by("ann"), made.name) == []
        assert not house.actor("root").organizations

    def test_an_unknown_admin_leaves_no_team_behind(self, house: House) -> None:
        before = house.dump()
        with pytest.raises(NotFound):
            team.create_team(
                house.by("ann"), organization=ORGANIZATION, name="new", admins=["ann", "nobody"]
            )
        assert house.dump() == before

    def test_a_team_admin_makes_no_teams(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        with pytest.raises(Forbidden):
            team.create_team(house.by("bob"), organization=ORGANIZATION, name="new")


class TestTeamMembersAreChangedByItsAdmins:
    """R192. Whom an organization admin adds joins the organization; a team admin adds members of it."""

    def test_joining_the_organization(self, house: House) -> None:
        house.make_user("bob")
        team.put_member(house.by("ann"), TEAM, "bob", GroupRole.VIEWER)
        bob = house.actor("bob")
        assert list(bob.teams.values()) == [GroupRole.VIEWER]
        assert list(bob.organizations.values()) == [GroupRole.MEMBER]

    def test_put_is_idempotent_and_keeps_the_organization_role(self, house: House) -> None:
        house.make_member("bob", GroupRole.VIEWER)
        team.put_member(house.by("ann"), TEAM, "bob", GroupRole.MEMBER)
        before = house.dump()
        team.put_member(house.by("ann"), TEAM, "bob", GroupRole.MEMBER)
        assert house.dump() == before
        assert list(house.actor("bob").organizations.values()) == [GroupRole.VIEWER]

    def test_an_invitation_changes_nobody_who_is_in_the_team(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        before = house.dump()
        with pytest.raises(Conflict) as refusal:
            team.invite(house.by("ann"), TEAM, "bob", GroupRole.MEMBER)
        assert "as admin" in refusal.value.message
        assert team.invite(house.by("ann"), TEAM, "bob", GroupRole.ADMIN).role is GroupRole.ADMIN
        assert house.dump() == before
        house.make_user("carol")
        team.invite(house.by("ann"), TEAM, "carol", GroupRole.MEMBER)
        assert list(house.actor("carol").teams.values()) == [GroupRole.MEMBER]

    def test_a_team_admin_draws_nobody_in_from_outside(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        house.make_member("carol")
        house.make_user("stranger")
        words = []
        for name in ("stranger", "nobody"):
            with pytest.raises(NotFound) as refusal:
                team.put_member(house.by("bob"), TEAM, name, GroupRole.MEMBER)
            words.append(refusal.value.message.replace(name, "X"))
        assert words[0] == words[1]
        team.put_member(house.by("bob"), TEAM, "carol", GroupRole.MEMBER)
        assert house.actor("carol").teams

    @pytest.mark.parametrize("role", [GroupRole.MEMBER, GroupRole.VIEWER])
    def test_who_is_no_admin_may_not(self, house: House, role: GroupRole) -> None:
        house.make_team_member("bob", role)
        before = house.dump()
        for attempt in (
            lambda: team.put_member(house.by("bob"), TEAM, "bob", GroupRole.ADMIN),
            lambda: team.remove_member(house.by("bob"), TEAM, "ann"),
            lambda: team.delete_team(house.by("bob"), TEAM),
            lambda: team.create_service_account(house.by("bob"), team=TEAM, name="robot"),
        ):
            with pytest.raises(Forbidden) as refusal:
                attempt()
            assert refusal.value.details == {"role": "admin"}
        assert house.dump() == before

    def test_an_admin_of_one_team_is_none_of_another(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        team.create_team(house.by("ann"), organization=ORGANIZATION, name="other")
        with pytest.raises(Forbidden):
            team.put_member(house.by("bob"), "other", "bob", GroupRole.MEMBER)

    def test_outsiders_see_no_team(self, house: House) -> None:
        house.make_user("stranger")
        words = []
        for name in (TEAM, "nowhere-at-all", ORGANIZATION):
            with pytest.raises(NotFound) as refusal:
                team.delete_team(house.by("stranger"), name)
            words.append(refusal.value.message.replace(name, "X"))
            with pytest.raises(NotFound):
                team.list_members(house.by("stranger"), name)
        assert len(set(words)) == 1

    def test_who_is_removed_stays_in_the_organization(self, house: House) -> None:
        house.make_team_member("bob")
        team.remove_member(house.by("ann"), TEAM, "bob")
        assert not house.actor("bob").teams
        assert house.actor("bob").organizations
        with pytest.raises(NotFound):
            team.remove_member(house.by("ann"), TEAM, "bob")


class TestServiceAccountsBelongToOneTeam:
    """R192, R105: a member of its team and organization, which never logs in and is no viewer."""

    def test_it_acts_as_its_team(self, house: House) -> None:
        house.make_service_account("robot")
        robot = house.actor("robot")
        bound = entity.find(house.by("ann"), TEAM)
        assert bound is not None
        assert robot.service
        assert (robot.entity_id, robot.entity_name) == (bound.id, TEAM)
        assert robot.teams == {bound.id: GroupRole.MEMBER}
        assert list(robot.organizations.values()) == [GroupRole.MEMBER]
        assert robot.email is None

    def test_it_is_a_member_of_open_registries(self, house: House) -> None:
        house.make_service_account("robot")
        with house.ctx.database.read() as tx:
            registry = project.find_by_name(tx, ORGANIZATION, "wandb-registry-Model")
            assert registry is not None
            assert access.role_in(tx, house.actor("robot"), registry) is Role.MEMBER

    def test_it_gets_no_other_role_and_no_other_team(self, house: House) -> None:
        house.make_service_account("robot")
        team.create_team(house.by("ann"), organization=ORGANIZATION, name="other")
        before = house.dump()
        for name in (TEAM, "other"):
            with pytest.raises(Unprocessable, match="service account"):
                team.put_member(house.by("ann"), name, "robot", GroupRole.ADMIN)
        assert house.dump() == before

    def test_a_team_admin_makes_and_removes_it(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        made = team.create_service_account(house.by("bob"), team=TEAM, name="robot")
        house.keys["robot"] = made.api_key
        assert house.actor("robot").service
        team.remove_member(house.by("bob"), TEAM, "robot")
        with pytest.raises(Unauthenticated):
            house.actor("robot")

    def test_a_service_account_administers_nothing(self, house: House) -> None:
        house.make_service_account("robot")
        with pytest.raises(Forbidden):
            team.create_service_account(house.by("robot"), team=TEAM, name="robot2")


class TestDeletedTeamIsHiddenAtOnce:
    """With its projects and service accounts; not while registries show versions of it."""

    def test_everything_below_is_hidden(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        house.make_service_account("robot")
        found = entity.find(house.by("ann"), TEAM)
        assert found is not None
        with house.ctx.database.write() as tx:
            number = project.add(tx, entity_id=found.id, name="zoo", created_by=None, at=1)
        team.delete_team(house.by("bob"), TEAM)
        assert not house.actor("bob").teams
        assert house.actor("bob").organizations
        assert entity.find(house.by("ann"), TEAM) is None
        with pytest.raises(Unauthenticated):
            house.actor("robot")
        with house.ctx.database.read() as tx:
            assert project.find(tx, number) is None
            registry = project.find_by_name(tx, ORGANIZATION, "wandb-registry-Model")
            assert registry is not None

    def test_it_stays_while_registries_show_its_versions(self, house: House) -> None:
        link_between(house, TEAM, ORGANIZATION, "wandb-registry-Model")
        before = house.dump()
        with pytest.raises(Conflict, match="wandb-registry-Model/Zoo:v0"):
            team.delete_team(house.by("ann"), TEAM)
        assert house.dump() == before

    def test_organizations_list_their_teams(self, house: House) -> None:
        team.create_team(house.by("ann"), organization=ORGANIZATION, name="new")
        names = [each.name for each in team.list_teams(house.by("ann"), ORGANIZATION)]
        assert names == [TEAM, "new"]
        assert [e.name for e in user.list_own_teams(house.by("ann"))] == [TEAM, "new"]
        assert [e.name for e in user.list_own_organizations(house.by("ann"))] == [ORGANIZATION]
        assert organization.find_organization(house.by("ann"), TEAM) is None
