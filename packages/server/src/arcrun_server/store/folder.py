"""The data folder: its owner's only, and with SQLite, one server's only."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from arcrun_server.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "server.lock"
# What a lock reports that another process holds.
_HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


def prepare_folder(folder: Path) -> None:
    """Create the data folder, for its owner only, if it is not there.

    Raises:
        StartupError: It can't be made, or others may write in it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(f"cannot make the data folder {folder}: {error.strerror}") from None
    refuse_if_others_may_write(folder)


def refuse_if_others_may_write(path: Path) -> None:
    """Check the rights on a folder or file of ours, if it is there and the system has such rights.

    Raises:
        StartupError: Someone but its owner may write in it.
    """
    if os.name != "posix" or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StartupError(
            f"others may write in {path} (mode {mode:04o}), and so give themselves keys and change workflows.\n"
            f"Run: chmod go-w {shlex.quote(str(path))}"
        )


class FolderLock:
    """The right of one server to use a data folder, held until it is released or the process ends.

    Args:
        folder: The data folder.

    Raises:
        StartupError: Another server holds it; the message names its process.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_NAME
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StartupError(f"cannot write {path}: {error.strerror}") from None
        try:
            _lock(self._handle)
        except OSError as error:
            holder = os.read(self._handle, 20).decode("ascii", "replace").strip()
            os.close(self._handle)
            if error.errno not in _HELD:
                raise StartupError(f"cannot lock {path}: {error.strerror}") from None
            raise StartupError(_in_use(folder, holder)) from None
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another server use the folder."""
        os.close(self._handle)


def remove_left_folders(parent: Path, prefix: str) -> None:
    """Remove the data folders of servers that have ended without doing so themselves, as when they were killed.

    A folder stays if a server holds its lock or has not taken it yet, if somebody else owns it, and if it can't be
    removed.

    Args:
        parent: Where the folders are.
        prefix: How their names begin; nobody uses such a folder again.
    """
    for folder in parent.glob(f"{prefix}*"):
        try:
            _remove_left(folder)
        except OSError:
            continue  # it is in use, or goes just now


def _remove_left(folder: Path) -> None:
    found = folder.lstat()
    is_own = os.name != "posix" or found.st_uid == os.getuid()
    if not (stat.S_ISDIR(found.st_mode) and is_own):
        return
    handle = os.open(folder / LOCK_NAME, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        _lock(handle)
        # A server that has just made the file locks it next, then writes into it.
        if os.fstat(handle).st_size == 0:
            return
        if sys.platform != "win32":
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
    if sys.platform == "win32":  # no file that is open can be removed
        shutil.rmtree(folder, ignore_errors=True)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        # Behind the content, so that others can read it.
        os.lseek(handle, 1024, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        # It belongs to the open file: unlike `lockf`, it is not lost when the process closes the file elsewhere.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _in_use(folder: Path, holder: str) -> str:
    process = f" (process {holder})" if holder else ""
    return (
        f"another server{process} is using the data folder {folder}.\n"
        "Stop it, or name another folder with --data. Several servers can share a PostgreSQL database, "
        "named with --database."
    )
