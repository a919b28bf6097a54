"""The names of a collection: what each is on, who moved it when, and putting it back (R189)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from byname.domain.alias import LedgerRow
from byname.domain.collection import Collection
from byname.domain.errors import DomainError, Invalid, NotFound, Unprocessable, missing
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.operations import alias_move, history, listing
from byname.operations.alias_move import Expected, Move
from byname.web.history import parse_time
from byname.web.looks import ago_text, collection_path, why_not, with_query
from byname.web.pager import pager_of
from byname.web.visitor import Ask, Shown

PAGE = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the name, and how long it held."""

    change: LedgerRow
    until: datetime | None
    """None: until now."""
    restorable: bool
    """Whether it leads to another state than the present one, so that it can be gone back to."""


def show(ask: Ask, values: dict[str, Any], error: DomainError | None) -> Shown:
    """The tab *Aliases*: all names, or with `alias=` the timeline of one."""
    name = ask.query("alias")
    here = with_query(values["here"], tab="aliases")
    if name is not None:
        return _one(ask, values, with_query(here, alias=name), name, error)
    project, collection = values["project"], values["collection"]
    found, more = history.names_of(
        ask.ctx, project, collection, after=ask.query("after") or "", limit=PAGE
    )
    last = found[-1].alias if more else None
    return Shown(
        "aliases.html",
        {**values, "names": found, "here_tab": here, "pager": pager_of(ask.query, here, last)},
        error,
    )


def _one(
    ask: Ask, values: dict[str, Any], here: str, name: str, error: DomainError | None
) -> Shown:
    project, collection = values["project"], values["collection"]
    after = ask.query("after") or ""
    below = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    rows, _, following = history.holders_of(
        ask.ctx, project, collection, name, below=below, limit=PAGE
    )
    newest, _, _ = history.holders_of(ask.ctx, project, collection, name, limit=1)
    present = newest[0]
    untils: list[datetime | None] = [None, *(row.at for row in rows)]
    if below is not None:
        newer, _, _ = history.holders_of(
            ask.ctx, project, collection, name, below=below + 1, limit=1
        )
        untils[0] = newer[0].at if newer and newer[0].revision == below else None
    permission = Permission.PROTECTED_ALIAS if name in values["protected"] else Permission.ALIAS
    values = {
        **values,
        "alias_name": name,
        "present": present,
        "here_alias": here,
        "may_restore": why_not(values["role"], permission),
    }
    wanted = ask.query("restore")
    if wanted is not None or (error is not None and ask.text("do") == "restore"):
        return _ask_restore(ask, values, wanted or ask.text("revision"), error)
    numbers = {row.to_number for row in rows if row.to_number is not None}
    there = listing.numbers_there(ask.ctx, collection.id, sorted(numbers))
    steps = [
        Step(
            row,
            until,
            row.to_number != present.to_number
            and (row.to_number is None or row.to_number in there),
        )
        for row, until in zip(rows, untils, strict=False)
    ]
    asked_at = ask.query("at") or ""
    held: LedgerRow | None = None
    try:
        moment = parse_time(asked_at, "at")
        if moment is not None:
            held = history.holder_at(ask.ctx, project, collection, name, moment)
    except Unprocessable as problem:
        error, moment = error or problem, None
    return Shown(
        "timeline.html",
        {
            **values,
            "steps": steps,
            "there": there,
            "asked_at": asked_at,
            "moment": moment,
            "held": held,
            "pager": pager_of(ask.query, here, None if following is None else str(following)),
        },
        error,
    )


def whereabouts(ask: Ask, project: Project, collection: Collection, name: str) -> str:
    """Where the name is by now, who brought it there and when; empty where it never was anywhere."""
    try:
        found, _, _ = history.holders_of(ask.ctx, project, collection, name, limit=1)
    except NotFound:
        return ""
    last = found[0]
    where = "on no version" if last.to_number is None else f"on v{last.to_number}"
    since = ago_text((datetime.now(UTC) - last.at).total_seconds())
    did = "took it off" if last.to_number is None else "put it there"
    return f"{name} is {where} now: {last.actor_name} {did} {since}."


def _revision(
    ask: Ask, project: Project, collection: Collection, name: str, text: str
) -> LedgerRow:
    """The change of that revision.

    Raises:
        NotFound: there is none.
    """
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    rows, _, _ = history.holders_of(ask.ctx, project, collection, name, below=number + 1, limit=1)
    if not rows or rows[0].revision != number:
        raise missing(f"Revision {text[:20]} of {name[:200]}")
    return rows[0]


def _ask_restore(ask: Ask, values: dict[str, Any], text: str, error: DomainError | None) -> Shown:
    wanted = _revision(ask, values["project"], values["collection"], values["alias_name"], text)
    return Shown("restore.html", {**values, "wanted": wanted}, error)


def restore(ask: Ask, project: Project, collection: Collection) -> tuple[str, str]:
    """The name is where it was after a change of the past, if nobody moved it meanwhile.

    Where that is the state before the last change, the ledger says that it was undone. The address
    of the timeline, and what is to be said there.

    Raises:
        Forbidden: the role is too low (R80, R92).
        HolderChanged, PreconditionFailed: it was moved since the page was shown.
        Conflict, NotFound: the version is not there any more.
    """
    name = ask.query("alias") or ""
    wanted = _revision(ask, project, collection, name, ask.text("revision"))
    seen = ask.text("seen")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 19):
        raise Invalid("This form is not one of this page")
    number = wanted.to_number
    present = _revision(ask, project, collection, name, seen)
    if present.from_number == number:
        alias_move.undo(ask.ctx, project.id, collection.name, name, present.revision)
    else:
        expected = (
            Expected(version=None)
            if present.to_number is None
            else Expected(revision=present.revision)
        )
        target = None if number is None else f"v{number}"
        alias_move.move(ask.ctx, project.id, [Move(collection.name, name, target, expected)])
    here = ask.root + collection_path(project, collection.name, collection.type_name)
    where = "on no version" if number is None else f"on v{number}"
    return with_query(here, tab="aliases", alias=name), f"{name} is {where} again."
