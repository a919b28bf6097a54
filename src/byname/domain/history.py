"""What happened, one entry for each change: how it is asked for and how it is told (R187 to R191)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from byname.domain.errors import Unprocessable

LIMIT_MAX = 1_000
AUDIT_LIMIT_MAX = 20_000
STEPS_MAX = 10_000
DONE = 200
"""The status, in the audit log, of every change: it is written down when it is done."""

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?")
_AT = re.compile(r"(\d{8}T\d{6})(\.\d{1,6})?Z")
_STEPS = re.compile(r"\d{1,5}")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "|", "%")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the history: behind the ledger's row `ledger_id`, the entry `id` (0: that row)."""

    ledger_id: int
    id: int
    reading: int = 0
    """In the audit log: behind that reading, which lies behind the entry."""
    refusal: int = 0
    """In the audit log: behind that refusal, which lies behind the reading."""

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The place that a page said it ended at.

        Raises:
            Unprocessable: no page said so.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise Unprocessable("The cursor is not one that a page ended with", field="cursor")
        return cls(*(int(each or 0) for each in found.groups()))

    @property
    def text(self) -> str:
        """As it is handed out."""
        places = [self.ledger_id, self.id]
        if self.reading or self.refusal:
            places.append(self.reading)
        if self.refusal:
            places.append(self.refusal)
        return ".".join(str(each) for each in places)


@dataclass(frozen=True, slots=True)
class Refused:
    """How a request was refused, and how often within some seconds."""

    call: str
    """The mutation, or method and pattern of the address."""
    status: int
    code: str
    count: int
    outside: bool
    """Whether who asked does not belong to the organization."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    cursor: Cursor
    at: datetime
    actor_id: int | None
    actor: str
    face: str
    kind: str
    """`noun:verb`, for example `alias:move`, `link:create`, `member:set`."""
    subject: str
    """What it happened to: an alias, a version, a member."""
    project_id: int | None
    project: str | None
    collection_id: int | None
    collection: str | None
    version_id: int | None
    number: int | None
    before: Any
    after: Any
    revision: int | None = None
    """Of the alias, for what happened to aliases."""
    cause: str | None = None
    address: str | None = None
    """In the audit log: the network address it was asked from."""
    client: str | None = None
    """In the audit log: what it was asked with."""
    names: tuple[str, ...] = ()
    """Of a link: the aliases that it placed, or took with it."""
    digest: str | None = None
    """Of the version of that number, where it was asked for."""
    refused: Refused | None = None
    """In the audit log: that it was refused, and how; None for what was done."""


class Sort(StrEnum):
    """What an entry of the audit log tells of."""

    CHANGED = "changed"
    READ = "read"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; None is all."""

    actor: str | None = None
    kind: str | None = None
    """A kind, or a noun for all its verbs."""
    alias: str | None = None
    number: int | None = None
    since: int | None = None
    """Microseconds, included."""
    until: int | None = None
    """Microseconds, included."""
    sort: Sort | None = None
    """In the audit log: what was changed, read or refused only."""


def check_limit(limit: int, most: int = LIMIT_MAX) -> int:
    """The number of entries of a page.

    Raises:
        Unprocessable: not from 1 to the most.
    """
    if not 1 <= limit <= most:
        raise Unprocessable(f"The limit must be from 1 to {most:,}", field="limit")
    return limit


@dataclass(frozen=True, slots=True)
class Past:
    """A reference to the past of an alias (R189): as of a time, or so many holders ago."""

    alias: str
    at: datetime | None = None
    steps: int | None = None


def parse_past(ref: str) -> Past | None:
    """`alias@20260102T150405Z` or `alias~1`; None when the words are neither."""
    alias, sign, rest = ref.rpartition("@")
    if sign and alias:
        found = _AT.fullmatch(rest)
        if found is None:
            return None
        try:
            at = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
        fraction = (found[2] or ".")[1:].ljust(6, "0")
        return Past(alias, at=at.replace(microsecond=int(fraction)))
    alias, sign, rest = ref.rpartition("~")
    if sign and alias and _STEPS.fullmatch(rest) and int(rest) <= STEPS_MAX:
        return Past(alias, steps=int(rest))
    return None


def cell(value: Any) -> str:
    """The value as a cell of a CSV file, which no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text.lstrip(" ").startswith(_RISKY) else text


def to_csv(header: list[str], rows: Iterable[list[Any]]) -> str:
    """The rows as CSV (RFC 4180), safe to open in a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()
