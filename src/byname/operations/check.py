"""Is everything whole? Looks at the database and the bytes without changing either."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from byname.domain.errors import NotFound
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import check as rows
from byname.store import ledger as ledger_rows

FINDINGS_MAX = 1_000
PORTION = 1_000
PIECE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: under which heading, and in words."""

    what: str
    text: str


Progress = Callable[[int, int], None]
"""Told how many bytes of content have been looked at, and how many there are."""


def find_all(
    ctx: Context, *, read_bytes: bool = False, progress: Progress | None = None
) -> Iterator[Finding]:
    """What is wrong, at most 1,000 things under each heading; nothing when all is well.

    - `database`: what SQLite's own check says.
    - `chain`: a row of the ledger that is not what was written after the row before it.
    - `ledger`: an alias that is not where the ledger left it, or a gap in its revisions.
    - `numbers`: a collection whose numbers are not 0 ... next-1, each once (I2).
    - `counts`: a collection that counts other versions than it has (I6).
    - `bytes`: content of a committed version that is not kept; with `read_bytes`, or is not what
      its SHA-256 says.
    """
    for text in ctx.database.problems():
        yield Finding("database", text)
    with ctx.database.read() as tx:
        for text in ledger_rows.breaks(tx, limit=FINDINGS_MAX):
            yield Finding("chain", text)
        for text in alias_rows.disagreements(tx, limit=FINDINGS_MAX):
            yield Finding("ledger", text)
        for text in rows.number_problems(tx, limit=FINDINGS_MAX):
            yield Finding("numbers", text)
        for text in rows.count_problems(tx, limit=FINDINGS_MAX):
            yield Finding("counts", text)
        for text in rows.missing_blobs(tx, limit=FINDINGS_MAX):
            yield Finding("bytes", text)
    yield from _bytes(ctx, read_bytes=read_bytes, progress=progress or (lambda _there, _all: None))


def _bytes(ctx: Context, *, read_bytes: bool, progress: Progress) -> Iterator[Finding]:
    found = there = 0
    after = (0, "")
    with ctx.database.read() as tx:
        total = rows.blob_bytes(tx)
    while found < FINDINGS_MAX:
        with ctx.database.read() as tx:
            page = rows.blobs(tx, after=after, limit=PORTION)
        for namespace, sha256, size_bytes in page:
            text = _blob(ctx, namespace, sha256, size_bytes, read_bytes=read_bytes)
            there += size_bytes
            progress(there, max(there, total))
            if text is not None:
                found += 1
                yield Finding("bytes", text)
        if len(page) < PORTION:
            return
        after = page[-1][:2]


def _blob(
    ctx: Context, namespace: int, sha256: str, size_bytes: int, *, read_bytes: bool
) -> str | None:
    name = f"blob {sha256} of entity {namespace}"
    try:
        with ctx.blobs.open(namespace, sha256) as blob:
            if blob.size != size_bytes:
                return f"{name} has {blob.size} bytes, not {size_bytes}"
            if not read_bytes:
                return None
            digest = hashlib.sha256()
            for start in range(0, size_bytes, PIECE_BYTES):
                digest.update(blob.pread(min(PIECE_BYTES, size_bytes - start), start))
    except NotFound:
        return f"{name} is not kept"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    if digest.hexdigest() != sha256:
        return f"{name} holds other bytes: their SHA-256 is {digest.hexdigest()}"
    return None
