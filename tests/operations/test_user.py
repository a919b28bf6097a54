"""People: made, deleted, found."""

from __future__ import annotations

import pytest

from byname.domain.entity import EntityKind
from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.policy import GroupRole
from byname.operations import entity, organization, setup, team, user
from byname.store import project
from tests.support.house import ORGANIZATION, TEAM, House
from tests.support.link import link_between


class TestNewUserHasPersonalEntity:
    """A new user has an entity of their own name, and is in no organization until added."""

    def test_entity_of_the_same_name(self, house: House) -> None:
        house.make_user("bob")
        bob = house.actor("bob")
        assert bob.entity_name == bob.username == "bob"
        assert not bob.organizations
        assert not bob.teams
        assert not bob.server_admin
        own = entity.find(house.by("bob"), "bob")
        assert own is not None
        assert own.kind is EntityKind.USER
        assert own.organization_id is None

    def test_administrators_are_made_by_administrators(self, house: House) -> None:
        house.make_user("bob", server_admin=True)
        assert house.actor("bob").server_admin

    @pytest.mark.parametrize("who", ["bob", "carol"])
    def test_nobody_else_makes_users(self, house: House, who: str) -> None:
        house.make_user("bob")
        house.make_member("carol", GroupRole.ADMIN)
        before = house.dump()
        with pytest.raises(Forbidden) as refusal:
            user.create_user(house.by(who), username="eve", email="e@example.org")
        assert refusal.value.details == {"role": "server_admin"}
        with pytest.raises(Unauthenticated):
            user.create_user(house.ctx, username="eve", email="e@example.org")
        assert house.dump() == before


class TestNamesAreSharedByAll:
    """Users, teams, organizations and service accounts share one name space, without case."""

    @pytest.mark.parametrize("name", ["ann", "ANN", "smle-reg", "SMLE-reg-team-2", "robot"])
    def test_a_taken_name_is_refused_for_every_kind(self, house: House, name: str) -> None:
        house.make_service_account("robot")
        ann = house.by("ann")
        before = house.dump()
        for attempt in (
            lambda: user.create_user(ann, username=name, email="x@example.org"),
            lambda: organization.create_organization(ann, name=name, owner="ann"),
            lambda: team.create_team(ann, organization=ORGANIZATION, name=name),
            lambda: team.create_service_account(ann, team=TEAM, name=name),
        ):
            with pytest.raises(Conflict, match="one name space") as refusal:
                attempt()
            assert refusal.value.code == "name_taken"
        assert house.dump() == before

    def test_a_taken_address_is_refused(self, house: House) -> None:
        with pytest.raises(Conflict, match="belongs to another user"):
            user.create_user(house.by("ann"), username="bob", email="ANN@example.org")

    def test_the_name_of_who_was_deleted_is_free(self, house: House) -> None:
        house.make_user("bob")
        user.delete_user(house.by("ann"), "bob")
        house.make_user("bob")
        assert house.actor("bob").username == "bob"


