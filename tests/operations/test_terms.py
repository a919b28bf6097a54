"""What the words mean: two trees, links, numbers and times (section 1 of the rules)."""

from __future__ import annotations

from datetime import UTC

import pytest

from byname.domain.errors import NotFound, Unprocessable
from byname.domain.policy import Permission
from byname.operations import access, alias, collection, listing, project, protected_alias, registry
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.registry import NewRegistry
from byname.store import version as version_rows
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


class TestTwoTrees:
    """R1: a registry belongs to an organization, an artifact to a project of a team."""

    def test_a_registry_is_made_in_an_organization_only(self, world: World) -> None:
        with pytest.raises(NotFound, match="Organization"):
            registry.create(world.admin, NewRegistry(TEAM, "Zoo"))
        made = registry.create(world.admin, NewRegistry(ORGANIZATION, "Zoo"))
        assert (made.entity_name, made.is_registry) == (ORGANIZATION, True)

    def test_nothing_is_logged_into_an_organization_or_a_registry(self, world: World) -> None:
        for place in (PROJECT, REGISTRY):
            with pytest.raises((Unprocessable, NotFound)):
                log_version(world.admin, entity=ORGANIZATION, project=place)
        with pytest.raises((Unprocessable, NotFound)):
            log_version(world.admin, project=REGISTRY)
        version = log_version(world.admin)
        found = project.get(world.admin, version.project_id)
        assert (found.entity_name, found.is_registry) == (TEAM, False)


class TestTimes:
    """R11: times are UTC, with fractions of a second."""

    def test_of_a_version_and_its_link(self, world: World) -> None:
        version = log_version(world.admin)
        _, membership = link_version(world.admin, version)
        for each in (version.created_at, version.updated_at, membership.created_at):
            assert each.tzinfo is UTC
        with world.admin.database.read() as tx:
            row = tx.one("SELECT created_at FROM version WHERE id = ?", [version.id])
        assert row is not None
        assert version.created_at.timestamp() == row["created_at"] / 1_000_000


class TestLinksDoNotChain:
    """R50: linking a linked version links its source directly."""

    def test_a_link_of_a_link(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        linked = collection.resolve_reference(world.admin, f"{ORGANIZATION}/{REGISTRY}/Zoo:v0")
        _, membership = link_version(
            world.admin, linked.version, "Copy", project="wandb-registry-Dataset"
        )
        assert membership.version_id == version.id


class TestAliasesAtLinkTime:
    """R51, R83: aliases given at link time are made, or move; protected ones by an Admin."""

    def test_new_ones_are_made_and_present_ones_move(self, world: World) -> None:
        zoo, _ = link_version(world.admin, log_version(world.admin), aliases=["best", "old"])
        link_version(world.admin, log_version(world.admin, files={"f": b"2"}), aliases=["best"])
        assert holders(world.admin, zoo.id) == {"latest": 1, "best": 1, "old": 0}

    def test_an_admin_puts_a_protected_one_on(self, world: World) -> None:
        found = registry.get_by_name(world.admin, ORGANIZATION, "Model")
        protected_alias.create(world.admin, found.id, "production")
        zoo, _ = link_version(world.admin, log_version(world.admin), aliases=["production"])
        assert holders(world.admin, zoo.id) == {"latest": 0, "production": 0}


class TestDefaultAliases:
    """R60, R63: the server gives `latest` and the number; the number is no alias to edit."""

    def test_a_first_version_has_both(self, world: World) -> None:
        zoo, membership = link_version(world.admin, log_version(world.admin))
        assert membership.number == 0
        assert holders(world.admin, zoo.id) == {"latest": 0}
        shown = listing.aliases_of_memberships(world.admin, [membership.id])
        assert shown == {membership.id: ["latest"]}

    def test_the_number_cannot_be_taken_off(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        place = Place(ORGANIZATION, REGISTRY, "Zoo")
        for change in ({"remove": [(place, "v0")]}, {"add": [(place, "v1")]}):
            with pytest.raises(Unprocessable, match="version number"):
                alias.edit(world.admin, version.id, **change)


class TestAliasOrTag:
    """R93, R94: an alias names one version; a tag may be on any number of versions and collections."""

    def test_two_versions_share_a_tag_and_not_an_alias(self, world: World) -> None:
        ctx = world.admin
        one, two = (log_version(ctx, files={"f": text}) for text in (b"1", b"2"))
        zoo, _ = link_version(ctx, one, aliases=["same"])
        link_version(ctx, two, aliases=["same"])
        for each in (one, two):
            versions.edit(ctx, each.id, versions.VersionEdit(add_tags=["shared"]))
        collection.edit_tags(ctx, Place(ORGANIZATION, REGISTRY, "Zoo"), add=["shared"])
        with ctx.database.read() as tx:
            tags = version_rows.tags_of_many(tx, [one.id, two.id])
        assert tags == {one.id: ["shared"], two.id: ["shared"]}
        assert listing.collection_tags(ctx, [zoo.id]) == {zoo.id: ["shared"]}
        assert holders(ctx, zoo.id) == {"latest": 1, "same": 1}


def test_a_reader_of_the_registry_may_read_the_link_and_not_the_source(world: World) -> None:
    """R3, R54: rights come from the registry in which a version is read."""
    bob = world.add_person("bob", in_organization="member")
    version = log_version(world.admin)
    link_version(world.admin, version)
    with bob.database.read() as tx:
        found = registry.get_by_name(bob, ORGANIZATION, "Model")
        assert access.may(bob, tx, found, Permission.DOWNLOAD)
        source = project.get(world.admin, version.project_id)
        assert not access.may(bob, tx, source, Permission.SEE)
    assert versions.get(bob, version.id) is not None
