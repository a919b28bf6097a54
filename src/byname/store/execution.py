"""Executions and their attempts, as rows: the queue that is worked off, and the history of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from byname.domain import payload
from byname.domain.delivery import Reply, State, Verdict
from byname.domain.execution import Attempt, Due, Execution, NewExecution, Waiting, Wanted
from byname.domain.history import Cursor
from byname.domain.names import fold
from byname.domain.payload import Part
from byname.store.database import Row, Transaction
from byname.store.moment import microseconds, moment

_SELECT = (
    "SELECT x.*, a.name AS automation_name FROM execution x"
    " JOIN automation a ON a.id = x.automation_id "
)


def from_row(row: Row) -> Execution:
    """The execution of a row that was selected with `_SELECT`."""
    state = State(row["state"])
    return Execution(
        id=row["id"],
        automation_id=row["automation_id"],
        automation_name=row["automation_name"],
        about_project_id=row["about_project_id"],
        delivery_id=row["delivery_id"],
        event=row["event"],
        cursor=Cursor(row["ledger_id"], row["history_id"]),
        is_replay=row["repeat"] > 0,
        subject=row["subject"],
        author=row["author"],
        event_at=moment(row["event_at"]),
        action=row["action"],
        target=row["target"],
        body=payload.masked(payload.from_json(row["body"])),
        state=state,
        attempt_count=row["attempt_count"],
        next_at=moment(row["next_at"]) if state is State.PENDING else None,
        status=row["status"],
        error=row["error"],
        created_at=moment(row["created_at"]),
        finished_at=moment(row["finished_at"]),
    )


# ---- the queue ---------------------------------------------------------------------------------


def add_many(tx: Transaction, new: Sequence[NewExecution], *, at: int) -> None:
    """They are there, due at once; those that are there already are left as they are."""
    tx.run_many(
        "INSERT INTO execution (automation_id, organization_id, entity_id, about_project_id,"
        " about_collection_id, integration_id, delivery_id, event, ledger_id, history_id, repeat,"
        " subject, author, event_at, action, target, body, state, error,"
        " started_at, next_at, created_at, finished_at) VALUES (:automation, :organization,"
        " :entity, :about_project, :about_collection, :integration, :delivery,"
        " :event, :ledger, :history, :repeat, :subject, :author, :event_at, :action, :target, :body,"
        " :state, :error, :started_at, :at, :at, :finished_at)"
        " ON CONFLICT (automation_id, ledger_id, history_id, event, repeat) DO NOTHING",
        [
            {
                "automation": each.automation_id,
                "organization": each.organization_id,
                "entity": each.entity_id,
                "about_project": each.about_project_id,
                "about_collection": each.about_collection_id,
                "integration": each.integration_id,
                "delivery": each.delivery_id,
                "event": each.event,
                "ledger": each.cursor.ledger_id,
                "history": each.cursor.id,
                "repeat": each.repeat,
                "subject": each.subject,
                "author": each.author,
                "event_at": microseconds(each.event_at),
                "action": each.action,
                "target": each.target,
                "body": payload.to_json(each.body),
                "state": each.state.value,
                "error": each.error,
                "started_at": None if each.state is State.PENDING else at,
                "finished_at": None if each.state is State.PENDING else at,
                "at": at,
            }
            for each in new
        ],
    )


def list_due(
    tx: Transaction, owner: str, *, now: int, just_begun: int, but: Sequence[int], limit: int
) -> list[Due]:
    """What may be delivered now, the longest due first, but not to these integrations.

    Nor to those to which another than the owner has something out whose lease ends after `just_begun`.
    What a worker is busy with is not due until it is freed, whatever the time. Automations that
    are off keep theirs waiting; of those that are deleted it is listed, to be ended.
    """
    marks = ",".join("?" * len(but))
    rows = tx.all(
        "SELECT x.id, x.automation_id, x.integration_id, x.delivery_id, x.event,"
        " x.attempt_count, x.started_at, a.deleted_at FROM execution x"
        " JOIN automation a ON a.id = x.automation_id WHERE x.state = 'pending' AND x.next_at <= ?"
        " AND x.lease_owner IS NULL"
        f" AND x.integration_id NOT IN ({marks}) AND (a.enabled = 1 OR a.deleted_at IS NOT NULL)"
        " AND x.integration_id NOT IN (SELECT o.integration_id FROM execution o"
        " WHERE o.lease_owner IS NOT NULL AND o.lease_owner <> ? AND o.next_at > ?)"
        " ORDER BY x.next_at, x.id LIMIT ?",
        [now, *but, owner, just_begun, limit],
    )
    return [
        Due(
            id=row["id"],
            automation_id=row["automation_id"],
            integration_id=row["integration_id"],
            delivery_id=row["delivery_id"],
            event=row["event"],
            attempt_count=row["attempt_count"],
            started=row["started_at"] is not None,
            automation_is_there=row["deleted_at"] is None,
        )
        for row in rows
    ]


def body_of(tx: Transaction, execution_id: int) -> list[Part]:
    """The payload of the execution, without secrets."""
    row = tx.one("SELECT body FROM execution WHERE id = :id", {"id": execution_id})
    return [] if row is None else payload.from_json(row["body"])


def next_due(tx: Transaction, *, after: int) -> int | None:
    """When the next delivery after a time is due."""
    row = tx.one(
        "SELECT next_at FROM execution WHERE state = 'pending' AND next_at > :after"
        " ORDER BY next_at LIMIT 1",
        {"after": after},
    )
    return None if row is None else int(row["next_at"])


def starts_between(
    tx: Transaction, automation_ids: Sequence[int], *, since: int, now: int
) -> dict[int, list[int]]:
    """When executions of these automations were begun since a time, earliest first.

    What a clock that was ahead has begun in the future does not count.
    """
    found: dict[int, list[int]] = {each: [] for each in automation_ids}
    if automation_ids:
        marks = ",".join("?" * len(automation_ids))
        for row in tx.all(
            "SELECT automation_id, started_at FROM execution"
            f" WHERE automation_id IN ({marks}) AND started_at > ? AND started_at <= ?"
            " ORDER BY started_at",
            [*automation_ids, since, now],
        ):
            found[row["automation_id"]].append(row["started_at"])
    return found


def lease(tx: Transaction, ids: Sequence[int], owner: str, *, now: int, until: int) -> None:
    """These are the owner's until then."""
    tx.run_many(
        "UPDATE execution SET lease_owner = ?, next_at = ?, started_at = coalesce(started_at, ?)"
        " WHERE id = ?",
        [(owner, until, now, each) for each in ids],
    )


