"""The digest of an artifact: what makes two lists of files the same content (protocol 10.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_FIRST_LINE = b"wandb-artifact-manifest-v1\n"


def digest_of_lines(lines: Iterable[tuple[str, str]]) -> str:
    """MD5 over the pairs of path and file digest, sorted by path, in hex."""
    md5 = hashlib.md5(_FIRST_LINE, usedforsecurity=False)
    for path, digest in sorted(lines):
        md5.update(f"{path}:{digest}\n".encode())
    return md5.hexdigest()
