"""The versions of a collection as a table that people sort, filter and page through (R56, R177)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain import metric
from byname.domain.alias import LedgerRow
from byname.domain.collection import Collection, Membership
from byname.domain.entity import User
from byname.domain.errors import Unprocessable
from byname.domain.filter_words import parse_words
from byname.domain.version import Version
from byname.domain.version_table import Place, Sort
from byname.operations import listing
from byname.operations import user as users
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import search as search_rows
from byname.store import version_table as rows

SECONDS_MAX = 10.0
SAMPLE = 50
"""In the metadata of so many of the newest versions metrics are looked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One version of the table, with all that stands in its columns."""

    membership: Membership
    version: Version
    aliases: list[str]
    tags: list[str]
    linked_by: User | None
    named: LedgerRow | None
    """How the last of its aliases came here; None where it has none."""
    metrics: list[metric.Value]
    """The values of the metrics asked for, in their order."""


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the table, and from where its neighbours are read."""

    lines: list[Line]
    previous: Place | None
    next: Place | None
    total: int
    """How many versions the filter lets through."""


def read(
    ctx: Context,
    collection: Collection,
    *,
    words: str | None = None,
    sort: Sort | None = None,
    place: Place | None = None,
    metrics: Sequence[str] = (),
    first: int = 50,
) -> Table:
    """A page of the versions of a collection the actor was shown.

    Raises:
        Unprocessable: the filter cannot be understood or takes over 10 seconds, or the place is
            none of the collection.
    """
    wanted = parse_words(words)
    order = Sort() if sort is None else sort
    with ctx.database.read() as tx, tx.within(SECONDS_MAX):
        found = rows.read(tx, collection.id, wanted, order, place, first + 1)
        if found is None:
            raise Unprocessable("This page is not there any more; begin anew", field="from")
        total = (
            collection.version_count
            if wanted is None
            else search_rows.count_of_collection(tx, collection.id, wanted)
        )
    backward = place is not None and place.before
    shown = found[:first]
    further = len(found) > first
    if backward:
        shown.reverse()
    return Table(
        lines=_lines(ctx, shown, metrics),
        previous=Place(shown[0].number, before=True)
        if shown and (further if backward else place is not None)
        else None,
        next=Place(shown[-1].number) if shown and (further or backward) else None,
        total=total,
    )


def _lines(ctx: Context, shown: Sequence[Membership], metrics: Sequence[str]) -> list[Line]:
    versions = listing.versions(ctx, [each.version_id for each in shown])
    aliases = listing.aliases_of_memberships(ctx, [each.id for each in shown])
    tags = listing.version_tags(ctx, [each.version_id for each in shown])
    named = listing.last_names_of_memberships(ctx, [each.id for each in shown])
    people = users.load_users(
        ctx, sorted({each.created_by for each in shown if each.created_by is not None})
    )
    lines = []
    for each in shown:
        version = versions[each.version_id]
        values = metric.read(version.metadata) if metrics else {}
        lines.append(
            Line(
                each,
                version,
                aliases[each.id],
                tags[each.version_id],
                people.get(each.created_by or 0),
                named.get(each.id),
                [metric.value_of(values, name) for name in metrics],
            )
        )
    return lines


def offered_metrics(ctx: Context, collection: Collection) -> list[str]:
    """The metrics in the metadata of the newest versions of a collection the actor was shown."""
    with ctx.database.read() as tx:
        newest = collection_rows.list_memberships(tx, collection.id, below=None, limit=SAMPLE)
    versions = listing.versions(ctx, [each.version_id for each in newest])
    return metric.offered(metric.read(each.metadata) for each in versions.values())
