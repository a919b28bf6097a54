"""Lists of automations as the client asks for them (protocol 14.1)."""

from __future__ import annotations

from typing import Any

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


WALK = """query ($after: String) { %s { projects(after: $after, first: 1) {
    pageInfo { endCursor hasNextPage } edges { node { ...Triggers } } } } }
fragment Triggers on Project { name triggers { name } }"""


@pytest.mark.usefixtures("made")
class TestWalk:
    """Protocol 13, 14.1: older clients walk projects, and stop at a page without automations."""

    @pytest.fixture
    def empty_ones(self, world: World) -> None:
        """Registries without automations, before and behind; one has what the client cannot read."""
        for name in ("Aaa", "Zzz"):
            made = registry.create(world.admin, registry.NewRegistry(ORGANIZATION, name))
        automation.create(
            world.admin,
            NewAutomation(
                name="moves",
                scope_kind=ScopeKind.PROJECT,
                scope_id=made.id,
                event=EventType.MOVE_ARTIFACT_ALIAS,
                action=Action(ActionKind.NOTHING),
            ),
        )

    @pytest.mark.usefixtures("empty_ones")
    @pytest.mark.parametrize("root", [f'entity(name: "{ORGANIZATION}")', "viewer"])
    def test_no_page_is_empty(self, world: World, root: str) -> None:
        found: list[str] = []
        after = None
        while True:
            page = data(world.admin, WALK % root, after=after)[root.partition("(")[0]]["projects"]
            told = [each["name"] for edge in page["edges"] for each in edge["node"]["triggers"]]
            assert told
            found += told
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert found == list(MADE)

    @pytest.mark.usefixtures("empty_ones")
    def test_who_lists_projects_sees_them_all(self, world: World) -> None:
        text = WALK.replace("triggers { name }", "id").replace("first: 1", "first: 50")
        page = data(world.admin, text % f'entity(name: "{ORGANIZATION}")')["entity"]["projects"]
        assert {"wandb-registry-Aaa", "wandb-registry-Zzz"} <= {
            edge["node"]["name"] for edge in page["edges"]
        }


class TestWhatIsWrong:
    """Errors say what would be right."""

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"scopeID": "RW50aXR5OjE="}, "a project or registry; a whole team"),
            ({"scopeID": "!!!", "scopeType": "ENTITY"}, "takes the id of a team or organization"),
            ({"triggeredActionConfig": {}}, "must hold noOpActionInput and nothing else"),
            ({"triggeredActionType": "ARIA"}, "there are GENERIC_WEBHOOK, NOTIFICATION, NO_OP"),
        ],
    )
    def test_input(self, world: World, change: dict[str, Any], text: str) -> None:
        given = {
            "name": "n",
            "enabled": True,
            "scopeType": "PROJECT",
            "scopeID": "UHJvamVjdDox",
            "triggeringEventType": "ADD_ARTIFACT_ALIAS",
            "eventFilter": "",
            "triggeredActionType": "NO_OP",
            "triggeredActionConfig": {"noOpActionInput": {"noOp": True}},
        }
        mutation = """mutation ($input: CreateFilterTriggerInput!) {
            createFilterTrigger(input: $input) { trigger { id } } }"""
        assert text in refusal(world.admin, mutation, input=given | change).message
