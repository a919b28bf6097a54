"""How the SDK's face says what went wrong (protocol 4, 5).

The status decides what the client does: it shows 400, 401, 403, 404, 409, 413, 422 and 501 to the user
at once, and repeats after everything else. The body is GraphQL's in every case.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from byname.domain.errors import DomainError, Kind
from byname.graphql.engine.results import Failure, Result
from byname.http.errors import STATUS_BY_KIND
from byname.http.message import Request

logger = logging.getLogger("byname.graphql")

FINAL = {
    Kind.PRECONDITION: 409,
    # The client would repeat a 507 for twenty minutes; there will be no more room by then.
    Kind.STORAGE_FULL: 413,
}

PYTHON_CLIENT = b"W&B "
"""How the client's Python part names itself in `User-Agent`; its core says `wandb-core`."""
PYTHON_FINAL = frozenset({400, 401, 403, 404, 409})
"""What the Python part, up to release 0.28, shows at once. It repeats every other 4xx, and 501, for
twenty seconds and more, although the answer will stay the same."""


CORE = b"wandb-core"
BRINGING = frozenset(
    {
        "createArtifact",
        "createArtifactManifest",
        "updateArtifactManifest",
        "createArtifactFiles",
        "completeMultipartUploadArtifact",
        "commitArtifact",
    }
)
"""What the client's core asks for on its own while it brings a version."""
ON_BEHALF = b"use-admin-privileges"
"""The header with which the core marks what the Python part asks through it."""


def is_shown_whole(root_fields: Iterable[str], request: Request) -> bool:
    """Whether this client shows the whole body of a refusal, as JSON, instead of its message.

    The core does so while it brings a version, under every status but 200.
    """
    return (
        request.header(b"user-agent") == CORE
        and request.header(ON_BEHALF) is None
        and not BRINGING.isdisjoint(root_fields)
    )


def message_alone(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a refusal without the places in the document, which the core puts before words."""
    spared = ("path", "locations")
    entries = [
        {key: value for key, value in entry.items() if key not in spared}
        for entry in body["errors"]
    ]
    return {"data": body["data"], "errors": entries}


def is_lasting(status: int) -> bool:
    """Whether the same request will be refused again, so that no client ought to repeat it."""
    passing = status == STATUS_BY_KIND[Kind.THROTTLED]
    return (400 <= status < 500 and not passing) or status == STATUS_BY_KIND[Kind.UNSUPPORTED]


def status_for(status: int, user_agent: bytes | None) -> int:
    """The status under which this client shows the refusal to its user at once (protocol 5)."""
    python = (user_agent or b"").startswith(PYTHON_CLIENT)
    if python and is_lasting(status) and status not in PYTHON_FINAL:
        return STATUS_BY_KIND[Kind.INVALID]
    return status


def status_of(error: DomainError) -> int:
    """The HTTP status for a refusal."""
    return FINAL.get(error.kind, STATUS_BY_KIND[error.kind])


def _entry(failure: Failure, request_id: str) -> dict[str, Any]:
    original = failure.original
    if isinstance(original, DomainError):
        message = original.message
        extensions = {"code": original.code, **original.details}
    else:
        logger.error("Request %s failed at %s", request_id, failure.path, exc_info=original)
        message = f"Something went wrong in the server (request {request_id})"
        extensions = {"code": "internal"}
    entry: dict[str, Any] = {"message": message, "extensions": extensions}
    if failure.path is not None:
        entry["path"] = list(failure.path)
    if failure.locations:
        entry["locations"] = [
            {"line": line, "column": column} for line, column in failure.locations
        ]
    return entry


def render(result: Result, request_id: str) -> tuple[int, dict[str, Any]]:
    """The status and body of an answer. The first error decides the status."""
    if not result.errors:
        return 200, {"data": result.data}
    first = result.errors[0].original
    status = status_of(first) if isinstance(first, DomainError) else 500
    entries = [_entry(failure, request_id) for failure in result.errors]
    return status, {"data": result.data, "errors": entries}


def render_refusal(error: DomainError) -> tuple[int, dict[str, Any]]:
    """The status and body when the request never reached a field."""
    entry = {"message": error.message, "extensions": {"code": error.code, **error.details}}
    return status_of(error), {"data": None, "errors": [entry]}
