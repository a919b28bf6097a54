"""From what happened to what is to be done: the outbox is looked through, and executions written.

The ledger and the history are the outbox: an entry was committed with its change. Behind a stored
position everything is looked at, in the order of the commits (R129); executions and the new position
are committed together. A crash before that repeats the look, one after it loses nothing; and no event
makes two executions of one automation (R142, R145). Nothing of this runs in the way of a change.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from byname.domain import automation as rules
from byname.domain import payload, slack
from byname.domain.automation import ActionKind, Automation, Place
from byname.domain.collection import Collection
from byname.domain.delivery import State
from byname.domain.errors import Unprocessable
from byname.domain.event import ALIAS_EVENTS, Event, events_of
from byname.domain.execution import NewExecution
from byname.domain.history import Cursor, Entry
from byname.domain.ids import to_id
from byname.domain.integration import Integration
from byname.domain.payload import Part
from byname.domain.policy import SYSTEM
from byname.domain.project import Project
from byname.operations import automation_fate, automation_rights, unforeseen
from byname.operations.context import Context, PageOf
from byname.store import automation as automation_rows
from byname.store import collection as collection_rows
from byname.store import dispatch as rows
from byname.store import execution as execution_rows
from byname.store import history as history_rows
from byname.store import integration as integration_rows
from byname.store import project as project_rows
from byname.store.database import Transaction
from byname.store.dispatch import Told

AT_ONCE = 500
"""How many entries of each list are looked at in one go."""
KEEP_MICROSECONDS = 5_000_000
"""A position behind which nothing fired is written down so often only: writing is for changes."""

UNFORESEEN = "The server failed in writing the payload; its log says more"


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and through which face it came."""

    event: Event
    face: str


class Dispatcher:
    """Looks through the outbox. One for each process; they share the stored position."""

    def __init__(self, page_of: PageOf) -> None:
        self._page_of = page_of
        self._seen = Cursor(0, 0)
        self._kept_at = 0
        self.idle = False
        """No automation is on, so that nothing can fire."""

    def run(self, ctx: Context) -> bool:
        """What was committed has its executions, up to some hundred entries; whether more may be."""
        with ctx.database.read() as tx:
            stored, earliest = rows.position(tx), rows.earliest(tx)
            self.idle = earliest is None
            if earliest is None:
                return False
            start = _latest(self._seen, earliest, stored or Cursor(0, 0))
            entries, end = history_rows.newer(tx, start, limit=AT_ONCE)
            planned = plan(tx, entries, self._page_of) if entries else Planned()
        if end == start:
            return False
        now = ctx.now()
        if planned.new or planned.lost or now - self._kept_at > KEEP_MICROSECONDS:
            with ctx.database.write() as tx:
                if not rows.advance(tx, stored, end):
                    # Another process was faster; what it did is seen the next time.
                    return True
                automation_fate.end_lost(ctx.acting(SYSTEM, "server"), tx, planned.lost)
                execution_rows.add_many(tx, planned.new, at=now)
                automation_rows.set_last_run(
                    tx, list(dict.fromkeys(each.automation_id for each in planned.new)), at=now
                )
            self._kept_at = now
        self._seen = end
        return True


@dataclass(frozen=True, slots=True)
class Planned:
    """What follows from some entries: executions, in their order."""

    new: Sequence[NewExecution] = ()
    lost: Mapping[int, str] = field(default_factory=dict)
    """Automations that would have fired, but for whom nobody answers any more, with the reason."""


def _latest(*places: Cursor) -> Cursor:
    return Cursor(max(each.ledger_id for each in places), max(each.id for each in places))


def plan(
    tx: Transaction,
    entries: Sequence[Entry],
    page_of: PageOf,
    *,
    only: Automation | None = None,
    repeat: int = 0,
) -> Planned:
    """What follows from these entries.

    With `only` those of one automation, whenever it was made: a replay, which has a number.
    """
    happened = [Happened(event, entry.face) for entry in entries for event in events_of(entry)]
    project_ids = list({each.event.project_id for each in happened if each.event.project_id})
    # What happened just before its registry was deleted still fires who watches the organization.
    projects = project_rows.find_many(tx, project_ids, also_deleted=True)
    listening = [only] if only is not None else automation_rows.listening(tx, project_ids)
    matches: list[tuple[Automation, Happened]] = []
    for each in happened:
        project = projects.get(each.event.project_id or 0)
        if project is None:
            continue
        place = Place(project.id, project.entity_id, project.organization_id)
        matches += [(one, each) for one in listening if rules.fires(one, each.event, place)]
    lost = automation_rights.lost(tx, list({one.id: one for one, _ in matches}.values()))
    matches = [(one, each) for one, each in matches if one.id not in lost]
    if not matches:
        return Planned(lost=lost)
    facts = _Facts(tx, [each for _, each in matches], projects, page_of)
    ids = [one.action.integration_id for one, _ in matches if one.action.integration_id]
    integrations = integration_rows.find_many(tx, list(set(ids)))
    new = [_execution(one, each, facts, integrations, repeat) for one, each in matches]
    return Planned(new, lost)


