"""The store in a PostgreSQL database, which several servers may share.

Reads run in a few threads, each on a connection without a transaction: a statement sees the latest commit. Writes go
through the writing thread. A connection that was lost is replaced, and what had not been committed is done again.

The driver, psycopg, is imported here only: `arcrun-server[postgresql]` brings it.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, ProgrammingError

from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.store import migrations
from arcrun_server.store.database import (
    LONG_READ_MS,
    LONG_READS,
    WRITE_WAIT_MS,
    Database,
    Query,
    attempt,
)
from arcrun_server.store.executors import ExecutorLocks
from arcrun_server.store.postgresql_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine, Executable

    from arcrun_server.store.database import Job, Outcome, Result
    from arcrun_server.store.database_url import PostgreSQLURL

READERS = 4
UPGRADE_WAIT_MS = 60_000
# "arcr": the advisory lock under which one process at a time creates and upgrades the tables.
UPGRADE_LOCK = 0x61726372
# How often a group is tried again that PostgreSQL ended for another process's sake, or whose connection was lost.
TRIES = 4
DEADLOCKS = frozenset({"40P01", "40001"})
# What the URL leaves open. Without a time-out, a host that went silent would hold the writing thread for minutes.
CONNECTION_DEFAULTS = {
    "application_name": "arcrun-server",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "tcp_user_timeout": "15000",
}

_SESSION = """
    SELECT set_config('lock_timeout', %s, false),
           CASE WHEN current_setting('synchronous_commit') = 'off'
                THEN set_config('synchronous_commit', 'on', false) END
