"""Stars: everybody has their own, and sees what they starred first (R28)."""

from __future__ import annotations

import pytest

from byname.domain.errors import NotFound, Unprocessable
from byname.domain.project import Project
from byname.operations import entity, member, overview, project, registry, search, star
from byname.operations.context import Context
from byname.operations.registry import NewRegistry
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, log_version


def make(world: World, *names: str, restricted: bool = False) -> list[Project]:
    return [
        registry.create(world.admin, NewRegistry(ORGANIZATION, name, restricted=restricted))
        for name in names
    ]


def listed(ctx: Context, first: int = 100) -> list[str]:
    """All registries in the order `starred`, read in pages of so many."""
    found = entity.find(ctx, ORGANIZATION)
    assert found is not None
    names: list[str] = []
    after = None
    while True:
        page = search.projects(ctx, found, order="starred", after=after, first=first)
        names += [each.registry_name for each in page.items]
        if not page.has_next:
            return names
        after = page.end_cursor


class TestStars:
    """R28: each user may star registries; starred ones come first, alphabetically."""

    def test_starred_ones_come_first_and_then_by_name(self, world: World) -> None:
        made = make(world, "zebra", "Apple", "mango", "Zoo")
        star.put(world.admin, made[0].id)
        star.put(world.admin, made[3].id)
        whole = ["zebra", "Zoo", "Apple", "Dataset", "mango", "Model"]
        assert listed(world.admin) == whole
        assert listed(world.admin, first=1) == whole
        assert listed(world.admin, first=4) == whole
        star.remove(world.admin, made[0].id)
        assert listed(world.admin) == ["Zoo", "Apple", "Dataset", "mango", "Model", "zebra"]

    def test_the_landing_page_has_them_first(self, world: World) -> None:
        (made,) = make(world, "zebra")
        star.put(world.admin, made.id)
        found = entity.find(world.admin, ORGANIZATION)
        assert found is not None
        cards, _ = overview.registries(world.admin, found)
        assert [(card.registry.registry_name, card.starred) for card in cards] == [
            ("zebra", True),
            ("Dataset", False),
            ("Model", False),
        ]

    def test_everybody_has_their_own(self, world: World) -> None:
        bob = world.add_person("bob", in_organization="viewer")
        made = make(world, "zebra")
        star.put(bob, made[0].id)
        assert star.among(bob, made) == {made[0].id}
        assert star.among(world.admin, made) == set()
        assert listed(world.admin)[0] == "Dataset"

    def test_doing_it_twice_is_no_error(self, world: World) -> None:
        (made,) = make(world, "zebra")
        for _ in range(2):
            star.put(world.admin, made.id)
        for _ in range(2):
            star.remove(world.admin, made.id)
        assert star.among(world.admin, [made]) == set()

    def test_what_is_hidden_cannot_be_starred_nor_found_by_a_star(self, world: World) -> None:
        bob = world.add_person("bob", in_organization="member")
        (secret,) = make(world, "secret", restricted=True)
        for verb in (star.put, star.remove):
            with pytest.raises(NotFound):
                verb(bob, secret.id)
        member.add(world.admin, secret.id, user_ids=[bob.who.user_id])
        star.put(bob, secret.id)
        assert listed(bob)[0] == "secret"
        member.remove(world.admin, secret.id, user_ids=[bob.who.user_id])
        assert listed(bob) == ["Dataset", "Model"]

    def test_only_registries_are_starred(self, world: World) -> None:
        log_version(world.admin)
        plain = project.find(world.admin, TEAM, PROJECT)
        assert plain is not None
        with pytest.raises(NotFound, match="no registry"):
            star.put(world.admin, plain.id)

    def test_projects_of_a_team_have_no_such_order(self, world: World) -> None:
        log_version(world.admin)
        team = entity.find(world.admin, TEAM)
        organization = entity.find(world.admin, ORGANIZATION)
        assert team is not None
        assert organization is not None
        assert search.projects(world.admin, team, order="starred").items
        with pytest.raises(Unprocessable, match="starred"):
            search.projects(world.admin, organization, order="shining")
