"""How does HTTP say what went wrong? One table from kinds to status codes, one shape for errors.

    {"error": {"code": "not_found", "message": "...", "details": {...}, "request_id": "..."}}

`details` appears only where there are some.
"""

from __future__ import annotations

import logging
from typing import Any

from byname.domain.errors import DomainError, Kind
from byname.http.asked import because
from byname.http.message import Header, Request, send_json

STATUS_BY_KIND: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNPROCESSABLE: 422,
    Kind.THROTTLED: 429,
    Kind.UNSUPPORTED: 501,
    Kind.STORAGE_FULL: 507,
    Kind.UNAVAILABLE: 503,
}

logger = logging.getLogger("byname.http")


def error_headers(error: DomainError) -> list[Header]:
    """The headers which HTTP wants beside some statuses."""
    if error.kind is Kind.UNAUTHENTICATED:
        return [(b"www-authenticate", b'Bearer realm="byname"')]
    if error.kind in (Kind.THROTTLED, Kind.UNAVAILABLE):
        seconds = error.details.get("retry_after_seconds", 1)
        return [(b"retry-after", str(max(1, int(seconds))).encode("ascii"))]
    return []


def error_body(
    code: str, message: str, request_id: str, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The JSON shape of every error."""
    # A message may repeat what was sent, which need not be text that an answer can carry.
    message = message.encode("utf-8", "replace").decode()
    error: dict[str, Any] = {"code": code, "message": message, "request_id": request_id}
    if details:
        error["details"] = details
    return {"error": error}


async def send_error(request: Request, error: DomainError) -> None:
    """Answer with a refusal."""
    because(request.scope, error)
    await send_json(
        request,
        error_body(error.code, error.message, request.id, error.details),
        STATUS_BY_KIND[error.kind],
        error_headers(error),
    )


async def send_internal_error(request: Request, error: BaseException) -> None:
    """Answer that something is our fault: the log gets everything, the asker the request's id."""
    logger.error(
        "Request %s failed: %s %s", request.id, request.method, request.path, exc_info=error
    )
    await send_json(
        request,
        error_body(
            "internal", f"Something went wrong in the server (request {request.id})", request.id
        ),
        500,
    )
