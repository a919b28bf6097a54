"""Automations as rows: their lists, and those that listen where something happened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from byname.domain.automation import (
    Action,
    ActionKind,
    Automation,
    Scope,
    ScopeKind,
)
from byname.domain.event import EventType
from byname.domain.history import Cursor
from byname.domain.slack import Severity
from byname.store.database import Row, Transaction
from byname.store.moment import microseconds, moment

_SELECT = (
    "SELECT a.*, e.name AS entity_name, e.kind AS entity_kind, p.name AS project_name,"
    " p.kind AS project_kind, c.name AS collection_name, c.kind AS collection_kind"
    " FROM automation a JOIN entity e ON e.id = a.entity_id"
    " LEFT JOIN project p ON p.id = a.project_id"
    " LEFT JOIN collection c ON c.id = a.collection_id "
)
_LIVE = (
    "a.deleted_at IS NULL AND e.deleted_at IS NULL AND p.deleted_at IS NULL"
    " AND c.deleted_at IS NULL"
)


def from_row(row: Row) -> Automation:
    """The automation of a row that was selected with `_SELECT`."""
    config = json.loads(row["config"])
    return Automation(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        enabled=bool(row["enabled"]),
        disabled_reason=row["disabled_reason"],
        scope=_scope(row),
        event=EventType(row["event"]),
        filter=row["filter"],
        action=Action(
            kind=ActionKind(row["action"]),
            integration_id=row["integration_id"],
            payload=config.get("payload"),
            title=config.get("title"),
            message=config.get("message"),
            severity=None if config.get("severity") is None else Severity(config["severity"]),
        ),
        created_by=row["created_by"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        since=Cursor(row["since_ledger_id"], row["since_history_id"]),
        last_run_at=moment(row["last_run_at"]),
        acts_for=row["acts_for"],
    )


def _scope(row: Row) -> Scope:
    kind = ScopeKind.ENTITY
    if row["collection_id"] is not None:
        kind = ScopeKind.COLLECTION
    elif row["project_id"] is not None:
        kind = ScopeKind.PROJECT
    parts = (row["entity_name"], row["project_name"], row["collection_name"])
    return Scope(
        kind=kind,
        organization_id=row["organization_id"],
        entity_id=row["entity_id"],
        project_id=row["project_id"],
        collection_id=row["collection_id"],
        name="/".join(part for part in parts if part is not None),
        is_registry=row["project_kind"] == "registry",
        is_sequence=row["collection_kind"] == "sequence",
        is_organization=row["entity_kind"] == "organization",
    )


def config_of(action: Action) -> str:
    """What of an action stands in the row's JSON."""
    told: dict[str, Any] = {
        "payload": action.payload,
        "title": action.title,
        "message": action.message,
        "severity": None if action.severity is None else action.severity.value,
    }
    return json.dumps({k: v for k, v in told.items() if v is not None}, ensure_ascii=False)


