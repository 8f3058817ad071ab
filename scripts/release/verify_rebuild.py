"""Build a released file again, from its tag in a fresh clone, and compare the bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.rehearsal import describe
from scripts.release import git
from scripts.release.artifacts import BUILD_ENVIRONMENTS, sha256
from scripts.release.npm.build import build_once
from scripts.release.publish.differences import contents, differences
from scripts.release.python.build import build_package
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHOWN_LINES = 20


class NotRebuilt(Exception):
    """A file can't be built again with the same bytes; the message says what differs."""


@contextlib.contextmanager
def kept_log(folder: Path) -> Iterator[Path]:
    """Yield a log in a new folder in this one; it stays after an error, since the message names the log or one beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Path(tempfile.mkdtemp(prefix="rebuild-", dir=folder))
    yield kept / "rebuild.log"
    shutil.rmtree(kept)


def clone(url: str, version: str, commit: str, folder: Path, log: Path) -> Path:
    """Clone a repository at the tag of a version; return the folder.

    Raises:
        NotRebuilt: There is no such tag, or it is not at the commit of the evidence.
    """
    tag = f"v{version}"
    environment = git.without_repository(os.environ)
    run = partial(processes.run, log=log, env=environment, inherit=False)
    try:
        run(["git", "clone", "--quiet", "--no-checkout", "--", url, str(folder)])
    except processes.CommandFailed as failed:
        raise NotRebuilt(f"{url} can't be cloned: {describe(failed)}") from None
    tagged = git.resolve(folder, f"refs/tags/{tag}")
    if tagged is None:
        raise NotRebuilt(f"{url} has no tag {tag}: there is nothing to build from")
    if tagged != commit:
        raise NotRebuilt(
            f"the tag {tag} was moved: it is at {tagged}, and the evidence is about {commit}"
        )
    run(["git", "checkout", "--quiet", "--detach", commit, "--"], cwd=folder)
    return folder


def rebuild(
    artifact: Path,
    package: str,
    checkout: Path,
    work: Path,
    *,
    log: Path,
    downloads: Mapping[str, str],
) -> None:
    """Build a package in a checkout, and compare what comes of it with a file.

    Args:
        artifact: The file.
        package: Its package.
        checkout: The clone, at the commit that was released.
        work: An empty folder.
        log: Receives what the build prints.
        downloads: The caller's network settings, with which tools of lock files are installed.

    Raises:
        NotRebuilt: The bytes differ, or the build fails.
    """
    try:
        if package == NPM_NAME:
            out = build_once(checkout, work, log, downloads)
        else:
            epoch = git.commit_time(checkout)
            out = build_package(
                checkout, work, package, BUILD_ENVIRONMENTS[0], epoch=epoch, log=log
            )
    except processes.CommandFailed as failed:
        raise NotRebuilt(f"{package} can't be built: {describe(failed)}") from None
    built = out / artifact.name
    if not built.is_file():
        made = ", ".join(sorted(each.name for each in out.iterdir()))
        raise NotRebuilt(f"the build makes no {artifact.name}; it makes {made}")
    if sha256(built) != sha256(artifact):
        raise NotRebuilt(
            f"a build from the tag makes another {artifact.name}:\n{_difference(artifact, built)}"
        )


def _difference(artifact: Path, built: Path) -> str:
    try:
        before, after = (contents(each.name, each.read_bytes()) for each in (built, artifact))
    except Exception as error:  # noqa: BLE001 - whatever an archive of somebody else makes of its reader
        return f"  it is no such archive: {type(error).__name__} {error}"
    lines = differences(before, after)
    if not lines:
        return (
            "  the files in it are the same, but their order, times, modes or compression are not"
        )
    more = [f"  … and {len(lines) - SHOWN_LINES} lines more"] if len(lines) > SHOWN_LINES else []
    return "\n".join([*(f"  {line}" for line in lines[:SHOWN_LINES]), *more])


def address(repository: str) -> str:
    """Return the address to clone a repository of GitHub from.

    Example:
        >>> address("owner/name")
        'https://github.com/owner/name'
    """
    return f"https://github.com/{repository}"
