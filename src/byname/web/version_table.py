"""The *Versions* table on a collection's page: its columns, links and forms (R56, R177)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from byname.domain import metric
from byname.domain.collection import Collection
from byname.domain.errors import Unprocessable
from byname.domain.filter_words import HELP
from byname.domain.version_table import METRIC, Place, Sort
from byname.operations import version_table as operations
from byname.web.looks import with_query
from byname.web.pager import Pager
from byname.web.visitor import Ask

PAGE = 50


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column by which the table can be sorted."""

    label: str
    link: str | None
    """Sorts by it, or the other way round; None where nobody can."""
    order: str | None
    """`ascending` or `descending` when the table is sorted by it."""
    right: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What somebody chose to see of the table, which every link and form on it keeps."""

    here: str
    words: str
    sort: Sort
    metrics: tuple[str, ...]

    @classmethod
    def of(cls, ask: Ask, here: str) -> View:
        """The view that the address asks for.

        Raises:
            Unprocessable: there is no such column to sort by.
        """
        chosen = dict.fromkeys(ask.queries("metric"))
        fit = [each for each in chosen if each and len(each) <= metric.NAME_LENGTH_MAX]
        return cls(
            here,
            (ask.query("filter") or "").strip(),
            Sort.parse(ask.query("sort")),
            tuple(fit[: metric.CHOSEN_MAX]),
        )

    def pairs(self, *, sort: Sort | None = None, leave: str = "") -> list[tuple[str, str]]:
        """The view as words of a query; without the word `leave`."""
        order = self.sort if sort is None else sort
        found = [("filter", self.words)] if self.words else []
        if order != Sort():
            found.append(("sort", order.text))
        found += [("metric", each) for each in self.metrics]
        return [each for each in found if each[0] != leave]

    def page(self, place: Place) -> str:
        """The address of the page that begins or ends there."""
        return with_query(self.link(), **{"from": place.text})

    def link(self, *, sort: Sort | None = None, leave: str = "", **more: str) -> str:
        """The address of the table as seen so."""
        pairs = [*self.pairs(sort=sort, leave=leave), *more.items()]
        if not pairs:
            return self.here
        sign = "&" if "?" in self.here else "?"
        return f"{self.here}{sign}{urlencode(pairs, quote_via=quote, safe='')}"

    def head(
        self, label: str, column: str, *, right: bool = False, first_down: bool = True
    ) -> Head:
        """The head of a column; the first click on it puts the largest on top."""
        if column.startswith(METRIC) and not metric.is_sortable(column.removeprefix(METRIC)):
            return Head(label, None, None, right)
        sorted_now = self.sort.column == column
        down = not self.sort.descending if sorted_now else first_down
        order = ("descending" if self.sort.descending else "ascending") if sorted_now else None
        return Head(label, self.link(sort=Sort(column, down)), order, right)


def table_values(
    ask: Ask, collection: Collection, here: str, hidden: Sequence[tuple[str, str]]
) -> tuple[dict[str, Any], Unprocessable | None]:
    """What the template shows of the table, and what was wrong with the filter or page, if anything.

    `hidden` is the part of the page's own address that a form with its own query must repeat.
    """
    problem: Unprocessable | None = None
    view = View(here, (ask.query("filter") or "").strip(), Sort(), ())
    try:
        view = View.of(ask, here)
        start = ask.query("from")
        table = operations.read(
            ask.ctx,
            collection,
            words=view.words,
            sort=view.sort,
            place=Place.parse(start) if start else None,
            metrics=view.metrics,
            first=PAGE,
        )
    except Unprocessable as error:
        problem = error
        table = operations.Table([], None, None, 0)
    verb = "Logged" if collection.is_sequence else "Linked"
    pager = Pager(
        first=view.link() if table.previous else None,
        previous=view.page(table.previous) if table.previous else None,
        next=view.page(table.next) if table.next else None,
    )
    values = {
        "table": table,
        "view": view,
        "hidden": hidden,
        "pager": pager,
        "version_head": view.head("Version", "version"),
        "metric_heads": [view.head(each, METRIC + each, right=True) for each in view.metrics],
        "other_heads": [
            view.head("Size", "size", right=True),
            view.head(f"{verb} by", "by", first_down=False),
            view.head(f"{verb} at", "at"),
        ],
        "filter_help": HELP,
    }
    return values, problem


def metric_values(ask: Ask, collection: Collection, here: str) -> dict[str, Any]:
    """What the page shows on which metrics are chosen (*Show metrics*)."""
    view = View.of(ask, here)
    offered = operations.offered_metrics(ask.ctx, collection)
    return {
        "view": view,
        "offered": [*view.metrics, *(each for each in offered if each not in view.metrics)],
        "chosen_max": metric.CHOSEN_MAX,
    }
