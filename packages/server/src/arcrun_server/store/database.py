"""What the store needs of a database: reads, and writes through one thread that commits them in groups.

A write waits for the disk (or for the database server's), so one thread takes all that have come in, commits them in
one transaction, and then reports to each its own outcome. What was reported as written survives a killed process and
a power cut. `sqlite.py` and `postgresql.py` say how the rest is done.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine, Executable
    from sqlalchemy.sql.selectable import SelectBase

    from arcrun_server.errors import StorageUnavailableError
    from arcrun_server.store.executors import ExecutorLocks

Result = TypeVar("Result")

# How long to wait for a lock that another process holds.
WRITE_WAIT_MS = 5_000
# How long a search may take, and how many go on at once in one process.
LONG_READ_MS = 2_000
LONG_READS = 2
# Writes per transaction: more gains nothing and makes the last of them wait.
GROUP = 256
# How long writes without a waiting caller are collected.
BEHIND_SECONDS = 0.05
# Mistakes of ours, and refusals that the caller expects; anything else means that the database can't be used now.
CALLER_ERRORS = (ProgrammingError, IntegrityError, DataError)

_log = logging.getLogger("arcrun_server.store")


class Query:
    """A SELECT that is run so often that a database may prepare it in its own way.

    Args:
        statement: Built from the tables, with `bindparam` for what changes.
    """

    def __init__(self, statement: SelectBase) -> None:
        self.statement = statement
        self.columns = [column.name for column in statement.selected_columns]


@dataclass(eq=False)
class Job:
    """A change that waits for the writing thread.

    Args:
        change: Gets a connection inside a transaction.
        future: Gets the outcome.
    """

    change: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)


Outcome = tuple[Any, "BaseException | None"]


class Database(ABC):
    """An open database, shared by everything that one server stores.

    Attributes:
        kind: `sqlite` or `postgresql`.
    """

    kind: str

    def __init__(self) -> None:
        self._behind: dict[Executable | Upsert, list[dict[str, Any]]] = {}
        self._flush_due: asyncio.TimerHandle | None = None
        # The last of what was flushed: what came before it is written before it.
        self._flushed: Future[None] | None = None
        self._long_readers = ThreadPoolExecutor(LONG_READS, thread_name_prefix="arcrun-search")
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="arcrun-writer", daemon=True)
        self._thread.start()

    @abstractmethod
    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run a short query and return what it returns.

        Args:
            query: Gets a connection on which each statement sees the latest commit; may run in another thread.

        Raises:
            StorageUnavailableError: The database can't be used now.
        """

    async def read_long(self, query: Callable[[Connection], Result]) -> Result:
        """As `read`, for a query that may take long: in a thread of its own, for at most `LONG_READ_MS`.

        Raises:
            StorageUnavailableError: It took longer, or the database can't be used now.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long_readers, self.read_long_now, query)

    @abstractmethod
    def read_long_now(self, query: Callable[[Connection], Result]) -> Result:
        """As `read_long`, for callers with a thread of their own."""

    @abstractmethod
    def read_now(self, query: Callable[[Connection], Result]) -> Result:
        """As `read`, for callers without an event loop."""

    @abstractmethod
    async def rows(self, query: Query, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a prepared query.

        Raises:
            StorageUnavailableError: The database can't be used now.
        """

    @abstractmethod
    def durable_engine(self) -> tuple[Engine, str | None]:
        """Return an engine of its own for the library that keeps the steps of durable runs, and the schema of its tables.

        The caller disposes of it. SQLite has no schemas.
        """

    @abstractmethod
    def executor_locks(self) -> ExecutorLocks | None:
        """Return the locks of a process with a new name that executes runs; None where there is one at a time."""

    @abstractmethod
    def _apply(self, group: list[Job]) -> list[Outcome]:
        """Run all jobs in one transaction, by `attempt`, and return their outcomes once it is committed."""

    @abstractmethod
    def _unavailable(self, error: DatabaseError) -> StorageUnavailableError:
        """Return what callers get instead of an error of the driver."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Close all connections."""

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Apply a change as a whole or not at all, and return when it is safely on disk.

        Args:
            change: Gets a connection inside a transaction; an exception undoes what it did, and is raised here.
                It may be run again, if the database had to undo it.

        Raises:
            StorageUnavailableError: The database can't be used now; nothing was changed.
        """
        self._flush()  # what came earlier is written earlier
        return await asyncio.wrap_future(self._submit(change))

    def write_now(self, change: Callable[[Connection], Result]) -> Result:
        """As `write`, for callers without an event loop."""
        return self._submit(change).result()

    def write_behind(self, statement: Executable | Upsert, row: dict[str, Any]) -> None:
        """Run a statement with these parameters soon, together with others, without reporting when.

        For what no caller waits for, as the history of runs: a killed process loses what came in its last moments.
        """
        self._behind.setdefault(statement, []).append(row)
        if self._flush_due is None:
            loop = asyncio.get_running_loop()
            self._flush_due = loop.call_later(BEHIND_SECONDS, self._flush)

    async def settle(self) -> None:
        """Return when everything that `write_behind` has taken so far is written; at once if nothing waits."""
        self._flush()
        if self._flushed is not None and not self._flushed.done():
            # What could not be written is logged; nobody waits for it.
            await asyncio.gather(asyncio.wrap_future(self._flushed), return_exceptions=True)

    def close(self) -> None:
        """Finish the writes that wait, then close all connections."""
        self._flush()
        self._jobs.put(None)
        self._thread.join()
        self._long_readers.shutdown()
        self._disconnect()

    def _submit(self, change: Callable[[Connection], Result]) -> Future[Result]:
        job = Job(change)
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
            for written, rows in behind.items():
                statement = written.on(connection) if isinstance(written, Upsert) else written
                connection.execute(statement, rows)

        self._flushed = self._submit(change)
        self._flushed.add_done_callback(_log_lost_write)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = self._gather(first)
            self._commit([job for job in group if job.future.set_running_or_notify_cancel()])
            if last:
                return

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
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

    def _commit(self, group: list[Job]) -> None:
        try:
            outcomes = self._apply(group)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it; each waiting caller gets it
            problem = self._unavailable(error) if isinstance(error, DatabaseError) else error
            outcomes = [(None, problem)] * len(group)
        for job, (result, failure) in zip(group, outcomes, strict=True):
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)


def attempt(connection: Connection, job: Job) -> Outcome:
    """Run one job of a group inside the group's transaction; what it raises undoes its own part only.

    Raises:
        DatabaseError: The database can't be used, so the whole group fails.
    """
    try:
        with connection.begin_nested():
            return job.change(connection), None
    except CALLER_ERRORS as error:
        return None, error
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - reported to the caller that waits for this job
        return None, error


def _log_lost_write(future: Future[Any]) -> None:
    if (error := future.exception()) is not None:
        _log.warning("a record of a run was lost: %s", type(error).__name__)
