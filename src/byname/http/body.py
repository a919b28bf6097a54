"""How does the body of a request come in? Whole and limited for JSON, streamed for files.

Slow senders are cut off by the connection (`connection.py`), so nothing here keeps time.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, Protocol, TypeVar

import orjson

from byname.blobs.store import Bytes, Writer
from byname.domain.errors import Invalid, TooLarge, Unsupported
from byname.http.connection import BODY_EXTENSION
from byname.http.message import ClientGone, Request
from byname.http.tap import BodyTap
from byname.http.threads import in_thread, settled, start_in_thread

JSON_BYTES_MAX = 10 * 1024 * 1024
JSON_DEPTH_MAX = 64
SMALL_BYTES_MAX = 256 * 1024
"""Up to here a file is taken in whole, and hashed and written in one visit to a thread."""
BATCH_BYTES = 1 << 20
INFLATE_INLINE_BYTES_MAX = 32 * 1024
GZIP_WINDOW_BITS = 31

Stored = TypeVar("Stored")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, inflated where it came as gzip, at most `limit` bytes (L2, L3).

    Raises:
        TooLarge: it is larger, compressed or inflated.
        Invalid: it is no whole gzip stream although it says so.
        Unsupported: it is encoded in another way.
        ClientGone: the client went away before its end.
    """
    encoding = (request.header(b"content-encoding") or b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip"):
        raise Unsupported("Bodies may be encoded with gzip only", code="content_encoding")
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = await _whole(request, limit)
    if encoding == b"identity":
        return body
    if len(body) <= INFLATE_INLINE_BYTES_MAX and limit <= JSON_BYTES_MAX:
        return inflate(body, limit)
    return await in_thread(inflate, body, limit)


async def read_json(request: Request, limit: int = JSON_BYTES_MAX) -> Any:
    """The body as a JSON value.

    Raises:
        Invalid: it is no JSON, or nests deeper than 64.
        TooLarge, Unsupported, ClientGone: as `read_body`.
    """
    return parse_json(await read_body(request, limit))


def parse_json(body: bytes) -> Any:
    """A JSON value; raises Invalid for anything else, and for one nested deeper than 64 (L2)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error}", code="json_malformed") from None
    # Most bodies have too few brackets to be deep, and counting them is quick.
    if body.count(b"[") + body.count(b"{") > JSON_DEPTH_MAX and _is_deep(value):
        raise Invalid(f"The JSON nests deeper than {JSON_DEPTH_MAX}", code="json_too_deep")
    return value


def inflate(body: bytes, limit: int) -> bytes:
    """Undo gzip, counting while it grows; raises TooLarge beyond `limit`, Invalid for nonsense."""
    inflated = bytearray()
    rest = body
    while rest:
        stream = zlib.decompressobj(GZIP_WINDOW_BITS)
        try:
            inflated += stream.decompress(rest, limit + 1 - len(inflated))
        except zlib.error:
            raise Invalid("The body is not valid gzip", code="gzip_malformed") from None
        if len(inflated) > limit:
            raise _too_large(limit)
        if not stream.eof:
            raise Invalid("The gzip body ends too early", code="gzip_malformed")
        rest = stream.unused_data
    return bytes(inflated)


async def receive_into(
    request: Request,
    writer: Writer[Stored],
    *,
    limit: int,
    expected_length: int | None = None,
    expected_md5: str | None = None,
) -> Stored:
    """Write the body as it comes, and finish the writer; what it stored is durable then.

    At most two batches of 1 MiB are in memory: one being hashed and written in a thread, one being
    received. Whatever goes wrong, the writer is aborted and leaves nothing (F2, D6).

    Raises:
        Invalid: the body has another length than `expected_length`, or another MD5 than
            `expected_md5` (base64).
        TooLarge: it is longer than `limit` bytes.
        StorageFull: there is no room.
        ClientGone: the client went away before its end.
    """
    length = request.content_length
    if length is None and request.header(b"transfer-encoding") is None:
        length = 0
    if length is not None:
        _check_length(length, limit, expected_length)
    if length is not None and length <= SMALL_BYTES_MAX:
        body = await _whole(request, length)
        return await in_thread(_keep, writer, body, expected_md5)
    take = request.scope.get("extensions", {}).get(BODY_EXTENSION)
    tap: BodyTap | None = None if take is None or length is None else take(request.scope, length)
    source: Source = Stream(request, limit) if tap is None else tap
    job: asyncio.Future[None] | None = None
    try:
        while batch := await source.batch():
            if job is not None:
                await settled(job)
            job = start_in_thread(_write, writer, batch)
        if job is not None:
            await settled(job)
            job = None
        _check_length(writer.size, limit, expected_length)
        return await in_thread(writer.finish, expected_md5=expected_md5)
    finally:
        if tap is not None:
            tap.release()
        if job is not None:
            # The reason to stop is on its way up already; a second one adds nothing.
            await asyncio.wait([job])
            job.exception()
        await in_thread(writer.abort)


class Source(Protocol):
    """Where the batches of a large body come from."""

    async def batch(self) -> list[Bytes]:
        """About 1 MiB more; empty at the end. It may be overwritten two batches later."""


class Stream:
    """A large body through plain ASGI, for any server."""

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit
        self._size = 0
        self._ended = False

    async def batch(self) -> list[Bytes]:
        """About 1 MiB more; empty at the end. Raises TooLarge past the limit, ClientGone."""
        pieces: list[Bytes] = []
        gathered = 0
        while gathered < BATCH_BYTES and not self._ended:
            piece, self._ended = await _receive(self._request)
            gathered += len(piece)
            if self._size + gathered > self._limit:
                raise _too_large(self._limit)
            if piece:
                pieces.append(piece)
        self._size += gathered
        return pieces


async def _receive(request: Request) -> tuple[bytes, bool]:
    """The next piece of the body, and whether it is the last."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body", False)


async def _whole(request: Request, limit: int) -> bytes:
    """The body as it came; raises TooLarge past the limit, ClientGone."""
    body, ended = await _receive(request)
    if ended and len(body) <= limit:
        return body
    pieces = [body]
    size = len(body)
    while not ended:
        if size > limit:
            raise _too_large(limit)
        body, ended = await _receive(request)
        size += len(body)
        pieces.append(body)
    if size > limit:
        raise _too_large(limit)
    return b"".join(pieces)


def _keep(writer: Writer[Stored], body: Bytes, expected_md5: str | None) -> Stored:
    with writer:
        writer.write(body)
        return writer.finish(expected_md5=expected_md5)


def _write(writer: Writer[Stored], batch: list[Bytes]) -> None:
    for piece in batch:
        writer.write(piece)


def _check_length(length: int, limit: int, expected_length: int | None) -> None:
    if length > limit:
        raise _too_large(limit)
    if expected_length is not None and length != expected_length:
        raise Invalid(
            f"The body has {length} bytes, not {expected_length}; nothing was kept",
            code="length_mismatch",
        )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have at most {limit} bytes", limit=limit)


def _is_deep(value: Any) -> bool:
    """Whether it nests deeper than allowed. Goes level by level, never recursively."""
    level = [value]
    for _ in range(JSON_DEPTH_MAX + 1):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return False
        level = below
    return True
