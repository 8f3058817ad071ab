"""Checks of the data folder: who may use it, what room there is, what it stands on, and the key in it."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from arcrun_server.errors import StartupError
from arcrun_server.maintenance.findings import fail, failed, ok, warn
from arcrun_server.sealing.server_key import FILE_NAME as KEY_NAME
from arcrun_server.sealing.server_key import load_server_key
from arcrun_server.store import DATABASE_NAME
from arcrun_server.store.folder import refuse_if_others_may_write

if TYPE_CHECKING:
    from arcrun_server.maintenance.findings import Finding
    from arcrun_server.sealing.server_key import ServerKey

# Below the first, SQLite soon can't write; below the second, somebody should look.
_FAIL_BYTES = 100 * 1024 * 1024
_WARN_BYTES = 1024 * 1024 * 1024
# SQLite's WAL needs memory that all processes share, and locks that hold: see https://sqlite.org/wal.html.
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs"}
_MIB = 1024 * 1024


def check_folder(data_dir: Path) -> Finding:
    """Check that the folder is there, and is its owner's only."""
    if not data_dir.exists():
        return fail(
            "folder",
            f"there is no {data_dir}",
            "Name the data folder with --data. For a new one, run: arcrun-server keys create --data DIR",
        )
    if not data_dir.is_dir():
        return fail("folder", f"{data_dir} is not a folder", "Name the data folder with --data.")
    try:
        refuse_if_others_may_write(data_dir)
    except StartupError as error:
        return failed("folder", error)
    return _check_rights(data_dir) if os.name == "posix" else ok("folder", str(data_dir))


def _check_rights(data_dir: Path) -> Finding:
    owner, mode = data_dir.stat().st_uid, stat.S_IMODE(data_dir.stat().st_mode)
    if owner != os.geteuid():
        return warn(
            "folder",
            f"{data_dir} belongs to {_user(owner)}, and this check runs as {_user(os.geteuid())}",
            "Run it as the server's user: what only that user can't do is not found otherwise.",
        )
    if mode & 0o077:
        return warn(
            "folder",
            f"others may look into {data_dir} (mode {mode:04o})",
            f"Run: chmod 700 {shlex.quote(str(data_dir))}",
        )
    return ok("folder", f"{data_dir} belongs to {_user(owner)}, mode {mode:04o}")


def check_space(data_dir: Path) -> Finding:
    """Check that the disk has room; an upgrade copies the database first."""
    free = shutil.disk_usage(data_dir).free
    database = data_dir / DATABASE_NAME
    size = database.stat().st_size if database.is_file() else 0
    message = f"{free // _MIB:,} MiB are free, the database has {size // _MIB:,} MiB"
    fix = "Free some space, or move the data folder to a larger disk while the server is stopped."
    if free < _FAIL_BYTES:
        return fail("space", message, fix)
    if free < max(_WARN_BYTES, 2 * size):
        return warn("space", message, fix)
    return ok("space", message)


def check_file_system(data_dir: Path, *, sqlite: bool) -> Finding:
    """Check that a SQLite file is on a disk of this machine, where the system tells."""
    kind = file_system_of(data_dir)
    if kind is None:
        return ok("file system", "its kind is not known here")
    if sqlite and (kind in _NETWORK or kind.startswith("fuse.")):
        return warn(
            "file system",
            f"{data_dir} is on {kind}: SQLite is only safe on a disk of this machine",
            "Move the data folder to a local disk, or use PostgreSQL with --database.",
        )
    return ok("file system", kind)


def file_system_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the kind of file system that a path is on, as `ext4`; None where the system does not tell.

    Args:
        path: A file or folder that is there.
        mounts: What is mounted, as Linux lists it.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    resolved, found = path.resolve(), (-1, "")
    for line in lines:
        fields, _, rest = line.partition(" - ")
        # Spaces in names are written as octal numbers.
        point = Path(fields.split()[4].replace("\\040", " "))
        # Of several mounts on the same folder, the last one counts.
        if resolved.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), rest.split()[0])
    return found[1] or None


def check_key(data_dir: Path) -> tuple[ServerKey | None, Finding]:
    """Check that the server key can be read, and by the server's user only; return it, too."""
    path = data_dir / KEY_NAME
    if not os.path.lexists(path):
        if (data_dir / DATABASE_NAME).is_file():
            return None, fail(
                "server key",
                f"there is no {path}, but there is a database",
                "Put it back from your backup, or copy it from the other servers of this database.",
            )
        return None, warn(
            "server key",
            f"there is no {path}",
            "A server of a new database makes one; for other databases, copy it from the other servers.",
        )
    try:
        key = load_server_key(path)
    except StartupError as error:
        return None, failed("server key", error)
    if os.name == "posix" and path.stat().st_uid != data_dir.stat().st_uid:
        owner = _user(data_dir.stat().st_uid)
        return key, fail(
            "server key",
            f"{path} belongs to {_user(path.stat().st_uid)}, the folder to {owner}",
            f"Run: chown {owner} {shlex.quote(str(path))}",
        )
    return key, ok("server key", f"{path} can be read by its owner only")


def _user(number: int) -> str:
    if sys.platform == "win32":
        return str(number)
    import pwd  # noqa: PLC0415 - it is not there on Windows

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
