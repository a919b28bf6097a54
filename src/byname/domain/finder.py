"""What people look for by a part of its name, and how it is asked for (R113 to R115)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from byname.domain import names
from byname.domain.errors import Unprocessable


class Sort(StrEnum):
    """The sorts of names that are found, in the order in which people are shown them."""

    REGISTRY = "registry"
    COLLECTION = "collection"
    COLLECTION_TAG = "collection_tag"
    VERSION_TAG = "version_tag"
    ALIAS = "alias"


class Rank(IntEnum):
    """How well a name fits, best first (R115)."""

    EXACT = 0
    PREFIX = 1
    PART = 2


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a name stands."""

    sort: Sort
    rank: Rank
    name: str
    finding_id: int
    """Grows with each name given; the newest is the highest."""
    project_id: int
    collection_id: int | None = None
    collection_name: str | None = None
    membership_id: int | None = None
    number: int | None = None
    protected: bool = False
    """Of an alias: only Admins of the registry move it (R79)."""


def check_text(text: str) -> str:
    """The text to look for, in the form in which names are compared.

    Raises:
        Unprocessable: empty, over 128 characters, or holding control characters.
    """
    text = text.strip()
    if not text:
        raise Unprocessable("Say what to look for, for example ?q=zoo", field="q")
    if len(text) > names.NAME_LENGTH_MAX:
        raise Unprocessable(
            f"The text has {len(text)} characters; no name has more than {names.NAME_LENGTH_MAX}",
            field="q",
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Unprocessable("The text must not contain control characters", field="q")
    return names.fold(text)
