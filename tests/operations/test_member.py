"""Members of registries: who may add whom, and which role they get (R100 to R112)."""

from __future__ import annotations

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.domain.member import parse_role
from byname.domain.policy import Role
from byname.domain.project import Project
from byname.operations import entity, history, member, project, registry, team
from byname.operations.context import Context
from byname.operations.registry import NewRegistry
from tests.support.world import ORGANIZATION, TEAM, World


@pytest.fixture
def secret(world: World) -> Project:
    """A restricted registry of the administrator's."""
    return registry.create(
        world.admin, NewRegistry(organization=ORGANIZATION, name="Secret", restricted=True)
    )


def users(ctx: Context, place: Project) -> dict[str, Role]:
    return {user.username: role for user, role in member.list_users(ctx, place)}


def teams(ctx: Context, place: Project) -> dict[str, Role]:
    return {team.name: role for team, role in member.list_teams(ctx, place)}


def team_id(ctx: Context) -> int:
    found = entity.find(ctx, TEAM)
    assert found is not None
    return found.id


def test_who_is_added_without_a_role_gets_the_one_of_their_kind(
    world: World, secret: Project
) -> None:  # R104
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member")
    boss = world.add_person("boss", in_organization="admin")
    robot = team.create_service_account(ctx, team=TEAM, name="robot").user
    member.add(
        ctx,
        secret.id,
        user_ids=[bob.who.user_id, boss.who.user_id, robot.id],
        team_ids=[team_id(ctx)],
    )
    assert users(ctx, secret) == {
        "admin": Role.ADMIN,
        "bob": Role.RESTRICTED_VIEWER,
        "boss": Role.ADMIN,
        "robot": Role.MEMBER,
    }
    assert teams(ctx, secret) == {TEAM: Role.RESTRICTED_VIEWER}


def test_adding_and_removing_twice_changes_nothing(world: World, secret: Project) -> None:  # R110
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member").who.user_id
    member.add(ctx, secret.id, user_ids=[bob], role=Role.MEMBER)
    member.add(ctx, secret.id, user_ids=[bob, bob], role=Role.VIEWER)
    assert users(ctx, secret)["bob"] is Role.MEMBER
    for _ in range(2):
        member.remove(ctx, secret.id, user_ids=[bob, 10**9], team_ids=[10**9])
    assert "bob" not in users(ctx, secret)


def test_a_restricted_registry_is_there_for_its_members_only(
    world: World, secret: Project
) -> None:  # R102, R112
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member", in_team="viewer")
    assert project.find(bob, ORGANIZATION, secret.name) is None
    member.add(ctx, secret.id, team_ids=[team_id(ctx)])
    found = project.find(bob, ORGANIZATION, secret.name)
    assert found is not None
    assert project.role_in(bob, found) is Role.RESTRICTED_VIEWER
    member.set_team_role(ctx, secret.id, team_id(ctx), Role.MEMBER)
    assert project.role_in(bob, found) is Role.MEMBER
    member.remove(ctx, secret.id, team_ids=[team_id(ctx)])
    assert project.find(bob, ORGANIZATION, secret.name) is None


def test_only_admins_change_members(world: World, secret: Project) -> None:  # P25
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member")
    stranger = world.add_person("stranger", in_organization="member").who.user_id
    with pytest.raises(NotFound):
        member.add(bob, secret.id, user_ids=[bob.who.user_id])
    member.add(ctx, secret.id, user_ids=[bob.who.user_id], role=Role.MEMBER)
    with pytest.raises(Forbidden, match="needs the role admin"):
        member.add(bob, secret.id, user_ids=[stranger])
    with pytest.raises(Forbidden, match="needs the role admin"):
        member.set_user_role(bob, secret.id, bob.who.user_id, Role.ADMIN)
    with pytest.raises(Forbidden, match="needs the role admin"):
        member.remove(bob, secret.id, user_ids=[ctx.who.user_id])
    assert member.list_users(bob, secret)  # P4: everybody sees the list.


