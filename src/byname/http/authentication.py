"""Who is asking: from the `Authorization` header to an `Actor` (protocol 3, A6)."""

from __future__ import annotations

import binascii
import threading
from base64 import b64decode
from collections.abc import Callable

from byname.domain.errors import Unauthenticated
from byname.domain.key import fingerprint, is_key
from byname.domain.policy import Actor
from byname.operations import key as key_operations
from byname.operations.context import Context, now_microseconds
from byname.store import key as keys
from byname.store.database import Database

HEADER_LENGTH_MAX = 1024
BETWEEN_USES_MICROSECONDS = 60 * 1_000_000

_UNREADABLE = (
    "The Authorization header cannot be read: send 'Bearer KEY', or Basic with the API key as the "
    "password"
)
_UNKNOWN = (
    "The API key is not valid: it is mistyped, was deleted, belongs to another server, or its owner "
    "is deactivated"
)


def read_key(authorization: str | bytes) -> str:
    """The API key in a header: of `Basic` the password, whatever the user name; of `Bearer` all.

    Raises:
        Unauthenticated: the header cannot be read.
    """
    if isinstance(authorization, bytes):
        authorization = authorization.decode("latin-1")
    if len(authorization) > HEADER_LENGTH_MAX:
        raise Unauthenticated(_UNREADABLE)
    scheme, _, rest = authorization.strip().partition(" ")
    scheme = scheme.lower()
    rest = rest.strip()
    if scheme == "bearer" and rest:
        return rest
    if scheme != "basic":
        raise Unauthenticated(_UNREADABLE)
    try:
        _, colon, key = b64decode(rest, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise Unauthenticated(_UNREADABLE) from None
    if not colon:
        raise Unauthenticated(_UNREADABLE)
    return key


def authenticate(database: Database, authorization: str | bytes | None) -> Actor | None:
    """Who holds the key in the header, with all roles as they stand now; None without a header.

    Raises:
        Unauthenticated: the header cannot be read, or no live user has that key. Nothing else,
            whatever the header holds.
    """
    if authorization is None:
        return None
    key = read_key(authorization).strip()
    if not is_key(key):
        raise Unauthenticated(_UNKNOWN)
    with database.read() as tx:
        actor = keys.find_actor(tx, fingerprint(key))
    if actor is None:
        raise Unauthenticated(_UNKNOWN)
    return actor


def actor_of_user(database: Database, user_id: int) -> Actor | None:
    """The user as they stand now, for whom an address was signed; None when they are gone."""
    with database.read() as tx:
        return keys.find_actor_of_user(tx, user_id)


class KeyUses:
    """Remembers when keys were used, so that a request need not wait for that to be written.

    `note` costs a look into a dictionary. `save` writes what came together; call it every minute or
    so from a thread, and once at the end. A key is written at most once a minute.
    """

    def __init__(self, now: Callable[[], int] = now_microseconds) -> None:
        self._now = now
        self._noted: dict[int, int] = {}
        self._unsaved: dict[int, int] = {}
        self._lock = threading.Lock()

    def note(self, actor: Actor | None) -> None:
        """The actor's key is in use just now."""
        if actor is None or actor.key_id is None:
            return
        now = self._now()
        if now - self._noted.get(actor.key_id, 0) >= BETWEEN_USES_MICROSECONDS:
            with self._lock:
                self._noted[actor.key_id] = self._unsaved[actor.key_id] = now

    def save(self, ctx: Context) -> None:
        """What was noted since the last time is on disk."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
            oldest = self._now() - BETWEEN_USES_MICROSECONDS
            self._noted = {key: at for key, at in self._noted.items() if at >= oldest}
        key_operations.save_uses(ctx, unsaved)
