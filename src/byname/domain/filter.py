"""What a filter asks for: a small tree of conditions on the fields of a list (R118 to R123).

The tree says what is meant and knows no database. `filter_text.py` reads it from what a client sends;
`store/condition.py` makes SQL of it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

import re2


class Kind(Enum):
    """What a field holds, which decides what it can be compared with."""

    ID = "the number of an id"
    TEXT = "a text"
    FOLDED = "a name"  # Names that are compared without case (R15).
    TIME = "a date: YYYY-MM-DD, YYYY-MM-DD HH:MM:SS (UTC) or RFC 3339"
    NUMBER = "a number"
    VERSION = 'a version number such as "v3"'
    NAMES = "the text of a name"  # Many names: a condition holds if one of them fulfils it.
    METADATA = "a text, a number, true, false or null"


class Test(StrEnum):
    """What a condition tests. Negations are `Not` around one of these."""

    __test__ = False  # Not a test class, whatever its name suggests to test runners.

    EQ = "$eq"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    IN = "$in"
    EXISTS = "$exists"
    REGEX = "$regex"
    CONTAINS = "$contains"
    SIZE = "$size"


@dataclass(frozen=True, slots=True)
class Field:
    """A field by which a list can be filtered."""

    name: str
    kind: Kind
    id_kinds: tuple[str, ...] = ()
    """Of an id: the kinds of opaque ids that stand for the number, too."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one list, by every word that means them."""

    what: str
    by_word: Mapping[str, Field]
    shown: tuple[str, ...]
    """The words that an error message lists."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One field, one test, one value (of the field's kind; a tuple for `IN`)."""

    field: Field
    path: tuple[str, ...]
    """Of metadata: the keys on the way down."""
    test: Test
    value: Any


@dataclass(frozen=True, slots=True)
class Every:
    """Every of these hold; with none of them, always."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """One of these holds; with none of them, never."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold; also where the field is missing."""

    item: Node


Node = Condition | Every | Some | Not


def _fields(what: str, *entries: tuple[Field, str]) -> Fields:
    by_word = {}
    shown = []
    for field, words in entries:
        for word in (field.name, *words.split()):
            by_word[word] = field
        shown.append(field.name)
    return Fields(what, by_word, tuple(shown))


REGISTRY_FIELDS = _fields(
    "registries",
    (Field("id", Kind.ID, ("Project", "ProjectInternalId")), "project_id"),
    (Field("name", Kind.FOLDED), ""),
    (Field("entity_id", Kind.ID, ("Entity",)), ""),
    (Field("description", Kind.TEXT), ""),
    (Field("created_at", Kind.TIME), "createdAt"),
    (Field("updated_at", Kind.TIME), "updatedAt"),
)
COLLECTION_FIELDS = _fields(
    "collections",
    (Field("id", Kind.ID, ("ArtifactCollection",)), "artifact_collection_id collection_id"),
    (Field("name", Kind.TEXT), "collection_name artifact_collection_name"),
    (Field("tag", Kind.NAMES), "tags"),
    (Field("description", Kind.TEXT), ""),
    (Field("created_at", Kind.TIME), "createdAt"),
    (Field("updated_at", Kind.TIME), "updatedAt"),
)
VERSION_FIELDS = _fields(
    "versions",
    (Field("id", Kind.ID, ("Artifact",)), "artifact_id"),
    (Field("version", Kind.VERSION), "version_index versionIndex"),
    (Field("tag", Kind.NAMES), "tags"),
    (Field("alias", Kind.NAMES), "aliases"),
    (Field("metadata", Kind.METADATA), "artifact_metadata"),
    (Field("created_at", Kind.TIME), "artifact_created_at createdAt"),
    (Field("updated_at", Kind.TIME), "updatedAt"),
    (Field("artifact_size", Kind.NUMBER), "size"),
    (Field("acm_created_at", Kind.TIME), "linked_at"),
    (Field("digest", Kind.TEXT), ""),
    (Field("state", Kind.TEXT), ""),
)


@functools.lru_cache(maxsize=64)
def compile_pattern(text: str) -> Any:
    """The pattern, on an engine that takes linear time (R123).

    Raises:
        re2.error: it cannot be read, or would need too much memory.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options=options)


def matches(pattern: str, text: object) -> bool:
    """Whether the pattern is found anywhere in the text. What is no text matches nothing."""
    return isinstance(text, str) and compile_pattern(pattern).search(text) is not None


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """The parts that all have to hold."""
    if node is None:
        return ()
    if isinstance(node, Every):
        return tuple(part for item in node.items for part in conjuncts(item))
    return (node,)
