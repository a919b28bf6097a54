"""How does an address carry its own permission? Signed, expiring tokens. No I/O, no clock.

The client fetches and stores files without credentials (protocol sections 11.2 and 11.4), so the
address itself must authorize. A token is `<payload>.<mark>`, both in URL-safe base64: the payload
is the expiry and the fields as JSON, the mark 128 bits of HMAC-SHA256 under a key made for one
purpose, so that a token for one route says nothing to another.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeAlias

import orjson

from byname.domain.errors import Unauthenticated

Field: TypeAlias = int | str
MARK_BYTES = 16
SECRET_BYTES_MIN = 32
TOKEN_CHARACTERS_MAX = 8_192


class Signer:
    """Makes and checks tokens under one secret of at least 32 random bytes."""

    __slots__ = ("_keys", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"A signing secret has at least {SECRET_BYTES_MIN} bytes")
        self._secret = secret
        self._keys: dict[str, bytes] = {}

    def sign(self, purpose: str, fields: Sequence[Field], expires_at: int) -> str:
        """A token for these fields, good for `purpose` until `expires_at` (seconds since 1970).

        Purposes are constants of the code: each keeps a key in memory.
        """
        payload = urlsafe_b64encode(orjson.dumps([expires_at, *fields])).rstrip(b"=")
        return (payload + b"." + self._mark(purpose, payload)).decode("ascii")

    def verify(self, purpose: str, token: str, now: float) -> tuple[Field, ...]:
        """The fields of a token, as they were signed.

        Raises:
            Unauthenticated: `link_invalid` for anything this signer did not make for `purpose`,
                `link_expired` for what it made and whose time is over.
        """
        payload, _, mark = token.partition(".")
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise _not_ours()
        encoded = payload.encode("ascii")
        # The mark is compared as text: base64 has several spellings of one value.
        if not hmac.compare_digest(self._mark(purpose, encoded), mark.encode("ascii")):
            raise _not_ours()
        expires_at, *fields = orjson.loads(urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
        if now >= expires_at:
            raise Unauthenticated(
                "This address has expired; ask for a new one", code="link_expired"
            )
        return tuple(fields)

    def _mark(self, purpose: str, payload: bytes) -> bytes:
        key = self._keys.get(purpose)
        if key is None:
            key = hmac.digest(self._secret, b"byname link: " + purpose.encode(), "sha256")
            self._keys[purpose] = key
        return urlsafe_b64encode(hmac.digest(key, payload, "sha256")[:MARK_BYTES]).rstrip(b"=")


def _not_ours() -> Unauthenticated:
    return Unauthenticated("This address was not made by this server", code="link_invalid")
