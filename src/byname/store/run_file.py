"""The files that runs sent, as rows. A row is there only once its bytes are on disk."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.run import RunFile
from byname.store.database import Row, Transaction
from byname.store.moment import moment

SELECT = """SELECT f.id, f.run_id, f.name, f.sha256, f.md5, f.size_bytes, f.updated_at
    FROM run_file f """
CHUNK = 500


def from_row(row: Row) -> RunFile:
    """The file of a row that was selected with `SELECT`."""
    return RunFile(
        id=row["id"],
        run_id=row["run_id"],
        name=row["name"],
        sha256=row["sha256"],
        md5=row["md5"],
        size_bytes=row["size_bytes"],
        updated_at=moment(row["updated_at"]),
    )


def find(tx: Transaction, file_id: int) -> RunFile | None:
    """The file of that id."""
    row = tx.one(SELECT + "WHERE f.id = :id", {"id": file_id})
    return None if row is None else from_row(row)


def find_many(tx: Transaction, ids: Sequence[int]) -> list[RunFile]:
    """The files of these ids, in order of id."""
    found: list[RunFile] = []
    for index in range(0, len(ids), CHUNK):
        part = ids[index : index + CHUNK]
        rows = tx.all(
            SELECT + f"WHERE f.id IN ({','.join('?' * len(part))}) ORDER BY f.id", list(part)
        )
        found += [from_row(row) for row in rows]
    return found


def find_by_name(tx: Transaction, run_id: int, name: str) -> RunFile | None:
    """The run's file of that name."""
    row = tx.one(SELECT + "WHERE f.run_id = :run AND f.name = :name", {"run": run_id, "name": name})
    return None if row is None else from_row(row)


def find_by_names(tx: Transaction, run_id: int, names: Sequence[str]) -> list[RunFile]:
    """The run's files of these names, by name."""
    found: list[RunFile] = []
    for index in range(0, len(names), CHUNK):
        part = names[index : index + CHUNK]
        rows = tx.all(
            SELECT + f"WHERE f.run_id = ? AND f.name IN ({','.join('?' * len(part))})",
            [run_id, *part],
        )
        found += [from_row(row) for row in rows]
    return sorted(found, key=lambda file: file.name)


def list_of_run(
    tx: Transaction, run_id: int, *, like: str | None, after: str | None, limit: int
) -> list[RunFile]:
    """The run's files by name, from behind the name `after`; of a LIKE pattern where one is given."""
    conditions = "f.run_id = :run"
    if after is not None:
        conditions += " AND f.name > :after"
    if like is not None:
        conditions += " AND f.name LIKE :like ESCAPE '\\'"
    rows = tx.all(
        SELECT + f"WHERE {conditions} ORDER BY f.name LIMIT :limit",
        {"run": run_id, "after": after, "like": like, "limit": limit},
    )
    return [from_row(row) for row in rows]


def counts_of_many(tx: Transaction, run_ids: Sequence[int]) -> dict[int, int]:
    """How many files each of these runs has."""
    found = dict.fromkeys(run_ids, 0)
    if run_ids:
        for row in tx.all(
            "SELECT run_id, count(*) AS n FROM run_file"
            f" WHERE run_id IN ({','.join('?' * len(run_ids))}) GROUP BY run_id",
            list(run_ids),
        ):
            found[row["run_id"]] = row["n"]
    return found


def put(
    tx: Transaction, *, run_id: int, name: str, sha256: str, md5: str, size_bytes: int, at: int
) -> int:
    """The run has this file, in place of an earlier one of the name; its id."""
    return tx.insert(
        "INSERT INTO run_file (run_id, name, sha256, md5, size_bytes, updated_at)"
        " VALUES (:run, :name, :sha256, :md5, :size, :at) ON CONFLICT (run_id, name) DO UPDATE"
        " SET sha256 = excluded.sha256, md5 = excluded.md5, size_bytes = excluded.size_bytes,"
        " updated_at = excluded.updated_at RETURNING id",
        {
            "run": run_id,
            "name": name,
            "sha256": sha256,
            "md5": md5,
            "size": size_bytes,
            "at": at,
        },
    )


def remove_many(tx: Transaction, ids: Sequence[int]) -> None:
    """The files are gone; their bytes go when nothing names them any more."""
    tx.run_many("DELETE FROM run_file WHERE id = ?", [(file_id,) for file_id in ids])
