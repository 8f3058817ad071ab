"""Restoring a backup into a data folder that is new."""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

from arcrun_server.durable_files import publish
from arcrun_server.errors import StartupError
from arcrun_server.maintenance.archive import damaged, open_archive
from arcrun_server.maintenance.database_file import check_copy
from arcrun_server.sealing.server_key import FILE_NAME as KEY_NAME
from arcrun_server.sealing.server_key import load_server_key
from arcrun_server.store import DATABASE_NAME, migrations
from arcrun_server.store.folder import FolderLock, prepare_folder
from arcrun_server.store.sqlite import reason

if TYPE_CHECKING:
    from pathlib import Path

    from arcrun_server.maintenance.archive import Archive, Manifest

_DRAFTS = ".restore-draft"


def restore(backup: Path, data_dir: Path, *, key_file: Path | None = None) -> Manifest:
    """Put the database and the server key of a backup into a data folder.

    The key appears first, then the database, each of them complete and on disk. So a process that is killed leaves a
    folder without data, and restoring can be begun again.

    Args:
        backup: The file of the backup.
        data_dir: The folder; it is made, for its owner only, if it is not there.
        key_file: The server key, for a backup without one.

    Raises:
        StartupError: It can't be restored, and the folder has no data; the text says why and what to do.
    """
    try:
        with open_archive(backup) as archive:
            _check_manifest(archive.manifest, backup, key_file)
            prepare_folder(data_dir)
            lock = FolderLock(data_dir)
            try:
                _restore_into(data_dir, archive, backup, key_file)
            finally:
                lock.release()
            return archive.manifest
    except (OSError, sqlite3.Error) as error:
        raise StartupError(f"cannot restore {backup} into {data_dir}: {reason(error)}") from None


def _check_manifest(manifest: Manifest, backup: Path, key_file: Path | None) -> None:
    if manifest.schema > migrations.newest_version():
        raise StartupError(
            f"{backup} was made by a newer arcrun-server, {manifest.server_version} "
            f"(schema {manifest.schema}, this one knows {migrations.newest_version()}).\n"
            "Install that version, or a later one, and restore again."
        )
    has_key = KEY_NAME in manifest.files
    if has_key and key_file is not None:
        raise StartupError(f"{backup} has its own server key; leave out --key-file")
    if not has_key and key_file is None:
        raise StartupError(
            f"{backup} was made without the server key, and nothing secret in it opens without.\n"
            "Name the key's copy with --key-file."
        )


def _restore_into(data_dir: Path, archive: Archive, backup: Path, key_file: Path | None) -> None:
    drafts = data_dir / _DRAFTS
    shutil.rmtree(drafts, ignore_errors=True)  # of a process that was killed: the lock is ours now
    _refuse_data(data_dir)
    drafts.mkdir(mode=0o700)
    try:
        database, key = drafts / DATABASE_NAME, drafts / KEY_NAME
        if key_file is None:
            _extract(archive, KEY_NAME, key)
        else:
            _copy_key(key_file, key)
        _extract(archive, DATABASE_NAME, database)
        if check_copy(database, backup, load_server_key(key)) != archive.manifest.schema:
            raise damaged(backup, "the schema of its database is not what the manifest says")
        _give_name(key, data_dir / KEY_NAME)
        _give_name(database, data_dir / DATABASE_NAME)
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


def _refuse_data(data_dir: Path) -> None:
    for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"):
        if os.path.lexists(data_dir / name):
            raise StartupError(
                f"{data_dir} holds data ({name}), and restoring never replaces any.\n"
                "Name another folder with --data, or move this one away first."
            )


def _extract(archive: Archive, name: str, target: Path) -> None:
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        archive.copy(name, file)
        file.flush()
        os.fsync(file.fileno())


def _copy_key(key_file: Path, target: Path) -> None:
    """Copy a key file that is somewhere else; it is checked as every key is."""
    load_server_key(key_file)
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key_file.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _give_name(draft: Path, path: Path) -> None:
    """Publish a file; one of the same content may be there, as after a process that was killed.

    Raises:
        StartupError: There is another file.
    """
    if not publish(draft, path) and path.read_bytes() != draft.read_bytes():
        raise StartupError(
            f"{path} is there already and is another one; restoring never replaces a file.\n"
            "Name another folder with --data, or move it away first."
        )
