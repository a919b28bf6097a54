"""What resolvers find in `info.context`: the operations' context, addresses and loaders."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from byname.http.addresses import Addresses
from byname.operations.context import Context

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Loads values by key, many at a time: what a page will ask for is loaded at the first asking.

    A list resolver calls `expect` with the keys of its page; the first `get` loads them all with one
    statement. So a page costs a fixed number of queries, and what nobody asks for costs none.
    """

    __slots__ = ("_expected", "_fallback", "_load", "_values")

    def __init__(self, load: Callable[[list[K]], Mapping[K, V]], fallback: Callable[[], V]) -> None:
        self._load = load
        self._fallback = fallback
        self._values: dict[K, V] = {}
        self._expected: set[K] = set()

    def expect(self, keys: Iterable[K]) -> None:
        """These keys are going to be asked for."""
        self._expected.update(keys)

    def put(self, key: K, value: V) -> None:
        """The value of this key is known already."""
        self._values[key] = value

    def get(self, key: K) -> V:
        """The value of the key; the fallback when there is none."""
        if key not in self._values:
            keys = [key, *(k for k in self._expected if k not in self._values and k != key)]
            self._expected.clear()
            found = self._load(keys)
            for each in keys:
                self._values[each] = found[each] if each in found else self._fallback()
        return self._values[key]


@dataclass(slots=True)
class RequestContext:
    """One GraphQL request."""

    ctx: Context
    addresses: Addresses
    loaders: dict[str, Loader[Any, Any]] = field(default_factory=dict)
    latest_before: dict[int, Any] = field(default_factory=dict)
    """By sequence id: what was its newest version before this request began another."""

    def loader(
        self,
        name: str,
        load: Callable[[list[Any]], Mapping[Any, Any]],
        fallback: Callable[[], Any] = lambda: None,
    ) -> Loader[Any, Any]:
        """The request's loader of that name, made at the first asking."""
        found = self.loaders.get(name)
        if found is None:
            found = self.loaders[name] = Loader(load, fallback)
        return found


class Info(Protocol):
    """What a resolver may use of its second argument."""

    @property
    def context(self) -> RequestContext:
        """The request."""
