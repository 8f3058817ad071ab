"""Checks of a SQLite file, beside the server that uses it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from arcrun_server.errors import StartupError
from arcrun_server.maintenance.database_checks import check_schema
from arcrun_server.maintenance.findings import fail, failed, ok, warn
from arcrun_server.store import DATABASE_NAME, migrations
from arcrun_server.store.folder import refuse_if_others_may_write
from arcrun_server.store.sqlite import reason, schema_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from arcrun_server.maintenance.findings import Finding

_WAIT_SECONDS = 5.0


def examine_sqlite(
    data_dir: Path, check_records: Callable[[Connection], Iterator[Finding]]
) -> Iterator[Finding]:
    """Check the database of a data folder.

    Args:
        data_dir: The folder.
        check_records: Checks what is stored, given a connection to a database of the newest schema.
    """
    path = data_dir / DATABASE_NAME
    if not path.exists():
        yield warn(
            "database",
            f"there is no {path}",
            "The first start makes it. If there was one, restore a backup, or name its folder with --data.",
        )
        return
    try:
        for suffix in ("", "-wal", "-shm"):
            refuse_if_others_may_write(data_dir / f"{DATABASE_NAME}{suffix}")
        with closing(_connect(path)) as driver:
            version = schema_version(driver, path)
            yield from _check_file(driver, path)
            yield check_schema(version)
        if version == migrations.newest_version():
            yield from _records(path, check_records)
    except StartupError as error:
        yield failed("database", error)
    except (sqlite3.Error, DatabaseError, OSError) as error:
        yield fail(
            "database",
            f"{path}: {reason(error)}",
            "Look at the rights of the folder and its files, at the disk, and at other programs that use the file.",
        )


def _connect(path: Path) -> sqlite3.Connection:
    # `rw`: it is not created. The last one to close such a connection tidies up the files beside the database.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS, isolation_level=None)


def _check_file(driver: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    (damage,) = driver.execute("PRAGMA quick_check(1)").fetchone()
    if damage != "ok":
        yield fail(
            "database",
            f"{path} is damaged (PRAGMA quick_check)",
            "Stop the server, keep a copy of the file, and restore a backup.",
        )
        return
    # What others write goes on behind it: it is begun and undone at once.
    driver.execute("BEGIN IMMEDIATE")
    driver.execute("ROLLBACK")
    (mode,) = driver.execute("PRAGMA journal_mode").fetchone()
    yield ok("database", f"{path} can be read and written, journal mode {mode}")


def _records(
    path: Path, check_records: Callable[[Connection], Iterator[Finding]]
) -> Iterator[Finding]:
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)
    with engine.connect() as connection:
        yield from check_records(connection)
