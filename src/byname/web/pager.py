"""From page to page of a list, both ways, though cursors lead forward only (R181).

The address of a page names the cursors of the pages before it, as far as there is room, so that every
page has an address that can be shared and goes back as well as on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from byname.web.looks import with_query

AFTER, BEFORE = "after", "back"
SIGN = "~"
"""Between two cursors; none of ours holds it."""
BEFORE_MAX = 8
BEFORE_LENGTH_MAX = 1_500


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a list's first, previous and next pages are; None where there is none."""

    first: str | None
    previous: str | None
    next: str | None

    @property
    def needed(self) -> bool:
        """Whether the list has more than this page."""
        return self.first is not None or self.next is not None


def pager_of(
    query: Callable[[str], str | None], here: str, next_cursor: str | None, of: str = ""
) -> Pager:
    """The pager of the page asked for.

    On a page with several lists `of` tells which one it is: the words of its cursors begin with it.

    `here` is the list's address with all that is asked of it but the page; `next_cursor` is None on
    the last page.
    """
    word, trail_word = of + AFTER, of + BEFORE
    after = query(word) or ""
    back = [each for each in (query(trail_word) or "").split(SIGN) if each] if after else []
    following = None
    if next_cursor is not None:
        trail = [*back, after][-BEFORE_MAX:] if after else []
        while len(SIGN.join(trail)) > BEFORE_LENGTH_MAX:
            trail = trail[1:]
        following = with_query(here, **{word: next_cursor, trail_word: SIGN.join(trail)})
    previous = None
    if back:
        previous = with_query(here, **{word: back[-1], trail_word: SIGN.join(back[:-1])})
    return Pager(here if after else None, previous, following)
