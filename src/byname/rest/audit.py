"""The audit log over REST: JSON lines for the admins of an organization (R190, R191)."""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from byname.domain.errors import Unprocessable
from byname.domain.history import AUDIT_LIMIT_MAX, DONE, Cursor, Entry, Filter
from byname.domain.ids import to_id
from byname.operations import history as operations
from byname.operations import listing, user
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.registry import OrganizationName

router = APIRouter(tags=["audit"])
root_router = APIRouter(tags=["audit"])
"""The address that the client's documentation knows, outside `/api/v1`."""

DAYS_MAX = 36_500

StartDate = Annotated[
    str | None, Query(alias="startDate", description="The first day, such as `2026-01-31`; UTC.")
]
EndDate = Annotated[str | None, Query(alias="endDate", description="The last day; UTC.")]
NumDays = Annotated[
    int | None, Query(alias="numDays", ge=1, le=DAYS_MAX, description="How many days.")
]
Limit = Annotated[int, Query(ge=1, le=AUDIT_LIMIT_MAX, description="How many lines at most.")]
After = Annotated[
    str | None,
    Query(alias="cursor", description="Goes on behind a page: its header `X-Next-Cursor`."),
]
Anonymize = Annotated[bool, Query(description="Without e-mail and network addresses.")]
LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "One JSON object a line.", "content": {"application/x-ndjson": {}}}
}


def _day(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), tzinfo=UTC)  # noqa: DTZ007
    except ValueError:
        raise Unprocessable(f"{field} must be a day such as 2026-01-31", field=field) from None


def _wanted(start: str | None, end: str | None, days: int | None) -> Filter:
    first, last = _day(start, "startDate"), _day(end, "endDate")
    if last is not None and days is not None:
        raise Unprocessable("Say endDate or numDays, not both", field="numDays")
    try:
        if days is not None and first is not None:
            last = first + timedelta(days=days - 1)
        behind = None if last is None else last + timedelta(days=1)
    except OverflowError:
        raise Unprocessable("These days are out of range", field="numDays") from None
    if days is not None and first is None:
        first = datetime.now(UTC) - timedelta(days=days)
    return Filter(
        since=None if first is None else int(first.timestamp()) * 1_000_000,
        until=None if behind is None else int(behind.timestamp()) * 1_000_000 - 1,
    )


def _answer(
    ctx: Context,
    organizations: list[str],
    wanted: Filter,
    after: str | None,
    limit: int,
    *,
    anonymize: bool,
    server: bool = False,
) -> Response:
    place = None if after is None else Cursor.parse(after)
    pages = [
        operations.audit(ctx, name, wanted=wanted, after=place, limit=limit)
        for name in organizations
    ]
    if server:
        pages.append(operations.audit_of_server(ctx, wanted=wanted, after=place, limit=limit))
    entries = sorted(
        (entry for page in pages for entry in page.entries),
        key=lambda entry: astuple(entry.cursor),
    )
    more = len(entries) > limit or any(page.next is not None for page in pages)
    entries = entries[:limit]
    lines = "".join(
        json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(ctx, entries, anonymize)
    )
    headers = {"X-Next-Cursor": entries[-1].cursor.text} if more and entries else None
    return Response(lines, media_type="application/x-ndjson", headers=headers)


def _is_about_a_user(kind: str) -> bool:
    noun, _, verb = kind.partition(":")
    return noun in ("user", "member", "key") or verb in ("set_member", "remove_member")


def _lines(ctx: Context, entries: list[Entry], anonymize: bool) -> list[dict[str, Any]]:
    users = user.load_users(ctx, list({e.actor_id for e in entries if e.actor_id is not None}))
    versions = listing.versions(
        ctx, list({e.version_id for e in entries if e.version_id is not None})
    )
    subjects = user.load_users_by_name(
        ctx, list({e.subject for e in entries if _is_about_a_user(e.kind)})
    )
    projects = listing.projects(
        ctx, list({e.project_id for e in entries if e.project_id is not None})
    )
    lines = []
    for entry in entries:
        actor = None if entry.actor_id is None else users.get(entry.actor_id)
        version = None if entry.version_id is None else versions.get(entry.version_id)
        entity, _, project = (entry.project or "").partition("/")
        subject = subjects.get(entry.subject) if _is_about_a_user(entry.kind) else None
        refused = entry.refused
        email = None if actor is None or (refused is not None and refused.outside) else actor.email
        home = None if entry.project_id is None else projects.get(entry.project_id)
        name = None
        if entry.collection is not None and entry.number is not None:
            name = f"{entry.project}/{entry.collection}:v{entry.number}"
        lines.append(
            {
                "timestamp": entry.at.isoformat().replace("+00:00", "Z"),
                "action": entry.kind,
                "actor_user_id": None if actor is None else to_id("User", actor.id),
                "actor_username": entry.actor,
                "actor_email": None if anonymize else email,
                "actor_ip": None if anonymize else entry.address,
                "response_code": DONE if refused is None else refused.status,
                "cli_version": entry.client,
                "artifact_asset": None if version is None else to_id("Artifact", version.id),
                "artifact_digest": None if version is None else version.digest,
                "artifact_qualified_name": name,
                "artifact_sequence_asset": None
                if version is None
                else to_id("ArtifactSequence", version.collection_id),
                "entity_asset": None if home is None else to_id("Entity", home.entity_id),
                "entity_name": entity or None,
                "project_asset": None
                if entry.project_id is None
                else to_id("Project", entry.project_id),
                "project_name": project or None,
                "user_asset": None if subject is None else to_id("User", subject.id),
                "user_email": None if anonymize or subject is None else subject.email,
                "subject": entry.subject,
                "before": entry.before,
                "after": entry.after,
                "face": entry.face,
                "request": None if refused is None else refused.call or None,
                "error_code": None if refused is None else refused.code,
                "count": 1 if refused is None else refused.count,
            }
        )
    return lines


@router.get(
    "/organizations/{organization}/audit",
    response_class=Response,
    responses=LINES,
    summary="Read the audit log",
)
def read_audit_log(
    ctx: Asking,
    organization: OrganizationName,
    start_date: StartDate = None,
    end_date: EndDate = None,
    num_days: NumDays = None,
    limit: Limit = 1_000,
    cursor: After = None,
    anonymize: Anonymize = False,
) -> Response:
    """Read what happened in an organization and its teams, oldest first. For its admins."""
    wanted = _wanted(start_date, end_date, num_days)
    return _answer(ctx, [organization], wanted, cursor, limit, anonymize=anonymize)


@root_router.get(
    "/admin/audit_logs",
    response_class=Response,
    responses=LINES,
    summary="Read the audit log of your organizations",
)
def read_audit_logs(
    ctx: Asking,
    start_date: StartDate = None,
    end_date: EndDate = None,
    num_days: NumDays = None,
    limit: Limit = 1_000,
    cursor: After = None,
    anonymize: Anonymize = False,
) -> Response:
    """Read what happened in the organizations that you administer, oldest first.

    Administrators of the server also read what was refused without concerning any of them.
    """
    wanted = _wanted(start_date, end_date, num_days)
    names = operations.administered(ctx)
    return _answer(
        ctx, names, wanted, cursor, limit, anonymize=anonymize, server=ctx.who.server_admin
    )
