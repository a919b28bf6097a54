"""Which bytes are sent? Random ones, never the same twice, with their digests known beforehand."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 1024 * 1024
SMALL_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Digests:
    """Of some bytes, as the protocols want them."""

    md5: bytes
    sha256: str

    @property
    def md5_base64(self) -> str:
        """As the wandb SDK's protocol writes it."""
        return b64encode(self.md5).decode()


class Large:
    """One large body: a first block of its own, then one random block again and again."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._first = os.urandom(BLOCK_BYTES)
        self._block = os.urandom(BLOCK_BYTES)
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        for piece in self.pieces():
            md5.update(piece)
            sha256.update(piece)
        self.digests = Digests(md5.digest(), sha256.hexdigest())

    @property
    def sha256(self) -> str:
        """Hex."""
        return self.digests.sha256

    def pieces(self) -> Iterator[bytes]:
        """The bytes in order, in pieces of 1 MiB."""
        yield self._first
        for _ in range(self.size_bytes // BLOCK_BYTES - 1):
            yield self._block


@dataclass(frozen=True, slots=True)
class Small:
    """One small file: 16 bytes of its own, then bytes that all files of a round share."""

    prefix: bytes
    rest: memoryview
    digests: Digests

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return len(self.prefix) + len(self.rest)


def small_files(count: int) -> list[Small]:
    """That many different files of 100 KiB, which share most of their memory."""
    rest = os.urandom(SMALL_BYTES - 16)
    files = []
    for _ in range(count):
        prefix = os.urandom(16)
        md5 = hashlib.md5(prefix, usedforsecurity=False)
        md5.update(rest)
        sha256 = hashlib.sha256(prefix)
        sha256.update(rest)
        files.append(Small(prefix, memoryview(rest), Digests(md5.digest(), sha256.hexdigest())))
    return files
