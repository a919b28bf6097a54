"""Two people edit the same thing from pages that are out of date: which of it may be saved. No I/O.

A form carries a fingerprint of each field as it was shown, so that it is known what its writer changed
and what somebody else changed meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from byname.domain.errors import EditedMeanwhile

LENGTH = 16


def fingerprint(text: str) -> str:
    """A short word for a text; the same however a browser writes its ends of lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()[:LENGTH]


def as_shown(fields: Mapping[str, str]) -> str:
    """What a form carries of its fields: a fingerprint of each."""
    return ",".join(f"{name}={fingerprint(text)}" for name, text in fields.items())


def check_had(present: str | None, expected: str | None, wanted: str, name: str) -> None:
    """Return when the role of whom a form names is still the one that it showed, or is the wanted one.

    Where nothing is expected anything is right.

    Raises:
        EditedMeanwhile: somebody else gave them another, or took them out.
    """
    if expected is None or present in (expected, wanted):
        return
    now = "not a member" if present is None else present.replace("_", " ")
    raise EditedMeanwhile(
        f"Meanwhile the role of {name} was changed: {name} is {now} now. Nothing was saved",
        fields=["role"],
    )


def _listed(names: list[str]) -> str:
    return " and the ".join(each.replace("_", " ") for each in names)


def merge(shown: str, present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The fields as they are to be saved; `shown` is what the form carried of them.

    - A field that the writer left as it was shown stays as it is now, whoever changed it meanwhile.
    - A field that both changed, to different texts, is not saved, and none of the others is.
    - Of a field that the form says nothing about, what is wanted counts.

    Raises:
        EditedMeanwhile: there is such a field.
    """
    before = dict(part.partition("=")[::2] for part in shown.split(",") if part)
    merged = dict(wanted)
    both: list[str] = []
    for name, text in wanted.items():
        if name not in before or name not in present:
            continue
        if fingerprint(text) == before[name]:
            merged[name] = present[name]
        elif before[name] != fingerprint(present[name]) != fingerprint(text):
            both.append(name)
    if both:
        raise EditedMeanwhile(
            f"Somebody else changed the {_listed(both)} meanwhile; nothing was saved", fields=both
        )
    return merged