class TestBadValuesAreRefused:
    """Whatever is sent, nothing changes."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", ""),
            ("username", "a b"),
            ("username", "-a"),
            ("username", "ünder"),
            ("username", "a\x00b"),
            ("username", "\ud800"),
            ("username", "x" * 65),
            ("username", "x" * 1_000_000),
            ("username", "API"),
            ("email", ""),
            ("email", "a@b@c"),
            ("email", "a b@c"),
            ("email", "a@\n"),
            ("email", "\udfff@c"),
            ("email", "a@" + "b" * 255),
            ("password", ""),
            ("password", "elevenchars"),
            ("password", "x" * 1025),
            ("password", "\ud800" * 12),
            ("full_name", "a\nb"),
            ("full_name", "x" * 129),
        ],
    )
    def test_refused(self, house: House, field: str, value: str) -> None:
        before = house.dump()
        values = {"username": "bob", "email": "bob@example.org", field: value}
        with pytest.raises(Unprocessable):
            user.create_user(house.by("ann"), **values)  # type: ignore[arg-type]  # By name.
        assert house.dump() == before


class TestDeletedUserIsGone:
    """Every key is dead, every membership gone, the personal projects hidden."""

    def test_keys_and_memberships_end(self, house: House) -> None:
        house.make_team_member("bob")
        user.delete_user(house.by("ann"), "BOB")
        with pytest.raises(Unauthenticated):
            house.actor("bob")
        names = [each.user.username for each in team.list_members(house.by("ann"), TEAM)]
        assert names == ["ann"]

    def test_personal_projects_are_hidden(self, house: House) -> None:
        house.make_user("bob")
        bob = house.actor("bob")
        with house.ctx.database.write() as tx:
            number = project.add(
                tx, entity_id=bob.entity_id, name="zoo", created_by=bob.user_id, at=1
            )
        user.delete_user(house.by("ann"), "bob")
        with house.ctx.database.read() as tx:
            assert project.find(tx, number) is None
            assert project.find_many(tx, [number]) == {}
            assert project.find_by_name(tx, "bob", "zoo") is None

    def test_a_deleted_user_still_names_what_they_made(self, house: House) -> None:
        house.make_user("bob")
        number = house.actor("bob").user_id
        user.delete_user(house.by("ann"), "bob")
        assert user.load_users(house.by("ann"), [number])[number].username == "bob"

    def test_nobody_but_a_server_administrator_deletes(self, house: House) -> None:
        house.make_member("bob", GroupRole.ADMIN)
        house.make_user("carol")
        for name in ("carol", "nobody"):
            with pytest.raises(Forbidden):
                user.delete_user(house.by("bob"), name)
        assert house.actor("carol").username == "carol"

    @pytest.mark.parametrize("name", ["nobody", "\ud800", "x" * 100_000, "", "smle-reg", "a/b\x00"])
    def test_an_absent_user_is_not_found(self, house: House, name: str) -> None:
        with pytest.raises(NotFound, match="does not exist or you have no access"):
            user.delete_user(house.by("ann"), name)

    def test_a_user_whose_versions_are_linked_elsewhere_stays(self, house: House) -> None:
        house.make_user("bob")
        link_between(house, "bob", ORGANIZATION, "wandb-registry-Model")
        with pytest.raises(Conflict, match="smle-reg/wandb-registry-Model/Zoo:v0"):
            user.delete_user(house.by("ann"), "bob")
        assert house.actor("bob").username == "bob"


class TestLastAdminStays:
    """R195: at least one admin must always remain, of the server and of each organization."""

    def test_the_last_administrator_of_the_server(self, house: House) -> None:
        house.make_member("bob", GroupRole.ADMIN)
        with pytest.raises(Conflict, match="last administrator"):
            user.delete_user(house.by("ann"), "ann")
        assert setup.is_set_up(house.ctx)

    def test_the_last_admin_of_an_organization(self, house: House) -> None:
        house.make_user("bob")
        organization.create_organization(house.by("ann"), name="other", owner="bob")
        with pytest.raises(Conflict, match="last admin of organization other"):
            user.delete_user(house.by("ann"), "bob")
        organization.put_member(house.by("ann"), "other", "ann", GroupRole.ADMIN)
        user.delete_user(house.by("ann"), "bob")


class TestSearchFindsOnlyColleagues:
    """One finds oneself and the people of one's organizations."""

    def test_scope(self, house: House) -> None:
        house.make_member("bob")
        house.make_user("stranger")
        house.make_service_account("bobot")
        found = [each.username for each in user.search_users(house.by("bob"), "example.org")]
        assert found == ["ann", "bob"]
        assert [u.username for u in user.search_users(house.by("stranger"), "n")] == ["stranger"]
        assert user.search_users(house.by("stranger"), "ann") == []
        assert len(user.search_users(house.by("ann"), "EXAMPLE")) == 3

    def test_exact_first_and_no_wildcards(self, house: House) -> None:
        house.make_member("bobby")
        house.make_member("bob")
        assert [u.username for u in user.search_users(house.by("ann"), "bob")] == ["bob", "bobby"]
        assert user.search_users(house.by("ann"), "%") == []
        assert user.search_users(house.by("ann"), "b_b") == []
        assert user.search_users(house.by("ann"), "\ud800") == []


class TestEntitiesAreSeenByTheirPeople:
    """One sees oneself, one's organizations, their teams and people; nobody else."""

    def test_who_sees_what(self, house: House) -> None:
        house.make_member("bob")
        house.make_user("stranger")
        seen = {
            who: {
                name
                for name in ("ann", "bob", "stranger", ORGANIZATION, TEAM)
                if entity.find(house.by(who), name) is not None
            }
            for who in ("ann", "bob", "stranger")
        }
        assert seen == {
            "ann": {"ann", "bob", "stranger", ORGANIZATION, TEAM},
            "bob": {"ann", "bob", ORGANIZATION, TEAM},
            "stranger": {"stranger"},
        }
        assert entity.find(house.ctx, "ann") is None
