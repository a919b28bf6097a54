"""What a page says when somebody else changed what a form changes too: who, when, and both texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from byname.domain.collection import Collection
from byname.domain.errors import DomainError, EditedMeanwhile
from byname.domain.history import Entry, Filter
from byname.domain.project import Project
from byname.operations import history
from byname.web.visitor import Ask

LOOKED_AT = 20
"""So many of the newest entries of the history may be of other kinds."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else's change, beside which the form keeps what was written."""

    who: str
    at: datetime | None
    present: Mapping[str, str]
    """The fields that both changed, by their labels, as they are now."""


def told(
    ask: Ask,
    error: DomainError | None,
    fields: Mapping[str, tuple[str, str]],
    last: Callable[[], Entry | None],
) -> Meanwhile | None:
    """Whose change the form would have undone; None where it was not refused for that.

    `fields` are those of the form: what each is called on the page, and how it is now.
    """
    if not isinstance(error, EditedMeanwhile):
        return None
    entry = last()
    present = dict(fields[name] for name in error.details["fields"] if name in fields)
    if entry is None:
        return Meanwhile("Somebody", None, present)
    mine = entry.actor_id == ask.ctx.who.user_id
    return Meanwhile("You yourself" if mine else entry.actor, entry.at, present)


def last_change(
    ask: Ask,
    project: Project,
    kinds: tuple[str, ...],
    collection: Collection | None = None,
    number: int | None = None,
    subject: str | None = None,
) -> Entry | None:
    """The newest entry of these kinds in the history; None where it is long ago."""
    wanted = Filter(kind=kinds[0].partition(":")[0], number=number)
    page = history.read(ask.ctx, project, collection, wanted=wanted, limit=LOOKED_AT)
    return next(
        (each for each in page.entries if each.kind in kinds and subject in (None, each.subject)),
        None,
    )