"""
# The last commit of each process: a row that it changes in each of its transactions. PostgreSQL's own
# `pg_xact_status` can't be asked after a crash: the id of a transaction that was lost is given to another one.
_LAST_COMMITS = "CREATE TABLE last_commits (process text PRIMARY KEY, mark bytea NOT NULL)"
_SET_MARK = text(
    "INSERT INTO last_commits VALUES (:process, :mark)"
    " ON CONFLICT (process) DO UPDATE SET mark = excluded.mark"
)
# Waits for a transaction that has changed the row and that the server has not ended yet.
_GET_MARK = text("SELECT mark FROM last_commits WHERE process = :process FOR UPDATE")
_REMOVE_MARK = text("DELETE FROM last_commits WHERE process = :process OR mark < :oldest")
# Rows of processes that were killed are removed after this time.
MARK_SECONDS = 7 * 24 * 60 * 60
_TABLES = text(
    """
    SELECT count(*) FROM pg_class
    WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = CAST('pg_class' AS regclass)
                    AND objid = pg_class.oid AND deptype = 'e')
    """
)
_VERSION = text("SELECT version FROM schema_version")
_SET_VERSION = text("UPDATE schema_version SET version = :version")


class PostgreSQLDatabase(Database):
    """A PostgreSQL database, in the first schema of the user's search path.

    Args:
        url: Where it is.
        write_wait_ms: How long to wait for another process's lock before a write fails.

    Raises:
        StartupError: It can't be used; the text says why and what to do, without the password.
    """

    kind = "postgresql"

    def __init__(self, url: PostgreSQLURL, *, write_wait_ms: int = WRITE_WAIT_MS) -> None:
        self._shown = str(url)
        self._write_wait_ms = write_wait_ms
        self._url = url
        self._engine = make_engine(url, write_wait_ms)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._process = uuid.uuid4().hex
        try:
            self._prepare()
            # The row is there before it is needed: nothing waits for a row that is only being inserted.
            with self._engine.begin() as connection:
                self._mark(connection)
        except DatabaseError as error:
            self._engine.dispose()
            raise StartupError(f"cannot use the database {self._shown}: {reason(error)}") from None
        except StartupError:
            self._engine.dispose()
            raise
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="arcrun-reader")
        super().__init__()

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run a query in a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_long_now(self, query: Callable[[Connection], Result]) -> Result:
        """Run a query in a transaction that the server ends when its time is over."""

        def run(connection: Connection) -> Result:
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {LONG_READ_MS}")
                return query(connection)

        return self._now(lambda: self._tried(self._engine, run))

    def read_now(self, query: Callable[[Connection], Result]) -> Result:
        """As `read`, for callers without an event loop."""
        return self._now(lambda: self._tried(self._reading, query))

    async def rows(self, query: Query, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows; SQLAlchemy keeps the compiled query, and the driver prepares it."""
        statement = cast("Executable", query.statement)

        def run(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(statement, parameters)]

        return await self.read(run)

    def durable_engine(self) -> tuple[Engine, str | None]:
        """Return an engine with connections of its own, for the schema of our tables."""
        engine = make_engine(self._url, self._write_wait_ms)
        with engine.connect() as connection:
            schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        return engine, str(schema)

    def executor_locks(self) -> ExecutorLocks:
        """Return locks on a connection of their own."""
        return ExecutorLocks(self._engine, uuid.uuid4().hex)

    def _now(self, read: Callable[[], Result]) -> Result:
        try:
            return read()
        except (ProgrammingError, DataError):
            raise  # a mistake of ours
        except DatabaseError as error:
            raise self._unavailable(error) from None

    def _tried(self, engine: Engine, query: Callable[[Connection], Result]) -> Result:
        for _ in range(TRIES - 1):
            try:
                with engine.connect() as connection:
                    return query(connection)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
        with engine.connect() as connection:
            return query(connection)

    def _apply(self, group: list[Job]) -> list[Outcome]:
        """Commit a group.

        A group holds the row locks of all its jobs, so two servers can wait for each other's: PostgreSQL then ends
        one of the transactions, and it is run again here. So is one whose connection was lost before the commit. If
        it was lost during the commit, the server is asked how that ended.
        """
        for tried in range(1, TRIES):
            try:
                return self._apply_once(group)
            except DBAPIError as error:
                ended = getattr(error.orig, "sqlstate", None) in DEADLOCKS
                if not (ended or error.connection_invalidated):
                    raise
                if ended:  # let the other one finish first
                    time.sleep(random.uniform(0, 0.05) * tried)  # noqa: S311 - not a secret
        return self._apply_once(group)

    def _apply_once(self, group: list[Job]) -> list[Outcome]:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            outcomes = [attempt(connection, job) for job in group]
            mark = self._mark(connection)
            try:
                transaction.commit()
            except DBAPIError as error:
                if not error.connection_invalidated or not self._committed(mark):
                    raise
            return outcomes

    def _mark(self, connection: Connection) -> bytes:
        """Let a transaction leave a mark that is there if, and only if, it is committed; return the mark."""
        mark = _seconds(time.time()) + secrets.token_bytes()
        connection.execute(_SET_MARK, {"process": self._process, "mark": mark})
        return mark

    def _committed(self, mark: bytes) -> bool:
        """Return whether a transaction was committed whose connection was lost in the moment of the commit."""
        deadline = time.monotonic() + self._write_wait_ms / 1000
        while time.monotonic() < deadline:
            try:
                with self._reading.connect() as connection:
                    found = connection.execute(_GET_MARK, {"process": self._process}).scalar()
            except DBAPIError:  # it may be starting again
                found = None
            if found is not None:
                return bool(found == mark)
            time.sleep(0.1)
        raise StorageUnavailableError(
            "the connection to the database was lost during a commit", outcome_known=False
        )

    def _unavailable(self, error: DatabaseError) -> StorageUnavailableError:
        return StorageUnavailableError(reason(error))

    def _disconnect(self) -> None:
        self._readers.shutdown()
        oldest = _seconds(time.time() - MARK_SECONDS)
        # A row that stays, as after a kill, does no harm.
        with suppress(DatabaseError), self._engine.begin() as connection:
            connection.execute(_REMOVE_MARK, {"process": self._process, "oldest": oldest})
        self._engine.dispose()

    def _prepare(self) -> None:
        """Create or upgrade the tables; of several servers that start at once, the others wait for the first."""
        with self._engine.begin() as connection:
            check_server(connection, self._shown)
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {UPGRADE_WAIT_MS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
            version = schema_version(connection, self._shown)
            newest = migrations.newest_version()
            if connection.exec_driver_sql("SELECT to_regclass('last_commits')").scalar() is None:
                connection.exec_driver_sql(_LAST_COMMITS)
            if version == newest:
                return
            if version == 0:
                connection.exec_driver_sql("CREATE TABLE schema_version (version integer NOT NULL)")
                connection.exec_driver_sql("INSERT INTO schema_version VALUES (0)")
            try:
                migrations.upgrade(connection, version)
            except DatabaseError as error:
                raise migrations.refusal(self._shown, version, reason(error)) from None
            connection.execute(_SET_VERSION, {"version": newest})


def check_server(connection: Connection, shown: str) -> None:
    """Check that this is a PostgreSQL that can be used.

    Args:
        connection: To the database.
        shown: The database's name in messages.

    Raises:
        StartupError: It is too old, or its text is not UTF-8.
    """
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if is_too_old(version):
        raise StartupError(f"{shown} is older than PostgreSQL 13")
    if connection.exec_driver_sql("SHOW server_encoding").scalar_one() != "UTF8":
        raise StartupError(
            f"{shown} is not encoded in UTF-8.\n"
            "Create one that is: CREATE DATABASE arcrun ENCODING 'UTF8' TEMPLATE template0"
        )


def schema_version(connection: Connection, shown: str) -> int:
    """Return the version of the database's schema, 0 for an empty database.

    Args:
        connection: To the database.
        shown: The database's name in messages.

    Raises:
        StartupError: It belongs to another program, or to a newer version of this one.
    """
    if connection.exec_driver_sql("SELECT current_schema()").scalar() is None:
        raise StartupError(f"{shown} has no schema that this user may use")
    if connection.exec_driver_sql("SELECT to_regclass('schema_version')").scalar() is None:
        if connection.execute(_TABLES).scalar_one():
            raise StartupError(
                f"{shown} holds the tables of another program; it was left as it is.\n"
                "Create a database for arcrun-server alone and name it with --database."
            )
        return 0
    version = int(connection.execute(_VERSION).scalar_one())
    if version > migrations.newest_version():
        raise StartupError(
            f"{shown} was made by a newer arcrun-server "
            f"(schema {version}, this one knows {migrations.newest_version()}).\n"
            "Install the newer version again, or name another database with --database."
        )
    return version


def is_too_old(server_version: int) -> bool:
    """Tell whether this is the version of a PostgreSQL before 13, as `server_version_num` has it."""
    return server_version < 130_000


def _seconds(moment: float) -> bytes:
    """Return a time in bytes that sort as times do."""
    return int(moment).to_bytes(8, "big")


def make_engine(url: PostgreSQLURL, write_wait_ms: int = WRITE_WAIT_MS) -> Engine:
    """Return an engine for a database; the caller disposes of it."""
    # libpq's own parameters, so that all that it knows works: sockets, several hosts, .pgpass, TLS.
    conninfo = make_conninfo(**CONNECTION_DEFAULTS | url.parameters)

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(conninfo)

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=READERS + LONG_READS + 3,  # and the writer, and the two of the probe
        max_overflow=READERS,
        hide_parameters=True,  # an error's text must not quote what was to be stored
    )

    @event.listens_for(engine, "connect")
    def set_session(connection: psycopg.Connection[Any], _record: object) -> None:
        connection.execute(_SESSION, [str(write_wait_ms)])
        connection.commit()

    return engine
