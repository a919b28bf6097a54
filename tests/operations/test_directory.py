"""Whom and what one may know of (R192): asked by everybody, page by page."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from byname.domain.errors import NotFound, Unauthenticated, Unprocessable
from byname.domain.page import Page, encode_cursor
from byname.domain.policy import GroupRole
from byname.operations import (
    deactivation,
    directory,
    group,
    invitation,
    organization,
    service_account,
    team,
    user,
)
from byname.operations.context import Context
from byname.operations.organization import get_organization
from byname.store import group as rows
from byname.store.database import Transaction
from tests.support.house import ORGANIZATION, TEAM, House


@pytest.fixture
def town(house: House) -> House:
    """Ann administers all. Bob and Cy are in the organization, Bob in the team; Dan is in another."""
    house.make_team_member("bob")
    house.make_member("cy", GroupRole.VIEWER)
    house.make_user("dan")
    house.make_user("eve")
    organization.create_organization(house.by("ann"), name="other", owner="dan")
    team.create_team(house.by("dan"), organization="other", name="others", admins=["dan"])
    house.make_service_account("robot")
    return house


def people(ctx: Context, **how: Any) -> list[str]:
    return [each.username for each in directory.list_people(ctx, **how).items]


def members(ctx: Context, name: str = ORGANIZATION, **how: Any) -> list[tuple[str, str, bool]]:
    return [
        (each.user.username, each.role.value, each.deactivated)
        for each in directory.list_members(ctx, name, **how).items
    ]


def homes(ctx: Context) -> list[tuple[str, int, int, str | None]]:
    return [
        (each.organization.name, each.members, each.teams, each.role and each.role.value)
        for each in directory.list_organizations(ctx).items
    ]


class TestPeople:
    """One knows oneself, and those one shares an organization with."""

    def test_administrators_know_everybody(self, town: House) -> None:
        assert people(town.by("ann")) == ["ann", "bob", "cy", "dan", "eve"]

    def test_others_know_whom_they_share_an_organization_with(self, town: House) -> None:
        for name in ("bob", "cy", "robot"):
            assert people(town.by(name)) == ["ann", "bob", "cy"]
        assert people(town.by("dan")) == ["dan"]
        assert people(town.by("eve")) == ["eve"]

    def test_who_left_or_is_deactivated_is_known_no_more(self, town: House) -> None:
        organization.remove_member(town.by("ann"), ORGANIZATION, "cy")
        deactivation.deactivate(town.by("ann"), ORGANIZATION, "bob")
        organization.put_member(town.by("dan"), "other", "cy", GroupRole.MEMBER)
        assert people(town.by("cy")) == ["cy", "dan"]
        assert people(town.by("robot")) == ["ann"]
        for name in ("bob", "cy"):
            with pytest.raises(NotFound):
                directory.get_person(town.by("robot"), name)

    def test_by_a_part_of_name_or_address(self, town: House) -> None:
        assert people(town.by("bob"), text="BOB@") == ["bob"]
        assert people(town.by("bob"), text="dan") == []
        assert people(town.by("bob"), text="\ud800") == []

    def test_a_person_is_shown_with_what_one_shares(self, town: House) -> None:
        """Of the other organization that Bob is in, Cy is not told; Bob and Dan are."""
        organization.put_member(town.by("dan"), "other", "bob", GroupRole.VIEWER)
        team.put_member(town.by("dan"), "others", "bob", GroupRole.ADMIN)

        def groups(asker: str) -> list[tuple[str, str, str]]:
            _, found = directory.get_person(town.by(asker), "BOB")
            return [(each.group.name, each.organization, each.role.value) for each in found]

        here = [(ORGANIZATION, ORGANIZATION, "member"), (TEAM, ORGANIZATION, "member")]
        there = [("other", "other", "viewer"), ("others", "other", "admin")]
        assert groups("cy") == here
        assert groups("dan") == there
        assert sorted(groups("bob")) == sorted(groups("ann")) == sorted(here + there)

    def test_a_service_account_is_known_where_it_belongs(self, town: House) -> None:
        found, groups = directory.get_person(town.by("cy"), "robot")
        assert found.service
        assert [each.group.name for each in groups] == [ORGANIZATION, TEAM]
        service_account.create(town.by("ann"), organization=ORGANIZATION, name="loner")
        assert directory.get_person(town.by("cy"), "loner")[0].service

    def test_who_is_unknown_and_who_is_not_there_are_the_same(self, town: House) -> None:
        for asker in ("bob", "cy", "robot", "eve"):
            with pytest.raises(NotFound) as hidden:
                directory.get_person(town.by(asker), "dan")
            with pytest.raises(NotFound) as missing:
                directory.get_person(town.by(asker), "nan")
            assert hidden.value.message.replace("dan", "nan") == missing.value.message
            assert hidden.value.code == missing.value.code

    def test_oneself_is_known_without_any_organization(self, town: House) -> None:
        found, groups = directory.get_person(town.by("eve"), "eve")
        assert (found.username, groups) == ("eve", [])

    def test_pages(self, town: House) -> None:
        ctx = town.by("ann")
        assert walked(lambda after: directory.list_people(ctx, after=after, first=2)) == [
            ["ann", "bob"],
            ["cy", "dan"],
            ["eve"],
        ]


class TestOrganizations:
    """One's own, with what one is there; all of the server, for its administrators."""

    def test_each_has_their_own(self, town: House) -> None:
        assert homes(town.by("ann")) == [("other", 1, 1, None), (ORGANIZATION, 4, 1, "admin")]
        assert homes(town.by("bob")) == [(ORGANIZATION, 4, 1, "member")]
        assert homes(town.by("cy")) == [(ORGANIZATION, 4, 1, "viewer")]
        assert homes(town.by("robot")) == [(ORGANIZATION, 4, 1, "member")]
        assert homes(town.by("dan")) == [("other", 1, 1, "admin")]
        assert homes(town.by("eve")) == []

    def test_one_that_is_deleted_is_not_listed(self, town: House) -> None:
        organization.delete_organization(town.by("dan"), "other")
        assert homes(town.by("dan")) == []
        assert [each[0] for each in homes(town.by("ann"))] == [ORGANIZATION]

    def test_pages(self, town: House) -> None:
        ctx = town.by("ann")

        def page(after: str | None) -> Page[Any]:
            return directory.list_organizations(ctx, after=after, first=1)

        assert walked(page, lambda each: each.organization.name) == [["other"], [ORGANIZATION]]

    def test_hidden_and_missing_are_the_same(self, town: House) -> None:
        doors: list[Callable[[str], object]] = [
            lambda name: directory.get_home(town.by("dan"), name),
            lambda name: directory.list_members(town.by("dan"), name),
            lambda name: group.teams(town.by("dan"), name),
        ]
        for door in doors:
            with pytest.raises(NotFound) as hidden:
                door(ORGANIZATION)
            with pytest.raises(NotFound) as missing:
                door("nowhere")
            assert hidden.value.message.replace(ORGANIZATION, "nowhere") == missing.value.message

    def test_nobody_is_told_anything(self, town: House) -> None:
        for door in (directory.list_people, directory.list_organizations):
            with pytest.raises(Unauthenticated):
                door(town.ctx)


