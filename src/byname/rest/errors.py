"""How a refusal leaves this face: its status, and one JSON shape for every error (R10)."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response

from byname.domain.errors import DomainError, Kind
from byname.http.asked import CODE, because
from byname.http.body import read_body
from byname.http.errors import STATUS_BY_KIND, error_body, error_headers
from byname.http.message import (
    JSON_HEADERS,
    App,
    ClientGone,
    Message,
    Receive,
    Request,
    Scope,
    Send,
)

BODY_BYTES_MAX = 1_000_000
SHOWN_MAX = 5
DETAIL_LENGTH_MAX = 1_000
SCIM = "/scim"
"""Below it errors have the shape of RFC 7644, 3.12."""

_SCIM_TYPES = frozenset({"invalidFilter", "mutability"})
_UNIQUE = frozenset({"name_taken", "email_taken"})

_CODES = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 415: "unsupported_type"}
_MESSAGES = {
    400: "The body cannot be read: it must be one JSON object in UTF-8",
    404: "There is nothing at this address; /api/docs lists all there is",
    405: "This method is not offered here; /api/docs lists all there is",
}

logger = logging.getLogger("byname.rest")


def request_id_of(scope: Scope) -> str:
    """The name of this request in answers and the log, as the server gave it; else a new one."""
    found = scope.get("request_id")
    if not isinstance(found, str):
        found = scope["request_id"] = secrets.token_hex(6)
    return found


def scim_answer(
    scope: Scope,
    status: int,
    detail: str,
    scim_type: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A refusal as providers of identities read it (RFC 7644, 3.12)."""
    scope[CODE] = scim_type or _CODES.get(status, "invalid")
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail[:DETAIL_LENGTH_MAX].encode("utf-8", "replace").decode(),
    }
    if scim_type:
        body["scimType"] = scim_type
    return JSONResponse(body, status, headers=headers, media_type="application/scim+json")


def _answer(
    scope: Scope,
    status: int,
    code: str,
    message: str,
    *,
    details: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    if scope["path"].startswith(SCIM):
        bad = status in (400, 422)
        return scim_answer(
            scope, 400 if bad else status, message, "invalidSyntax" if bad else None, headers
        )
    return JSONResponse(
        error_body(code, message, request_id_of(scope), details), status, headers=headers
    )


def refuse(scope: Scope, error: DomainError) -> Response:
    """The answer to a request that was refused."""
    because(scope, error)
    headers = {key.decode(): value.decode() for key, value in error_headers(error)}
    status = STATUS_BY_KIND[error.kind]
    if scope["path"].startswith(SCIM):
        word = None
        if error.kind is Kind.UNPROCESSABLE:
            status, word = 400, error.code if error.code in _SCIM_TYPES else "invalidValue"
        elif error.code in _UNIQUE:
            word = "uniqueness"
        answer = scim_answer(scope, status, error.message, word, headers)
        because(scope, error)
        return answer
    return _answer(scope, status, error.code, error.message, details=error.details, headers=headers)


def nothing_here() -> HTTPException:
    """What is raised where an address leads nowhere."""
    return HTTPException(404)


def _field(place: tuple[int | str, ...]) -> str:
    """Where in the request a value stands, for example `body.name`."""
    return ".".join(str(part) for part in place)[:200].encode("utf-8", "replace").decode()


def add_handlers(app: FastAPI) -> None:
    """Every error of this application has our shape."""

    async def of_domain(request: StarletteRequest, error: Exception) -> Response:
        assert isinstance(error, DomainError)  # noqa: S101  Registered for that only.
        return refuse(request.scope, error)

    async def of_validation(request: StarletteRequest, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        found = error.errors()
        if any(each["type"] == "json_invalid" for each in found):
            return _answer(request.scope, 400, _CODES[400], _MESSAGES[400])
        # What was sent is not repeated: it may be huge, or a password.
        fields = [{"field": _field(each["loc"]), "problem": each["msg"]} for each in found]
        text = "; ".join(f"{each['field']}: {each['problem']}" for each in fields[:SHOWN_MAX])
        return _answer(
            request.scope, 422, "unprocessable", text, details={"fields": fields[:SHOWN_MAX]}
        )

    async def of_http(request: StarletteRequest, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = error.status_code
        return _answer(
            request.scope,
            status,
            _CODES.get(status, "invalid"),
            _MESSAGES.get(status, error.detail),
            headers=dict(error.headers or {}),
        )

    app.add_exception_handler(DomainError, of_domain)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)


class Guard:
    """Stands before every route: bodies of at most 1 MB, and no error without our shape.

    It also adds the headers that every JSON answer carries.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = list(message.get("headers", ()))
                present = {key for key, _ in headers}
                headers += [
                    each
                    for each in JSON_HEADERS
                    if each[0] not in present and each[0] != b"content-type"
                ]
                message["headers"] = headers
            await send(message)

        try:
            body = await read_body(Request(scope, receive, send), BODY_BYTES_MAX)
            await self._app(scope, _replaying(body, receive), noting)
        except ClientGone:
            raise
        except DomainError as error:
            await refuse(scope, error)(scope, receive, noting)
        except Exception:
            if started:
                raise
            name = request_id_of(scope)
            logger.exception("Request %s failed: %s %s", name, scope["method"], scope["path"])
            message = f"Something went wrong in the server (request {name})"
            await _answer(scope, 500, "internal", message)(scope, receive, noting)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives this body first, then what really comes."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
