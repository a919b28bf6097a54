"""`POST /graphql`: from a request to an answer, and which thread does the work.

- A query that reads a bounded number of rows runs on the event loop.
- A small mutation runs in the writing thread, in one commit with others that came meanwhile.
- Everything else runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from byname.domain.errors import DomainError, Invalid
from byname.graphql import errors
from byname.graphql.context import RequestContext
from byname.graphql.engine.documents import Prepared
from byname.graphql.engine.engine import Engine
from byname.graphql.engine.results import Result
from byname.http.addresses import Addresses
from byname.http.asked import acting, because, call_of, refused_as
from byname.http.authentication import KeyUses, authenticate
from byname.http.body import read_body
from byname.http.errors import error_headers
from byname.http.message import Request, send_json_bytes
from byname.http.remembered import Remembered
from byname.http.writes import Writes
from byname.operations.context import Context

BODY_BYTES_MAX = 16 * 1024 * 1024
"""`wandb verify` posts a variable of 10 MB (protocol 4)."""
THREADS = 8
HEAVY = frozenset(
    {
        "commitArtifact",
        "createArtifactFiles",
        "completeMultipartUploadArtifact",
        "deleteArtifactSequence",
        "deleteArtifactPortfolio",
        "createUser",
        "deleteRun",
        "deleteModel",
    }
)
"""Mutations that read files, hash, or touch many rows: they must not hold up the writing thread."""
OPEN_FIELDS = frozenset({"serverInfo", "viewer", "__typename", "__type", "__schema"})
"""What may be asked without a key; `viewer` is null then."""


class _Undone(Exception):
    """The mutation failed: nothing of it is to be kept."""

    def __init__(self, result: Result) -> None:
        self.result = result


class GraphQLFace:
    """The SDK's face."""

    def __init__(
        self,
        engine: Engine,
        ctx: Context,
        addresses: Addresses,
        writes: Writes,
        key_uses: KeyUses,
    ) -> None:
        self._engine = engine
        self._ctx = ctx
        self._addresses = addresses
        self._writes = writes
        self._key_uses = key_uses
        self._remembered = Remembered(ctx.database)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="graphql")

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()

    async def handle(self, request: Request) -> None:
        """Answer one GraphQL request."""
        agent = request.header(b"user-agent")
        try:
            status, body = await self._answer(request)
        except DomainError as error:
            because(request.scope, error)
            status, body = errors.render_refusal(error)
            status = errors.status_for(status, agent)
            await send_json_bytes(request, orjson.dumps(body), status, [*error_headers(error)])
            return
        await send_json_bytes(request, orjson.dumps(body), errors.status_for(status, agent))

    async def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        header = request.header(b"authorization")
        actor = self._remembered.get(header, lambda: authenticate(self._ctx.database, header))
        self._key_uses.note(actor)
        content_type = request.header(b"content-type") or b""
        if not content_type.startswith(b"application/json"):
            raise Invalid("Send GraphQL as application/json", code="content_type")
        query, variables, name = parse(await read_body(request, BODY_BYTES_MAX))
        prepared = self._engine.prepare(query, name)
        if actor is None and not OPEN_FIELDS.issuperset(prepared.root_fields):
            self._ctx.who  # noqa: B018  Raises for an anonymous asker.
        ctx = acting(self._ctx, actor, "sdk", request.scope)
        call_of(request.scope, None if prepared.kind == "query" else _name(prepared.root_fields))
        context = RequestContext(ctx, self._addresses.for_request(request))
        result = await self._run(prepared, variables, context)
        if result.errors and isinstance(result.errors[0].original, DomainError):
            because(request.scope, result.errors[0].original)
        status, body = errors.render(result, request.id)
        if errors.is_lasting(status) and errors.is_shown_whole(prepared.root_fields, request):
            refused_as(request.scope, status)
            return 200, errors.message_alone(body)
        return status, body

    async def _run(
        self, prepared: Prepared, variables: dict[str, Any], context: RequestContext
    ) -> Result:
        if prepared.kind == "query":
            if prepared.quick:
                return self._query(prepared, variables, context)
            return await self._in_thread(self._query, prepared, variables, context)
        if not HEAVY.isdisjoint(prepared.root_fields):
            return await self._in_thread(self._engine.execute, prepared, variables, context)

        def change() -> Result:
            result = self._engine.execute(prepared, variables, context)
            if result.errors:
                raise _Undone(result)
            return result

        try:
            return await self._writes.run(change)
        except _Undone as undone:
            return undone.result

    def _query(
        self, prepared: Prepared, variables: dict[str, Any], context: RequestContext
    ) -> Result:
        """All of one query sees the same committed state."""
        with self._ctx.database.read():
            return self._engine.execute(prepared, variables, context)

    async def _in_thread(self, function: Any, *args: Any) -> Result:
        loop = asyncio.get_running_loop()
        result: Result = await loop.run_in_executor(self._threads, function, *args)
        return result


def _name(root_fields: Iterable[str]) -> str:
    """The first mutation of a request, for the audit log."""
    return next(iter(root_fields), "")


def parse(body: bytes) -> tuple[str, dict[str, Any], str | None]:
    """The query, variables and operation name of a request's body.

    Raises:
        Invalid: it is not one JSON object of the right shape.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error}", code="json") from None
    if isinstance(value, list):
        raise Invalid("Send one operation at a time; lists of them are not taken", code="batch")
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object", code="json")
    query = value.get("query")
    variables = value.get("variables")
    name = value.get("operationName")
    if not isinstance(query, str) or not query:
        raise Invalid("The body's 'query' must be a text", code="query")
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        raise Invalid("The body's 'variables' must be an object", code="variables")
    if name is not None and not isinstance(name, str):
        raise Invalid("The body's 'operationName' must be a text", code="operation_name")
    return query, variables, name or None
