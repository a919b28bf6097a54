"""How do stored bytes go out? Whole or in ranges, by sendfile where the server offers it.

Files of users leave under headers with which no browser opens them on our origin (A11), and never
with a Content-Encoding (protocol section 11.4). A request for several ranges at once is answered
with the whole file, which RFC 9110 section 14.2 allows and every client understands.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from byname.blobs.store import BlobReader
from byname.http.connection import SENDFILE_EXTENSION
from byname.http.errors import error_body
from byname.http.message import Header, Request, send_bytes, send_json, send_start
from byname.http.threads import in_thread

CHUNK_BYTES = 1 << 20
INLINE_BYTES_MAX = 256 * 1024
"""Up to here reading inline is cheaper than the way to a thread and back."""
RANGE_PATTERN = re.compile(rb"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
RANGE_DIGITS_MAX = 20

FILE_HEADERS: tuple[Header, ...] = (
    (b"accept-ranges", b"bytes"),
    (b"cache-control", b"private, no-transform"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)


class Span(NamedTuple):
    """The bytes from `first` up to, not including, `end`."""

    first: int
    end: int


async def send_blob(
    request: Request,
    reader: BlobReader,
    *,
    filename: str,
    content_type: str = "application/octet-stream",
) -> None:
    """Answer GET or HEAD with a blob, honouring `Range`, `If-Range` and `If-None-Match`.

    `filename` is only a proposal for where the browser keeps the file: any text is safe there.
    `content_type` is a constant of the code, never what an uploader said. Closes the reader,
    whatever happens.

    Raises:
        ClientGone: the client went away meanwhile.
        EOFError: the stored file has become shorter; the answer is cut off.
    """
    try:
        await _send(request, reader, filename, content_type)
    finally:
        reader.close()


async def _send(request: Request, reader: BlobReader, filename: str, content_type: str) -> None:
    etag = b'"' + reader.sha256.encode("ascii") + b'"'
    headers = [
        *FILE_HEADERS,
        (b"etag", etag),
        (b"content-type", content_type.encode("latin-1", "replace")),
        (b"content-disposition", disposition(filename)),
    ]
    if _matches(request.headers(b"if-none-match"), etag):
        await send_start(request, 304, headers)
        await request.send({"type": "http.response.body", "body": b""})
        return
    status = 200
    span = Span(0, reader.size)
    wanted = request.header(b"range")
    if wanted is not None and request.method == "GET" and _range_holds(request, etag):
        part = parse_range(wanted, reader.size)
        if part is not None:
            if part.first == part.end:
                await _send_unsatisfiable(request, reader.size)
                return
            span = part
            status = 206
            headers.append(
                (b"content-range", b"bytes %d-%d/%d" % (span.first, span.end - 1, reader.size))
            )
    length = span.end - span.first
    if request.method == "HEAD":
        headers.append((b"content-length", b"%d" % length))
        await send_start(request, status, headers)
        await request.send({"type": "http.response.body", "body": b""})
    elif length <= INLINE_BYTES_MAX:
        body = reader.pread(length, span.first)
        if len(body) < length:
            raise EOFError("A stored file is shorter than it was")
        await send_bytes(request, status, body, headers)
    else:
        headers.append((b"content-length", b"%d" % length))
        await send_start(request, status, headers)
        await _send_span(request, reader, span)


async def _send_span(request: Request, reader: BlobReader, span: Span) -> None:
    """Send the body: by sendfile, or 1 MiB at a time, reading in a thread."""
    sendfile = request.scope.get("extensions", {}).get(SENDFILE_EXTENSION)
    if (
        sendfile is not None
        and reader.fd is not None
        and await sendfile(request.scope, reader.fd, span.first, span.end - span.first)
    ):
        await request.send({"type": "http.response.body", "body": b""})
        return
    offset = span.first
    while offset < span.end:
        chunk = await in_thread(reader.pread, min(CHUNK_BYTES, span.end - offset), offset)
        if not chunk:
            raise EOFError("A stored file is shorter than it was")
        offset += len(chunk)
        await request.send(
            {"type": "http.response.body", "body": chunk, "more_body": offset < span.end}
        )


async def _send_unsatisfiable(request: Request, size: int) -> None:
    message = f"The file has {size} bytes; the range asked for lies outside"
    await send_json(
        request,
        error_body("range_not_satisfiable", message, request.id),
        416,
        [(b"content-range", b"bytes */%d" % size), (b"accept-ranges", b"bytes")],
    )


def parse_range(wanted: bytes, size: int) -> Span | None:
    """The bytes asked for, an empty span where the file has none of them.

    None for anything but one well-formed range in bytes: such a header is to be ignored.
    """
    found = RANGE_PATTERN.fullmatch(wanted)
    if found is None:
        return None
    first, last = found.groups()
    if not (first or last) or len(first) > RANGE_DIGITS_MAX or len(last) > RANGE_DIGITS_MAX:
        return None
    if not first:
        return Span(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return Span(size, size)
    return Span(int(first), min(int(last) + 1, size) if last else size)


def _range_holds(request: Request, etag: bytes) -> bool:
    """Whether `If-Range`, where given, names the content which we have."""
    condition = request.header(b"if-range")
    return condition is None or condition.strip() == etag


def _matches(conditions: list[bytes], etag: bytes) -> bool:
    """Whether `If-None-Match` names the content; weak marks compare equal (RFC 9110, 13.1.2)."""
    named = [each.strip() for line in conditions for each in line.split(b",")]
    return any(each.removeprefix(b"W/") == etag or each == b"*" for each in named)


def disposition(filename: str) -> bytes:
    """A `Content-Disposition` which keeps the file from being opened (RFC 6266)."""
    base = filename.replace("\\", "/").rpartition("/")[2]
    encoded = quote(base.encode("utf-8", "replace")[:255], safe="")
    return f"attachment; filename*=UTF-8''{encoded or 'file'}".encode("ascii")
