"""What a server's refusal is in Python: the error of its kind, with the server's own words."""

from __future__ import annotations

import json

from byname.domain import errors
from byname.domain.errors import DomainError, Kind

ERROR_BY_STATUS: dict[int, type[DomainError]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.Unsupported,
    409: errors.Conflict,
    410: errors.NotFound,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    422: errors.Unprocessable,
    429: errors.Throttled,
    501: errors.Unsupported,
    507: errors.StorageFull,
}
"""By HTTP status; any other status is `Unavailable`."""


class Corrupt(DomainError):
    """What came is not what the server said it would be. Nothing of it was put in place."""

    kind = Kind.UNAVAILABLE
    code = "corrupt"


def why(error: Exception) -> str:
    """What kept a server from answering, in words without numbers."""
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)


def refusal(status: int, content: bytes) -> DomainError:
    """The error that an answer of this status stands for."""
    kind = ERROR_BY_STATUS.get(status, errors.Unavailable)
    if status == 409 and b'"holder_changed"' in content:
        kind = errors.HolderChanged
    elif status == 413 and b'"storage_full"' in content:
        # The SDK's face says it with this status, at which the SDK gives up.
        kind = errors.StorageFull
    try:
        answer = json.loads(content)
        if "errors" in answer:
            # The SDK's face says it in GraphQL's way.
            told = answer["errors"][0]
            details = dict(told["extensions"])
            code, message = str(details.pop("code")), str(told["message"])
        else:
            told = answer["error"]
            code, message, details = str(told["code"]), str(told["message"]), told.get("details")
    except (ValueError, KeyError, TypeError, IndexError):
        code, message = "unexpected", f"The server answered with HTTP status {status}"
        details = None
    words = {str(key): value for key, value in details.items()} if isinstance(details, dict) else {}
    for taken in ("message", "code", "self"):
        words.pop(taken, None)
    return kind(message, code=code, **words)
