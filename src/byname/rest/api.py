"""Administration as JSON under `/api/v1`, with its OpenAPI document and a page to read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, FastAPI

from byname import __version__
from byname.http.addresses import Addresses
from byname.http.authentication import KeyUses
from byname.operations.context import Context
from byname.operations.health import About
from byname.rest import (
    alias,
    audit,
    automation,
    collection,
    comparison,
    deactivation,
    docs,
    errors,
    event_stream,
    execution,
    gc,
    health,
    history,
    integration,
    invitation,
    lineage,
    member,
    organization,
    project,
    protected_alias,
    registry,
    resolve,
    run,
    search,
    secret,
    service_account,
    tag,
    team,
    trash,
    user,
    version,
)
from byname.rest.asking import Server

NOUNS = (
    registry,
    member,
    collection,
    version,
    comparison,
    tag,
    alias,
    protected_alias,
    history,
    audit,
    search,
    user,
    invitation,
    organization,
    deactivation,
    team,
    service_account,
    secret,
    integration,
    automation,
    execution,
    trash,
    lineage,
    project,
    run,
    gc,
    health,
)

SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name; the key is the password",
    },
}
PROBLEMS = {
    400: "The body cannot be read",
    401: "No API key, or not a valid one",
    403: "You may see it, but your role does not allow this; `details.role` names the one needed",
    404: "It does not exist, or you have no access to it",
    409: "The present state does not allow it; `details.current` says what holds a name",
    412: "A header named a state that is not so; `details.current` says what is",
    413: "The body is larger than 1 MB",
    422: "A value breaks a rule",
    503: "Not possible at this moment; `Retry-After` says in how many seconds it may be",
}
ERROR_EXAMPLE = {
    "error": {
        "code": "forbidden",
        "message": "You may not create users: it needs the role server_admin",
        "request_id": "5f1c2a0000001b",
        "details": {"role": "server_admin"},
    }
}
ERROR_SCHEMA: dict[str, Any] = {
    "title": "Error",
    "description": "What every refusal says.",
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
                "details": {"type": "object"},
            },
        }
    },
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": ERROR_EXAMPLE,
            }
        },
    }
    for status, description in PROBLEMS.items()
}
"""What any call may answer with."""


def make_api(
    ctx: Context,
    uses: KeyUses | None = None,
    addresses: Addresses | None = None,
    about: About | None = None,
) -> FastAPI:
    """The application for every path below `/api`; mount it there without cutting the path off.

    Without `addresses` it hands out no addresses of files.
    """
    app = FastAPI(
        title="Byname",
        version=__version__,
        description="Registries, collections, versions and names; and administration: users, "
        "organizations, teams, service accounts and API keys.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.server = Server(
        ctx,
        KeyUses() if uses is None else uses,
        addresses,
        About(__version__, datetime.now(UTC)) if about is None else about,
    )
    below = APIRouter(prefix="/api/v1", responses=REFUSALS)
    for noun in NOUNS:
        below.include_router(noun.router)
    app.include_router(below)
    app.include_router(audit.root_router, responses=REFUSALS)
    docs.add_page(app)
    errors.add_handlers(app)
    app.add_middleware(errors.Guard)
    _complete_document(app)
    return app


def _complete_document(app: FastAPI) -> None:
    """The OpenAPI document says too what the framework cannot know.

    That every route wants a key and how it is sent, the shape of errors, and the routes that are
    answered before the framework.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        components = document.setdefault("components", {})
        components["securitySchemes"] = SECURITY
        components["schemas"]["Error"] = ERROR_SCHEMA
        document["paths"]["/api/v1/resolve"] = resolve.describe(REFUSALS)
        document["paths"]["/api/v1/events"] = event_stream.DESCRIPTION
        document["security"] = [{name: []} for name in SECURITY]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it.
