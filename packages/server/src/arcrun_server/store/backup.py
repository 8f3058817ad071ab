"""Copies of a SQLite file: one that is asked for, and one made beside it before its schema is upgraded."""

from __future__ import annotations

import filecmp
import itertools
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from arcrun_server.durable_files import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def back_up(path: Path, version: int) -> None:
    """Copy a database, complete and on disk, for its owner only.

    The copy is `arcrun.db.backup-v1`, or `arcrun.db.backup-v1.2` and so on: a copy that is there is never replaced.
    If one has the same content, as after an upgrade that failed, no other is made.

    Args:
        path: The database. The caller holds its write lock, on another connection, so that it stays as it is.
        version: The version of its schema.

    Raises:
        sqlite3.Error: The database can't be read, or the copy not be written.
        OSError: The copy can't be written.
    """
    draft = path.with_name(f"{path.name}.backup-draft")
    _remove(draft)  # of a process that was killed: the lock is ours now
    try:
        copy_database(path, draft)
        for name in _names(f"{path.name}.backup-v{version}"):
            target = path.with_name(name)
            if publish(draft, target) or filecmp.cmp(draft, target, shallow=False):
                return
    finally:
        _remove(draft)


def copy_database(path: Path, draft: Path) -> None:
    """Copy a database as it is at one moment, also while others write to it; the copy is one file, and on disk.

    Args:
        path: The database.
        draft: The copy: a new file, for its owner only.

    Raises:
        sqlite3.Error: The database can't be read, or the copy not be written.
        OSError: The copy can't be written.
    """
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy)
        # One file that is whole by itself, without a log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
    handle = os.open(draft, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(draft: Path) -> None:
    """Remove a draft, and what SQLite leaves beside it if it can't finish, as on a full disk."""
    for ending in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)


def _names(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first}.{number}" for number in itertools.count(2))
