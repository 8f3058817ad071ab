"""Build the npm package twice, in two places and two moods, and compare the bytes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts import processes
from scripts.processes import CommandFailed
from scripts.release.npm import tools as npm_tools
from scripts.release.python.build import (
    FIRST_MOOD,
    SECOND_MOOD,
    Artifact,
    compare,
    sha256,
    source_files,
)
from scripts.release.versions import NPM_FOLDER, NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SECONDS = 600.0  # that one command of the build may take, downloads and all


@dataclass(frozen=True)
class NpmPackage:
    """The packed package, and what npm knows it by.

    Attributes:
        artifact: The tarball.
        version: Its version, as the package.json inside states it.
        integrity: Its hash as npm writes it: `sha512-` and base64.
        workshop: A folder in which it was built, with the tools that its lock file names.
    """

    artifact: Artifact
    version: str
    integrity: str
    workshop: Path

    @property
    def path(self) -> Path:
        """The tarball."""
        return self.artifact.path


@dataclass(frozen=True)
class Place:
    """Where, and in what mood, the package is built."""

    folder: Path
    mood: Mapping[str, str]
    umask: int
    log: Path

    @property
    def source(self) -> Path:
        """The sources, in which it is built."""
        return self.folder / "src"

    @property
    def out(self) -> Path:
        """Receives the tarball."""
        return self.folder / "out"


def integrity(path: Path) -> str:
    """Return a file's hash as npm writes it.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "empty.tgz")
        ...     _ = file.write_bytes(b"")
        ...     integrity(file)[:21]
        'sha512-z4PhNX7vuL3xVC'
    """
    return f"sha512-{base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()}"


def build_twice(root: Path, work: Path, dist: Path, log: Path) -> NpmPackage:
    """Build the package twice, compare, and leave the tarball in `dist`.

    Args:
        root: The checkout.
        work: An empty folder for the copies that are built.
        dist: Receives the tarball.
        log: Receives what the builds print; each has a log of its own beside it.

    Raises:
        artifacts.NotReproducible: The two builds differ.
        processes.CommandFailed: A build failed.
    """
    places = (
        Place(work / "a", FIRST_MOOD, 0o022, log.with_name(f"{log.stem}-a.log")),
        Place(work / "elsewhere" / "b", SECOND_MOOD, 0o077, log.with_name(f"{log.stem}-b.log")),
    )
    for place in places:
        _copy_sources(root, place)
    _npm_in_all(places, "ci", "--prefer-offline")
    _npm_in_all(places, "run", "build")
    for place in places:
        _set_modes(place.source)
    _npm_in_all(places, "pack", "--pack-destination", "../out")
    one, other = (place.out for place in places)
    compare(one, other)
    (packed,) = one.iterdir()
    dist.mkdir(parents=True, exist_ok=True)
    target = dist / packed.name
    shutil.copyfile(packed, target)
    workshop = places[0].source
    version = json.loads((workshop / "package.json").read_text("utf-8"))["version"]
    return NpmPackage(
        Artifact(NPM_NAME, target, sha256(target)), version, integrity(target), workshop
    )


def _copy_sources(root: Path, place: Place) -> None:
    for name in source_files(root, NPM_FOLDER):
        target = place.source / name.relative_to(NPM_FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
    place.out.mkdir()
    place.log.parent.mkdir(parents=True, exist_ok=True)


def _npm_in_all(places: Sequence[Place], *arguments: str) -> None:
    """Run npm in every place at once; if one fails, or we are interrupted, all of them end.

    No threads: an interrupt would have to wait for them.
    """
    command = [npm_tools.program("npm"), *arguments]
    with contextlib.ExitStack() as stack:
        running = []
        for place in places:
            log = stack.enter_context(place.log.open("a", encoding="utf-8"))
            env = {**npm_tools.environment(), **place.mood}
            started = processes.started(
                command, stderr=log, cwd=place.source, env=env, umask=place.umask
            )
            running.append((place, log, stack.enter_context(started)))
        for place, log, process in running:
            try:
                printed, _ = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                raise CommandFailed(
                    command, f"still running after {SECONDS} s", place.log
                ) from None
            log.write(f"$ {shlex.join(command)}\n{printed}")
            log.flush()
            if process.returncode != 0:
                raise CommandFailed(command, f"exit code {process.returncode}", place.log)


def _set_modes(source: Path) -> None:
    """Let no umask into the tarball: npm packs the modes that it finds."""
    for path in (source, *source.iterdir()):
        if path.name != "node_modules" and not path.is_symlink():
            for each in (path, *(path.rglob("*") if path != source and path.is_dir() else ())):
                each.chmod(0o755 if each.is_dir() else 0o644)
