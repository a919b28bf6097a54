"""Protected aliases: what only Admins may do, and what a refusal leaves as it was (R78 to R92)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from byname.domain.errors import Conflict, DomainError, Forbidden, NotFound, Unprocessable
from byname.domain.policy import Role
from byname.domain.version import Version
from byname.operations import alias, collection, protected_alias, registry, trash
from byname.operations import project as projects
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.context import Context
from byname.operations.version import VersionEdit
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    REGISTRY,
    TEAM,
    World,
    holders,
    link_version,
    log_version,
)

ZOO = Place(ORGANIZATION, REGISTRY, "Zoo")


def model(world: World) -> int:
    return registry.get_by_name(world.admin, ORGANIZATION, "Model").id


def dump(world: World) -> list[str]:
    tables = ("alias", "ledger", "history", "membership", "collection", "version", "version_tag")
    with world.admin.database.read() as tx:
        return [f"{t} {tuple(row)}" for t in tables for row in tx.all(f"SELECT * FROM {t}")]


@pytest.fixture
def member(world: World) -> Context:
    """A Member of the registry (by its default role) and of the team where versions are logged."""
    registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
    return world.add_person("mem", in_organization="member", in_team="member")


@pytest.fixture
def two(world: World) -> tuple[Version, Version]:
    """v0 and v1 of Zoo; `production` is protected and on v0."""
    first = log_version(world.admin, files={"f": b"0"})
    second = log_version(world.admin, files={"f": b"1"})
    protected_alias.create(world.admin, model(world), "production")
    link_version(world.admin, first, aliases=["production"])
    link_version(world.admin, second)
    return first, second


def zoo(world: World) -> int:
    return collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo").collection.id


class TestOnlyAdminsMoveThem:
    """R78, R80, R84, R91, I7; edge cases 3 and 9: refused whole, naming alias and role."""

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda w, m, two: alias.edit(m, two[1].id, add=[(ZOO, "best"), (ZOO, "production")]),
            lambda w, m, two: alias.edit(m, two[0].id, remove=[(ZOO, "production")]),
            lambda w, m, two: collection.unlink(m, two[0].id, zoo(w)),
            lambda w, m, two: collection.delete(m, zoo(w), is_sequence=False),
            lambda w, m, two: link_version(m, two[1], "Zoo", ["best", "production"]),
            lambda w, m, two: link_version(m, two[1], "New", ["best", "production"]),
        ],
        ids=["move", "take off", "unlink", "delete collection", "link", "link anew"],
    )
    def test_a_member_is_refused_and_nothing_at_all_changes(
        self,
        world: World,
        member: Context,
        two: tuple[Version, Version],
        attempt: Callable[[World, Context, tuple[Version, Version]], object],
    ) -> None:
        before = dump(world)
        with pytest.raises(Forbidden, match=r"'production'.*role admin") as refusal:
            attempt(world, member, two)
        assert refusal.value.details["role"] == "admin"
        assert dump(world) == before

    def test_an_admin_moves_takes_off_unlinks_and_deletes(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """R85, R88."""
        alias.edit(world.admin, two[1].id, add=[(ZOO, "production")])
        assert holders(world.admin, zoo(world)) == {"latest": 1, "production": 1}
        alias.edit(world.admin, two[1].id, remove=[(ZOO, "production")])
        alias.edit(world.admin, two[0].id, add=[(ZOO, "production")])
        collection.unlink(world.admin, two[0].id, zoo(world))
        alias.edit(world.admin, two[1].id, add=[(ZOO, "production")])
        collection.delete(world.admin, zoo(world), is_sequence=False)

    def test_members_still_move_ordinary_aliases_of_a_protected_version(
        self, world: World, member: Context, two: tuple[Version, Version]
    ) -> None:
        """R87."""
        alias.edit(member, two[0].id, add=[(ZOO, "best")])
        alias.edit(member, two[0].id, remove=[(ZOO, "best")])

    def test_the_role_of_the_moment_counts(
        self, world: World, member: Context, two: tuple[Version, Version]
    ) -> None:
        """R92: who became Admin meanwhile may, whatever was true when they began."""
        from byname.operations import member as members

        members.put_named_user(world.admin, model(world), "mem", Role.ADMIN)
        alias.edit(member, two[1].id, add=[(ZOO, "production")])
        members.put_named_user(world.admin, model(world), "mem", Role.MEMBER)
        with pytest.raises(Forbidden):
            alias.edit(member, two[0].id, add=[(ZOO, "production")])

    def test_restoring_does_not_bring_one_back_for_a_member(
        self, world: World, member: Context, two: tuple[Version, Version]
    ) -> None:
        """I7: no sequence of calls by a Member changes who holds one."""
        collection.unlink(world.admin, two[0].id, zoo(world))
        before = holders(world.admin, zoo(world))
        deletion = trash.list_page(world.admin, ORGANIZATION).items[0]
        with contextlib.suppress(DomainError):
            trash.restore(member, deletion.id)
        after = holders(world.admin, zoo(world))
        assert after.get("production") == before.get("production")


class TestTheSourceIsHeld:
    """R86: nobody deletes what a protected alias is on; the refusal says where it is held."""

    def test_version_sequence_and_project(self, world: World, two: tuple[Version, Version]) -> None:
        source = two[0]
        before = dump(world)
        project = projects.find(world.admin, TEAM, PROJECT)
        assert project is not None
        for attempt in (
            lambda: versions.delete(world.admin, source.id, delete_aliases=True),
            lambda: versions.delete(world.admin, source.id, delete_aliases=True, unlink=True),
            lambda: collection.delete(world.admin, source.collection_id, is_sequence=True),
            lambda: projects.delete(world.admin, project.id),
        ):
            with pytest.raises(Conflict, match="acme/wandb-registry-Model/Zoo:production"):
                attempt()
        assert dump(world) == before

    def test_hidden_registries_are_not_named(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        registry.edit(world.admin, model(world), registry.RegistryEdit(restricted=True))
        outsider = world.add_person("out", in_organization="member", in_team="member")
        with pytest.raises(Conflict) as refusal:
            versions.delete(outsider, two[0].id, delete_aliases=True)
        assert "Model" not in refusal.value.message
        assert "1 more that you may not see" in refusal.value.message
        assert refusal.value.details["held"] == []

    def test_taken_off_it_can_go(self, world: World, two: tuple[Version, Version]) -> None:
        alias.edit(world.admin, two[0].id, remove=[(ZOO, "production")])
        versions.delete(world.admin, two[0].id, delete_aliases=True, unlink=True)


class TestAProtectedVersionIsNotEdited:
    """R87: description, metadata and tags, through the link or at the source."""

    @pytest.mark.parametrize(
        "change",
        [
            VersionEdit(description="new"),
            VersionEdit(metadata='{"a": 1}'),
            VersionEdit(add_tags=["new"]),
        ],
    )
    def test_by_members(
        self,
        world: World,
        member: Context,
        two: tuple[Version, Version],
        change: VersionEdit,
    ) -> None:
        before = dump(world)
        with pytest.raises(Forbidden, match=r"'production'.*role admin"):
            versions.edit(member, two[0].id, change)
        assert dump(world) == before
        versions.edit(world.admin, two[0].id, change)
        versions.edit(member, two[1].id, change)

    def test_logging_the_same_content_again_adds_no_tag(
        self, world: World, member: Context, two: tuple[Version, Version]
    ) -> None:
        log_version(member, files={"f": b"0"})
        new = versions.NewVersion(TEAM, PROJECT, "model", "model", two[0].digest, tags=["new"])
        with pytest.raises(Forbidden):
            versions.create(member, new)


class TestTheList:
    """R66, R79, R82, R89, R90; edge cases 7, 8 and 10."""

    def test_uses_are_locked_at_once_and_freed_at_once(self, world: World, member: Context) -> None:
        version = log_version(world.admin)
        for name in ("A", "B", "C"):
            link_version(member, version, name, ["staging"])
        made = protected_alias.create(world.admin, model(world), "staging")
        assert made.uses == 3
        for name in ("A", "B", "C"):
            with pytest.raises(Forbidden):
                alias.edit(
                    member, version.id, remove=[(Place(ORGANIZATION, REGISTRY, name), "staging")]
                )
        protected_alias.end(world.admin, model(world), "staging")
        assert protected_alias.list_all(member, model(world)) == []
        alias.edit(member, version.id, remove=[(Place(ORGANIZATION, REGISTRY, "A"), "staging")])

    def test_it_belongs_to_one_registry(self, world: World, member: Context) -> None:
        protected_alias.create(world.admin, model(world), "staging")
        other = registry.get_by_name(world.admin, ORGANIZATION, "Dataset")
        registry.edit(world.admin, other.id, registry.RegistryEdit(default_role=Role.MEMBER))
        version = log_version(world.admin, type_name="dataset")
        link_version(member, version, "Zoo", ["staging"], project="wandb-registry-Dataset")

    @pytest.mark.parametrize("name", ["latest", "v0", "v12", "a/b", "a:b", "", "x" * 129, "a@b"])
    def test_names_that_cannot_be_protected(self, world: World, name: str) -> None:
        with pytest.raises(Unprocessable):
            protected_alias.create(world.admin, model(world), name)

    def test_only_admins_change_it_and_all_may_read_it(self, world: World, member: Context) -> None:
        with pytest.raises(Forbidden):
            protected_alias.create(member, model(world), "staging")
        protected_alias.create(world.admin, model(world), "staging")
        with pytest.raises(Forbidden):
            protected_alias.end(member, model(world), "staging")
        assert [each.name for each in protected_alias.list_all(member, model(world))] == ["staging"]
        with pytest.raises(Conflict):
            protected_alias.create(world.admin, model(world), "Staging")
        with pytest.raises(NotFound):
            protected_alias.end(world.admin, model(world), "Staging")

    def test_nobody_fakes_one_by_letter_case(
        self, world: World, two: tuple[Version, Version]
    ) -> None:
        """R90: refused even for Admins; names that were there before stay and may move."""
        alias.edit(world.admin, two[0].id, add=[(ZOO, "Live")])
        protected_alias.create(world.admin, model(world), "live")
        alias.edit(world.admin, two[1].id, add=[(ZOO, "Live")])
        before = dump(world)
        for name in ("Production", "PRODUCTION"):
            with pytest.raises(Conflict, match="letter case"):
                alias.edit(world.admin, two[0].id, add=[(ZOO, "fine"), (ZOO, name)])
        assert dump(world) == before
