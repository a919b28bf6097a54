"""The files of a run: where they may be sent, that they arrived, listing and deleting them."""

from __future__ import annotations

from collections.abc import Sequence

from byname.blobs.store import BlobReader, BlobWriter, StoredBlob
from byname.domain import run as rules
from byname.domain.errors import TooLarge, missing
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.run import Run, RunFile
from byname.operations.context import Context
from byname.operations.run import open_by_id, open_by_name
from byname.store import manifest as blob_rows
from byname.store import run_file as file_rows
from byname.store.database import Transaction

NAMES_MAX = 10_000


def expect(
    ctx: Context, entity: str, project: str, run_name: str, names: Sequence[str]
) -> tuple[Run, list[str]]:
    """The run, and these names in their one spelling: the actor may send files of these names.

    Raises:
        NotFound: the run is absent or hidden.
        Forbidden: the role in the project is below Member.
        Unprocessable: a name is not allowed.
        TooLarge: more than 10,000 names.
    """
    clean = _clean(names)
    with ctx.database.read() as tx:
        run, _ = open_by_name(ctx, tx, entity, project, run_name, Permission.LOG)
        return run, clean


def _clean(names: Sequence[str]) -> list[str]:
    if len(names) > NAMES_MAX:
        raise _too_many(len(names))
    return [rules.check_file_name(name) for name in names]


def _too_many(count: int) -> TooLarge:
    return TooLarge(f"{count} files were given; at most {NAMES_MAX} are allowed", limit=NAMES_MAX)


def begin(ctx: Context, run_id: int) -> BlobWriter:
    """A place for the bytes of a file of the run. Nothing is known of them until `keep`.

    Raises:
        NotFound: the run is absent or hidden.
        Forbidden: the role in the project is below Member.
    """
    with ctx.database.read() as tx:
        _, project = open_by_id(ctx, tx, run_id, Permission.LOG)
        return ctx.blobs.begin(project.entity_id)


def keep(ctx: Context, run_id: int, name: str, stored: StoredBlob) -> int:
    """The run has the file, whose bytes are on disk, in place of an earlier one; the file's id.

    Raises:
        NotFound: the run was deleted meanwhile, or is hidden.
        Forbidden: the role in the project is below Member by now.
    """
    name = rules.check_file_name(name)
    with ctx.database.write() as tx:
        run, project = open_by_id(ctx, tx, run_id, Permission.LOG)
        blob_rows.add_blob(
            tx,
            project.entity_id,
            sha256=stored.sha256,
            md5=stored.md5,
            size_bytes=stored.size,
            at=ctx.now(),
        )
        return file_rows.put(
            tx,
            run_id=run.id,
            name=name,
            sha256=stored.sha256,
            md5=stored.md5,
            size_bytes=stored.size,
            at=ctx.now(),
        )


def arrived(ctx: Context, entity: str, project: str, run_name: str, names: Sequence[str]) -> bool:
    """Whether all these files of the run are here.

    Raises:
        NotFound, Forbidden, Unprocessable, TooLarge: as `expect`.
    """
    run, clean = expect(ctx, entity, project, run_name, names)
    with ctx.database.read() as tx:
        found = file_rows.find_by_names(tx, run.id, clean)
    return {file.name for file in found} >= set(clean)


def list_page(
    ctx: Context,
    run: Run,
    *,
    names: Sequence[str] = (),
    pattern: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> Page[RunFile]:
    """Files of a run that the actor was shown, by name: those named, or those a pattern fits.

    In a pattern `%` and `*` stand for any text, `_` and `?` for any one character.

    Raises:
        TooLarge: more than 10,000 names.
        Unprocessable: the pattern is too long or too wild, or the cursor is not of this list.
    """
    limit = parse_first(first, 50)
    like = None if not pattern else rules.like_pattern(pattern)
    start = decode_text("run_files", after)
    with ctx.database.read() as tx:
        if names:
            found = _named(tx, run, names, start)
        else:
            found = file_rows.list_of_run(tx, run.id, like=like, after=start, limit=limit + 1)
    return page_of(found, limit, lambda file: encode_cursor("run_files", file.name))


def _named(tx: Transaction, run: Run, names: Sequence[str], after: str | None) -> list[RunFile]:
    if len(names) > NAMES_MAX:
        raise _too_many(len(names))
    wanted = {clean for name in names if (clean := rules.find_file_name(name)) is not None}
    found = file_rows.find_by_names(tx, run.id, sorted(wanted))
    return [file for file in found if after is None or file.name > after]


def counts_of_many(ctx: Context, run_ids: list[int]) -> dict[int, int]:
    """How many files these runs have."""
    with ctx.database.read() as tx:
        return file_rows.counts_of_many(tx, run_ids)


def delete(ctx: Context, file_ids: Sequence[int]) -> None:
    """The files are gone from their runs, all or none.

    Raises:
        NotFound: one is absent or hidden.
        Forbidden: the role in one's project is below Member.
        TooLarge: more than 10,000 files.
    """
    if len(file_ids) > NAMES_MAX:
        raise _too_many(len(file_ids))
    wanted = list(dict.fromkeys(file_ids))
    with ctx.database.write() as tx:
        found = file_rows.find_many(tx, wanted)
        if len(found) != len(wanted):
            raise missing("One of these files")
        for run_id in {file.run_id for file in found}:
            open_by_id(ctx, tx, run_id, Permission.LOG)
        file_rows.remove_many(tx, wanted)


def open_content(ctx: Context, file_id: int) -> tuple[RunFile, BlobReader]:
    """The file and its bytes, open for reading; the caller closes them.

    Raises:
        NotFound: absent or hidden.
    """
    with ctx.database.read() as tx:
        file = file_rows.find(tx, file_id)
        if file is None:
            raise missing("This file")
        return file, _open(ctx, tx, file)


def open_content_by_name(
    ctx: Context, entity: str, project: str, run_name: str, name: str
) -> tuple[RunFile, BlobReader]:
    """As `open_content`, by the file's path."""
    with ctx.database.read() as tx:
        run, _ = open_by_name(ctx, tx, entity, project, run_name, Permission.SEE)
        clean = rules.find_file_name(name)
        file = None if clean is None else file_rows.find_by_name(tx, run.id, clean)
        if file is None:
            raise missing("This file")
        return file, _open(ctx, tx, file)


def _open(ctx: Context, tx: Transaction, file: RunFile) -> BlobReader:
    _, project = open_by_id(ctx, tx, file.run_id, Permission.DOWNLOAD)
    return ctx.blobs.open(project.entity_id, file.sha256)
