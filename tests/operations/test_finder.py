"""Search for people: what is found, in which order, and by which statements (R113 to R116)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from byname.domain.errors import NotFound, Unprocessable
from byname.domain.finder import Found, Rank, Sort
from byname.domain.policy import Role
from byname.operations import alias, collection, finder, member, registry
from byname.operations import version as versions
from byname.operations.alias import Place
from byname.operations.context import Context
from byname.operations.finder import Search
from byname.store import finder as rows
from tests.support.world import ORGANIZATION, REGISTRY, World, link_version, log_version

ZOO = Place(ORGANIZATION, REGISTRY, "Zoo")


def found(ctx: Context, text: str, sort: Sort, **more: object) -> Sequence[Found]:
    search = Search(text, sort=sort, **more)  # type: ignore[arg-type]  # Passed as they are.
    return finder.find(ctx, search).pages[sort].items


def names(ctx: Context, text: str, sort: Sort, **more: object) -> list[str]:
    return [each.name for each in found(ctx, text, sort, **more)]


def fill(world: World) -> None:
    one = log_version(world.admin, files={"f": b"1"})
    two = log_version(world.admin, files={"f": b"2"})
    link_version(world.admin, one, aliases=["production", "pre-production"])
    link_version(world.admin, two, aliases=["Production-EU"])
    collection.edit_tags(world.admin, ZOO, add=["vision model"])
    versions.edit(world.admin, one.id, versions.VersionEdit(add_tags=["Visionary"]))


class TestEverySortIsFound:
    """R113: registry names, collection names, both kinds of tags, and aliases."""

    def test_each_sort_names_its_place(self, world: World) -> None:
        fill(world)
        (place,) = found(world.admin, "odel", Sort.REGISTRY)
        assert place.name == "Model"
        (place,) = found(world.admin, "ZO", Sort.COLLECTION)
        assert (place.name, place.collection_name, place.rank) == ("Zoo", "Zoo", Rank.PREFIX)
        (place,) = found(world.admin, "model", Sort.COLLECTION_TAG)
        assert (place.name, place.collection_name) == ("vision model", "Zoo")
        (place,) = found(world.admin, "vision", Sort.VERSION_TAG)
        assert (place.name, place.number) == ("Visionary", 0)
        (place,) = found(world.admin, "tion-e", Sort.ALIAS)
        assert (place.name, place.number, place.collection_name) == ("Production-EU", 1, "Zoo")

    def test_a_version_tag_is_found_in_every_collection_that_shows_it(self, world: World) -> None:
        fill(world)
        version = log_version(world.admin, files={"f": b"1"})
        link_version(world.admin, version, "Other")
        places = [f.collection_name for f in found(world.admin, "visionary", Sort.VERSION_TAG)]
        assert places == ["Other", "Zoo"]

    def test_the_prefix_of_registries_is_no_part_of_their_names(self, world: World) -> None:
        assert not names(world.admin, "wandb-registry", Sort.REGISTRY)

    def test_one_registry_alone(self, world: World) -> None:
        """R116: a registry's own search stays in it."""
        fill(world)
        version = log_version(world.admin, files={"f": b"1"})
        link_version(world.admin, version, "Zoo", project="wandb-registry-Dataset")
        assert len(names(world.admin, "zoo", Sort.COLLECTION)) == 2
        assert len(names(world.admin, "zoo", Sort.COLLECTION, registry="dataset")) == 1
        with pytest.raises(NotFound):
            names(world.admin, "zoo", Sort.COLLECTION, registry="none")


