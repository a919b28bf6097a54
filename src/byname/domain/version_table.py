"""The table of a collection's versions: by what it is sorted, and from where it is read (R177)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from byname.domain import metric
from byname.domain.errors import Unprocessable

COLUMNS = ("version", "size", "by", "at")
"""What every collection's table can be sorted by; further there are the metrics, `metric:NAME`."""
METRIC = "metric:"

_SORT = re.compile(r"([+-]?)(.*)", re.DOTALL)
_PLACE = re.compile(r"([<>])v(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column, and whether from high to low."""

    column: str = "version"
    descending: bool = True

    @classmethod
    def parse(cls, text: str | None) -> Sort:
        """`-version` is the default: from the newest on.

        Raises:
            Unprocessable: there is no such column.
        """
        sign, column = _groups(_SORT, text or "-version")
        metric_name = column.removeprefix(METRIC)
        if column in COLUMNS or (metric_name != column and metric.is_sortable(metric_name)):
            return cls(column, sign == "-")
        raise Unprocessable(
            f"The table cannot be sorted by {column[:80]!r}; it can by {', '.join(COLUMNS)}, "
            f"and by {METRIC}NAME",
            field="sort",
        )

    @property
    def metric(self) -> str | None:
        """The metric it is sorted by, if it is."""
        name = self.column.removeprefix(METRIC)
        return None if name == self.column else name

    @property
    def text(self) -> str:
        """As it stands in an address."""
        return ("-" if self.descending else "+") + self.column


@dataclass(frozen=True, slots=True)
class Place:
    """Behind (or before) the version of that number, in the order of the table."""

    number: int
    before: bool = False

    @classmethod
    def parse(cls, text: str) -> Place:
        """`>v3`: what comes behind v3; `<v3`: what comes before it.

        Raises:
            Unprocessable: it is neither.
        """
        found = _PLACE.fullmatch(text)
        if found is None:
            raise Unprocessable("A page begins at >vN or ends at <vN", field="from")
        return cls(int(found[2]), found[1] == "<")

    @property
    def text(self) -> str:
        """As it stands in an address."""
        return f"{'<' if self.before else '>'}v{self.number}"


def _groups(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.fullmatch(text)
    return ("", text) if found is None else (found[1], found[2])
