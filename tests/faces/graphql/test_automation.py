"""Lists of automations as the client asks for them (protocol 14.1)."""

from __future__ import annotations

import pytest

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.errors import Unprocessable
from byname.domain.event import EventType
from byname.operations import automation, registry
from byname.operations.automation import AutomationEdit, NewAutomation
from tests.support.graphql import data, refusal
from tests.support.world import ORGANIZATION, World

LIST = """query ($entity: String!, $order: String, $after: String, $first: Int) {
  entity(name: $entity) { triggers(order: $order, after: $after, first: $first) {
    edges { node { name } } pageInfo { endCursor hasNextPage } } } }"""
MADE = ("middle", "last", "able", "Zoo", "early")


@pytest.fixture
def made(world: World) -> None:
    """Five automations of a registry; the second was changed last."""
    model = registry.get_by_name(world.admin, ORGANIZATION, "Model").id
    ids = [
        automation.create(
            world.admin,
            NewAutomation(
                name=name,
                scope_kind=ScopeKind.PROJECT,
                scope_id=model,
                event=EventType.LINK_ARTIFACT,
                action=Action(ActionKind.NOTHING),
            ),
        ).id
        for name in MADE
    ]
    automation.edit(world.admin, ids[1], AutomationEdit(description="changed"))


def listed(world: World, order: str | None) -> list[str]:
    """All names, read in pages of two."""
    found: list[str] = []
    after = None
    while True:
        page = data(world.admin, LIST, entity=ORGANIZATION, order=order, after=after, first=2)[
            "entity"
        ]["triggers"]
        found += [edge["node"]["name"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


@pytest.mark.usefixtures("made")
class TestOrder:
    """Protocol 14.1: `entity.triggers` is asked with an order."""

    def test_each_both_ways(self, world: World) -> None:
        for order in (None, "", "created_at", "+createdAt", "what else"):
            assert listed(world, order) == list(MADE)
        assert listed(world, "-created_at") == list(reversed(MADE))
        by_name = ["Zoo", "able", "early", "last", "middle"]
        assert listed(world, "name") == by_name
        assert listed(world, "-name") == by_name[::-1]
        by_change = ["middle", "able", "Zoo", "early", "last"]
        assert listed(world, "updated_at") == by_change
        assert listed(world, "-updatedAt") == by_change[::-1]

    def test_a_cursor_belongs_to_its_order(self, world: World) -> None:
        page = data(world.admin, LIST, entity=ORGANIZATION, order="name", first=2)
        cursor = page["entity"]["triggers"]["pageInfo"]["endCursor"]
        told = refusal(world.admin, LIST, entity=ORGANIZATION, order="-name", after=cursor)
        assert isinstance(told, Unprocessable)
        assert "another order" in told.message