class _Facts:
    """What payloads tell of some events, loaded for all of them together."""

    def __init__(
        self,
        tx: Transaction,
        happened: Sequence[Happened],
        projects: dict[int, Project],
        page_of: PageOf,
    ) -> None:
        self._projects = projects
        self._page_of = page_of
        events = [each.event for each in happened]
        ids = {event.collection_id for event in events if event.collection_id is not None}
        self._collections = collection_rows.find_many(tx, list(ids))
        numbers = {
            (event.collection_id, event.number)
            for event in events
            if event.collection_id is not None and event.number is not None
        }
        self._versions = rows.versions_by_number(tx, list(numbers))

    def of(self, each: Happened) -> tuple[dict[str, str], dict[str, Any]]:
        """The values of all variables, and the version's metadata."""
        event = each.event
        project = self._projects[event.project_id or 0]
        collection = self._collections.get(event.collection_id or 0)
        version = self._versions.get(
            (event.collection_id or 0, -1 if event.number is None else event.number)
        )
        values = {
            "event_type": event.type.value,
            "event_author": event.actor,
            "alias": event.alias or "",
            "tag": ", ".join(event.tags),
            "project_name": project.name,
            "entity_name": project.entity_name,
            "event_id": f"{event.type.value.lower()}-{event.cursor.text}",
            "event_time": event.at.isoformat().replace("+00:00", "Z"),
            "event_cause": event.cause or "",
            "event_face": each.face,
            "event_source": quote(f"/{project.place}"),
            "event_subject": event.subject,
            "previous_version": "" if event.before_number is None else f"v{event.before_number}",
            "ledger_revision": "" if event.revision is None else str(event.revision),
        }
        if collection is not None:
            values |= self._of_collection(event, project, collection, version)
        if isinstance(event.run, dict):
            values |= _of_run(event.run)
        metadata = None if version is None or version.metadata is None else version.metadata
        found = None if metadata is None else json.loads(metadata)
        return values, found if isinstance(found, dict) else {}

    def _of_collection(
        self, event: Event, project: Project, collection: Collection, version: Told | None
    ) -> dict[str, str]:
        number = "" if event.number is None else f"v{event.number}"
        ref = event.alias if event.type in ALIAS_EVENTS and event.alias else number
        place = f"{project.place}/{collection.name}"
        values = {
            "artifact_collection_name": collection.name,
            "artifact_type": collection.type_name,
            "artifact_number": number,
            "artifact_version_string": f"{place}:{ref}" if ref else place,
            "artifact_url": self._page_of(
                project, collection.name, event.number, collection.type_name
            ),
            "event_source": quote(f"/{place}"),
        }
        if version is not None:
            values["artifact_version"] = f"wandb-artifact://_id/{to_id('Artifact', version.id)}"
            values["artifact_digest"] = version.digest
        return values


def _of_run(told: dict[str, Any]) -> dict[str, str]:
    names = {
        "run_name": "display_name",
        "run_id": "run",
        "run_state": "state",
        "metric_name": "metric",
        "metric_value": "value",
    }
    return {
        name: payload.told(told[key]) for name, key in names.items() if told.get(key) is not None
    }


def _execution(
    automation: Automation,
    each: Happened,
    facts: _Facts,
    integrations: dict[int, Integration],
    repeat: int,
) -> NewExecution:
    event, scope, action = each.event, automation.scope, automation.action
    integration = integrations.get(action.integration_id or 0)
    state, error = State.PENDING, None
    values: dict[str, str] = {}
    body: list[Part] = []
    try:
        values, metadata = facts.of(each)
        if action.kind is ActionKind.NOTHING:
            state = State.FINISHED
        elif integration is None:
            state, error = State.FAILED, "Its webhook or Slack channel does not exist any more"
        else:
            body = body_of(automation, values, metadata)
    except Unprocessable as refusal:
        state, error = State.FAILED, refusal.message
    except unforeseen.KINDS as fault:
        what = f"The payload of automation {automation.id} for event {event.cursor.text}"
        unforeseen.tell(f"{what} could not be written", fault)
        state, error = State.FAILED, UNFORESEEN
    return NewExecution(
        automation_id=automation.id,
        organization_id=scope.organization_id,
        entity_id=scope.entity_id,
        about_project_id=event.project_id,
        about_collection_id=event.collection_id,
        integration_id=action.integration_id,
        delivery_id=uuid.uuid4().hex,
        event=event.type.value,
        cursor=event.cursor,
        repeat=repeat,
        subject=values.get("artifact_version_string") or event.subject,
        author=event.actor,
        event_at=event.at,
        action=action.kind.value,
        target=None if integration is None else integration.name,
        body=body,
        state=state,
        error=error,
    )


def body_of(automation: Automation, values: dict[str, str], metadata: dict[str, Any]) -> list[Part]:
    """What is sent to the automation's webhook or Slack channel.

    Raises:
        Unprocessable: the payload with its values is too large.
    """
    action = automation.action
    if action.kind is ActionKind.SLACK:
        severity = action.severity or slack.Severity.INFO
        text = slack.message(action.title or "", action.message or "", severity, values, metadata)
        return [text]
    return payload.render(action.payload or payload.EMPTY, values, metadata)
