"""Are the bodies of API requests read within their limits (L2, L3)?"""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain.errors import Invalid, TooLarge
from byname.http.body import JSON_BYTES_MAX, JSON_DEPTH_MAX, inflate, parse_json, read_body
from byname.http.message import ClientGone, Message, Request
from tests.faces.http.conftest import Site

GZIP = {"Content-Encoding": "gzip"}


def request_of(messages: Iterable[Message], headers: list[tuple[bytes, bytes]]) -> Request:
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    return Request(scope, receive, send)


def test_json_comes_through_plain_and_compressed(site: Site) -> None:
    value = {"query": "x" * 200_000, "list": [1, 2.5, None, True, "ü"]}
    body = orjson.dumps(value)
    assert orjson.loads(site.ask("POST", "/echo", body).body) == value
    assert orjson.loads(site.ask("POST", "/echo", gzip.compress(body, mtime=0), GZIP).body) == value
    two = gzip.compress(body[:100]) + gzip.compress(body[100:])
    assert orjson.loads(site.ask("POST", "/echo", two, GZIP).body) == value


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "json_malformed"),
        (b"{", {}, 400, "json_malformed"),
        (b"\xff\xfe", {}, 400, "json_malformed"),
        (b"[NaN]", {}, 400, "json_malformed"),
        (b'["\\ud800"]', {}, 400, "json_malformed"),
        (b"[" * 100_000, {}, 400, "json_malformed"),
        (b"[" * 100_000 + b"]" * 100_000, {}, 400, "json_malformed"),
        (b"[" * 65 + b"0" + b"]" * 65, {}, 400, "json_too_deep"),
        (b"not gzip", GZIP, 400, "gzip_malformed"),
        (gzip.compress(b"[]" * 5_000, mtime=0)[:-9], GZIP, 400, "gzip_malformed"),
        (b"[]", {"Content-Encoding": "br"}, 501, "content_encoding"),
        (b"[]", {"Content-Length": str(JSON_BYTES_MAX + 1)}, 413, "too_large"),
    ],
)
def test_nonsense_is_told_apart(
    site: Site, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = site.ask("POST", "/echo", body, headers)
    assert (answer.status, answer.error) == (status, code)


def test_a_gzip_bomb_bursts_at_the_limit(site: Site) -> None:
    """L3: a thousand to one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 70_000
    answer = site.ask("POST", "/echo", bomb, GZIP)
    assert (answer.status, answer.error) == (413, "too_large")


def test_inflating_holds_no_more_than_the_limit() -> None:
    """The size is counted while it grows, not afterwards."""
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        inflate(bomb, 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_body_in_chunks_is_counted_as_it_comes(site: Site) -> None:
    pieces = (b"[" + b" " * 999_999 for _ in range(20))
    try:
        answer = site.ask("POST", "/echo", pieces)
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail("the connection was cut before the answer could be read")
    assert answer.status == 413


@given(st.binary(max_size=5_000), st.integers(0, 5_000))
def test_inflating_gives_all_or_nothing(content: bytes, limit: int) -> None:
    if len(content) <= limit:
        assert inflate(gzip.compress(content, mtime=0), limit) == content
    else:
        with pytest.raises(TooLarge):
            inflate(gzip.compress(content, mtime=0), limit)


@given(st.binary(max_size=12))
def test_inflating_nonsense_is_only_ever_invalid(content: bytes) -> None:
    """After the header's ten bytes there is no room for a stream and its eight bytes of checks."""
    with pytest.raises((Invalid, TooLarge)):
        inflate(b"\x1f\x8b\x08\x00" + content, 1_000)


@given(st.integers(1, 200), st.sampled_from(["list", "object", "both"]))
def test_depth_is_counted_over_lists_and_objects(depth: int, kind: str) -> None:
    opening = {"list": ["["], "object": ['{"a":'], "both": ["[", '{"a":']}[kind]
    pieces = [opening[level % len(opening)] for level in range(depth)]
    text = "".join(pieces) + "0" + "".join("]" if p == "[" else "}" for p in reversed(pieces))
    if depth <= JSON_DEPTH_MAX:
        assert parse_json(text.encode()) == orjson.loads(text)
    else:
        with pytest.raises(Invalid):
            parse_json(text.encode())


def test_wide_is_not_deep() -> None:
    assert parse_json(orjson.dumps([[{}]] * 10_000)) == [[{}]] * 10_000


def test_a_client_which_leaves_is_noticed() -> None:
    messages = [{"type": "http.request", "body": b"[", "more_body": True}]
    request = request_of([*messages, {"type": "http.disconnect"}], [])
    with pytest.raises(ClientGone):
        asyncio.run(read_body(request, 100))
