"""One attempt: a request goes out through the guard, and little of its answer is read (F8, S1 to S5).

All of it together takes 10 seconds at the most, whatever the receiver does.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import ssl
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from byname import __version__
from byname.automations.guard import Guard
from byname.automations.signature import headers as signed
from byname.domain import payload
from byname.domain.delivery import ANSWER_BYTES_MAX, TIMEOUT_SECONDS, Outgoing, Reply, readable
from byname.domain.target import Targets

logger = logging.getLogger("byname.automations")

LOOKUPS_MAX = 512
"""Names are looked up in threads; a name server that does not answer holds one for longer than the
attempt lasts, and must not leave others without."""


class Sender:
    """Sends requests from a thread of its own, any number at a time."""

    def __init__(
        self,
        targets: Targets,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._targets = targets
        self._timeout_seconds = timeout_seconds
        self._resolver = resolver
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the thread, which is started when first asked for."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(
                    concurrent.futures.ThreadPoolExecutor(LOOKUPS_MAX, "lookup")
                )
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="automations", daemon=True
                )
                self._thread.start()
            return self._loop

    def send(self, request: Outgoing) -> Reply:
        """What the attempt came to; for callers in threads of their own."""
        return asyncio.run_coroutine_threadsafe(self.attempt(request), self.loop).result()

    def close(self) -> None:
        """The thread is gone. Nobody may be sending."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    async def attempt(self, request: Outgoing) -> Reply:
        """What the attempt came to: never an exception, and no secret in it (R141)."""
        began = time.monotonic()
        guard = Guard(self._targets)
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            status, answer, retry_after = await self._exchange(request, guard, deadline)
        except TimeoutError:
            return self._failed(
                began, f"There was no answer within {self._timeout_seconds:g} seconds"
            )
        except Exception as error:  # noqa: BLE001  Whatever it is, the delivery has failed.
            if guard.refusals and not guard.passed:
                return self._failed(began, f"Nothing was sent: {guard.refusals[0]}", again=False)
            text, again = _told(error, _host(request.url))
            return self._failed(began, text, again=again)
        shown = readable(answer, request.hidden)
        return Reply(status, shown, None, retry_after, seconds=time.monotonic() - began)

    @staticmethod
    def _failed(began: float, error: str, *, again: bool = True) -> Reply:
        return Reply(None, error=error, again=again, seconds=time.monotonic() - began)

    async def _exchange(
        self, request: Outgoing, guard: Guard, deadline: float
    ) -> tuple[int, bytes, str | None]:
        headers = signed(
            request.body,
            delivery_id=request.delivery_id,
            event=request.event,
            at=datetime.now(UTC),
            secret=request.signing_secret,
        )
        headers["Content-Type"] = payload.content_type(request.body)
        headers["User-Agent"] = f"Byname/{__version__}"
        headers["Accept-Encoding"] = "identity"
        if request.access_token:
            headers["Authorization"] = f"Bearer {request.access_token}"
        # A connector for each request: no connection is used again, each goes through the guard.
        connector = aiohttp.TCPConnector(
            socket_factory=guard,
            force_close=True,
            use_dns_cache=False,
            resolver=self._resolver,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=ANSWER_BYTES_MAX // 4,
        ) as session:
            async with asyncio.timeout_at(deadline):
                response = await session.post(
                    request.url, data=request.body.encode(), headers=headers, allow_redirects=False
                )
            answer = await _beginning(response, deadline)
            return response.status, answer, response.headers.get("Retry-After")


async def _beginning(response: aiohttp.ClientResponse, deadline: float) -> bytes:
    """The first 64 kB of the answer, or what came of it: the status says all that counts."""
    found = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            while len(found) < ANSWER_BYTES_MAX:
                piece = await response.content.read(ANSWER_BYTES_MAX - len(found))
                if not piece:
                    break
                found += piece
    except (aiohttp.ClientError, OSError, TimeoutError):
        logger.debug("An answer ended early")
    response.close()
    return bytes(found)


def _host(url: str) -> str:
    """Whom an error is told of. Paths and queries may be secret, as Slack's are."""
    try:
        return urlsplit(url).hostname or "the receiver"
    except ValueError:
        return "the receiver"


def _told(error: Exception, host: str) -> tuple[str, bool]:
    """The error in our own words, which hold no secret; and whether trying again may help."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"The host name {host} could not be looked up", True
        case aiohttp.ClientConnectorCertificateError():
            return f"The certificate of {host} is not valid: {_reason(error)}", True
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return f"No secure connection to {host} could be made", True
        case aiohttp.ClientConnectorError():
            return f"No connection to {host} could be made: {_reason(error)}", True
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "The receiver closed the connection without an answer", True
        case aiohttp.InvalidURL() | ValueError():
            return "The URL or the access token cannot be sent as it is written", False
        case aiohttp.ClientResponseError():
            return "The answer is not readable as HTTP", True
        case aiohttp.ClientError() | OSError():
            return "The connection broke off before an answer came", True
    logger.error("An attempt failed in the server itself: %s", type(error).__name__)
    return "The server failed in making this request; its log says more", True


def _reason(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            inner = error.certificate_error
            return str(getattr(inner, "verify_message", "")) or "it could not be verified"
        case aiohttp.ClientConnectorError():
            return error.os_error.strerror or "the connection failed"
    return "it failed"