class TestOrder:
    """R115: whatever the case; exact first, then by the start, then by a part; newest first."""

    def test_ranks_then_newest(self, world: World) -> None:
        fill(world)
        version = log_version(world.admin, files={"f": b"1"})
        link_version(world.admin, version, "Other", aliases=["production"])
        places = found(world.admin, "PRODUCTION", Sort.ALIAS)
        assert [(f.name, f.collection_name, f.rank.name) for f in places] == [
            ("production", "Other", "EXACT"),
            ("production", "Zoo", "EXACT"),
            ("Production-EU", "Zoo", "PREFIX"),
            ("pre-production", "Zoo", "PART"),
        ]

    @pytest.mark.parametrize("few", [2, 500])
    @pytest.mark.parametrize("text", ["a-", "ali", "a-lia", "LIAS"])
    def test_pages_join_into_the_whole_list(
        self, world: World, text: str, few: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where so many names have that start that they are found by another way."""
        version = log_version(world.admin)
        for at in range(7):
            link_version(world.admin, version, f"c{at}", aliases=["alias", f"a-lias{at}"])
        whole = names(world.admin, text, Sort.ALIAS, first=100)
        monkeypatch.setattr(rows, "FEW", few)
        assert names(world.admin, text, Sort.ALIAS, first=100) == whole
        pages, after = [], None
        for _ in range(30):
            search = Search(text, sort=Sort.ALIAS, after=after, first=2)
            page = finder.find(world.admin, search).pages[Sort.ALIAS]
            assert len(page.items) <= 2
            pages += [each.name for each in page.items]
            after = page.end_cursor
            if not page.has_next:
                break
        assert pages == whole
        assert len(whole) >= 7

    def test_ten_of_each_at_first(self, world: World) -> None:
        version = log_version(world.admin)
        for at in range(12):
            link_version(world.admin, version, f"zoo{at}")
        page = finder.find(world.admin, Search("zoo")).pages[Sort.COLLECTION]
        assert len(page.items) == 10
        assert page.has_next

    def test_letters_beyond_ascii(self, world: World) -> None:
        version = log_version(world.admin)
        link_version(world.admin, version, "Äpfel-Straße")
        for text in ("äpf", "Ä", "ÄPFEL-STRASSE", "strasse"):
            assert names(world.admin, text, Sort.COLLECTION) == ["Äpfel-Straße"], text


class TestWhatIsGoneIsNotFound:
    """A search follows every change at once."""

    def test_moves_renames_and_removals(self, world: World) -> None:
        fill(world)
        admin = world.admin
        zoo = found(admin, "zoo", Sort.COLLECTION)[0].collection_id
        assert zoo is not None
        one = log_version(admin, files={"f": b"1"})
        alias.edit(admin, one.id, remove=[(ZOO, "production")])
        assert names(admin, "production", Sort.ALIAS) == ["Production-EU", "pre-production"]
        alias.edit(admin, one.id, add=[(ZOO, "production")])
        assert names(admin, "production", Sort.ALIAS)[0] == "production"
        collection.edit_tags(admin, ZOO, remove=["vision model"])
        assert not names(admin, "vision", Sort.COLLECTION_TAG)
        versions.edit(admin, one.id, versions.VersionEdit(remove_tags=["Visionary"]))
        assert not names(admin, "vision", Sort.VERSION_TAG)
        collection.edit(admin, zoo, is_sequence=False, name="Park")
        assert not names(admin, "zoo", Sort.COLLECTION)
        assert names(admin, "park", Sort.COLLECTION) == ["Park"]
        collection.unlink(admin, one.id, zoo)
        assert names(admin, "production", Sort.ALIAS) == ["Production-EU"]
        collection.delete(admin, zoo, is_sequence=False)
        assert not names(admin, "park", Sort.COLLECTION)
        assert not names(admin, "production", Sort.ALIAS)

    def test_registries(self, world: World) -> None:
        made = registry.create(world.admin, registry.NewRegistry(ORGANIZATION, "Fine tuned"))
        assert names(world.admin, "tuned", Sort.REGISTRY) == ["Fine tuned"]
        registry.rename(world.admin, made.id, "Coarse")
        assert not names(world.admin, "tuned", Sort.REGISTRY)
        assert names(world.admin, "oars", Sort.REGISTRY) == ["Coarse"]
        registry.delete(world.admin, made.id)
        assert not names(world.admin, "oars", Sort.REGISTRY)


class TestOnlyWhatTheActorMaySee:
    """R112, R114: a restricted registry, and a foreign organization, are not found by anything."""

    def test_a_restricted_registry_shows_nothing(self, world: World) -> None:
        fill(world)
        member_ctx = world.add_person("mem", in_organization="member")
        assert names(member_ctx, "production", Sort.ALIAS)
        with world.nobody.database.read() as tx:
            row = tx.one("SELECT id FROM project WHERE name = :name", {"name": REGISTRY})
        assert row is not None
        registry.edit(world.admin, row["id"], registry.RegistryEdit(restricted=True))
        for sort in Sort:
            for text in ("production", "zoo", "vision", "model", "z", "m"):
                assert not names(member_ctx, text, sort), (sort, text)
        hidden = Search("zoo", registry="Model")
        absent = Search("zoo", registry="Modes")
        texts = []
        for search in (hidden, absent):
            with pytest.raises(NotFound) as error:
                finder.find(member_ctx, search)
            texts.append(error.value.message.replace("Modes", "Model"))
        assert texts[0] == texts[1]
        who = member_ctx.who
        member.add(world.admin, row["id"], user_ids=[who.user_id], role=Role.RESTRICTED_VIEWER)
        assert names(member_ctx, "production", Sort.ALIAS)

    def test_another_organization(self, world: World) -> None:
        fill(world)
        outsider = world.add_person("out")
        assert not names(outsider, "zoo", Sort.COLLECTION)
        with pytest.raises(NotFound):
            finder.find(outsider, Search("zoo", organization=ORGANIZATION))


class TestOddTexts:
    """A text that cannot be looked for is refused; one that looks like a query is only a text."""

    @pytest.mark.parametrize("text", ["", "  ", "a" * 129, "a\0b", "\ud800"])
    def test_refused(self, world: World, text: str) -> None:
        with pytest.raises(Unprocessable):
            finder.find(world.admin, Search(text))

    @pytest.mark.parametrize(
        "text",
        ['"', '""a"', "alias : zoo", "zoo OR model", "*", "%", "_oo", "z*o", "NEAR(a b)", "^zo"],
    )
    def test_no_sign_has_a_meaning(self, world: World, text: str) -> None:
        fill(world)
        assert not any(page.items for page in finder.find(world.admin, Search(text)).pages.values())

    @pytest.mark.parametrize("after", ["x", "WyJ4Il0", "é", "A" * 9000])
    def test_cursors(self, world: World, after: str) -> None:
        with pytest.raises(Unprocessable):
            finder.find(world.admin, Search("zoo", sort=Sort.ALIAS, after=after))
        with pytest.raises(Unprocessable, match="kind"):
            finder.find(world.admin, Search("zoo", after="x"))


class TestNoVersionIsReadThrough:
    """The plan of every statement starts at one of the indexes of names."""

    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize("rank", list(Rank))
    @pytest.mark.parametrize("after", [None, (7, 9)])
    @pytest.mark.parametrize("few", [True, False])
    def test_plans(
        self, world: World, sort: Sort, rank: Rank, after: tuple[int, int] | None, few: bool
    ) -> None:
        statement = rows.statement_for(sort, rank, "zoo", [1, 2], after=after, limit=11, few=few)
        with world.nobody.database.read() as tx:
            steps = [
                row["detail"]
                for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
            ]
        first = steps[0]
        if rank is Rank.PART or (rank is Rank.PREFIX and not few):
            if sort is not Sort.VERSION_TAG:
                assert not any("TEMP B-TREE" in step for step in steps), "all are gathered"
            assert first.startswith("SCAN g VIRTUAL TABLE INDEX"), steps
            assert "M" in first.rpartition(":")[2], "the index of parts is not asked"
        else:
            assert first.startswith("SEARCH f USING"), steps
            assert "finding_by_name (kind=? AND name_key" in first, steps
        for step in steps[1:]:
            assert step.startswith(("SEARCH", "USE TEMP B-TREE", "LIST", "CORRELATED")), steps
            assert "AUTOMATIC" not in step, steps
