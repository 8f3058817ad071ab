"""The connections of the library that keeps the steps of durable runs, in the same SQLite file.

Its tables stand in our file, so that one backup holds a run and its steps. Two writers of one SQLite file that know
nothing of each other sleep and try again, for up to two seconds when both are busy *(measured)*; so whoever writes
takes a lock of this process first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event

if TYPE_CHECKING:
    import sqlite3
    import threading
    from pathlib import Path

    from sqlalchemy import Connection, Engine

# Longer than any transaction; then SQLite's own waiting has to do.
_LOCK_SECONDS = 10.0
_BUSY_MS = 30_000
_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN", "CREATE", "DROP", "ALTER")
_HELD = "arcrun_holds_write_lock"


def sqlite_engine(path: Path, write_lock: threading.Lock) -> Engine:
    """Return an engine whose connections are set up as DBOS needs them, and take our lock when they write.

    They commit without waiting for the disk (`synchronous=NORMAL`): what a power cut may undo is the record of a step,
    and then the step is repeated, as it is when the process dies before the record. That a run was accepted, that it
    has ended, and that a node has begun that must not be repeated is written on the connection of our own, which
    waits for the disk.

    Args:
        path: The database file, in WAL mode.
        write_lock: Held by whoever writes to it in this process.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # DBOS does this for the engines that it makes itself.
        connection.isolation_level = "IMMEDIATE"
        for pragma in (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "before_cursor_execute")
    def take_lock(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
        writes = statement.lstrip()[:6].upper().startswith(_WRITES)
        if writes and _HELD not in connection.info and write_lock.acquire(timeout=_LOCK_SECONDS):
            connection.info[_HELD] = True

    @event.listens_for(engine, "checkin")
    def release_lock(_connection: object, record: Any) -> None:
        if record.info.pop(_HELD, False):
            write_lock.release()

    return engine
