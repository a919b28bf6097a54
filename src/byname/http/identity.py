"""A provider of log-ins by OpenID Connect: where it is, what it signs with, trading codes for names.

The authorization code flow with PKCE. What makes the requests is given from outside, so that they
pass the same guard as all others that leave this server.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from byname.domain.errors import Unavailable
from byname.domain.identity import Identity, identity_of, read_claims, refused

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Signatures with a key pair only: `none` is nobody's word, and with HMAC our own secret would sign."""

DISCOVERY = "/.well-known/openid-configuration"
KNOWN_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 30.0
"""Unknown keys are asked for this often at the most."""
TOKEN_LENGTH_MAX = 64 * 1024


class Fetch(Protocol):
    """Makes one request and reads its whole answer, within bounds of time and size."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Awaitable[tuple[int, bytes]]:
        """Status and body; `Unavailable` when there is no answer."""  # fmt: skip


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in that a browser has begun: what must come back, and what must not be known elsewhere."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Begun:
        """Three fresh secrets of 256 bits."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """The verifier as the provider is told it at first (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(slots=True)
class _Known:
    """What the provider published, and until when that is believed."""

    document: dict[str, Any]
    keys: KeySet
    at: float


@dataclass(slots=True)
class Provider:
    """The provider that the administrator chose."""

    issuer: str
    client_id: str
    client_secret: str | None
    name: str
    scopes: str
    fetch: Fetch
    clock: Callable[[], float] = time.time
    _known: _Known | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def address_of(self, begun: Begun, redirect_uri: str) -> str:
        """Where the browser goes to log in.

        Raises:
            Unavailable: the provider does not answer, or not as it should.
        """
        known = await self._learn()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": redirect_uri,
                "scope": self.scopes,
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": begun.challenge,
                "code_challenge_method": "S256",
            }
        )
        endpoint = str(known.document["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def identify(self, begun: Begun, code: str, redirect_uri: str) -> Identity:
        """Whom the provider says the code stands for.

        Raises:
            Unauthenticated: the code is not good, or the answer cannot be trusted.
            Unavailable: the provider does not answer, or not as it should.
        """
        known = await self._learn()
        answer = await self._trade(known, begun, code, redirect_uri)
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > TOKEN_LENGTH_MAX:
            raise refused("it holds no ID token")
        claims = await self._verified(known, token)
        found = read_claims(
            claims,
            issuer=self.issuer,
            client_id=self.client_id,
            nonce=begun.nonce,
            now=self.clock(),
        )
        if found.email is None and isinstance(answer.get("access_token"), str):
            return await self._told_more(known, found, answer["access_token"])
        return found

    async def _trade(
        self, known: _Known, begun: Begun, code: str, redirect_uri: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client_id,
            "code_verifier": begun.verifier,
        }
        headers = {}
        if self.client_secret is not None:
            offered = known.document.get("token_endpoint_auth_methods_supported")
            if isinstance(offered, list) and "client_secret_basic" not in offered:
                form["client_secret"] = self.client_secret
            else:
                pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
                headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        endpoint = str(known.document["token_endpoint"])
        status, body = await self.fetch("POST", endpoint, form=form, headers=headers)
        if status != 200:
            raise refused("it does not accept this log-in")
        return _object(body, "what it gives for the code")

    async def _verified(self, known: _Known, token: str) -> dict[str, Any]:
        """The claims of a token that one of the provider's keys has signed."""
        for keys in (known.keys, None):
            try:
                found = keys or (await self._learn(again=True)).keys
                made = jwt.decode(token, found, algorithms=ALGORITHMS)
                return dict(made.claims)
            except (JoseError, ValueError, TypeError) as error:
                # A new key may be in use: the provider is asked once more, but not at each try.
                fresh = (
                    self._known is not None and self.clock() - self._known.at < KEYS_AGAIN_SECONDS
                )
                if keys is None or fresh or not _may_be_new(token, known.keys):
                    raise refused("its signature is not good") from error
        raise AssertionError

    async def _told_more(self, known: _Known, found: Identity, access_token: str) -> Identity:
        """With what the provider says at its own place, if that is of the same person."""
        endpoint = known.document.get("userinfo_endpoint")
        if not isinstance(endpoint, str):
            return found
        headers = {"Authorization": f"Bearer {access_token}"}
        status, body = await self.fetch("GET", endpoint, headers=headers)
        if status != 200:
            return found
        more = identity_of(_object(body, "what it says of you"), self.issuer)
        if more.subject != found.subject:
            raise refused("it speaks of two people")
        return more

    async def _learn(self, *, again: bool = False) -> _Known:
        """Where everything is and the keys, asked for hourly."""
        async with self._lock:
            now = self.clock()
            if self._known is None or again or now - self._known.at > KNOWN_SECONDS:
                document = await self._read(self.issuer.rstrip("/") + DISCOVERY)
                if document.get("issuer") != self.issuer:
                    raise Unavailable(
                        "The provider of log-ins calls itself otherwise than in this server's "
                        "settings; its administrator must set the issuer exactly"
                    )
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    self._check_address(document.get(name), name)
                published = await self._read(document["jwks_uri"])
                try:
                    keys = KeySet.import_key_set(published)  # type: ignore[arg-type]
                except (JoseError, ValueError, TypeError, KeyError) as error:
                    raise _broken("its keys cannot be read") from error
                self._known = _Known(document, keys, now)
            return self._known

    def _check_address(self, value: Any, name: str) -> None:
        """Only who is reached in the clear themselves may name places reached in the clear."""
        wanted = ("https", "http") if self.issuer.startswith("http://") else ("https",)
        try:
            fits = isinstance(value, str) and urlsplit(value).scheme in wanted
        except ValueError:
            fits = False
        if not fits:
            raise _broken(f"its {name} is no address to go to")

    async def _read(self, url: str) -> dict[str, Any]:
        status, body = await self.fetch("GET", url)
        if status != 200:
            raise _broken(f"it answers with status {status}")
        return _object(body, "what it publishes")


def _may_be_new(token: str, keys: KeySet) -> bool:
    """Whether the token names a key that is not among these."""
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError):
        return False
    return header.get("kid") not in {key.kid for key in keys.keys}


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except ValueError:
        raise _broken(f"{what} cannot be read") from None
    if not isinstance(value, dict):
        raise _broken(f"{what} cannot be read")
    return value


def _broken(why: str) -> Unavailable:
    return Unavailable(f"The provider of log-ins does not answer as it should: {why}")
