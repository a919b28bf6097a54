"""What happened in a collection: filtered, page by page, and as a file (R187, R188)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from byname.domain import names
from byname.domain.errors import DomainError, Unprocessable
from byname.domain.history import Cursor, Entry, Filter, to_csv
from byname.operations import history as operations
from byname.operations.history import Page
from byname.web.looks import with_query
from byname.web.pager import pager_of
from byname.web.visitor import Answer, Ask, Shown, Written

PAGE = 50
PORTION = 1_000
WORDS = ("actor", "kind", "alias", "number", "since", "until")
"""A registry's page keeps `version` for the page of a version."""
KINDS = {
    "alias": "Aliases",
    "link": "Versions linked and unlinked",
    "artifact": "Versions logged, edited, deleted",
    "collection": "The collection itself",
}
FIELDS = (
    "at", "actor", "face", "kind", "subject", "collection", "version", "before", "after",
    "revision", "cause",
)  # fmt: skip

Read = Callable[[Filter, Cursor | None, int], Page]


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it stands in the address."""

    given: dict[str, str]

    @classmethod
    def of(cls, ask: Ask) -> Asked:
        """The words of the query that make the filter."""
        return cls({word: (ask.query(word) or "").strip() for word in WORDS})

    def filter(self) -> Filter:
        """What it means.

        Raises:
            Unprocessable: the version is no number, or a time cannot be read.
        """
        given = self.given
        return Filter(
            actor=given["actor"] or None,
            kind=given["kind"] or None,
            alias=given["alias"] or None,
            number=parse_number(given["number"]),
            since=_microseconds(given["since"], "since"),
            until=_microseconds(given["until"], "until"),
        )


_DONE = {
    "automation:create": "made an automation",
    "automation:delete": "deleted an automation",
    "automation:disable": "switched an automation off",
    "automation:update": "changed an automation",
    "artifact:create": "logged {version}",
    "artifact:delete": "deleted {version}",
    "artifact:expire": "deleted {version}, which was past its time",
    "artifact:tag": "changed tags of {version}",
    "artifact:update": "edited {version}",
    "collection:create": "made it",
    "collection:rename": "renamed it",
    "collection:tag": "changed its tags",
    "collection:update": "edited it",
    "link:create": "linked {version}",
    "link:delete": "unlinked {version}",
    "link:restore": "linked {version} again",
    "alias:add": "put {name} on {after}",
    "alias:move": "moved {name} to {after}",
    "alias:remove": "took {name} off {before}",
}


def done_words(entry: Entry) -> str:
    """What was done in a collection, in a few words that follow the name of who did it."""
    told = _DONE.get(entry.kind, entry.kind.replace(":", " ").replace("_", " "))
    version = "a version" if entry.number is None else f"v{entry.number}"
    return told.format(
        name=entry.subject, version=version, before=entry.before, after=entry.after
    )  # fmt: skip


def parse_number(text: str) -> int | None:
    """The number in `v3`; None for an empty text.

    Raises:
        Unprocessable: it is none.
    """
    if not text:
        return None
    if not names.is_number(text) or len(text) > 18:
        raise Unprocessable("A version is written as a number such as v3", field="number")
    return int(text[1:])


def parse_time(text: str, field: str) -> datetime | None:
    """A time as browsers send it, in UTC; None for an empty text.

    Raises:
        Unprocessable: it is none.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unprocessable("A time is written as 2026-01-31T15:04, in UTC", field=field) from None


def _microseconds(text: str, field: str) -> int | None:
    found = parse_time(text, field)
    return None if found is None else int(found.timestamp() * 1_000_000)


def show(ask: Ask, values: dict[str, Any], error: DomainError | None) -> Answer:
    """The tab of a collection's page; with `export=csv` or `json` all of it as a file."""
    project, collection = values["project"], values["collection"]
    here = with_query(values["here"], tab="history")
    asked = Asked.of(ask)

    def read(wanted: Filter, below: Cursor | None, limit: int) -> Page:
        return operations.read(
            ask.ctx, project, collection, wanted=wanted, below=below, limit=limit
        )

    form = ask.query("export")
    if form in ("csv", "json"):
        wanted = asked.filter()
        pieces = as_csv(read, wanted) if form == "csv" else as_json(read, wanted)
        kind = "text/csv" if form == "csv" else "application/json"
        return Written(f"{collection.name}-history.{form}", f"{kind}; charset=utf-8", pieces)
    found = Page([], None)
    try:
        after = ask.query("after")
        found = read(asked.filter(), Cursor.parse(after) if after else None, PAGE)
    except Unprocessable as problem:
        error = error or problem
    view = with_query(here, **asked.given)
    return Shown(
        "history.html",
        {
            **values,
            "asked": asked.given,
            "narrowed": any(asked.given.values()),
            "kinds": KINDS,
            "done_words": done_words,
            "entries": found.entries,
            "view": view,
            "pager": pager_of(ask.query, view, None if found.next is None else found.next.text),
        },
        error,
    )


def _portions(read: Read, wanted: Filter) -> Iterator[list[Entry]]:
    below: Cursor | None = None
    while True:
        page = read(wanted, below, PORTION)
        yield page.entries
        if page.next is None:
            return
        below = page.next


def _told(entry: Entry) -> dict[str, Any]:
    version = None if entry.number is None else f"v{entry.number}"
    at = entry.at.isoformat().replace("+00:00", "Z")
    return {
        field: {"at": at, "version": version}.get(field) or getattr(entry, field, None)
        for field in FIELDS
    }


def as_csv(read: Read, wanted: Filter) -> Iterator[bytes]:
    """The entries as CSV, newest first, portion by portion."""
    yield to_csv(list(FIELDS), []).encode()
    for entries in _portions(read, wanted):
        rows = [
            [json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v
             for v in _told(entry).values()]
            for entry in entries
        ]  # fmt: skip
        text = to_csv(list(FIELDS), rows)
        yield text.partition("\r\n")[2].encode("utf-8", "replace")


def as_json(read: Read, wanted: Filter) -> Iterator[bytes]:
    """The entries as one JSON list, newest first, portion by portion."""
    before = b"["
    for entries in _portions(read, wanted):
        for entry in entries:
            yield before + json.dumps(_told(entry), ensure_ascii=False).encode("utf-8", "replace")
            before = b",\n"
    yield b"]\n" if before != b"[" else b"[]\n"
