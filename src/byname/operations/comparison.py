"""Two versions of a collection side by side (R59)."""

from __future__ import annotations

from dataclasses import dataclass

from byname.domain.collection import Collection, Membership
from byname.domain.comparison import (
    FileLine,
    MetadataLine,
    Words,
    compare_metadata,
    compare_words,
)
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.run import Run
from byname.domain.version import Version
from byname.operations import access, lineage
from byname.operations.collection import get_version_in
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import comparison as rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions."""

    membership: Membership
    version: Version
    aliases: list[str]
    tags: list[str]
    run: Run | None
    """The run that made it; None where there was none, or the actor may not see it (R55)."""
    run_project: Project | None


@dataclass(frozen=True, slots=True)
class FileCounts:
    """How many files differ."""

    added: int
    removed: int
    changed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, and what differs between them."""

    before: Side
    after: Side
    metadata: list[MetadataLine]
    """What differs comes first."""
    tags: Words
    aliases: Words
    files: list[FileLine]
    """A page of the files that differ, by path."""
    has_next: bool
    counts: FileCounts | None
    """Over all pages; None behind the first one."""


def compare(
    ctx: Context,
    project: Project,
    collection: Collection,
    before: str,
    after: str,
    *,
    behind: str = "",
    limit: int = 100,
) -> Comparison:
    """What differs between two versions of a collection, each named by a number or an alias.

    `behind` is the path at which the last page of files ended. File contents are not shown, so that
    whoever sees the versions may compare them (R107).

    Raises:
        NotFound: the registry is hidden from the actor, or there is no such version.
        Unprocessable: the versions have so many files that it would take over 10 seconds.
    """
    with ctx.database.read() as tx:
        access.require(ctx, tx, project, Permission.SEE)
        old, new = (
            _side(ctx, tx, *get_version_in(ctx, project, collection, ref))
            for ref in (before, after)
        )
        first, second = old.version.id, new.version.id
        counts = FileCounts(0, 0, 0) if not behind else None
        files: list[FileLine] = []
        # Equal digests are equal lists of files: nothing needs to be walked.
        if old.version.digest != new.version.digest:
            with tx.within(SECONDS_MAX):
                files = rows.list_files(tx, first, second, behind=behind, limit=limit + 1)
                if counts is not None:
                    counts = FileCounts(*rows.count_files(tx, first, second))
    return Comparison(
        before=old,
        after=new,
        metadata=compare_metadata(old.version.metadata, new.version.metadata),
        tags=compare_words(old.tags, new.tags),
        aliases=compare_words(old.aliases, new.aliases),
        files=files[:limit],
        has_next=len(files) > limit,
        counts=counts,
    )


def _side(ctx: Context, tx: Transaction, membership: Membership, version: Version) -> Side:
    run = None
    if version.run_id is not None:
        run = lineage.makers_of_many(ctx, [version.run_id]).get(version.run_id)
    return Side(
        membership,
        version,
        aliases=alias_rows.held_by_many(tx, [membership.id]).get(membership.id, []),
        tags=version_rows.tags_of_many(tx, [version.id])[version.id],
        run=run,
        run_project=None if run is None else project_rows.find(tx, run.project_id),
    )
