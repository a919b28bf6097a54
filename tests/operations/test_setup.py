"""How a server comes to its first administrator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from byname.domain.entity import EntityKind
from byname.domain.errors import Conflict, Unauthenticated, Unprocessable
from byname.domain.policy import GroupRole, Role
from byname.operations import access, entity, setup
from byname.operations.context import Context
from byname.store import project
from tests.support.house import House, make_context

NAMES = {
    "username": "ann",
    "email": "ann@example.org",
    "organization": "smle-reg",
    "team": "smle-reg-team-2",
}


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    yield made
    made.database.close()


class TestSetUpMakesTheFirstAdministrator:
    """The first administrator also is admin of the first organization and team (R26)."""

    def test_the_administrator_has_every_role_and_a_key(self, house: House) -> None:
        ann = house.actor("ann")
        assert ann.server_admin
        assert ann.entity_name == "ann"
        assert list(ann.organizations.values()) == [GroupRole.ADMIN]
        assert list(ann.teams.values()) == [GroupRole.ADMIN]

    @pytest.mark.parametrize("name", ["wandb-registry-Model", "wandb-registry-Dataset"])
    def test_the_organization_has_starter_registries_of_its_admin(
        self, house: House, name: str
    ) -> None:
        with house.ctx.database.read() as tx:
            registry = project.find_by_name(tx, "smle-reg", name)
            assert registry is not None
            assert registry.is_registry
            assert registry.all_types
            assert not registry.restricted
            assert access.role_in(tx, house.actor("ann"), registry) is Role.ADMIN
            assert (
                tx.all(
                    "SELECT user_id, role FROM registry_user WHERE project_id = ?", [registry.id]
                )[0]["role"]
                == "admin"
            )

    def test_the_team_belongs_to_the_organization(self, house: House) -> None:
        found = entity.find(house.by("ann"), "smle-reg-team-2")
        organization = entity.find(house.by("ann"), "smle-reg")
        assert found is not None
        assert organization is not None
        assert found.kind is EntityKind.TEAM
        assert found.organization_id == organization.id == organization.organization_id


class TestSetUpHappensOnce:
    """Where an administrator exists, the set-up is refused, with and without a token."""

    def test_a_second_set_up_is_refused_and_changes_nothing(self, house: House) -> None:
        before = house.dump()
        other = {**NAMES, "username": "eve", "organization": "o", "team": "t"}
        with pytest.raises(Conflict, match="set up already"):
            setup.set_up(house.ctx, **other)
        with pytest.raises(Conflict, match="set up already"):
            setup.set_up(house.ctx, **other, token="x" * 43)
        assert house.dump() == before

    def test_of_many_at_once_one_wins(self, ctx: Context) -> None:
        outcomes: list[object] = []
        barrier = threading.Barrier(4)

        def attempt(number: int) -> None:
            barrier.wait(120)
            try:
                outcomes.append(
                    setup.set_up(
                        ctx,
                        username=f"u{number}",
                        email=f"u{number}@example.org",
                        organization=f"o{number}",
                        team=f"t{number}",
                    )
                )
            except Conflict as error:
                outcomes.append(error)

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        assert sum(isinstance(each, setup.SetUp) for each in outcomes) == 1
        assert sum(isinstance(each, Conflict) for each in outcomes) == 3

    def test_no_token_is_offered_afterwards(self, house: House) -> None:
        assert setup.is_set_up(house.ctx)
        assert setup.offer_token(house.ctx) is None


class TestSetUpTokenWorksOnce:
    """A7: the token is single use, only its hash is kept, and each start makes a new one."""

    def test_the_good_token_sets_up_and_is_used_up(self, ctx: Context) -> None:
        token = setup.offer_token(ctx)
        assert token is not None
        setup.check_token(ctx, token)
        assert setup.set_up(ctx, **NAMES, token=token).username == "ann"
        with ctx.database.read() as tx:
            assert tx.one("SELECT 1 FROM meta WHERE key = 'setup_token'") is None

    def test_the_token_itself_is_not_in_the_database(self, ctx: Context) -> None:
        token = setup.offer_token(ctx)
        assert token is not None
        assert token not in "\n".join(House(ctx, {}).dump())

    def test_an_earlier_token_is_void(self, ctx: Context) -> None:
        first = setup.offer_token(ctx)
        second = setup.offer_token(ctx)
        assert first is not None
        assert second is not None
        with pytest.raises(Unauthenticated):
            setup.set_up(ctx, **NAMES, token=first)
        setup.set_up(ctx, **NAMES, token=second)

    @pytest.mark.parametrize("token", ["", "x" * 43, "x" * 10_000, "\ud800", "ü"])
    def test_a_wrong_token_is_refused(self, ctx: Context, token: str) -> None:
        setup.offer_token(ctx)
        with pytest.raises(Unauthenticated):
            setup.set_up(ctx, **NAMES, token=token)
        assert not setup.is_set_up(ctx)

    def test_a_token_is_refused_when_none_was_offered(self, ctx: Context) -> None:
        with pytest.raises(Unauthenticated):
            setup.set_up(ctx, **NAMES, token="")


class TestRefusedSetUpLeavesNothing:
    """All of it happens, or nothing."""

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("username", "a/b", Unprocessable),
            ("username", "", Unprocessable),
            ("username", "\ud800", Unprocessable),
            ("email", "nobody", Unprocessable),
            ("organization", "graphql", Unprocessable),
            ("team", "x" * 65, Unprocessable),
            ("team", "SMLE-REG", Conflict),
            ("organization", "ann", Conflict),
            ("password", "short", Unprocessable),
        ],
    )
    def test_a_bad_value_is_refused(
        self, ctx: Context, field: str, value: str, error: type[Exception]
    ) -> None:
        token = setup.offer_token(ctx)
        before = House(ctx, {}).dump()
        with pytest.raises(error):
            setup.set_up(ctx, **{**NAMES, field: value}, token=token)
        assert House(ctx, {}).dump() == before
