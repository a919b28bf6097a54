"""The alerts of runs, as rows."""

from __future__ import annotations

from byname.domain.run_alert import Alert, Severity
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = (
    "SELECT a.id, a.run_id, a.title, a.text, a.severity, a.at, u.username AS author"
    " FROM run_alert a LEFT JOIN users u ON u.id = a.author_id "
)


def from_row(row: Row) -> Alert:
    """The alert of a row that was selected with `SELECT`."""
    return Alert(
        id=row["id"],
        run_id=row["run_id"],
        title=row["title"],
        text=row["text"],
        severity=Severity(row["severity"]),
        author=row["author"] or "",
        at=moment(row["at"]),
    )


def add(
    tx: Transaction,
    run_id: int,
    *,
    title: str,
    text: str,
    severity: Severity,
    author_id: int | None,
    at: int,
) -> int:
    """The run has one more alert; its id."""
    return tx.insert(
        "INSERT INTO run_alert (run_id, title, text, severity, author_id, at)"
        " VALUES (:run, :title, :text, :severity, :author, :at) RETURNING id",
        {
            "run": run_id,
            "title": title,
            "text": text,
            "severity": severity.value,
            "author": author_id,
            "at": at,
        },
    )


def count(tx: Transaction, run_id: int) -> int:
    """How many alerts the run has."""
    row = tx.one("SELECT count(*) AS n FROM run_alert WHERE run_id = :run", {"run": run_id})
    return 0 if row is None else int(row["n"])


def find_last(tx: Transaction, run_id: int, title: str) -> Alert | None:
    """The run's newest alert with this title."""
    row = tx.one(
        SELECT + "WHERE a.run_id = :run AND a.title = :title ORDER BY a.id DESC LIMIT 1",
        {"run": run_id, "title": title},
    )
    return None if row is None else from_row(row)


def list_of_run(tx: Transaction, run_id: int, *, before: int | None, limit: int) -> list[Alert]:
    """Alerts of the run, newest first, from before an id on."""
    rows = tx.all(
        SELECT + "WHERE a.run_id = :run AND a.id < :before ORDER BY a.id DESC LIMIT :limit",
        {"run": run_id, "before": 2**62 if before is None else before, "limit": limit},
    )
    return [from_row(row) for row in rows]
