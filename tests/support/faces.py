"""A whole server without a socket: REST, the SDK's GraphQL and the command line in this process.

Requests go to the router as a server would hand them on; what a server does in threads happens in
the thread that asks, so that thousands of requests cost little.
"""

from __future__ import annotations

import asyncio
import functools
import io
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import pytest
import typer
from typer.testing import CliRunner

from byname import wiring
from byname.cli import client as cli_client
from byname.cli.main import app
from byname.http.links import Signer
from byname.http.router import Router
from byname.operations.context import Context
from byname.settings import Settings
from tests.support.site import cached_schema

URL = "http://localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a face answered: an HTTP status, or an exit code; and its JSON."""

    code: int
    body: Any


async def inline(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Run it here and now."""
    return function(*args, **kwargs)


class Faces:
    """The faces of one server."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._loop = asyncio.new_event_loop()
        self._runner = CliRunner()
        self.asked: list[tuple[str, str]] = []
        """Method and path of each request, whatever face it came through."""

    def close(self) -> None:
        """Nothing can be asked any more."""
        self._loop.close()

    def http(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one answer."""
        pieces = urlsplit(path)
        self.asked.append((method, pieces.path))
        given = {"host": "localhost", "content-length": str(len(body)), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(pieces.path),
            "raw_path": pieces.path.encode(),
            "query_string": pieces.query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
            "scheme": "http",
            "http_version": "1.1",
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        self._loop.run_until_complete(self._router(scope, receive, send))
        return (
            int(sent[0]["status"]),
            {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]},
            b"".join(each.get("body", b"") for each in sent[1:]),
        )

    def rest(
        self, key: str, method: str, path: str, body: Any = None, headers: Any = None
    ) -> Answer:
        """The answer below `/api/v1`."""
        given = {"content-type": "application/json", **(headers or {})}
        if key:
            given["authorization"] = f"Bearer {key}"
        content = b"" if body is None else orjson.dumps(body)
        status, _, text = self.http(method, f"/api/v1{path}", content, given)
        return Answer(status, orjson.loads(text) if text else {})

    def graphql(self, key: str, query: str, **variables: Any) -> Answer:
        """The answer of the SDK's face."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        body = orjson.dumps({"query": query, "variables": variables})
        status, _, text = self.http("POST", "/graphql", body, headers)
        return Answer(status, orjson.loads(text))

    def cli(self, key: str, *words: str) -> Answer:
        """The exit code of `byname WORDS --json`, and what it printed."""
        done = self._runner.invoke(app, [*words, "--json", "--url", URL, "--api-key", key])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        text = done.stdout if done.exit_code == 0 else done.stderr
        return Answer(done.exit_code, orjson.loads(text) if text.startswith("{") else text)

    def open(self, request: urllib.request.Request, timeout: float) -> Any:
        """What the command line sends goes to the router; in the place of an opener."""
        del timeout
        url = urlsplit(request.full_url)
        content = request.data if isinstance(request.data, bytes) else b""
        status, headers, text = self.http(
            request.get_method(), f"{url.path}?{url.query}", content, dict(request.header_items())
        )
        if status >= 400:
            told = Message()
            for name, value in headers.items():
                told[name] = value
            raise urllib.error.HTTPError(request.full_url, status, "", told, io.BytesIO(text))
        return Told(text, headers)


class Told(io.BytesIO):
    """An answer as an opener gives it."""

    def __init__(self, text: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(text)
        self.headers = Message()
        for name, value in headers.items():
            self.headers[name] = value


@contextmanager
def open_faces(ctx: Context, folder: Path) -> Iterator[Faces]:
    """The faces of a server on this state."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "make_schema", cached_schema)
        patch.setattr("fastapi.routing.run_in_threadpool", inline)
        patch.setattr("fastapi.dependencies.utils.run_in_threadpool", inline)
        application = wiring.Application(ctx, Signer(b"x" * 32), Settings(data=folder))
        application.open(URL)
        faces = Faces(application.router)
        patch.setattr(cli_client, "_OPENER", faces)
        # Making the tree of all commands takes longer than any of them.
        patch.setattr("typer.testing._get_command", functools.cache(typer.main.get_command))
        try:
            yield faces
        finally:
            application.close()
            faces.close()
