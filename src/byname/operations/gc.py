"""Garbage collection: rows that nobody needs go, then the bytes that no row names (R163, D7).

Rows go first, in small transactions each of which looks again whether they are needed; bytes go
after the commit, and only when nobody has received the same content meanwhile. So a collection can
be cut off anywhere, and can run beside uploads, commits and another collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice

from byname.blobs.store import KeptBlob
from byname.domain.gc import FRESH_MICROSECONDS, Collected, Reason, Verdict
from byname.domain.trash import TRASH_MICROSECONDS
from byname.operations.access import require_server_admin
from byname.operations.context import Context
from byname.store import gc as rows
from byname.store import trash as trash_rows

VERSIONS_AT_ONCE = 100
ENTRIES_AT_ONCE = 2_000
BLOBS_AT_ONCE = 200
SECOND = 1_000_000


def run(ctx: Context) -> Collected:
    """What is not needed is gone; what that came to.

    Raises:
        Forbidden: the actor is no server administrator.
    """
    require_server_admin(ctx, "collect garbage")
    return collect(ctx)


def plan(ctx: Context) -> Iterator[Verdict]:
    """What `run` would do with each blob, and why, one by one; it changes nothing.

    Raises:
        Forbidden: the actor is no server administrator.
    """
    require_server_admin(ctx, "look for garbage")
    return judge(ctx)


def collect(ctx: Context) -> Collected:
    """As `run`, by the server itself."""
    done = Collected()
    _give_up_uploads(ctx, done)
    _bury_projects(ctx)
    _empty_versions(ctx, done)
    _drop_run_files(ctx, done)
    _forget_deletions(ctx)
    _remove_blobs(ctx, done)
    done.leftovers = ctx.blobs.sweep(FRESH_MICROSECONDS / SECOND)
    _remove_unknown(ctx, done)
    return done


def judge(ctx: Context) -> Iterator[Verdict]:
    """As `plan`, by the server itself."""
    after = (-1, "")
    while True:
        with ctx.database.read() as tx:
            verdicts = rows.judge(
                tx, after=after, fresh=_fresh(ctx), trash=_trash(ctx), limit=BLOBS_AT_ONCE
            )
        yield from verdicts
        if len(verdicts) < BLOBS_AT_ONCE:
            break
        after = (verdicts[-1].entity_id, verdicts[-1].sha256)
    for blob in _unknown(ctx):
        found = ctx.blobs.measure(blob.namespace, blob.sha256)
        if found is not None:
            old = found.received_at < _fresh(ctx) / SECOND
            reason = Reason.NO_ROW if old else Reason.FRESH
            yield Verdict(blob.namespace, blob.sha256, found.size, reason)


def _fresh(ctx: Context) -> int:
    return ctx.now() - FRESH_MICROSECONDS


def _trash(ctx: Context) -> int:
    return ctx.now() - TRASH_MICROSECONDS


def _give_up_uploads(ctx: Context, done: Collected) -> None:
    """Uploads at which nothing happened for a day are closed (L9)."""
    while True:
        with ctx.database.read() as tx:
            stale = rows.list_stale(tx, fresh=_fresh(ctx), limit=VERSIONS_AT_ONCE)
        given_up = 0
        if stale:
            with ctx.database.write() as tx:
                for version_id in stale:
                    given_up += rows.give_up(tx, version_id, fresh=_fresh(ctx), at=ctx.now())
        done.uploads_given_up += given_up
        if len(stale) < VERSIONS_AT_ONCE or not given_up:
            return


def _bury_projects(ctx: Context) -> None:
    """What lies in projects that cannot come back is deleted with them."""
    with ctx.database.read() as tx:
        lost = rows.list_lost_projects(tx, trash=_trash(ctx), limit=VERSIONS_AT_ONCE)
    for project_id in lost:
        while True:
            with ctx.database.write() as tx:
                if rows.bury(
                    tx, project_id, trash=_trash(ctx), limit=ENTRIES_AT_ONCE, at=ctx.now()
                ):
                    break


def _empty_versions(ctx: Context, done: Collected) -> None:
    """Versions that cannot come back name no bytes any more."""
    while True:
        with ctx.database.read() as tx:
            lost = rows.list_lost(tx, trash=_trash(ctx), limit=VERSIONS_AT_ONCE)
        for version_id in lost:
            finished = False
            while not finished:
                with ctx.database.write() as tx:
                    keys = rows.multipart_keys(tx, version_id)
                    began, finished = rows.empty(
                        tx, version_id, trash=_trash(ctx), limit=ENTRIES_AT_ONCE, at=ctx.now()
                    )
                    done.versions_emptied += began
                    still = set(rows.multipart_keys(tx, version_id))
                for key in keys:
                    if key not in still:
                        ctx.blobs.drop_parts(key)
        if len(lost) < VERSIONS_AT_ONCE:
            return


def _drop_run_files(ctx: Context, done: Collected) -> None:
    while True:
        with ctx.database.write() as tx:
            removed = rows.remove_run_files(tx, trash=_trash(ctx), limit=ENTRIES_AT_ONCE)
        done.run_files += removed
        if removed < ENTRIES_AT_ONCE:
            return


def _forget_deletions(ctx: Context) -> None:
    """What can no longer be undone is not kept for undoing it."""
    while True:
        with ctx.database.write() as tx:
            if trash_rows.forget(tx, before=_trash(ctx), limit=ENTRIES_AT_ONCE):
                return


def _remove_blobs(ctx: Context, done: Collected) -> None:
    after: tuple[int, str] | None = (-1, "")
    while after is not None:
        with ctx.database.read() as tx:
            unneeded, after = rows.list_unneeded(
                tx, after=after, fresh=_fresh(ctx), limit=BLOBS_AT_ONCE
            )
        if not unneeded:
            continue
        with ctx.database.write() as tx:
            removed = rows.remove_unneeded(tx, unneeded, fresh=_fresh(ctx))
        for blob in removed:
            freed = ctx.blobs.discard(blob.entity_id, blob.sha256, before=_fresh(ctx) / SECOND)
            done.blobs += 1
            done.freed_bytes += freed or 0


def _unknown(ctx: Context) -> Iterator[KeptBlob]:
    """Bytes that no row knows of; also those that came just now."""
    for entity_id, blobs in groupby(ctx.blobs.walk(), key=lambda blob: blob.namespace):
        while some := [blob.sha256 for blob in islice(blobs, BLOBS_AT_ONCE)]:
            with ctx.database.read() as tx:
                unknown = rows.list_unknown(tx, entity_id, some)
            yield from (KeptBlob(entity_id, sha256) for sha256 in unknown)


def _remove_unknown(ctx: Context, done: Collected) -> None:
    """What a crash between the bytes and their row left behind for over a day is gone."""
    for blob in _unknown(ctx):
        freed = ctx.blobs.discard(blob.namespace, blob.sha256, before=_fresh(ctx) / SECOND)
        if freed is not None:
            done.blobs_without_row += 1
            done.freed_bytes += freed
