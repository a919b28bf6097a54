"""Service accounts of an organization (R192)."""

from __future__ import annotations

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unprocessable
from byname.domain.key import fingerprint
from byname.domain.policy import Actor, Role
from byname.operations import access, key, member, organization, registry, service_account, session
from byname.store import key as key_rows
from byname.store import project as project_rows
from tests.support.world import ORGANIZATION, TEAM, World


def actor_of(world: World) -> Actor:
    secret = key.create_key(world.admin, username="robot").secret
    with world.nobody.database.read() as tx:
        actor = key_rows.find_actor(tx, fingerprint(secret))
    assert actor is not None
    return actor


def make(world: World) -> str:
    made = service_account.create(world.admin, organization=ORGANIZATION, name="robot")
    return made.api_key


class TestServiceAccountsOfAnOrganization:
    """R192: service accounts are organization- or team-scoped, and may hold several keys."""

    def test_it_is_a_member_of_the_organization_and_of_no_team(self, world: World) -> None:
        make(world)
        actor = actor_of(world)
        assert actor.service
        assert not actor.teams
        assert len(actor.organizations) == 1
        assert len(key.list_keys(world.admin, username="robot")) == 2

    def test_its_role_in_registries(self, world: World) -> None:
        """R105: Member where the organization sees it; in a restricted one only when added."""
        make(world)
        robot = actor_of(world)
        model = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        with world.nobody.database.read() as tx:
            assert access.role_in(tx, robot, model) is Role.MEMBER
        registry.edit(world.admin, model.id, registry.RegistryEdit(restricted=True))
        with world.nobody.database.read() as tx:
            hidden = project_rows.find(tx, model.id)
            assert hidden is not None
            assert access.role_in(tx, robot, hidden) is None
        member.put_named_user(world.admin, model.id, "robot", Role.ADMIN)
        with world.nobody.database.read() as tx:
            assert access.role_in(tx, robot, hidden) is Role.ADMIN
        with pytest.raises(Unprocessable):
            member.put_named_user(world.admin, model.id, "robot", Role.VIEWER)

    def test_it_never_logs_in(self, world: World) -> None:
        secret = make(world)
        with pytest.raises(Unauthenticated):
            session.log_in_with_key(world.nobody, api_key=secret)

    def test_it_has_one_place(self, world: World) -> None:
        make(world)
        with pytest.raises(Conflict, match="delete it there"):
            organization.remove_member(world.admin, ORGANIZATION, "robot")

    def test_listed_and_deleted(self, world: World) -> None:
        secret = make(world)
        for listed in (
            service_account.list_of_organization(world.admin, ORGANIZATION),
            service_account.list_of_organization(world.admin, ORGANIZATION, first=1),
        ):
            assert [each.user.username for each in listed.items] == ["robot"]
        assert not service_account.list_of_team(world.admin, TEAM).items
        service_account.delete(world.admin, ORGANIZATION, "robot")
        with world.nobody.database.read() as tx:
            assert key_rows.find_actor(tx, fingerprint(secret)) is None
        assert not service_account.list_of_organization(world.admin, ORGANIZATION).items
        with pytest.raises(NotFound):
            service_account.delete(world.admin, ORGANIZATION, "robot")

    def test_by_admins_of_the_organization_only(self, world: World) -> None:
        bob = world.add_person("bob", in_organization="member", in_team="admin")
        eve = world.add_person("eve")
        make(world)
        for refused, kind in ((bob, Forbidden), (eve, NotFound)):
            with pytest.raises(kind):
                service_account.create(refused, organization=ORGANIZATION, name="r2")
            with pytest.raises(kind):
                service_account.delete(refused, ORGANIZATION, "robot")
        with pytest.raises(NotFound):
            service_account.list_of_team(eve, TEAM)
        with pytest.raises(NotFound):
            key.create_key(bob, username="robot")

    def test_people_are_not_deleted_this_way(self, world: World) -> None:
        world.add_person("bob", in_organization="member")
        with pytest.raises(NotFound):
            service_account.delete(world.admin, ORGANIZATION, "bob")

    def test_it_goes_with_its_organization(self, world: World) -> None:
        secret = make(world)
        organization.delete_organization(world.admin, ORGANIZATION)
        with world.nobody.database.read() as tx:
            assert key_rows.find_actor(tx, fingerprint(secret)) is None