def postpone(tx: Transaction, automation_ids: Sequence[tuple[int, int]]) -> None:
    """What these automations have not begun waits: pairs of automation and time."""
    tx.run_many(
        "UPDATE execution SET next_at = :at WHERE automation_id = :automation"
        " AND state = 'pending' AND started_at IS NULL AND next_at < :at",
        [{"automation": automation, "at": at} for automation, at in automation_ids],
    )


def settle(
    tx: Transaction, due: Due, owner: str, reply: Reply, verdict: Verdict, *, at: int, next_at: int
) -> bool:
    """The attempt is written down with what follows; False when the lease was lost meanwhile."""
    settled = tx.run(
        "UPDATE execution SET state = :state, attempt_count = attempt_count + 1,"
        " lease_owner = NULL, next_at = :next_at, status = :status, error = :error,"
        " finished_at = :finished_at WHERE id = :id AND lease_owner = :owner AND state = 'pending'",
        {
            "id": due.id,
            "owner": owner,
            "state": verdict.state.value,
            "next_at": next_at,
            "status": reply.status,
            "error": verdict.error,
            "finished_at": None if verdict.state is State.PENDING else at,
        },
    )
    if not settled:
        return False
    tx.run(
        "INSERT INTO attempt (execution_id, number, at, milliseconds, status, answer, error)"
        " SELECT :id, coalesce(max(number), 0) + 1, :at, :milliseconds, :status, :answer, :error"
        " FROM attempt WHERE execution_id = :id",
        {
            "id": due.id,
            "at": at,
            "milliseconds": round(reply.seconds * 1000),
            "status": reply.status,
            "answer": reply.text,
            "error": reply.error,
        },
    )
    return True


