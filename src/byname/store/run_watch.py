"""Which automations wait for runs, and what they have seen of a metric so far, as rows."""

from __future__ import annotations

import json

from byname.domain.automation import Automation
from byname.domain.event import RUN_EVENTS
from byname.domain.run_event import Watch
from byname.store import automation
from byname.store.database import Transaction

_EVENTS = ",".join(f"'{each.value}'" for each in sorted(RUN_EVENTS))


def waiting(
    tx: Transaction, entity_id: int, organization_id: int | None, project_id: int
) -> list[Automation]:
    """The automations that are on and wait for what runs of the project do."""
    found = tx.all(
        "SELECT id FROM automation WHERE entity_id IN (:entity, :organization)"
        f" AND event IN ({_EVENTS}) AND deleted_at IS NULL AND enabled = 1"
        " AND (project_id IS NULL OR project_id = :project)",
        {"entity": entity_id, "organization": organization_id, "project": project_id},
    )
    return list(automation.find_many(tx, [row["id"] for row in found]).values())


def find(tx: Transaction, automation_id: int, run_id: int) -> Watch:
    """What the automation has seen of its metric in the run; nothing so far where there is no row."""
    row = tx.one(
        "SELECT last_values, holding FROM run_watch"
        " WHERE automation_id = :automation AND run_id = :run",
        {"automation": automation_id, "run": run_id},
    )
    if row is None:
        return Watch()
    return Watch(tuple(json.loads(row["last_values"])), bool(row["holding"]))


def watching(tx: Transaction, run_id: int) -> list[int]:
    """The automations that have seen something of a metric in the run, by id."""
    found = tx.all("SELECT automation_id FROM run_watch WHERE run_id = :run", {"run": run_id})
    return [row["automation_id"] for row in found]


def put(tx: Transaction, automation_id: int, run_id: int, watch: Watch) -> None:
    """The automation has seen this of its metric in the run."""
    tx.run(
        "INSERT INTO run_watch (automation_id, run_id, last_values, holding)"
        " VALUES (:automation, :run, :values, :holding) ON CONFLICT (automation_id, run_id)"
        " DO UPDATE SET last_values = excluded.last_values, holding = excluded.holding",
        {
            "automation": automation_id,
            "run": run_id,
            "values": json.dumps(watch.values),
            "holding": int(watch.holding),
        },
    )


def forget_run(tx: Transaction, run_id: int) -> None:
    """Nothing is known any more of the run, which is gone."""
    tx.run("DELETE FROM run_watch WHERE run_id = :run", {"run": run_id})


def forget(tx: Transaction, automation_id: int) -> None:
    """The automation begins anew in every run."""
    tx.run("DELETE FROM run_watch WHERE automation_id = :id", {"id": automation_id})
