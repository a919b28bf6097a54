"""`GET /api/v1/resolve?ref=...`: what a name points to, as plain JSON, on the shortest way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byname.domain.errors import Unprocessable
from byname.domain.policy import Actor
from byname.http.addresses import Addresses
from byname.http.asked import acting
from byname.http.authentication import KeyUses, authenticate
from byname.http.message import Request, encode_json, send_json, send_json_bytes
from byname.http.remembered import Remembered
from byname.http.threads import in_thread
from byname.operations import collection, content
from byname.operations.context import Context

FILES_MAX = 1_000


class Resolve:
    """The route that turns a reference into a version."""

    def __init__(self, ctx: Context, addresses: Addresses, key_uses: KeyUses) -> None:
        self._ctx = ctx
        self._addresses = addresses
        self._key_uses = key_uses
        self._remembered = Remembered(ctx.database)

    async def handle(self, request: Request) -> None:
        """Answer with the version, its digest, and, with `files=true`, its files' addresses."""
        header = request.header(b"authorization")
        ref = request.query("ref")
        if not ref:
            raise Unprocessable(
                "Say which version, for example ?ref=wandb-registry-Model/Zoo:production",
                field="ref",
            )
        if request.query("files") in (None, "", "0", "false"):
            actor, body = self._remembered.get((header, ref), lambda: self._answer(header, ref))
            self._key_uses.note(actor)
            await send_json_bytes(request, body)
            return
        actor = authenticate(self._ctx.database, header)
        self._key_uses.note(actor)
        ctx = acting(self._ctx, actor, "rest", request.scope)
        ctx.who  # noqa: B018  Raises for an anonymous asker.
        addresses = self._addresses.for_request(request)
        after = request.query("after") or ""
        await send_json(request, await in_thread(answer_with_files, ctx, addresses, ref, after))

    def _answer(self, header: bytes | None, ref: str) -> tuple[Actor | None, bytes]:
        with self._ctx.database.read():
            actor = authenticate(self._ctx.database, header)
            ctx = self._ctx.acting(actor, "rest")
            ctx.who  # noqa: B018  Raises for an anonymous asker.
            return actor, encode_json(answer(ctx, ref))


def answer(ctx: Context, ref: str) -> dict[str, Any]:
    """What the reference names, as JSON."""
    found = collection.resolve_reference(ctx, ref)
    version = found.version
    path = f"{found.project.place}/{found.collection.name}"
    return {
        "ref": ref,
        "collection": path,
        "version": f"v{found.membership.number}",
        "full_name": f"{path}:v{found.membership.number}",
        "digest": version.digest,
        "type": version.type_name,
        "size_bytes": version.size_bytes,
        "file_count": version.file_count,
        "linked_at": found.membership.created_at,
    }


def answer_with_files(
    ctx: Context, addresses: Addresses, ref: str, after: str = ""
) -> dict[str, Any]:
    """What the reference names, and up to 1,000 of its files with addresses to fetch them from.

    Raises:
        Forbidden: the actor may see the version, but not download it.
    """
    found = collection.resolve_reference(ctx, ref)
    page = content.list_files(
        ctx, found.version, through=found.project.id, after=after, limit=FILES_MAX
    )
    user_id = ctx.who.user_id
    files = [
        {
            "path": entry.path,
            "size_bytes": entry.size_bytes,
            "digest": entry.digest,
            "sha256": entry.sha256,
            "url": entry.ref
            if entry.sha256 is None
            else addresses.content(
                "version-file",
                user_id,
                page.project_id,
                page.namespace,
                entry.sha256,
                entry.path.rpartition("/")[2],
            ),
        }
        for entry in page.entries
    ]
    return {
        **answer(ctx, ref),
        "files": files,
        "next": page.entries[-1].path if page.has_next else None,
    }


DESCRIPTION: dict[str, Any] = {
    "get": {
        "tags": ["resolve"],
        "summary": "What a name points to",
        "description": "The version that a reference names, with its digest. `files=true` adds up to "
        "1,000 of its files with addresses to fetch them from; `after` goes on behind a path.",
        "operationId": "resolve",
        "parameters": [
            {
                "name": "ref",
                "in": "query",
                "required": True,
                "schema": {"type": "string"},
                "example": "wandb-registry-Model/Zoo_Classifier_Models:production-us",
            },
            {
                "name": "files",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean", "default": False},
            },
            {"name": "after", "in": "query", "required": False, "schema": {"type": "string"}},
        ],
        "responses": {
            "200": {
                "description": "The version.",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["collection", "version", "digest"],
                            "properties": {
                                "ref": {"type": "string"},
                                "collection": {"type": "string"},
                                "version": {"type": "string", "example": "v3"},
                                "full_name": {"type": "string"},
                                "digest": {"type": "string"},
                                "type": {"type": "string"},
                                "size_bytes": {"type": "integer"},
                                "file_count": {"type": "integer"},
                                "linked_at": {"type": "string", "format": "date-time"},
                                "files": {"type": "array", "items": {"type": "object"}},
                                "next": {"type": ["string", "null"]},
                            },
                        }
                    }
                },
            }
        },
    }
}
"""This route in the OpenAPI document: it is answered before the framework, which cannot know it."""


def describe(refusals: Mapping[int | str, dict[str, Any]]) -> dict[str, Any]:
    """The description, with the refusals that every call may answer with."""
    call = DESCRIPTION["get"]
    refused = {str(status): each for status, each in refusals.items()}
    return {"get": {**call, "responses": {**call["responses"], **refused}}}
