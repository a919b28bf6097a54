"""Does each path reach its handler, its segments as data, and nothing else anything?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain.errors import Forbidden, Throttled
from byname.http.errors import STATUS_BY_KIND
from byname.http.message import App, Message, Receive, Request, Scope, Send, send_json, send_page
from byname.http.router import Router


async def show(request: Request) -> None:
    await send_json(request, {"params": request.params, "method": request.method})


def naming(name: str) -> Any:
    async def handler(request: Request) -> None:
        await send_json(request, name)

    return handler


async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b'"mounted"'})


def ask(
    app: App, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    raw, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": raw,
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {"host": "x"}).items()],
        "client": ("10.0.0.1", 5),
    }

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    body = b"".join(each.get("body", b"") for each in sent[1:])
    is_json = found.get("content-type", "application/json") == "application/json"
    return sent[0]["status"], found, orjson.loads(body) if body and is_json else body


@pytest.fixture
def router() -> Router:
    router = Router()
    router.add("GET", "/", naming("root"))
    router.add("GET", "/live", naming("live"))
    router.add("POST", "/graphql", naming("graphql"))
    router.add("GET", "/artifacts/{entity}/{digest}", show)
    router.add("GET", "/artifacts/special/{digest}", naming("special"))
    router.add("PUT", "/artifacts/{entity}/{digest}", show)
    router.add("GET", "/api/v1/resolve", naming("resolve"))
    router.mount("/api", mounted)
    return router


def test_exact_paths_and_patterns(router: Router) -> None:
    assert ask(router, "GET", "/")[2] == "root"
    assert ask(router, "GET", "/live?x=1")[2] == "live"
    assert ask(router, "GET", "/artifacts/me/abc")[2]["params"] == {"entity": "me", "digest": "abc"}
    assert ask(router, "GET", "/artifacts/special/abc")[2] == "special"
    assert ask(router, "PUT", "/artifacts/special/abc")[2]["params"]["entity"] == "special"
    assert ask(router, "HEAD", "/live")[0] == 200


def test_other_applications_get_what_no_route_answers(router: Router) -> None:
    assert ask(router, "GET", "/api/v1/resolve")[2] == "resolve"
    for method, path in (("GET", "/api"), ("GET", "/api/x/y"), ("POST", "/api/v1/resolve")):
        status, headers, body = ask(router, method, path)
        assert (status, body) == (418, "mounted")
        assert headers["x-request-id"]
    assert ask(router, "GET", "/apify")[0] == 404


def test_refusals_have_one_shape(router: Router) -> None:
    for method, path, status, code in (
        ("GET", "/nothing", 404, "no_route"),
        ("GET", "/artifacts/me", 404, "no_route"),
        ("GET", "/artifacts//abc", 404, "no_route"),
        ("GET", "/artifacts/me/abc/", 404, "no_route"),
        ("DELETE", "/live", 405, "method_not_allowed"),
        ("DELETE", "/artifacts/a/b", 405, "method_not_allowed"),
        ("GET", "/artifacts/%ff/b", 400, "path_malformed"),
        ("GET", "/artifacts/a/b%00c", 400, "path_malformed"),
    ):
        found, headers, body = ask(router, method, path)
        assert (found, body["error"]["code"]) == (status, code), path
        assert body["error"]["message"]
        assert headers["x-request-id"] == body["error"]["request_id"]
    assert ask(router, "DELETE", "/artifacts/a/b")[1]["allow"] == "GET, HEAD, PUT"


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("a%2Fb", "a/b"),
        ("..%2f..%2fetc%2fpasswd", "../../etc/passwd"),
        ("%2e%2e", ".."),
        ("..", ".."),
        ("%252e%252e%252f", "%2e%2e%2f"),
        ("%5c..%5c", "\\..\\"),
        ("a+b", "a+b"),
        ("%E2%88%95", "∕"),  # noqa: RUF001 - a look-alike of the slash is what is tested.
        ("QXJ0%3D%3D", "QXJ0=="),
        ("%zz", "%zz"),
        ("C:%5Cwindows", "C:\\windows"),
    ],
)
def test_segments_are_decoded_once_and_stay_data(router: Router, segment: str, value: str) -> None:
    """A12."""
    params = ask(router, "GET", f"/artifacts/x/{segment}")[2]["params"]
    assert params == {"entity": "x", "digest": value}


@given(st.binary(max_size=60))
def test_no_path_is_ever_our_fault(path: bytes) -> None:
    router = Router()
    router.add("GET", "/a/{b}", show)
    router.add("GET", "/{a}/{b}/{c}", show)
    assert ask(router, "GET", "/" + path.decode("latin-1"))[0] in (200, 400, 404)


def test_only_our_host_names_are_answered() -> None:
    """A13: DNS rebinding."""
    router = Router(allowed_hosts=["Registry.example", "127.0.0.1", "::1"])
    router.add("GET", "/", naming("root"))
    router.add("GET", "/live", naming("live"), any_host=True)
    for host in ("registry.example", "REGISTRY.example:8080", "127.0.0.1:80", "[::1]:80", "[::1]"):
        assert ask(router, "GET", "/", {"host": host})[0] == 200, host
    for host in ("evil.example", "registry.example.evil", "127.0.0.1.evil:80", "", "[::2]:80"):
        assert ask(router, "GET", "/", {"host": host})[2]["error"]["code"] == "host_not_allowed"
        assert ask(router, "GET", "/live", {"host": host})[0] == 200
    assert ask(router, "GET", "/", {"accept": "*"})[0] == 400


def test_errors_are_turned_into_answers(caplog: pytest.LogCaptureFixture) -> None:
    async def forbidden(request: Request) -> None:
        raise Forbidden("Only an admin may do that", role="admin")

    async def throttled(request: Request) -> None:
        raise Throttled("Slowly", retry_after_seconds=7)

    async def crash(request: Request) -> None:
        raise RuntimeError("password=hunter2")

    router = Router()
    for name, handler in (("f", forbidden), ("t", throttled), ("c", crash)):
        router.add("GET", f"/{name}", handler)
    status, _, body = ask(router, "GET", "/f")
    assert (status, body["error"]["details"]) == (403, {"role": "admin"})
    assert body["error"]["message"] == "Only an admin may do that"
    status, headers, _ = ask(router, "GET", "/t")
    assert (status, headers["retry-after"]) == (429, "7")
    status, headers, body = ask(router, "GET", "/c")
    assert (status, body["error"]["code"]) == (500, "internal")
    assert "hunter2" not in str(body)
    assert "hunter2" in caplog.text
    assert headers["x-request-id"] in caplog.text


def test_every_kind_of_refusal_has_a_status() -> None:
    assert sorted(STATUS_BY_KIND.values()) == [
        *(400, 401, 403, 404, 409, 412, 413, 422, 429, 501, 503, 507)
    ]


def test_queries_are_read_once_decoded() -> None:
    async def query(request: Request) -> None:
        await send_json(request, [request.query("a"), request.queries("b"), request.query("c")])

    router = Router()
    router.add("GET", "/", query)
    assert ask(router, "GET", "/?a=x%2By&b=1&b=%C3%BC&a=2")[2] == ["x+y", ["1", "ü"], None]
    for hostile in ("a=%ff", "&".join(["a=1"] * 101)):
        assert ask(router, "GET", f"/?{hostile}")[2]["error"]["code"] == "query_malformed"


def test_pages_and_json_say_what_may_run_in_them() -> None:
    async def page(request: Request) -> None:
        await send_page(request, "<h1>ü</h1>")

    router = Router()
    router.add("GET", "/page", page)
    _, headers, body = ask(router, "GET", "/page")
    assert body == "<h1>ü</h1>".encode()
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in ask(router, "GET", "/no")[1]["content-security-policy"]


def test_routes_are_added_once_and_listed(router: Router) -> None:
    with pytest.raises(ValueError, match="twice"):
        router.add("GET", "/live", show)
    with pytest.raises(ValueError, match="slash"):
        router.add("GET", "live", show)
    assert ("PUT", "/artifacts/{entity}/{digest}") in router.routes()
    assert len(router.routes()) == 7


def test_the_application_lives_between_start_and_end() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        events.append("up")
        yield
        events.append("down")

    async def receive() -> Message:
        return {"type": "lifespan"}

    async def send(message: Message) -> None:
        events.append(message["type"].removeprefix("lifespan."))

    asyncio.run(Router(lifespan=lifespan)({"type": "lifespan"}, receive, send))
    assert events == ["up", "startup.complete", "down", "shutdown.complete"]
