"""How requests reach a server, and how its answers come back: by the standard library."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from byname.client.errors import refusal, why
from byname.domain.errors import Invalid, Unavailable

TIMEOUT_SECONDS = 60
ANSWER_BYTES_MAX = 64 * 1024 * 1024
NOT_MODIFIED = 304
"""It is as the asker knows it: an answer, though urllib takes it for an error."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key goes to the server that was named, and to no other."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def path(*segments: str) -> str:
    """The path below `/api/v1` with these segments, whatever they hold."""
    return "/api/v1/" + "/".join(quote(segment, safe="") for segment in segments)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: dict[str, Any]
    """The JSON object; empty when there is none."""
    headers: Mapping[str, str]


class Transport:
    """Sends requests to one server, with one key."""

    def __init__(self, url: str, api_key: str) -> None:
        """Raises Invalid: `url` is no address of a server."""
        try:
            readable = urlsplit(url).scheme in ("http", "https")
        except ValueError:
            readable = False
        if not readable:
            raise Invalid(f"{url!r} is no address of a server: write http://HOST:PORT")
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "byname"}
        if api_key.strip():
            self._headers["Authorization"] = f"Bearer {api_key.strip()}"

    def ask(
        self,
        method: str,
        where: str,
        body: dict[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one request.

        Raises:
            DomainError: the server refused; the class says why.
            Unavailable: it cannot be reached, or what answers is no Byname server.
        """
        address = self._url + where + (f"?{urlencode(query)}" if query else "")
        sent = {**self._headers, **(headers or {})}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310  The scheme was looked at.
            address, data=content, headers=sent, method=method
        )
        with _open(request, self._url) as answer:
            text = answer.read(ANSWER_BYTES_MAX)
            status, received = answer.status or 0, answer.headers
        return Answer(status, _object(text, self._url), _folded(received))

    def send(self, url: str, content: Any, size_bytes: int, headers: Sequence[str] = ()) -> None:
        """The content, bytes or an open file, is at an address that needs no key.

        Raises:
            DomainError: as `ask`.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise Invalid(f"{url[:200]!r} is no address that files are sent to")
        sent = {"User-Agent": "byname", "Content-Length": str(size_bytes)}
        for line in headers:
            name, _, value = line.partition(":")
            sent[name.strip()] = value.strip()
        sent.setdefault("Content-Type", "application/octet-stream")
        request = urllib.request.Request(  # noqa: S310  The scheme was looked at.
            url, data=content, headers=sent, method="PUT"
        )
        with _open(request, url) as answer:
            answer.read(ANSWER_BYTES_MAX)

    @contextmanager
    def fetch(self, url: str, first: int | None = None, last: int | None = None) -> Iterator[Any]:
        """The body behind an address that needs no key, or its bytes `first` to `last`, to read.

        Raises:
            DomainError: as `ask`.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise Invalid(f"{url[:200]!r} is no address that files are fetched from")
        headers = {"User-Agent": "byname", "Accept-Encoding": "identity"}
        if first is not None:
            headers["Range"] = f"bytes={first}-{last}"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  Looked at above.
        with _open(request, url) as answer:
            if first is not None and answer.status != 206:
                raise Unavailable("The server does not hand out parts of files", code="no_ranges")
            yield answer


def _answer(request: urllib.request.Request) -> HTTPResponse | urllib.error.HTTPError:
    try:
        answer: HTTPResponse = _OPENER.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != NOT_MODIFIED:
            raise
        return error
    return answer


@contextmanager
def _open(
    request: urllib.request.Request, url: str
) -> Iterator[HTTPResponse | urllib.error.HTTPError]:
    try:
        with _answer(request) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        with error:
            content = error.read(ANSWER_BYTES_MAX)
        raise refusal(error.code, content) from None
    except (OSError, HTTPException, ssl.SSLError) as error:
        host = urlsplit(url).netloc
        raise Unavailable(f"{host} does not answer: {why(error)}", code="unreachable") from None


def _object(text: bytes, url: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Unavailable(f"{url} answers, but not as a Byname server does", code="unexpected")
    return value


def _folded(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
