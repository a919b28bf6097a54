"""Automations that really send, on a database of their own, to receivers on loopback."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from byname.automations.sender import Sender
from byname.automations.worker import Worker
from byname.domain.automation import Action, ActionKind, Automation, ScopeKind
from byname.domain.delivery import State
from byname.domain.event import EventType
from byname.domain.execution import Execution, Wanted
from byname.domain.integration import IntegrationKind
from byname.domain.project import Project
from byname.domain.target import Targets, parse_networks
from byname.operations import alias, automation, integration, registry
from byname.operations.context import Context
from byname.operations.pulse import Pulse
from byname.store import execution as rows
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    TEAM,
    World,
    link_version,
    log_version,
)

LOOPBACK = Targets(parse_networks(["127.0.0.0/8"]))
ANYWHERE = Targets(parse_networks(["0.0.0.0/0", "::/0"]))


def page_of(project: Project, collection: str, number: int | None, type_name: str) -> str:
    """Where the pages are."""
    return f"https://models.test/{project.place}/{collection}/{number}"


@dataclass
class Bench:
    """A server's state with a registry `Model` and its collection `Zoo`, which holds a version."""

    world: World
    ctx: Context
    place: alias.Place
    version_id: int
    collection_id: int
    registry_id: int
    workers: list[tuple[Worker, Sender, Pulse]] = field(default_factory=list)

    def start(
        self, *, timeout_seconds: float = 3_600.0, clock: Callable[[], int] | None = None
    ) -> Worker:
        """A worker as of another process on the same database. It gives up no request, unless told."""
        sender = Sender(LOOPBACK, timeout_seconds=timeout_seconds)
        pulse = Pulse(self.ctx.database)
        ctx = self.ctx if clock is None else dataclasses.replace(self.ctx, now=clock)
        worker = Worker(ctx, sender, pulse, page_of)
        worker.start()
        self.workers.append((worker, sender, pulse))
        return worker

    def stop(self) -> None:
        """All workers have stopped."""
        for worker, sender, pulse in self.workers:
            pulse.close()
            worker.stop()
            sender.close()
        self.workers.clear()

    def hook(self, url: str, name: str = "ci", **more: str) -> int:
        """A webhook of the team; its id. Saved when every address was allowed."""
        wanted = integration.Wanted(name=name, url=url, **more)
        ctx = dataclasses.replace(self.ctx, targets=ANYWHERE)
        return integration.create(ctx, TEAM, IntegrationKind.WEBHOOK, wanted).id

    def automate(
        self,
        integration_id: int | None,
        event: EventType = EventType.ADD_ARTIFACT_ALIAS,
        *,
        name: str = "deploy",
        payload: str | None = None,
        **more: Any,
    ) -> Automation:
        """An automation of the registry."""
        given: dict[str, Any] = {
            "name": name,
            "scope_kind": ScopeKind.PROJECT,
            "scope_id": self.registry_id,
            "event": event,
            "action": Action(ActionKind.NOTHING)
            if integration_id is None
            else Action(ActionKind.WEBHOOK, integration_id, payload),
        }
        return automation.create(self.ctx, automation.NewAutomation(**given | more))

    def put(self, *names: str) -> None:
        """These aliases are on the version, each by a change of its own."""
        for name in names:
            alias.edit(self.ctx, self.version_id, add=[(self.place, name)])

    def executions(self, of: Automation | None = None, **wanted: Any) -> list[Execution]:
        """What there is, oldest first."""
        what = ("project", self.registry_id) if of is None else ("automation", of.id)
        with self.ctx.database.read() as tx:
            found = rows.list_within(tx, *what, wanted=Wanted(**wanted), below=None, limit=10_000)
        return found[::-1]

    def wait_settled(self, count: int, seconds: float = 120.0) -> list[Execution]:
        """All executions, once there are so many and none is pending."""
        end = time.monotonic() + seconds
        while True:
            found = self.executions()
            pending = [each for each in found if each.state is State.PENDING]
            if len(found) >= count and not pending:
                return found
            assert time.monotonic() < end, f"{len(found)} executions, {len(pending)} pending"
            time.sleep(0.02)


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    """The state, with no worker yet."""
    ctx = dataclasses.replace(world.admin, targets=LOOPBACK)
    version = log_version(world.admin)
    collection, _ = link_version(world.admin, version)
    made = Bench(
        world=world,
        ctx=ctx,
        place=alias.Place(ORGANIZATION, REGISTRY, "Zoo"),
        version_id=version.id,
        collection_id=collection.id,
        registry_id=registry.get_by_name(world.admin, ORGANIZATION, "Model").id,
    )
    yield made
    made.stop()
