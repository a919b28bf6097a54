"""Asking a service that the administrator named, and what it names in turn, through the guard (S1).

Its own address may be a private one: the administrator chose it. Whatever else it points to must be
where this server may send to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from byname import __version__
from byname.automations.guard import Guard
from byname.domain.errors import Unavailable
from byname.domain.target import Targets

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 1024 * 1024


def _place(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


class Fetcher:
    """Makes requests to the chosen service, and guarded ones to what it names."""

    def __init__(
        self, chosen: str, targets: Targets, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._chosen = _place(chosen)
        self._targets = targets
        self._timeout_seconds = timeout_seconds

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of the answer, of 1 MiB at the most. No redirect is followed.

        Raises:
            Unavailable: there is none within 10 seconds, or none may be asked for.
        """
        try:
            host = _place(url)[1]
            guard = None if _place(url) == self._chosen else Guard(self._targets)
        except ValueError:
            raise Unavailable("An address of the provider cannot be read") from None
        connector = aiohttp.TCPConnector(
            socket_factory=guard, force_close=True, use_dns_cache=False
        )
        sent = {"User-Agent": f"Byname/{__version__}", "Accept": "application/json"}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                async with aiohttp.ClientSession(
                    connector=connector,
                    trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as session:
                    async with session.request(
                        method,
                        url,
                        data=None if form is None else dict(form),
                        headers=sent | dict(headers or {}),
                        allow_redirects=False,
                    ) as answer:
                        return answer.status, await _read(answer)
        except TimeoutError:
            raise _silent(host, f"no answer within {self._timeout_seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if guard is not None and guard.refusals and not guard.passed:
                raise _silent(
                    host, f"this server may not send there: {guard.refusals[0]}"
                ) from None
            raise _silent(host, "no connection, or it broke off") from error


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for piece in answer.content.iter_any():
        found += piece
        if len(found) > ANSWER_BYTES_MAX:
            raise ValueError("The answer is too long")
    return bytes(found)


def _silent(host: str, why: str) -> Unavailable:
    return Unavailable(f"{host} could not be asked: {why}")
