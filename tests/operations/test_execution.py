"""The history of automations: who sees it, delivering again, replaying, and trying out."""

from __future__ import annotations

import dataclasses
import json

import pytest

from byname.domain.automation import Action, ActionKind, Automation, ScopeKind
from byname.domain.delivery import Outgoing, Reply, State
from byname.domain.errors import Conflict, Forbidden, NotFound, Unavailable, Unprocessable
from byname.domain.event import EventType
from byname.domain.execution import Wanted
from byname.domain.history import Cursor, Filter
from byname.domain.integration import IntegrationKind
from byname.domain.policy import Role
from byname.operations import (
    alias,
    automation,
    delivery,
    execution,
    history,
    integration,
    registry,
    trial,
)
from byname.operations.automation import AutomationEdit, NewAutomation
from byname.operations.dispatch import Dispatcher
from tests.support.world import ORGANIZATION, REGISTRY, TEAM, World, link_version, log_version

PLACE = alias.Place(ORGANIZATION, REGISTRY, "Zoo")
DAY = 86_400_000_000


def model(world: World) -> int:
    return registry.get_by_name(world.admin, ORGANIZATION, "Model").id


def hook(world: World) -> int:
    wanted = integration.Wanted(
        name="ci", url="http://ci.example.org/", access_token="t0ken", secret="s3cret"
    )
    return integration.create(world.admin, TEAM, IntegrationKind.WEBHOOK, wanted).id


def automate(world: World, integration_id: int | None = None, name: str = "deploy") -> Automation:
    action = (
        Action(ActionKind.NOTHING)
        if integration_id is None
        else Action(ActionKind.WEBHOOK, integration_id, '{"a": "${alias}"}')
    )
    return automation.create(
        world.admin,
        NewAutomation(
            name=name,
            scope_kind=ScopeKind.PROJECT,
            scope_id=model(world),
            event=EventType.ADD_ARTIFACT_ALIAS,
            action=action,
        ),
    )


@pytest.fixture
def version_id(world: World) -> int:
    """A version in Zoo, from before there was an automation."""
    version = log_version(world.admin)
    link_version(world.admin, version, aliases=["first"])
    return version.id


def put(world: World, version_id: int, *names: str) -> None:
    for name in names:
        alias.edit(world.admin, version_id, add=[(PLACE, name)])
    dispatch(world)


def dispatch(world: World) -> None:
    dispatcher = Dispatcher(lambda *_: "")
    while dispatcher.run(world.nobody):
        pass


class TestHistory:
    """R140: all executions, newest first; search by name; state, status, error text."""

    def test_pages_and_filters(self, world: World, version_id: int) -> None:
        one, two = automate(world), automate(world, hook(world), "Other")
        put(world, version_id, "a", "b", "c")
        page = execution.list_within(world.admin, "project", model(world), first=4)
        assert len(page.items) == 4
        assert page.has_next
        rest = execution.list_within(
            world.admin, "project", model(world), first=4, after=page.end_cursor
        )
        found = [*page.items, *rest.items]
        assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)
        assert len(found) == 6

        def ids(**wanted: object) -> set[int]:
            page = execution.list_within(
                world.admin,
                "project",
                model(world),
                wanted=Wanted(**wanted),  # type: ignore[arg-type]
            )
            return {each.automation_id for each in page.items}

        assert ids(automation="oTHER") == {two.id}
        assert ids(state=State.FINISHED) == {one.id}
        assert ids(state=State.PENDING) == {two.id}
        assert ids(event="LINK_ARTIFACT") == set()
        assert ids(text=":B") == {one.id, two.id}
        last = execution.last_of(world.admin, [one.id, two.id])
        assert {each.subject.rpartition(":")[2] for each in last.values()} == {"c"}

    def test_old_ones_are_forgotten_but_not_what_waits(self, world: World, version_id: int) -> None:
        """Kept 90 days by default."""
        one, two = automate(world), automate(world, hook(world), "other")
        put(world, version_id, "a")
        later = dataclasses.replace(world.admin, now=lambda: world.admin.now() + 91 * DAY)
        assert delivery.forget_old(later, 92) == 0
        assert delivery.forget_old(later, 90) == 1
        assert not execution.list_within(world.admin, "automation", one.id).items
        assert len(execution.list_within(world.admin, "automation", two.id).items) == 1
        assert delivery.waiting(world.admin).count == 1

    def test_who_sees_it(self, world: World, version_id: int) -> None:
        """A2: who may not see the place, may not know of what happened there."""
        made = automate(world)
        whole = automation.create(
            world.admin,
            NewAutomation(
                name="everything",
                scope_kind=ScopeKind.ENTITY,
                scope_id=registry.get_by_name(world.admin, ORGANIZATION, "Model").entity_id,
                event=EventType.ADD_ARTIFACT_ALIAS,
                action=Action(ActionKind.NOTHING),
            ),
        )
        put(world, version_id, "a")
        (shown,) = execution.list_within(world.admin, "automation", made.id).items
        member = world.add_person("mem", in_organization="member")
        assert execution.get(member, shown.id)[0].delivery_id == shown.delivery_id
        here, elsewhere = (
            registry.get_by_name(world.admin, ORGANIZATION, name) for name in ("Model", "Dataset")
        )
        assert execution.get(member, shown.id, within=here)[0].id == shown.id
        for piece in (execution.get, execution.retry):
            with pytest.raises(NotFound):
                piece(world.admin, shown.id, within=elsewhere)
        outsider = world.add_person("out")
        with pytest.raises(NotFound):
            execution.get(outsider, shown.id)
        with pytest.raises(NotFound):
            execution.retry(outsider, shown.id)
        registry.edit(world.admin, model(world), registry.RegistryEdit(restricted=True))
        with pytest.raises(NotFound):
            execution.get(member, shown.id)
        # The automation of the whole organization is seen; what it did in there is not.
        assert automation.get(member, whole.id)
        assert len(execution.list_within(world.admin, "automation", whole.id).items) == 1
        assert execution.list_within(member, "automation", whole.id).items == []


