"""Files to publish, in any language: their sources, the two builds, and why one is refused."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import zipfile
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


def compare_builds(one: Path, other: Path, kept: Path) -> None:
    """Compare two folders of artifacts, file by file.

    Args:
        one: The artifacts of the first build.
        other: Those of the second.
        kept: Receives copies of both files if they differ: the builds themselves are removed.

    Raises:
        NotReproducible: Names the first file that differs, and what in it.
    """
    names, others = (sorted(path.name for path in folder.iterdir()) for folder in (one, other))
    if names != others:
        raise NotReproducible(
            f"two builds made different files: {', '.join(names)}, and {', '.join(others)}"
        )
    for name in names:
        if sha256(one / name) != sha256(other / name):
            copies = [_keep(folder / name, kept / which) for folder, which in _named(one, other)]
            raise NotReproducible(
                f"{name} differs between two builds of the same sources: "
                f"{differing_members(*copies)}\n"
                "look at both with: diffoscope (or unzip -v, tar -tv)\n"
                + "\n".join(f"  {sha256(copy)}  {copy}" for copy in copies)
            )


def _named(one: Path, other: Path) -> tuple[tuple[Path, str], tuple[Path, str]]:
    return (one, "first-build"), (other, "second-build")


def _keep(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(file, folder / file.name))


def differing_members(one: Path, other: Path) -> str:
    """Return what differs between two archives: the names of their files, at most five, or what is about them."""
    first, second = members(one), members(other)
    names = [name for name in sorted(first | second) if first.get(name) != second.get(name)]
    if not names:
        return "the files in it are the same, but their order, times or modes are not"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more} in it"


def members(archive: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a wheel, an sdist or a tarball of npm."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {
                each.filename: hashlib.sha256(wheel.read(each)).hexdigest()
                for each in wheel.infolist()
            }
    with tarfile.open(archive) as tarball:
        files = ((each.name, tarball.extractfile(each)) for each in tarball if each.isfile())
        return {name: hashlib.sha256(file.read()).hexdigest() for name, file in files if file}
