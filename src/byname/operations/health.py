"""How the server is: its parts, its room, its own jobs and the settings in force. For its admins."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from byname.domain.errors import Unprocessable
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.store import health as rows
from byname.store.moment import moment

FAILURE_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last time that a job of the server itself ran."""

    name: str
    every_seconds: float
    at: datetime | None = None
    """None: not since the server was started."""
    took_seconds: float = 0.0
    failure: str | None = None
    """The kind of what went wrong; the log has the rest."""


class Jobs:
    """What the server does by itself, and how it went; kept in the memory of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, JobRun] = {}

    def add(self, name: str, every_seconds: float) -> None:
        """The job will run that often."""
        with self._lock:
            self._runs[name] = JobRun(name, every_seconds)

    def note(self, name: str, *, at: int, took_seconds: float, failure: str | None = None) -> None:
        """The job ran, and ended at that time (in microseconds)."""
        with self._lock:
            every = self._runs[name].every_seconds
            failure = None if failure is None else failure[:FAILURE_LENGTH_MAX]
            self._runs[name] = JobRun(name, every, moment(at), took_seconds, failure)

    def all(self) -> list[JobRun]:
        """Every job with its last run, in the order in which they were added."""
        with self._lock:
            return list(self._runs.values())


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting as the server was started with it; of a secret only whether it is set."""

    variable: str
    value: str
    is_default: bool
    description: str


@dataclass(frozen=True, slots=True)
class About:
    """What is known of this process from its start."""

    version: str
    started_at: datetime
    settings: Sequence[SettingInForce] = ()
    jobs: Jobs = field(default_factory=Jobs)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many deliveries of automations wait, and since when the oldest does."""

    count: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The server as it is now."""

    about: About
    now: datetime
    schema: int
    database_bytes: int
    free_bytes: int
    kept_bytes: int | None
    """What the rows say is kept, equal content of one team once; None: too much to sum up now."""
    people: int
    service_accounts: int
    administrators: int
    organizations: int
    jobs: list[JobRun]
    waiting: Deliveries
    """Those that are sent as soon as their turn comes."""
    held: Deliveries
    """Those of automations that are off: they wait until these are on again."""

    @property
    def problems(self) -> list[str]:
        """What an administrator should look at."""
        found = [
            f"The job “{job.name}” failed when it last ran." for job in self.jobs if job.failure
        ]
        if self.free_bytes < LOW_BYTES:
            found.append("The disk is nearly full: uploads will be refused when it is.")
        return found


LOW_BYTES = 1_000_000_000
READ_SECONDS = 5.0


def read(ctx: Context, about: About) -> Health:
    """How the server is now.

    Raises:
        Forbidden: the actor is no server administrator.
    """
    require_server_admin(ctx, "see how this server is")
    with ctx.database.read() as tx:
        counts = rows.count_everybody(tx)
        schema = rows.schema_version(tx)
        pending = rows.pending_deliveries(tx)
        kept: int | None = None
        with contextlib.suppress(Unprocessable), tx.within(READ_SECONDS):
            kept = rows.sum_bytes(tx)
    return Health(
        about=about,
        now=moment(ctx.now()),
        schema=schema,
        database_bytes=ctx.database.size_bytes(),
        free_bytes=ctx.blobs.size_free_bytes(),
        kept_bytes=kept,
        people=counts["people"],
        service_accounts=counts["service_accounts"],
        administrators=counts["administrators"],
        organizations=counts["organizations"],
        jobs=about.jobs.all(),
        waiting=_deliveries(pending.get(True)),
        held=_deliveries(pending.get(False)),
    )


def _deliveries(found: tuple[int, int] | None) -> Deliveries:
    return Deliveries() if found is None else Deliveries(found[0], moment(found[1]))
