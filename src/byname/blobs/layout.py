"""Where do bytes lie? This page draws the whole tree; nothing else makes a path in it.

    <root>/
      blobs/<namespace>/<aa>/<sha256>    one file per content and namespace; <aa> opens the digest
      incoming/<random>                  bytes on their way in; a crash leaves at most these behind
      parts/<upload key>/<number>        the parts of one multipart upload, by number, five digits
      parts/<upload key>/joined-<random> those parts put together so far
      parts/<upload key>/done            what they became: digest, MD5, size and namespace

A namespace is the integer id of the owning entity: equal content is shared within one team only
(R9, A5). Paths are made from integers and checked hex, never from anything a client named.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from byname.domain.errors import Invalid

SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")
UPLOAD_KEY_PATTERN = re.compile(r"[0-9a-f]{16,64}")
PART_NUMBER_MAX = 10_000
"""The most parts of one upload; the client makes parts larger before it makes more of them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The tree below one folder. Every method returns a path and touches no disk."""

    root: str

    @property
    def blobs(self) -> str:
        """The folder with one folder per namespace."""
        return f"{self.root}/blobs"

    @property
    def incoming(self) -> str:
        """The folder of temporary files, in the same file system: a rename moves no bytes."""
        return f"{self.root}/incoming"

    @property
    def parts(self) -> str:
        """The folder with one folder per multipart upload under way."""
        return f"{self.root}/parts"

    def namespace(self, namespace: int) -> str:
        """The folder of one entity's blobs."""
        if namespace < 0:
            raise Invalid(f"{namespace} is no namespace: it must not be negative")
        return f"{self.root}/blobs/{namespace:d}"

    def shard(self, namespace: int, sha256: str) -> str:
        """The folder in which a blob lies: one of 256 per namespace."""
        return f"{self.namespace(namespace)}/{check_sha256(sha256)[:2]}"

    def blob(self, namespace: int, sha256: str) -> str:
        """The file of one content."""
        return f"{self.shard(namespace, sha256)}/{sha256}"

    def temporary(self) -> str:
        """A new name in `incoming/`, never given out before."""
        return f"{self.root}/incoming/{secrets.token_hex(16)}"

    def upload(self, upload_key: str) -> str:
        """The folder of one multipart upload."""
        return f"{self.root}/parts/{check_upload_key(upload_key)}"

    def part(self, upload_key: str, part_number: int) -> str:
        """The file of one part."""
        return f"{self.upload(upload_key)}/{check_part_number(part_number):05d}"

    def joined(self, upload_key: str) -> str:
        """A new file into which the parts are put together; each name is given out once."""
        return f"{self.upload(upload_key)}/joined-{secrets.token_hex(8)}"

    def done(self, upload_key: str) -> str:
        """The file which says what a completed upload became."""
        return f"{self.upload(upload_key)}/done"


def check_sha256(sha256: str) -> str:
    """Return the digest if it is 64 lowercase hex digits; raises Invalid otherwise."""
    if SHA256_PATTERN.fullmatch(sha256) is None:
        raise Invalid("A SHA-256 digest is 64 lowercase hex digits", code="digest_malformed")
    return sha256


def check_upload_key(upload_key: str) -> str:
    """Return the key if it is 16 to 64 lowercase hex digits; raises Invalid otherwise."""
    if UPLOAD_KEY_PATTERN.fullmatch(upload_key) is None:
        raise Invalid("An upload key is 16 to 64 lowercase hex digits", code="upload_key_malformed")
    return upload_key


def check_part_number(part_number: int) -> int:
    """Return the number if it is 1 to 10,000; raises Invalid otherwise."""
    if not 1 <= part_number <= PART_NUMBER_MAX:
        raise Invalid(
            f"Part numbers go from 1 to {PART_NUMBER_MAX}, not {part_number}", code="part_number"
        )
    return part_number
