"""`byname audit`: the audit log of an organization, or of all that one administers."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, LIMIT, PAGE_MAX, ApiKey, Limit, Url, call_for_lines, path
from byname.cli.output import AsJson, in_columns, tell, telling

ALL = "/admin/audit_logs"


def audit(
    organization: Annotated[
        str | None, typer.Argument(help="All that you administer, when absent.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="The first day: 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How many days, without --until.")] = None,
    anonymize: Annotated[
        bool, typer.Option("--anonymize", help="Without e-mail and network addresses.")
    ] = False,
    limit: Limit = LIMIT,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show who did what, oldest first, what was read, and what was refused. For admins."""
    given = {"startDate": since, "endDate": until, "numDays": days}
    asked = {name: str(value) for name, value in given.items() if value is not None}
    if anonymize:
        asked["anonymize"] = "true"
    where = ALL if organization is None else path("organizations", organization, "audit")
    with telling(as_json):
        found = _entries(url, api_key, where, asked, limit)
        rows = [
            [
                each["timestamp"],
                each["actor_username"],
                each["action"],
                each["artifact_qualified_name"] or each["subject"] or "",
                str(each["response_code"]),
            ]
            for each in found
        ]
        tell(as_json, {"entries": found}, in_columns(rows, "Nothing happened."))


def _entries(
    url: str, api_key: str, where: str, asked: dict[str, str], limit: int
) -> list[dict[str, Any]]:
    """The first entries of the log, of as many pages as are wanted."""
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        asked["limit"] = str(min(limit - len(found), PAGE_MAX))
        lines, headers = call_for_lines(url, api_key, f"{where}?{urlencode(asked)}")
        found += lines
        place = headers.get("X-Next-Cursor")
        if place is None:
            break
        asked["cursor"] = place
    return found
