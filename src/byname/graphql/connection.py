"""How a page of a list looks in answers: edges, nodes, page info, and the number of all items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from byname.domain.page import Page


def _itself(item: Any) -> Any:
    return item


class Edge:
    """One item of a list. Its cursor is made when somebody asks for it."""

    __slots__ = ("_item", "_page", "node")

    def __init__(self, page: Page[Any], item: Any, node: Any) -> None:
        self.node = node
        self._page = page
        self._item = item

    @property
    def cursor(self) -> str | None:
        """The cursor behind this item."""
        return None if self._page.cursor_of is None else self._page.cursor_of(self._item)


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page ends."""

    end_cursor: str | None
    has_next_page: bool


class Connection:
    """A page as answers show it. Items are counted when somebody asks for the count."""

    __slots__ = ("_page", "edges", "page_info")

    def __init__(self, page: Page[Any], node: Callable[[Any], Any]) -> None:
        self._page = page
        self.edges = [Edge(page, item, node(item)) for item in page.items]
        self.page_info = PageInfo(page.end_cursor, page.has_next)

    @property
    def total_count(self) -> int | None:
        """How many items the whole list has."""
        return self._page.count()


def connection(page: Page[Any], node: Callable[[Any], Any] = _itself) -> Connection:
    """The page as answers show it; `node` turns an item into the source of its type's resolvers."""
    return Connection(page, node)


def whole(items: list[Any], node: Callable[[Any], Any] = _itself) -> Connection:
    """A list that is always handed out whole."""
    return Connection(Page(items, None, has_next=False, total=len(items)), node)