class TestMembers:
    """Everyone in an organization sees who is in it; its admins also who is out for a while."""

    def test_everyone_in_it_sees_them(self, town: House) -> None:
        expected = [
            ("ann", "admin", False),
            ("bob", "member", False),
            ("cy", "viewer", False),
            ("robot", "member", False),
        ]
        for name in ("ann", "bob", "cy", "robot"):
            assert members(town.by(name)) == expected
            assert members(town.by(name), name=ORGANIZATION.upper()) == expected

    def test_who_is_deactivated_is_told_to_admins_alone(self, town: House) -> None:
        deactivation.deactivate(town.by("ann"), ORGANIZATION, "bob")
        assert members(town.by("ann"))[:2] == [("ann", "admin", False), ("bob", "member", True)]
        assert "bob" not in str(members(town.by("cy")))
        organization.put_member(town.by("ann"), ORGANIZATION, "cy", GroupRole.ADMIN)
        assert ("bob", "member", True) in members(town.by("cy"))

    def test_by_a_part_of_their_names(self, town: House) -> None:
        deactivation.deactivate(town.by("ann"), ORGANIZATION, "bob")
        assert members(town.by("ann"), text="b@") == [("bob", "member", True)]
        assert members(town.by("cy"), text="b@") == []

    def test_pages_hold_those_who_are_away_in_their_place(self, town: House) -> None:
        ctx = town.by("ann")
        deactivation.deactivate(ctx, ORGANIZATION, "bob")

        def page(after: str | None) -> Page[Any]:
            return directory.list_members(ctx, ORGANIZATION, after=after, first=1)

        names = walked(page, lambda each: each.user.username)
        assert names == [["ann"], ["bob"], ["cy"], ["robot"]]

    def test_of_a_team(self, town: House) -> None:
        """Everyone in its organization sees it; nobody else can tell it from one that is not there."""
        for name in ("ann", "bob", "cy", "robot"):
            page = directory.list_team_members(town.by(name), TEAM)
            assert [(each.user.username, each.role.value) for each in page.items] == [
                ("ann", "admin"),
                ("bob", "member"),
                ("robot", "member"),
            ]
            card = group.team_card(town.by(name), TEAM.upper())
            assert (card.team.name, card.organization) == (TEAM, ORGANIZATION)
            assert (card.members, card.projects) == (3, 0)
        assert group.team_card(town.by("cy"), TEAM).role is None
        assert group.team_card(town.by("bob"), TEAM).role is GroupRole.MEMBER
        doors: list[Callable[[str], object]] = [
            lambda name: directory.list_team_members(town.by("dan"), name),
            lambda name: group.team_card(town.by("dan"), name),
        ]
        for door in doors:
            with pytest.raises(NotFound) as hidden:
                door(TEAM)
            with pytest.raises(NotFound) as missing:
                door("nowhere")
            assert hidden.value.message.replace(TEAM, "nowhere") == missing.value.message