def test_the_last_admin_stays(world: World, secret: Project) -> None:  # R111
    ctx = world.admin
    me = ctx.who.user_id
    bob = world.add_person("bob", in_organization="member").who.user_id
    with pytest.raises(Conflict, match="without an admin"):
        member.remove(ctx, secret.id, user_ids=[me])
    with pytest.raises(Conflict, match="without an admin"):
        member.set_user_role(ctx, secret.id, me, Role.MEMBER)
    assert users(ctx, secret) == {"admin": Role.ADMIN}
    member.add(ctx, secret.id, user_ids=[bob], role=Role.ADMIN)
    with pytest.raises(Conflict, match="without an admin"):
        member.remove(ctx, secret.id, user_ids=[me, bob])
    member.remove(ctx, secret.id, user_ids=[me])
    assert users(ctx, secret) == {"bob": Role.ADMIN}


def test_service_accounts_are_never_viewers(world: World, secret: Project) -> None:  # R105
    ctx = world.admin
    robot = team.create_service_account(ctx, team=TEAM, name="robot").user.id
    with pytest.raises(Unprocessable, match="service account"):
        member.add(ctx, secret.id, user_ids=[robot], role=Role.VIEWER)
    assert "robot" not in users(ctx, secret)
    member.add(ctx, secret.id, user_ids=[robot])
    with pytest.raises(Unprocessable, match="service account"):
        member.set_user_role(ctx, secret.id, robot, Role.RESTRICTED_VIEWER)
    member.set_user_role(ctx, secret.id, robot, Role.ADMIN)
    assert users(ctx, secret)["robot"] is Role.ADMIN


def test_members_come_from_the_organization(world: World, secret: Project) -> None:  # R192
    ctx = world.admin
    stranger = world.add_person("stranger")
    with pytest.raises(NotFound, match="in organization"):
        member.add(ctx, secret.id, user_ids=[stranger.who.user_id])
    with pytest.raises(NotFound, match="in organization"):
        member.add(ctx, secret.id, team_ids=[stranger.who.entity_id])
    with pytest.raises(NotFound):
        member.set_user_role(ctx, secret.id, stranger.who.user_id, Role.VIEWER)
    with pytest.raises(NotFound):
        member.set_team_role(ctx, secret.id, team_id(ctx), Role.VIEWER)


def test_of_several_who_are_added_all_are_or_none(world: World, secret: Project) -> None:
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member").who.user_id
    with pytest.raises(NotFound):
        member.add(ctx, secret.id, user_ids=[bob, 10**9])
    assert "bob" not in users(ctx, secret)


def test_roles_have_their_names_on_the_wire(world: World) -> None:  # R100
    assert [role.word for role in Role] == ["restricted_viewer", "viewer", "member", "admin"]
    assert parse_role("Restricted_Viewer") is Role.RESTRICTED_VIEWER
    with pytest.raises(Unprocessable, match="roles are restricted_viewer, viewer, member, admin"):
        parse_role("owner")


class TestOwner:
    """R27: an Admin may make any member the owner, even a Restricted Viewer; it grants nothing."""

    def test_any_member_may_be_it_and_nobody_else(self, world: World, secret: Project) -> None:
        ctx = world.admin
        bob = world.add_person("bob", in_organization="member", in_team="viewer")
        carl = world.add_person("carl", in_organization="member")
        assert secret.owner_id == ctx.who.user_id  # R17: who creates it is the first.
        for name, why in (("carl", "not a member"), ("nix", "in organization")):
            with pytest.raises(NotFound, match=why):
                member.make_named_owner(ctx, secret.id, name)
        member.add(ctx, secret.id, user_ids=[carl.who.user_id], team_ids=[team_id(ctx)])
        for each in (carl, bob):  # By themselves, or with a team.
            member.make_named_owner(ctx, secret.id, each.who.username)
            found = project.find(ctx, ORGANIZATION, secret.name)
            assert found is not None
            assert found.owner_id == each.who.user_id
            assert project.role_in(each, found) is Role.RESTRICTED_VIEWER
            with pytest.raises(Forbidden, match="needs the role admin"):
                member.make_named_owner(each, secret.id, "admin")

    def test_it_is_in_the_history_when_it_changes(self, world: World, secret: Project) -> None:
        ctx = world.admin
        bob = world.add_person("bob", in_organization="member").who.user_id
        member.add(ctx, secret.id, user_ids=[bob])
        for _ in range(2):
            member.make_owner(ctx, secret.id, bob)
        told = [
            (entry.kind, entry.before, entry.after)
            for entry in history.read(ctx, secret).entries
            if entry.kind == "registry:owner"
        ]
        assert told == [("registry:owner", "admin", "bob")]
