"""Versions: immutable sets of files or references, made in a project (R2)."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from byname.domain import names
from byname.domain.errors import Unprocessable
from byname.domain.expiry import Ttl

METADATA_KEYS_MAX = 100
METADATA_BYTES_MAX = 4 * 1024 * 1024
METADATA_DEPTH_MAX = 64
DESCRIPTION_LENGTH_MAX = 1_000_000

_DIGEST = re.compile(r"[0-9a-f]{32}")


class VersionState(StrEnum):
    """A version is pending until its manifest and all its bytes are here."""

    PENDING = "pending"
    COMMITTED = "committed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Version:
    """A version, with its number in the sequence where it was logged (None while pending)."""

    id: int
    collection_id: int
    collection_name: str
    project_id: int
    type_id: int
    type_name: str
    state: VersionState
    digest: str
    number: int | None
    description: str | None
    metadata: str | None
    """JSON text of an object."""
    ttl: Ttl
    """What was set for the version itself."""
    ttl_seconds: int | None
    """How long it lives, its team's default counted in; None is for ever (R165)."""
    history_step: int | None
    size_bytes: int
    file_count: int
    manifest_id: int | None
    base_version_id: int | None
    run_id: int | None
    created_by: int | None
    created_at: datetime
    updated_at: datetime


def check_digest(digest: str) -> str:
    """The artifact digest: 32 lower-case hex digits (protocol 6).

    Raises:
        Unprocessable: it is not.
    """
    if not _DIGEST.fullmatch(digest):
        raise Unprocessable(
            f"The artifact digest {digest[:80]!r} must be 32 lower-case hex digits", field="digest"
        )
    return digest


def is_digest(ref: str) -> bool:
    """Whether the text has the form of an artifact digest."""
    return _DIGEST.fullmatch(ref) is not None


def check_metadata(text: str | None) -> str | None:
    """The metadata as JSON text: an object of at most 100 keys; NaN becomes null (R56).

    Raises:
        Unprocessable: not JSON, not an object, too many keys, too deep, too large, or holding an
            infinite number.
    """
    if text is None:
        return None
    if len(text) > METADATA_BYTES_MAX:
        raise Unprocessable(
            f"The metadata has {len(text)} characters; at most {METADATA_BYTES_MAX} are allowed",
            field="metadata",
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unprocessable(f"The metadata is not JSON: {error}", field="metadata") from None
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unprocessable("The metadata must be a JSON object", field="metadata")
    if len(value) > METADATA_KEYS_MAX:
        raise Unprocessable(
            f"The metadata has {len(value)} keys; at most {METADATA_KEYS_MAX} are allowed",
            field="metadata",
        )
    return json.dumps(_without_nan(value, 0), ensure_ascii=False, separators=(",", ":"))


def _without_nan(value: Any, depth: int) -> Any:
    if depth > METADATA_DEPTH_MAX:
        raise Unprocessable(
            f"The metadata is nested deeper than {METADATA_DEPTH_MAX} levels", field="metadata"
        )
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise Unprocessable("The metadata holds an infinite number", field="metadata")
    if isinstance(value, str):
        return _sendable(value)
    if isinstance(value, dict):
        return {_sendable(key): _without_nan(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item, depth + 1) for item in value]
    return value


def _sendable(text: str) -> str:
    """The text when UTF-8 can carry it, which lone surrogates cannot be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unprocessable(
            f"The metadata holds text that is not Unicode: {text[:40]!a}", field="metadata"
        ) from None
    return text


def check_description(text: str | None) -> str | None:
    """The description, fit to be kept.

    Raises:
        Unprocessable: over a million characters, or text that UTF-8 cannot carry.
    """
    if text is None:
        return None
    if len(text) > DESCRIPTION_LENGTH_MAX:
        raise Unprocessable(
            f"The description has {len(text)} characters; "
            f"at most {DESCRIPTION_LENGTH_MAX} are allowed",
            field="description",
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unprocessable("The description is not Unicode text", field="description") from None
    return text


def check_tags(given: list[str]) -> list[str]:
    """The tags without repetitions, in the order given, each allowed (R95).

    Raises:
        Unprocessable: one is not allowed, or there are more than 100.
    """
    tags = list(dict.fromkeys(names.check_tag(tag) for tag in given))
    if len(tags) > names.TAGS_MAX:
        raise Unprocessable(
            f"{len(tags)} tags were given; at most {names.TAGS_MAX} are allowed", field="tags"
        )
    return tags
