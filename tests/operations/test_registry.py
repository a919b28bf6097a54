"""Registries are made, changed, renamed and deleted as the rules say (R13 to R25, R170, R171)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.domain.policy import Permission, Role
from byname.operations import collection, entity, member, project, registry, search
from byname.operations import version as versions
from byname.operations.context import Context
from byname.operations.registry import NewRegistry, RegistryEdit
from byname.store import project as project_rows
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

NEW = NewRegistry(organization=ORGANIZATION, name="Fine-tuned Models")


def accepted(ctx: Context, registry_id: int) -> list[str]:
    with ctx.database.read() as tx:
        return project_rows.list_accepted_types(tx, registry_id)


def model(ctx: Context) -> int:
    found = project.find(ctx, ORGANIZATION, REGISTRY)
    assert found is not None
    return found.id


def test_a_new_registry_is_as_asked_and_its_creator_is_its_admin(world: World) -> None:  # R13, R17
    bob = world.add_person("bob", in_organization="member")
    made = registry.create(
        bob, replace(NEW, description="d", restricted=True, types=["model", "model", "dataset"])
    )
    assert made.name == "wandb-registry-Fine-tuned Models"
    assert (made.description, made.restricted, made.all_types) == ("d", True, False)
    assert accepted(bob, made.id) == ["model", "dataset"]
    assert [(u.username, r) for u, r in member.list_users(bob, made)] == [("bob", Role.ADMIN)]
    assert registry.create(bob, replace(NEW, name="wandb-registry-Plain")).all_types


def test_names_are_compared_without_case_and_trimmed(world: World) -> None:  # R14, R15
    made = registry.create(world.admin, replace(NEW, name="  Größe "))
    assert made.registry_name == "Größe"
    for name in ("größe", "wandb-registry-GRÖSSE", " Größe"):
        with pytest.raises(Conflict, match=r"already exists.*use a different name"):
            registry.create(world.admin, replace(NEW, name=name))
    found = project.find(world.admin, ORGANIZATION.upper(), "wandb-registry-grösse")
    assert found is not None
    assert found.id == made.id


@pytest.mark.parametrize("name", ["", "  ", "wandb-registry-", "a/b", "a:b", "a\nb", "x" * 114])
def test_bad_names_are_refused(world: World, name: str) -> None:  # R14
    with pytest.raises(Unprocessable):
        registry.create(world.admin, replace(NEW, name=name))
    assert registry.create(world.admin, replace(NEW, name="x" * 113)).registry_name == "x" * 113


def test_viewers_of_the_organization_and_strangers_make_none(world: World) -> None:  # R18
    with pytest.raises(Forbidden, match="needs the role member"):
        registry.create(world.add_person("vic", in_organization="viewer"), NEW)
    with pytest.raises(NotFound):
        registry.create(world.add_person("stranger"), NEW)


def test_a_hidden_registry_holds_its_name(world: World) -> None:  # R14, R112
    registry.create(world.admin, replace(NEW, restricted=True))
    bob = world.add_person("bob", in_organization="member")
    assert project.find(bob, ORGANIZATION, "wandb-registry-Fine-tuned Models") is None
    with pytest.raises(Conflict, match="use a different name"):
        registry.create(bob, NEW)


def test_types_cannot_be_listed_while_all_are_accepted(world: World) -> None:  # R23
    with pytest.raises(Unprocessable, match="accepts all artifact types"):
        registry.create(world.admin, replace(NEW, all_types=True, types=["model"]))
    with pytest.raises(Unprocessable, match="accepts all artifact types"):
        registry.edit(world.admin, model(world.admin), RegistryEdit(add_types=["model"]))


def test_switching_to_a_list_keeps_the_types_in_use_and_types_stay(world: World) -> None:
    """R22, R24."""
    ctx = world.admin
    link_version(ctx, log_version(ctx, type_name="dataset"))
    edited = registry.edit(ctx, model(ctx), RegistryEdit(all_types=False, add_types=["model"]))
    assert not edited.all_types
    assert sorted(accepted(ctx, edited.id)) == ["dataset", "model"]
    registry.edit(ctx, edited.id, RegistryEdit(all_types=True))
    registry.edit(ctx, edited.id, RegistryEdit(all_types=False))
    assert sorted(accepted(ctx, edited.id)) == ["dataset", "model"]
    with pytest.raises(Unprocessable, match="does not accept"):
        link_version(ctx, log_version(ctx, "other", type_name="table"), "Other")


def test_each_change_needs_its_own_permission(world: World) -> None:  # P21 to P24
    ctx = world.admin
    vic = world.add_person("vic", in_organization="member")
    may = world.add_person("may", in_organization="member")
    registry_id = registry.create(ctx, replace(NEW, all_types=False)).id
    member.add(ctx, registry_id, user_ids=[may.who.user_id], role=Role.MEMBER)
    with pytest.raises(Forbidden, match="needs the role member, yours is viewer"):
        registry.edit(vic, registry_id, RegistryEdit(description="x"))
    with pytest.raises(Forbidden, match="needs the role member"):
        registry.rename(vic, registry_id, "Other")
    registry.edit(may, registry_id, RegistryEdit(description="x", add_types=["model"]))
    for change in (
        RegistryEdit(restricted=True),
        RegistryEdit(all_types=True),
        RegistryEdit(default_role=Role.MEMBER),
        RegistryEdit(description="not kept", restricted=True),
    ):
        with pytest.raises(Forbidden, match="needs the role admin"):
            registry.edit(may, registry_id, change)
    same = registry.edit(may, registry_id, RegistryEdit(restricted=False, all_types=False))
    assert same.description == "x"
    assert registry.edit(ctx, registry_id, RegistryEdit(default_role=Role.MEMBER)).default_role


def test_widening_the_visibility_must_be_confirmed(world: World) -> None:  # R19
    ctx = world.admin
    registry.edit(ctx, model(ctx), RegistryEdit(restricted=True))
    with pytest.raises(Conflict, match="confirm"):
        registry.edit(ctx, model(ctx), RegistryEdit(restricted=False))
    assert not registry.edit(
        ctx, model(ctx), RegistryEdit(restricted=False, confirm=True)
    ).restricted


def test_a_rename_keeps_everything_but_the_name(world: World) -> None:  # R25
    ctx = world.admin
    before = model(ctx)
    collection_before, _ = link_version(ctx, log_version(ctx))
    renamed = registry.rename(ctx, before, "wandb-registry-Zoo")
    assert (renamed.id, renamed.registry_name) == (before, "Zoo")
    assert project.find(ctx, ORGANIZATION, REGISTRY) is None
    assert collection.get(ctx, collection_before.id) is not None
    assert registry.rename(ctx, before, "ZOO").registry_name == "ZOO"
    assert registry.create(ctx, replace(NEW, name="Model")).id != before
    with pytest.raises(Conflict, match="use a different name"):
        registry.rename(ctx, before, "model")


def test_a_deleted_registry_is_hidden_at_once_and_its_versions_stay(world: World) -> None:  # R170
    ctx = world.admin
    version = log_version(ctx)
    place, _ = link_version(ctx, version)
    registry.delete(ctx, model(ctx))
    assert project.find(ctx, ORGANIZATION, REGISTRY) is None
    assert collection.get(ctx, place.id) is None
    organization = entity.find(ctx, ORGANIZATION)
    assert organization is not None
    assert search.memberships(ctx, organization).items == []
    assert versions.get(ctx, version.id) is not None
    # It is linked nowhere any more, so that it can be deleted (R162).
    versions.delete(ctx, version.id, delete_aliases=True)
    assert registry.create(ctx, replace(NEW, name="Model")).registry_name == "Model"


def test_admins_delete_what_they_created_and_organization_admins_all(world: World) -> None:  # R171
    ctx = world.admin
    bob = world.add_person("bob", in_organization="member")
    member.add(ctx, model(ctx), user_ids=[bob.who.user_id], role=Role.ADMIN)
    with pytest.raises(Forbidden, match="did not create it"):
        registry.delete(bob, model(ctx))
    own = registry.create(bob, NEW)
    vic = world.add_person("vic", in_organization="member")
    with pytest.raises(Forbidden, match="needs the role admin"):
        registry.delete(vic, own.id)
    registry.delete(bob, own.id)
    registry.delete(ctx, registry.create(bob, NEW).id)
    with pytest.raises(NotFound):
        registry.delete(ctx, own.id)


def test_of_two_who_take_a_name_at_once_one_gets_it(world: World) -> None:  # R14
    def attempt(_: int) -> bool:
        try:
            registry.create(world.admin, NEW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]


# ---- ordinary projects -------------------------------------------------------------------------


def ensure(ctx: Context, entity_name: str | None, name: str | None) -> str:
    with ctx.database.write() as tx:
        return project.ensure(ctx, tx, entity_name, name, Permission.LOG).place


def test_a_project_is_made_at_its_first_use(world: World) -> None:  # protocol 8.1, pitfall 20
    ctx = world.admin
    assert ensure(ctx, TEAM, "new") == f"{TEAM}/new"
    assert ensure(ctx, TEAM, "new") == f"{TEAM}/new"
    assert ensure(ctx, None, None) == "admin/uncategorized"
    assert ensure(ctx, TEAM, "cafe\u0301") == ensure(ctx, TEAM, "café")


def test_nobody_logs_where_nothing_is_logged(world: World) -> None:
    ctx = world.admin
    with pytest.raises(Unprocessable, match=f"organization.*your team {TEAM}"):
        ensure(ctx, ORGANIZATION, "p")
    with pytest.raises(Unprocessable, match="organization"):
        ensure(ctx, ORGANIZATION, REGISTRY)
    with pytest.raises(Unprocessable, match="kept for registries"):
        ensure(ctx, TEAM, REGISTRY)
    with pytest.raises(NotFound, match="entity nobody not found"):
        ensure(ctx, "nobody", "p")


def test_nobody_logs_where_they_have_no_role(world: World) -> None:  # R10
    ensure(world.admin, TEAM, PROJECT)
    stranger = world.add_person("stranger")
    outsider = world.add_person("outsider", in_organization="member")
    viewer = world.add_person("viewer", in_organization="member", in_team="viewer")
    for name in (PROJECT, "missing"):
        with pytest.raises(NotFound, match=f"entity {TEAM} not found"):
            ensure(stranger, TEAM, name)
        with pytest.raises(Forbidden, match="you are not in team"):
            ensure(outsider, TEAM, name)
        with pytest.raises(Forbidden, match="needs the role member"):
            ensure(viewer, TEAM, name)
        with pytest.raises(NotFound, match="entity admin not found"):
            ensure(outsider, "admin", name)


def test_a_project_whose_versions_are_linked_is_not_deleted(world: World) -> None:  # R162
    ctx = world.admin
    version = log_version(ctx)
    place, _ = link_version(ctx, version)
    found = project.find(ctx, TEAM, PROJECT)
    assert found is not None
    with pytest.raises(Conflict, match=f"linked elsewhere.*{place.name}:v0"):
        project.delete(ctx, found.id)
    collection.unlink(ctx, version.id, place.id)
    project.delete(ctx, found.id)
    assert project.find(ctx, TEAM, PROJECT) is None
    assert versions.get(ctx, version.id) is None