class TestRetry:
    """R142: *Retry* and *Disable* buttons in history; the delivery id stays."""

    def failed(self, world: World, version_id: int) -> tuple[Automation, int]:
        made = automate(world, hook(world))
        put(world, version_id, "a")
        (taken,) = delivery.take(world.nobody, "w", busy=[], limit=1)
        assert delivery.settle(world.nobody, "w", taken.due, Reply(404, "no such"))
        (found,) = execution.list_within(world.admin, "automation", made.id).items
        assert (found.state, found.status) == (State.FAILED, 404)
        return made, found.id

    def test_it(self, world: World, version_id: int) -> None:
        _, failed = self.failed(world, version_id)
        before, attempts = execution.get(world.admin, failed)
        assert [(each.status, each.answer) for each in attempts] == [(404, "no such")]
        again = execution.retry(world.admin, failed)
        assert (again.state, again.error, again.attempt_count) == (State.PENDING, None, 0)
        (taken,) = delivery.take(world.nobody, "w", busy=[], limit=1)
        assert taken.due.delivery_id == before.delivery_id
        with pytest.raises(Conflict, match="just now"):
            execution.retry(world.admin, failed)
        assert delivery.settle(world.nobody, "w", taken.due, Reply(200))
        with pytest.raises(Conflict, match="delivered"):
            execution.retry(world.admin, failed)
        assert [each.number for each in execution.get(world.admin, failed)[1]] == [1, 2]
        told = history.read(
            world.admin,
            registry.get_by_name(world.admin, ORGANIZATION, "Model"),
            wanted=Filter(kind="automation:retry"),
        )
        assert len(told.entries) == 1

    def test_not_while_it_is_off(self, world: World, version_id: int) -> None:
        made, failed = self.failed(world, version_id)
        automation.edit(world.admin, made.id, AutomationEdit(enabled=False))
        with pytest.raises(Conflict, match="switch it on"):
            execution.retry(world.admin, failed)

    def test_what_could_not_even_be_written(self, world: World, version_id: int) -> None:
        """R135: no empty body is sent in the place of a payload that was too large."""
        with world.admin.database.write() as tx:
            big = json.dumps({"note": "x" * 600_000})
            tx.run("UPDATE version SET metadata = ? WHERE id = ?", [big, version_id])
        made = automate(world, hook(world))
        twice = '{"a": "${artifact_metadata.note}", "b": "${artifact_metadata.note}"}'
        action = Action(ActionKind.WEBHOOK, made.action.integration_id, twice)
        automation.edit(world.admin, made.id, AutomationEdit(action=action))
        put(world, version_id, "a")
        (found,) = execution.list_within(world.admin, "automation", made.id).items
        assert (found.state, found.body) == (State.FAILED, "")
        with pytest.raises(Conflict, match="nothing to deliver: With its values the payload has"):
            execution.retry(world.admin, found.id)
        assert delivery.take(world.nobody, "w", busy=[], limit=1) == []

    def test_by_those_who_may_change_the_automation(self, world: World, version_id: int) -> None:
        made, failed = self.failed(world, version_id)
        registry.edit(world.admin, model(world), registry.RegistryEdit(default_role=Role.MEMBER))
        member = world.add_person("mem", in_organization="member")
        with pytest.raises(Forbidden) as refused:
            execution.retry(member, failed)
        assert refused.value.details["role"] == "admin"
        with pytest.raises(Forbidden):
            execution.replay(member, made.id, Cursor(0, 0))