def find(tx: Transaction, automation_id: int) -> Automation | None:
    """The automation of that id, whose scope is still there."""
    row = tx.one(_SELECT + f"WHERE a.id = :id AND {_LIVE}", {"id": automation_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: Sequence[int]) -> dict[int, Automation]:
    """The automations of these ids whose scope is still there, by id."""
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    rows = tx.all(_SELECT + f"WHERE a.id IN ({marks}) AND {_LIVE}", list(ids))
    return {row["id"]: from_row(row) for row in rows}


def is_taken(tx: Transaction, entity_id: int, name: str, *, but: int = 0) -> bool:
    """Whether another automation below that entity has the name."""
    row = tx.one(
        _SELECT + f"WHERE a.entity_id = :entity AND a.name = :name AND a.id <> :but AND {_LIVE}",
        {"entity": entity_id, "name": name, "but": but},
    )
    return row is not None


def count_of_entity(tx: Transaction, entity_id: int) -> int:
    """How many automations there are below the entity."""
    row = tx.one(
        "SELECT count(*) AS n FROM automation WHERE entity_id = :entity AND deleted_at IS NULL",
        {"entity": entity_id},
    )
    return 0 if row is None else int(row["n"])


_WITHIN = {
    "organization": "a.organization_id = :scope",
    "entity": "a.entity_id = :scope",
    "project": "a.project_id = :scope",
    "collection": "a.collection_id = :scope",
}


_ORDERED_BY = {
    "created_at": "a.id",
    "updated_at": "coalesce(a.updated_at, a.created_at)",
    "name": "a.name",
}


def place_in(order: str, automation: Automation) -> tuple[str | int, int]:
    """Where the automation stands in that order: what follows it is listed from there."""
    if order == "name":
        return automation.name, automation.id
    if order == "updated_at":
        changed = automation.updated_at or automation.created_at
        return microseconds(changed), automation.id
    return automation.id, automation.id


def list_within(
    tx: Transaction,
    what: str,
    scope_id: int,
    *,
    name: str | None = None,
    but: Sequence[EventType] = (),
    order: str = "created_at",
    descending: bool = False,
    after: tuple[str | int, int] | None = None,
    limit: int,
) -> list[Automation]:
    """Automations of the place and of all that lies in it, in that order, from behind one of them.

    `what` is organization, entity, project or collection; `but`: not those of these events;
    `after`: what it is ordered by, and its id.
    """
    column = _ORDERED_BY[order]
    sign, direction = ("<", "DESC") if descending else (">", "ASC")
    words = ",".join(f"'{each.value}'" for each in but)
    rows = tx.all(
        _SELECT
        + f"WHERE {_WITHIN[what]} AND {_LIVE}"
        + ("" if after is None else f" AND ({column}, a.id) {sign} (:value, :after)")
        + ("" if name is None else " AND a.name = :name")
        + (f" AND a.event NOT IN ({words})" if words else "")
        + f" ORDER BY {column} {direction}, a.id {direction} LIMIT :limit",
        {
            "scope": scope_id,
            "limit": limit,
            **({} if after is None else {"value": after[0], "after": after[1]}),
            **({} if name is None else {"name": name}),
        },
    )
    return [from_row(row) for row in rows]


def of_projects(
    tx: Transaction, project_ids: Sequence[int], *, limit: int
) -> dict[int, list[Automation]]:
    """Automations of these projects and of all in them, by project id, oldest first."""
    found: dict[int, list[Automation]] = {each: [] for each in project_ids}
    if project_ids:
        marks = ",".join("?" * len(project_ids))
        for row in tx.all(
            _SELECT + f"WHERE a.project_id IN ({marks}) AND {_LIVE} ORDER BY a.id LIMIT ?",
            [*project_ids, limit],
        ):
            found[row["project_id"]].append(from_row(row))
    return found


def of_entities(
    tx: Transaction, entity_ids: Sequence[int], *, limit: int
) -> dict[int, list[Automation]]:
    """Automations of these whole teams and organizations, by entity id, oldest first."""
    found: dict[int, list[Automation]] = {}
    if entity_ids:
        marks = ",".join("?" * len(entity_ids))
        for row in tx.all(
            _SELECT + f"WHERE a.entity_id IN ({marks}) AND a.project_id IS NULL AND {_LIVE}"
            " ORDER BY a.id LIMIT ?",
            [*entity_ids, limit],
        ):
            found.setdefault(row["entity_id"], []).append(from_row(row))
    return found


def listening(tx: Transaction, project_ids: Sequence[int]) -> list[Automation]:
    """All automations that are on and whose scope is, lies in, or holds one of these projects."""
    if not project_ids:
        return []
    marks = ",".join("?" * len(project_ids))
    rows = tx.all(
        _SELECT + f"WHERE {_LIVE} AND a.enabled = 1 AND (a.project_id IN ({marks})"
        " OR (a.project_id IS NULL AND a.entity_id IN (SELECT pe.id FROM project lp"
        " JOIN entity le ON le.id = lp.entity_id"
        " JOIN entity pe ON pe.id IN (le.id, le.organization_id)"
        f" WHERE lp.id IN ({marks})))) ORDER BY a.id",
        [*project_ids, *project_ids],
    )
    return [from_row(row) for row in rows]


def now_at(tx: Transaction) -> Cursor:
    """The ends of ledger and history: what is committed later lies behind them."""
    row = tx.one(
        "SELECT (SELECT coalesce(max(id), 0) FROM ledger) AS ledger_id,"
        " (SELECT coalesce(max(id), 0) FROM history) AS history_id"
    )
    return Cursor(0, 0) if row is None else Cursor(row["ledger_id"], row["history_id"])


def _columns(new: Automation) -> dict[str, Any]:
    return {
        "organization": new.scope.organization_id,
        "entity": new.scope.entity_id,
        "project": new.scope.project_id,
        "collection": new.scope.collection_id,
        "name": new.name,
        "description": new.description,
        "event": new.event.value,
        "filter": new.filter,
        "action": new.action.kind.value,
        "config": config_of(new.action),
        "integration": new.action.integration_id,
        "enabled": int(new.enabled),
        "reason": new.disabled_reason,
        "since_ledger": new.since.ledger_id,
        "since_history": new.since.id,
        "acts_for": new.acts_for,
    }


def add(tx: Transaction, new: Automation, *, at: int) -> int:
    """The automation is there (its `id` and times are not looked at); its id."""
    return tx.insert(
        "INSERT INTO automation (organization_id, entity_id, project_id, collection_id, name,"
        " description, event, filter, action, config, integration_id, enabled, disabled_reason,"
        " since_ledger_id, since_history_id, created_by, created_at, acts_for) VALUES"
        " (:organization, :entity, :project, :collection, :name, :description, :event, :filter,"
        " :action, :config, :integration, :enabled, :reason, :since_ledger, :since_history, :by,"
        " :at, :acts_for) RETURNING id",
        {**_columns(new), "by": new.created_by, "at": at},
    )


def edit(tx: Transaction, new: Automation, *, at: int) -> None:
    """The automation of that id is like this."""
    tx.run(
        "UPDATE automation SET organization_id = :organization, entity_id = :entity,"
        " project_id = :project, collection_id = :collection, name = :name,"
        " description = :description, event = :event, filter = :filter, action = :action,"
        " config = :config, integration_id = :integration, enabled = :enabled,"
        " disabled_reason = :reason, since_ledger_id = :since_ledger,"
        " since_history_id = :since_history, acts_for = :acts_for, updated_at = :at"
        " WHERE id = :id",
        {**_columns(new), "id": new.id, "at": at},
    )


def list_acting_for(tx: Transaction, user_id: int) -> list[Automation]:
    """The automations that are on and act with the rights of that person, oldest first."""
    rows = tx.all(
        _SELECT + f"WHERE a.acts_for = :user AND a.enabled = 1 AND {_LIVE} ORDER BY a.id",
        {"user": user_id},
    )
    return [from_row(row) for row in rows]


def remove(tx: Transaction, automation_id: int, *, at: int) -> None:
    """The automation is gone."""
    tx.run(
        "UPDATE automation SET deleted_at = :at, enabled = 0 WHERE id = :id",
        {"id": automation_id, "at": at},
    )


def set_last_run(tx: Transaction, automation_ids: Sequence[int], *, at: int) -> None:
    """These automations ran at that time."""
    tx.run_many(
        "UPDATE automation SET last_run_at = ? WHERE id = ?",
        [(at, each) for each in automation_ids],
    )


_HIT_BY = {
    "collection": "collection_id = :what",
    "project": "project_id = :what",
    "entity": "(entity_id = :what OR integration_id IN"
    " (SELECT id FROM integration WHERE team_id = :what))",
    "integration": "integration_id = :what",
    "person": "acts_for = :what",
    "person in organization": "acts_for = :what AND organization_id = :organization",
    "automation": "id = :what",
}


def rename_returning(
    tx: Transaction, entity_id: int, project_id: int, collection_ids: Sequence[int] | None
) -> None:
    """Automations of the project, or of these collections, whose name another has get a new one."""
    inside = "a.project_id = ?"
    values: list[Any] = [entity_id, project_id]
    if collection_ids is not None:
        inside += f" AND a.collection_id IN ({','.join('?' * len(collection_ids))})"
        values += collection_ids
    found = tx.all(
        _SELECT + f"WHERE a.entity_id = ? AND {inside} AND {_LIVE} AND EXISTS"
        " (SELECT 1 FROM automation o JOIN entity oe ON oe.id = o.entity_id"
        " LEFT JOIN project op ON op.id = o.project_id"
        " LEFT JOIN collection oc ON oc.id = o.collection_id"
        " WHERE o.entity_id = a.entity_id AND o.name = a.name AND o.id <> a.id"
        " AND o.deleted_at IS NULL AND op.deleted_at IS NULL AND oc.deleted_at IS NULL)"
        " ORDER BY a.id",
        values,
    )
    tx.run_many(
        "UPDATE automation SET name = ? WHERE id = ?",
        [(f"{row['name'][:200]} (restored {row['id']})", row["id"]) for row in found],
    )


@dataclass(frozen=True, slots=True)
class Disabled:
    """An automation that was switched off, and where it is."""

    id: int
    name: str
    organization_id: int | None
    project_id: int | None
    collection_id: int | None


def disable(
    tx: Transaction, what: str, what_id: int, reason: str, *, organization: int = 0, at: int
) -> list[Disabled]:
    """Whatever automation depends on this is off, and says why (R145); those that were on.

    What a person switched off stays off for that person's reason.
    """
    rows = tx.all(
        "UPDATE automation SET enabled = 0, disabled_reason = :reason, updated_at = :at"
        f" WHERE {_HIT_BY[what]} AND enabled = 1 AND deleted_at IS NULL"
        " RETURNING id, name, organization_id, project_id, collection_id",
        {"what": what_id, "organization": organization, "reason": reason, "at": at},
    )
    return [Disabled(*row) for row in rows]
