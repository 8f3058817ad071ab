"""Build the npm package twice, in two environments, and compare the bytes."""

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
from scripts.release.artifacts import (
    BUILD_ENVIRONMENTS,
    Artifact,
    compare_builds,
    copy_sources,
    sha256,
)
from scripts.release.npm import tools
from scripts.release.versions import NPM_FOLDER, NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scripts.release.artifacts import BuildEnvironment

TIMEOUT_SECONDS = 600.0  # for one command of the build, downloads included


@dataclass(frozen=True)
class NpmPackage:
    """The packed package, and how npm identifies it.

    Attributes:
        artifact: The tarball.
        version: The version in its package.json.
        integrity: Its hash as npm writes it: `sha512-` and base64.
        build_directory: A folder in which it was built, with the tools that its lock file names.
    """

    artifact: Artifact
    version: str
    integrity: str
    build_directory: Path

    @property
    def path(self) -> Path:
        """Return the path of the tarball."""
        return self.artifact.path


@dataclass(frozen=True)
class Build:
    """One of the two builds.

    Attributes:
        folder: Holds everything that it reads and writes.
        environment: The surroundings of the build.
        log: Receives what npm prints.
    """

    folder: Path
    environment: BuildEnvironment
    log: Path

    @property
    def source(self) -> Path:
        """Return the copy of the sources in which it runs."""
        return self.folder / "src"

    @property
    def out(self) -> Path:
        """Return the folder that receives the tarball."""
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


def build_twice(
    root: Path, work: Path, dist: Path, log: Path, downloads: Mapping[str, str]
) -> NpmPackage:
    """Build the package twice, compare, and leave the tarball in `dist`.

    Args:
        root: The checkout.
        work: An empty folder for the copies that are built.
        dist: Receives the tarball.
        log: Each build has a log of its own beside it.
        downloads: The caller's network settings, with which the tools of the lock file are installed.

    Raises:
        NotReproducible: The two builds differ.
        processes.CommandFailed: A build failed.
    """
    builds = [_prepare(root, work / each.folder, each, log) for each in BUILD_ENVIRONMENTS]
    _build_all(builds, downloads)
    one, other = (build.out for build in builds)
    compare_builds(one, other, log.parent / "differing")
    (packed,) = one.iterdir()
    dist.mkdir(parents=True, exist_ok=True)
    target = dist / packed.name
    shutil.copyfile(packed, target)
    source = builds[0].source
    version = json.loads((source / "package.json").read_text("utf-8"))["version"]
    artifact = Artifact(NPM_NAME, target, sha256(target))
    return NpmPackage(artifact, version, integrity(target), source)


def build_once(root: Path, work: Path, log: Path, downloads: Mapping[str, str]) -> Path:
    """Build the package once; return the folder that has the tarball. The arguments are those of `build_twice`."""
    environment = BUILD_ENVIRONMENTS[0]
    build = _prepare(root, work / environment.folder, environment, log)
    _build_all([build], downloads)
    return build.out


def _build_all(builds: Sequence[Build], downloads: Mapping[str, str]) -> None:
    _npm_in_all(builds, "ci", "--prefer-offline", env=downloads)
    _npm_in_all(builds, "run", "build")
    for build in builds:
        _set_modes(build.source)
    _npm_in_all(builds, "pack", "--pack-destination", "../out")


def _prepare(root: Path, folder: Path, environment: BuildEnvironment, log: Path) -> Build:
    build = Build(folder, environment, log.with_name(f"{log.stem}-{folder.name}.log"))
    copy_sources(root, NPM_FOLDER, build.source)
    build.out.mkdir()
    build.log.parent.mkdir(parents=True, exist_ok=True)
    return build


def _npm_in_all(
    builds: Sequence[Build], *arguments: str, env: Mapping[str, str] | None = None
) -> None:
    """Run npm in all builds at once; if one fails, or on an interrupt, all of them end.

    No threads: an interrupt would have to wait for them.
    """
    command = [tools.program("npm"), *arguments]
    with contextlib.ExitStack() as stack:
        running = []
        for build in builds:
            log = stack.enter_context(build.log.open("a", encoding="utf-8"))
            variables = {**tools.environment(), **build.environment.variables, **(env or {})}
            started = processes.started(
                command, stderr=log, cwd=build.source, env=variables, umask=build.environment.umask
            )
            running.append((build, log, stack.enter_context(started)))
        for build, log, process in running:
            try:
                printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                raise CommandFailed(
                    command, f"still running after {TIMEOUT_SECONDS} s", build.log
                ) from None
            log.write(f"$ {shlex.join(command)}\n{printed}")
            log.flush()
            if process.returncode != 0:
                raise CommandFailed(command, f"exit code {process.returncode}", build.log)


def _set_modes(source: Path) -> None:
    """Set the modes of all files: npm packs those that it finds, and a umask decides about them."""
    for path in (source, *source.iterdir()):
        if path.name != "node_modules" and not path.is_symlink():
            for each in (path, *(path.rglob("*") if path != source and path.is_dir() else ())):
                each.chmod(0o755 if each.is_dir() else 0o644)
