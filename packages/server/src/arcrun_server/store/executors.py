"""Who executes the durable runs of a PostgreSQL database: which processes live, and which have ended.

Each process holds a lock of PostgreSQL for as long as it lives, on a connection that does nothing else. Whoever gets
the lock of another process knows that it has ended, whatever a clock says: the server releases a lock in the moment
in which the connection of its holder breaks. It breaks all of them when it restarts, so a process whose connection
broke must not believe that it still has what it had (`runs/takeover.py`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Engine

# The first number keeps these locks apart from others: "arcr".
_CLASS = 0x61726372
_HOLD = text(f"SELECT pg_try_advisory_lock({_CLASS}, hashtext(:name))")
_RELEASE = text(f"SELECT pg_advisory_unlock({_CLASS}, hashtext(:name))")
_ADD = text("INSERT INTO executors VALUES (:name) ON CONFLICT DO NOTHING")
_REMOVE = text("DELETE FROM executors WHERE name = :name")
_LISTED = text("SELECT name FROM executors")
_ALIVE = text("SELECT 1")


class LockLostError(Exception):
    """The connection that held this process's lock broke: another process may have its runs now."""


class ExecutorLocks:
    """The lock of this process, and those of others. Its methods block; one thread at a time calls them.

    Args:
        engine: Connects to the database.
        name: The name under which this process executes runs.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self._engine = engine
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Take the lock of this process.

        Raises:
            LockLostError: The database can't be used, or somebody else has the lock.
        """
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection = connection
            # The name stands in the table before the lock is held, so that nobody's runs are forgotten.
            connection.execute(_ADD, {"name": self.name})
            held = connection.execute(_HOLD, {"name": self.name}).scalar_one()
        except DatabaseError:
            raise LockLostError from None
        if not held:
            raise LockLostError

    def ended(self, named: Collection[str]) -> Sequence[str]:
        """Return the names of processes that have ended; their locks are held from now on, until `release`.

        Args:
            named: Names of processes besides those in the table.

        Raises:
            LockLostError: This process's own lock is lost.
        """
        try:
            connection = self._connected()
            connection.execute(_ALIVE)
            listed = connection.execute(_LISTED).scalars()
            others = sorted({*listed, *named} - {self.name})
            return [name for name in others if connection.execute(_HOLD, {"name": name}).scalar()]
        except DatabaseError:
            raise LockLostError from None

    def release(self, name: str, *, recovered: bool) -> None:
        """Give back the lock of a process that has ended, and forget it if its runs are taken over.

        Raises:
            LockLostError: This process's own lock is lost.
        """
        try:
            connection = self._connected()
            if recovered:
                connection.execute(_REMOVE, {"name": name})
            connection.execute(_RELEASE, {"name": name})
        except DatabaseError:
            raise LockLostError from None

    def close(self) -> None:
        """Give the lock of this process back: what it has left is for others."""
        if self._connection is not None:
            with suppress(DatabaseError):
                # Not to the pool: the locks end with the connection.
                self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            raise LockLostError
        return self._connection
