"""Alerts that scripts send from their runs: keeping them, and listing them for who sees the run."""

from __future__ import annotations

from datetime import timedelta

from byname.domain import run_alert as rules
from byname.domain.errors import TooLarge
from byname.domain.page import Page, decode_id, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.run_alert import Alert
from byname.operations import history
from byname.operations.context import Context
from byname.operations.run import open_by_id, open_by_name
from byname.store import run_alert as rows
from byname.store.moment import moment


def send(
    ctx: Context,
    entity: str,
    project: str,
    run_name: str,
    *,
    title: str,
    text: str,
    severity: str | None = None,
    wait: timedelta = timedelta(),
) -> int:
    """The run has the alert, and the history tells of it; the alert's id.

    Where one with this title came less than `wait` ago, nothing is added, and its id is given.

    Raises:
        NotFound: the run is absent or hidden.
        Forbidden: the role in the project is below Member.
        Unprocessable: the title or text is too long, or there is no such severity.
        TooLarge: the run has 10,000 alerts.
    """
    title = rules.check_text(title, "Title", rules.TITLE_LENGTH_MAX)
    text = rules.check_text(text, "Text", rules.TEXT_LENGTH_MAX)
    level = rules.parse_severity(severity)
    with ctx.database.write() as tx:
        run, home = open_by_name(ctx, tx, entity, project, run_name, Permission.LOG)
        last = rows.find_last(tx, run.id, title)
        if last is not None and rules.is_repeated(last.at, moment(ctx.now()), wait):
            return last.id
        if rows.count(tx, run.id) >= rules.ALERTS_MAX:
            raise TooLarge(f"A run has at most {rules.ALERTS_MAX} alerts", limit=rules.ALERTS_MAX)
        alert_id = rows.add(
            tx,
            run.id,
            title=title,
            text=text,
            severity=level,
            author_id=ctx.who.user_id,
            at=ctx.now(),
        )
        history.record(
            ctx,
            tx,
            "run_alert:send",
            f"{home.place}/{run.name}",
            project=home,
            after={"title": title, "severity": level.value},
        )
        return alert_id


def list_page(
    ctx: Context, run_id: int, *, after: str | None = None, first: int | None = None
) -> Page[Alert]:
    """The alerts of the run, newest first.

    Raises:
        NotFound: the run is absent or hidden.
        Unprocessable: the cursor is not of this list.
    """
    limit = parse_first(first, 50)
    before = decode_id("alerts", after) or None
    with ctx.database.read() as tx:
        run, _ = open_by_id(ctx, tx, run_id, Permission.SEE)
        found = rows.list_of_run(tx, run.id, before=before, limit=limit + 1)
        total = rows.count(tx, run.id)
    return page_of(found, limit, lambda each: encode_cursor("alerts", each.id), total=total)
