"""Organizations and who is in them."""

from __future__ import annotations

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.operations import entity, organization, team
from byname.store import member, project
from tests.support.house import ORGANIZATION, TEAM, House
from tests.support.link import link_between


class TestOrganizationsAreMadeByServerAdministrators:
    """The owner becomes the first admin; starter registries come only when asked for (R26)."""

    def test_owner_and_no_registries(self, house: House) -> None:
        house.make_user("bob")
        made = organization.create_organization(house.by("ann"), name="other", owner="bob")
        assert house.actor("bob").organizations == {made.id: GroupRole.ADMIN}
        with house.ctx.database.read() as tx:
            assert project.find_by_name(tx, "other", "wandb-registry-Model") is None

    def test_starter_registries_belong_to_the_owner(self, house: House) -> None:
        house.make_user("bob")
        organization.create_organization(
            house.by("ann"), name="other", owner="bob", starter_registries=True
        )
        with house.ctx.database.read() as tx:
            found = project.find_by_name(tx, "other", "wandb-registry-model")
            assert found is not None
            assert member.roles_of(tx, found.id, house.actor("bob").user_id, [])[0] is Role.ADMIN

    def test_nobody_else_makes_them(self, house: House) -> None:
        house.make_member("bob", GroupRole.ADMIN)
        with pytest.raises(Forbidden):
            organization.create_organization(house.by("bob"), name="other", owner="bob")

    def test_the_owner_is_a_person(self, house: House) -> None:
        house.make_service_account("robot")
        before = house.dump()
        with pytest.raises(NotFound):
            organization.create_organization(house.by("ann"), name="other", owner="nobody")
        with pytest.raises(Unprocessable, match="service account"):
            organization.create_organization(house.by("ann"), name="other", owner="robot")
        assert house.dump() == before


class TestMembersAreChangedByAdmins:
    """R192: an organization's admins change who is in it; hidden from others (R10)."""

    def test_put_is_idempotent_and_changes_the_role(self, house: House) -> None:
        house.make_member("bob")
        before = house.dump()
        organization.put_member(house.by("ann"), ORGANIZATION, "bob", GroupRole.MEMBER)
        assert house.dump() == before
        organization.put_member(house.by("ann"), ORGANIZATION, "bob", GroupRole.VIEWER)
        assert list(house.actor("bob").organizations.values()) == [GroupRole.VIEWER]

    @pytest.mark.parametrize("role", [GroupRole.MEMBER, GroupRole.VIEWER])
    def test_who_is_no_admin_is_told_the_role(self, house: House, role: GroupRole) -> None:
        house.make_member("bob", role)
        house.make_user("carol")
        before = house.dump()
        for attempt in (
            lambda: organization.put_member(
                house.by("bob"), ORGANIZATION, "carol", GroupRole.MEMBER
            ),
            lambda: organization.put_member(house.by("bob"), ORGANIZATION, "bob", GroupRole.ADMIN),
            lambda: organization.remove_member(house.by("bob"), ORGANIZATION, "ann"),
            lambda: organization.delete_organization(house.by("bob"), ORGANIZATION),
            lambda: team.create_team(house.by("bob"), organization=ORGANIZATION, name="new"),
        ):
            with pytest.raises(Forbidden) as refusal:
                attempt()
            assert refusal.value.details == {"role": "admin"}
        assert house.dump() == before

    def test_outsiders_get_the_same_words_as_for_what_is_absent(self, house: House) -> None:
        house.make_user("stranger")
        stranger = house.by("stranger")
        words = []
        for name in (ORGANIZATION, "nowhere-at-all"):
            for attempt in (
                lambda: organization.put_member(stranger, name, "ann", GroupRole.MEMBER),  # noqa: B023
                lambda: organization.remove_member(stranger, name, "ann"),  # noqa: B023
                lambda: organization.delete_organization(stranger, name),  # noqa: B023
                lambda: organization.list_members(stranger, name),  # noqa: B023
                lambda: team.create_team(stranger, organization=name, name="new"),  # noqa: B023
                lambda: team.list_teams(stranger, name),  # noqa: B023
            ):
                with pytest.raises(NotFound) as refusal:
                    attempt()
                words.append(refusal.value.message.replace(name, "X"))
        assert len(set(words)) == 1
        with pytest.raises(Unauthenticated):
            organization.delete_organization(house.ctx, ORGANIZATION)

    def test_a_server_administrator_may_everywhere(self, house: House) -> None:
        house.make_user("root", server_admin=True)
        house.make_user("bob")
        organization.put_member(house.by("root"), ORGANIZATION, "bob", GroupRole.MEMBER)
        assert house.actor("bob").organizations
        assert not house.actor("root").organizations

    def test_a_team_or_user_is_no_organization(self, house: House) -> None:
        for name in (TEAM, "ann"):
            with pytest.raises(NotFound):
                organization.delete_organization(house.by("ann"), name)

    def test_a_service_account_stays_what_it_is(self, house: House) -> None:
        house.make_service_account("robot")
        before = house.dump()
        with pytest.raises(Unprocessable):
            organization.put_member(house.by("ann"), ORGANIZATION, "robot", GroupRole.ADMIN)
        with pytest.raises(Conflict, match="delete it there"):
            organization.remove_member(house.by("ann"), ORGANIZATION, "robot")
        assert house.dump() == before


