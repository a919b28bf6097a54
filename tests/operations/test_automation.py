"""Automations: who may make which, what becomes of them, and what the history tells of them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest

from byname.domain.automation import Action, ActionKind, Automation, ScopeKind
from byname.domain.delivery import Reply, State
from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from byname.domain.event import EventType, events_of
from byname.domain.history import Cursor, Filter
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.policy import Role
from byname.operations import (
    automation,
    collection,
    delivery,
    execution,
    history,
    integration,
    registry,
    team,
    trash,
    user,
)
from byname.operations import member as operations_member
from byname.operations import organization as organizations
from byname.operations import project as projects
from byname.operations.alias import Place
from byname.operations.automation import AutomationEdit, NewAutomation
from byname.operations.context import Context
from byname.operations.dispatch import Dispatcher
from tests.support.world import ORGANIZATION, REGISTRY, TEAM, World, link_version, log_version

NOTHING = Action(ActionKind.NOTHING)
LINK = EventType.LINK_ARTIFACT


def model(world: World) -> int:
    return registry.get_by_name(world.admin, ORGANIZATION, "Model").id


def entity(world: World, name: str) -> int:
    with world.admin.database.read() as tx:
        row = tx.one("SELECT id FROM entity WHERE name = :name", {"name": name})
    assert row is not None
    return int(row["id"])


@pytest.fixture
def zoo(world: World) -> int:
    """The collection Zoo, with a version."""
    return link_version(world.admin, log_version(world.admin))[0].id


def make(ctx: Context, kind: ScopeKind, scope_id: int, **more: Any) -> Automation:
    given: dict[str, Any] = {
        "name": "deploy",
        "event": EventType.ADD_ARTIFACT_ALIAS,
        "action": NOTHING,
    }
    return automation.create(ctx, NewAutomation(scope_kind=kind, scope_id=scope_id, **given | more))


def hook(ctx: Context, name: str = "ci") -> Integration:
    wanted = integration.Wanted(name=name, url="https://ci.example.org/hook?key=abc")
    return integration.create(ctx, TEAM, IntegrationKind.WEBHOOK, wanted)


class TestWhoMay:
    """P19, P20, X4: Members for a collection, Admins for a whole registry."""

    def test_members_automate_collections_and_admins_registries(
        self, world: World, zoo: int
    ) -> None:
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
        member = world.add_person("mem", in_organization="member")
        made = make(member, ScopeKind.COLLECTION, zoo)
        assert made.scope.name == f"{ORGANIZATION}/{REGISTRY}/Zoo"
        with pytest.raises(Forbidden) as refused:
            make(member, ScopeKind.PROJECT, model(world), name="all")
        assert refused.value.details["role"] == "admin"
        whole = make(world.admin, ScopeKind.PROJECT, model(world), name="all")
        with pytest.raises(Forbidden):
            automation.edit(member, whole.id, AutomationEdit(name="mine"))
        with pytest.raises(Forbidden):
            # Neither does one that may be changed become one that may not be made.
            automation.edit(
                member,
                made.id,
                AutomationEdit(scope_kind=ScopeKind.PROJECT, scope_id=model(world)),
            )
        with pytest.raises(Forbidden):
            automation.delete(member, whole.id)
        assert automation.get(member, whole.id) == whole

    def test_viewers_see_and_change_nothing(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo)
        viewer = world.add_person("vic", in_organization="viewer")
        assert automation.get(viewer, made.id).name == "deploy"
        with pytest.raises(Forbidden):
            make(viewer, ScopeKind.COLLECTION, zoo, name="other")
        with pytest.raises(Forbidden):
            automation.delete(viewer, made.id)

    def test_to_strangers_there_is_none(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo)
        stranger = world.add_person("eve")
        for attempt in (
            lambda: automation.get(stranger, made.id),
            lambda: automation.delete(stranger, made.id),
            lambda: automation.edit(stranger, made.id, AutomationEdit(name="x")),
            lambda: make(stranger, ScopeKind.COLLECTION, zoo),
            lambda: make(stranger, ScopeKind.ENTITY, entity(world, TEAM)),
        ):
            with pytest.raises(NotFound):
                attempt()
        page = automation.list_within(stranger, "organization", entity(world, ORGANIZATION))
        assert not page.items

    def test_teams_by_their_members_and_organizations_by_their_admins(self, world: World) -> None:
        member = world.add_person("mem", in_organization="member", in_team="member")
        outsider = world.add_person("out", in_organization="member")
        assert make(member, ScopeKind.ENTITY, entity(world, TEAM)).scope.word == "team"
        with pytest.raises(Forbidden):
            make(outsider, ScopeKind.ENTITY, entity(world, TEAM), name="x")
        with pytest.raises(Forbidden) as refused:
            make(member, ScopeKind.ENTITY, entity(world, ORGANIZATION), name="x")
        assert refused.value.details["role"] == "admin"
        made = make(world.admin, ScopeKind.ENTITY, entity(world, ORGANIZATION), name="x")
        assert made.scope.word == "organization"
        with pytest.raises(Unprocessable):
            make(world.admin, ScopeKind.ENTITY, entity(world, "admin"), name="y")

    def test_an_integration_is_used_by_members_of_its_team(self, world: World, zoo: int) -> None:
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
        outsider = world.add_person("out", in_organization="member")
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        with pytest.raises(Forbidden):
            make(outsider, ScopeKind.COLLECTION, zoo, action=action)
        made = make(world.admin, ScopeKind.COLLECTION, zoo, action=action)
        renamed = automation.edit(outsider, made.id, AutomationEdit(name="new", action=action))
        assert renamed.name == "new"
        changed = Action(ActionKind.WEBHOOK, action.integration_id, payload='{"a": 1}')
        with pytest.raises(Forbidden):
            automation.edit(outsider, made.id, AutomationEdit(action=changed))


class TestEditing:
    """Protocol 14.4: what is null stays; a name is there once; the history tells each change."""

    def test_a_new_name_leaves_the_rest(self, world: World, zoo: int) -> None:
        text = '{"$or":[{"$and":[{"alias":{"$regex":"^prod"}}]}]}'
        made = make(world.admin, ScopeKind.COLLECTION, zoo, filter=text, description="d")
        edited = automation.edit(world.admin, made.id, AutomationEdit(name="new"))
        assert (edited.name, edited.filter, edited.description) == ("new", text, "d")
        told = history.read(
            world.admin,
            registry.get_by_name(world.admin, ORGANIZATION, "Model"),
            wanted=Filter(kind="automation"),
        ).entries
        assert (told[0].kind, told[0].before) == (
            "automation:update",
            {"name": "deploy"},
        )
        assert told[1].kind == "automation:create"

    def test_a_name_is_there_once(self, world: World, zoo: int) -> None:
        make(world.admin, ScopeKind.COLLECTION, zoo)
        with pytest.raises(Conflict):
            make(world.admin, ScopeKind.PROJECT, model(world))
        other = make(world.admin, ScopeKind.PROJECT, model(world), name="other")
        with pytest.raises(Conflict):
            automation.edit(world.admin, other.id, AutomationEdit(name="deploy"))

    def test_deleting_twice_is_an_error(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo)
        automation.delete(world.admin, made.id)
        with pytest.raises(NotFound):
            automation.delete(world.admin, made.id)
        make(world.admin, ScopeKind.COLLECTION, zoo)  # The name is free again.

    def test_switching_on_begins_anew(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo, enabled=False)
        link_version(world.admin, log_version(world.admin, files={"f": b"1"}))
        switched = automation.edit(world.admin, made.id, AutomationEdit(enabled=True))
        assert switched.since.ledger_id > made.since.ledger_id
        assert switched.since.id > made.since.id


class TestWhatDisappears:
    """R145, R164: it is off, with a visible reason; what is restored comes back off."""

    def test_an_integration(self, world: World, zoo: int) -> None:
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        made = make(world.admin, ScopeKind.COLLECTION, zoo, action=action)
        integration.delete(world.admin, TEAM, IntegrationKind.WEBHOOK, "ci")
        found = automation.get(world.admin, made.id)
        assert not found.enabled
        assert found.disabled_reason == f"The webhook ci of team {TEAM} was deleted"
        with pytest.raises(Conflict):
            automation.edit(world.admin, made.id, AutomationEdit(enabled=True))
        renamed = automation.edit(world.admin, made.id, AutomationEdit(name="n", enabled=False))
        assert renamed.disabled_reason == found.disabled_reason
        mended = automation.edit(
            world.admin,
            made.id,
            AutomationEdit(
                enabled=True, action=Action(ActionKind.WEBHOOK, hook(world.admin, "new").id)
            ),
        )
        assert mended.enabled
        assert mended.disabled_reason is None

    def test_what_happened_before_is_still_told(self, world: World, zoo: int) -> None:
        """I5: of a registry that was deleted before anybody looked at what happened there."""
        made = make(world.admin, ScopeKind.ENTITY, entity(world, ORGANIZATION), event=LINK)
        link_version(world.admin, log_version(world.admin, files={"f": b"2"}))
        registry.delete(world.admin, model(world))
        while Dispatcher(lambda *_: "").run(world.nobody):
            pass
        with world.admin.database.read() as tx:
            told = [tuple(row) for row in tx.all("SELECT automation_id, event FROM execution")]
        assert told == [(made.id, LINK.value)]

    def test_a_team(self, world: World, zoo: int) -> None:
        team.create_team(world.admin, organization=ORGANIZATION, name="ops")
        world.reload("admin")
        wanted = integration.Wanted(name="ci", url="https://ci.example.org/")
        action = Action(
            ActionKind.WEBHOOK,
            integration.create(world.admin, "ops", IntegrationKind.WEBHOOK, wanted).id,
        )
        made = make(world.admin, ScopeKind.COLLECTION, zoo, action=action)
        team.delete_team(world.admin, "ops")
        assert "ops was deleted" in str(automation.get(world.admin, made.id).disabled_reason)

    def test_a_creator(self, world: World, zoo: int) -> None:
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
        member = world.add_person("mem", in_organization="member")
        made = make(member, ScopeKind.COLLECTION, zoo)
        organizations.remove_member(world.admin, ORGANIZATION, "mem")
        assert "mem, for whom it acted, is not in acme" in str(
            automation.get(world.admin, made.id).disabled_reason
        )

    def test_a_collection_that_comes_back(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo)
        collection.delete(world.admin, zoo, is_sequence=False)
        with pytest.raises(NotFound):
            automation.get(world.admin, made.id)
        make(world.admin, ScopeKind.PROJECT, model(world))  # Its name is free meanwhile.
        deleted = trash.list_page(world.admin, ORGANIZATION).items[0]
        trash.restore(world.admin, deleted.id)
        back = automation.get(world.admin, made.id)
        assert not back.enabled
        assert back.disabled_reason == "The collection was deleted"
        assert back.name != "deploy"

    def test_a_registry_that_comes_back(self, world: World, zoo: int) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo)
        registry.delete(world.admin, model(world))
        deleted = trash.list_page(world.admin, ORGANIZATION).items[0]
        trash.restore(world.admin, deleted.id)
        back = automation.get(world.admin, made.id)
        assert (back.name, back.enabled) == ("deploy", False)


class TestItActsForAPerson:
    """R109, R145: an automation does not go on with rights that its person has lost."""

    @pytest.fixture
    def member(self, world: World) -> Context:
        """A member of the team and, by default, of every registry."""
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
        return world.add_person("mem", in_organization="member", in_team="member")

    def fire(self, world: World, of: Automation) -> tuple[int, Automation]:
        """How often it ran for a new link, and how it stands then."""
        link_version(world.admin, log_version(world.admin, files={"f": uuid.uuid4().bytes}))
        while Dispatcher(lambda *_: "").run(world.nobody):
            pass
        return (
            len(execution.list_within(world.admin, "automation", of.id).items),
            automation.get(world.admin, of.id),
        )

    def test_who_left_the_team_uses_its_webhooks_no_more(
        self, world: World, zoo: int, member: Context
    ) -> None:
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        made = make(member, ScopeKind.COLLECTION, zoo, action=action, event=LINK)
        other = make(member, ScopeKind.COLLECTION, zoo, name="other", event=LINK)
        team.remove_member(world.admin, TEAM, "mem")
        found = automation.get(world.admin, made.id)
        assert not found.enabled
        assert "mem, for whom it acted, may not use the integrations of team vision" in str(
            found.disabled_reason
        )
        # What needs nothing of the team goes on.
        assert self.fire(world, other)[0] == 1
        assert self.fire(world, made)[0] == 0

    def test_a_lower_role_in_the_registry(self, world: World, zoo: int, member: Context) -> None:
        made = make(member, ScopeKind.COLLECTION, zoo, event=LINK)
        operations_member.add(
            world.admin, model(world), user_ids=[member.who.user_id], role=Role.MEMBER
        )
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.VIEWER))
        assert automation.get(world.admin, made.id).enabled
        operations_member.set_user_role(world.admin, model(world), member.who.user_id, Role.VIEWER)
        assert "needs the role member" in str(automation.get(world.admin, made.id).disabled_reason)

    def test_whatever_took_the_role_away(self, world: World, zoo: int, member: Context) -> None:
        """Also where nobody looked at once: then the event finds out, and nothing is sent."""
        made = make(member, ScopeKind.COLLECTION, zoo, event=LINK)
        assert self.fire(world, made)[0] == 1
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.VIEWER))
        count, found = self.fire(world, made)
        assert (count, found.enabled) == (1, False)
        with pytest.raises(Conflict):
            execution.replay(world.admin, made.id, Cursor(0, 0))

    def test_what_waits_for_another_attempt(self, world: World, zoo: int, member: Context) -> None:
        """A4: it is asked at each attempt; what waits then waits for who answers for it."""
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        made = make(member, ScopeKind.COLLECTION, zoo, action=action, event=LINK)
        assert self.fire(world, made)[0] == 1
        late = dataclasses.replace(world.nobody, now=lambda: world.nobody.now() + 60_000_000)
        (taken,) = delivery.take(world.nobody, "one", busy=[], limit=9)
        assert delivery.settle(world.nobody, "one", taken.due, Reply(503))
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.VIEWER))
        assert automation.get(world.admin, made.id).enabled
        assert delivery.take(late, "one", busy=[], limit=9) == []
        found = automation.get(world.admin, made.id)
        assert not found.enabled
        assert "needs the role member" in str(found.disabled_reason)
        (waiting,) = execution.list_within(world.admin, "automation", made.id).items
        assert (waiting.state, waiting.attempt_count) == (State.PENDING, 1)
        automation.edit(world.admin, made.id, AutomationEdit(enabled=True))
        (again,) = delivery.take(late, "one", busy=[], limit=9)
        assert again.due.delivery_id == taken.due.delivery_id

    def test_who_switches_it_on_again_answers_for_it(
        self, world: World, zoo: int, member: Context
    ) -> None:
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        made = make(member, ScopeKind.COLLECTION, zoo, action=action, event=LINK)
        team.remove_member(world.admin, TEAM, "mem")
        # The member of the registry, who is not in the team, cannot.
        with pytest.raises(Forbidden):
            automation.edit(world.reload("mem"), made.id, AutomationEdit(enabled=True))
        on = automation.edit(world.admin, made.id, AutomationEdit(enabled=True))
        assert (on.acts_for, on.created_by) == (world.admin.who.user_id, member.who.user_id)
        assert self.fire(world, made)[0] == 1
        # Who merely pauses it and goes on takes nothing over.
        mine = make(world.admin, ScopeKind.COLLECTION, zoo, name="mine", event=LINK)
        automation.edit(world.reload("mem"), mine.id, AutomationEdit(enabled=False))
        again = automation.edit(world.reload("mem"), mine.id, AutomationEdit(enabled=True))
        assert again.acts_for == world.admin.who.user_id

    def test_who_changes_what_it_does_answers_for_it(
        self, world: World, zoo: int, member: Context
    ) -> None:
        made = make(world.admin, ScopeKind.COLLECTION, zoo, event=LINK)
        action = Action(ActionKind.WEBHOOK, hook(world.admin).id)
        edited = automation.edit(member, made.id, AutomationEdit(action=action))
        assert edited.acts_for == member.who.user_id

    def test_who_is_deleted(self, world: World, zoo: int, member: Context) -> None:
        made = make(member, ScopeKind.COLLECTION, zoo, event=LINK)
        user.delete_user(world.admin, "mem")
        assert "is not on this server" in str(automation.get(world.admin, made.id).disabled_reason)


class TestEveryEventIsWrittenDown:
    """R12, R127: each event follows from an entry that its own transaction wrote."""

    def told(self, world: World, project_id: int) -> list[tuple[str, tuple[str, ...]]]:
        project = projects.get(world.admin, project_id)
        entries = history.read(world.admin, project, limit=500).entries
        return [
            (event.type.value, event.aliases + event.tags)
            for entry in reversed(entries)
            for event in events_of(entry)
        ]

    def test_link_alias_tags_and_unlink(self, world: World) -> None:
        version = log_version(world.admin)
        zoo, _ = link_version(world.admin, version, aliases=["best"])
        collection.edit_tags(world.admin, Place(ORGANIZATION, REGISTRY, "Zoo"), add=["prod"])
        collection.unlink(world.admin, version.id, zoo.id)
        told = self.told(world, zoo.project_id)
        assert told[0] == ("LINK_ARTIFACT", ("best", "latest"))
        assert sorted(told[1:3]) == [
            ("ADD_ARTIFACT_ALIAS", ("best",)),
            ("ADD_ARTIFACT_ALIAS", ("latest",)),
        ]
        assert told[3] == ("ADD_COLLECTION_TAG", ("prod",))
        assert ("UNLINK_ARTIFACT", ("best", "latest")) in told[4:]
        assert ("REMOVE_ARTIFACT_ALIAS", ("best",)) in told[4:]

    def test_a_version_that_is_committed(self, world: World) -> None:
        version = log_version(world.admin, aliases=["latest", "best"])
        told = self.told(world, version.project_id)
        assert told[0] == ("CREATE_ARTIFACT", ("latest", "best"))

    def test_tags_that_a_new_collection_is_given(self, world: World) -> None:
        collection.create(
            world.admin, model(world), collection.NewCollection("Park", "model", tags=["a", "b"])
        )
        assert ("ADD_COLLECTION_TAG", ("a", "b")) in self.told(world, model(world))
