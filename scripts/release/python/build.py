"""Build each Python package twice, in two environments, and compare the bytes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.artifacts import (
    BUILD_ENVIRONMENTS,
    Artifact,
    compare_builds,
    copy_sources,
    sha256,
    source_files,
)
from scripts.release.git import commit_time
from scripts.release.versions import PACKAGES

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.artifacts import BuildEnvironment


def build_all(root: Path, work: Path, dist: Path, log: Path) -> list[Artifact]:
    """Build every package twice, compare, and leave the artifacts in `dist`.

    Args:
        root: The checkout.
        work: An empty folder for the copies that are built.
        dist: Receives the artifacts; emptied first.
        log: Each build has a log of its own beside it, and so have files that differ.

    Raises:
        NotReproducible: A file differs between the two builds.
        processes.CommandFailed: A build failed.
    """
    epoch = commit_time(root)
    builds = [(package, each) for each in BUILD_ENVIRONMENTS for package in PACKAGES]
    with ThreadPoolExecutor(max_workers=2) as pool:
        built = list(
            pool.map(lambda each: build_package(root, work, *each, epoch=epoch, log=log), builds)
        )
    first, second = built[: len(PACKAGES)], built[len(PACKAGES) :]
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    artifacts = []
    for package, one, other in zip(PACKAGES, first, second, strict=True):
        compare_builds(one, other, log.parent / "differing")
        for path in sorted(one.iterdir()):
            target = dist / path.name
            shutil.copyfile(path, target)
            artifacts.append(Artifact(package, target, sha256(target)))
    return artifacts


def fingerprint(root: Path) -> str:
    """Return a hash of everything that decides the bytes of the artifacts."""
    digest = hashlib.sha256()
    tools = [f"{name} {importlib.metadata.version(name)}" for name in ("build", "hatchling")]
    digest.update("\n".join([commit_time(root), sys.version, *tools]).encode())
    for folder in PACKAGES.values():
        for name in source_files(root, folder):
            digest.update(f"\n{name.as_posix()} {sha256(root / name)}".encode())
    return digest.hexdigest()


def remember(record: Path, fingerprint: str, artifacts: list[Artifact]) -> None:
    """Record that these artifacts were built twice from these sources and were identical."""
    files = [[each.package, each.path.name, each.sha256] for each in artifacts]
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"fingerprint": fingerprint, "files": files}), "utf-8")


def built_before(record: Path, fingerprint: str, dist: Path) -> list[Artifact]:
    """Return what an earlier rehearsal built from the same sources, if all of it is still there."""
    if not record.is_file():
        return []
    recorded = json.loads(record.read_text("utf-8"))
    found = [Artifact(package, dist / name, digest) for package, name, digest in recorded["files"]]
    unchanged = all(each.path.is_file() and sha256(each.path) == each.sha256 for each in found)
    same_files = dist.is_dir() and {path.name for path in dist.iterdir()} == {
        each.path.name for each in found
    }
    return found if recorded["fingerprint"] == fingerprint and unchanged and same_files else []


def build_package(
    root: Path, work: Path, package: str, environment: BuildEnvironment, *, epoch: str, log: Path
) -> Path:
    """Build a package once; return the folder that has its wheel and its sdist.

    Args:
        root: The checkout.
        work: The folder for the copy that is built.
        package: The package.
        environment: The surroundings of the build.
        epoch: The date of all files, in Unix seconds.
        log: The build has a log of its own beside it.

    Raises:
        processes.CommandFailed: The build failed.
    """
    folder = work / environment.folder
    source, out = folder / "src" / package, folder / "dist" / package
    copy_sources(root, PACKAGES[package], source)
    # Without isolation: the build backend is the one that the lock file names, with its hash.
    processes.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        log=log.with_name(f"{log.stem}-{package}-{folder.name}.log"),
        env={**environment.variables, "SOURCE_DATE_EPOCH": epoch},
        umask=environment.umask,
    )
    return out
