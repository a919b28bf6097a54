"""Deletion with its refusals, the trash, and restoring (R158 to R164, R169 to R171)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound
from byname.domain.trash import TRASH_MICROSECONDS, DeletedKind, Deletion
from byname.operations import alias, collection, project, registry, trash
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import collection as collection_rows
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


def last(ctx: Context, of: str = ORGANIZATION) -> Deletion:
    """What was deleted last."""
    return trash.list_page(ctx, of).items[0]


def numbers(ctx: Context, collection_id: int) -> list[int]:
    """The live numbers of a collection."""
    with ctx.database.read() as tx:
        rows = tx.all(
            "SELECT number FROM membership WHERE collection_id = ? AND deleted_at IS NULL"
            " ORDER BY number",
            [collection_id],
        )
    return [row["number"] for row in rows]


def counted(ctx: Context, collection_id: int) -> int:
    with ctx.database.read() as tx:
        found = collection_rows.find(tx, collection_id)
    assert found is not None
    return found.version_count


def disagreements(ctx: Context) -> list[str]:
    with ctx.database.read() as tx:
        return alias_rows.disagreements(tx)


def registry_id(ctx: Context, name: str = REGISTRY) -> int:
    found = project.find(ctx, ORGANIZATION, name)
    assert found is not None
    return found.id


def set_default_role(world: World, role: str) -> None:
    with world.admin.database.write() as tx:
        tx.run("UPDATE project SET default_role = ? WHERE kind = 'registry'", [role])


class TestRestoringLinks:
    """R160, R164: the number and the aliases of a link come back with it."""

    def test_the_same_number_and_aliases(self, world: World) -> None:
        ctx = world.admin
        for n in range(2):
            version = log_version(ctx, files={"f": bytes([n])})
            place, _ = link_version(ctx, version, aliases=["best", "eu"])
        collection.unlink(ctx, version.id, place.id)
        assert numbers(ctx, place.id) == [0]
        assert holders(ctx, place.id) == {"latest": 0}
        found = last(ctx)
        assert (found.kind, found.name) == (
            DeletedKind.LINK,
            f"{ORGANIZATION}/{REGISTRY}/Zoo:v1",
        )
        trash.restore(ctx, found.id)
        assert numbers(ctx, place.id) == [0, 1]
        assert counted(ctx, place.id) == 2
        assert holders(ctx, place.id) == {"latest": 1, "best": 1, "eu": 1}
        ledger = alias.read_ledger(ctx, Place(ORGANIZATION, REGISTRY, "Zoo"))
        assert [row.cause for row in ledger[-3:]] == ["restore"] * 3
        assert disagreements(ctx) == []

    def test_an_alias_that_was_taken_stays_where_it_is(self, world: World) -> None:
        ctx = world.admin
        one = log_version(ctx, files={"f": b"1"})
        two = log_version(ctx, files={"f": b"2"})
        place, _ = link_version(ctx, one, aliases=["best", "eu"])
        link_version(ctx, two)
        collection.unlink(ctx, one.id, place.id)
        alias.edit(ctx, two.id, add=[(Place(ORGANIZATION, REGISTRY, "Zoo"), "best")])
        trash.restore(ctx, last(ctx).id)
        assert holders(ctx, place.id) == {"latest": 1, "best": 1, "eu": 0}

    def test_latest_stays_with_a_newer_one(self, world: World) -> None:
        ctx = world.admin
        one, two = (log_version(ctx, files={"f": bytes([n])}) for n in range(2))
        place, _ = link_version(ctx, one)
        collection.unlink(ctx, one.id, place.id)
        link_version(ctx, two)
        trash.restore(ctx, last(ctx).id)
        assert holders(ctx, place.id) == {"latest": 1}

    def test_a_link_that_was_made_anew(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.unlink(ctx, version.id, place.id)
        link_version(ctx, version)
        with pytest.raises(Conflict, match="anew meanwhile, as v1"):
            trash.restore(ctx, last(ctx).id)

    def test_the_version_is_deleted_itself(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.unlink(ctx, version.id, place.id)
        link = last(ctx)
        versions.delete(ctx, version.id, delete_aliases=True)
        with pytest.raises(Conflict, match="deleted itself"):
            trash.restore(ctx, link.id)
        trash.restore(ctx, last(ctx).id)
        trash.restore(ctx, link.id)
        assert numbers(ctx, place.id) == [0]

    def test_linking_switches_the_time_to_live_off_again(self, world: World) -> None:
        """R166."""
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.unlink(ctx, version.id, place.id)
        versions.edit(ctx, version.id, versions.VersionEdit(ttl_seconds=1000))
        trash.restore(ctx, last(ctx).id)
        found = versions.get(ctx, version.id)
        assert found is not None
        assert found.ttl_seconds is None

    def test_only_once(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.unlink(ctx, version.id, place.id)
        found = last(ctx)
        trash.restore(ctx, found.id)
        with pytest.raises(NotFound):
            trash.restore(ctx, found.id)
        assert not trash.list_page(ctx, ORGANIZATION).items


class TestRestoringVersions:
    """R162, R163, R164."""

    def test_with_its_links_if_asked(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx, aliases=["latest", "good"])
        versions.edit(ctx, version.id, versions.VersionEdit(add_tags=["blue"]))
        zoo, _ = link_version(ctx, version, aliases=["best"])
        yard, _ = link_version(ctx, version, "Yard")
        with pytest.raises(Conflict, match=r"Zoo:v0, .*Yard:v0"):
            versions.delete(ctx, version.id, delete_aliases=True)
        versions.delete(ctx, version.id, delete_aliases=True, unlink=True)
        assert versions.get(ctx, version.id) is None
        assert numbers(ctx, zoo.id) == numbers(ctx, yard.id) == []
        trash.restore(ctx, last(ctx).id)
        found = versions.get(ctx, version.id)
        assert found is not None
        assert found.number == version.number
        assert holders(ctx, version.collection_id) == {"latest": 0, "good": 0}
        assert holders(ctx, zoo.id) == {"latest": 0, "best": 0}
        assert holders(ctx, yard.id) == {"latest": 0}
        with ctx.database.read() as tx:
            assert tx.all("SELECT name FROM version_tag WHERE version_id = ?", [version.id])
        assert disagreements(ctx) == []

    def test_links_go_only_where_one_may_unlink(self, world: World) -> None:
        version = log_version(world.admin)
        zoo, _ = link_version(world.admin, version)
        member = world.add_person("mia", in_organization="member", in_team="member")
        before = holders(world.admin, version.collection_id)
        with pytest.raises(Forbidden, match="Zoo"):
            versions.delete(member, version.id, delete_aliases=True, unlink=True)
        assert versions.get(member, version.id) is not None
        assert numbers(world.admin, zoo.id) == [0]
        assert holders(world.admin, version.collection_id) == before
        set_default_role(world, "member")
        versions.delete(member, version.id, delete_aliases=True, unlink=True)
        set_default_role(world, "viewer")
        with pytest.raises(Forbidden, match="come back"):
            trash.restore(member, last(member).id)
        assert versions.get(member, version.id) is None

    def test_by_a_reference(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        link_version(ctx, version)
        with pytest.raises(Conflict, match="collection of links"):
            trash.delete_version(ctx, f"{REGISTRY}/Zoo:v0")
        ref = f"{TEAM}/{PROJECT}/model:v0"
        trash.delete_version(ctx, ref, delete_aliases=True, unlink=True)
        assert versions.get(ctx, version.id) is None

    def test_of_a_deleted_sequence(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        versions.delete(ctx, version.id, delete_aliases=True)
        first = last(ctx)
        collection.delete(ctx, version.collection_id, is_sequence=True)
        with pytest.raises(Conflict, match="deleted itself"):
            trash.restore(ctx, first.id)


class TestRestoringCollections:
    """R164, R169."""

    def test_of_links(self, world: World) -> None:
        ctx = world.admin
        made = [log_version(ctx, files={"f": bytes([n])}) for n in range(3)]
        for version in made:
            place, _ = link_version(ctx, version)
        alias.edit(ctx, made[0].id, add=[(Place(ORGANIZATION, REGISTRY, "Zoo"), "best")])
        collection.unlink(ctx, made[1].id, place.id)
        before = holders(ctx, place.id)
        collection.delete(ctx, place.id, is_sequence=False)
        assert all(versions.get(ctx, version.id) for version in made)
        trash.restore(ctx, last(ctx).id)
        assert holders(ctx, place.id) == before == {"best": 0, "latest": 2}
        assert numbers(ctx, place.id) == [0, 2]
        assert counted(ctx, place.id) == 2
        assert disagreements(ctx) == []

    def test_nobody_gets_latest_who_did_not_have_it(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        alias.edit(ctx, version.id, remove=[(Place(ORGANIZATION, REGISTRY, "Zoo"), "latest")])
        collection.delete(ctx, place.id, is_sequence=False)
        trash.restore(ctx, last(ctx).id)
        assert holders(ctx, place.id) == {}

    def test_the_name_was_taken(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.delete(ctx, place.id, is_sequence=False)
        link_version(ctx, version)
        with pytest.raises(Conflict, match="Zoo was taken meanwhile"):
            trash.restore(ctx, last(ctx).id)

    def test_a_sequence_with_its_versions_and_their_links(self, world: World) -> None:
        ctx = world.admin
        made = [log_version(ctx, files={"f": bytes([n])}) for n in range(3)]
        place, _ = link_version(ctx, made[1], aliases=["best"])
        collection.delete(ctx, made[0].collection_id, is_sequence=True)
        assert numbers(ctx, place.id) == []
        trash.restore(ctx, last(ctx).id)
        assert numbers(ctx, made[0].collection_id) == [0, 1, 2]
        assert holders(ctx, made[0].collection_id) == {"latest": 2}
        assert holders(ctx, place.id) == {"latest": 0, "best": 0}
        assert all(versions.get(ctx, version.id) for version in made)

    def test_what_was_deleted_before_stays_deleted(self, world: World) -> None:
        ctx = world.admin
        made = [log_version(ctx, files={"f": bytes([n])}) for n in range(2)]
        versions.delete(ctx, made[1].id, delete_aliases=True)
        collection.delete(ctx, made[0].collection_id, is_sequence=True)
        trash.restore(ctx, last(ctx).id)
        assert numbers(ctx, made[0].collection_id) == [0]


class TestRestoringRegistries:
    """R164, R170, R171."""

    def test_with_collections_members_and_aliases(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version, aliases=["best"])
        project_id = registry_id(ctx)
        with ctx.database.read() as tx:
            members = tx.all("SELECT * FROM registry_user WHERE project_id = ?", [project_id])
        registry.delete(ctx, project_id)
        assert versions.get(ctx, version.id) is not None
        found = last(ctx)
        assert (found.kind, found.name) == (DeletedKind.REGISTRY, f"{ORGANIZATION}/{REGISTRY}")
        trash.restore(ctx, found.id)
        assert registry_id(ctx) == project_id
        assert holders(ctx, place.id) == {"latest": 0, "best": 0}
        assert numbers(ctx, place.id) == [0]
        assert counted(ctx, place.id) == 1
        with ctx.database.read() as tx:
            again = tx.all("SELECT * FROM registry_user WHERE project_id = ?", [project_id])
        assert list(map(tuple, again)) == list(map(tuple, members))
        assert disagreements(ctx) == []

    def test_links_to_versions_deleted_meanwhile_stay_away(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        registry.delete(ctx, registry_id(ctx))
        found = last(ctx)
        versions.delete(ctx, version.id, delete_aliases=True)
        trash.restore(ctx, found.id)
        assert numbers(ctx, place.id) == []

    def test_the_name_was_taken(self, world: World) -> None:
        ctx = world.admin
        registry.delete(ctx, registry_id(ctx))
        registry.create(ctx, registry.NewRegistry(ORGANIZATION, "model"))
        with pytest.raises(Conflict, match="taken meanwhile"):
            trash.restore(ctx, last(ctx).id)

    def test_who_may_not_delete_may_not_restore(self, world: World) -> None:
        member = world.add_person("mia", in_organization="member")
        set_default_role(world, "member")
        with pytest.raises(Forbidden):
            registry.delete(member, registry_id(member))
        registry.delete(world.admin, registry_id(world.admin))
        with pytest.raises(Forbidden):
            trash.restore(member, last(member).id)

    def test_what_is_in_it_waits_for_it(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        place, _ = link_version(ctx, version)
        collection.delete(ctx, place.id, is_sequence=False)
        inner = last(ctx)
        registry.delete(ctx, registry_id(ctx))
        with pytest.raises(Conflict, match="restore it first"):
            trash.restore(ctx, inner.id)
        trash.restore(ctx, last(ctx).id)
        trash.restore(ctx, inner.id)
        assert numbers(ctx, place.id) == [0]

    def test_a_project(self, world: World) -> None:
        ctx = world.admin
        version = log_version(ctx)
        project.delete(ctx, version.project_id)
        assert versions.get(ctx, version.id) is None
        trash.restore(ctx, last(ctx).id)
        assert versions.get(ctx, version.id) is not None


class TestTheTrash:
    """R164: seven days, and only what one may see."""

    @pytest.fixture
    def unlinked(self, world: World) -> Callable[[], Deletion]:
        def unlink() -> Deletion:
            version = log_version(world.admin)
            place, _ = link_version(world.admin, version)
            collection.unlink(world.admin, version.id, place.id)
            return last(world.admin)

        return unlink

    def test_after_seven_days(self, world: World, unlinked: Callable[[], Deletion]) -> None:
        found = unlinked()
        late = replace(world.admin, now=lambda: world.nobody.now() + TRASH_MICROSECONDS)
        assert trash.list_page(late, ORGANIZATION).items == []
        with pytest.raises(NotFound):
            trash.restore(late, found.id)

    def test_a_stranger_sees_nothing(self, world: World, unlinked: Callable[[], Deletion]) -> None:
        """R112: the same answer as for what does not exist."""
        found = unlinked()
        spy = world.add_person("spy")
        with pytest.raises(NotFound) as hidden:
            trash.restore(spy, found.id)
        with pytest.raises(NotFound) as absent:
            trash.restore(spy, found.id + 1000)
        assert str(hidden.value) == str(absent.value)
        with pytest.raises(NotFound):
            trash.list_page(spy, ORGANIZATION)

    def test_a_viewer_sees_but_may_not(
        self, world: World, unlinked: Callable[[], Deletion]
    ) -> None:
        found = unlinked()
        viewer = world.add_person("vic", in_organization="member")
        assert [each.id for each in trash.list_page(viewer, ORGANIZATION).items] == [found.id]
        with pytest.raises(Forbidden):
            trash.restore(viewer, found.id)

    def test_a_restricted_registry_shows_nothing(
        self, world: World, unlinked: Callable[[], Deletion]
    ) -> None:
        unlinked()
        member = world.add_person("mia", in_organization="member")
        registry.edit(world.admin, registry_id(world.admin), registry.RegistryEdit(restricted=True))
        assert trash.list_page(member, ORGANIZATION).items == []

    def test_pages(self, world: World, unlinked: Callable[[], Deletion]) -> None:
        ids = [unlinked().id for _ in range(3)]
        first = trash.list_page(world.admin, ORGANIZATION, first=2)
        assert [each.id for each in first.items] == ids[:0:-1]
        second = trash.list_page(world.admin, ORGANIZATION, first=2, after=first.end_cursor)
        assert ([each.id for each in second.items], second.has_next) == ([ids[0]], False)

    def test_of_another_organization(self, world: World, unlinked: Callable[[], Deletion]) -> None:
        found = unlinked()
        with pytest.raises(NotFound):
            trash.restore(world.admin, found.id, of=TEAM)
        assert trash.list_page(world.admin, TEAM).items == []
        trash.restore(world.admin, found.id, of=ORGANIZATION)
