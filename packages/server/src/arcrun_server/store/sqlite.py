"""The store in one SQLite file.

Reads take microseconds, so they run where they are needed, without a hop to a thread. The file is in WAL mode with
`synchronous=FULL`: a commit returns when it is on disk.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DatabaseError, DataError, ProgrammingError
from sqlalchemy.pool import NullPool

from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.store import migrations
from arcrun_server.store.backup import back_up
from arcrun_server.store.database import (
    LONG_READ_MS,
    WRITE_WAIT_MS,
    Database,
    Query,
    attempt,
)
from arcrun_server.store.durable_engine import sqlite_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from arcrun_server.store.database import Job, Outcome, Result

# "arcr": marks our files among other SQLite databases.
APPLICATION_ID = 0x61726372
# Reads wait on the event loop, so they wait briefly for another process's lock.
READ_WAIT_MS = 200
# How long to wait while another process upgrades the file.
UPGRADE_WAIT_MS = 60_000

# After how many steps of SQLite's machine it is asked whether a search takes too long.
STEPS_BETWEEN_CHECKS = 10_000

_READS_ONLY = "arcrun_reads_only"


class SQLiteDatabase(Database):
    """One SQLite file.

    Args:
        path: The file; it is created, readable by its owner only, if it is not there.
        write_wait_ms: How long to wait for another process's lock before a write fails.

    Raises:
        StartupError: It can't be used; the text says why and what to do.
    """

    kind = "sqlite"

    def __init__(self, path: Path, *, write_wait_ms: int = WRITE_WAIT_MS) -> None:
        self.path = path
        self._texts: dict[Query, tuple[str, dict[str, Any]]] = {}
        self._write_wait_ms = write_wait_ms
        # Held by whoever writes to the file in this process.
        self._write_lock = threading.Lock()
        with ExitStack() as connections:
            try:
                self._connect(connections)
            except (DatabaseError, sqlite3.Error, OSError) as error:
                raise StartupError(f"cannot open the database {path}: {reason(error)}") from None
            self._connections = connections.pop_all()
        super().__init__()

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run a query at once, in this thread."""
        return self.read_now(query)

    def read_now(self, query: Callable[[Connection], Result]) -> Result:
        """As `read`, for callers without an event loop."""
        try:
            return query(self._reader)
        except (ProgrammingError, DataError):
            raise  # a mistake of ours
        except DatabaseError as error:
            raise self._unavailable(error) from None

    async def rows(self, query: Query, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows, read by the driver itself: SQLAlchemy compiles each query once."""
        prepared = self._texts.get(query)
        if prepared is None:
            compiled = query.statement.compile(dialect=sqlite_dialect.dialect(paramstyle="named"))
            literals = {
                name: bound.value for name, bound in compiled.binds.items() if not bound.required
            }
            prepared = self._texts[query] = (str(compiled), literals)
        text, literals = prepared
        try:
            return self._driver.execute(text, {**literals, **parameters}).fetchall()
        except sqlite3.ProgrammingError:
            raise  # a mistake of ours
        except sqlite3.DatabaseError as error:
            raise StorageUnavailableError(reason(error)) from None

    def durable_engine(self) -> tuple[Engine, str | None]:
        """Return an engine for the same file, which takes turns with the writing thread."""
        return sqlite_engine(self.path, self._write_lock), None

    def executor_locks(self) -> None:
        """Return None: one process after the other serves a file."""

    def read_long_now(self, query: Callable[[Connection], Result]) -> Result:
        """Run a query on a connection of its own, and end it when its time is over."""
        deadline = time.monotonic() + LONG_READ_MS / 1000
        try:
            with self._engine.connect() as connection:
                driver = _driver(connection, self.path)
                driver.execute(f"PRAGMA busy_timeout={READ_WAIT_MS}")
                driver.set_progress_handler(
                    lambda: time.monotonic() > deadline, STEPS_BETWEEN_CHECKS
                )
                return query(connection.execution_options(**{_READS_ONLY: True}))
        except (ProgrammingError, DataError):
            raise  # a mistake of ours
        except DatabaseError as error:
            raise self._unavailable(error) from None

    def _apply(self, group: list[Job]) -> list[Outcome]:
        with self._write_lock, self._writer.begin():
            return [attempt(self._writer, job) for job in group]

    def _unavailable(self, error: DatabaseError) -> StorageUnavailableError:
        return StorageUnavailableError(reason(error))

    def _disconnect(self) -> None:
        self._connections.close()

    def _connect(self, connections: ExitStack) -> None:
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._engine = engine = _engine(self.path, self._write_wait_ms)
        self._writer = connections.enter_context(engine.connect())
        self._prepare()
        reader = connections.enter_context(engine.connect())
        self._reader = reader.execution_options(**{_READS_ONLY: True})
        self._driver = _driver(self._reader, self.path)
        self._driver.execute(f"PRAGMA busy_timeout={READ_WAIT_MS}")

    def _prepare(self) -> None:
        """Check whose file this is before anything is changed in it, then bring its schema up to date."""
        driver = _driver(self._writer, self.path)
        version = schema_version(driver, self.path)
        if _pragma(driver, "journal_mode=WAL") != "wal":
            raise StartupError(
                f"{self.path}: this file system does not support SQLite's WAL mode; name another folder"
            )
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            driver.execute(f"PRAGMA {pragma}")
        if version < migrations.newest_version():
            self._upgrade(driver)

    def _upgrade(self, driver: sqlite3.Connection) -> None:
        driver.execute(f"PRAGMA busy_timeout={UPGRADE_WAIT_MS}")
        with self._writer.begin():
            # Read again: while this process waited for the lock, another one may have upgraded the file.
            version = schema_version(driver, self.path)
            if version < migrations.newest_version():
                try:
                    self._upgrade_from(version, driver)
                except (DatabaseError, sqlite3.Error, OSError) as error:
                    raise migrations.refusal(str(self.path), version, reason(error)) from None
        driver.execute(f"PRAGMA busy_timeout={self._write_wait_ms}")

    def _upgrade_from(self, version: int, driver: sqlite3.Connection) -> None:
        if version > 0:
            back_up(self.path, version)
        migrations.upgrade(self._writer, version)
        driver.execute(f"PRAGMA application_id={APPLICATION_ID}")
        driver.execute(f"PRAGMA user_version={migrations.newest_version()}")


def _engine(path: Path, write_wait_ms: int) -> Engine:
    engine = create_engine(
        # From its parts: in a text, `?`, `#` and `%` of a folder's name would mean something else.
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=NullPool,
        hide_parameters=True,  # an error's text must not quote what was to be stored
        connect_args={"check_same_thread": False, "timeout": write_wait_ms / 1000},
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


def _pragma(driver: sqlite3.Connection, pragma: str) -> Any:
    (value,) = driver.execute(f"PRAGMA {pragma}").fetchone()
    return value


def schema_version(driver: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file's schema, 0 for an empty file.

    Raises:
        StartupError: It belongs to another program, or to a newer version of this one.
    """
    version, owner = _pragma(driver, "user_version"), _pragma(driver, "application_id")
    (tables,) = driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and not (tables == owner == version == 0):
        raise StartupError(
            f"{path} is the database of another program; it was left as it is.\nName another folder with --data."
        )
    if version > migrations.newest_version():
        raise StartupError(
            f"{path} was made by a newer arcrun-server "
            f"(schema {version}, this one knows {migrations.newest_version()}).\n"
            "Install the newer version again, or name another folder with --data."
        )
    return int(version)


_DAMAGED = "the database file is damaged or is not a SQLite database"
_REASONS = {
    "locked": "the database is locked by another process",
    "busy": "the database is locked by another process",
    "interrupted": "the search took too long; look for rarer words",
    "no such module": "this SQLite was built without FTS5, which the knowledge base needs",
    "full": "the disk is full",
    "readonly": "the database can't be written to",
    "not a database": _DAMAGED,
    "malformed": _DAMAGED,
    "disk i/o error": "reading or writing its files failed; the disk may be full",
    "unable to open": "the file can't be opened",
}


def reason(error: BaseException | None) -> str:
    """Return our own words for what SQLite reported; its text, or SQLAlchemy's, may quote what was to be stored."""
    # A full disk ends the transaction by itself, and undoing it then fails too: look behind the last error.
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        text = str(getattr(error, "orig", error)).lower()
        for word, words in _REASONS.items():
            if word in text:
                return words
        error = error.__context__
    return "the database can't be used"