def end(tx: Transaction, ids: Sequence[int], error: str, *, at: int) -> None:
    """These have failed without another attempt."""
    tx.run_many(
        "UPDATE execution SET state = 'failed', error = ?, lease_owner = NULL, finished_at = ?"
        " WHERE id = ? AND state = 'pending'",
        [(error, at, each) for each in ids],
    )


@dataclass(frozen=True, slots=True)
class Lease:
    """Who has which execution, for which attempt; `until` tells one lease from the next."""

    execution_id: int
    owner: str
    until: int


def leases(tx: Transaction) -> list[Lease]:
    """All leases that there are; a worker has no more than it has places."""
    rows = tx.all("SELECT id, lease_owner, next_at FROM execution WHERE lease_owner IS NOT NULL")
    return [Lease(row["id"], row["lease_owner"], row["next_at"]) for row in rows]


def free(tx: Transaction, leases: Sequence[Lease], *, now: int) -> int:
    """Those of these leases that are still the same are over, and their executions are due."""
    return sum(
        tx.run(
            "UPDATE execution SET lease_owner = NULL, next_at = :now WHERE id = :id"
            " AND lease_owner = :owner AND next_at = :until AND state = 'pending'",
            {"now": now, "id": each.execution_id, "owner": each.owner, "until": each.until},
        )
        for each in leases
    )


def shorten_waits(tx: Transaction, attempt_count: int, wait: int, *, now: int) -> int:
    """What had so many attempts, the last by a clock ahead of today's, waits no longer than that.

    What had none is due: how many may begin in a minute is decided when it is taken.
    """
    return tx.run(
        "UPDATE execution SET next_at = :now + :wait WHERE state = 'pending'"
        " AND lease_owner IS NULL AND attempt_count = :attempt_count AND next_at > :now + :wait"
        " AND (attempt_count = 0 OR EXISTS (SELECT 1 FROM attempt t"
        " WHERE t.execution_id = execution.id AND t.at > :now))",
        {"now": now, "wait": wait, "attempt_count": attempt_count},
    )


def release(tx: Transaction, owner: str, *, now: int) -> int:
    """What the owner had begun is due at once, for whoever comes."""
    return tx.run(
        "UPDATE execution SET lease_owner = NULL, next_at = :now"
        " WHERE state = 'pending' AND lease_owner = :owner",
        {"owner": owner, "now": now},
    )


def try_again(tx: Transaction, execution_id: int, *, now: int) -> bool:
    """The failed or waiting execution is due now, with all its attempts before it again."""
    return bool(
        tx.run(
            "UPDATE execution SET state = 'pending', attempt_count = 0, next_at = :now,"
            " error = NULL, finished_at = NULL WHERE id = :id AND state <> 'finished'"
            " AND lease_owner IS NULL",
            {"id": execution_id, "now": now},
        )
    )


def waiting(tx: Transaction) -> Waiting:
    """How much is still to be delivered, on the whole server."""
    row = tx.one(
        "SELECT count(*) AS n, min(created_at) AS oldest FROM execution WHERE state = 'pending'"
    )
    return Waiting(0, None) if row is None else Waiting(row["n"], moment(row["oldest"]))


# ---- the history -------------------------------------------------------------------------------

_WITHIN = {
    "automation": "x.automation_id = :scope",
    "collection": "x.about_collection_id = :scope",
    "project": "x.about_project_id = :scope",
    "entity": "x.entity_id = :scope",
    "organization": "x.organization_id = :scope",
}


