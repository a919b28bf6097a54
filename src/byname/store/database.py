"""How a transaction is made: the only file that knows the database driver.

Statements elsewhere are SQL text with `:named` parameters in the part of SQL that SQLite and
PostgreSQL share. Readers see one committed state; there is one writer at a time. Several small
writes may share one commit (`batch`): each runs in a savepoint of its own, so that one that fails
leaves nothing behind, and none is answered before the commit is on disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pysqlite3 import dbapi2 as sqlite

from byname.domain import names
from byname.domain.errors import StorageFull, Unavailable, Unprocessable

T = TypeVar("T")
Row = Any
"""One row: columns by name (`row["id"]`) or position."""

SAFE_SQLITE_VERSION = (3, 51, 3)
"""Earlier releases may corrupt a database in WAL mode when the log is reset under load."""

BUSY_SECONDS = 30.0
CACHED_STATEMENTS = 512
STEPS_BETWEEN_LOOKS = 50_000
"""How many steps of SQLite's machine pass between two looks at the clock (well under 10 ms)."""
Parameters = Mapping[str, Any]


class Transaction:
    """Runs statements on one consistent state. Made by `Database.read` and `Database.write`."""

    __slots__ = ("_connection", "writable")

    def __init__(self, connection: Any, *, writable: bool) -> None:
        self._connection = connection
        self.writable = writable

    def one(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        return self._connection.execute(sql, parameters).fetchone()

    def all(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> list[Row]:
        """All rows. The statement says how many at the most."""
        rows: list[Row] = self._connection.execute(sql, parameters).fetchall()
        return rows

    def run(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> int:
        """Run one statement that changes rows; how many it changed."""
        count: int = self._connection.execute(sql, parameters).rowcount
        return count

    def insert(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> int:
        """Run one INSERT ... RETURNING id; the new id."""
        row = self._connection.execute(sql, parameters).fetchone()
        return int(row[0])

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Statements inside are cut off once they have taken that long together (R123).

        Raises:
            Unprocessable: they would have taken longer.
        """
        end = time.monotonic() + seconds
        connection = self._connection
        connection.set_progress_handler(lambda: int(time.monotonic() > end), STEPS_BETWEEN_LOOKS)
        try:
            yield
        except sqlite.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            raise Unprocessable(
                f"This query would take longer than {seconds:g} seconds; narrow it down",
                code="query_too_slow",
            ) from None
        finally:
            connection.set_progress_handler(None, 0)

    def run_many(self, sql: str, rows: Sequence[Parameters | Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self._connection.executemany(sql, rows)


@dataclass(slots=True)
class Outcome:
    """What one piece of a batch came to: a value, or the error that undid it."""

    value: Any = None
    error: BaseException | None = None


class Database:
    """An SQLite database in WAL mode, durable at every commit (`synchronous=FULL`).

    Safe to use from any thread. Every thread that reads has a connection of its own; writers share
    one connection and take turns.
    """

    def __init__(self, path: Path) -> None:
        if sqlite.sqlite_version_info < SAFE_SQLITE_VERSION:
            wanted = ".".join(map(str, SAFE_SQLITE_VERSION))
            raise Unavailable(
                f"SQLite {sqlite.sqlite_version} may corrupt its log under load; "
                f"Byname needs {wanted} or newer (reinstall the package pysqlite3)"
            )
        self.path = path
        self._local = threading.local()
        self._writer_lock = threading.Lock()
        self._connections: list[Any] = []
        self._connections_lock = threading.Lock()
        try:
            self._writer = self._connect()
        except sqlite.DatabaseError as error:
            # Not a database, or one that may not be read or written here.
            raise Unavailable(f"The database {path} cannot be used: {error}") from None

    def _connect(self) -> Any:
        connection = sqlite.connect(
            str(self.path),
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
        connection.row_factory = sqlite.Row
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-4000",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for name, arguments, function in FUNCTIONS:
            connection.create_function(name, arguments, function, deterministic=True)
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _reader(self) -> Any:
        connection = getattr(self._local, "reader", None)
        if connection is None:
            connection = self._local.reader = self._connect()
            connection.execute("PRAGMA query_only=ON")
        return connection

    def revision(self) -> int:
        """A number that changes with every commit of whatever process.

        It says something only to the thread that asks, compared with what it was told before. Ask
        before reading, so that a commit in between is noticed at the next asking.
        """
        row = self._reader().execute("PRAGMA data_version").fetchone()
        return int(row[0])

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Statements inside see one committed state.

        Inside a write of the same thread they see that write, so that an operation can be read back
        before its commit.
        """
        current: Transaction | None = getattr(self._local, "transaction", None)
        if current is not None:
            yield current
            return
        connection = self._reader()
        connection.execute("BEGIN")
        transaction = self._local.transaction = Transaction(connection, writable=False)
        try:
            yield transaction
        finally:
            self._local.transaction = None
            connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Statements inside happen together or not at all, and are on disk when this returns.

        Inside another write of the same thread it is a part of that one: undone alone when it
        fails, on disk when the outer one is.

        Raises:
            StorageFull: there is no room left; nothing was changed.
        """
        current: Transaction | None = getattr(self._local, "transaction", None)
        if current is not None:
            if not current.writable:
                raise RuntimeError("A write was opened inside a read of the same thread.")
            yield from self._savepoint(current)
            return
        with self._writer_lock:
            connection = self._writer
            self._begin(connection)
            transaction = self._local.transaction = Transaction(connection, writable=True)
            try:
                yield transaction
                self._commit(connection)
            except BaseException as error:
                self._rollback(connection)
                raise _meaning(error) from error
            finally:
                self._local.transaction = None

    def batch(
        self, pieces: Sequence[Callable[[], Any]], *, wait: bool = True
    ) -> list[Outcome] | None:
        """Run each piece in order, each whole or not at all, and commit them together.

        When this returns, all that did not fail is on disk. A piece calls `write` as usual.
        None, at once and with nothing done, when somebody else (a thread or another process) is
        writing and `wait` is not said.
        """
        if not self._writer_lock.acquire(blocking=wait):
            return None
        try:
            if not wait and not self._begin_at_once():
                return None
            return self._batch(pieces)
        finally:
            self._writer_lock.release()

    def _begin_at_once(self) -> bool:
        """Whether the transaction could be begun without waiting for another process."""
        self._writer.execute("PRAGMA busy_timeout=0").fetchall()
        try:
            self._begin(self._writer)
        except sqlite.OperationalError:
            return False
        finally:
            milliseconds = int(BUSY_SECONDS * 1000)
            self._writer.execute(f"PRAGMA busy_timeout={milliseconds}").fetchall()
        return True

    def _batch(self, pieces: Sequence[Callable[[], Any]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        connection = self._writer
        try:
            if not connection.in_transaction:
                self._begin(connection)
        except sqlite.Error as error:
            return [Outcome(error=_meaning(error)) for _ in pieces]
        transaction = self._local.transaction = Transaction(connection, writable=True)
        try:
            for piece in pieces:
                outcome = Outcome()
                try:
                    with contextmanager(self._savepoint)(transaction):
                        outcome.value = piece()
                except Exception as error:  # noqa: BLE001  The piece's owner gets it.
                    outcome.error = _meaning(error)
                outcomes.append(outcome)
                if not connection.in_transaction:
                    # A full disk makes SQLite undo the whole transaction by itself.
                    raise sqlite.OperationalError("database or disk is full")
            self._commit(connection)
        except sqlite.Error as error:
            self._rollback(connection)
            failed = _meaning(error)
            return [
                outcome if outcome.error is not None else Outcome(error=failed)
                for outcome in outcomes
            ] + [Outcome(error=failed) for _ in pieces[len(outcomes) :]]
        finally:
            self._local.transaction = None
        return outcomes

    def _savepoint(self, transaction: Transaction) -> Iterator[Transaction]:
        connection = transaction._connection  # noqa: SLF001  Both halves of one thing.
        connection.execute("SAVEPOINT piece")
        try:
            yield transaction
        except BaseException:
            # A full disk may have rolled the whole transaction back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK TO piece")
                connection.execute("RELEASE piece")
            raise
        connection.execute("RELEASE piece")

    @staticmethod
    def _begin(connection: Any) -> None:
        connection.execute("BEGIN IMMEDIATE")

    @staticmethod
    def _commit(connection: Any) -> None:
        connection.execute("COMMIT")

    @staticmethod
    def _rollback(connection: Any) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Fold the log into the database file, as far as readers allow."""
        with self._writer_lock:
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def size_bytes(self) -> int:
        """How much room the database takes on disk, with its log."""
        files = [self.path, self.path.with_name(self.path.name + "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def problems(self) -> list[str]:
        """What SQLite's own check of the file finds wrong; empty when all is well."""
        with self.read() as tx:
            found = [str(row[0]) for row in tx.all("PRAGMA integrity_check(100)")]
        return [] if found == ["ok"] else found

    def script(self, statements: Sequence[str]) -> None:
        """Run schema statements, all or none."""
        with self.write() as tx:
            for statement in statements:
                tx.run(statement)

    def close(self) -> None:
        """Close every connection. No thread may be using one."""
        with self._writer_lock, self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


def _meaning(error: BaseException) -> BaseException:
    """The refusal a driver's error stands for, or the error itself."""
    if isinstance(error, sqlite.OperationalError):
        text = str(error)
        if "disk is full" in text or "disk I/O error" in text:
            return StorageFull("The server has no room left for this change; nothing was changed")
        if "locked" in text or "busy" in text:
            return Unavailable("The database is busy; nothing was changed, please try again")
    return error


FUNCTIONS: list[tuple[str, int, Callable[..., Any]]] = [("byname_fold", 1, names.fold)]
"""SQL functions added to every connection: name, number of arguments, function."""
