"""What was refused, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from byname.domain.refusal import KEPT_MAX, Refusal, Times
from byname.store.database import Transaction

NOBODY = 0
"""Stands for who has no key, in the column of actors."""
AT_ONCE = 500


def add_many(tx: Transaction, refusals: Mapping[Refusal, Times]) -> None:
    """They are written down, behind everything that was committed before; old ones make room."""
    row = tx.one(
        "SELECT coalesce((SELECT max(id) FROM ledger), 0) AS ledger,"
        " coalesce((SELECT max(id) FROM history), 0) AS history,"
        " coalesce((SELECT max(id) FROM reading), 0) AS reading"
    )
    place = (0, 0, 0) if row is None else (row["ledger"], row["history"], row["reading"])
    homes = _homes(tx, [each.user_id for each in refusals if each.user_id is not None])
    found = sorted(refusals.items(), key=lambda pair: pair[1].at)
    tx.run_many(
        "INSERT INTO refusal (ledger_id, history_id, reading_id, organization_id, project_id, kind,"
        " call, status, code, subject, count, actor_id, actor_name, outside, face, at, actor_ip,"
        " client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *place,
                organization_id,
                each.project_id,
                each.kind,
                each.call,
                each.status,
                each.code,
                each.subject,
                times.count,
                NOBODY if each.actor_id is None else each.actor_id,
                each.actor_name,
                int(each.outside),
                each.face,
                times.at,
                each.address,
                each.client,
            )
            for each, times in found
            for organization_id in _told(each, homes)
        ],
    )
    tx.run_many(
        "DELETE FROM refusal WHERE actor_id = ? AND id <="
        " (SELECT id FROM refusal WHERE actor_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [(actor, actor, KEPT_MAX) for actor in {each.actor_id or NOBODY for each in refusals}],
    )


def _told(refusal: Refusal, homes: Mapping[int, list[int]]) -> Sequence[int | None]:
    """The organizations whose audit log it is in; None for the server's own."""
    if refusal.reached or refusal.user_id is None:
        return [refusal.organization_id]
    return homes.get(refusal.user_id) or [None]


def _homes(tx: Transaction, user_ids: Sequence[int]) -> dict[int, list[int]]:
    """The organizations of each of these users."""
    wanted = sorted(set(user_ids))
    found: dict[int, list[int]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = tx.all(
            "SELECT user_id, organization_id FROM organization_member"
            f" WHERE user_id IN ({marks}) ORDER BY organization_id",
            some,
        )
        for row in rows:
            found.setdefault(row["user_id"], []).append(row["organization_id"])
    return found