def list_within(
    tx: Transaction,
    what: str,
    scope_id: int,
    *,
    wanted: Wanted,
    below: int | None,
    limit: int,
) -> list[Execution]:
    """Executions of an automation, or of those of a place and all in it, newest first.

    Of a project or collection those made because of what happened there, whatever watched it.
    """
    conditions = [_WITHIN[what], "x.id < :below"]
    values: dict[str, Any] = {
        "scope": scope_id,
        "below": 2**62 if below is None else below,
        "limit": limit,
    }
    if wanted.automation_id is not None:
        conditions.append("x.automation_id = :automation_id")
        values["automation_id"] = wanted.automation_id
    if wanted.automation is not None:
        conditions.append("instr(byname_fold(a.name), :automation) > 0")
        values["automation"] = fold(wanted.automation)
    if wanted.state is not None:
        conditions.append("x.state = :state")
        values["state"] = wanted.state.value
    if wanted.event is not None:
        conditions.append("x.event = :event")
        values["event"] = wanted.event
    if wanted.text is not None:
        conditions.append("instr(byname_fold(x.subject), :text) > 0")
        values["text"] = fold(wanted.text)
    rows = tx.all(
        _SELECT + f"WHERE {' AND '.join(conditions)} ORDER BY x.id DESC LIMIT :limit", values
    )
    return [from_row(row) for row in rows]


def find(tx: Transaction, execution_id: int) -> Execution | None:
    """The execution of that id."""
    row = tx.one(_SELECT + "WHERE x.id = :id", {"id": execution_id})
    return None if row is None else from_row(row)


def last_of(tx: Transaction, automation_ids: Sequence[int]) -> dict[int, Execution]:
    """The last execution of each of these automations that has one."""
    if not automation_ids:
        return {}
    marks = ",".join("?" * len(automation_ids))
    rows = tx.all(
        _SELECT + "WHERE x.id IN (SELECT (SELECT l.id FROM execution l"
        " WHERE l.automation_id = o.id ORDER BY l.id DESC LIMIT 1) FROM automation o"
        f" WHERE o.id IN ({marks}))",
        list(automation_ids),
    )
    return {row["automation_id"]: from_row(row) for row in rows}


def attempts_of(tx: Transaction, execution_id: int, *, limit: int) -> list[Attempt]:
    """The last attempts made for it, in their order."""
    rows = tx.all(
        "SELECT * FROM attempt WHERE execution_id = :id ORDER BY number DESC LIMIT :limit",
        {"id": execution_id, "limit": limit},
    )
    return [
        Attempt(
            row["number"],
            moment(row["at"]),
            row["milliseconds"],
            row["status"],
            row["answer"],
            row["error"],
        )
        for row in reversed(rows)
    ]


def remove_old(tx: Transaction, *, before: int, limit: int) -> int:
    """Some executions of before that time are forgotten, unless they are still to be made."""
    return tx.run(
        "DELETE FROM execution WHERE id IN (SELECT id FROM execution"
        " WHERE created_at < :before AND state <> 'pending' ORDER BY created_at LIMIT :limit)",
        {"before": before, "limit": limit},
    )


COUNTED_MAX = 10_000
"""Of more executions than these a list says no more than that there are so many."""


def counts_of_collections(tx: Transaction, collection_ids: Sequence[int]) -> dict[int, int]:
    """How often automations have run because of what happened in these collections, by their id."""
    if not collection_ids:
        return {}
    marks = ",".join("?" * len(collection_ids))
    rows = tx.all(
        "SELECT c.id, (SELECT count(*) FROM (SELECT 1 FROM execution x"
        " WHERE x.about_collection_id = c.id LIMIT ?)) AS n FROM collection c"
        f" WHERE c.id IN ({marks})",
        [COUNTED_MAX, *collection_ids],
    )
    return {row["id"]: row["n"] for row in rows}
