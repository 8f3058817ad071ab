"""Build each package twice, in two places and two moods, and compare the bytes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import processes
from scripts.release.versions import PACKAGES

# What often leaks into artifacts: the umask, the time zone, the path, the locale, hash order.
FIRST_MOOD = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}
SECOND_MOOD = {"TZ": "Asia/Taipei", "LC_ALL": "C", "PYTHONHASHSEED": "2"}


class NotReproducible(Exception):
    """Two builds of the same sources gave different bytes, or different files."""


@dataclass(frozen=True)
class Artifact:
    """One file to publish."""

    package: str
    path: Path
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; else it is a source distribution."""
        return self.path.suffix == ".whl"

    @property
    def version(self) -> str:
        """Its version, as its file's name states it."""
        return self.path.name.split("-")[1].removesuffix(".tar.gz")

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def commit_time(root: Path) -> str:
    """Return the time of the checked-out commit, in Unix seconds: what artifacts carry as date."""
    answer = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=root, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def source_files(root: Path, folder: str) -> list[Path]:
    """List the files of a package that git tracks, or would: those that it does not ignore."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    names = sorted(name for name in answer.stdout.split("\0") if name)
    return [Path(name) for name in names if (root / name).is_file()]


def build_all(root: Path, work: Path, dist: Path, log: Path) -> list[Artifact]:
    """Build every package twice, compare, and leave the artifacts in `dist`.

    Args:
        root: The checkout.
        work: An empty folder for the copies that are built.
        dist: Receives the artifacts; emptied first.
        log: Receives what the builds print.

    Raises:
        NotReproducible: A file differs between the two builds.
        processes.CommandFailed: A build failed.
    """
    epoch = {"SOURCE_DATE_EPOCH": commit_time(root)}
    builds = [
        (package, work / place, {**mood, **epoch}, umask)
        for place, mood, umask in (("a", FIRST_MOOD, 0o022), ("elsewhere/b", SECOND_MOOD, 0o077))
        for package in PACKAGES
    ]
    with ThreadPoolExecutor(max_workers=2) as pool:
        built = list(pool.map(lambda each: _build(root, *each, log=log), builds))
    first, second = built[: len(PACKAGES)], built[len(PACKAGES) :]
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    artifacts = []
    for package, one, other in zip(PACKAGES, first, second, strict=True):
        compare(one, other)
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


def remember(memory: Path, fingerprint: str, artifacts: list[Artifact]) -> None:
    """Note that these artifacts were built twice, from these sources, and were identical."""
    files = [[each.package, each.path.name, each.sha256] for each in artifacts]
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"fingerprint": fingerprint, "files": files}), "utf-8")


def built_before(memory: Path, fingerprint: str, dist: Path) -> list[Artifact]:
    """Return what an earlier rehearsal built from the same sources, if all of it is still there."""
    if not memory.is_file():
        return []
    noted = json.loads(memory.read_text("utf-8"))
    found = [Artifact(package, dist / name, digest) for package, name, digest in noted["files"]]
    whole = all(each.path.is_file() and sha256(each.path) == each.sha256 for each in found)
    same_files = dist.is_dir() and {path.name for path in dist.iterdir()} == {
        each.path.name for each in found
    }
    return found if noted["fingerprint"] == fingerprint and whole and same_files else []


def compare(one: Path, other: Path) -> None:
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


def _build(
    root: Path, package: str, place: Path, env: dict[str, str], umask: int, *, log: Path
) -> Path:
    source, out = place / "src" / package, place / "dist" / package
    for name in source_files(root, PACKAGES[package]):
        target = source / name.relative_to(PACKAGES[package])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
    # Without isolation: the build backend is the one that the lock file names, hash and all.
    processes.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        log=log.with_name(f"{log.stem}-{package}-{place.name}.log"),
        env=env,
        umask=umask,
    )
    return out
