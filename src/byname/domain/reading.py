"""Who read which version (R190): noted at once, written down in batches. No I/O.

A download of a thousand files is one reading, and so is everything that one actor fetches of one version
through one project until the next batch.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

READINGS_MAX = 50_000
"""So many are kept in memory at the most; more are written at once."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody read a version's files, or took it as an input of a run."""

    organization_id: int | None
    project_id: int
    """Through which they came to it."""
    version_id: int
    actor_id: int | None
    actor_name: str
    face: str
    address: str | None
    client: str | None


class Readings:
    """What was read since the last batch, with the time at which it was read last."""

    def __init__(self) -> None:
        self._noted: dict[Reading, int] = {}
        self._lock = threading.Lock()

    def note(self, reading: Reading, at: int) -> bool:
        """It will be written down; whether so many wait that it should be done now."""
        with self._lock:
            self._noted[reading] = at
            return len(self._noted) >= READINGS_MAX

    def take(self) -> dict[Reading, int]:
        """All that waits, which from now on waits no more."""
        with self._lock:
            taken, self._noted = self._noted, {}
            return taken

    def give_back(self, taken: dict[Reading, int]) -> None:
        """It could not be written; it waits again."""
        with self._lock:
            self._noted = {**taken, **self._noted}
