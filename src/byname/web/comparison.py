"""Two versions of a collection side by side (R59)."""

from __future__ import annotations

from typing import Any

from byname.domain.errors import Invalid
from byname.operations import comparison as operations
from byname.web.looks import segment, with_query
from byname.web.pager import pager_of
from byname.web.visitor import Ask, Shown

PAGE = 100


def show(ask: Ask, values: dict[str, Any]) -> Shown:
    """The page: what differs first; or a sentence when there are not two to compare.

    Raises:
        NotFound: there is no such version.
        Unprocessable: the versions have too many files to be compared in time.
    """
    chosen = list(dict.fromkeys(each.strip() for each in ask.queries("compare")))
    if len(chosen) != 2:
        wrong = Invalid("Tick two versions to compare them")
        return Shown("compare_none.html", {**values, "chosen": chosen}, wrong)
    # The older one is on the left, in whatever order they were ticked.
    if all(each[1:].isdecimal() and each.isascii() for each in chosen):
        chosen.sort(key=lambda each: int(each[1:]))
    if ask.query("swap") == "1":
        chosen.reverse()
    before, after = chosen
    found = operations.compare(
        ask.ctx,
        values["project"],
        values["collection"],
        before,
        after,
        behind=ask.query("after") or "",
        limit=PAGE,
    )
    sign = "&" if "?" in values["here"] else "?"
    pair = f"{values['here']}{sign}compare={segment(before)}&compare={segment(after)}"
    last = found.files[-1].path if found.has_next else None
    swapped = ask.query("swap") == "1"
    return Shown(
        "compare.html",
        {
            **values,
            "found": found,
            "sides": [("Before", found.before), ("After", found.after)],
            "other_way": pair if swapped else with_query(pair, swap=1),
            "pager": pager_of(ask.query, with_query(pair, swap=1 if swapped else None), last),
        },
    )
