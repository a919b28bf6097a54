"""How does what a resolver returned become what the client reads?

Each function here makes a closure for one type: leaves are written out, lists go item by item,
interfaces and unions find their type first. Null where the schema says there is none is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from graphql import GraphQLAbstractType, GraphQLError, GraphQLLeafType, Undefined
from graphql.pyutils import inspect, is_iterable

from byname.graphql.engine.results import Failure, Info

if TYPE_CHECKING:
    from byname.graphql.engine.plan import Run

Path = tuple[Any, str | int] | None
"""Where an object stands in the answer: its key or position, after the path of what holds it."""
Complete = Callable[[Any, "Run", Path], Any]
Fail = Callable[[Exception, "Run", Path], None]

# Values of exactly these classes leave these leaves as they are.
PLAIN_CLASSES: dict[str, type] = {"String": str, "ID": str, "JSONString": str, "Boolean": bool}


class PlacedError(Exception):
    """An error on its way up to the nearest place that may be null; its path is known already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def required_value(complete: Complete, place: str) -> Complete:
    """Null is an error here."""

    def required(value: Any, run: Run, path: Path) -> Any:
        result = complete(value, run, path)
        if result is None:
            raise TypeError(f"Cannot return null for non-nullable field {place}.")
        return result

    return required


def leaf_value(leaf: GraphQLLeafType) -> Complete:
    """A scalar or enum."""
    plain = PLAIN_CLASSES.get(leaf.name)
    coerce = leaf.coerce_output_value

    def complete(value: Any, _run: Run, _path: Path) -> Any:
        if value is None or value.__class__ is plain:
            return value
        if isinstance(value, Exception):
            raise value
        if value is Undefined:
            return None
        result = coerce(value)
        if result is None or result is Undefined:
            raise TypeError(
                f"Expected `{inspect(leaf)}.coerce_output_value({inspect(value)})` to return"
                f" non-nullable value, returned: {inspect(result)}"
            )
        return result

    return complete


def list_value(item: Complete, place: str, fail: Fail) -> Complete:
    """A list. What goes wrong with one item stays with that item where items may be null."""

    def complete(value: Any, run: Run, path: Path) -> list[Any] | None:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        if value.__class__ is not list and not is_iterable(value):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{place}'.")
        results: list[Any] = []
        for position, each in enumerate(value):
            here = (path, position)
            try:
                result = item(each, run, here)
            except Exception as error:  # noqa: BLE001 - Whatever goes wrong is an error of its item.
                fail(error, run, here)
                result = None
            results.append(result)
        return results

    return complete


def object_value(fields: Complete) -> Complete:
    """An object of a known type."""

    def complete(value: Any, run: Run, path: Path) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        return fields(value, run, path)

    return complete


def abstract_value(
    of_type: GraphQLAbstractType, by_name: Mapping[str, Complete], place: str, field_name: str
) -> Complete:
    """An object whose type its value tells."""
    resolve_type = of_type.resolve_type
    assert resolve_type is not None  # noqa: S101 - The plan has checked.

    def complete(value: Any, run: Run, path: Path) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        info: Any = Info(run.context, field_name)
        name: Any = resolve_type(value, info, of_type)
        fields = by_name.get(name) if isinstance(name, str) else None
        if fields is None:
            raise GraphQLError(
                f"{inspect(value)} of field '{place}' has the type {inspect(name)},"
                f" which is no {of_type}"
            )
        return fields(value, run, path)

    return complete
