"""Backing up a data folder, also while a server uses it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from arcrun_server import clock
from arcrun_server._version import __version__
from arcrun_server.durable_files import publish
from arcrun_server.errors import StartupError
from arcrun_server.maintenance.archive import open_archive, write_archive
from arcrun_server.maintenance.database_file import check_copy
from arcrun_server.sealing.server_key import FILE_NAME as KEY_NAME
from arcrun_server.sealing.server_key import load_server_key
from arcrun_server.store import DATABASE_NAME
from arcrun_server.store.backup import copy_database
from arcrun_server.store.folder import LOCK_NAME, FolderLock
from arcrun_server.store.sqlite import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.maintenance.archive import Manifest

_DRAFTS = ".arcrun-backup-"
# A folder of drafts that is younger may not have been locked yet.
_ABANDONED_SECONDS = 60
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def back_up(data_dir: Path, target: Path, *, with_key: bool = True) -> Manifest:
    """Copy database and server key into one new file, for its owner only.

    The file appears under its name when it is complete, checked and on disk; it never replaces another one.

    Args:
        data_dir: The data folder; its database is SQLite.
        target: The file to make.
        with_key: Whether the server key goes into it.

    Raises:
        StartupError: It can't be made; the text says why and what to do.
    """
    database, key_file = data_dir / DATABASE_NAME, data_dir / KEY_NAME
    if not database.is_file():
        raise StartupError(
            f"there is no {DATABASE_NAME} in {data_dir}; name its folder with --data"
        )
    if os.path.lexists(target):
        raise _taken(target)
    key = load_server_key(key_file)
    try:
        with _drafts_beside(target) as drafts:
            copy, created_at = drafts / DATABASE_NAME, clock.utc()
            copy_database(database, copy)
            schema = check_copy(copy, database, key)
            sources = {DATABASE_NAME: copy} | ({KEY_NAME: key_file} if with_key else {})
            draft = _private_file(drafts / "archive")
            manifest = write_archive(
                draft,
                sources,
                created_at=created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                server_version=__version__,
                schema=schema,
            )
            _sync(draft)
            _read_again(draft)
            if not publish(draft, target):
                raise _taken(target)
    except (OSError, sqlite3.Error) as error:
        raise _failure(target, error) from None
    return manifest


@contextmanager
def _drafts_beside(target: Path) -> Iterator[Path]:
    """Make a folder for what is not complete yet, on the file system of the target, and remove it at the end.

    A process that is killed leaves its folder behind. It holds a lock in it while it lives, so whoever comes next
    knows, and removes what was left.
    """
    for old in target.parent.glob(f"{_DRAFTS}*"):
        _remove_if_abandoned(old)
    folder = Path(tempfile.mkdtemp(prefix=_DRAFTS, dir=target.parent))
    lock = FolderLock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)  # where a file that is open can't be removed


def _remove_if_abandoned(folder: Path) -> None:
    try:
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and (
            os.name != "posix"
            or found.st_uid == os.geteuid()  # in one of another user may be any link
        )
        young = time.time() - found.st_mtime < _ABANDONED_SECONDS
        if not ours or young or not (folder / LOCK_NAME).is_file():
            return
        lock = FolderLock(folder)
    except (OSError, StartupError):
        return  # it is gone, somebody else's, or in use
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def _private_file(path: Path) -> Path:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return path


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_again(draft: Path) -> None:
    """Compare what was written with its checksums."""
    with open_archive(draft) as archive, Path(os.devnull).open("wb") as nowhere:
        for name in archive.manifest.files:
            archive.copy(name, nowhere)


def _taken(target: Path) -> StartupError:
    return StartupError(
        f"{target} is there already, and a backup never replaces a file.\n"
        "Name another one, with the date in it for example."
    )


def _failure(target: Path, error: OSError | sqlite3.Error) -> StartupError:
    if isinstance(error, OSError) and error.errno in _NO_LINKS:
        return StartupError(
            f"cannot write the backup {target}: its file system has no hard links.\n"
            "Write it to another file system, then copy it there."
        )
    return StartupError(
        f"cannot write the backup {target}: {reason(error)}. Nothing was left there."
    )