class TestReplay:
    """Replay from a ledger position for an automation."""

    def test_what_was_before_it_too(self, world: World, version_id: int) -> None:
        made = automate(world)
        put(world, version_id, "a", "b")
        done = execution.replay(world.admin, made.id, Cursor(0, 0))
        found = execution.list_within(world.admin, "automation", made.id).items[::-1]
        assert [each.subject.rpartition(":")[2] for each in found] == [
            *("a", "b"),
            *("first", "latest", "a", "b"),
        ]
        assert [each.is_replay for each in found] == [False] * 2 + [True] * 4
        assert len({each.delivery_id for each in found}) == 6
        assert done == execution.Replayed(4, None)

    def test_a_part_at_a_time(
        self, world: World, version_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(execution, "REPLAYED_AT_ONCE", 2)
        made = automate(world)
        put(world, version_id, "a", "b")
        place: Cursor | None = Cursor(0, 0)
        counts = []
        while place is not None:
            done = execution.replay(world.admin, made.id, place)
            counts.append(done.count)
            place = done.next
        assert sum(counts) == 4
        assert len(counts) > 2

    def test_behind_a_place(self, world: World, version_id: int) -> None:
        made = automate(world)
        put(world, version_id, "a", "b", "c")
        first = execution.list_within(world.admin, "automation", made.id).items[-1]
        assert execution.replay(world.admin, made.id, first.cursor).count == 2

    def test_the_filter_and_the_scope_hold(self, world: World, version_id: int) -> None:
        made = automate(world)
        link_version(world.admin, log_version(world.admin, "dataset", type_name="d"), "Other")
        with world.admin.database.read() as tx:
            row = tx.one("SELECT id FROM collection WHERE name = 'Other'")
        assert row is not None
        automation.edit(
            world.admin,
            made.id,
            AutomationEdit(scope_kind=ScopeKind.COLLECTION, scope_id=row["id"]),
        )
        assert execution.replay(world.admin, made.id, Cursor(0, 0)).count == 1


class TestTrial:
    """R139, S4: team Admins only; the reply is shown, the payload is not kept."""

    def test_it_is_sent_as_deliveries_are(self, world: World) -> None:
        hook(world)
        sent: list[Outgoing] = []

        class Sender:
            def send(self, request: Outgoing) -> Reply:
                sent.append(request)
                return Reply(200, "ok")

        ctx = dataclasses.replace(world.admin, sender=Sender())
        reply = trial.send(
            ctx,
            TEAM,
            IntegrationKind.WEBHOOK,
            "ci",
            '{"t": "${ACCESS_TOKEN}", "e": "${event_type}"}',
        )
        assert reply == Reply(200, "ok")
        (request,) = sent
        assert request.body == '{"t": "t0ken", "e": "TEST"}'
        assert (request.access_token, request.signing_secret) == ("t0ken", "s3cret")
        assert {"t0ken", "s3cret"} <= set(request.hidden)
        with pytest.raises(Unprocessable, match="line 1, column"):
            trial.send(ctx, TEAM, IntegrationKind.WEBHOOK, "ci", '{"t": "${NOPE}"}')
        assert len(sent) == 1
        member = world.add_person("mem", in_organization="member", in_team="member")
        with pytest.raises(Forbidden) as refused:
            trial.send(
                dataclasses.replace(member, sender=Sender()), TEAM, IntegrationKind.WEBHOOK, "ci"
            )
        assert refused.value.details["role"] == "admin"
        outsider = dataclasses.replace(world.add_person("out"), sender=Sender())
        with pytest.raises(NotFound):
            trial.send(outsider, TEAM, IntegrationKind.WEBHOOK, "ci")
        with pytest.raises(Unavailable):
            trial.send(world.admin, TEAM, IntegrationKind.WEBHOOK, "ci")
        assert len(sent) == 1
