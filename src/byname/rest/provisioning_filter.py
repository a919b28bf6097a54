"""Filters of SCIM (RFC 7644, 3.4.2.2) in the words of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scim2_models import ScimFilter
from scim2_models.path import (
    AttrPath,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Present,
    ValuePath,
)
from scim2_models.path import Comparison as Compared
from scim2_models.path import Not as Negated

from byname.domain.errors import Unprocessable
from byname.domain.provisioning import (
    FILTER_LENGTH_MAX,
    Comparison,
    Condition,
    Field,
    Is,
    Joined,
    Not,
)


def read_id(text: str) -> int:
    """The id in an address; one that cannot be is that of nobody."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


class _Reader(FilterVisitor[Condition]):
    """A filter in the words of the domain."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self._inside = ""

    def _field(self, path: AttrPath) -> Field | None:
        name = path.attr if path.sub_attr is None else f"{path.attr}.{path.sub_attr}"
        spelled = (self._inside + name).lower()
        if spelled in ("emails.type", "emails.primary"):
            return None
        if spelled not in self._fields:
            raise _bad_filter(f"nothing is looked for by {spelled[:60]!r}")
        return self._fields[spelled]

    def visit_comparison(self, node: Compared) -> Condition:
        """`attribute eq "value"`."""
        field = self._field(node.attr_path)
        if field is None:
            # There is one address, which is of the type work, and the primary one.
            fits = node.value is True or str(node.value).lower() == "work"
            return Joined(every=fits, terms=())
        try:
            comparison = Comparison(node.op.value)
        except ValueError:
            raise _bad_filter(f"{node.op.value} compares nothing here") from None
        value: str | int = node.value if isinstance(node.value, bool) else str(node.value)
        if field in (Field.ID, Field.ACTIVE, Field.MEMBER):
            if comparison not in (Comparison.EQUAL, Comparison.DIFFERENT):
                raise _bad_filter(f"{field.value} is compared by eq and ne")
            if field is not Field.ACTIVE:
                value = read_id(str(value))
        if field is Field.ACTIVE:
            value = int(bool(value))
        found = Is(field, comparison, value)
        if field is Field.MEMBER and comparison is Comparison.DIFFERENT:
            return Not(Is(field, Comparison.EQUAL, value))
        return found

    def visit_present(self, node: Present) -> Condition:
        """`attribute pr`."""
        field = self._field(node.attr_path)
        if field in (None, Field.ID, Field.ACTIVE, Field.MEMBER):
            return Joined(every=True, terms=())
        return Is(field, Comparison.PRESENT)

    def visit_not(self, node: Negated) -> Condition:
        """`not (...)`."""
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """`... and ...`, `... or ...`."""
        terms = tuple(self.visit(each) for each in node.terms)
        return Joined(every=node.op is LogicalOperator.and_, terms=terms)

    def visit_value_path(self, node: ValuePath) -> Condition:
        """`attribute[...]`."""
        self._inside = f"{node.attr_path.attr}."
        try:
            return self.visit(node.val_filter)
        finally:
            self._inside = ""


FIELDS_OF_PEOPLE = {
    "id": Field.ID,
    "username": Field.NAME,
    "displayname": Field.FULL_NAME,
    "emails": Field.EMAIL,
    "emails.value": Field.EMAIL,
    "active": Field.ACTIVE,
    "externalid": Field.EXTERNAL_ID,
}
FIELDS_OF_GROUPS = {
    "id": Field.ID,
    "displayname": Field.NAME,
    "externalid": Field.EXTERNAL_ID,
    "members": Field.MEMBER,
    "members.value": Field.MEMBER,
}


def _bad_filter(why: str) -> Unprocessable:
    return Unprocessable(f"The filter cannot be used: {why}", code="invalidFilter", field="filter")


def read_filter(kind: Any, text: str | None, fields: Mapping[str, Field]) -> Condition | None:
    """The filter on a kind of resource, by the fields it may be looked for by; None for none.

    Raises:
        Unprocessable: it is too long, or looks for what cannot be looked for.
        SCIMException: it cannot be read.
    """
    if not text:
        return None
    if len(text) > FILTER_LENGTH_MAX:
        raise _bad_filter(f"it has more than {FILTER_LENGTH_MAX} characters")
    try:
        return _Reader(fields).visit(ScimFilter[kind](text).ast)
    except RecursionError:
        raise _bad_filter("it is nested too deep") from None
