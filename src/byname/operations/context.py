"""What every operation gets as its first argument: who asks, and the parts of this server."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from byname.blobs.store import BlobStore
from byname.domain.delivery import Outgoing, Reply
from byname.domain.errors import Unauthenticated, Unavailable
from byname.domain.policy import Actor
from byname.domain.project import Project
from byname.domain.reading import Readings
from byname.domain.refusal import Attempt, Refusals
from byname.domain.target import PUBLIC, Targets
from byname.store.database import Database
from byname.store.vault import Vault


def now_microseconds() -> int:
    """The time in whole microseconds since 1970, UTC: the form in which rows keep it."""
    return time.time_ns() // 1_000


PageOf = Callable[[Project, str, int | None, str], str]
"""The address of the page of a version (without a number: of the collection) on this server."""


class Sender(Protocol):
    """Sends requests to where the administrator allows."""

    def send(self, request: Outgoing) -> Reply:
        """What the attempt came to; never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit log (R190)."""

    address: str | None = None
    client: str | None = None
    """What sent it, as it names itself: the `User-Agent`."""


NOWHERE = Origin()
CLIENT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Context:
    """One request's view of the server. `actor` is None for an anonymous asker."""

    database: Database
    blobs: BlobStore
    actor: Actor | None = None
    face: str = "server"
    """Through which face the request came, for the ledger: sdk, rest, cli, web or server."""
    now: Callable[[], int] = now_microseconds
    """The clock, in microseconds since 1970."""
    targets: Targets = PUBLIC
    """Which addresses requests may be sent to."""
    vault: Vault | None = None
    """Encrypts and decrypts what teams keep secret."""
    sender: Sender | None = None
    """Sends what somebody wants to try out. None: this process sends nothing."""
    page_of: PageOf | None = None
    """The addresses of pages, for what is sent to others."""

    origin: Origin = NOWHERE
    """Where the request came from."""
    readings: Readings | None = None
    """Remembers who read what; None where nobody writes it down."""
    refusals: Refusals | None = None
    """Remembers what was refused; None where nobody writes it down."""
    attempt: Attempt = field(default_factory=Attempt)
    """What this request turned out to be about."""

    def acting(self, actor: Actor | None, face: str, origin: Origin = NOWHERE) -> Context:
        """The same server, asked by somebody through some face."""
        return replace(self, actor=actor, face=face, origin=origin, attempt=Attempt())

    @property
    def safe(self) -> Vault:
        """The vault.

        Raises:
            Unavailable: this process was started without the keys.
        """
        if self.vault is None:
            raise Unavailable("Secrets cannot be used here: this process has no encryption key")
        return self.vault

    @property
    def who(self) -> Actor:
        """The actor.

        Raises:
            Unauthenticated: nobody is logged in.
        """
        if self.actor is None:
            raise Unauthenticated("You need to be logged in: send an API key")
        return self.actor