class TestCost:
    """A longer list costs no more statements, and a member is found through an index."""

    def test_no_statement_per_row(self, town: House, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        for kind in ("all", "one"):
            plain = getattr(Transaction, kind)

            def noted(tx: Transaction, sql: str, *more: Any, plain: Any = plain) -> Any:
                asked.append(sql)
                return plain(tx, sql, *more)

            monkeypatch.setattr(Transaction, kind, noted)

        def statements() -> list[int]:
            counts = []
            ctx = town.by("ann")
            for door in (
                lambda: directory.list_people(ctx),
                lambda: directory.list_organizations(ctx),
                lambda: directory.list_members(ctx, ORGANIZATION),
                lambda: directory.list_team_members(ctx, TEAM),
                lambda: group.teams(ctx, ORGANIZATION),
                lambda: directory.get_person(ctx, "bob"),
            ):
                asked.clear()
                door()
                counts.append(len(asked))
            return counts

        few = statements()
        ann = town.by("ann")
        for number in range(4):
            town.make_team_member(f"more{number}")
            organization.create_organization(ann, name=f"home{number}", owner="bob")
            team.create_team(ann, organization=ORGANIZATION, name=f"crew{number}", admins=["bob"])
        assert len(people(town.by("ann"))) == 9
        assert statements() == few

    def test_members_are_found_through_an_index(self, town: House) -> None:
        plans: list[str] = []
        with town.ctx.database.read() as tx:
            home = get_organization(town.by("ann"), tx, ORGANIZATION)
            plain = tx.all

            def explained(sql: str, values: Any = ()) -> list[Any]:
                plans.extend(row["detail"] for row in plain(f"EXPLAIN QUERY PLAN {sql}", values))
                return plain(sql, values)

            spy = SimpleNamespace(all=explained)
            rows.list_members(cast("Transaction", spy), home, away=True, limit=51)
        assert any("SEARCH organization_member" in each for each in plans), plans
        assert any("SEARCH deactivation" in each for each in plans), plans
        assert not [each for each in plans if each.startswith(("SCAN organ", "SCAN deact"))], plans


def walked(
    page: Callable[[str | None], Page[Any]],
    name: Callable[[Any], str] = lambda each: each.username,
) -> list[list[str]]:
    """The names on each page, from the first to the last."""
    found: list[list[str]] = []
    after: str | None = None
    while True:
        made = page(after)
        found.append([name(each) for each in made.items])
        if not made.has_next:
            return found
        after = made.end_cursor


CURSORS: dict[str, Callable[[Context, str], object]] = {
    "people": lambda ctx, after: directory.list_people(ctx, after=after),
    "organizations": lambda ctx, after: directory.list_organizations(ctx, after=after),
    "members": lambda ctx, after: directory.list_members(ctx, ORGANIZATION, after=after),
    "teams": lambda ctx, after: group.teams(ctx, ORGANIZATION, after=after),
    "invitations": lambda ctx, after: invitation.list_open(ctx, after=after),
}


class TestCursors:
    """A cursor that is of another list, or holds something else, is refused."""

    @pytest.mark.parametrize("kind", CURSORS)
    def test_only_its_own(self, town: House, kind: str) -> None:
        ask = CURSORS[kind]
        ask(town.by("ann"), encode_cursor(kind, "b"))
        for odd in (
            encode_cursor(kind),
            encode_cursor(kind, 1),
            encode_cursor(kind, None),
            encode_cursor(kind, "a", "b"),
            encode_cursor(kind, "\0"),
            encode_cursor("others", "b"),
            "nonsense",
        ):
            with pytest.raises(Unprocessable):
                ask(town.by("ann"), odd)

    def test_of_the_server_too(self, town: House) -> None:
        with pytest.raises(Unprocessable):
            user.list_people(town.by("ann"), after=encode_cursor("people"))
