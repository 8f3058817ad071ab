"""A copy of a database file that nobody else uses: what it is, and whether a server key is its own."""

from __future__ import annotations

import hmac
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from arcrun_server.errors import StartupError
from arcrun_server.store import KEY_CHECK
from arcrun_server.store.sqlite import schema_version

if TYPE_CHECKING:
    from pathlib import Path

    from arcrun_server.sealing.server_key import ServerKey


def check_copy(copy: Path, original: Path, key: ServerKey | None) -> int:
    """Check that a copy of a database is whole, and return the version of its schema.

    Args:
        copy: The copy.
        original: What it is a copy of, for messages.
        key: The server key that is to be the database's, or None for one that is not checked.

    Raises:
        StartupError: It is damaged, empty, another program's, a later version's, or of another server key.
        sqlite3.Error: It can't be read.
    """
    with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?immutable=1", uri=True)) as driver:
        version = schema_version(driver, original)
        if version == 0:
            raise StartupError(f"{original} is empty: no server has used it yet")
        if driver.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise StartupError(
                f"{original} is damaged (PRAGMA integrity_check).\n"
                "Restore an earlier backup, or recover what can be read: sqlite3 FILE .recover"
            )
        if key is not None and not _is_of(driver, version, key):
            raise StartupError(
                f"the server key is not the one under which the database {original} was made"
            )
    return version


def _is_of(driver: sqlite3.Connection, version: int, key: ServerKey) -> bool:
    table = "properties" if version > 1 else "facts"  # its name before the second migration
    row = driver.execute(f"SELECT value FROM {table} WHERE name = ?", [KEY_CHECK]).fetchone()  # noqa: S608
    return row is not None and hmac.compare_digest(row[0], key.check_value())
