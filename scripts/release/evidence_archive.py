"""Pack the evidence with all its parts into one file for the release on GitHub, and unpack it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "evidence.tar.gz"
LARGEST = 2_000_000_000  # bytes, unpacked: no archive can fill the disk


class ArchiveInvalid(Exception):
    """An archive is none of evidence; the message says why."""


def pack(evidence: Path, target: Path) -> Path:
    """Write the evidence, and all files that it lists, into an archive: the same bytes each time; return its path.

    Args:
        evidence: `release.json` in the folder of its results; the folder `reports` is beside that.
        target: The archive.
    """
    document, root = json.loads(evidence.read_text("utf-8")), evidence.parent.parent
    listed = {f"evidence/{evidence.name}": evidence}
    for folder, key in (("evidence", "results"), ("reports", "reports")):
        start = evidence.parent if folder == "evidence" else root / folder
        listed |= {f"{folder}/{each['file']}": start / each["file"] for each in document[key]}
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, path in sorted(listed.items()):
            content = path.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target


def unpack(content: bytes, folder: Path) -> Path:
    """Unpack an archive into a folder; return the path of `release.json` in it.

    Raises:
        ArchiveInvalid: It is no such archive, or has something other than files, or outside of its folder.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            if sum(member.size for member in archive) > LARGEST:
                raise ArchiveInvalid(f"{NAME} has more than {LARGEST} bytes")
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError) as error:
        raise ArchiveInvalid(f"{NAME} is no archive of evidence: {error}") from None
    found = folder / "evidence" / "release.json"
    if not found.is_file():
        raise ArchiveInvalid(f"{NAME} has no evidence/release.json")
    return found
