"""Linking, numbers, and what a refused link leaves behind: nothing."""

from __future__ import annotations

import threading

import pytest

from byname.domain.errors import Conflict, Forbidden, HolderChanged, NotFound, Unprocessable
from byname.operations import alias, collection, manifest, registry
from byname.operations.alias import Place
from byname.store import alias as alias_rows
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    TEAM,
    World,
    begin_version,
    holders,
    link_version,
    log_version,
)

ZOO = Place(ORGANIZATION, REGISTRY, "Zoo")


def rows(world: World, table: str) -> int:
    with world.nobody.database.read() as tx:
        row = tx.one(f"SELECT count(*) AS n FROM {table}")
        assert row is not None
        return int(row["n"])


def everything(world: World) -> list[tuple[object, ...]]:
    """All rows that a refused request must leave as they are."""
    with world.nobody.database.read() as tx:
        return [
            tuple(row)
            for table in ("collection", "membership", "alias", "ledger", "version", "artifact_type")
            for row in tx.all(f"SELECT '{table}', * FROM {table}")
        ]


class TestNumbersCountPerCollection:
    """R46, R47, R61: each link gets the next number of that collection, from v0."""

    def test_three_links_are_v0_to_v2_and_latest_is_on_the_last(self, world: World) -> None:
        places = [
            link_version(world.admin, log_version(world.admin, files={"f": bytes([n])}))
            for n in range(3)
        ]
        assert [membership.number for _, membership in places] == [0, 1, 2]
        assert holders(world.admin, places[0][0].id) == {"latest": 2}

    def test_numbers_do_not_follow_the_source(self, world: World) -> None:
        log_version(world.admin, files={"f": b"0"})
        source = log_version(world.admin, files={"f": b"1"})
        assert source.number == 1
        assert link_version(world.admin, source)[1].number == 0

    def test_a_number_is_not_given_again_after_unlinking(self, world: World) -> None:
        """Edge case 4."""
        first = log_version(world.admin, files={"f": b"0"})
        second = log_version(world.admin, files={"f": b"1"})
        zoo, _ = link_version(world.admin, first)
        link_version(world.admin, second)
        collection.unlink(world.admin, second.id, zoo.id)
        assert holders(world.admin, zoo.id) == {"latest": 0}
        assert link_version(world.admin, second)[1].number == 2
        assert holders(world.admin, zoo.id) == {"latest": 2}

    def test_simultaneous_links_get_consecutive_numbers(self, world: World) -> None:
        """Edge case 17, C3."""
        versions = [
            log_version(world.admin, files={"f": str(n).encode()}, aliases=()) for n in range(100)
        ]
        numbers: list[int] = []
        errors: list[BaseException] = []

        def work(part: int) -> None:
            try:
                for version in versions[part::8]:
                    numbers.append(link_version(world.admin, version, "Fresh")[1].number)
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert sorted(numbers) == list(range(100))
        fresh = collection.resolve_reference(world.admin, f"{ORGANIZATION}/{REGISTRY}/Fresh")
        assert fresh.membership.number == 99
        assert fresh.collection.version_count == 100


class TestLinkingAgain:
    """R49: a version that is there already keeps its number, and `latest` stays."""

    def test_it_gets_the_aliases_and_nothing_else_changes(self, world: World) -> None:
        first = log_version(world.admin, files={"f": b"0"})
        zoo, _ = link_version(world.admin, first)
        link_version(world.admin, log_version(world.admin, files={"f": b"1"}))
        _, again = link_version(world.admin, first, aliases=["best"])
        assert again.number == 0
        assert holders(world.admin, zoo.id) == {"latest": 1, "best": 0}
        before = everything(world)
        link_version(world.admin, first, aliases=["best"])
        assert everything(world) == before