class TestLeavingEndsEverything:
    """R109: who leaves an organization leaves its teams and registries, at the next request."""

    def test_teams_and_registry_roles_go(self, house: House) -> None:
        house.make_team_member("bob", GroupRole.ADMIN)
        with house.ctx.database.write() as tx:
            registry = project.find_by_name(tx, ORGANIZATION, "wandb-registry-Model")
            assert registry is not None
            number = house.actor("bob").user_id
            member.put_user(tx, registry.id, number, Role.ADMIN, at=1)
        organization.remove_member(house.by("ann"), ORGANIZATION, "bob")
        bob = house.actor("bob")
        assert not bob.organizations
        assert not bob.teams
        with house.ctx.database.read() as tx:
            assert member.roles_of(tx, registry.id, number, []) == (None, [])
        with pytest.raises(NotFound):
            organization.remove_member(house.by("ann"), ORGANIZATION, "bob")

    def test_other_organizations_are_not_touched(self, house: House) -> None:
        house.make_member("bob")
        other = organization.create_organization(house.by("ann"), name="other", owner="bob")
        organization.remove_member(house.by("ann"), ORGANIZATION, "bob")
        assert house.actor("bob").organizations == {other.id: GroupRole.ADMIN}


class TestLastAdminStays:
    """R195: the last admin of an organization can be neither removed nor demoted."""

    def test_neither_removed_nor_demoted(self, house: House) -> None:
        house.make_member("bob")
        before = house.dump()
        with pytest.raises(Conflict, match="last admin"):
            organization.remove_member(house.by("ann"), ORGANIZATION, "ann")
        for role in (GroupRole.MEMBER, GroupRole.VIEWER):
            with pytest.raises(Conflict, match="last admin"):
                organization.put_member(house.by("ann"), ORGANIZATION, "ann", role)
        organization.put_member(house.by("ann"), ORGANIZATION, "ann", GroupRole.ADMIN)
        assert house.dump() == before

    def test_with_a_second_one_the_first_may_go(self, house: House) -> None:
        house.make_member("bob", GroupRole.ADMIN)
        organization.put_member(house.by("ann"), ORGANIZATION, "ann", GroupRole.VIEWER)
        organization.remove_member(house.by("bob"), ORGANIZATION, "ann")
        with pytest.raises(Conflict):
            organization.remove_member(house.by("bob"), ORGANIZATION, "bob")


class TestDeletedOrganizationIsHiddenAtOnce:
    """Its teams, service accounts, registries and artifacts go with it; people stay."""

    def test_everything_below_is_hidden(self, house: House) -> None:
        house.make_team_member("bob")
        house.make_service_account("robot")
        link_between(house, TEAM, ORGANIZATION, "wandb-registry-Model")
        organization.delete_organization(house.by("ann"), ORGANIZATION)
        assert not house.actor("bob").organizations
        assert not house.actor("bob").teams
        with pytest.raises(Unauthenticated):
            house.actor("robot")
        for name in (ORGANIZATION, TEAM):
            assert entity.find(house.by("ann"), name) is None
        with house.ctx.database.read() as tx:
            assert tx.all("SELECT 1 FROM project WHERE deleted_at IS NULL") == []

    def test_its_names_are_free(self, house: House) -> None:
        organization.delete_organization(house.by("ann"), ORGANIZATION)
        made = organization.create_organization(house.by("ann"), name=ORGANIZATION, owner="ann")
        team.create_team(house.by("ann"), organization=ORGANIZATION, name=TEAM)
        assert house.actor("ann").organizations == {made.id: GroupRole.ADMIN}

    def test_it_stays_while_others_show_its_versions(self, house: House) -> None:
        organization.create_organization(
            house.by("ann"), name="other", owner="ann", starter_registries=True
        )
        link_between(house, TEAM, "other", "wandb-registry-Model")
        before = house.dump()
        with pytest.raises(Conflict, match="other/wandb-registry-Model/Zoo:v0"):
            organization.delete_organization(house.by("ann"), ORGANIZATION)
        assert house.dump() == before
