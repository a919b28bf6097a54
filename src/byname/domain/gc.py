"""Garbage: which bytes stay, which go, and why (R163, D7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

FRESH_MICROSECONDS = 24 * 3600 * 1_000_000
"""What was received within a day stays: its row or version may be on the way (D7)."""


class Reason(StrEnum):
    """Why bytes stay or go, as a sentence of its own.

    - Bytes that a version's file, a manifest or a run's file names stay for as long as that does.
    - What lies in the trash stays until it cannot be restored any more (R164).
    - What is being uploaded stays; an upload at which nothing happened for a day is given up (L9).
    - Bytes without a row are what a crash left behind.
    """

    FRESH = "received less than a day ago"
    VERSION = "a file of a version"
    MANIFEST = "the manifest of a version"
    RUN_FILE = "a file of a run"
    UPLOAD = "brought for a version that is being uploaded"
    TRASH = "a file or manifest of a version in the trash"
    UNNEEDED = "nothing names it"
    NO_ROW = "left behind by a crash: the server knows nothing of it"

    @property
    def goes(self) -> bool:
        """Whether bytes for this reason are removed."""
        return self in (Reason.UNNEEDED, Reason.NO_ROW)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a collection would do with one blob."""

    entity_id: int
    sha256: str
    size_bytes: int
    reason: Reason


@dataclass(slots=True)
class Collected:
    """What one collection did. Bytes are those that the disk has back."""

    freed_bytes: int = 0
    blobs: int = 0
    blobs_without_row: int = 0
    uploads_given_up: int = 0
    versions_emptied: int = 0
    run_files: int = 0
    leftovers: int = 0
    """Temporary files and parts of uploads that were never finished."""


@dataclass(slots=True)
class Preview:
    """What a collection would do, counted as its verdicts go by."""

    freed_bytes: int = 0
    goes: int = 0
    stays: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> None:
        """The verdict is in the sums."""
        if verdict.reason.goes:
            self.goes += 1
            self.freed_bytes += verdict.size_bytes
        else:
            self.stays += 1
        name = verdict.reason.name.lower()
        self.by_reason[name] = self.by_reason.get(name, 0) + 1