class TestARefusedLinkChangesNothing:
    """R33, R52: if any part is refused no collection, membership or alias is left behind."""

    @pytest.mark.parametrize("bad", ["v3", "a/b", "a:b", "", "x" * 129, "a\nb"])
    def test_a_forbidden_alias(self, world: World, bad: str) -> None:
        """Edge case 6."""
        version = log_version(world.admin)
        before = everything(world)
        with pytest.raises(Unprocessable):
            link_version(world.admin, version, "Brandnew", ["good", bad])
        assert everything(world) == before

    def test_a_registry_that_does_not_exist_is_not_made(self, world: World) -> None:
        """R32: registries are never created by linking."""
        version = log_version(world.admin)
        before = everything(world)
        with pytest.raises(NotFound):
            link_version(world.admin, version, project="wandb-registry-Nope")
        assert everything(world) == before

    def test_another_type(self, world: World) -> None:
        """R31, R35, edge case 14: the message names both types."""
        link_version(world.admin, log_version(world.admin))
        other = log_version(world.admin, "data", {"f": b"d"}, type_name="dataset")
        before = everything(world)
        with pytest.raises(Conflict, match=r"'model'.*'dataset'"):
            link_version(world.admin, other, aliases=["best"])
        assert everything(world) == before

    def test_a_pending_version(self, world: World) -> None:
        pending = begin_version(world.admin)
        before = everything(world)
        with pytest.raises(Conflict):
            link_version(world.admin, pending)
        assert everything(world) == before

    def test_a_personal_source(self, world: World) -> None:
        """R45: the message names the rule and the fix."""
        ada = world.add_person("ada", in_organization="member")
        version = log_version(ada, entity="ada", project="mine")
        world.admin  # noqa: B018
        before = everything(world)
        with pytest.raises((Unprocessable, Forbidden)):
            link_version(ada, version)
        assert everything(world) == before

    def test_a_viewer(self, world: World) -> None:
        """R44, R69: it needs the role member, and the message says so."""
        version = log_version(world.admin)
        eve = world.add_person("eve", in_organization="member", in_team="member")
        before = everything(world)
        with pytest.raises(Forbidden, match="member"):
            link_version(eve, version, "Brandnew", ["best"])
        assert everything(world) == before

    def test_an_outsider_learns_nothing(self, world: World) -> None:
        """R112: absent and hidden are the same words."""
        version = log_version(world.admin)
        link_version(world.admin, version)
        outsider = world.add_person("out")
        mine = log_version(outsider, entity="out", project="own")
        texts = []
        for place in (REGISTRY, "wandb-registry-Nope"):
            with pytest.raises(NotFound) as refused:
                link_version(outsider, mine, project=place)
            texts.append(refused.value.message.replace(place, "R"))
        assert texts[0] == texts[1]


class TestLatest:
    """R48, R64, R65."""

    def test_removed_latest_resolves_to_the_highest(self, world: World) -> None:
        version = log_version(world.admin, files={"f": b"0"})
        zoo, _ = link_version(world.admin, version)
        alias.edit(world.admin, version.id, remove=[(ZOO, "latest")])
        assert holders(world.admin, zoo.id) == {}
        found = collection.resolve_reference(world.admin, f"{ORGANIZATION}/{REGISTRY}/Zoo")
        assert found.membership.number == 0

    def test_an_empty_collection_has_no_latest(self, world: World) -> None:
        version = log_version(world.admin)
        zoo, _ = link_version(world.admin, version)
        collection.unlink(world.admin, version.id, zoo.id)
        with pytest.raises(NotFound, match="Zoo:latest"):
            collection.resolve_reference(world.admin, f"{ORGANIZATION}/{REGISTRY}/Zoo:latest")

    def test_latest_can_be_put_back_like_any_alias(self, world: World) -> None:
        first = log_version(world.admin, files={"f": b"0"})
        zoo, _ = link_version(world.admin, first)
        link_version(world.admin, log_version(world.admin, files={"f": b"1"}))
        alias.edit(world.admin, first.id, add=[(ZOO, "latest")])
        assert holders(world.admin, zoo.id) == {"latest": 0}


