"""Files to publish, in any language: their sources, the two builds, and why one is refused."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.release import git

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a key or a private key looks like: no artifact may hold one.
SECRET = re.compile(rb"ak_[0-9a-f]{48}|-----BEGIN [A-Z ]*PRIVATE KEY-----")


class NotReproducible(Exception):
    """Two builds of the same sources gave different bytes, or different files."""


class StrayFile(Exception):
    """An artifact holds something that does not belong there; the message lists each file."""


class OverBudget(Exception):
    """An artifact is larger than its budget allows."""


class InstallMismatch(Exception):
    """The installed files are not those that were built."""


@dataclass(frozen=True)
class BuildEnvironment:
    """The surroundings of one of the two builds.

    Attributes:
        folder: Where it runs, below the working folder.
        variables: Environment variables that often leak into artifacts.
        umask: Its file mode creation mask.
    """

    folder: str
    variables: Mapping[str, str]
    umask: int


# Whatever often leaks into artifacts differs between the two: path, time zone, locale, hash order, umask.
BUILD_ENVIRONMENTS = (
    BuildEnvironment("a", {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}, 0o022),
    BuildEnvironment(
        "elsewhere/b", {"TZ": "Asia/Taipei", "LC_ALL": "C", "PYTHONHASHSEED": "2"}, 0o077
    ),
)


@dataclass(frozen=True)
class Artifact:
    """One file to publish."""

    package: str
    path: Path
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Return whether it is a wheel; otherwise it is a source distribution or a tarball."""
        return self.path.suffix == ".whl"

    @property
    def version(self) -> str:
        """Return the version in its file name."""
        return self.path.name.split("-")[1].removesuffix(".tar.gz")

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return self.path.stat().st_size


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source_files(root: Path, folder: str) -> list[Path]:
    """List the files of a package that git tracks, or would track: those that it does not ignore."""
    return [Path(name) for name in git.files(root, folder) if (root / name).is_file()]


def copy_sources(root: Path, folder: str, target: Path) -> None:
    """Copy a package's source files into a folder of their own."""
    for name in source_files(root, folder):
        copy = target / name.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, copy)


def compare_builds(one: Path, other: Path) -> None:
    """Compare two folders of artifacts, file by file.

    Raises:
        NotReproducible: Names the first file that differs.
    """
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        raise NotReproducible(f"two builds made different files in {one.name}: {names}")
    for name in names:
        hashes = sha256(one / name), sha256(other / name)
        if hashes[0] != hashes[1]:
            raise NotReproducible(
                f"{name} differs between two builds of the same sources:\n"
                f"  {hashes[0]}\n  {hashes[1]}\n"
                "compare them with: diffoscope (or unzip -v, tar -tv) on the two files in\n"
                f"  {one}\n  {other}"
            )
