"""A database of every released schema becomes today's, whole or not at all (D9).

`released/schema_N.json` holds the statements of schema N as they were when it was released.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from byname.domain.errors import Unavailable
from byname.store import migration, project, schema
from byname.store.database import Database, Transaction

RELEASED = {
    int(re.findall(r"\d+", file.stem)[0]): json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).parent / "released").glob("schema_*.json"))
}


class Killed(Exception):
    """The process ended here."""


def shape(database: Database) -> dict[str, Any]:
    """What the database consists of, however it came to it: columns, indexes, triggers."""
    with database.read() as tx:
        found: dict[str, Any] = {}
        for row in tx.all(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
        ):
            if row["type"] == "table":
                columns = tx.all(f"PRAGMA table_xinfo({row['name']})")
                keys = tx.all(f"PRAGMA foreign_key_list({row['name']})")
                found[row["name"]] = (
                    {tuple(each)[1:] for each in columns},
                    {tuple(each)[2:] for each in keys},
                )
            else:
                found[row["name"]] = " ".join(str(row["sql"]).split())
        return found


def open_released(folder: Path, version: int) -> Database:
    """A database as that schema left it."""
    database = Database(folder / f"released-{version}.db")
    database.script(RELEASED[version])
    with database.write() as tx:
        tx.run("INSERT INTO meta (key, value) VALUES ('schema_version', ?)", [str(version)])
        tx.run(
            "INSERT INTO entity (id, kind, name, name_key, created_at)"
            " VALUES (7, 'organization', 'Kept', 'kept', 1)"
        )
    return database


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "fresh.db")
    migration.migrate(made)
    yield made
    made.close()


@pytest.mark.parametrize("version", RELEASED)
class TestEveryReleasedSchemaBecomesTodays:
    """D9: migration from every released schema version completes, or leaves the old one."""

    def test_it_equals_a_new_database_and_keeps_its_rows(
        self, tmp_path: Path, fresh: Database, version: int
    ) -> None:
        old = open_released(tmp_path, version)
        migration.migrate(old)
        assert shape(old) == shape(fresh)
        assert migration.present_version(old) == schema.SCHEMA_VERSION
        with old.read() as tx:
            assert tx.one("SELECT name FROM entity WHERE id = 7")["name"] == "Kept"  # type: ignore[index]
        old.close()

    def test_killed_at_any_statement_it_is_as_it_was(
        self, tmp_path: Path, fresh: Database, version: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = open_released(tmp_path, version)
        before = shape(old)
        run = Transaction.run
        statements = sum(
            len(migration.STEPS[each]) for each in range(version, schema.SCHEMA_VERSION)
        )
        for last in range(statements + 1):
            left = iter(range(last))

            def stop(tx: Transaction, *args: Any, left: Iterator[int] = left) -> int:
                if next(left, None) is None:
                    raise Killed
                return run(tx, *args)

            with monkeypatch.context() as patch:
                patch.setattr(Transaction, "run", stop)
                with pytest.raises(Killed):
                    migration.migrate(old)
            assert shape(old) == before
            assert migration.present_version(old) == version
        migration.migrate(old)
        assert shape(old) == shape(fresh)
        old.close()


@pytest.mark.parametrize("version", RELEASED)
def test_names_that_were_there_are_found_by_a_part_of_them(tmp_path: Path, version: int) -> None:
    """R115: after the migration too, in the index of their own kind, and gone with their row."""
    old = open_released(tmp_path, version)
    with old.write() as tx:
        for number, kind in ((1, "alias"), (2, "version_tag")):
            tx.run(
                "INSERT INTO finding (id, kind, object_id, name, name_key)"
                " VALUES (?, ?, 1, 'Candidate', 'candidate')",
                [number, kind],
            )
    migration.migrate(old)

    def found(kind: str) -> list[int]:
        with old.read() as tx:
            rows = tx.all(
                f"SELECT rowid FROM finding_part_{kind} WHERE finding_part_{kind} MATCH 'ndida'"
            )
        return [row["rowid"] for row in rows]

    assert [found("alias"), found("version_tag"), found("collection")] == [[1], [2], []]
    with old.write() as tx:
        tx.run("DELETE FROM finding WHERE id = 1")
    assert [found("alias"), found("version_tag")] == [[], [2]]
    old.close()


def test_executions_of_schema_2_learn_in_which_collection_it_happened(tmp_path: Path) -> None:
    """R40: also what ran before is counted where it happened."""
    old = open_released(tmp_path, 2)
    with old.write() as tx:
        tx.run(
            "INSERT INTO project (id, entity_id, kind, name, name_key, created_at, updated_at)"
            " VALUES (1, 7, 'registry', 'Model', 'model', 1, 1)"
        )
        tx.run("INSERT INTO artifact_type (id, project_id, name, created_at) VALUES (1, 1, 'm', 1)")
        tx.run(
            "INSERT INTO collection (id, project_id, type_id, kind, name, created_at, updated_at)"
            " VALUES (11, 1, 1, 'portfolio', 'Zoo', 1, 1), (12, 1, 1, 'portfolio', 'Cat', 1, 1)"
        )
        tx.run(
            "INSERT INTO ledger (id, project_id, collection_id, alias, revision, cause, actor_name,"
            " face, at, hash) VALUES (3, 1, 11, 'a', 1, 'set', 'ann', 'sdk', 1, 'x')"
        )
        tx.run(
            "INSERT INTO history (id, ledger_id, collection_id, kind, subject, actor_name, face, at)"
            " VALUES (5, 3, 12, 'link:create', 'x', 'ann', 'sdk', 1)"
        )
        tx.run(
            "INSERT INTO automation (id, entity_id, name, event, filter, action, config, enabled,"
            " since_ledger_id, since_history_id, created_at)"
            " VALUES (1, 7, 'n', 'LINK_ARTIFACT', '', 'nothing', '{}', 1, 0, 0, 1)"
        )
        for ledger_id, history_id in ((3, 0), (3, 5), (9, 9)):
            tx.run(
                "INSERT INTO execution (automation_id, entity_id, about_project_id, delivery_id,"
                " event, ledger_id, history_id, subject, author, event_at, action, body, state,"
                " next_at, created_at) VALUES (1, 7, 1, ?, 'X', ?, ?, '', '', 1, 'nothing', '[]',"
                " 'finished', 1, 1)",
                [f"{ledger_id}.{history_id}", ledger_id, history_id],
            )
    migration.migrate(old)
    with old.read() as tx:
        found = tx.all("SELECT about_collection_id FROM execution ORDER BY id")
        assert [row[0] for row in found] == [11, 12, None]
    old.close()


def test_every_released_schema_is_kept() -> None:
    assert sorted(RELEASED) == sorted(migration.STEPS), (
        "Write the statements of each released schema to tests/store/released/schema_N.json."
    )


def test_a_database_of_a_newer_byname_is_left_alone(tmp_path: Path, fresh: Database) -> None:
    with fresh.write() as tx:
        tx.run("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    before = shape(fresh)
    with pytest.raises(Unavailable, match="newer Byname"):
        migration.migrate(fresh)
    assert shape(fresh) == before


def test_servers_that_start_at_once_on_an_empty_folder_all_find_the_schema(tmp_path: Path) -> None:
    gate = threading.Barrier(4)

    def start(_number: int) -> int:
        gate.wait(120)
        database = Database(tmp_path / "shared.db")
        migration.migrate(database)
        found = migration.present_version(database)
        database.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [schema.SCHEMA_VERSION] * 4


@pytest.mark.parametrize("version", RELEASED)
def test_versions_that_were_linked_have_their_size(tmp_path: Path, version: int) -> None:
    """R177: the table sorts by size, also what was linked before the index was there."""
    old = open_released(tmp_path, version)
    with old.write() as tx:
        project_id = project.add(tx, entity_id=7, name="zoo", created_by=None, at=1)
        collection_id = tx.insert(
            "INSERT INTO collection (project_id, type_id, kind, name, created_at, updated_at)"
            " VALUES (?, ?, 'sequence', 'Zoo', 1, 1) RETURNING id",
            [project_id, project.add_type(tx, project_id, "model", at=1)],
        )
        for number, size in enumerate((300, 7)):
            version_id = tx.insert(
                "INSERT INTO version (collection_id, state, digest, size_bytes, created_at,"
                " updated_at) VALUES (?, 'committed', 'd', ?, 1, 1) RETURNING id",
                [collection_id, size],
            )
            tx.run(
                "INSERT INTO membership (collection_id, version_id, number, created_at)"
                " VALUES (?, ?, ?, 1)",
                [collection_id, version_id, number],
            )
    migration.migrate(old)
    with old.read() as tx:
        rows = tx.all("SELECT size_bytes FROM membership ORDER BY number")
    assert [row["size_bytes"] for row in rows] == [300, 7]
    old.close()
