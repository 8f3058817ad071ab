"""The file of a backup: a ZIP archive of the database, perhaps the server key, and a manifest with their checksums.

Nothing in such a file decides where something is written: files are looked up by the names that are known here.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from arcrun_server.errors import StartupError
from arcrun_server.sealing.server_key import FILE_NAME as KEY_NAME
from arcrun_server.store import DATABASE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "arcrun-server-backup"
FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
NAMES = (DATABASE_NAME, KEY_NAME)

_MOST_MANIFEST_BYTES = 64 * 1024
_PIECE = 1024 * 1024
# Most of the time goes into compressing; a higher level makes the file a few percent smaller.
_LEVEL = 1
# What `zipfile` raises for a file that is damaged, encrypted or compressed in a way that it does not know.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class Content:
    """What the manifest says of one file.

    Args:
        bytes: Its size.
        sha256: Its checksum, as hex digits.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup is.

    Args:
        created_at: When the database was copied, in UTC.
        server_version: The version of arcrun-server that made it.
        schema: The version of the database's schema.
        files: Its files by name.
    """

    created_at: str
    server_version: str
    schema: int
    files: dict[str, Content]


def write_archive(
    target: Path, sources: dict[str, Path], *, created_at: str, server_version: str, schema: int
) -> Manifest:
    """Write the file of a backup.

    Args:
        target: The file to write, which is there and empty.
        sources: The files that go into it, by their name in it.
        created_at: When the database was copied.
        server_version: The version of arcrun-server.
        schema: The version of the database's schema.

    Raises:
        OSError: It can't be written, or a source not be read.
    """
    files = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, source in sources.items():
            with source.open("rb") as file, archive.open(name, "w", force_zip64=True) as member:
                files[name] = _copy(file, member)
        manifest = Manifest(created_at, server_version, schema, files)
        fields = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(manifest)}
        archive.writestr(MANIFEST_NAME, json.dumps(fields, indent=2) + "\n")
    return manifest


class Archive:
    """A backup that is open for reading; made by `open_archive`.

    Args:
        archive: The ZIP archive.
        manifest: What it says that it holds.
        path: Where it is, for messages.
    """

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
        self.manifest = manifest
        self._archive = archive
        self._path = path

    def copy(self, name: str, target: IO[bytes]) -> None:
        """Write a file of the backup into another one, and compare it with its checksum.

        Raises:
            StartupError: It is not what the manifest says.
            OSError: It can't be read, or the other one not be written.
        """
        known = self.manifest.files[name]
        try:
            with self._archive.open(name) as member:
                copied = _copy(member, target, most=known.bytes)
        except _UNREADABLE:
            raise damaged(self._path, f"{name} can't be read") from None
        if copied != known:
            raise damaged(self._path, f"{name} is not what the manifest says")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open the file of a backup and check its manifest, but not yet its files.

    Raises:
        StartupError: It is not a backup, is damaged, or is of a later format.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise StartupError(f"cannot read the backup {path}: {error.strerror}") from None
    except _UNREADABLE:
        raise damaged(path, "it is not a ZIP archive") from None
    with archive:
        yield Archive(archive, _manifest(archive, path), path)


def damaged(path: Path, why: str) -> StartupError:
    """Return the error for a file that can't be restored."""
    return StartupError(
        f"{path} is damaged, or is not a backup of arcrun-server: {why}.\n"
        "Nothing was restored. Copy the file again from where it is kept, or take another backup."
    )


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    names = archive.namelist()
    if names.count(MANIFEST_NAME) != 1:
        raise damaged(path, f"it has no {MANIFEST_NAME}")
    try:
        with archive.open(MANIFEST_NAME) as member:
            content = member.read(_MOST_MANIFEST_BYTES + 1)
        fields = json.loads(content) if len(content) <= _MOST_MANIFEST_BYTES else None
    except (*_UNREADABLE, ValueError):
        raise damaged(path, f"its {MANIFEST_NAME} can't be read") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise damaged(path, f"its {MANIFEST_NAME} is of something else")
    if fields.get("format_version") != FORMAT_VERSION:
        raise StartupError(
            f"{path} is a backup of a format that this arcrun-server does not know.\n"
            f"Install the version that made it, or a later one: {fields.get('server_version')}"
        )
    manifest = _read_fields(fields, path)
    if sorted(names) != sorted([MANIFEST_NAME, *manifest.files]):
        raise damaged(path, "it does not hold the files that its manifest names")
    return manifest


def _read_fields(fields: dict[str, Any], path: Path) -> Manifest:
    try:
        manifest = Manifest(
            created_at=str(fields["created_at"]),
            server_version=str(fields["server_version"]),
            schema=int(fields["schema"]),
            files={
                str(name): Content(int(content["bytes"]), str(content["sha256"]))
                for name, content in fields["files"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged(path, f"its {MANIFEST_NAME} lacks something") from None
    if DATABASE_NAME not in manifest.files or not set(manifest.files) <= set(NAMES):
        raise damaged(path, f"its {MANIFEST_NAME} names other files")
    return manifest


def _copy(source: IO[bytes], target: IO[bytes], most: int | None = None) -> Content:
    """Copy all, or the first bytes and one more piece of what is too long."""
    digest, size = hashlib.sha256(), 0
    while (most is None or size <= most) and (piece := source.read(_PIECE)):
        target.write(piece)
        digest.update(piece)
        size += len(piece)
    return Content(size, digest.hexdigest())
