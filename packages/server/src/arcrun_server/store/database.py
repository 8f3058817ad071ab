"""One SQLite file: reads at once, writes through one thread that commits them in groups.

Reads take microseconds, so they run where they are asked for, without a hop to a thread. Writes wait for the
disk, so one thread takes all that have come in, commits them in one transaction (WAL, `synchronous=FULL`:
what was acknowledged survives a killed process and a power cut) and then tells each of its outcome.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.pool import NullPool

from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.store.schema import APPLICATION_ID, SCHEMA_VERSION, metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine, Executable
    from sqlalchemy.sql.selectable import SelectBase

Result = TypeVar("Result")

# How long to wait for another process's lock. Reads wait on the event loop, so they wait briefly.
WRITE_WAIT_MS = 5_000
READ_WAIT_MS = 200
# Writes per transaction: more gains nothing and makes the last of them wait.
GROUP = 256

# How long writes that nobody waits for are gathered.
BEHIND_SECONDS = 0.05

_READS_ONLY = "arcrun_reads_only"
_log = logging.getLogger("arcrun_server.store")


class Query:
    """A SELECT that is asked so often that SQLAlchemy writes it once, and the driver runs it.

    Args:
        statement: Built from the tables, with `bindparam` for what changes.
    """

    def __init__(self, statement: SelectBase) -> None:
        compiled = statement.compile(dialect=sqlite_dialect.dialect(paramstyle="named"))
        self.text = str(compiled)
        self.columns = [column.name for column in statement.selected_columns]


class Database:
    """The open database of one server.

    Args:
        path: The file; it is made, readable by its owner only, if it is not there.

    Raises:
        StartupError: It can't be used; the text says why and what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._engine = _engine(path)
            self._writer = self._engine.connect()
            _prepare(self._writer, path)
            self._reader = self._engine.connect().execution_options(**{_READS_ONLY: True})
            self._driver = _driver(self._reader, path)
            self._driver.execute(f"PRAGMA busy_timeout={READ_WAIT_MS}")
        except (DatabaseError, sqlite3.Error, OSError) as error:
            raise StartupError(_startup_text(path, error)) from None
        self._behind: dict[Executable, list[dict[str, Any]]] = {}
        self._flush_due: asyncio.TimerHandle | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="arcrun-writer", daemon=True)
        self._thread.start()

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run a short query and return what it returns.

        Args:
            query: Gets a connection on which each statement sees the latest commit.

        Raises:
            StorageUnavailableError: The database is locked or damaged.
        """
        return self.read_now(query)

    def read_now(self, query: Callable[[Connection], Result]) -> Result:
        """As `read`, for callers without an event loop."""
        try:
            return query(self._reader)
        except ProgrammingError:
            raise  # a mistake of ours
        except DatabaseError as error:
            raise _unavailable(error) from None

    async def rows(self, query: Query, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query that was written beforehand; columns come as the driver gives them.

        Raises:
            StorageUnavailableError: The database is locked or damaged.
        """
        try:
            return self._driver.execute(query.text, parameters).fetchall()
        except sqlite3.ProgrammingError:
            raise  # a mistake of ours
        except sqlite3.DatabaseError as error:
            raise StorageUnavailableError(_reason(error)) from None

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Apply a change as a whole or not at all, and return when it is safely on disk.

        Args:
            change: Gets a connection inside a transaction; an exception undoes what it did, and is raised here.

        Raises:
            StorageUnavailableError: The database is locked, full or damaged; nothing was changed.
        """
        self._flush()  # what was handed in before comes before
        return await asyncio.wrap_future(self._submit(change))

    def write_now(self, change: Callable[[Connection], Result]) -> Result:
        """As `write`, for callers without an event loop."""
        return self._submit(change).result()

    def write_behind(self, statement: Executable, row: dict[str, Any]) -> None:
        """Run a statement with these parameters soon, together with others, without telling when.

        For what nobody waits for, as the history of runs: a killed process loses what came in its last moments.
        """
        self._behind.setdefault(statement, []).append(row)
        if self._flush_due is None:
            loop = asyncio.get_running_loop()
            self._flush_due = loop.call_later(BEHIND_SECONDS, self._flush)

    async def settle(self) -> None:
        """Return when everything that was handed in so far, `write_behind` included, is written."""
        await self.write(_nothing)

    def close(self) -> None:
        """Finish the writes that wait, then close the file."""
        self._flush()
        self._jobs.put(None)
        self._thread.join()
        self._reader.close()
        self._writer.close()
        self._engine.dispose()

    def _submit(self, change: Callable[[Connection], Result]) -> Future[Result]:
        job = _Job(change)
        self._jobs.put(job)
        return job.future

    def _flush(self) -> None:
        if self._flush_due is not None:
            self._flush_due.cancel()
            self._flush_due = None
        if not self._behind:
            return
        behind, self._behind = self._behind, {}

        def change(connection: Connection) -> None:
            for statement, rows in behind.items():
                connection.execute(statement, rows)

        self._submit(change).add_done_callback(_report_lost_write)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = self._gather(first)
            self._commit([job for job in group if job.future.set_running_or_notify_cancel()])
            if last:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._writer.begin():
                outcomes = [_attempt(self._writer, job) for job in group]
        except Exception as error:  # noqa: BLE001 - the thread must outlive it; each waiting caller gets it
            problem = _unavailable(error) if isinstance(error, DatabaseError) else error
            for job in group:
                job.future.set_exception(problem)
            return
        for job, (result, failure) in zip(group, outcomes, strict=True):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)


class _Job:
    __slots__ = ("change", "future")

    def __init__(self, change: Callable[[Connection], Any]) -> None:
        self.change = change
        self.future: Future[Any] = Future()


def _nothing(_connection: Connection) -> None:
    pass


def _report_lost_write(future: Future[Any]) -> None:
    if (error := future.exception()) is not None:
        _log.warning("a record of a run was lost: %s", type(error).__name__)


def _attempt(connection: Connection, job: _Job) -> tuple[Any, BaseException | None]:
    """Run one job of a group; what it raises undoes its own part only."""
    try:
        with connection.begin_nested():
            return job.change(connection), None
    except (IntegrityError, ProgrammingError) as error:
        return None, error
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever awaits this job
        return None, error


def _engine(path: Path) -> Engine:
    # hide_parameters: an error's text must not quote what was to be stored.
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": WRITE_WAIT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def take_the_write_lock_first(connection: Connection) -> None:
        # The reader stays outside of transactions: each of its statements sees the latest commit.
        if _READS_ONLY not in connection.get_execution_options():
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _driver(connection: Connection, path: Path) -> sqlite3.Connection:
    driver: sqlite3.Connection | None = connection.connection.driver_connection
    if driver is None:
        raise StartupError(f"cannot open the database {path}")
    return driver


def _prepare(connection: Connection, path: Path) -> None:
    """Check whose file this is before anything is changed in it, then make what is missing."""
    driver = _driver(connection, path)

    def value(pragma: str) -> Any:
        return driver.execute(f"PRAGMA {pragma}").fetchone()[0]

    version, owner = value("user_version"), value("application_id")
    empty = driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if owner != APPLICATION_ID and not (empty and owner == 0 and version == 0):
        raise StartupError(
            f"{path} is the database of another program; it was left as it is.\nName another folder with --data."
        )
    if version > SCHEMA_VERSION:
        raise StartupError(
            f"{path} was made by a newer arcrun-server (schema {version}, this one knows {SCHEMA_VERSION}).\n"
            "Install the newer version again, or name another folder with --data."
        )
    if value("journal_mode=WAL") != "wal":
        raise StartupError(
            f"{path}: this file system does not support SQLite's WAL mode; name another folder"
        )
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        driver.execute(f"PRAGMA {pragma}")
    if version == 0:
        with connection.begin():
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


_REASONS = {
    "locked": "the database is locked by another process",
    "busy": "the database is locked by another process",
    "full": "the disk is full",
    "readonly": "the database can't be written to",
    "not a database": "the database file is damaged or is no SQLite database",
    "malformed": "the database file is damaged or is no SQLite database",
}


def _reason(error: BaseException | None) -> str:
    """Say in our own words what SQLite said; its text, or SQLAlchemy's, may quote what was to be stored."""
    # A full disk ends the transaction by itself, and undoing it then fails too: look behind the last error.
    while error is not None:
        text = str(getattr(error, "orig", error)).lower()
        for word, reason in _REASONS.items():
            if word in text:
                return reason
        error = error.__context__
    return "the database can't be used"


def _unavailable(error: DatabaseError) -> StorageUnavailableError:
    return StorageUnavailableError(_reason(error))


def _startup_text(path: Path, error: DatabaseError | sqlite3.Error | OSError) -> str:
    reason = error.strerror if isinstance(error, OSError) else _reason(error)
    return f"cannot open the database {path}: {reason}"