class TestReferences:
    """R7, R8, R9: what stands behind the colon."""

    def test_number_alias_digest_and_nothing(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version, aliases=["production"])
        base = f"{REGISTRY}/Zoo"
        for ref in ("", ":latest", ":v0", ":production", f":{version.digest}"):
            assert collection.resolve_reference(world.admin, base + ref).version.id == version.id

    def test_a_number_is_never_looked_up_as_an_alias(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version)
        for ref in ("v1", "v00000000000000000000000000009", "V0", "nope"):
            with pytest.raises(NotFound, match=ref):
                collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo:{ref}")

    def test_who_is_in_several_organizations_must_name_one(self, world: World) -> None:
        from byname.operations import organization

        organization.create_organization(world.admin, name="other", owner="admin")
        world.reload("admin")
        link_version(world.admin, log_version(world.admin))
        with pytest.raises(Unprocessable, match="acme, other"):
            collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo")

    def test_signs_may_be_composed_or_not(self, world: World) -> None:
        """R72: both are one name, whoever writes it, on whatever machine."""
        composed, apart = "caf\u00e9", "cafe\u0301"
        first, second = log_version(world.admin), log_version(world.admin, "other")
        zoo, _ = link_version(world.admin, first, apart, aliases=[apart])
        again, _ = link_version(world.admin, second, composed, aliases=[composed])
        assert zoo.id == again.id
        assert zoo.name == composed
        assert holders(world.admin, zoo.id) == {composed: 1, "latest": 1}
        for name in (composed, apart):
            for ref in (composed, apart):
                found = collection.resolve_reference(world.admin, f"{REGISTRY}/{name}:{ref}")
                assert found.version.id == second.id
                found = collection.resolve_reference(world.admin, f"{REGISTRY}/{name}:{ref}~1")
                assert found.version.id == first.id

    def test_so_may_those_of_a_project(self, world: World) -> None:
        version = log_version(world.admin, project="caf\u00e9")
        for project in ("caf\u00e9", "cafe\u0301"):
            found = collection.resolve_reference(world.admin, f"{TEAM}/{project}/model")
            assert found.version.id == version.id

    def test_so_may_the_signs_of_a_type(self, world: World) -> None:
        """R20, R35: what is written alike is one type; the client's own word stays as it is."""
        composed, apart = "mod\u00e8le", "mode\u0300le"
        registry.create(
            world.admin,
            registry.NewRegistry(
                organization=ORGANIZATION, name="listed", all_types=False, types=[composed]
            ),
        )
        for name, kind in (("one", apart), ("two", composed), ("three", apart)):
            version = log_version(world.admin, name, type_name=kind)
            assert version.type_name == kind
            zoo, _ = link_version(world.admin, version, project="wandb-registry-listed")
            assert zoo.type_name == composed

    def test_an_expected_holder_is_found_however_its_name_is_composed(self, world: World) -> None:
        zoo, _ = link_version(world.admin, log_version(world.admin), aliases=["caf\u00e9"])
        with pytest.raises(HolderChanged, match="on v0"):
            collection.link(
                world.admin,
                collection.NewLink(
                    entity=ORGANIZATION,
                    project=REGISTRY,
                    collection="Zoo",
                    version_id=log_version(world.admin, "other").id,
                    aliases=["cafe\u0301"],
                    expected={"cafe\u0301": None},
                ),
            )
        assert holders(world.admin, zoo.id) == {"caf\u00e9": 0, "latest": 0}

    def test_source_aliases_do_not_leak_into_links(self, world: World) -> None:
        """R68."""
        version = log_version(world.admin, aliases=["latest", "mine"])
        zoo, _ = link_version(world.admin, version)
        assert holders(world.admin, zoo.id) == {"latest": 0}


class TestDeleting:
    """R158, R160, R169: links go, versions stay; a sequence takes its links along."""

    def test_a_portfolio(self, world: World) -> None:
        version = log_version(world.admin)
        zoo, _ = link_version(world.admin, version, aliases=["best"])
        gone = collection.delete(world.admin, zoo.id, is_sequence=False)
        assert gone.deleted
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []
        again, membership = link_version(world.admin, version)
        assert again.id != zoo.id
        assert membership.number == 0

    def test_a_sequence(self, world: World) -> None:
        version = log_version(world.admin)
        zoo, _ = link_version(world.admin, version, aliases=["best"])
        collection.delete(world.admin, version.collection_id, is_sequence=True)
        assert holders(world.admin, zoo.id) == {}
        with pytest.raises(NotFound):
            collection.resolve_reference(world.admin, f"{REGISTRY}/Zoo")
        with world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []


class TestContentIsMadeOnce:
    """R2: logging identical content makes no new version."""

    def test_the_same_content_is_the_same_version_and_latest_stays(self, world: World) -> None:
        first = log_version(world.admin, files={"f": b"0"})
        log_version(world.admin, files={"f": b"1"})
        again = log_version(world.admin, files={"f": b"0"}, aliases=["latest", "old"])
        assert again.id == first.id
        assert holders(world.admin, first.collection_id) == {"latest": 1, "old": 0}

    def test_two_who_bring_the_same_content_at_once(self, world: World) -> None:
        one = begin_version(world.admin, files={"f": b"0"}, aliases=["latest", "one"])
        two = begin_version(world.admin, files={"f": b"0"}, aliases=["latest", "two"])
        assert one.id != two.id
        settled_two = manifest.commit(world.admin, two.id)
        settled_one = manifest.commit(world.admin, one.id)
        assert settled_one.id == settled_two.id == two.id
        assert holders(world.admin, two.collection_id) == {"latest": 0, "one": 0, "two": 0}
        assert manifest.commit(world.admin, one.id).id == two.id
        link_version(world.admin, one)
